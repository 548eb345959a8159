"""A yes to a meeting is confirmed to the client: day, hour, zone and room, once for an hour.

A confirmation never leaves before the letter that told of its hour, and goes with that letter where
it is taken back: an hour that is none any more would stay confirmed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, update

from mailcounsel import errors
from mailcounsel.casework import cases, errands, letters, meetings, records
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.letter import templates
from mailcounsel.store import statements
from mailcounsel.store.columns import database_now
from mailcounsel.trust import addressbook

CONFIRMED = "appointment-confirmed"  # the template
CONFIRM = "appointment-confirm"  # the kind of errand
SOON = timedelta(minutes=1)  # after a letter was to leave, when to look whether it has


def confirm(
    connection: Connection, office: Office, row: RowMapping, now: datetime, *, is_answer: bool
) -> bool:
    """Write to the client when and where they meet, once the letter about that hour has left.

    False where it cannot go, or went before.
    """
    told = statements.one(connection, letters.outgoing, id=meetings.opened(office, row).letter)
    state = told["state"] if told else ""
    if told and state in {"held", "ready"}:
        due_at = max(now, told["due_at"]) + SOON
        errands.put(connection, row["case_id"], CONFIRM, row["id"], due_at)
        return True
    case = cases.main(connection, row["case_id"])
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    when = templates.hour(row["starts_at"].astimezone(zone), case["language"])
    facts = {"when": when, "room": meetings.opened(office, row).room}
    asked = Asked(CONFIRMED, facts, _once(row), is_answer=is_answer)
    return state != "waiting" and letters.ask(connection, office, case, asked, now) is not None


def _once(row: RowMapping) -> str:
    return f"{CONFIRMED}:{row['id']}:{row['sequence']}"


def later(connection: Connection, office: Office, errand: RowMapping, now: datetime) -> None:
    """Do the errand `appointment-confirm`, if the client's yes still stands."""
    row = statements.one(connection, meetings.appointments, id=errand["ref"])
    if row is not None and row["state"] == meetings.ACCEPTED and row["ends_at"] > now:
        confirm(connection, office, row, now, is_answer=False)


def taken_back(connection: Connection, row: RowMapping) -> None:
    """The letter about a meeting's hour was taken back: what confirms that hour goes with it."""
    errands.drop(connection, CONFIRM, row["id"])
    out = letters.outgoing
    here = (out.c.once == _once(row)) & out.c.state.in_(["ready", "waiting"])
    free = out.c.lease_until < database_now()
    values = {"state": "undone", "sealed": None, "once": None}
    undone = update(out).where(here, free).values(fence=out.c.fence + 1, **values)
    connection.execute(undone)


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
