"""Where a letter ends, what a bounce does, and that one bad letter stops nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import SQLModel

from mailcounsel.intake import inbox
from mailcounsel.store import models

ANI = "ani@klien.test"


@pytest.fixture
def replied(house):
    """Ani agreed and was answered; this reply is on its way to her."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=offer)
    house.reply("wulan", "C-0001", "Halo Ani.")
    house.clock.on(minutes=2)
    house.posts = house.send()
    return next(sent for sent in house.posts if sent.author)


def state(house):
    (row,) = house.outbox("reply")
    return row.state


# -- bounces -------------------------------------------------------------------------------------


def test_a_reply_that_bounced_opens_the_case_loudly(house, replied):
    """The report is tied to its letter; the case waits again, and the therapist hears of it."""
    assert house.case(1).waiting_since is None
    row = house.receive(house.bounce(replied.message_id), mail_from="")
    assert row.case_id == house.case(1).id
    assert state(house) == "bounced"
    assert house.flags(1) == ["bounced"]
    assert house.case(1).waiting_since is not None
    assert house.case(1).priority == 2
    assert any(n.once and ":bounce:" in n.once for n in house.outbox("staff-notice"))
    assert [row.kind for row in house.outbox() if row.created_at == house.clock.now()] == [
        "staff-notice"
    ]


def test_a_bounce_finds_its_letter_whoever_used_the_same_id(house, replied):
    """Whoever saw one mail of ours knows its Message-ID, and could hide that it never arrived."""
    house.write("lain@klien.test", "Halo.", headers={"Message-ID": f"<{replied.message_id}>"})
    row = house.receive(house.bounce(replied.message_id), mail_from="")
    assert row.case_id == house.case(1).id
    assert state(house) == "bounced"
    assert house.case(1).waiting_since is not None


def test_a_bounce_in_a_servers_own_words_opens_the_case_as_well(house, replied):
    """A mail server that never read RFC 3464 quotes the letter, which is how it is found."""
    raw = (
        "From: MAILER-DAEMON@mx.klien.test\nSubject: failure notice\nMessage-ID: <q@mx.test>\n\n"
        "Hi. This is the qmail-send program at mx.klien.test.\n\n<ani@klien.test>:\n550 no\n\n"
        f"--- Below this line is a copy of the message.\n\nMessage-ID: <{replied.message_id}>\n"
    )
    row = house.receive(raw.encode(), mail_from="")
    assert row.case_id == house.case(1).id
    assert state(house) == "bounced"
    assert house.case(1).waiting_since is not None


def test_a_bounce_of_an_acknowledgement_is_only_flagged(house, replied):
    """Nobody has to answer for it, and it is shown."""
    (offer,) = house.outbox("acknowledgement")
    house.edit(models.Outgoing, offer.id, state="sent")
    other = next(sent for sent in house.posts if not sent.author and sent.client_id)
    house.receive(house.bounce(other.message_id), mail_from="")
    assert house.flags(1) == ["bounced"]
    assert house.case(1).waiting_since is None


def test_a_report_from_a_persons_address_raises_a_flag_only(house, replied):
    """Mail servers report from the null sender; anybody else only says so."""
    house.receive(house.bounce(replied.message_id), mail_from="mal@jahat.test")
    assert (state(house), house.flags(1)) == ("sent", ["bounced"])
    assert house.case(1).waiting_since is None


def test_a_report_about_nothing_of_ours_is_a_case_of_its_own(house, replied):
    """A guessed Message-ID enters no case."""
    row = house.receive(house.bounce("aaaa.bbbb@rumah.test"), mail_from="")
    assert row.case_id == house.case(2).id
    assert (house.case(2).priority, house.flags(1)) == (0, [])


def test_a_report_about_a_letter_that_has_not_left_changes_nothing_of_it(house):
    """It cannot have come back before it left."""
    house.write(ANI, "Halo.")
    house.reply("wulan", "C-0001", "Halo Ani.", plain="ya")
    (held,) = house.outbox("reply")
    house.receive(house.bounce(held.parcel.message_id), mail_from="")
    assert state(house) == "held"
    assert house.case(1).waiting_since is None


