"""How the centre in numbers reads: sections of short lines, on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailcounsel.cli import output
from mailcounsel.letter import text

if TYPE_CHECKING:
    from mailcounsel.practice.centre import Outcomes

FEW = "fewer than 5"
LEGEND = (
    'A number below 5 is not told; what is joined by "or" is told together for the same reason.'
)
NAMES = {
    "asked": "not answered",
    "unsure": "answered without a clear number",
    "broken": "broken",
    "open": "not due yet",
    "closed": "closed as not owed",
    "better": "reliably better",
    "worse": "reliably worse",
    "not certain": "change not certain",
    "no rule": "change not known",
}

Section = tuple[str, Sequence[tuple[str, str]]]


def title(found: Mapping[str, Any]) -> str:
    """Return what the report is about: the centre, its days, its queues."""
    since, now = (_day(found[name]) for name in ("since", "now"))
    queues = ", ".join(found["queues"]) or "none"
    return text.one_line(f"{found['centre']}, {since} to {now}; queues: {queues}", 200)


def page(found: Mapping[str, Any], outcomes: Outcomes | None) -> str:
    """Return the report for a terminal, about forty lines of it."""
    lines = [title(found), LEGEND]
    for head, rows in sections(found, outcomes):
        lines += ["", head.upper()]
        widest = max(len(name) for name, _ in rows)
        lines += [f"   {name.ljust(widest)}  {told}".rstrip() for name, told in rows]
    return "\n".join(lines)


def sections(found: Mapping[str, Any], outcomes: Outcomes | None) -> list[Section]:
    """Return the report's sections, each a title and its rows of a name and what is told."""
    return [
        ("Promises", [_promise(*one) for one in found["promises"].items()] or [("none", "")]),
        ("Now", list(_now(found))),
        ("Open cases", list(_open(found))),
        ("Check-ins and danger", list(_asked(found))),
        ("Outcomes", list(_outcomes(outcomes))),
    ]


def _day(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%d %b %Y").lstrip("0")


def _table(found: Mapping[str, Any], of: str = "") -> str:
    """Return a total and its parts on a line."""
    if found["total"] is None:
        return FEW
    if len(found["parts"]) == 1 and len(found["parts"][0]["of"]) > 1:
        return f"{found['total']}{of}, too few of some kind to be told apart"
    parts = ", ".join(f"{_named(part['of'])} {part['number']}" for part in found["parts"])
    return f"{found['total']}{of}: {parts}"


def _named(names: Sequence[str]) -> str:
    return " or ".join(NAMES.get(name, name) for name in names)


def _number(value: float | None) -> str:
    return FEW if value is None else f"{value:g}"


def _span(hours: float) -> str:
    """Return how long something took: minutes, hours or days."""
    if hours < 1:
        return f"{round(hours * 60)} min"
    return f"{round(hours)} h" if hours < 48 else f"{round(hours / 24)} d"


def _promise(queue: str, found: Mapping[str, Any]) -> tuple[str, str]:
    median = found["median_hours"]
    half = f"; half answered within {_span(median)}" if median is not None else ""
    return queue, _table(found) + half


def _now(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    waiting, danger, held = (found[name] for name in ("waiting", "danger", "quarantine"))
    longest = f", the longest for {output.ago(waiting['since'], found['now'])}"
    told = "none" if waiting["nobody"] else _number(waiting["cases"])
    yield "cases that wait", told + (longest if waiting["since"] else "")
    unread = "none" if danger["none_unread"] else _number(danger["unread"])
    see = "" if danger["none_unread"] else ": mailcounsel queue"
    yield "danger that nobody has read", unread + see
    if held is not None:
        see = "" if held["empty"] else ": mailcounsel quarantine list"
        yield "letters in quarantine", ("none" if held["empty"] else _number(held["letters"])) + see


def _open(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    counted = found["open"]
    yield "all queues", _number(counted["total"])
    for part, inner in zip(counted["parts"], counted["priorities"], strict=True):
        yield _named(part["of"]), _table(inner)
    load = found["caseload"]
    if load is None:
        yield "for each therapist", "not told with fewer than 5 therapists"
        return
    spread = ", ".join(f"{name} {_number(load[name])}" for name in ("lowest", "median", "highest"))
    yield "for each therapist", spread


def _asked(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "questions asked", _table(found["checkins"])
    danger = found["danger"]
    minutes = danger["median_minutes"]
    half = f"; half read within {_span(minutes / 60)}" if minutes is not None else ""
    yield "cases with signs of danger", _number(danger["cases"]) + half


def _outcomes(outcomes: Outcomes | None) -> Iterator[tuple[str, str]]:
    """Yield what became of the cases in which something was written; each counts once."""
    if outcomes is None:
        yield "left out", "an admin opens no case; a supervisor of a queue can report them"
        return
    plain = outcomes.as_json()
    yield "cases", _table(plain["cases"])
    yield "goals", _table(plain["goals"])
    yield "scaled goals, by T-score", _table(plain["goal_attainment"])
    for measure, found in plain["scores"].items():
        yield text.one_line(measure, 40), _table(found)
    if not plain["scores"]:
        yield "scores", "no questionnaire with two scores in 5 cases"
    yield "compared are", "first and newest; a questionnaire with fewer than 5 cases is not named"
    if not outcomes.all_opened:
        yield "not counted", "some cases did not open with your key; see mailcounsel case lint"
