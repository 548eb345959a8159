"""What `next` hands out: unread danger before all else, and whom a case is with stays so."""

from __future__ import annotations

import pytest

from mailcounsel import errors
from mailcounsel.cli import next as of_next
from mailcounsel.store import models

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."


def in_danger(house):
    """Let Bayu have a case whose client writes of danger, beside an older ordinary letter."""
    house.write(ANI, "Halo.")
    offer, *_ = house.sent_to(ANI)
    assert house.call("bayu", "case.next") == {"case": "C-0001"}
    house.reply("bayu", "C-0001", "Halo Ani.", plain="uji")
    house.write("budi@klien.test", "Selamat pagi.")
    house.clock.on(hours=1)
    house.write(ANI, DANGER, reply_to=offer)


def read(house, person, case):
    letters = [one["id"] for one in house.read(person, case)]
    house.call(person, "case.read", case=case, letters=letters)


def lock_out(house, person):
    """Let a person hold no key to any case, as somebody who enrolled again."""
    copies = models.table(models.CaseKeyCopy)
    job = copies.delete().where(copies.c.person == person)
    house.store.write(lambda c: c.execute(job).rowcount)


def test_a_supervisor_is_shown_unread_danger_that_a_colleague_has(house):
    """It stays with the colleague; once it was read, ordinary work goes on."""
    in_danger(house)
    before = house.case(1)
    assert house.call("sari", "case.next") == {"case": "C-0001", "with": "bayu"}
    assert house.case(1) == before
    read(house, "sari", "C-0001")
    assert house.call("sari", "case.next") == {"case": "C-0002"}


def test_danger_that_was_read_is_left_to_whoever_has_it(house):
    """The therapist opened it: the supervisor need not be stopped."""
    in_danger(house)
    read(house, "bayu", "C-0001")
    assert house.call("sari", "case.next") == {"case": "C-0002"}


def test_unread_danger_one_cannot_open_is_said_plainly(house):
    """Instead of "Nothing waits for you": which case it is, and whom to ask."""
    in_danger(house)
    lock_out(house, "sari")
    locked = [{"case": "C-0001", "assignee": "bayu"}]
    taken = house.call("sari", "case.next")
    assert (taken["case"], taken["locked"]) == (None, locked)
    said = of_next.locked(locked[0])
    assert "C-0001 is in danger and unread" in said
    assert "Ask bayu now" in said
    assert of_next.nothing(taken) == "Nothing else waits for you."


def test_unread_danger_comes_before_what_is_as_urgent(house):
    """An older case in danger that was read waits behind one that nobody has looked at."""
    house.write("eka@klien.test", DANGER)
    house.clock.on(hours=1)
    house.write(ANI, DANGER)
    assert house.call("wulan", "case.next") == {"case": "C-0001"}
    read(house, "wulan", "C-0001")
    assert house.call("wulan", "case.next") == {"case": "C-0002"}


def test_whose_a_case_is_stands_below_it():
    """Nobody takes a colleague's case over by reading it, and both ways on are said."""
    said = of_next.after({"case": "C-0001", "with": "bayu"})
    assert "It is with bayu, and stays so." in said
    assert "mailcounsel reply C-0001" in said
    assert "mailcounsel assign C-0001 NAME" in said
    assert of_next.after({"case": "C-0002"}) == "\nAnswer it: mailcounsel reply C-0002"


def test_unread_danger_is_taken_by_who_has_all_they_can_carry(house):
    """For anything else they are told to close a case first."""
    object.__setattr__(house.office.config.person("wulan"), "capacity", 0)
    house.write("budi@klien.test", "Selamat pagi.")
    with pytest.raises(errors.Refused, match="all you can carry"):
        house.call("wulan", "case.next")
    house.write(ANI, DANGER)
    assert house.call("wulan", "case.next")["case"] == "C-0002"
    assert house.case(2).assignee == "wulan"
