"""Stop, pause, resume: obeyed from whoever is proved, shown to the therapist, apart from risk."""

from __future__ import annotations

import pytest

from mailcounsel.casework import ladder
from mailcounsel.service import work
from mailcounsel.store import models
from pgp_writer import Writer

ANI = "ani@klien.test"


@pytest.fixture
def offer(house):
    """Ani wrote; this is our answer with the token."""
    house.write(ANI, "Halo.")
    (sent,) = house.sent_to(ANI)
    return sent


def checkins(house):
    return house.rows(models.Client)[0].checkins


@pytest.mark.parametrize("word", ["BERHENTI", "STOP", "JEDA", "PAUSE", "LANJUT", "CONTINUE"])
def test_a_word_nobody_vouches_for_changes_nothing_and_is_read(house, offer, word):
    """A forged stop is a letter of its own that a therapist reads, marked with whom it names."""
    house.write(ANI, word)
    assert checkins(house) == "on"
    assert house.flags(2) == ["maybe"]
    assert house.case(2).waiting_since is not None
    kinds = {row.kind for row in house.outbox()}
    assert not {"stopped", "paused", "resumed"} & kinds


@pytest.mark.parametrize("word", ["BERHENTI", "stop"])
def test_a_stop_without_a_signature_is_obeyed_and_shown(house, offer, word):
    """Whoever sees a mail has our token: the therapist sees it, and it stands in the queue."""
    house.write(ANI, word, reply_to=offer)
    assert checkins(house) == "stopped"
    assert house.flags(1) == ["stop-unsigned"]
    listed = house.call("wulan", "queue.list")["cases"]
    assert [(case["case"], case["flags"]) for case in listed] == [("C-0001", ["stop-unsigned"])]


@pytest.mark.parametrize(("word", "why"), [("JEDA", "paused"), ("BERHENTI", "stopped")])
def test_the_therapist_is_told_that_checkins_rest(house, offer, word, why):
    """A case says why its client is asked nothing, until they are asked again."""
    house.write(ANI, word, reply_to=offer)
    assert house.call("wulan", "case.show", case="C-0001")["checkins_rest"] == why
    house.write(ANI, "LANJUT", reply_to=offer)
    assert house.call("wulan", "case.show", case="C-0001")["checkins_rest"] is None


def test_resuming_takes_the_flag_away(house, offer):
    """Once check-ins go on there is nothing to ask about."""
    house.write(ANI, "BERHENTI", reply_to=offer)
    house.write(ANI, "LANJUT", reply_to=offer)
    assert (checkins(house), house.flags(1)) == ("on", [])


def test_a_signed_stop_needs_no_look(house, short_tmp):
    """The pinned key's signature is the client's own."""
    client = Writer(short_tmp / "ani", ANI)
    house.receive(client.signed("Halo.", key=client.autocrypt()))
    house.receive(client.signed("BERHENTI"))
    assert (checkins(house), house.flags(1)) == ("stopped", [])


def test_a_stop_in_junk_is_a_letter(house, offer):
    """What lay in Junk commands nothing."""
    house.write(ANI, "BERHENTI", reply_to=offer, suspect=True)
    assert checkins(house) == "on"
    assert house.case(1).waiting_since is not None


@pytest.mark.parametrize("word", ["BERHENTI", "JEDA", "STOP", "HAPUS", "SALINAN"])
def test_no_word_stops_the_handling_of_a_risk(house, offer, word):
    """It stays open, urgent and unread; the next person is told at the same moment as without."""
    house.write(ANI, "Saya ingin bunuh diri malam ini.", reply_to=offer)
    (before,) = house.rows(models.Risk)
    steps = [row for row in house.rows(models.Errand) if row.kind == ladder.STEP]
    house.write(ANI, word, reply_to=offer)
    (after,) = house.rows(models.Risk)
    assert (after.closed_at, after.read_at) == (None, None) == (before.closed_at, before.read_at)
    assert (house.case(1).priority, house.case(1).state) == (3, "open")
    assert house.case(1).waiting_since is not None
    assert [row for row in house.rows(models.Errand) if row.kind == ladder.STEP] == steps
    assert [row.state for row in steps] == ["waiting"]
    house.clock.on(minutes=31)
    work.run_errands(house.desk)
    # Nobody of this queue's ladder has an address of their own: then the case itself says so.
    assert "danger-unread" in house.flags(1)


def test_a_stop_with_danger_beside_it_raises_the_case(house, offer):
    """The word is obeyed, and the words are read by a named person."""
    house.write(ANI, "BERHENTI\nSaya ingin bunuh diri malam ini.", reply_to=offer)
    assert checkins(house) == "stopped"
    assert len(house.rows(models.Risk)) == 1
    assert house.case(1).priority == 3


def test_after_a_stop_letters_still_come_and_are_answered(house, offer):
    """Only what the centre sends by itself stops."""
    house.write(ANI, "BERHENTI", reply_to=offer)
    house.write(ANI, "Saya ingin bercerita.", reply_to=offer)
    assert house.case(1).waiting_since is not None
    house.reply("wulan", "C-0001", "Silakan.")
    assert len(house.outbox("reply")) == 1


def test_a_border_word_is_obeyed_and_shown_too(house, offer):
    """Our own mail server's word proves the address, and no signature."""
    object.__setattr__(house.office.config.centre, "authserv_id", "mx.rumah.test")
    passed = "mx.rumah.test; dmarc=pass header.from=klien.test"
    house.write(ANI, "BERHENTI", headers={"Authentication-Results": passed})
    assert checkins(house) == "stopped"
    assert house.flags(1) == ["stop-unsigned"]
