"""The right person, or nobody: which case a letter enters, and with what proof."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy

from mailcounsel.intake import assessing, inbox, looking, pipeline, recording
from mailcounsel.intake.known import StoreKnowledge
from mailcounsel.service import work
from mailcounsel.store import models

ANI, BUDI, MAL = "ani@klien.test", "budi@klien.test", "mal@jahat.test"
AT = "klien.test"
BORDER = "mx.rumah.test"


@pytest.fixture
def ani(house):
    """Ani has written once; this is the acknowledgement she got."""
    house.write(ANI, "Halo, saya susah tidur sejak pindah rumah.")
    (offer,) = house.sent_to(ANI)
    return offer


def ours(house):
    """Let the house trust a border."""
    object.__setattr__(house.office.config.centre, "authserv_id", BORDER)


def passed(domain: str, border: str = BORDER) -> str:
    return f"{border}; dkim=pass header.d={domain}; dmarc=pass (p=none) header.from={domain}"


def vouchings(house):
    """How each letter of the one case was vouched for, in the order they came."""
    came = sorted(house.rows(models.Letter), key=lambda row: row.number)
    return [row.vouching for row in came if row.direction == "in"]


# -- the token -----------------------------------------------------------------------------------


def test_an_answer_with_token_and_address_enters_the_case(house, ani):
    """Our token and the client's own address together are proof."""
    row = house.write(ANI, "Terima kasih.", reply_to=ani)
    assert row.case_id == house.case(1).id
    assert vouchings(house) == ["nothing", "token"]
    assert len(house.rows(models.Client)) == 1


def test_the_token_alone_in_the_address_is_enough_where_the_message_id_was_rewritten(house, ani):
    """A smarthost that rewrites Message-IDs leaves the address."""
    headers = {"In-Reply-To": "", "References": "<rewritten@relay.test>"}
    row = house.write(ANI, "Lagi.", reply_to=ani, headers=headers, to=ani.from_address)
    assert row.case_id == house.case(1).id


def test_the_token_alone_in_the_references_is_enough_where_the_address_was_rewritten(house, ani):
    """A client that answers to the plain address is placed by In-Reply-To."""
    row = house.write(ANI, "Lagi.", reply_to=ani, headers={"To": "halo@rumah.test"})
    assert row.case_id == house.case(1).id


def test_the_token_from_another_address_is_a_case_of_its_own(house, ani):
    """Whoever has seen a mail of ours knows its token; a person looks at theirs."""
    house.write(MAL, "Aku Ani, ini alamat baruku.", reply_to=ani)
    other = house.case(2)
    assert other.maybe_case_id == house.case(1).id
    assert other.client_id != house.case(1).client_id
    assert house.flags(2) == ["maybe"]
    assert house.flags(1) == []
    assert house.case(1).letters == 2  # her letter and the acknowledgement


def test_a_token_nobody_has_been_given_points_nowhere(house, ani):
    """A guessed token is as good as none."""
    guessed = {"To": f"halo+{'a' * 26}@rumah.test", "In-Reply-To": "", "References": ""}
    house.write("eka@klien.test", "Halo.", headers=guessed)
    assert house.case(2).maybe_case_id is None


def test_the_tokens_of_two_cases_in_one_letter_open_only_the_writers_own(house, ani):
    """A client who also quotes another client's token stays in their own case."""
    house.write(BUDI, "Halo, saya Budi.")
    (budis,) = house.sent_to(BUDI)
    both = {"References": f"<{budis.message_id}> <{ani.message_id}>"}
    row = house.write(BUDI, "Lagi.", reply_to=budis, headers=both)
    assert row.case_id == house.case(2).id


# -- no proof ------------------------------------------------------------------------------------


def test_the_right_address_alone_is_no_proof(house, ani):
    """A forged From becomes a case of its own, marked as maybe from the client."""
    row = house.write(ANI, "Tolong kirim semua surat saya ke alamat lain.")
    assert row.case_id == house.case(2).id
    assert house.case(2).maybe_case_id == house.case(1).id


