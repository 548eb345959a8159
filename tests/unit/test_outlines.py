"""Outlines of letters: in both languages, filled with the client's own numbers, never sent half."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailcounsel.practice import outlines
from mailcounsel.practice.milestones import GoalLine, Point

LANGUAGES = ("id", "en")
AT = datetime(2026, 11, 1, tzinfo=UTC)


def goal(*values, text="walk {last} {text}"):
    return GoalLine(1, text, "", "active", tuple(Point(AT, value) for value in values))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_outline_has_gaps_that_are_named(language):
    """What still has to be written is found by its heading."""
    for outline in (outlines.evaluation(language, []), outlines.ending(language, [])):
        found = outlines.gaps(outline)
        assert len(found) == 5
        assert all(heading and not heading.endswith(":") for heading in found)
        assert outlines.gaps(outline.replace("\n…\n", "\nYes.\n")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_clients_own_numbers_stand_in_the_outline_as_they_are(language):
    """First and latest rating of each goal; what looks like a place in a goal stays what it is."""
    outline = outlines.evaluation(language, [goal(2, 5, 7)])
    (line,) = [one for one in outline.splitlines() if one.startswith("- ")]
    assert "walk {last} {text}" in line
    assert "2" in line
    assert "7" in line
    assert "5" not in line


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_goals_or_ratings_the_outline_has_no_hole(language):
    """A goal without a number is named; without goals there is no heading for them."""
    assert "- walk\n" in outlines.ending(language, [goal(text="walk")])
    for outline in (outlines.ending(language, []), outlines.evaluation(language, [goal()])):
        assert "{goals}" not in outline
        assert "\n\n\n" not in outline


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_summary_asks_to_be_corrected(language):
    """The therapist's words stand within a letter that asks what fits and what does not."""
    letter = outlines.summary(language, "Nights are long. {text}")
    assert "Nights are long. {text}" in letter
    assert letter.endswith(("you like.", "Anda mau."))


def test_another_language_gets_the_english_outline():
    """A centre in a language without outlines writes from the English one."""
    assert outlines.ending("xx", []) == outlines.ending("en", [])
