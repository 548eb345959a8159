"""What a person can take on: languages, number of cases, and whether they are there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection, RowMapping, func, select

from mailcounsel import errors
from mailcounsel.casework.office import Office
from mailcounsel.store import models

cases = models.table(models.Case)


def check(connection: Connection, office: Office, person: str) -> None:
    """Raise Refused for a person who has as many open cases as they can carry."""
    known = office.config.person(person)
    if known and _open_cases(connection, person) >= known.capacity:
        message = (
            f"You have {known.capacity} open cases, which is all you can carry. Close one first."
        )
        raise errors.Refused(message)


def speaks(office: Office, person: str, language: str) -> bool:
    """Tell whether a person counsels in a language; who names none counsels in all."""
    known = office.config.person(person)
    return not known or not known.languages or language in known.languages


def doubts(
    connection: Connection, office: Office, case: RowMapping, person: str, day: date
) -> list[str]:
    """Say, a sentence each, what speaks against a person who was just given a case.

    Whoever gave it decides; what they see at once they need not hear from the client.
    """
    return list(_doubts(connection, office, case, person, day))


def _doubts(
    connection: Connection, office: Office, case: RowMapping, person: str, day: date
) -> Iterator[str]:
    known = office.config.person(person)
    if known is None:
        return
    away = next((days.last for days in known.absent if day in days), None)
    if away:
        yield f"{person} is away until {away.isoformat()}, as config.toml says."
    if not speaks(office, person, case["language"]):
        spoken = ", ".join(known.languages)
        yield f"This client writes {case['language']}; {person} counsels in {spoken}."
    carried = _open_cases(connection, person)
    if carried > known.capacity:
        number = "1 open case" if carried == 1 else f"{carried} open cases"
        yield f"{person} has {number} now, and can carry {known.capacity}."


def _open_cases(connection: Connection, person: str) -> int:
    here = cases.c.merged_into.is_(None) & (cases.c.state == "open")
    mine = select(func.count()).where(cases.c.assignee == person, here)
    return connection.execute(mine).scalar_one()
