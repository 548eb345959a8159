"""What leaves without a person: acknowledgements and answers to words, and when nothing may."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

import house as house_of
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.outgoing import protect
from mailcounsel.store import models, schema
from mailcounsel.store.engine import Store

ANI = "ani@klien.test"


def to_clients(house):
    return [row for row in house.outbox() if row.kind != "staff-notice"]


# -- acknowledgements ----------------------------------------------------------------------------


def test_a_new_case_is_acknowledged_once_then_once_a_day(house):
    """The first letter, and the first of each later day; not every line somebody sends."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    for _ in range(3):
        house.write(ANI, "Satu hal lagi.", reply_to=offer)
    assert [len(house.outbox(f"acknowledgement{x}")) for x in ("", "-again")] == [1, 1]
    house.clock.on(days=1)
    house.write(ANI, "Selamat pagi.", reply_to=offer)
    assert len(house.outbox("acknowledgement-again")) == 2


def test_the_acknowledgement_names_the_promised_day_in_the_clients_zone(house):
    """Sunday 16:00 in Jakarta, two working days: Tuesday."""
    house.write(ANI, "Halo, saya susah tidur sejak pindah rumah.")
    (row,) = house.outbox("acknowledgement")
    assert "Selasa, 24 November 2026" in row.parcel.text


def test_nothing_of_a_letter_is_echoed(house):
    """Not its words, its subject, nor its sender's name: mail bombs carry no message of theirs."""
    house.write("Quokka Wombat <ani@klien.test>", "quokka words", headers={"Subject": "quokka"})
    house.write("ani@klien.test", "HELP quokka", headers={"Subject": "HELP"})
    for row in to_clients(house):
        assert "quokka" not in str(row.parcel).lower()
    assert len(to_clients(house)) >= 2


def test_an_automatic_answer_says_that_it_is_one(house):
    """Auto-Submitted (RFC 3834 section 5) and the null sender."""
    house.write(ANI, "Halo.")
    (row,) = house.outbox("acknowledgement")
    assert row.parcel.auto_submitted == "auto-replied"
    assert protect.envelope_sender(row.parcel) == ""


MACHINES: dict[str, dict[str, Any]] = {
    "auto-submitted": {"headers": {"Auto-Submitted": "auto-replied (vacation)"}},
    "auto-generated": {"headers": {"Auto-Submitted": "auto-generated"}},
    "a list": {"headers": {"List-Id": "<berita.klien.test>"}},
    "a newsletter": {"headers": {"List-Unsubscribe": "<mailto:x@y.test>"}},
    "the null sender": {"mail_from": ""},
    "a null return-path": {"headers": {"Return-Path": "<>"}, "mail_from": None},
    "an autoreply mark": {"headers": {"X-Autoreply": "yes"}},
    "bulk": {"headers": {"Precedence": "bulk"}},
    "junk": {"headers": {"Precedence": "junk"}},
    "precedence list": {"headers": {"Precedence": "List"}},
    "auto_reply": {"headers": {"Precedence": "auto_reply"}},
    "asked not to": {"headers": {"X-Auto-Response-Suppress": "DR, AutoReply"}},
    "asked all not to": {"headers": {"X-Auto-Response-Suppress": "All"}},
    "junk folder": {"suspect": True},
}


@pytest.mark.parametrize("name", MACHINES)
def test_machines_and_the_reluctant_get_no_automatic_answer(house, name):
    """RFC 3834 section 2, whatever the words are; the letter is kept all the same."""
    for text in ("Halo.", "BANTUAN", "SETUJU"):
        row = house.write(ANI, text, **MACHINES[name])
        assert row.state == "case"
    assert to_clients(house) == []


@pytest.mark.parametrize(
    "name", ["bulk", "auto_reply", "asked not to", "a newsletter", "junk folder"]
)
def test_what_only_asks_for_no_answer_is_still_read_by_a_person(house, name):
    """Precedence and X-Auto-Response-Suppress do not mean that a machine wrote it."""
    house.write(ANI, "Halo, saya susah tidur.", **MACHINES[name])
    assert house.case(1).waiting_since is not None


