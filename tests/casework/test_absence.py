"""A case waits while its therapist is away. The clock starts on a Sunday."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mailcounsel.config.spans import Days
from mailcounsel.service import work

ANI = "ani@klien.test"


@pytest.fixture
def taken(house):
    """A case of Bayu's whose client writes once more, with addresses for everybody."""
    for name in ("wulan", "bayu", "sari"):
        change(house, name, notify=f"{name}@staf.test")
    house.write(ANI, "Halo.")
    offer, *_ = house.sent_to(ANI)
    house.call("bayu", "case.next")
    house.reply("bayu", "C-0001", "Halo Ani.", plain="uji")
    house.clock.on(hours=20)
    house.send()
    house.write(ANI, "Kapan dibalas?", reply_to=offer)
    house.send()
    return house


def change(house, name, **values):
    """Let something else be true of a person from now on."""
    config = house.office.config
    people = tuple(
        one.model_copy(update=values) if one.name == name else one for one in config.people
    )
    house.office = replace(house.office, config=config.model_copy(update={"people": people}))


def away(house, first, last):
    days = Days(date.fromisoformat(first), date.fromisoformat(last))
    change(house, "bayu", absent=(days,))


def look(house):
    """Let a minute's look happen; return who of the centre's people got a note, and its words."""
    work.keep_promises(house.desk)
    notes = [one for one in house.send() if one.to_address.endswith("@staf.test")]
    return {one.to_address.partition("@")[0]: one.text for one in notes}


def test_a_supervisor_is_asked_to_give_the_case_to_somebody(taken):
    """Once, with a note that says nothing of the client; the queue and `next` show it."""
    away(taken, "2026-11-20", "2026-11-29")
    told = look(taken)
    assert list(told) == ["sari"]
    assert "perlu diserahkan kepada rekan: 1" in told["sari"]
    assert look(taken) == {}
    (case,) = taken.call("sari", "queue.list")["cases"]
    assert case["flags"] == ["therapist-away"]
    before = taken.case(1)
    assert taken.call("sari", "case.next") == {"case": "C-0001", "with": "bayu"}
    assert taken.case(1) == before


def test_who_is_back_in_time_keeps_the_case(taken):
    """Away today, here before the promised day is over: nobody is asked."""
    away(taken, "2026-11-20", "2026-11-23")
    assert look(taken) == {}
    assert taken.flags(1) == []
    assert taken.call("sari", "case.next")["case"] is None


def test_who_comes_back_ends_the_question(taken):
    """As does an answer, whoever gives it."""
    away(taken, "2026-11-20", "2026-11-29")
    look(taken)
    change(taken, "bayu", absent=())
    look(taken)
    assert taken.flags(1) == []
    assert taken.audited().count("therapist-away") == 1


def test_an_answer_ends_the_question(taken):
    """The supervisor may answer; nothing is left to give away."""
    away(taken, "2026-11-20", "2026-11-29")
    look(taken)
    taken.reply("sari", "C-0001", "Halo Ani.", plain="uji")
    look(taken)
    assert taken.flags(1) == []


def test_a_supervisor_who_lets_it_wait_is_not_asked_again(taken):
    """`seen` is a decision about this letter; the next one that waits is another."""
    away(taken, "2026-11-20", "2026-11-29")
    look(taken)
    taken.call("sari", "case.clear", case="C-0001", kind="therapist-away")
    assert look(taken) == {}
    assert taken.flags(1) == []


def test_somebody_who_works_here_no_more_is_away(taken):
    """Their name is in no configuration, and their cases wait all the same."""
    config = taken.office.config
    people = tuple(one for one in config.people if one.name != "bayu")
    taken.office = replace(taken.office, config=config.model_copy(update={"people": people}))
    look(taken)
    assert taken.flags(1) == ["therapist-away"]


def test_no_number_of_waiting_cases_hides_one(taken):
    """However many somebody leaves behind, each of them is asked about."""
    taken.multiply(1, 600)
    away(taken, "2026-11-20", "2026-11-29")
    look(taken)
    assert taken.audited().count("therapist-away") == 601