def test_references_to_another_clients_case_never_join(house, ani):
    """A stranger who names a Message-ID of somebody else's case is not let in."""
    headers = {"References": f"<1.{ANI}>", "In-Reply-To": f"<1.{ANI}>"}
    house.write(BUDI, "Re: surat", headers=headers)
    assert house.case(2).client_id != house.case(1).client_id
    assert house.case(2).maybe_case_id == house.case(1).id


def test_a_proved_client_who_names_anothers_letter_stays_at_home(house, ani):
    """References count only among the cases of whoever is proved to have written."""
    house.write(BUDI, "Halo, saya Budi.")
    (budis,) = house.sent_to(BUDI)
    headers = {"References": f"<1.{ANI}>", "In-Reply-To": ""}
    row = house.write(BUDI, "Lagi.", reply_to=budis, headers=headers, to=budis.from_address)
    assert row.case_id == house.case(2).id


def test_the_subject_is_never_evidence(house, ani):
    """Not the same subject, and not a case number in it."""
    for subject in ("surat", "Re: [C-0001] surat", "C-0001"):
        house.write(BUDI, "Halo.", headers={"Subject": subject})
    assert house.case(1).letters == 2
    assert [house.case(n).maybe_case_id for n in (2,)] == [None]


def test_answers_never_follow_reply_to(house, ani):
    """Reply-To turns nothing: the reply goes to the address the client first wrote from."""
    house.write(ANI, "SETUJU", reply_to=ani, headers={"Reply-To": MAL})
    house.write(ANI, "Balas ke alamat itu.", reply_to=ani, headers={"Reply-To": MAL})
    house.reply("wulan", "C-0001", "Coba bernapas pelan.")
    addresses = {row.parcel.to_address for row in house.outbox() if row.parcel}
    assert addresses - {"wulan@staf.test"} == {ANI}


def test_a_reply_goes_to_the_client_and_not_to_whoever_wrote_last(house, ani):
    """A second person in copy who answers gets nothing of the case."""
    house.write(ANI, "SETUJU", reply_to=ani)
    house.write(MAL, "Aku juga.", reply_to=ani)
    house.reply("wulan", "C-0001", "Untuk Ani saja.")
    (reply,) = house.outbox("reply")
    assert reply.parcel.to_address == ANI


def test_a_letter_from_nobody_in_particular_is_kept_unanswered(house):
    """Two senders in From are nobody's identity: the letter is a case, and nothing is mailed."""
    row = house.write("a@klien.test, b@klien.test", "Halo.")
    assert row.state == "case"
    assert house.outbox("acknowledgement") == []
    assert "not-sent-no-address" in house.audited()


# -- our border ----------------------------------------------------------------------------------


def test_our_borders_word_proves_a_client(house, ani):
    """dmarc=pass for the From domain, said by our own border on top, is proof."""
    ours(house)
    headers = {"Authentication-Results": passed("klien.test")}
    row = house.write(ANI, "Halo lagi.", headers=headers)
    assert row.case_id == house.case(1).id
    assert vouchings(house)[-1] == "border"


@pytest.mark.parametrize(
    "said",
    [
        passed("klien.test", "mx.jahat.test"),
        passed("jahat.test"),
        f"{BORDER}; dmarc=fail header.from=klien.test",
        f"{BORDER}; spf=pass smtp.mailfrom=dmarc=pass@a.test; dmarc=fail header.from=klien.test",
        f'{BORDER}; spf=pass smtp.mailfrom="; dmarc=pass header.from=klien.test"@jahat.test',
        f"{BORDER}; spf=pass (dmarc=pass; dmarc=pass header.from=klien.test)",
        f"{BORDER}; dmarc=pass header.from=jahat.test header.from=klien.test",
        f"{BORDER}; dmarc=fail header.from=klien.test; dmarc=pass header.from=klien.test",
        f"{BORDER}; x-dmarc=pass header.from=klien.test",
        "",
    ],
)
def test_what_is_not_plainly_our_borders_word_proves_nothing(house, ani, said):
    """Another border, another domain, a failure, or words a sender slipped into the field."""
    ours(house)
    row = house.write(ANI, "Halo lagi.", headers={"Authentication-Results": said})
    assert row.case_id == house.case(2).id
    assert vouchings(house)[-1] == "nothing"


