"""Goals by goal attainment scaling: five levels, ratings, and one number over all of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mailcounsel import errors
from mailcounsel.practice import attainment

WORDS = [(-2, "stays in"), (-1, "to the gate"), (0, "to the shop"), (1, "twice"), (2, "often")]
TODAY = date(2026, 12, 1)


def goal(number=1, weight=1, levels=(), **more):
    """Return an opened goal with a scale, rated at these levels."""
    plain = {"id": f"g{number}", "number": number, "scale": attainment.scale(WORDS, weight)}
    return {**plain, "levels": [{"at": "", "level": one} for one in levels], **more}


def test_a_scale_has_five_levels():
    """A scale keeps each level's words and the weight."""
    scale = attainment.scale(WORDS, 3)
    assert scale["weight"] == 3
    assert list(scale["levels"]) == ["-2", "-1", "0", "1", "2"]
    assert scale["levels"]["0"] == "to the shop"


@pytest.mark.parametrize(
    "levels",
    [
        [],
        WORDS[:4],
        [*WORDS, (2, "again")],
        [*WORDS[:4], (1, "again")],
        [*WORDS[:4], (3, "x")],
        [*WORDS[:4], (2, "  ")],
    ],
)
def test_half_a_scale_is_refused(levels):
    """A level that is missing, doubled, empty or off the scale is refused."""
    with pytest.raises(errors.Refused, match="five levels"):
        attainment.scale(levels, 1)


@pytest.mark.parametrize("weight", [0, -1, 11])
def test_a_weight_is_one_to_ten(weight):
    """A weight that counts nothing, or everything, is refused."""
    with pytest.raises(errors.Refused, match="weight"):
        attainment.scale(WORDS, weight)


@pytest.mark.parametrize(
    ("written", "level"), [("-2", -2), ("-1", -1), ("0", 0), ("+1", 1), ("1", 1), (" +2 ", 2)]
)
def test_a_level_as_it_is_typed(written, level):
    """A level may have its sign or not."""
    assert attainment.level(written) == level


@pytest.mark.parametrize("written", ["3", "-3", "", "one", "1.5", "--1"])
def test_what_is_no_level(written):
    """Anything else is refused."""
    with pytest.raises(errors.Refused, match="-2, -1, 0"):
        attainment.level(written)


def test_ratings_belong_to_their_goals():
    """A rating is taken from the entry that names the goal; other entries rate nothing."""
    entries: list[dict[str, Any]] = [
        {"at": "a", "goal": "g1", "level": -1},
        {"at": "b", "goal": "g2", "level": 2},
        {"at": "c", "goal": "g1", "level": 1},
        {"at": "d", "goal": "g1", "level": 7},
        {"at": "e", "text": "a note"},
    ]
    first, second = attainment.rated([{"id": "g1"}, {"id": "g2"}], entries)
    assert [one["level"] for one in first["levels"]] == [-1, 1]
    assert [one["level"] for one in second["levels"]] == [2]


def test_goals_together():
    """The newest ratings count, by weight; by hand: weights 1 and 3, both +1, give 61.6."""
    goals = [goal(1, 1, [-2, 1]), goal(2, 3, [1]), goal(3, 5), {"id": "g4", "levels": []}]
    assert attainment.together(goals) == (61.6, 2)
    assert attainment.together([goal(1)]) is None
    assert "2 scaled goals together: T 61.6" in attainment.summary(goals)
    assert attainment.summary([]) == ""


def test_a_level_is_written_with_its_sign_and_nought_without():
    """+0 looks like a change of nothing; it is the level that was expected."""
    assert [attainment.signed(one) for one in attainment.LEVELS] == ["-2", "-1", "0", "+1", "+2"]


def test_what_is_known_of_a_goal():
    """Baseline, review day, scale and ratings stand in lines; a review that is due says so."""
    shown = list(attainment.lines(goal(1, 2, [-1, 1], baseline=3, review="2026-12-01"), TODAY))
    assert shown == [
        "began at 3",
        "to be looked at again on 2026-12-01, which is now",
        "scaled, weight 2",
        "▃▆  -1 +1: twice",
    ]
    assert list(attainment.lines({"baseline": 0, "review": "2026-12-02"}, TODAY)) == [
        "began at 0",
        "to be looked at again on 2026-12-02",
    ]
    assert list(attainment.lines({}, TODAY)) == []
