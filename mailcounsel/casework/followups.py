"""A good ending, and the letter three months after it that asks how it is going.

The letter says nothing about anybody, is sent once, and not to a client who said STOP, who has
been in touch again, or whose file was erased.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import cases, errands, hours, letters, records, rounds
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.store import statements
from mailcounsel.trust import addressbook

KIND = "follow-up"  # the errand, and the template
AFTER = timedelta(weeks=13)  # three months, and the same day of the week
PAUSE = timedelta(weeks=2)  # how long it waits where the client wanted a rest


def end(connection: Connection, case: RowMapping, by: str, now: datetime) -> datetime:
    """Close a case at a good ending; return when the client is asked how it is going.

    Raises: Conflict while a risk is open.
    """
    cases.close(connection, case, by, now)
    rounds.begin(connection, case, by, now)
    statements.change(connection, cases.cases, case["id"], rhythm_days=0, evaluate_every=0)
    errands.drop(connection, KIND, case["id"])
    asked_at = now + AFTER
    errands.put(connection, case["id"], KIND, case["id"], asked_at)
    return asked_at


def ask(connection: Connection, office: Office, errand: RowMapping, now: datetime) -> None:
    """Ask a client how it is going since their case ended (an errand's duty)."""
    case = cases.main(connection, errand["case_id"])
    client = addressbook.facts(connection, case["client_id"])
    if case["state"] != "closed" or case["erased_at"] or client.checkins == "stopped":
        records.audit(connection, now, "service", "not-sent-follow-up", case["id"], errand["id"])
        return
    if client.checkins == "paused":
        errands.put(connection, case["id"], KIND, errand["ref"], now + PAUSE)
        return
    awake = hours.quiet_hours(office.config).next_allowed(now, ZoneInfo(client.time_zone))
    once = f"follow-up:{errand['id']}"
    asked = Asked(KIND, {}, once=once, is_answer=False, due_at=awake)
    letters.ask(connection, office, case, asked, now)
