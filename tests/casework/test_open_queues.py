"""A queue is open once its supervisor is enrolled; until then letters stay where they are read."""

from __future__ import annotations

import pytest

import house as house_of
from mailcounsel.service import standing

NIGHT = """
[[queue]]
name = "malam"
supervisor = "ratna"

[[person]]
name = "ratna"
roles = ["supervisor"]
uid = 1004

[[rule]]
name = "sekolah"
text_contains = ["sekolah"]
queue = "malam"
tags = ["school"]
priority = "high"
"""


@pytest.fixture
def house(tmp_path, store, clock, centre):
    """A centre with a rule for a queue whose supervisor has not enrolled."""
    built = house_of.build(tmp_path, store, clock, centre, more=NIGHT)
    built.enrol("wulan", "sari")
    return built


def test_a_letter_for_a_queue_nobody_opens_yet_is_read_in_its_inboxs_own(house):
    """It is answered, tagged and sealed to people who are there, instead of waiting unseen."""
    row = house.write("ani@klien.test", "Saya takut ke sekolah.")
    assert row.state == "case"
    assert (house.case(1).queue, house.case(1).priority) == ("umum", 2)
    assert [case["case"] for case in house.call("wulan", "queue.list")["cases"]] == ["C-0001"]
    assert [letter.kind for letter in house.outbox()].count("acknowledgement") == 1


def test_once_they_are_enrolled_the_rule_holds(house):
    """The next letter goes where the rule says; the case that was opened stays where it is."""
    house.write("ani@klien.test", "Saya takut ke sekolah.")
    house.enrol("ratna")
    house.write("budi@klien.test", "Saya juga takut ke sekolah.")
    assert [house.case(number).queue for number in (1, 2)] == ["umum", "malam"]


def test_who_has_to_enrol_is_named_with_what_happens_meanwhile(house):
    """The queue, the person, what becomes of letters, and the command."""
    config = house.office.config
    missing = standing.not_enrolled(house.desk, config)
    (warning,) = standing.warnings(config, missing)
    assert warning == (
        "ratna, the supervisor of malam, is not enrolled: until then what a rule puts there stays "
        "in the queue of its inbox. Next: mailcounsel invite ratna"
    )
    assert standing.meanwhile(config, ["sari"]) == "no letters to halo@rumah.test are taken"
    house.enrol("ratna")
    assert standing.not_enrolled(house.desk, config) == []