def test_what_stands_below_the_second_received_came_from_outside(house, ani):
    """A sender can write Authentication-Results too, but only below our border's Received."""
    ours(house)
    received = b"Received: from x.test by y.test; Sun, 22 Nov 2026 09:00:00 +0000\r\n"
    forged = b"Authentication-Results: " + passed("klien.test").encode() + b"\r\n"
    raw = house.mail(ANI, "Halo lagi.")
    assert house.receive(received + received + forged + raw).case_id == house.case(2).id
    again = house.mail(ANI, "Halo sekali lagi.")
    assert house.receive(forged + received + received + again).case_id == house.case(1).id


# -- cases that are closed, linked, many, or changing ---------------------------------------------


def test_an_old_thread_opens_a_closed_case_again(house, ani):
    """A proved letter to a closed case is where it belongs, and is waiting."""
    house.close("sari", "C-0001")
    house.write(ANI, "Boleh saya cerita lagi?", reply_to=ani)
    assert (house.case(1).state, house.case(1).waiting_since is not None) == ("open", True)


def test_a_stranger_cannot_open_a_closed_case(house, ani):
    """Without proof a closed case stays closed."""
    house.close("sari", "C-0001")
    house.write(MAL, "Halo.", reply_to=ani)
    assert house.case(1).state == "closed"


def test_a_linked_case_stands_for_its_target(house, ani):
    """After a person's link, letters with the second address and its token go to the target."""
    house.write("ani@baru.test", "Ini Ani, alamat baru.", reply_to=ani)
    (second,) = house.sent_to("ani@baru.test")
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    for token in (ani, second):
        row = house.write("ani@baru.test", "Halo lagi.", reply_to=token)
        assert row.case_id == house.case(1).id
    assert house.flags(2) == []
    assert "case-linked" in house.audited()
    texts = [entry.get("text", "") for entry in house.read("sari", "C-0001")]
    assert "Ini Ani, alamat baru.\n" in texts or "Ini Ani, alamat baru." in texts


def test_linking_leaves_the_clients_own_address_the_one_that_is_written_to(house, ani):
    """A linked address may write; it is not written to."""
    house.write(ANI, "SETUJU", reply_to=ani)
    house.write("ani@baru.test", "Ini Ani.", reply_to=ani)
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    house.reply("sari", "C-0001", "Halo Ani.")
    (reply,) = house.outbox("reply")
    assert reply.parcel.to_address == ANI


def test_a_case_without_an_address_can_be_linked(house, ani):
    """A letter whose From could not be understood belongs to somebody all the same."""
    house.write("a@klien.test, b@klien.test", "Ini Ani.")
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert house.case(2).merged_into == house.case(1).id


def test_two_clients_of_one_family_address_are_told_apart_by_token_alone(house, ani):
    """Without a token a letter from a shared address is nobody's; with one it is placed."""
    house.write(ANI, "Saya ibunya, saya juga ingin bercerita.")
    (mothers,) = house.sent_to(ANI)
    assert house.write(ANI, "Lagi, si ibu.", reply_to=mothers).case_id == house.case(2).id
    assert house.write(ANI, "Lagi, si anak.", reply_to=ani).case_id == house.case(1).id
    assert house.write(ANI, "Siapa ini?").case_id == house.case(3).id


@pytest.mark.parametrize(
    ("theirs", "others"),
    [("weiss@klien.test", "weiß@klien.test"), ("ines@klien.test", "ıneſ@klien.test")],
)
def test_an_address_that_only_resembles_another_is_somebody_elses(house, theirs, others):
    """Small letters beyond ASCII are folded by no mail server: the border vouches for another."""
    ours(house)
    house.write(theirs, "Halo, ini surat pertama saya.")
    raw = house.mail(theirs, "Saya orang lain.", headers={"Authentication-Results": passed(AT)})
    row = house.receive(raw.replace(f"From: {theirs}".encode(), f"From: {others}".encode()))
    assert row.case_id == house.case(2).id
    assert house.case(2).client_id != house.case(1).client_id
    assert house.flags(2) == []


