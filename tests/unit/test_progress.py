"""What a client reads of their own progress: their numbers, their practice, ten lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailcounsel.practice import progress
from mailcounsel.practice.milestones import GoalLine, Journey, Point, ScoreLine, SkillLine

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def points(*values):
    return tuple(Point(NOW + timedelta(days=day), value) for day, value in enumerate(values))


def goal(number, text, *values, state="active"):
    return GoalLine(number, text, "", state, points(*values))


def journey(goals=(), skills=(), replies=()):
    return Journey(
        begun_at=NOW,
        now=NOW,
        written=0,
        contract=None,
        activities=(),
        goals=tuple(goals),
        skills=tuple(skills),
        scores=(ScoreLine("phq-9", points(17)),),
        plans=(),
        summaries=(),
        strengths=(),
        evaluations=(),
        replies=tuple(replies),
    )


def test_a_client_sees_their_own_numbers_and_practice():
    """In plain digits, the exercise in its own words, and how many letters went."""
    told = journey(
        [goal(1, "jalan kaki 30 menit", 3, 4, 6.5)],
        [
            SkillLine("breathing", NOW, "bernapas pelan", points(3, 5)),
            SkillLine("sleep", NOW, "bangun pagi", points(1)),
        ],
        [NOW, NOW],
    )
    assert progress.lines(told, "id") == (
        "Angka yang Anda berikan sendiri, dari 0 sampai 10, dan latihan Anda:",
        "– jalan kaki 30 menit: 3, 4, 6.5",
        "– bernapas pelan: sudah dilatih 8 kali",
        "– bangun pagi: sudah dilatih sekali",
        "Sejauh ini kami sudah menulis 2 surat kepada Anda.",
    )


@pytest.mark.parametrize(
    ("language", "said"), [("id", "sudah dilatih sekali"), ("en", "practised once")]
)
def test_a_single_time_is_said_as_people_say_it(language, said):
    """Once is not "1 times"."""
    told = journey(skills=[SkillLine("breathing", NOW, "breathe", points(1))])
    assert progress.lines(told, language)[1] == f"– breathe: {said}"


@pytest.mark.parametrize("language", ["id", "en"])
def test_no_score_reaches_a_client(language):
    """A questionnaire's score is for the therapist."""
    assert "17" not in "".join(progress.lines(journey(), language))


def test_goals_nobody_asks_about_any_more_are_left_out():
    """What was stopped is not held against anybody."""
    told = journey([goal(1, "run", 2, state="stopped"), goal(2, "walk", 5)])
    assert [line for line in progress.lines(told, "en") if "–" in line] == ["– walk: 5"]


def test_there_are_never_more_than_ten_lines():
    """However much there is; practice keeps its place beside many goals."""
    goals = [goal(n, f"goal {n}", *range(10)) for n in range(12)]
    skills = [SkillLine(f"s{n}", NOW, f"exercise {n}", ()) for n in range(12)]
    told = progress.lines(journey(goals, skills, [NOW] * 5), "en")
    assert len(told) == 10
    assert sum("exercise" in line for line in told) == 4
    assert told[1] == "– goal 8: 2, 3, 4, 5, 6, 7, 8, 9"


def test_a_case_without_numbers_says_so_kindly():
    """Nothing is no failure."""
    assert progress.lines(journey(), "en") == (
        "There are no numbers and no practice on record yet.",
    )
