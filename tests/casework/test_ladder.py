"""While nobody has read a letter with danger, one more person is told, again and again."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailcounsel.casework import duties, errands, ladder
from mailcounsel.casework.office import Office
from mailcounsel.config.people import Risk
from mailcounsel.store import models

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."
ADDRESSES = {"wulan": "wulan@staf.test", "bayu": "bayu@staf.test", "sari": "sari@staf.test"}


@pytest.fixture
def watch(house):
    """A centre with somebody on call, a second, and a supervisor who can be reached."""
    config = house.office.config
    people = tuple(
        one.model_copy(update={"notify": ADDRESSES.get(one.name)}) for one in config.people
    )
    risk = Risk(read_minutes=20, on_call="bayu", second="wulan")
    queue = config.queues[0].model_copy(update={"risk": risk})
    changed = config.model_copy(update={"people": people, "queues": (queue,)})
    house.office = Office(changed, house.office.keyring)
    return house


def later(house, minutes):
    house.clock.on(minutes=minutes)
    now = house.clock.now()
    house.store.write(lambda c: errands.run_due(c, house.office, duties.DUTIES, now))


def told(house):
    return [parcel.to_address for row in house.outbox("staff-risk") if (parcel := row.parcel)]


def test_an_unread_danger_climbs_from_person_to_person(watch):
    """On call, the second, the supervisor, each a step of the configured minutes later."""
    watch.write(ANI, DANGER)
    later(watch, 19)
    assert told(watch) == []
    later(watch, 1)
    assert told(watch) == [ADDRESSES["bayu"]]
    later(watch, 20)
    later(watch, 20)
    assert told(watch) == [ADDRESSES[name] for name in ("bayu", "wulan", "sari")]
    (risk,) = watch.rows(models.Risk)
    assert risk.step == 3
    assert watch.audited().count("risk-told") == 3


def test_the_supervisor_is_reminded_up_to_a_bound(watch):
    """Then the case says for everybody to see that nobody read it."""
    watch.write(ANI, DANGER)
    for _ in range(3 + ladder.REMINDERS + 2):
        later(watch, 20)
    assert told(watch)[2:] == [ADDRESSES["sari"]] * (1 + ladder.REMINDERS)
    assert "danger-unread" in watch.flags(1)
    entries = watch.call("sari", "case.show", case="C-0001")["entries"]
    watch.call("sari", "case.read", case="C-0001", letters=[entries[0]["id"]])
    assert "danger-unread" not in watch.flags(1)


def test_a_receipt_ends_the_ladder(watch):
    """Who reads it takes it over; nobody else is woken."""
    watch.write(ANI, DANGER)
    later(watch, 20)
    entries = watch.read("wulan", "C-0001")
    watch.call("wulan", "case.read", case="C-0001", letters=[one["id"] for one in entries])
    later(watch, 60)
    assert told(watch) == [ADDRESSES["bayu"]]
    assert [row.state for row in watch.rows(models.Errand) if row.kind == ladder.STEP].count(
        "waiting"
    ) == 0
    assert "dropped" in {row.state for row in watch.rows(models.Errand)}


def test_a_note_to_the_centre_s_people_says_nothing_of_the_client(watch):
    """It goes through mail that anybody may read."""
    watch.write(ANI, DANGER)
    later(watch, 20)
    (row,) = watch.outbox("staff-risk")
    words = f"{row.parcel.subject}\n{row.parcel.text}".lower()
    assert "20" in words
    for word in ("ani", "bunuh", "hidup", "bahaya", "c-0001", "c-1"):
        assert word not in words.split()


def test_a_clock_that_jumps_tells_one_person_not_all(watch):
    """After a night without power there is one step, and the next one its minutes later."""
    watch.write(ANI, DANGER)
    later(watch, 60 * 24 * 365)
    later(watch, 0)
    assert told(watch) == [ADDRESSES["bayu"]]


def test_without_anybody_on_call_the_supervisor_is_told(house):
    """The last step is there however little is configured; without an address a flag stands."""
    house.write(ANI, DANGER)
    later(house, 30)
    assert "danger-unread" in house.flags(1)
    config = house.office.config
    assert ladder.ladder(config, "umum", house.clock.now()) == []
    people = tuple(one.model_copy(update={"notify": "x@staf.test"}) for one in config.people)
    reached = config.model_copy(update={"people": people})
    assert ladder.ladder(reached, "umum", house.clock.now()) == ["sari"]


def test_a_person_named_twice_is_told_once_in_turn(watch):
    """A supervisor who is on call needs no second step of their own."""
    config = watch.office.config
    risk = Risk(on_call="sari", second="bayu")
    queue = config.queues[0].model_copy(update={"risk": risk})
    changed = config.model_copy(update={"queues": (queue,)})
    assert ladder.ladder(changed, "umum", watch.clock.now()) == ["sari", "bayu"]


def test_who_is_away_is_not_waited_for(watch):
    """A day's absence moves the ladder on; when everybody is away, everybody is told."""
    config, now = watch.office.config, watch.clock.now()
    gone = tuple(one.model_copy(update={"works_on": ()}) for one in config.people)
    some = tuple(g if g.name == "bayu" else one for g, one in zip(gone, config.people, strict=True))
    assert ladder.ladder(config.model_copy(update={"people": some}), "umum", now) == [
        "wulan",
        "sari",
    ]
    assert len(ladder.ladder(config.model_copy(update={"people": gone}), "umum", now)) == 3


def test_a_closed_danger_is_not_unread_any_more(watch):
    """Whoever reads it, however late, takes the flag away; the sentence comes after."""
    watch.write(ANI, DANGER)
    for _ in range(3 + ladder.REMINDERS + 2):
        later(watch, 20)
    assert "danger-unread" in watch.flags(1)
    watch.look("sari", "C-0001")
    standing = watch.call("sari", "case.show", case="C-0001")["risks"]
    given = {risk["id"]: b64encode(b"sealed").decode() for risk in standing}
    watch.call("sari", "risk.close", case="C-0001", sentences=given)
    assert "danger-unread" not in watch.flags(1)
