"""What became of a centre's cases: reliable change, goals and endings, each case counted once."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

from mailcounsel.cli import centre_view
from mailcounsel.practice import centre, shelf
from mailcounsel.practice import journey as telling
from unit.test_viewing import case_of, entry_of, goal_of

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
FORMS = {(one.name, one.language): one for one in shelf.included()}
FOUND: dict[str, Any] = {
    "centre": "House of Letters", "since": "2026-08-24T10:00:00+00:00",
    "now": "2026-11-22T10:00:00+00:00", "queues": ["letters"],
    "promises": {"letters": {
        "total": 40, "median_hours": 20.4,
        "parts": [{"of": ["kept"], "number": 33}, {"of": ["broken", "open"], "number": 7}],
    }},
    "waiting": {"nobody": False, "cases": None, "since": None},
    "open": {
        "total": 12, "parts": [{"of": ["letters"], "number": 12}],
        "priorities": [{"total": 12, "parts": [{"of": ["urgent", "high"], "number": 12}]}],
    },
    "caseload": None, "checkins": {"total": None, "parts": []},
    "danger": {"cases": None, "median_minutes": None, "none_unread": True, "unread": None},
    "quarantine": {"empty": True, "letters": None},
}  # fmt: skip


def day(days):
    return (NOW - timedelta(days=days)).isoformat()


def scored(*scores, measure="phq-9"):
    """Return an opened questionnaire with a score a week, oldest first."""
    answers = [
        {"answered_at": day(90 - 7 * place), "state": "answered", "measure": measure, "score": one}
        for place, one in enumerate(scores)
    ]
    return goal_of(asks="measure", checkins=answers)


def rated(*ratings, **more):
    """Return an opened goal with a rating a week, oldest first."""
    answers = [
        {"answered_at": day(90 - 7 * place), "state": "answered", "rating": one}
        for place, one in enumerate(ratings)
    ]
    return goal_of(checkins=answers, **more)


def outcome(goals=(), entries=(), **case):
    shown = case_of(**case)
    journey = telling.of(shown, entries, goals, NOW)
    return centre.outcome(shown, journey, entries, goals, FORMS)


def test_a_score_that_fell_reliably_is_better():
    """Of the PHQ-9 six points are reliable; the first is compared with the newest."""
    assert outcome([scored(18, 20, 12)]).scores == {"phq-9": "better"}
    assert outcome([scored(18, 13)]).scores == {"phq-9": "not certain"}
    assert outcome([scored(10, 16)]).scores == {"phq-9": "worse"}


def test_one_score_says_nothing_and_an_unknown_form_has_no_rule():
    """Two scores are needed; of a questionnaire that is gone only that there were two is known."""
    assert outcome([scored(18)]).scores == {}
    assert outcome([scored(18, 2, measure="gone")]).scores == {"gone": "no rule"}


def test_goals_of_a_case_count_together():
    """One that came three nearer and one that went one back are one case, nearer."""
    assert outcome([rated(3, 6), rated(5, 4, number=2)]).goals == "nearer"
    assert outcome([rated(3, 3)]).goals == "about the same"
    assert outcome([rated(6, 4)]).goals == "further away"
    assert outcome([rated(6)]).goals == ""


def test_scaled_goals_give_one_score_together():
    """Goals that were just reached are at 50."""
    scale = {"weight": 1, "levels": {str(level): "words" for level in range(-2, 3)}}
    goal = {**rated(), "id": "g1", "scale": scale}
    for level, told in ((0, "50"), (1, "above 50"), (-2, "below 50")):
        rating = entry_of(direction="note", kind="evaluation", goal="g1", level=level)
        assert outcome([goal], [rating]).attained == told
    assert outcome([goal]).attained == ""


def test_an_ending_is_not_a_case_that_was_closed():
    """Only a last letter written together makes an ending; a case opened again is open."""
    last = entry_of(direction="note", kind="evaluation", ending=True)
    assert outcome(entries=[last], state="closed").end == "ended together"
    assert outcome(entries=[], state="closed").end == "closed without an ending"
    assert outcome(entries=[last]).end == "still open"


def tally(**numbers):
    """Return a tally of so many cases of each change of the PHQ-9."""
    made = centre.Tally()
    for change, number in numbers.items():
        for _ in range(number):
            made.add(centre.Outcome("still open", {"phq-9": change.replace("_", " ")}))
    return made


def test_few_cases_are_told_together():
    """Two that got worse are not shown, nor can they be worked out."""
    found = tally(better=6, not_certain=10, worse=2).tables().as_json()["scores"]["phq-9"]
    assert found == {
        "total": 18,
        "parts": [
            {"of": ["better"], "number": 6},
            {"of": ["not certain", "worse"], "number": 12},
        ],
    }


def test_a_questionnaire_of_few_is_not_named():
    """With four cases nothing is said of it."""
    assert tally(better=4).tables().scores == {}


def test_a_tally_does_not_grow():
    """After twenty thousand cases it is no larger than after a hundred."""
    made = tally(better=100)
    tracemalloc.start()
    for _ in range(20_000):
        made.add(centre.Outcome("still open", {"phq-9": "better"}, "nearer", "50"))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 5_000


def test_the_report_fits_one_screen_and_says_why_numbers_are_missing():
    """Forty lines at most; what is told together is joined by "or"."""
    page = centre_view.page(FOUND, tally(better=6, not_certain=10, worse=2).tables())
    assert len(page.splitlines()) <= 40
    assert "letters  40: kept 33, broken or not due yet 7; half answered within 20 h" in page
    assert "18: reliably better 6, change not certain or reliably worse 12" in page
    assert "fewer than 5" in page
    assert "danger that nobody has read  none" in page


def test_parts_that_cannot_be_told_apart_are_not_listed():
    """Kept or broken or not due yet or closed: together they say no more than the total."""
    kinds = ["kept", "broken", "open", "closed"]
    found = {"total": 18, "parts": [{"of": kinds, "number": 18}]}
    assert centre_view._table(found) == "18, too few of some kind to be told apart"


def test_an_admin_reads_that_outcomes_are_left_out():
    """No number is made up where no case may be opened."""
    assert "an admin opens no case" in centre_view.page(FOUND, None)
