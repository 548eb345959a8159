"""A good ending, and the one letter three months after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casework.test_rounds import agree, reply, sealed_note
from casework.test_rounds import ani as _ani
from mailcounsel import errors
from mailcounsel.service import work
from mailcounsel.store import models

ani = _ani
WEEK = timedelta(weeks=1)


def end(house):
    note = sealed_note(house, {"text": "Sampai jumpa.", "ending": True})
    return house.call("wulan", "case.end", **note)


def later(house, weeks):
    """Let weeks pass, then do what is due and return what left."""
    house.clock.on(weeks=weeks)
    work.run_errands(house.desk)
    house.clock.on(hours=12)  # past the night, and any hold
    return [parcel for parcel in house.send() if parcel.to_address == "ani@klien.test"]


def test_an_ended_case_is_closed_and_asked_about_once_after_three_months(house, ani):
    """The client hears from us once, thirteen weeks later, without a word about them."""
    reply(house)
    end(house)
    assert house.case(1).state == "closed"
    assert later(house, 12) == []
    (letter,) = later(house, 1)
    assert "Bagaimana kabar Anda sekarang?" in letter.text
    assert "BERHENTI" in letter.text
    assert later(house, 30) == []


def test_the_ending_is_the_last_evaluation(house, ani):
    """What was said at the end stays in the case, and no round is left open."""
    agree(house, 1)
    reply(house)
    assert "evaluation-due" in house.flags(1)
    end(house)
    assert house.flags(1) == []
    assert house.case(1).exchanges == 0
    (entry,) = [one for one in house.read("wulan", "C-0001") if one["kind"] == "evaluation"]
    assert entry["ending"] is True


def test_an_end_taken_back_with_its_letter_is_none(house, ani):
    """The case is open and counts as before, and nobody is asked after three months."""
    agree(house, 1)
    reply(house)
    before = house.case(1)
    sent = house.reply("wulan", "C-0001", "Sampai jumpa.")["id"]
    note = sealed_note(house, {"text": "Sampai jumpa.", "ending": True})
    house.call("wulan", "case.end", **note, reply=sent)
    house.call("wulan", "reply.undo")
    case = house.case(1)
    assert (case.state, case.exchanges, case.evaluate_every) == ("open", before.exchanges, 1)
    assert "evaluation-due" in house.flags(1)
    kinds = [entry["kind"] for entry in house.read("wulan", "C-0001")]
    assert kinds[-2:] == ["reply-undone", "evaluation-undone"]
    assert later(house, 14) == []


def test_an_end_belongs_to_no_letter_of_another(house, ani):
    """A letter that is not one's own, or of another case, is refused."""
    note = sealed_note(house, {"text": "x", "ending": True})
    with pytest.raises(errors.Refused, match="does not belong"):
        house.call("wulan", "case.end", **note, reply="nothing")
    assert house.case(1).state == "open"


def test_the_last_letter_fills_no_round(house, ani):
    """A closed case has nothing to look back on, and a client who returns no old rhythm."""
    agree(house, 2)
    reply(house)
    house.reply("wulan", "C-0001", "Sampai jumpa.")
    end(house)
    house.clock.on(minutes=5)
    house.send()
    assert "evaluation-due" not in house.flags(1)
    assert house.case(1).rhythm_days == 0


def test_who_said_stop_is_not_asked(house, ani):
    """STOP holds for this letter, too."""
    first = _replied(house)
    end(house)
    house.write("ani@klien.test", "BERHENTI", reply_to=first)
    house.send()
    assert later(house, 14) == []


def _replied(house):
    house.reply("wulan", "C-0001", "Halo lagi.")
    house.clock.on(minutes=5)
    return house.sent_to("ani@klien.test")[-1]


def test_who_rests_is_asked_after_the_rest(house, ani):
    """A pause puts the letter off; it does not lose it."""
    first = _replied(house)
    end(house)
    house.write("ani@klien.test", "JEDA", reply_to=first)
    house.send()
    assert later(house, 14) == []
    house.write("ani@klien.test", "LANJUT", reply_to=first)
    house.send()
    assert len(later(house, 3)) == 1


def test_who_is_back_is_not_asked_how_it_is_going(house, ani):
    """A case that is open again is a conversation already."""
    first = _replied(house)
    end(house)
    house.write("ani@klien.test", "Saya ingin menulis lagi.", reply_to=first)
    house.send()
    assert house.case(1).state == "open"
    assert later(house, 14) == []


def test_an_ending_after_an_ending_asks_once(house, ani):
    """Ended again, the three months begin again."""
    _replied(house)
    end(house)
    house.clock.on(weeks=5)
    house.call("wulan", "case.reopen", case="C-0001")
    end(house)
    assert later(house, 9) == []
    assert len(later(house, 5)) == 1
    waiting = [row for row in house.rows(models.Errand) if row.kind == "follow-up"]
    assert sorted(row.state for row in waiting) == ["done", "dropped"]


def test_no_case_ends_while_a_risk_is_open(house, ani):
    """Danger is closed by a sentence first; nothing is kept of the ending until then."""
    first = _replied(house)
    house.write("ani@klien.test", "Saya ingin mati saja malam ini.", reply_to=first)
    house.look("wulan", "C-0001")
    before = house.case(1).letters
    with pytest.raises(errors.Conflict, match="risk close"):
        end(house)
    assert house.case(1).state == "open"
    assert house.case(1).letters == before


def test_the_letter_comes_by_day(house, ani):
    """It waits for the client's morning, as a check-in does."""
    _replied(house)
    end(house)
    house.clock.on(weeks=13, hours=8)  # one in the night in Jakarta
    work.run_errands(house.desk)
    (row,) = house.outbox("follow-up")
    assert row.due_at - house.clock.now() >= timedelta(hours=4)