def test_the_case_of_ascii_makes_no_other_client(house):
    """Ani@Klien.Test and ani@klien.test are one, as they are to mail servers."""
    ours(house)
    house.write("Ani@Klien.Test", "Halo, ini surat pertama saya.")
    again = house.write(ANI, "Lagi saya.", headers={"Authentication-Results": passed(AT)})
    assert again.case_id == house.case(1).id


def test_a_forged_case_does_not_take_the_border_from_the_client(house, ani):
    """A case that may be anybody's does not turn proved letters away from the client's own."""
    ours(house)
    house.write(ANI, "Palsu.")
    headers = {"Authentication-Results": passed("klien.test")}
    assert house.write(ANI, "Asli.", headers=headers).case_id == house.case(1).id


def test_with_several_open_cases_and_no_hint_a_person_decides(house, ani):
    """Proved, but which matter? A case of the same client, for a person to link."""
    ours(house)
    house.write(ANI, "Hal lain.")
    house.edit(models.Case, house.case(2).id, maybe_case_id=None, client_id=house.case(1).client_id)
    headers = {"Authentication-Results": passed("klien.test")}
    house.write(ANI, "Yang mana?", headers=headers)
    third = house.case(3)
    assert third.client_id == house.case(1).client_id
    assert third.maybe_case_id == house.case(2).id


def looked_at(house, received):
    """Take a letter as far as its plan, without writing anything down."""
    config = house.office.config
    opened = looking.read_and_open(received.raw, config, house.centre, lambda name: [])
    assessed = assessing.assess(opened.letter, config.centre.languages)
    facts = (received.received_at, config)

    def job(connection):
        known = StoreKnowledge(connection, house.office)
        return looking.decide(opened, assessed, received.envelope, known, *facts)

    return house.store.read(job)


def test_two_first_letters_looked_at_together_do_not_miss_each_other(house):
    """Both look before either is written down: the second is looked at again, and points back."""
    for text in ("Halo.", "Masih saya."):
        house.keep(house.mail(ANI, text))
    letters = inbox.claim(house.store, house.office.keyring, house.clock.now())
    plans = [looked_at(house, received) for received in letters]
    now = house.clock.now()
    states = [
        house.store.write(lambda c, r=r, p=p: recording.record(c, house.office, r, p, now)).state
        for r, p in zip(letters, plans, strict=True)
    ]
    assert states == [recording.CASE, recording.CHANGED]
    work.place_together(house.desk, [letters[1]])
    assert house.case(2).maybe_case_id == house.case(1).id


def test_a_case_that_changed_hands_is_looked_at_again(house, ani):
    """Between looking and writing down, a person links the case: the letter follows."""
    house.write(BUDI, "Saya sebenarnya Ani.")
    kept = house.keep(house.mail(ANI, "Menyusul.", reply_to=ani), to=ani.from_address)
    (received,) = inbox.claim(house.store, house.office.keyring, house.clock.now())
    plan = looked_at(house, received)
    house.call("sari", "case.link", case="C-0001", into="C-0002")
    now = house.clock.now()
    outcome = house.store.write(lambda c: recording.record(c, house.office, received, plan, now))
    assert outcome.state == recording.CHANGED
    assert house.case(1).letters == 2
    work.place_together(house.desk, [received])
    (row,) = [row for row in house.rows(models.Inbox) if row.id == kept]
    assert (row.state, row.case_id) == ("case", house.case(2).id)


def test_a_letter_another_process_has_taken_is_left_to_it(house, ani):
    """A fence that has moved on writes nothing at all."""
    house.keep(house.mail(ANI, "Menyusul.", reply_to=ani))
    (received,) = inbox.claim(house.store, house.office.keyring, house.clock.now())
    house.edit(models.Inbox, received.inbox_id, fence=received.fence + 1)
    before = house.case(1).letters
    work.place_together(house.desk, [received])
    assert house.case(1).letters == before


