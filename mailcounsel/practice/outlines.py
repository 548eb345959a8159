"""Outlines of the letters of a journey: what a therapist fills in, in the client's language.

A client's own ratings stand in them; scores of questionnaires never do.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from mailcounsel.practice.milestones import GoalLine

GAP = "…"  # a line that still has to be filled in


def summary(language: str, text: str) -> str:
    """Return the letter that shows a client the problem as understood, to be corrected."""
    return _put(_words(language)["summary"], text=text)


def evaluation(language: str, goals: Sequence[GoalLine]) -> str:
    """Return the outline of a letter that looks back together with the client."""
    return _put(_words(language)["evaluation"], goals=_goals(language, goals))


def ending(language: str, goals: Sequence[GoalLine]) -> str:
    """Return the outline of the last letter: what was done, early signs, and what to do then."""
    return _put(_words(language)["ending"], goals=_goals(language, goals))


def gaps(letter: str) -> list[str]:
    """Return the headings under which a letter still has a gap, in order."""
    found, heading = [], ""
    for line in letter.splitlines():
        if line.strip() == GAP:
            found.append(heading)
        elif line.strip():
            heading = line.strip().rstrip(":")
    return found


def _put(outline: str, **facts: str) -> str:
    """Put facts into an outline; what stands in them is never taken for a place itself."""
    before, _, after = outline.strip().partition("{" + next(iter(facts)) + "}")
    return before + next(iter(facts.values())) + after


def _goals(language: str, goals: Sequence[GoalLine]) -> str:
    words, shown = _words(language), [goal for goal in goals if goal.text]
    lines = [_goal(words, goal) for goal in shown]
    return words["goals"] + "".join(lines) + "\n" if lines else ""


def _goal(words: Mapping[str, str], goal: GoalLine) -> str:
    if not goal.points:
        return _put(words["new_goal"], text=goal.text) + "\n"
    first, last = (f"{goal.points[at].value:g}" for at in (0, -1))
    line = words["goal"].replace("{first}", first).replace("{last}", last)
    return _put(line, text=goal.text) + "\n"


def _words(language: str) -> Mapping[str, str]:
    return _data().get(language, _data()["en"])


@cache
def _data() -> Mapping[str, Mapping[str, str]]:
    source = resources.files("mailcounsel.practice").joinpath("outlines.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))
