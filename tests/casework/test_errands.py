"""Errands: done once, when due, and one that fails stops no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from mailcounsel import errors
from mailcounsel.casework import cases, errands, records
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

DAY = timedelta(days=1)


@pytest.fixture
def case(house):
    house.write("ani@klien.test", "Halo, saya ingin bicara.")
    return house.store.read(lambda c: cases.find(c, "C-0001"))


def put(house, case, kind, ref, due_at):
    return house.store.write(lambda c: errands.put(c, case["id"], kind, ref, due_at))


def run(house, duties):
    now = house.clock.now()
    return house.store.write(lambda c: errands.run_due(c, house.office, duties, now))


def states(house):
    rows = errands.errands
    query = select(rows.c.kind, rows.c.state, rows.c.attempts).order_by(rows.c.kind)
    query = query.where(rows.c.kind.in_(["breaks", "works"]))  # the centre puts some of its own
    return [tuple(row) for row in house.store.read(lambda c: c.execute(query).all())]


def test_an_errand_is_done_once_and_not_before_its_moment(house, case):
    """A reminder that leaves twice, or at once, is worse than none."""
    done = []
    duties = {"remind": lambda _c, _o, errand, _now: done.append(errand["ref"])}
    put(house, case, "remind", "a", house.clock.now() + DAY)
    run(house, duties)
    assert done == []
    house.clock.on(days=1)
    run(house, duties)
    run(house, duties)
    assert done == ["a"]


def test_the_same_errand_is_put_once(house, case):
    """Whoever asks again for the same moment changes nothing."""
    when = house.clock.now()
    assert put(house, case, "remind", "a", when)
    assert not put(house, case, "remind", "a", when)


def test_a_dropped_errand_is_not_done(house, case):
    """What is not needed any more is let be."""
    put(house, case, "remind", "a", house.clock.now())
    assert house.store.write(lambda c: errands.drop(c, "remind", "a")) == 1
    assert run(house, {}) == 0


def test_an_errand_that_fails_writes_nothing_stops_no_other_and_is_shown(house, case):
    """Three tries, each taken back whole; then a person sees it."""

    def breaks(connection, office, errand, now):
        records.flag(connection, now, errand["case_id"], "half-written", new_id())
        message = "no"
        raise errors.Refused(message)

    done = []
    duties = {"breaks": breaks, "works": lambda *_: done.append(1)}
    put(house, case, "breaks", "a", house.clock.now())
    put(house, case, "works", "b", house.clock.now())
    for _ in range(5):
        run(house, duties)
        house.clock.on(minutes=6)
    assert done == [1]
    assert states(house) == [("breaks", "waiting", 3), ("works", "done", 0)]
    flags = models.table(models.Flag)
    kinds = house.store.read(lambda c: [f["kind"] for f in statements.every(c, flags, "raised_at")])
    assert kinds == ["errand-failed"]


def test_an_errand_that_failed_is_done_once_the_fault_is_gone(house, case):
    """A step of the risk lane must not end for ever at a template that was broken for an hour."""
    broken, done = [True], []

    def duty(*_):
        if broken:
            message = "no"
            raise errors.Refused(message)
        done.append(1)

    put(house, case, "breaks", "a", house.clock.now())
    for _ in range(5):
        run(house, {"breaks": duty})
        house.clock.on(minutes=6)
    assert house.flags(1) == ["errand-failed"]
    broken.clear()
    house.clock.on(hours=1)
    run(house, {"breaks": duty})
    assert done == [1]
    assert house.flags(1) == []


def test_a_note_of_an_unknown_kind_is_refused(house, case):
    """The kinds of a journey are a closed list, readable on the disk."""
    house.call("wulan", "case.next")
    with pytest.raises(errors.Refused, match="no such kind of note"):
        house.store.write(
            lambda c: records.write_note(
                c, case, new_id(), b"", "wulan", house.clock.now(), "gossip"
            )
        )
