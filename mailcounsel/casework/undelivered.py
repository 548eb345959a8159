"""A reply that did not reach its client: refused when it was handed over, or sent back later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from mailcounsel.casework import cases, letters, risk, staff
from mailcounsel.casework.office import Office


def failed(
    connection: Connection, office: Office, outgoing_id: str, fence: int, now: datetime, reason: str
) -> bool:
    """Give up on a letter and show it to a person; a reply presses. False: the claim was lost."""
    if not letters.failed(connection, outgoing_id, fence, now, reason):
        return False
    one = letters.outgoing.c.id == outgoing_id
    row = connection.execute(select(letters.outgoing).where(one)).mappings().one()
    if row["kind"] == "reply" and row["case_id"]:
        press(connection, office, row, row["letter_id"] or outgoing_id, now, now)
    return True


def press(
    connection: Connection,
    office: Office,
    row: RowMapping,
    entry_id: str,
    since: datetime,
    now: datetime,
) -> None:
    """Let the case wait again, loudly: its client has no answer, and may be in danger.

    `row` is the reply, `entry_id` the entry of the case that tells of it, `since` when that came.
    """
    case = cases.main(connection, row["case_id"])
    cases.letter_waits(connection, office, case, since)
    cases.raise_priority(connection, case["id"], "high")
    staff.notify(connection, office, case, f"bounce:{row['id']}", now)
    if cases.has_open_risk(connection, case):
        risk.raise_risk(connection, office, case["id"], entry_id, now, cause="bounced")
