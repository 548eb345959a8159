"""What a journey still lacks, each in one sentence with what to type next.

The rules are few and plain, so that a finding is worth reading; each says its threshold below.
Nothing is counted against anybody, and a closed case lacks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mailcounsel.letter import fold
from mailcounsel.practice.milestones import Journey

EXCHANGES = 4  # replies after which a goal is agreed, and a strength is named
EVALUATION = timedelta(days=30)  # since the last one; without one, since the first reply
PRACTICE = timedelta(days=14)  # a week to practise, and a week to tell of it
QUESTION = timedelta(days=3)  # in which a client's question is answered

# Words, then a question mark of any script that does not stand within an address.
_ASKS = re.compile(r"\w[^\w\n]*[?？؟](?![\w/=&%])")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is missing: a code, a sentence, and the command that mends it."""

    rule: str  # goal, skill, evaluation, question, strength
    sentence: str
    command: str


def findings(
    case: Mapping[str, Any], journey: Journey, entries: Sequence[Mapping[str, Any]]
) -> tuple[Finding, ...]:
    """Return what a case lacks, the most pressing first.

    `case` is what the service shows of it, `entries` its opened entries, oldest first.
    """
    if case["state"] != "open":
        return ()
    name = case["case"]
    found = (
        *_question(name, journey, entries),
        *_goal(name, journey),
        *_evaluation(name, journey),
        *_skills(name, journey),
        *_strength(name, journey),
    )
    return tuple(found)


def open_question(
    entries: Sequence[Mapping[str, Any]], answered_at: datetime | None
) -> datetime | None:
    """Return when the client first asked something after the last reply, None if they did not.

    Only their own new words count: a question that a letter quotes was asked before.
    """
    earlier: list[str] = []
    for entry in entries:
        words = str(entry.get("text") or "")
        at = datetime.fromisoformat(entry["at"])
        is_new = answered_at is None or at > answered_at
        if (
            entry["direction"] == "in"
            and entry["kind"] == "letter"
            and is_new
            and asks(words, earlier, fold.about_of(entry))
        ):
            return at
        if words:
            earlier.append(words)
    return None


def asks(words: str, earlier: Sequence[str] = (), about: fold.About | None = None) -> bool:
    """Tell whether a letter's new words hold a question; `earlier` are texts it may quote."""
    return bool(_ASKS.search(fold.new_words(words, fold.fold(words, earlier, about))))


def _question(
    name: str, journey: Journey, entries: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    last = journey.replies[-1] if journey.replies else None
    asked = open_question(entries, last)
    if asked and journey.now - asked >= QUESTION:
        yield Finding(
            "question",
            f"The client asked something {_days(journey.now - asked)} ago and has no answer yet.",
            f"mailcounsel reply {name}",
        )


def _goal(name: str, journey: Journey) -> Iterator[Finding]:
    if len(journey.replies) >= EXCHANGES and not journey.goals:
        yield Finding(
            "goal",
            f"After {len(journey.replies)} letters of yours no goal is agreed.",
            f'mailcounsel goal add {name} "…"',
        )


def _evaluation(name: str, journey: Journey) -> Iterator[Finding]:
    moments = [one.at for one in journey.evaluations][-1:] or list(journey.replies[:1])
    if moments and journey.now - moments[0] >= EVALUATION:
        what = "The last evaluation was" if journey.evaluations else "The first letter left"
        then = "" if journey.evaluations else ", and nothing was evaluated since"
        yield Finding(
            "evaluation",
            f"{what} {_days(journey.now - moments[0])} ago{then}.",
            f"mailcounsel case evaluate {name}",
        )


def _skills(name: str, journey: Journey) -> Iterator[Finding]:
    for skill in journey.skills:
        practised = any(point.value > 0 for point in skill.practised)
        if not practised and journey.now - skill.at >= PRACTICE:
            yield Finding(
                "skill",
                f"The skill “{skill.name}” was taught {_days(journey.now - skill.at)} ago, and no "
                "practice was told of.",
                f"mailcounsel reply {name} --activity practice",
            )


def _strength(name: str, journey: Journey) -> Iterator[Finding]:
    if len(journey.replies) >= EXCHANGES and not journey.strengths:
        yield Finding(
            "strength",
            f"After {len(journey.replies)} letters of yours no strength of the client is named.",
            f'mailcounsel case strength {name} "…"',
        )


def _days(span: timedelta) -> str:
    return f"{span.days} days"
