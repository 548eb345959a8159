"""The journey of a case: what client and therapist did together, told by its opened entries.

Pure: the reader's process opens entries and goals, and `of` puts them in order. What it does not
know of a content it passes over, so that a case written by a later release can still be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mailcounsel.practice import names
from mailcounsel.practice.milestones import (
    ACTIVITIES,
    Activity,
    Contract,
    Evaluation,
    GoalLine,
    Journey,
    Point,
    Said,
    ScoreLine,
    SkillLine,
    Step,
    Version,
)
from mailcounsel.practice.skills import draft_of

# Which activity a letter written from a template of ours belongs to, by how the name begins.
_OF_TEMPLATE = (
    ("introduction", "introduction"),
    ("intake", "introduction"),
    ("safe-address", "introduction"),
    ("private-program", "introduction"),
    ("questions", "understanding"),
    ("summary", "understanding"),
    ("goal", "goals"),
    ("skill", "skills"),
    ("practice", "practice"),
    ("encourage", "practice"),
    ("evaluation", "evaluation"),
    ("ending", "evaluation"),
)

_TOO_LARGE = 1_000_000

Opened = Mapping[str, Any]  # an entry, goal or check-in as the reader's process opened it


def suggested(template: str) -> tuple[str, ...]:
    """Return the activities a letter from a template of ours belongs to; () where none does."""
    return tuple(activity for start, activity in _OF_TEMPLATE if template.startswith(start))[:1]


def activities_of(named: object) -> list[str]:
    """Return those of a list of names that are activities; none where it is no list."""
    listed = named if isinstance(named, list) else []
    return [name for name in listed if isinstance(name, str) and name in ACTIVITIES]


def of(case: Opened, entries: Sequence[Opened], goals: Sequence[Opened], now: datetime) -> Journey:
    """Tell the journey of a case. `case` is what the service shows of it; `now` is aware."""
    readable = sorted((one for one in entries if "unreadable" not in one), key=_at)
    notes = [one for one in readable if one["direction"] == "note"]
    scores = tuple(_scores(goals, notes))
    skills = tuple(_skills(readable, goals))
    return Journey(
        begun_at=_at(readable[0]) if readable else now,
        now=now,
        written=int(case.get("exchanges") or 0),
        contract=next((_contract(one) for one in _of_kind(notes, "contract")[::-1]), None),
        activities=_activities(readable, goals, skills, scores),
        goals=tuple(_goal(goal) for goal in goals if _asks(goal) == "goal"),
        skills=skills,
        scores=scores,
        plans=_versions(_of_kind(notes, "plan")),
        summaries=_versions(_of_kind(notes, "summary")),
        strengths=tuple(_said(one) for one in _of_kind(notes, "strength")),
        moods=tuple(_goal(goal) for goal in goals if _asks(goal) == "mood"),
        evaluations=tuple(_evaluation(one) for one in _of_kind(notes, "evaluation")),
        replies=tuple(_at(one) for one in readable if one["kind"] == "reply"),
    )


def _at(entry: Opened) -> datetime:
    return datetime.fromisoformat(entry["at"])


def _text(entry: Opened, name: str = "text") -> str:
    return str(entry.get(name) or "")


def _of_kind(notes: Iterable[Opened], kind: str) -> list[Opened]:
    return [one for one in notes if one["kind"] == kind]


def _asks(goal: Opened) -> str:
    return str(goal.get("asks") or "goal")


def _number(value: object) -> float | None:
    """Return a number a person could have meant, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < _TOO_LARGE else None


def _said(entry: Opened) -> Said:
    return Said(_at(entry), _text(entry))


def _evaluation(entry: Opened) -> Evaluation:
    return Evaluation(_at(entry), _text(entry), bool(entry.get("ending")))


def _contract(entry: Opened) -> Contract:
    exchanges = int(_number(entry.get("exchanges")) or 0)
    return Contract(_at(entry), _text(entry, "rhythm"), exchanges, _text(entry))


def _versions(entries: Sequence[Opened]) -> tuple[Version, ...]:
    """Number what was written in the order it was written, whatever a writer thought it was."""
    return tuple(
        Version(place, _at(one), _text(one), _text(one, "reason"), bool(one.get("sent")))
        for place, one in enumerate(entries, 1)
    )


# -- lines -----------------------------------------------------------------------------------------


def _answers(goal: Opened, *names: str) -> Iterator[Point]:
    """Yield the answers of a goal that hold a number under one of these names."""
    for answer in goal.get("checkins", ()):
        values = [value for name in names if (value := _number(answer.get(name))) is not None]
        at = answer.get("answered_at") or answer.get("due_at")
        if values and at:
            yield Point(datetime.fromisoformat(at), values[0])


def _goal(goal: Opened) -> GoalLine:
    """Return a goal's line; where it stood when it was agreed is the first value of it."""
    points = sorted([*_baseline(goal), *_answers(goal, "rating")], key=lambda point: point.at)
    text, target = _text(goal), _text(goal, "target")
    return GoalLine(goal["number"], text, target, goal["state"], tuple(points))


def _baseline(goal: Opened) -> Iterator[Point]:
    value = _number(goal.get("baseline"))
    if value is not None and goal.get("created_at"):
        yield Point(datetime.fromisoformat(goal["created_at"]), value)