@pytest.mark.parametrize("value", ["no", "No", "no (a person)", ""])
def test_auto_submitted_no_is_a_person(house, value):
    """RFC 3834 section 5: "no" is what people's programs may write."""
    house.write(ANI, "Halo.", headers={"Auto-Submitted": value})
    assert len(house.outbox("acknowledgement")) == 1


def test_a_word_is_obeyed_but_not_answered_where_no_answer_is_wanted(house):
    """Outlook asks for no automatic answer: STOP still stops."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    headers = {"X-Auto-Response-Suppress": "All"}
    house.write(ANI, "BERHENTI", reply_to=offer, headers=headers)
    assert house.rows(models.Client)[0].checkins == "stopped"
    assert house.outbox("stopped") == []


def test_automatic_answers_to_one_address_are_capped(house):
    """A storm of letters from one address, every one a new case, gets five answers a day."""
    for number in range(12):
        house.clock.on(minutes=1)
        house.write(ANI, f"Surat {number}")
    assert len(to_clients(house)) == 5
    assert "not-sent-capped" in house.audited()
    house.clock.on(days=1, minutes=1)
    house.write(ANI, "Keesokan harinya.")
    assert len(to_clients(house)) == 6


def test_changing_the_case_of_the_address_does_not_lift_the_cap(house):
    """ANI@ and ani@ are one sender."""
    for number in range(8):
        house.write("ANI@klien.test" if number % 2 else ANI, f"Surat {number}")
    assert len(to_clients(house)) == 5


def test_our_own_letter_coming_back_is_a_loop(house):
    """From our inbox with a Message-ID of ours it ends as own loop, and nobody answers."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    headers = {"Message-ID": f"<{offer.message_id}>"}
    row = house.write(offer.from_address, offer.text, headers=headers)
    assert (row.state, row.raw) == ("own-loop", None)
    row = house.write("halo@rumah.test", "Halo dari kami sendiri.")
    assert row.state == "case"
    assert len(to_clients(house)) == 1


@pytest.mark.parametrize("mark", [True, False], ids=["as sent", "marks lost on the way"])
def test_two_centres_facing_each_other_fall_silent(house, tmp_path, centre, mark):
    """Each takes the other for a client; even without the marks they stop at once or at the cap."""
    folder = tmp_path / "other"
    folder.mkdir()
    store = Store(f"sqlite:///{folder / 'store.db'}")
    schema.upgrade(store)
    other = house_of.build(folder, store, house.clock, centre)
    other.enrol("wulan", "bayu", "sari")
    here, there = "halo@rumah.test", "halo@tetangga.test"
    house.write(there, "Halo.")
    sides, exchanged = [(house, there), (other, here)], []
    for turn in range(40):
        (sender, reaches), (receiver, _) = sides[turn % 2], sides[(turn + 1) % 2]
        posted = [sent for sent in sender.send() if sent.to_address.split("+")[0] in reaches]
        for sent in posted:
            exchanged.append(sent)
            as_sent = replace(
                sent, channel="plain", from_address=there if sender is other else here
            )
            raw = protect.build(as_sent, centre, None, house.clock.now())
            if not mark:
                raw = re.sub(rb"Auto-Submitted:.*\r\n", b"", raw)
            receiver.receive(raw, mail_from="" if mark else "x@y.test")
        house.clock.on(minutes=1)
    store.close()
    assert 1 <= len(exchanged) <= (1 if mark else 10)
    assert house.send() == []


# -- words ---------------------------------------------------------------------------------------


def test_help_needs_no_proof(house):
    """Anyone who asks gets the numbers, and a person reads it soon."""
    house.write(ANI, "BANTUAN")
    (row,) = house.outbox("help")
    assert "112" in row.parcel.text
    assert house.case(1).priority == 2
    assert house.case(1).waiting_since is not None


def test_a_first_letter_that_calls_for_help_gets_the_first_acknowledgement_too(house):
    """Else nobody would tell them how letters can reach them, or that it is kept between us."""
    house.write(ANI, "Halo, saya Ben.", headers={"Subject": "Help"})
    assert [len(house.outbox(kind)) for kind in ("help", "acknowledgement")] == [1, 1]
    (first,) = house.outbox("acknowledgement")
    house.write(ANI, "BANTUAN", reply_to=first.parcel)
    assert [len(house.outbox(kind)) for kind in ("help", "acknowledgement")] == [2, 1]


