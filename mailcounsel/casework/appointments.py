"""Meetings by video or telephone: proposed, moved and cancelled by a signed letter with a calendar.

    proposed ──▶ accepted, declined (by the client)      moved ──▶ accepted, declined
        └──▶ moved, cancelled (by the therapist)         … ──▶ past, once it is over

The letter goes the way of every reply. The calendar in it is made here from what the therapist
signed, since only the service knows the client's address. A row keeps the meeting's link sealed
with the address book's key: reminders are sent while nobody who could open it is there.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import (
    cases,
    confirming,
    letters,
    meetings,
    records,
    reminders,
    replies,
    rounds,
)
from mailcounsel.casework.meetings import appointments
from mailcounsel.casework.office import Office
from mailcounsel.casework.parcels import Parcel
from mailcounsel.letter import invitations
from mailcounsel.store import statements

PROPOSE, MOVE, CANCEL = "propose", "move", "cancel"
MOST_MINUTES = 480
LONGEST_ROOM = 500  # characters
_ROOM = re.compile(r"https://[!-~]+")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a therapist signed about a meeting. `number` is 0 for a new one."""

    act: str
    number: int
    sequence: int
    starts_at: datetime
    ends_at: datetime
    room: str


def send(
    connection: Connection,
    office: Office,
    person: str,
    statement: str,
    signature: bytes,
    now: datetime,
) -> tuple[dict[str, Any], RowMapping]:
    """Send the letter that proposes, moves or cancels a meeting, and keep the meeting.

    Returns what `replies.approve` does, and the row. Raises as that does; Refused for a time or a
    link that cannot be; NotFound, Conflict for a meeting that is not there or changed meanwhile.
    """
    plan, case_id = _read(statement)
    _check(plan, now)
    case = cases.get(connection, case_id, lock=True)
    row = None if plan.act == PROPOSE else _standing(connection, case, plan)
    old = meetings.opened(office, row) if row else None
    uid = old.uid if old else _new_uid(office, case)
    room = plan.room if plan.act != CANCEL or old is None else old.room

    def enclose(parcel: Parcel) -> Parcel:
        method = invitations.CANCEL if plan.act == CANCEL else invitations.REQUEST
        meeting = invitations.Meeting(
            uid=uid,
            sequence=plan.sequence,
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            written_at=now,
            organiser=parcel.from_address,
            organiser_name=parcel.from_name,
            guest=parcel.to_address,
            room=room,
            language=case["language"],
        )
        return replace(parcel, calendar=invitations.calendar(meeting, method), method=method)

    sent = replies.approve(connection, office, person, statement, signature, now, enclose)
    rounds.beside(connection, case_id, sent["id"], person, now)
    letter = statements.row(connection, letters.outgoing, sent["id"])
    letters.name_message(connection, office, case_id, uid, letter["letter_id"], letter["id"])
    kept = meetings.Sealed(uid, room, sent["id"], _before(row, old))
    row = _written(connection, office, case_id, row, plan, kept, person, now)
    reminders.plan(connection, office, row, now)
    records.audit(connection, now, person, f"appointment-{plan.act}", case_id, row["id"])
    return sent, row


def _read(statement: str) -> tuple[Plan, str]:
    """Read what was signed about a meeting; whether it was signed is seen to by `approve`."""
    try:
        said = json.loads(statement)
        signed, case_id = said["appointment"], str(said["ticket"]["case"])
        plan = Plan(
            act=str(signed["act"]),
            number=int(signed["number"]),
            sequence=int(signed["sequence"]),
            starts_at=datetime.fromisoformat(signed["starts_at"]),
            ends_at=datetime.fromisoformat(signed["ends_at"]),
            room=str(signed["room"]),
        )
    except (KeyError, TypeError, ValueError) as fault:
        message = "This letter says nothing about an appointment. Nothing was sent."
        raise errors.Refused(message) from fault
    return plan, case_id


