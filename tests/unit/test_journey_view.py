"""A journey at a glance: one screen, whatever is in the case, and nothing acts upon a terminal."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from mailcounsel.cli import journey_view
from mailcounsel.practice import journey as telling
from mailcounsel.practice import lint, shelf
from unit.test_viewing import case_of, entry_of, goal_of, hostile_text, is_harmless

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def ago(days):
    return (NOW - timedelta(days=days)).isoformat()


def note(kind, days, **content):
    return entry_of(direction="note", kind=kind, at=ago(days), **content)


def told(entries, goals, **case):
    shown = case_of(**case)
    journey = telling.of(shown, entries, goals, NOW)
    lacks = lint.findings(shown, journey, entries)
    forms = {one.name: one for one in shelf.included()}
    return shown, journey_view.Told(entries, goals, journey, lacks, forms)


def full(words="words " * 40, often=10):
    """A case in which everything happened so many times."""
    goals = [
        goal_of(number=number, asks=asks, text=words, target=words, checkins=[
            {"answered_at": ago(days), "due_at": ago(days), "state": "answered", **answer}
            for days in range(often)
        ])
        for number, (asks, answer) in enumerate(
            [("goal", {"rating": 7})] * often + [("practice", {"times": 3})] * 3
            + [("measure", {"measure": f"m{one}", "score": 12}) for one in range(often - 1)], 1)
    ]  # fmt: skip
    kinds = ("contract", "summary", "plan", "activity", "skill", "strength", "evaluation")
    entries = [
        note(kind, days, number=days, text=f"{words}\n" * 10, reason=words, skill=f"{days}{words}",
             rhythm=words, exchanges=6, activity="support")
        for days in range(60, 60 - often, -1) for kind in kinds
    ]  # fmt: skip
    letters = [entry_of(direction="out", kind="reply", at=ago(days), number=90 + days,
                        activities=["goals", "skills", "practice"])
               for days in range(49, 49 - often, -1)]  # fmt: skip
    return entries + letters, goals


def test_the_fullest_case_fits_one_screen():
    """However long a case has gone on, it is read at a glance, on eighty columns."""
    shown, story = told(*full(), risk=True, flags=["bounced", "evaluation-due"], exchanges=3)
    lines = journey_view.page(shown, story).split("\n")
    assert len(lines) <= 51, "\n".join(lines)
    assert max(len(line) for line in lines if not line.startswith("!")) <= 80


def test_an_empty_case_says_what_to_agree():
    """Seven activities without a step, and how to agree a rhythm."""
    shown, story = told([], [])
    page = journey_view.page(shown, story)
    assert "mailcounsel case contract C-0042" in page
    assert page.count(" -\n") + page.endswith(" -") == 7


def test_the_round_is_told():
    """How many letters have left of those agreed."""
    shown, story = told([note("contract", 9, rhythm="every week", exchanges=6)], [], exchanges=3)
    assert "letter 3 of 6, every week; agreed on" in journey_view.page(shown, story)


@pytest.mark.parametrize(
    ("zone", "theirs"), [("Asia/Jakarta", ", Fri 02:00 in Asia/Jakarta"), ("UTC", "")]
)
def test_appointments_stand_in_both_zones(monkeypatch, zone, theirs):
    """How each meeting stands, on the reader's clock and, where it differs, on the client's."""
    meeting = {"number": 1, "state": "declined", "starts_at": "2026-11-26T19:00:00+00:00"}
    shown, story = told([], [])
    story = replace(story, meetings=[{**meeting, "time_zone": zone}])
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        page = journey_view.page(shown, story) + "\n"
    time.tzset()
    assert f"APPOINTMENTS\n   A1 declined   Thu 26 Nov 19:00 here{theirs}\n" in page


def test_a_goal_shows_its_line():
    """Ratings as bars, the latest as numbers too."""
    answers = [{"answered_at": ago(9 - days), "rating": days} for days in range(3)]
    shown, story = told([], [goal_of(checkins=answers)])
    assert "▁▁▂  0 1 2" in journey_view.page(shown, story)


def scored(measure, *values):
    answers = [{"answered_at": ago(9 - at), "measure": measure, "score": value}
               for at, value in enumerate(values)]  # fmt: skip
    return journey_view.page(*told([], [goal_of(asks="measure", checkins=answers)]))


def test_the_mood_has_a_line_of_its_own():
    """It is asked about like a goal, and is none."""
    mood = goal_of(asks="mood", text="mood", target="", checkins=[
        {"answered_at": ago(day), "due_at": ago(day), "state": "answered", "rating": value}
        for day, value in ((9, 3), (2, 6))
    ])  # fmt: skip
    page = journey_view.page(*told([], [mood]))
    assert "MOOD\n   mood" in page
    assert page.split("MOOD")[1].split("\n")[1].endswith("3 6")


def test_scores_of_a_known_questionnaire_say_what_they_mean():
    """The line is drawn on the whole scale, with the band of today and a reliable change."""
    page = scored("phq-9", 27, 12)
    assert "PHQ-9" in page
    assert "█▃  27 12  moderate, better" in page
    assert "  mild, not certain" in scored("phq-9", 9, 7)


def test_scores_of_another_questionnaire_are_drawn_against_their_highest():
    """Without its file a measure has a line and numbers, and no band is guessed."""
    assert "█▄  20 10\n" in scored("own-form", 20, 10) + "\n"


def test_scaled_goals_are_told_together():
    """Each says which of its levels it has reached; one T-score stands below their lines."""
    scale = {"levels": {str(level): f"walks {level}" for level in range(-2, 3)}, "weight": 1}
    rated = note("measure", 2, goal="g", level=1)
    shown, story = told([rated], [goal_of(scale=scale)])
    page = journey_view.page(shown, story)
    assert "  at +1\n   1 scaled goal together: T 60" in page


def test_where_a_goal_stood_at_first_begins_its_line():
    """The baseline is the first value of the line."""
    goal = goal_of(baseline=1, created_at=ago(9), checkins=[{"answered_at": ago(2), "rating": 6}])
    shown, story = told([], [goal])
    assert "  1 6" in journey_view.page(shown, story)


def test_a_skill_nobody_practised_says_so():
    """What was taught and never told of is seen."""
    shown, story = told([note("skill", 3, skill="breathing")], [])
    assert "not practised yet" in journey_view.page(shown, story)


def test_what_is_missing_is_counted_at_the_end():
    """The page ends with how to see what is missing."""
    shown, story = told([entry_of("And now?", at=ago(5))], [])
    page = journey_view.page(shown, story)
    assert page.endswith("1 thing is missing: mailcounsel case lint C-0042")


@given(hostile_text)
def test_nothing_shown_can_act_upon_a_terminal(words):
    """Whatever stands in whatever place of a journey, the page is harmless."""
    shown, story = told(*full(words, 2))
    assert is_harmless(journey_view.page(shown, story))
    assert is_harmless(journey_view.findings(story.lacks))