def test_help_in_the_subject_is_heard_beside_other_words(house):
    """A call for help counts wherever it stands, and the words beside it are read."""
    house.write(ANI, "Saya tidak tahu harus ke mana.", headers={"Subject": "TOLONG"})
    assert len(house.outbox("help")) == 1
    assert house.case(1).waiting_since is not None


def test_a_command_word_in_the_subject_of_a_letter_is_no_command(house):
    """ "Stop" above a page of words is a subject."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(
        ANI, "Ayah tidak mau berhenti minum.", reply_to=offer, headers={"Subject": "Berhenti"}
    )
    assert house.rows(models.Client)[0].checkins == "on"
    house.write(ANI, "", reply_to=offer, headers={"Subject": "Berhenti"})
    assert house.rows(models.Client)[0].checkins == "stopped"


def test_a_stop_with_more_to_say_is_obeyed_and_read(house):
    """The word is done, the words are a letter."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.reply("wulan", "C-0001", "Halo.", plain="ya")
    house.write(ANI, "BERHENTI\nPertanyaannya membuat saya cemas.", reply_to=offer)
    assert house.rows(models.Client)[0].checkins == "stopped"
    assert house.case(1).waiting_since is not None


def test_an_odd_message_id_does_not_stop_the_answer(house):
    """An id that cannot be sent back is not referred to."""
    for number, name in enumerate(("<ä b@klien.test>", f"<{'x' * 900}@klien.test>", "<>", "x"), 1):
        raw = house.mail(f"a{number}@klien.test", "Halo.", headers={"Message-ID": ""})
        house.receive(f"Message-ID: {name}\n".encode() + raw)
    for row in house.outbox("acknowledgement"):
        assert protect.build(row.parcel, house.centre, None, house.clock.now())
    assert len(house.outbox("acknowledgement")) == 4


def test_a_storm_of_forged_senders_gets_one_answer_each_at_most(house):
    """Twenty addresses, three letters each: nobody gets more than the cap."""
    for number in range(20):
        for _ in range(3):
            house.write(f"korban{number}@klien.test", "Halo.")
    counted: dict[str, int] = {}
    for row in to_clients(house):
        counted[row.parcel.to_address] = counted.get(row.parcel.to_address, 0) + 1
    assert max(counted.values()) <= 5


def test_a_new_keyring_finds_nobody(house, tmp_path):
    """Addresses are found by keyed hash: without the keyring the rows tell nothing."""
    house.write(ANI, "Halo.")
    other = ServiceKeyring.create(tmp_path / "other.json")
    (row,) = house.rows(models.Address)
    assert other.lookup("address", ANI.encode()) != row.lookup
    assert ANI.encode() not in row.lookup + row.sealed


# -- what only a person can do --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "flag", "answer"),
    [
        ("GANTI", "asks-counsellor", "request"),
        ("Another counsellor", "asks-counsellor", "request"),
        ("SALINAN", "asks-copy-unsigned", "copy-notice"),
        ("HAPUS", "asks-erase-unsigned", "erase-notice"),
        ("erase my file", "asks-erase-unsigned", "erase-notice"),
    ],
)
def test_a_request_is_put_before_a_person(house, word, flag, answer):
    """It is flagged, raised and answered in the centre's own words; nothing else happens."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    before = house.case(1)
    house.write(ANI, word, reply_to=offer)
    after = house.case(1)
    assert house.flags(1) == [flag]
    assert (after.priority, after.state, after.assignee) == (2, before.state, before.assignee)
    assert after.waiting_since is not None
    (told,) = [row for row in to_clients(house) if row.kind != "acknowledgement"]
    assert told.kind == answer
    assert any(note.once.split(":")[2] for note in house.outbox("staff-notice") if note.once)


@pytest.mark.parametrize("word", ["KEMAJUAN", "Progress!"])
def test_who_asks_how_it_goes_waits_for_a_person_and_presses_nobody(house, word):
    """The numbers open in the reader's process alone, so a person sends them; it is not urgent."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, word, reply_to=offer)
    assert house.flags(1) == ["asks-progress"]
    assert house.case(1).priority == 1
    assert house.case(1).waiting_since is not None
    assert [row.kind for row in to_clients(house)][1:] == ["progress"]
    (told,) = [one for one in house.sent_to(ANI) if one.message_id != offer.message_id]
    assert "senang sekali Anda ingin melihat kembali" in told.text
    assert "paling lambat Selasa, 24 November 2026." in told.text