def test_a_stranger_known_by_doubtful_cases_alone_is_placed(house):
    """Who is known only by a case that may be another's still gets the next letter placed."""
    house.write("ani@klien.test", "Halo, saya Ani.")
    ours = house.outbox("acknowledgement")[0].parcel
    house.write("budi@klien.test", "Saya menjawab surat orang lain.", reply_to=ours)
    row = house.write("budi@klien.test", "Ini surat kedua saya.")
    assert row.state == "case"
    assert len(house.rows(models.Case)) == 3
    assert house.case(3).maybe_case_id is not None


def test_a_sender_behind_a_bare_return_has_nothing_of_our_border(house, ani):
    """Our border spoke for Mal, whom it read; the words are shown, and looked at for danger."""
    ours(house)
    hidden = "X-A: b\rFrom: ani@klien.test\rSubject: q\r\rSaya ingin mati.\r\n"
    raw = f"Authentication-Results: {passed('klien.test')}\r\n{hidden}From: mal@klien.test\r\n\r\nx"
    row = house.receive(raw.encode())
    assert row.case_id != house.case(1).id
    assert house.case(2).priority > house.case(1).priority
    assert {one.vouching for one in house.rows(models.Letter) if one.direction == "in"} == {
        "nothing"
    }


def test_a_letter_and_its_answer_looked_at_together_share_a_case(house):
    """Both look before either is written down, and another's letter is named besides."""
    ours(house)
    house.write(BUDI, "Surat orang lain.", headers={"Message-ID": "<lain@klien.test>"})
    vouched = {"Authentication-Results": passed("klien.test")}
    first = vouched | {"Message-ID": "<satu@klien.test>"}
    second = vouched | {
        "Message-ID": "<dua@klien.test>",
        "References": "<lain@klien.test> <satu@klien.test>",
        "In-Reply-To": "<lain@klien.test>",
    }
    kept = [house.keep(house.mail(ANI, "Halo.", headers=one)) for one in (first, second)]
    work.place_together(
        house.desk, inbox.claim(house.store, house.office.keyring, house.clock.now())
    )
    rows = [row for row in house.rows(models.Inbox) if row.id in kept]
    assert len(rows) == 2
    assert rows[0].case_id == rows[1].case_id


def test_letters_of_a_stranger_that_are_written_down_side_by_side_share_a_case(
    house, monkeypatch, until
):
    """Two at a time, as PostgreSQL allows: the second waits, and sees the case of the first."""
    really, written, go_on = recording.record, threading.Event(), threading.Event()

    def record(*facts):
        outcome = really(*facts)
        if not written.is_set():
            written.set()
            assert go_on.wait(60)
        return outcome

    def waits():
        if house.store.is_sqlite:
            return True  # its one writer is busy
        query = sqlalchemy.text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        )
        return house.store.read(lambda c: c.execute(query).scalar_one()) > 0

    def write_down(passage):
        return passage.finish(passage.record(now), now)

    monkeypatch.setattr(recording, "record", record)
    ours(house)
    vouched = {"Authentication-Results": passed("klien.test")}
    second = vouched | {"In-Reply-To": "<satu@klien.test>"}
    for one in (vouched | {"Message-ID": "<satu@klien.test>"}, second):
        house.keep(house.mail(ANI, "Halo.", headers=one))
    claimed = inbox.claim(house.store, house.office.keyring, house.clock.now())
    desk, now = house.desk, house.clock.now()
    passages = [
        pipeline.Passage(desk.store, desk.office, desk.centre, one)
        for one in sorted(claimed, key=lambda one: b"In-Reply-To" in one.raw)
    ]
    with ThreadPoolExecutor(2) as pool:
        ends = []
        for passage in passages:
            ends.append(pool.submit(write_down, passage))
            assert written.wait(60)
        until(lambda: ends[1].done() or waits(), "the second letter to wait")
        go_on.set()
    assert len({end.result().case_id for end in ends}) == 1
    assert len(house.rows(models.Client)) == 1
