"""A client's answer to an invitation: a calendar's, or a plain yes or no. Only where it is proved.

A calendar's answer (RFC 5546 section 3.2.3) counts by the meeting's id, for the newest time that
was proposed. Plain words count when the letter of ours they answer is the one that proposed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, select

from mailcounsel.casework import cases, confirming, meetings, records, staff
from mailcounsel.casework.meetings import ACCEPTED, DECLINED, appointments
from mailcounsel.casework.office import Office
from mailcounsel.casework.references import ours
from mailcounsel.letter import calendars
from mailcounsel.letter.parse import Letter
from mailcounsel.practice import yes_no
from mailcounsel.store import statements
from mailcounsel.store.ready import Ready, among

_SAID = {"ACCEPTED": ACCEPTED, "DECLINED": DECLINED}

_TO_COME = Ready(
    select(appointments)
    .where(appointments.c.case_id == bindparam("case"))
    .where(among(appointments.c.state, *meetings.STANDING))
    .where(appointments.c.ends_at > bindparam("now", type_=appointments.c.ends_at.type))
)


def take(
    connection: Connection,
    office: Office,
    case_ids: Sequence[str],
    letter: Letter,
    words: str,
    now: datetime,
) -> tuple[str, bool]:
    """Keep what a proved letter says of a meeting, and tell whether it says nothing else.

    Returns *accepted*, *declined*, or "" where it says neither. `words` are those a person wrote
    now, "" in a program's letter.
    """
    at = {"now": now}
    rows = [row for one in case_ids for row in _TO_COME.rows(connection, {"case": one, **at})]
    for reply in calendars.replies(letter.attachments) if rows else ():
        said = _by_calendar(connection, office, rows, reply, now)
        if said:
            return said, not reply.comment
    return _by_words(connection, office, rows, letter, words, now) if rows else "", True


def _by_calendar(
    connection: Connection,
    office: Office,
    rows: Sequence[RowMapping],
    said: calendars.Reply,
    now: datetime,
) -> str:
    """Keep a calendar's answer; one to an earlier time than the one proposed last says nothing."""
    for row in rows:
        is_current = said.sequence == row["sequence"]
        if said.partstat in _SAID and is_current and meetings.opened(office, row).uid == said.uid:
            return _keep(connection, office, row, _SAID[said.partstat], now)
    return ""


def _by_words(
    connection: Connection,
    office: Office,
    rows: Sequence[RowMapping],
    letter: Letter,
    words: str,
    now: datetime,
) -> str:
    """Keep a plain yes or no to the very letter that proposed the time."""
    is_yes = yes_no.read(words)
    references = [*letter.in_reply_to, *reversed(letter.references)]
    nearest = [] if is_yes is None else next(ours(connection, office, references), [])
    for row in rows if nearest else ():
        if meetings.opened(office, row).letter == nearest[-1]:
            said = _keep(connection, office, row, ACCEPTED if is_yes else DECLINED, now)
            if said == ACCEPTED:
                confirming.confirm(connection, office, row, now, is_answer=True)
            return said
    return ""


def is_about_one(
    connection: Connection,
    office: Office,
    case_ids: Sequence[str],
    references: Sequence[str],
    now: datetime,
) -> bool:
    """Tell whether a letter answers the one that proposed a meeting which is to come."""
    rows = [row for one in case_ids for row in _TO_COME.rows(connection, {"case": one, "now": now})]
    nearest = next(ours(connection, office, references), []) if rows else []
    return any(meetings.opened(office, row).letter in nearest for row in rows)


def _keep(
    connection: Connection, office: Office, row: RowMapping, state: str, now: datetime
) -> str:
    """Keep what the client answered, and let whoever meets them hear of it once."""
    if row["state"] != state:
        statements.change(connection, appointments, row["id"], state=state)
        meetings.show_answer(connection, row, state, now)
        staff.notify(connection, office, cases.main(connection, row["case_id"]), "", now)
    records.audit(connection, now, "client", f"appointment-{state}", row["case_id"], row["id"])
    return state