def _scores(goals: Sequence[Opened], notes: Sequence[Opened]) -> Iterator[ScoreLine]:
    """Yield a line for each measure, from the client's answers and the therapist's notes."""
    found: dict[str, list[Point]] = {}
    for goal in goals:
        for answer in goal.get("checkins", ()):
            at = answer.get("answered_at") or answer.get("due_at")
            _add_score(found, answer, at)
    for note in _of_kind(notes, "measure"):
        _add_score(found, note, note["at"])
    for measure, points in sorted(found.items()):
        yield ScoreLine(measure, tuple(sorted(points, key=lambda point: point.at)))


def _add_score(found: dict[str, list[Point]], content: Opened, at: str | None) -> None:
    score, measure = _number(content.get("score")), _text(content, "measure")
    if score is not None and measure and at:
        found.setdefault(measure, []).append(Point(datetime.fromisoformat(at), score))


def _skills(readable: Sequence[Opened], goals: Sequence[Opened]) -> Iterator[SkillLine]:
    """Yield each skill that was taught, once, with the practice told since then.

    A lesson that was taken back before it left was not taught.
    """
    practice = [goal for goal in goals if _asks(goal) == "practice"]
    undone = {draft_of(one) for one in readable if one["kind"] == "reply-undone"} - {None}
    taught: dict[str, list[Opened]] = {}
    for note in _of_kind(readable, "skill"):
        if _text(note, "goal") not in undone:
            taught.setdefault(_text(note, "skill") or _text(note), []).append(note)
    for name, notes in taught.items():
        asking = [goal for note in notes for goal in _practising(practice, note, name, taught)]
        told = {point for goal in asking for point in _answers(goal, "times", "rating")}
        first, latest = notes[0], notes[-1]
        since = sorted((one for one in told if one.at >= _at(first)), key=lambda point: point.at)
        yield SkillLine(name, _at(first), _text(latest), tuple(since))


def _practising(
    practice: Sequence[Opened], note: Opened, name: str, taught: Iterable[str]
) -> Iterator[Opened]:
    """Yield what asks about a skill: what its note or a name says, else what names none."""
    if note.get("goal"):
        yield from (goal for goal in practice if goal.get("id") == note["goal"])
        return
    for goal in practice:
        named = [one for one in taught if one == goal.get("skill") or one in _text(goal)]
        if name in named or not named:
            yield goal


# -- what happened ---------------------------------------------------------------------------------


def _activities(
    entries: Sequence[Opened],
    goals: Sequence[Opened],
    skills: Sequence[SkillLine],
    scores: Sequence[ScoreLine],
) -> tuple[Activity, ...]:
    steps: dict[str, list[Step]] = {name: [] for name in ACTIVITIES}
    for name, step in (*_told(entries), *_agreed(goals), *_practised(skills), *_scored(scores)):
        steps[name].append(step)
    return tuple(
        Activity(name, title, tuple(sorted(steps[name], key=lambda step: step.at)))
        for name, title in ACTIVITIES.items()
    )


def _told(entries: Sequence[Opened]) -> Iterator[tuple[str, Step]]:
    """Yield what the entries themselves tell, each with its activity."""
    has_begun = has_agreed = False
    for entry in entries:
        if entry["direction"] == "in" and entry["kind"] == "letter" and not has_begun:
            has_begun = True
            yield "introduction", _step(entry, "first letter", is_letter=True)
        if entry["kind"] == "reply":
            for name in activities_of(entry.get("activities")):
                yield name, _step(entry, "", is_letter=True)
        if entry["direction"] == "note":
            yield from _noted(entry, agreed="changed to" if has_agreed else "agreed")
            has_agreed |= entry["kind"] == "contract"


def _noted(entry: Opened, *, agreed: str) -> Iterator[tuple[str, Step]]:
    kind, words = entry["kind"], _text(entry)
    if kind == "activity":
        for name in activities_of([entry.get("activity")]):
            yield name, _step(entry, words)
    known = {
        "contract": ("introduction", f"{agreed}: {_text(entry, 'rhythm')}"),
        "summary": ("understanding", "summary sent" if entry.get("sent") else "summary"),
        "plan": ("goals", _text(entry, "reason") or "plan"),
        "skill": ("skills", _text(entry, "skill") or words),
        "strength": ("support", f"strength: {words}"),
        "evaluation": ("evaluation", "ending" if _evaluation(entry).is_ending else "evaluated"),
    }
    if kind in known:
        name, told = known[kind]
        yield name, _step(entry, told)


def _step(entry: Opened, words: str, *, is_letter: bool = False) -> Step:
    return Step(_at(entry), words, entry["number"], is_letter)


def _agreed(goals: Sequence[Opened]) -> Iterator[tuple[str, Step]]:
    for goal in goals:
        if _asks(goal) == "goal" and goal.get("created_at"):
            at = datetime.fromisoformat(goal["created_at"])
            yield "goals", Step(at, f"{names.of(names.GOAL, goal['number'])} {_text(goal)}")


def _practised(skills: Sequence[SkillLine]) -> Iterator[tuple[str, Step]]:
    for skill in skills:
        for point in skill.practised:
            yield "practice", Step(point.at, f"{skill.name} {point.value:g}")


def _scored(scores: Sequence[ScoreLine]) -> Iterator[tuple[str, Step]]:
    for line in scores:
        for point in line.points:
            yield "evaluation", Step(point.at, f"{line.measure} {point.value:g}")
