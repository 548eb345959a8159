"""How a journey looks at a glance: seven activities, goals with their line, plan; one screen.

Whatever a person wrote is made safe for a terminal here, and cut where a line ends.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailcounsel.cli import client, measuring, unlock, viewing
from mailcounsel.letter import text
from mailcounsel.practice import attainment, lint, names, scores
from mailcounsel.practice import journey as telling
from mailcounsel.practice.instruments import Measure
from mailcounsel.practice.milestones import (
    ACTIVITIES,
    Activity,
    GoalLine,
    Journey,
    Point,
    ScoreLine,
    Step,
    Version,
)

WIDE = 78  # columns of a line
STEPS = 3  # of an activity, the latest
VALUES = 12  # of a line, the latest
ROWS = 4  # of goals, skills, scores, strengths
PLAN_LINES = 3
TITLE = max(map(len, ACTIVITIES.values()))


@dataclass(frozen=True, slots=True)
class Told:
    """A case as it is told: opened entries and goals, its journey, and what it lacks."""

    entries: list[dict[str, Any]]
    goals: list[dict[str, Any]]
    journey: Journey
    lacks: tuple[lint.Finding, ...]
    forms: Mapping[str, Measure]  # the questionnaires of the case, by name
    meetings: Sequence[Mapping[str, Any]] = ()  # the appointments, by the time they begin


def opened(service: client.Service, case: unlock.OpenCase) -> Told:
    """Open the entries and goals of a case and tell its journey."""
    entries = viewing.opened_entries(service, case)
    goals = viewing.opened_goals(case)
    now = datetime.fromisoformat(case.shown["now"])
    journey = telling.of(case.shown, entries, goals, now)
    lacks = lint.findings(case.shown, journey, entries)
    forms = {name: form for (name, _), form in measuring.needed(service, goals).items()}
    meetings = service.call("appointment.list", case=case.shown["case"])["appointments"]
    return Told(entries, goals, journey, lacks, forms, meetings)


def page(case: Mapping[str, Any], told: Told) -> str:
    """Return a case at a glance, about forty lines of it."""
    journey = told.journey
    blocks = (
        [*viewing.head(case), _round(case, journey)],
        [_activity(place, one) for place, one in enumerate(journey.activities, 1)],
        _goals(told),
        _block("MOOD", [_line(one.text, one.points, 10) for one in journey.moods if one.points]),
        _block("SKILLS", [_skill(skill.name, skill.practised) for skill in journey.skills]),
        _block("SCORES", [_scores(line, told.forms) for line in journey.scores]),
        _block("APPOINTMENTS", [_meeting(one) for one in told.meetings]),
        list(_plan(journey.plans)),
        _block("STRENGTHS", [f"   {_cut(one.text, WIDE - 3)}" for one in journey.strengths]),
        list(_lacks(case, told.lacks)),
    )
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _round(case: Mapping[str, Any], journey: Journey) -> str:
    if journey.contract is None:
        how = f'mailcounsel case contract {case["case"]} --rhythm "every week" --exchanges 6'
        return f"no rhythm is agreed yet: {how}"
    agreed = journey.contract
    letter = f"letter {journey.written} of {agreed.exchanges}"
    return _cut(f"{letter}, {agreed.rhythm}; agreed on {day(agreed.at)}", WIDE)


def day(moment: datetime) -> str:
    """Return a day in this machine's own time: 3 Nov."""
    return moment.astimezone().strftime("%d %b").lstrip("0")


def _cut(words: str, length: int) -> str:
    """Return one harmless line of at most so many characters."""
    line = text.one_line(" ".join(words.split()), length + 1)
    return line if len(line) <= length else line[: length - 1] + "…"


def _activity(place: int, activity: Activity) -> str:
    """Return an activity with its latest steps, on two lines at most."""
    start = f"{place} {activity.title.ljust(TITLE)}  "
    steps = activity.steps[-STEPS:]
    if not steps:
        return f"{start}-"
    earlier = len(activity.steps) - len(steps)
    told = ([f"{earlier} earlier"] if earlier else []) + list(map(_step, steps))
    kept = textwrap.wrap("; ".join(told), WIDE - len(start), max_lines=2, placeholder=" …")
    return start + ("\n" + " " * len(start)).join(kept)


def _step(step: Step) -> str:
    """Return a step: its day, what it was, and the number of its letter."""
    words = _cut(step.words, 40)
    if step.is_letter:
        words = f"{words}, letter {step.number}" if words else f"letter {step.number}"
    return f"{day(step.at)} {words}"


