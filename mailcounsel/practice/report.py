"""A case on one page: a self-contained HTML file that can be printed and asks nothing of anywhere.

No script, no link, no font, no picture from outside; a policy in the page itself forbids them, so
that a browser asks for nothing even if some word got past the escaping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mailcounsel.practice import attainment, names, pictures
from mailcounsel.practice.milestones import Journey, Point, Step, Version
from mailcounsel.practice.pictures import Band, Event, Frame, words

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
body { font: 15px/1.45 Georgia, serif; color: #222; max-width: 44em; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 1.8em; } h3 { font-size: 1em; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2em .8em .2em 0;
  border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
td:nth-child(2) { white-space: nowrap; }
p { white-space: pre-line; overflow-wrap: anywhere; } .faint { color: #666; }
svg { width: 100%; height: auto; font: 10px sans-serif; }
section, svg { break-inside: avoid; }
.axis { fill: none; stroke: #888; } .line { fill: none; stroke: #14507a; stroke-width: 2; }
circle { fill: #14507a; } .event { stroke: #a15c00; stroke-dasharray: 3 3; }
.mark { fill: #a15c00; text-anchor: middle; } .value { text-anchor: end; fill: #444; }
.small { fill: #555; } .band0 { fill: #f1f4f7; } .band1 { fill: #e4eaf0; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } @page { margin: 18mm; } }
"""
MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def page(
    name: str,
    journey: Journey,
    bands: Mapping[str, Sequence[Band]],
    rated: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the page of a case called `name` (C-0042).

    `bands` are those of each measure, `rated` the goals with their levels (`attainment.rated`).
    Times are in UTC. It holds the words of therapist and client: whoever keeps it, keeps a secret.
    """
    events = _events(journey)
    sections = (
        _section("What was agreed", _agreed(journey)),
        _section("Goals", _goals(journey, events)),
        _section("Goal scales", _scales(rated)),
        _section("Mood", _moods(journey, events)),
        _section("Scores", _scores(journey, bands, events)),
        _section("Events", _table(("", "Day", "What"), [_event(one) for one in events])),
        _section("The seven activities", _activities(journey)),
        _section("Skills", _skills(journey)),
        _section("Strengths", [f"<p>{words(one.text)}</p>" for one in journey.strengths]),
        _section("The plan and its versions", _versions(journey)),
    )
    return "\n".join((*_head(name, journey), *(part for one in sections for part in one), _END))


_END = "</main>\n</body>\n</html>\n"


def of_numbers(
    title: str, note: str, sections: Sequence[tuple[str, Sequence[tuple[str, str]]]]
) -> str:
    """Return a page of lines, each a name and what is told; there are no words of clients in it."""
    parts = [
        _section(head, [f"<p>{words(name)}: {words(told)}</p>" for name, told in rows])
        for head, rows in sections
    ]
    return "\n".join((*_top(title, note), *(line for part in parts for line in part), _END))


def _head(name: str, journey: Journey) -> Iterator[str]:
    days = f"From {journey.begun_at:%Y-%m-%d} to {journey.now:%Y-%m-%d}."
    return _top(name, f"{days} This page is confidential and not encrypted.")


def _top(name: str, note: str) -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{words(name)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>{words(name)}</h1>"
    yield f'<p class="faint">{words(note)}</p>'


def _section(title: str, parts: Sequence[str]) -> list[str]:
    return ["<section>", f"<h2>{title}</h2>", *parts, "</section>"] if parts else []


def _agreed(journey: Journey) -> list[str]:
    agreed = journey.contract
    if agreed is None:
        return []
    kept = (
        f"{agreed.rhythm}; a look back after {agreed.exchanges} letters; "
        f"letter {journey.written} of {agreed.exchanges}"
    )
    return [f"<p>{words(kept)}</p>", *([f"<p>{words(agreed.text)}</p>"] if agreed.text else [])]


LOOKED_BACK = {False: "Looked back together", True: "Ended"}


def _events(journey: Journey) -> list[Event]:
    """Return what happened that may bend a line, each with its mark, oldest first."""
    happened = [
        *((one.at, _changed(one)) for one in journey.plans),
        *((one.at, f"Skill taught: {one.name}") for one in journey.skills),
        *((one.at, LOOKED_BACK[one.is_ending]) for one in journey.evaluations),
    ]
    ordered = sorted(happened, key=lambda one: one[0])
    return [Event(_mark(place), at, said) for place, (at, said) in enumerate(ordered)]


def _changed(plan: Version) -> str:
    return f"Plan, version {plan.version}" + (f": {plan.reason}" if plan.reason else "")


def _mark(place: int) -> str:
    turn, letter = divmod(place, len(MARKS))
    return MARKS[letter] + (str(turn + 1) if turn else "")


def _event(event: Event) -> tuple[str, str, str]:
    return event.mark, f"{event.at:%Y-%m-%d}", event.words


def _goals(journey: Journey, events: Sequence[Event]) -> list[str]:
    parts = []
    for goal in journey.goals:
        target = f" ({goal.target})" if goal.target else ""
        state = "" if goal.state == "active" else ", no longer asked about"
        title = f"{names.of(names.GOAL, goal.number)} {goal.text}{target}{state}"
        parts += [
            f"<h3>{words(title)}</h3>",
            *_picture(title, goal.points, 10, journey, (), events),
        ]
    return parts


def _scales(rated: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the scaled goals with every rating and what the newest one means, and their score."""
    scaled = [goal for goal in rated if goal.get("scale")]
    rows = [(_scaled(one), _ratings(one), _reached(one)) for one in scaled]
    together = attainment.summary(scaled)
    table = _table(("Goal", "Rated", "Reached"), rows)
    return [*table, f"<p>{words(together)}</p>"] if together else table


def _scaled(goal: Mapping[str, Any]) -> str:
    return f"{names.of(names.GOAL, goal['number'])} {goal['text']}"


def _ratings(goal: Mapping[str, Any]) -> str:
    rated = [f"{_day(one['at'])}: {attainment.signed(one['level'])}" for one in goal["levels"]]
    return ", ".join(rated) or "not rated yet"


def _reached(goal: Mapping[str, Any]) -> str:
    weight = f" (weight {goal['scale']['weight']})"
    if not goal["levels"]:
        return f"expected: {goal['scale']['levels']['0']}{weight}"
    return f"{goal['scale']['levels'][str(goal['levels'][-1]['level'])]}{weight}"


def _day(at: str) -> str:
    return f"{datetime.fromisoformat(at):%d %b}"


def _moods(journey: Journey, events: Sequence[Event]) -> list[str]:
    drawn = [_picture("Mood", one.points, 10, journey, (), events) for one in journey.moods]
    return [part for parts in drawn for part in parts]


def _scores(
    journey: Journey, bands: Mapping[str, Sequence[Band]], events: Sequence[Event]
) -> list[str]:
    parts = []
    for line in journey.scores:
        own = bands.get(line.measure, ())
        highest = max([band.high for band in own] + [point.value for point in line.points])
        parts.append(f"<h3>{words(line.measure)}</h3>")
        parts += _picture(line.measure, line.points, highest, journey, own, events)
    return parts


def _picture(
    title: str,
    points: Sequence[Point],
    highest: float,
    journey: Journey,
    bands: Sequence[Band],
    events: Sequence[Event],
) -> list[str]:
    if not points:
        return ['<p class="faint">No answer yet.</p>']
    frame = Frame(journey.begun_at, journey.now, highest)
    numbers = ", ".join(f"{point.at:%d %b}: {point.value:g}" for point in points)
    drawn = pictures.line(title, points, frame, bands, events)
    return [drawn, f'<p class="faint">{numbers}</p>']


def _activities(journey: Journey) -> list[str]:
    rows = [
        (activity.title, f"{step.at:%Y-%m-%d}", _what(step))
        for activity in journey.activities
        for step in activity.steps
    ]
    return _table(("Activity", "Day", "What"), rows)


def _what(step: Step) -> str:
    words = step.words or ("a letter" if step.is_letter else "")
    return f"{words} (entry {step.number})" if step.number else words


def _skills(journey: Journey) -> list[str]:
    rows = [
        (
            skill.name,
            f"{skill.at:%Y-%m-%d}",
            ", ".join(f"{point.at:%d %b}: {point.value:g}" for point in skill.practised)
            or "not practised yet",
        )
        for skill in journey.skills
    ]
    return _table(("Skill", "Taught", "Practised"), rows)


def _versions(journey: Journey) -> list[str]:
    parts = []
    for one in journey.plans[::-1]:
        why = f" Changed because: {one.reason}" if one.reason else ""
        parts.append(f"<h3>Version {one.version}, {one.at:%Y-%m-%d}.{words(why)}</h3>")
        parts.append(f"<p>{words(one.text)}</p>")
    return parts


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    head = "".join(f"<th>{words(one)}</th>" for one in heads)
    body = ("".join(f"<td>{words(cell)}</td>" for cell in row) for row in rows)
    return ["<table>", f"<tr>{head}</tr>", *(f"<tr>{cells}</tr>" for cells in body), "</table>"]
