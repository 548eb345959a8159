"""A client's answer to an invitation: a calendar's, or a plain yes or no. Only where it is proved.

A calendar's answer (RFC 5546 section 3.2.3) counts by the meeting's id, for the newest time that
was proposed. Plain words count when the letter of ours they answer is the one that proposed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, select

from mailcounsel.casework import meetings, records
from mailcounsel.casework.meetings import appointments
from mailcounsel.casework.office import Office
from mailcounsel.letter import calendars
from mailcounsel.practice import yes_no
from mailcounsel.store import models, statements
from mailcounsel.store.ready import Ready, among

message_ids = models.table(models.MessageId)

ACCEPTED, DECLINED = "accepted", "declined"
_SAID = {"ACCEPTED": ACCEPTED, "DECLINED": DECLINED}

_TO_COME = Ready(
    select(appointments)
    .where(appointments.c.case_id == bindparam("case"))
    .where(among(appointments.c.state, *meetings.STANDING))
    .where(appointments.c.ends_at > bindparam("now", type_=appointments.c.ends_at.type))
)


def to_come(connection: Connection, case_ids: Sequence[str], now: datetime) -> list[RowMapping]:
    """Return the meetings of some cases that an answer could still be about."""
    return [row for one in case_ids for row in _TO_COME.rows(connection, {"case": one, "now": now})]


def by_calendar(
    connection: Connection,
    office: Office,
    rows: Sequence[RowMapping],
    said: calendars.Reply,
    now: datetime,
) -> str:
    """Keep a calendar's answer. Return *accepted*, *declined*, or "" where it says neither.

    An answer to an earlier time than the one proposed last says neither.
    """
    for row in rows:
        is_current = said.sequence == row["sequence"]
        if said.partstat in _SAID and is_current and meetings.opened(office, row).uid == said.uid:
            return _keep(connection, row, _SAID[said.partstat], now)
    return ""


def by_words(
    connection: Connection,
    office: Office,
    rows: Sequence[RowMapping],
    references: Sequence[str],
    words: str,
    now: datetime,
) -> str:
    """Keep a plain yes or no. Return *accepted*, *declined*, or "" where a person has to read it.

    `references` run from the nearest to the oldest; the nearest that is a letter of ours counts.
    """
    said = yes_no.read(words)
    letter = None if said is None else _nearest(connection, office, references)
    for row in rows if letter else ():
        if meetings.opened(office, row).letter == letter:
            return _keep(connection, row, ACCEPTED if said else DECLINED, now)
    return ""


def _nearest(connection: Connection, office: Office, references: Sequence[str]) -> str | None:
    """Return the letter of ours that is meant, by its id in the outbox."""
    for reference in references:
        lookup = office.keyring.lookup("message-id", reference.encode())
        found = statements.every(connection, message_ids, lookup=lookup)
        ours = [str(row["outgoing_id"]) for row in found if row["outgoing_id"]]
        if ours:
            return ours[-1]
    return None


def _keep(connection: Connection, row: RowMapping, state: str, now: datetime) -> str:
    statements.change(connection, appointments, row["id"], state=state)
    verb = f"appointment-{state}"
    records.audit(connection, now, "client", verb, row["case_id"], row["id"])
    return state
