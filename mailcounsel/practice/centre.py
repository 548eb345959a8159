"""What became of a centre's cases, counted one case after the other. Pure.

The reader's process opens a case, takes its outcome with `outcome`, adds it to a `Tally` and
forgets the case. A tally holds counts alone, so it is as large after ten thousand cases as after
one, and each case counts once in a table, however many goals it has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailcounsel.practice import attainment, scores, small_numbers
from mailcounsel.practice.instruments import Measure
from mailcounsel.practice.milestones import Journey
from mailcounsel.practice.small_numbers import Table

NO_RULE = "no rule"
CHANGES = ("better", "not certain", "worse", NO_RULE)  # of scores; see `scores.direction`
WAYS = ("nearer", "about the same", "further away")  # where goals went
ATTAINED = ("above 50", "50", "below 50")  # T-scores; at 50 goals are just reached
ENDS = ("still open", "ended together", "closed without an ending")
A_STEP = 1.0  # of a rating from 0 to 10, below which a goal has not moved

Forms = Mapping[tuple[str, str], Measure]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case. `scores` maps a measure to one of `CHANGES`; "" is not known."""

    end: str
    scores: Mapping[str, str] = field(default_factory=dict)
    goals: str = ""
    attained: str = ""


def outcome(
    case: Mapping[str, Any],
    journey: Journey,
    entries: Sequence[Mapping[str, Any]],
    goals: Sequence[Mapping[str, Any]],
    forms: Forms,
) -> Outcome:
    """Tell what became of a case; `entries` and `goals` are opened, as for its journey.

    Compared are the first and the newest of its scores and ratings, whenever they were.
    """
    together = attainment.together(attainment.rated(goals, entries))
    return Outcome(
        end=_end(case, entries),
        scores={
            line.measure: _change(
                _form(forms, line.measure, case["language"]),
                line.points[0].value,
                line.points[-1].value,
            )
            for line in journey.scores
            if len(line.points) > 1
        },
        goals=_way(journey),
        attained=_attained(together[0]) if together else "",
    )


def _end(case: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> str:
    if case["state"] == "open":
        return ENDS[0]
    return ENDS[1] if any(entry.get("ending") is True for entry in entries) else ENDS[2]


def _form(forms: Forms, name: str, language: str) -> Measure | None:
    """Return a questionnaire that says what a change is, in the case's language if there is one."""
    same = {known[1]: one for known, one in forms.items() if known[0] == name and one.change}
    return same.get(language) or next(iter(same.values()), None)


def _change(measure: Measure | None, before: float, after: float) -> str:
    found = scores.direction(measure, before, after) if measure else None
    return found or NO_RULE


def _way(journey: Journey) -> str:
    """Tell where the goals of a case went together: the mean of their changes, "" without any."""
    changes = [
        goal.points[-1].value - goal.points[0].value
        for goal in journey.goals
        if len(goal.points) > 1
    ]
    if not changes:
        return ""
    mean = sum(changes) / len(changes)
    if abs(mean) < A_STEP:
        return WAYS[1]
    return WAYS[0] if mean > 0 else WAYS[2]


def _attained(score: float) -> str:
    return ATTAINED[1] if score == 50 else ATTAINED[0 if score > 50 else 2]


@dataclass
class Tally:
    """What became of cases, added up. `shut` counts those that did not open."""

    ends: Counter[str] = field(default_factory=Counter)
    goals: Counter[str] = field(default_factory=Counter)
    attained: Counter[str] = field(default_factory=Counter)
    scores: dict[str, Counter[str]] = field(default_factory=dict)
    shut: int = 0

    def add(self, one: Outcome) -> None:
        """Count a case."""
        self.ends[one.end] += 1
        self.goals.update([one.goals] if one.goals else [])
        self.attained.update([one.attained] if one.attained else [])
        for measure, change in one.scores.items():
            self.scores.setdefault(measure, Counter())[change] += 1

    def tables(self) -> Outcomes:
        """Return what may be told; a measure with fewer than five such cases is not named."""
        measures = {
            name: small_numbers.table(_ordered(counted, _changes(counted)))
            for name, counted in sorted(self.scores.items())
        }
        return Outcomes(
            ends=small_numbers.table(_ordered(self.ends, ENDS)),
            goals=small_numbers.table(_ordered(self.goals, WAYS)),
            attained=small_numbers.table(_ordered(self.attained, ATTAINED)),
            scores={name: found for name, found in measures.items() if found.total is not None},
            all_opened=self.shut == 0,
        )


def _changes(counted: Mapping[str, int]) -> Sequence[str]:
    """Return the changes a measure can show; whether it has a rule for that is no secret."""
    return [name for name in CHANGES if name != NO_RULE or NO_RULE in counted]


def _ordered(counted: Mapping[str, int], names: Sequence[str]) -> dict[str, int]:
    return {name: counted.get(name, 0) for name in names}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of cases, in numbers that may be told; each table counts a case once."""

    ends: Table
    goals: Table
    attained: Table
    scores: Mapping[str, Table]
    all_opened: bool

    def as_json(self) -> dict[str, Any]:
        """Return them as plain values."""
        return {
            "cases": self.ends.as_json(),
            "goals": self.goals.as_json(),
            "goal_attainment": self.attained.as_json(),
            "scores": {name: found.as_json() for name, found in self.scores.items()},
            "all_opened": self.all_opened,
        }
