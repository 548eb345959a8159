"""A reply that did not reach its client: refused when it was handed over, or sent back later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select

from mailcounsel.casework import cases, letters, risk, staff
from mailcounsel.casework.office import Office
from mailcounsel.store import statements

OFTEN = 3  # tries, some six minutes; a server that asks to come again was asked by then


def failed(
    connection: Connection, office: Office, outgoing_id: str, fence: int, now: datetime, reason: str
) -> bool:
    """Give up on a letter and show it to a person; a reply presses. False: the claim was lost.

    The case is locked before the letter, since whoever locks both begins with the case.
    """
    row = statements.row(connection, letters.outgoing, outgoing_id)
    is_reply = row["kind"] == "reply" and row["case_id"] is not None
    if is_reply:
        cases.get(connection, cases.main(connection, row["case_id"])["id"], lock=True)
    is_ours = letters.failed(connection, outgoing_id, fence, now, reason)
    if is_ours and is_reply:
        press(connection, office, row, row["letter_id"] or outgoing_id, now, now)
    return is_ours


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


def tried_in_vain(connection: Connection, office: Office, person: str | None) -> int:
    """Count the letters that were tried again and again and could not leave yet.

    Of all letters, or of the cases that a person may open.
    """
    out = letters.outgoing
    stuck = (out.c.state == "ready") & (out.c.attempts >= OFTEN)
    if person is not None:
        theirs = select(cases.cases.c.id).where(cases.theirs(office, person))
        stuck &= out.c.case_id.in_(theirs)
    return int(connection.execute(select(func.count()).where(stuck)).scalar_one())