def _block(title: str, lines: Sequence[str]) -> list[str]:
    """Return the latest lines below their title; none where there is nothing to show."""
    hidden = len(lines) - ROWS
    more = f" (the latest; {hidden} more with --json)" if hidden > 0 else ""
    return [title + more, *lines[-ROWS:]] if lines else []


def _line(name: str, points: Sequence[Point], highest: float) -> str:
    """Return a name, then its latest values as bars and as numbers."""
    values = [point.value for point in points[-VALUES:]]
    if not values:
        return f"   {_cut(name, WIDE - 3)}"
    bars = viewing.sparkline([round(10 * value / (highest or 1)) for value in values])
    numbers = " ".join(f"{value:g}" for value in values[-6:])
    return f"   {_cut(name, 34).ljust(34)}  {bars}  {numbers}"


def _goal(goal: GoalLine, levels: Sequence[Mapping[str, Any]]) -> str:
    """Return a goal with its line and, of one that is scaled, the level it has reached."""
    target = f" ({goal.target})" if goal.target else ""
    drawn = _line(f"{names.of(names.GOAL, goal.number)} {goal.text}{target}", goal.points, 10)
    return f"{drawn}  at {attainment.signed(levels[-1]['level'])}" if levels else drawn


def _skill(name: str, practised: Sequence[Point]) -> str:
    if not practised:
        return f"   {_cut(name, 34).ljust(34)}  not practised yet"
    return _line(name, practised, max(point.value for point in practised))


def _goals(told: Told) -> list[str]:
    """Return the goals that are asked about, and what their scales say together."""
    rated = attainment.rated(told.goals, told.entries)
    levels = {goal["number"]: goal["levels"] for goal in rated if goal["asks"] == names.GOAL}
    asked = [one for one in told.journey.goals if one.state == "active"]
    block = _block("GOALS", [_goal(one, levels.get(one.number, ())) for one in asked])
    together = attainment.summary(rated)
    return [*block, f"   {together}"] if together else block


def _scores(line: ScoreLine, forms: Mapping[str, Measure]) -> str:
    """Return a line of scores; of a known questionnaire with its band and reliable change."""
    form, values = forms.get(line.measure), [point.value for point in line.points]
    if form is None:
        return _line(line.measure, line.points, max(values))
    band = scores.band(form, values[-1])
    change = scores.direction(form, values[0], values[-1]) if len(values) > 1 else None
    means = ", ".join(filter(None, (band.name if band else "", change or "")))
    drawn = _line(form.title, line.points, scores.extremes(form)[1])
    return f"{drawn}  {_cut(means, 30)}"


def _meeting(one: Mapping[str, Any]) -> str:
    """Return a meeting: how it stands, when it is here and, where that differs, for the client."""
    moment = datetime.fromisoformat(one["starts_at"])
    here, theirs = moment.astimezone(), moment.astimezone(ZoneInfo(one["time_zone"]))
    when = f"{here:%a} {day(moment)} {here:%H:%M} here"
    if here.utcoffset() != theirs.utcoffset():
        when += f", {theirs:%a %H:%M} in {one['time_zone']}"
    return f"   A{one['number']} {one['state'].ljust(9)}  {_cut(when, WIDE - 17)}"


def _plan(plans: Sequence[Version]) -> Iterator[str]:
    if not plans:
        return
    now = plans[-1]
    why = f", changed because: {now.reason}" if now.reason else ""
    yield _cut(f"PLAN, version {now.version} of {day(now.at)}{why}", WIDE)
    for earlier in plans[-2:-1]:
        said = f"version {earlier.version} of {day(earlier.at)}, {earlier.reason or 'the first'}"
        yield "   " + _cut(f"before: {said}", WIDE - 3)
    lines = [part for line in text.terminal_safe(now.text).splitlines()
             for part in textwrap.wrap(line, WIDE - 3)]  # fmt: skip
    yield from (f"   {line}" for line in lines[:PLAN_LINES])
    if len(lines) > PLAN_LINES:
        yield f"   ({len(lines) - PLAN_LINES} more lines: mailcounsel show)"


def _lacks(case: Mapping[str, Any], found: Sequence[lint.Finding]) -> Iterator[str]:
    if found:
        count = "1 thing is" if len(found) == 1 else f"{len(found)} things are"
        yield f"{count} missing: mailcounsel case lint {case['case']}"


def findings(lacks: Sequence[lint.Finding]) -> str:
    """Return what a case lacks, each with what to type next."""
    return "\n".join(f"{text.terminal_safe(one.sentence)}\n    {one.command}" for one in lacks)
