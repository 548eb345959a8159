"""Skills and ready letters: listed, shown, sent as a lesson."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from mailcounsel import errors
from mailcounsel.casework import cases, skills
from mailcounsel.letter import lessons as texts
from mailcounsel.practice.names import PRACTICE
from mailcounsel.service.control import Parameters, data, listed, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.asked import new_goal
from mailcounsel.service.operations.goals import added, leaving


def lessons(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """List the texts of a kind (`skills`, `letters`) in a language, by name.

    One whose file is broken comes with the `problem` in its place.
    """
    kind, language = _kind(parameters), _language(desk, parameters)
    own = desk.office.config.centre.templates
    return {
        "language": language,
        "lessons": [_head(kind, name, desk, language) for name in texts.names(kind, language, own)],
    }


def _head(kind: str, name: str, desk: Desk, language: str) -> dict[str, Any]:
    try:
        found = texts.load(kind, name, language, desk.office.config.centre.templates)
    except errors.TemplateError as fault:
        return {"name": name, "title": "", "exercise": "", "problem": str(fault)}
    return {"name": name, "title": found.title, "exercise": found.exercise}


def lesson(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return one text, with its title, and a skill's exercise and answer. Raises: NotFound."""
    kind, language = _kind(parameters), _language(desk, parameters)
    own = desk.office.config.centre.templates
    return asdict(texts.load(kind, text(parameters, "name"), language, own))


def _kind(parameters: Parameters) -> str:
    kind = text(parameters, "kind")
    if kind not in texts.HEADS:
        message = "There is no such kind of text."
        raise errors.Refused(message)
    return kind


def _language(desk: Desk, parameters: Parameters) -> str:
    """Return the language asked for, or the centre's own where none is."""
    return text(parameters, "language", "") or desk.office.config.centre.language


def assign(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Send a lesson the caller signed, with its sealed note and the practice to ask about."""
    now = desk.now()
    new = skills.Lesson(
        statement=text(parameters, "statement"),
        signature=data(parameters, "signature"),
        note=text(parameters, "letter"),
        content=data(parameters, "content"),
        practice=new_goal(parameters, PRACTICE),
        instead_of=[text({"n": one}, "n") for one in listed(parameters, "instead_of")],
    )

    def write(connection: Connection) -> dict[str, Any]:
        sent, row = skills.assign(connection, desk.office, caller.person, new, now)
        case = cases.get(connection, row["case_id"])
        return {**sent, **added(row), **leaving(connection, desk, case, row["next_due_at"])}

    answer = desk.store.write(write)
    desk.ring("outbox")
    return answer
