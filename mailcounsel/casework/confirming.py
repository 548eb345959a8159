"""A yes to a meeting is confirmed to the client: day, hour, zone and room, once for an hour."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import cases, letters, meetings, records
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.letter import templates
from mailcounsel.store import statements
from mailcounsel.trust import addressbook

CONFIRMED = "appointment-confirmed"  # the template


def confirm(
    connection: Connection, office: Office, row: RowMapping, now: datetime, *, is_answer: bool
) -> bool:
    """Write to the client when and where they meet. False where it cannot go, or went before."""
    case = cases.main(connection, row["case_id"])
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    when = templates.hour(row["starts_at"].astimezone(zone), case["language"])
    facts = {"when": when, "room": meetings.opened(office, row).room}
    once = f"{CONFIRMED}:{row['id']}:{row['sequence']}"
    asked = Asked(CONFIRMED, facts, once, is_answer=is_answer)
    return letters.ask(connection, office, case, asked, now) is not None


def answered(
    connection: Connection,
    office: Office,
    case: RowMapping,
    number: int,
    state: str,
    person: str,
    now: datetime,
) -> tuple[RowMapping, bool]:
    """Keep what a client said of a meeting, as a person read or heard it: a state of `meetings`.

    Returns its row, and whether a confirmation goes out. Raises: NotFound for a meeting that is
    not there, or that is no more.
    """
    row = statements.one(connection, meetings.appointments, case_id=case["id"], number=number)
    if row is None or row["state"] not in meetings.STANDING or row["ends_at"] <= now:
        name = cases.handle(case["number"])
        there = f"mailcounsel appointment list {name}"
        message = f"{name} has no appointment A{number} to come. What there is: {there}"
        raise errors.NotFound(message)
    statements.change(connection, meetings.appointments, row["id"], state=state)
    meetings.answer_seen(connection, row, person, now)
    records.audit(connection, now, person, f"appointment-{state}-by-person", case["id"], row["id"])
    is_yes = state == meetings.ACCEPTED
    return row, is_yes and confirm(connection, office, row, now, is_answer=False)