def _check(plan: Plan, now: datetime) -> None:
    if plan.act not in {PROPOSE, MOVE, CANCEL} or plan.starts_at.tzinfo is None:
        message = "This letter says nothing about an appointment. Nothing was sent."
        raise errors.Refused(message)
    if plan.act != CANCEL and plan.starts_at <= now:
        message = "An appointment begins later than now. Nothing was sent."
        raise errors.Refused(message)
    if not timedelta(0) < plan.ends_at - plan.starts_at <= timedelta(minutes=MOST_MINUTES):
        message = f"An appointment lasts from 1 to {MOST_MINUTES} minutes. Nothing was sent."
        raise errors.Refused(message)
    if plan.room and (len(plan.room) > LONGEST_ROOM or not _ROOM.fullmatch(plan.room)):
        message = "A room is a link that begins with https://, without blanks. Nothing was sent."
        raise errors.Refused(message)


def _standing(connection: Connection, case: RowMapping, plan: Plan) -> RowMapping:
    row = statements.one(connection, appointments, case_id=case["id"], number=plan.number)
    if row is None or row["state"] not in meetings.STANDING:
        name = cases.handle(case["number"])
        message = f"{name} has no appointment A{plan.number} that could be changed."
        raise errors.NotFound(message)
    if plan.sequence != row["sequence"] + 1:
        message = "The appointment changed while you wrote. Nothing was sent; look again."
        raise errors.Conflict(message)
    return row


def _new_uid(office: Office, case: RowMapping) -> str:
    """Return an id in the form of our Message-IDs: it brings an answer back to its case."""
    token = office.keyring.open(case["sealed_token"], f"case/{case['id']}/token").decode()
    domain = letters.inbox_address(office, case).rpartition("@")[2]
    return f"{token}.{secrets.token_hex(8)}@{domain}"


def _before(row: RowMapping | None, old: meetings.Sealed | None) -> dict[str, Any] | None:
    """Return how a meeting stands: the row's values, and what is sealed in it."""
    if row is None or old is None:
        return None
    moments = {name: row[name].isoformat() for name in ("starts_at", "ends_at")}
    sealed = {"room": old.room, "letter": old.letter, "before": old.before}
    return {"state": row["state"], "author": row["author"], **moments, "sealed": sealed}


def _written(
    connection: Connection,
    office: Office,
    case_id: str,
    row: RowMapping | None,
    plan: Plan,
    kept: meetings.Sealed,
    person: str,
    now: datetime,
) -> RowMapping:
    values = {
        "state": {PROPOSE: "proposed", MOVE: "moved", CANCEL: "cancelled"}[plan.act],
        "sequence": plan.sequence,
        "starts_at": plan.starts_at,
        "ends_at": plan.ends_at,
        "author": person,
    }
    row_id = row["id"] if row else kept.letter
    values["sealed"] = meetings.seal(office, row_id, kept)
    if row:
        statements.change(connection, appointments, row_id, **values)
        meetings.answer_seen(connection, row, person, now)
    else:
        number = meetings.next_number(connection, case_id)
        statements.add(
            connection, appointments, id=row_id, case_id=case_id, number=number, **values
        )
    return statements.row(connection, appointments, row_id)


def taken_back(connection: Connection, office: Office, reply: RowMapping, now: datetime) -> None:
    """A reply was taken back before it left: a meeting it told of is what it was before."""
    family = cases.family(connection, cases.main(connection, reply["case_id"]))
    for row in meetings.of_cases(connection, family):
        kept = meetings.opened(office, row)
        if kept.letter != reply["id"]:
            continue
        confirming.taken_back(connection, row)
        if kept.before is None:
            statements.change(connection, appointments, row["id"], state="cancelled")
            continue
        moments = ("starts_at", "ends_at")
        values = {
            name: datetime.fromisoformat(value) if name in moments else value
            for name, value in kept.before.items()
            if name != "sealed"
        }
        stood = replace(kept, **kept.before["sealed"])
        values["sealed"] = meetings.seal(office, row["id"], stood)
        # The sequence stays as it is: one that was signed once is not used a second time.
        statements.change(connection, appointments, row["id"], **values)
        reminders.plan(connection, office, statements.row(connection, appointments, row["id"]), now)