def test_a_second_report_says_the_same(house, replied):
    """One flag for one letter, however often it comes back."""
    for _ in range(2):
        house.receive(house.bounce(replied.message_id, "Again."), mail_from="")
    assert house.flags(1) == ["bounced"]


def test_no_report_is_answered(house, replied):
    """Not the bounce of an answer to a bounce either."""
    before = len([row for row in house.outbox() if row.kind != "staff-notice"])
    house.receive(house.bounce(replied.message_id), mail_from="")
    house.receive(house.bounce("x@y.test"), mail_from="")
    assert len([row for row in house.outbox() if row.kind != "staff-notice"]) == before


# -- conservation --------------------------------------------------------------------------------


def test_every_letter_ends_in_one_place(house, replied):
    """Case, own loop, quarantine: in equals out, lost is nothing."""
    headers = {"Message-ID": f"<{replied.message_id}>"}
    house.write(replied.from_address, replied.text, headers=headers)
    house.receive(b"garbage without any header")
    house.receive(b"\0\xff" * 50)
    balance = house.call("sari", "reconcile")
    ends = sum(balance[name] for name in ("case", "quarantine", "discarded", "own-loop"))
    assert (balance["lost"], balance["in"], balance["received"]) == (0, ends, 0)


def test_a_letter_beyond_the_budgets_is_quarantined_and_kept(house):
    """A hundred and one nested parts: three tries, then a person; the others go on."""
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(120)
    )
    kept = house.receive(b"From: x@klien.test\r\nMIME-Version: 1.0\r\n" + deep)
    house.write(ANI, "Halo.")
    for _ in range(3):
        house.clock.on(hours=1)
        kept = house.again(kept.id)
    assert (kept.state, kept.reason, bool(kept.raw)) == ("quarantine", "OverBudget", True)
    assert house.case(1).letters == 2
    (listed,) = house.call("sari", "quarantine.list")["letters"]
    assert listed["id"] == kept.id
    assert house.call("sari", "quarantine.retry", id=kept.id)["retried"] == 1


