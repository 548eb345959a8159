"""Goal attainment scaling: five levels written before the work, a weight, and ratings.

A scale stands in a goal's sealed detail; a rating is an entry of the case. Both are opened in the
reader's process only, so everything here works on what was opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from mailcounsel import errors
from mailcounsel.practice import scores

LEVELS = tuple(scores.LEVELS)
MOST_WEIGHT = 10


def scale(levels: Sequence[tuple[int, str]], weight: int) -> dict[str, Any]:
    """Return a scale as it is kept in a goal's detail.

    Raises: Refused unless each level from -2 to +2 is there once with words, and the weight is
    between 1 and 10.
    """
    words = {level: text.strip() for level, text in levels if text.strip()}
    if len(levels) != len(LEVELS) or sorted(words) != list(LEVELS):
        message = (
            "A scale has five levels, -2 -1 0 1 2, each once and with words, such as: "
            '--level 0 "2 walks a week"'
        )
        raise errors.Refused(message)
    if not 1 <= weight <= MOST_WEIGHT:
        raise errors.Refused(f"A goal's weight is 1 to {MOST_WEIGHT}.")
    return {"levels": {str(level): words[level] for level in LEVELS}, "weight": weight}


def level(written: str) -> int:
    """Read a level as it is typed: -2, -1, 0, +1 or +2. Raises: Refused."""
    for one in LEVELS:
        if written.strip() in {str(one), f"{one:+d}"}:
            return one
    raise errors.Refused("Write the level as -2, -1, 0, +1 or +2.")


def signed(level: int) -> str:
    """Write a level with its sign: 0 has none, for it is what was expected and no change."""
    return f"{level:+d}" if level else "0"


def rated(
    goals: Sequence[Mapping[str, Any]], entries: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the goals, each with `levels`: its ratings in the order they were given.

    `entries` are opened entries of the case; a rating has `goal` (an id) and `level`.
    """
    return [
        {
            **goal,
            "levels": [
                {"at": entry["at"], "level": entry["level"]}
                for entry in entries
                if entry.get("goal") == goal["id"] and entry.get("level") in LEVELS
            ],
        }
        for goal in goals
    ]


def together(goals: Sequence[Mapping[str, Any]]) -> tuple[float, int] | None:
    """Return the T-score over the newest rating of each scaled goal, and of how many goals.

    None where no goal has been scaled and rated.
    """
    counted = [goal for goal in goals if goal.get("scale") and goal.get("levels")]
    if not counted:
        return None
    newest = [goal["levels"][-1]["level"] for goal in counted]
    weights = [goal["scale"]["weight"] for goal in counted]
    return round(scores.goal_score(newest, weights), 1), len(counted)


def lines(goal: Mapping[str, Any], today: date) -> Iterator[str]:
    """Yield what is known of a goal beside its check-ins: baseline, review, scale and ratings."""
    if goal.get("baseline") is not None:
        yield f"began at {goal['baseline']}"
    if goal.get("review"):
        is_due = date.fromisoformat(goal["review"]) <= today
        yield f"to be looked at again on {goal['review']}{', which is now' if is_due else ''}"
    if goal.get("scale"):
        yield f"scaled, weight {goal['scale']['weight']}"
    levels = [one["level"] for one in goal.get("levels", [])]
    if goal.get("scale") and levels:
        reached = goal["scale"]["levels"][str(levels[-1])]
        yield f"{scores.line(levels, -2, 2)}  {' '.join(map(signed, levels))}: {reached}"


def summary(goals: Sequence[Mapping[str, Any]]) -> str:
    """Return one line about all scaled goals together, or "" where there is none."""
    found = together(goals)
    if found is None:
        return ""
    score, count = found
    named = "1 scaled goal" if count == 1 else f"{count} scaled goals"
    return f"{named} together: T {score} (50: as expected when they were agreed)"
