"""How questionnaires look to staff: scores over time, with bands and reliable change in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailcounsel.cli import client, output
from mailcounsel.letter import text
from mailcounsel.practice import instruments, names, scores, shelf
from mailcounsel.practice.instruments import Measure
from mailcounsel.practice.names import MEASURE

Known = Mapping[tuple[str, str], Measure]

_CHANGE = {
    "better": "better, by more than measuring alone explains",
    "worse": "WORSE, by more than measuring alone explains",
    "not certain": "not certain: measuring alone may explain the difference",
}


def known(service: client.Service) -> dict[tuple[str, str], Measure]:
    """Return every questionnaire there is, included or the centre's own, by name and language."""
    own = [instruments.read(one, "an own file") for one in service.call("measure.list")["own"]]
    return {(one.name, one.language): one for one in (*own, *shelf.included())}


def needed(service: client.Service, goals: Sequence[Mapping[str, Any]]) -> Known:
    """Return what `lines` needs for these goals; nothing is fetched where no form was sent."""
    return known(service) if any(goal["asks"] == MEASURE for goal in goals) else {}


def described(measure: Measure) -> dict[str, Any]:
    """Return what a list says of a questionnaire."""
    names = ("name", "title", "language", "version", "about", "source", "licence", "notice")
    facts: dict[str, Any] = {name: getattr(measure, name) for name in names}
    return {**facts, "items": len(measure.items), "danger": sorted(measure.danger)}


def facts(goals: Sequence[Mapping[str, Any]], forms: Known) -> list[dict[str, Any]]:
    """Return the questionnaires of a case with their answers, for JSON.

    Each answer has `score` (or null), `band`, `band_source`, `change` since the first
    one, and `danger`, the numbers of items that ask for it and were not answered with 0.
    """
    names = ("number", "text", "every", "at", "state", "next_due_at")
    return [
        {
            **{name: goal[name] for name in names if name in goal},
            "answers": [_fact(answer, _scored(goal), forms) for answer in goal["checkins"]],
        }
        for goal in goals
        if goal["asks"] == MEASURE
    ]


def _fact(
    answer: Mapping[str, Any], scored: Sequence[Mapping[str, Any]], forms: Known
) -> dict[str, Any]:
    measure, score = _form(answer, forms), answer.get("score")
    band = scores.band(measure, score) if measure and score is not None else None
    change = None
    if measure and score is not None and scored and scored[0] is not answer:
        change = scores.direction(measure, scored[0]["score"], score)
    return {
        **answer,
        "band": band.name if band else None,
        "band_source": band.source if band else None,
        "change": change,
        "danger": [one.number for one in _raised(answer, forms)],
    }


def lines(goals: Sequence[Mapping[str, Any]], forms: Known) -> Iterator[str]:
    """Yield the questionnaires of a case, each with its scores as a line."""
    for goal in goals:
        if goal["asks"] == MEASURE:
            yield _head(goal, forms)
            yield from _score_lines(_scored(goal), forms)
            yield from _unclear(goal)
            yield from _dangers(goal, forms)


def _head(goal: Mapping[str, Any], forms: Known) -> str:
    titles = [one.title for (name, _), one in forms.items() if name == goal.get("measure")]
    title = titles[0] if titles else text.one_line(goal["text"], 72)
    when = f"every {goal['every']}, {goal['at']}" if goal["state"] == "active" else "stopped"
    waits = any(answer["state"] == "asked" for answer in goal["checkins"])
    once = "sent, no answer yet" if waits else "once"
    name = names.of(MEASURE, goal["number"])
    return f"{name}  {title}: {once if goal['every'] == 'once' else when}"


def _scored(goal: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [answer for answer in goal["checkins"] if answer.get("score") is not None]


def _form(answer: Mapping[str, Any], forms: Known) -> Measure | None:
    return forms.get((answer.get("measure", ""), answer.get("language", "")))


def _score_lines(scored: Sequence[Mapping[str, Any]], forms: Known) -> Iterator[str]:
    measure = _form(scored[-1], forms) if scored else None
    if measure is None:
        return
    values = [answer["score"] for answer in scored]
    told = ", ".join(f"{answer['score']} on {_day(answer)}" for answer in scored)
    yield f"    {scores.line(values, *scores.extremes(measure))}  {told}"
    band = scores.band(measure, values[-1])
    if band:
        yield f"    {values[-1]}: {band.name} ({band.source})"
    for cutoff in scores.cutoffs(measure, values[-1]):
        yield f"    {cutoff.country}, from {cutoff.at}: {cutoff.means} ({cutoff.source})"
    change = scores.direction(measure, values[0], values[-1]) if len(values) > 1 else None
    if change and measure.change:
        yield f"    since {_day(scored[0])}: {_CHANGE[change]} ({measure.change.source})"


def _unclear(goal: Mapping[str, Any]) -> Iterator[str]:
    for answer in goal["checkins"]:
        if answer.get("was_open"):
            asked = ", ".join(map(str, answer["was_open"]))
            yield f"    {_day(answer)}: left open at first, and answered when asked: {asked}"
        if answer["state"] == "unsure":
            yield f"    {_day(answer)}: no score, {_why(answer)}; read the letter"


@dataclass(frozen=True, slots=True)
class Raised:
    """An item that asks for danger, and was answered above its lowest value or not for certain."""

    number: int
    said: str

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"item {self.number}, which asks for danger, {self.said}"


def _raised(answer: Mapping[str, Any], forms: Known) -> list[Raised]:
    measure, items = _form(answer, forms), answer.get("items", [])
    if measure is None:
        return []
    words = {one.value: one.words for one in measure.options}
    found = {n: items[n - 1] for n in sorted(measure.danger) if n <= len(items)}
    return [
        Raised(n, "has no certain answer")
        if value is None
        else Raised(n, f"is answered {value} ({words.get(value, '')})")
        for n, value in found.items()
        if value != 0
    ]


def _dangers(goal: Mapping[str, Any], forms: Known) -> Iterator[str]:
    for answer in goal["checkins"]:
        for one in _raised(answer, forms):
            yield f"    {_day(answer)}: !! {one}"


def raised_by(goals: Sequence[Mapping[str, Any]], forms: Known) -> dict[str, list[str]]:
    """Return what in answers to questionnaires shows danger, in words, by the letter it is in."""
    found: dict[str, list[str]] = {}
    for answer in (one for goal in goals if goal["asks"] == MEASURE for one in goal["checkins"]):
        for one in _raised(answer, forms):
            came_later = one.number in answer.get("was_open", ())
            letter = answer.get("rest_letter" if came_later else "letter")
            found.setdefault(letter or "", []).append(str(one))
    return found


def _why(answer: Mapping[str, Any]) -> str:
    doubts = answer.get("doubts", {})
    gaps = [str(n) for n, value in enumerate(answer.get("items", []), 1) if value is None]
    told = [f"{number} ({reason})" for number, reason in doubts.items() if number != "0"]
    open_items = told + [number for number in gaps if number not in doubts]
    if "0" in doubts or not open_items:
        return f"the answer is not clear ({doubts.get('0', answer['reason'])})"
    return f"open: {', '.join(open_items)}"


def _day(answer: Mapping[str, Any]) -> str:
    return output.local(answer["answered_at"] or answer["due_at"])[:6]
