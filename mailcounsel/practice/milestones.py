"""The parts of a journey: plain values, told by `mailcounsel.practice.journey`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

# The seven things client and therapist do together, in the order they usually begin.
ACTIVITIES: Mapping[str, str] = MappingProxyType(
    {
        "introduction": "Introduction",
        "understanding": "Understanding",
        "goals": "Goals",
        "skills": "Skills",
        "practice": "Practice",
        "support": "Support",
        "evaluation": "Evaluation",
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened. `number` is the entry's number in the case, 0 where it has none."""

    at: datetime
    words: str
    number: int = 0
    is_letter: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """One of the seven, with what happened in it, oldest first."""

    name: str
    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """What was agreed: how often letters come, after how many the plan is looked at again."""

    at: datetime
    rhythm: str
    exchanges: int
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the plan, or of the summary of the problem; the first is 1."""

    version: int
    at: datetime
    text: str
    reason: str = ""
    was_sent: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a line: a rating of a goal, a score, or how often something was practised."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class GoalLine:
    """A goal with its ratings from 0 to 10, oldest first."""

    number: int
    text: str
    target: str
    state: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class SkillLine:
    """A skill that was taught, with what the client told of practising it."""

    name: str
    at: datetime
    exercise: str
    practised: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """The scores of one measure, oldest first."""

    measure: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A strength that was named."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A look back together with the client; the last one may be an ending."""

    at: datetime
    text: str
    is_ending: bool


@dataclass(frozen=True, slots=True)
class Journey:
    """A case as a journey. Moments are aware; every sequence runs from the oldest on.

    `written` counts the replies that left since the last evaluation, as the service counts them;
    `replies` are the moments of all replies that were not taken back.
    """

    begun_at: datetime
    now: datetime
    written: int
    contract: Contract | None
    activities: tuple[Activity, ...]
    goals: tuple[GoalLine, ...]
    skills: tuple[SkillLine, ...]
    scores: tuple[ScoreLine, ...]
    plans: tuple[Version, ...]
    summaries: tuple[Version, ...]
    strengths: tuple[Said, ...]
    evaluations: tuple[Evaluation, ...]
    replies: tuple[datetime, ...]
    moods: tuple[GoalLine, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the journey as plain values; moments are ISO 8601 texts."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