@pytest.mark.parametrize("word", ["GANTI", "SALINAN", "HAPUS", "KUNCI", "KEMAJUAN"])
def test_a_request_nobody_vouches_for_is_a_letter(house, word):
    """A stranger with the client's address asks for nothing; a person reads the word."""
    house.write(ANI, "Halo.")
    house.write(ANI, word)
    assert house.flags(1) == []
    assert house.flags(2) == ["maybe"]
    assert house.outbox("request") == house.outbox("progress") == house.outbox("key") == []
    assert house.case(2).waiting_since is not None


def test_another_counsellor_ends_the_wish_for_one(house):
    """`assign` is what the flag says to type; given to the same person again it stands."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.call("bayu", "case.next")
    house.write(ANI, "GANTI", reply_to=offer)
    assert house.flags(1) == ["asks-counsellor"]
    house.call("bayu", "case.assign", case="C-0001", person="bayu")
    assert house.flags(1) == ["asks-counsellor"]
    house.call("sari", "case.assign", case="C-0001", person="sari")
    assert house.flags(1) == []


@pytest.mark.parametrize(("word", "flags"), [("HAPUS", []), ("GANTI", ["asks-counsellor"])])
def test_the_border_alone_is_not_enough_for_a_grave_request(house, word, flags):
    """A copy, or the end of a file, needs a signature or our own token; the rest is a letter."""
    object.__setattr__(house.office.config.centre, "authserv_id", "mx.rumah.test")
    passed = "mx.rumah.test; dmarc=pass header.from=klien.test"
    house.write(ANI, "Halo.")
    house.write(ANI, word, headers={"Authentication-Results": passed})
    assert house.flags(1) == flags
    assert house.case(1).waiting_since is not None


def test_a_client_is_told_that_no_key_is_known(house):
    """KEY is answered with how their letters go: not locked yet."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "KUNCI", reply_to=offer)
    (answer,) = house.outbox("key")
    assert "belum terkunci" in answer.parcel.text


@pytest.mark.parametrize(
    ("text", "answer"),
    [("jeda dulu ya kak", "paused"), ("stop please", "stopped"), ("lanjut lagi ya", "resumed")],
)
def test_words_are_read_as_people_say_them(house, text, answer):
    """Said to a letter of the service, they do what the word alone does."""
    house.write("ani@klien.test", "Halo.")
    offer = house.outbox("acknowledgement")[0].parcel
    house.write("ani@klien.test", text, reply_to=offer)
    assert len(house.outbox(answer)) == 1


def test_words_as_people_say_them_are_read_above_a_quote(house):
    """What the quoted letter says of danger and of help is ours, and hides no word."""
    house.write("ani@klien.test", "Halo.")
    offer = house.outbox("acknowledgement")[0].parcel
    house.write("ani@klien.test", house.quoting("stop please", offer), reply_to=offer)
    assert len(house.outbox("stopped")) == 1


def test_words_to_a_persons_letter_are_for_that_person(house):
    """ "Lanjut ya kak" may answer what a therapist asked: it waits to be read."""
    house.write("ani@klien.test", "Halo.")
    house.reply("wulan", "C-0001", "Apakah kita lanjut menulis?", plain="mendesak")
    house.clock.on(minutes=2)
    letter = house.sent_to("ani@klien.test")[-1]
    house.write("ani@klien.test", "lanjut ya kak", reply_to=letter)
    assert house.outbox("resumed") == []
    assert house.case(1).waiting_since is not None


def test_a_call_for_help_counts_beside_any_letter(house):
    """Whatever it answers, help comes at once and a person is told."""
    house.write("ani@klien.test", "Halo.")
    house.reply("wulan", "C-0001", "Bagaimana malam ini?", plain="mendesak")
    house.clock.on(minutes=2)
    letter = house.sent_to("ani@klien.test")[-1]
    house.write("ani@klien.test", "tolong saya kak", reply_to=letter)
    assert len(house.outbox("help")) == 1
    assert house.case(1).waiting_since is not None
