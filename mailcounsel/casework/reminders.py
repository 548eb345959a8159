"""Reminders of a meeting: a day and an hour before, to the client and to whoever meets them.

Each is an errand. What is due is looked at afresh when it is due, so a meeting that was moved,
cancelled or declined meanwhile reminds nobody of its old hour. No reminder reaches a client in
their quiet hours. One that is late, since the service was away, goes out as long as the meeting is
to come and there is time to act on it; of two that are late, one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import cases, errands, hours, letters, meetings, staff
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.meetings import appointments
from mailcounsel.casework.office import Office
from mailcounsel.letter import templates
from mailcounsel.store import statements
from mailcounsel.trust import addressbook

REMIND, END = "appointment-reminder", "appointment-end"  # the first is the template's name too
STAFF = "staff-appointment"
BEFORE = (timedelta(days=1), timedelta(hours=1))
USEFUL = timedelta(minutes=10)  # before the meeting, at the latest


def plan(connection: Connection, office: Office, row: RowMapping, now: datetime) -> None:
    """Have a meeting reminded of, and ended. What stands for its earlier hours does no harm."""
    for due_at in _due(connection, office, row):
        if due_at > now:
            errands.put(connection, row["case_id"], REMIND, row["id"], due_at)
    errands.put(connection, row["case_id"], END, row["id"], row["ends_at"])


def _due(connection: Connection, office: Office, row: RowMapping) -> list[datetime]:
    """Return when a meeting is reminded of; an hour that would be quiet, at its end."""
    zone = _zone(connection, row)
    quiet = hours.quiet_hours(office.config)
    due = [quiet.next_allowed(row["starts_at"] - before, zone) for before in BEFORE]
    return [one for one in dict.fromkeys(due) if one <= row["starts_at"] - USEFUL]


def _zone(connection: Connection, row: RowMapping) -> ZoneInfo:
    case = cases.main(connection, row["case_id"])
    return ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)


def remind(connection: Connection, office: Office, errand: RowMapping, now: datetime) -> None:
    """Remind both of a meeting (an errand's duty), if it still stands as it did."""
    row = statements.one(connection, appointments, id=errand["ref"])
    if row is None or row["state"] not in meetings.TO_COME or now > row["starts_at"] - USEFUL:
        return
    # What was due before the letter about it was written was never planned for this hour.
    since = _written_at(connection, office, row)
    due = [one for one in _due(connection, office, row) if since is None or one > since]
    case = cases.main(connection, row["case_id"])
    if not due or due[0] > now or case["state"] != "open":
        return
    which = f"{row['id']}:{row['sequence']}:{sum(one <= now for one in due)}"
    _remind_staff(connection, office, case, row, which, now)
    _remind_client(connection, office, case, row, which, now)


def _remind_client(
    connection: Connection,
    office: Office,
    case: RowMapping,
    row: RowMapping,
    which: str,
    now: datetime,
) -> None:
    """Tell the client the hour and nothing else, if they know of the meeting and want letters."""
    client = addressbook.facts(connection, case["client_id"])
    zone = ZoneInfo(client.time_zone)
    if client.checkins == "stopped" or not _is_told(connection, office, row):
        return
    awake = hours.quiet_hours(office.config).next_allowed(now, zone)
    if awake > now:
        errands.put(connection, row["case_id"], REMIND, row["id"], awake)
        return
    when = templates.hour(row["starts_at"].astimezone(zone), case["language"])
    asked = Asked(REMIND, {"when": when}, once=f"reminder:{which}", is_answer=False)
    letters.ask(connection, office, case, asked, now)


def _written_at(connection: Connection, office: Office, row: RowMapping) -> datetime | None:
    found = _letter(connection, office, row)
    return found["created_at"] if found else None


def _letter(connection: Connection, office: Office, row: RowMapping) -> RowMapping | None:
    return statements.one(connection, letters.outgoing, id=meetings.opened(office, row).letter)


def _is_told(connection: Connection, office: Office, row: RowMapping) -> bool:
    """Tell whether the letter about the meeting has left."""
    found = _letter(connection, office, row)
    return found is not None and found["state"] in letters.LEFT


def _remind_staff(
    connection: Connection,
    office: Office,
    case: RowMapping,
    row: RowMapping,
    which: str,
    now: datetime,
) -> None:
    """Tell whoever meets the client the hour, at their own address: no name and no case."""
    person = office.config.person(case["assignee"] or row["author"])
    if person is None:
        return
    language = staff.language_of(office, person)
    zone = ZoneInfo(office.config.centre.time_zone)
    facts = {"when": templates.hour(row["starts_at"].astimezone(zone), language)}
    staff.tell(connection, office, person, STAFF, facts, f"{STAFF}:{which}", now)


def end(connection: Connection, office: Office, errand: RowMapping, now: datetime) -> None:  # noqa: ARG001
    """Say that a meeting is over (an errand's duty); what was answered to it is shown no more."""
    row = statements.one(connection, appointments, id=errand["ref"])
    if row and row["ends_at"] <= now and row["state"] in meetings.TO_COME:
        statements.change(connection, appointments, row["id"], state="past")
        meetings.answer_seen(connection, row, "service", now)