def test_a_letter_is_written_down_whole_or_not_at_all(house):
    """The case's key was edited: no half case, no acknowledgement, no letter."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    keys = models.table(models.CaseKey)
    house.store.write(lambda c: c.execute(keys.update().values(mac=b"x")).rowcount)
    before = len(house.rows(models.Audit)), len(house.outbox()), house.case(1).letters
    row = house.write(ANI, "SETUJU", reply_to=offer)
    assert row.state == "received"
    after = len(house.rows(models.Audit)), len(house.outbox()), house.case(1).letters
    assert before == after
    assert house.rows(models.Consent) == []


def test_a_settled_letter_leaves_nothing_in_the_inbox(house):
    """Once placed, its bytes and its envelope are gone from what the service can open."""
    row = house.write(ANI, "Halo.")
    assert (row.raw, row.sealed_envelope) == (None, b"")


def test_the_words_of_a_letter_are_in_no_row(house):
    """Marker search over every value of every table, in the encodings a value may have."""
    house.write("Quokka <ani@klien.test>", "wombat numbat", headers={"Subject": "bilby"})
    house.reply("wulan", "C-0001", "bandicoot", plain="potoroo")
    for mapper in SQLModel.__subclasses__():
        for row in house.rows(mapper):
            for value in vars(row).values():
                shown = value if isinstance(value, bytes) else str(value).encode()
                for word in (b"quokka", b"wombat", b"bilby", b"bandicoot", b"potoroo", b"ani@"):
                    assert word not in shown.lower()


def test_the_claim_is_counted_before_the_work(house):
    """A letter that kills the process three times is not tried a fourth."""
    kept = house.keep(house.mail(ANI, "Halo."))
    for _ in range(3):
        inbox.claim(house.store, house.office.keyring, house.clock.now())
        inbox.free_leases(house.store)
    row = house.again(kept)
    assert (row.state, row.reason) == ("quarantine", "killed")


def test_our_letters_follow_the_language_a_client_writes_in(house):
    """A first letter says little; later ones say more, and a word or two changes nothing."""
    house.write(ANI, "...")
    (first,) = house.sent_to(ANI)
    assert "surat" in first.text
    house.write(ANI, "ok", reply_to=first)
    assert house.case(1).language == "id"
    house.write(ANI, "I do not understand this language. Please write in English.", reply_to=first)
    assert house.case(1).language == "en"
    house.write(ANI, "I want to kill myself tonight.", reply_to=first)
    (note,) = house.outbox("crisis")
    assert "With warm wishes" in note.parcel.text


def test_a_forged_letter_changes_no_language(house):
    """Whoever proves nothing opens a case of their own."""
    house.write(ANI, "Halo, saya mau cerita banyak hal.")
    house.write(ANI, "I do not understand this language at all.", suspect=True)
    assert house.case(1).language == "id"


# -- marks of machines on a client's own letter ----------------------------------------------------

SOFT: dict[str, dict[str, Any]] = {
    "through a list": {"headers": {"List-Id": "<sekolah.groups.test>"}},
    "without a sender": {"mail_from": ""},
    "by a program": {"headers": {"Auto-Submitted": "auto-generated"}},
}
AFRAID = "Saya menulis lagi, tolong saya, saya takut sekali."


@pytest.mark.parametrize("way", SOFT)
def test_a_proved_letter_waits_however_it_came(house, replied, way):
    """Its marks stop our automatic answer, and hide it from nobody."""
    before = len(house.outbox())
    row = house.write(ANI, AFRAID, reply_to=replied, **SOFT[way])
    assert row.case_id == house.case(1).id
    assert house.case(1).waiting_since is not None
    assert house.read("wulan", "C-0001")[-1]["kind"] == "letter"
    assert {one.kind for one in house.outbox()[before:]} <= {"staff-notice"}


@pytest.mark.parametrize("way", SOFT)
def test_a_proved_letter_opens_a_closed_case_however_it_came(house, replied, way):
    """Nobody would look at it there."""
    house.close("wulan", "C-0001")
    house.write(ANI, AFRAID, reply_to=replied, **SOFT[way])
    assert house.case(1).state == "open"
    assert house.case(1).waiting_since is not None


def test_a_letter_our_border_vouches_for_waits_though_it_came_through_a_list(house, replied):
    """As with our token; without the border's word it stays what it is, a case nobody waits in."""
    object.__setattr__(house.office.config.centre, "authserv_id", "mx.rumah.test")
    said = "mx.rumah.test; dmarc=pass header.from=klien.test"
    headers = {"List-Id": "<a.b>", "Authentication-Results": said}
    house.write(ANI, AFRAID, headers=headers)
    assert house.case(1).waiting_since is not None
    calm = "Kabar dari saya: minggu ini biasa saja, terima kasih."
    house.write(ANI, calm, headers={"List-Id": "<a.b>"})
    assert house.case(2).waiting_since is None


def test_a_proved_vacation_note_waits_for_nobody(house, replied):
    """It brings our token back, and opens no case."""
    house.close("wulan", "C-0001")
    headers = {"Auto-Submitted": "auto-replied"}
    house.write(ANI, "Saya sedang cuti.", reply_to=replied, headers=headers, mail_from="")
    assert house.case(1).state == "closed"
    assert house.case(1).waiting_since is None


@pytest.mark.parametrize("name", ["crisis", "acknowledgement", "staff-notice"])
def test_no_letter_fails_for_a_template_of_the_admins(house, name):
    """A slip in a template while the service runs: danger is raised, and our own letters go out."""
    broken = house.folder / "templates" / "id" / f"{name}.txt"
    broken.parent.mkdir(parents=True)
    broken.write_text("Subject: {{ subject }}\n\n{{ misspelt }}")
    centre = house.office.config.centre.model_copy(update={"templates": broken.parent.parent})
    config = house.office.config.model_copy(update={"centre": centre})
    house.office = replace(house.office, config=config)
    house.write(ANI, "Saya ingin mengakhiri hidup saya malam ini.")
    assert house.states() == ["case"]
    assert len(house.rows(models.Risk)) == 1
    assert {"crisis", "acknowledgement", "staff-notice"} <= {row.kind for row in house.outbox()}
