"""Letters: fetched in pieces, replied to, noted, taken back, and the outbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, or_, select, update

from mailcounsel import errors
from mailcounsel.casework import (
    appointments,
    cases,
    enclosures,
    letters,
    records,
    replies,
    rounds,
    takebacks,
)
from mailcounsel.service.control import Parameters, data, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import b64, iso, readable

PIECE_BYTES = 512 * 1024
LONGEST_NUMBER = 9  # digits of an attachment's number
LISTED = 500  # letters of the outbox shown at once
DONE = ("sent", "undone", "settled")  # nobody has to decide anything about these
LEAVING = ("ready", "handing-over")  # nor about these, unless they get stuck
RECENT = timedelta(days=2)  # how long a sent letter stays in the outbox's list


def piece(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return a piece of a sealed value: `content`, `source`, or `attachment/N` of a letter."""
    part, offset = text(parameters, "part"), number(parameters, "offset", 0)

    def read(connection: Connection) -> bytes:
        query = select(records.letters).where(records.letters.c.id == text(parameters, "letter"))
        row = connection.execute(query).mappings().first()
        if row is None:
            raise errors.NotFound
        case = cases.get(connection, row["case_id"])
        main = cases.get(connection, case["merged_into"]) if case["merged_into"] else case
        if not cases.may_read(desk.office, main, caller.person):
            raise errors.NotFound
        return _part(connection, row, part)

    data = desk.store.read(read)
    return {"data": b64(data[offset : offset + PIECE_BYTES]), "total": len(data)}


def _part(connection: Connection, row: RowMapping, part: str) -> bytes:
    if part in {"content", "source"} and row[part] is not None:
        return bytes(row[part])
    kind, _, place = part.partition("/")
    files = records.attachments
    if kind == "attachment" and place.isdecimal() and len(place) <= LONGEST_NUMBER:
        query = select(files.c.content).where(
            files.c.letter_id == row["id"], files.c.number == int(place)
        )
        found = connection.execute(query).scalar_one_or_none()
        if found is not None:
            return bytes(found)
    raise errors.NotFound


def add_note(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep a note the caller sealed in their own process. `kind` is one of `records.NOTES`.

    `reply` names the reply it was written with, where there is one: `undo` takes back both.
    """
    now, kind = desk.now(), text(parameters, "kind", "note")
    reply = text(parameters, "reply", "")

    def write(connection: Connection) -> None:
        case = keep_note(connection, desk, caller, parameters, kind, now)
        if reply:
            entry = text(parameters, "letter")
            takebacks.belongs(connection, case, caller.person, reply, entry, now)
        if kind == "evaluation":
            rounds.begin(connection, case, caller.person, now)

    desk.store.write(write)
    return {}


def keep_note(
    connection: Connection,
    desk: Desk,
    caller: Caller,
    parameters: Parameters,
    kind: str,
    now: datetime,
) -> RowMapping:
    """Keep the sealed note of a request (`letter`, `epoch`, `content`), and return its case.

    Raises: Conflict when the case went to somebody else meanwhile; NotFound, Refused.
    """
    case = readable(connection, desk, caller, parameters)
    if case["epoch"] != number(parameters, "epoch"):
        raise errors.Conflict
    name, sealed = text(parameters, "letter"), data(parameters, "content")
    records.write_note(connection, case, name, sealed, caller.person, now, kind)
    return case


def begin_reply(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return a ticket for a reply and what its template needs."""
    now, template = desk.now(), text(parameters, "template", "reply")

    def read(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        return replies.begin(connection, desk.office, case, caller.person, now, template)

    return desk.store.read(read)


def approve_reply(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Take a reply the caller signed into the outbox."""
    now, signature = desk.now(), data(parameters, "signature")
    statement = text(parameters, "statement")
    approved = desk.store.write(
        lambda c: replies.approve(c, desk.office, caller.person, statement, signature, now)
    )
    desk.ring("outbox")
    return approved


def undo_reply(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Take back a reply of the caller's that has not left."""
    now, name = desk.now(), text(parameters, "id", "")

    def write(connection: Connection) -> RowMapping:
        row = replies.undo(connection, desk.office, caller.person, name, now)
        appointments.taken_back(connection, desk.office, row, now)
        return row

    row = desk.store.write(write)
    case = desk.store.read(lambda c: cases.get(c, row["case_id"]))
    return {"id": row["id"], "case": cases.handle(case["number"]), "letter": row["letter_id"]}


def outbox(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """List letters that are on their way, stuck, or left lately; `more` counts those not listed.

    What somebody may still have to decide about comes before what is done, each newest first.
    """
    out = letters.outgoing
    since = desk.now() - RECENT
    lately = or_(out.c.state.not_in(["sent", "undone"]), out.c.created_at > since)
    wanted = and_(lately, or_(out.c.case_id.is_not(None), out.c.state != "sent"))
    if "admin" not in caller.roles:
        of_case = select(cases.cases.c.id).where(cases.theirs(desk.office, caller.person))
        wanted &= out.c.case_id.in_(of_case)
    rank = (out.c.state.in_(DONE), out.c.state.in_(LEAVING))
    order = (*rank, out.c.created_at.desc(), out.c.id.desc())

    def read(connection: Connection) -> dict[str, Any]:
        listed = select(out).where(wanted).order_by(*order).limit(LISTED)
        rows = connection.execute(listed).mappings().all()
        total = connection.execute(select(func.count()).where(wanted)).scalar_one()
        shown = [_outgoing(connection, row) for row in rows]
        return {"letters": shown, "more": int(total) - len(rows)}

    return {**desk.store.read(read), "now": iso(desk.now())}


def _may_decide(connection: Connection, desk: Desk, caller: Caller, row: RowMapping) -> bool:
    """Tell whether a letter is the caller's to decide about: an admin sees others, and no more."""
    if row["case_id"] is None:
        return "admin" in caller.roles
    return cases.may_read(desk.office, cases.get(connection, row["case_id"]), caller.person)


def _outgoing(connection: Connection, row: RowMapping) -> dict[str, Any]:
    case = cases.get(connection, row["case_id"]) if row["case_id"] else None
    return {
        "id": row["id"],
        "case": cases.handle(case["number"]) if case else None,
        "kind": row["kind"],
        "state": row["state"],
        "reason": row["reason"],
        "author": row["author"],
        "attempts": row["attempts"],
        "due_at": iso(row["due_at"]),
        "sent_at": iso(row["sent_at"]),
    }


def _stuck(
    connection: Connection, desk: Desk, caller: Caller, parameters: Parameters
) -> RowMapping:
    """Return the letter a person decides about: uncertain, failed, or bounced."""
    out = letters.outgoing
    name = text(parameters, "id")
    query = select(out).where(out.c.id.endswith(name, autoescape=True)).limit(2)
    rows = [
        row
        for row in connection.execute(query.with_for_update()).mappings()
        if _may_decide(connection, desk, caller, row)
    ]
    if len(rows) != 1 or not name:
        message = "There is no such letter. `mailcounsel outbox` lists them."
        raise errors.NotFound(message)
    if rows[0]["state"] not in {"uncertain", "failed", "bounced"}:
        message = f"This letter is {rows[0]['state']}; there is nothing to decide about it."
        raise errors.Conflict(message)
    return rows[0]


def resend(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Send an uncertain or failed letter once more, since a person decided so. Same Message-ID."""
    now = desk.now()

    def write(connection: Connection) -> None:
        row = _stuck(connection, desk, caller, parameters)
        if row["sealed"] is None:
            message = "This letter was taken by the mail server and its words are only in the case."
            raise errors.Conflict(message)
        _decide(connection, caller, row, {"state": "ready", "due_at": now, "attempts": 0}, now)

    desk.store.write(write)
    desk.ring("outbox")
    return {}


def settle(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Let an uncertain, failed or bounced letter rest: a person has seen it."""
    now = desk.now()

    def write(connection: Connection) -> None:
        row = _stuck(connection, desk, caller, parameters)
        _decide(connection, caller, row, {"state": "settled", "sealed": None}, now)

    desk.store.write(write)
    return {}


def _decide(
    connection: Connection, caller: Caller, row: RowMapping, values: dict[str, Any], now: Any
) -> None:
    out = letters.outgoing
    connection.execute(update(out).where(out.c.id == row["id"]).values(reason="", **values))
    if values["state"] == "settled":
        enclosures.forget(connection, row["id"])
    if row["case_id"]:
        records.clear_flag(connection, now, row["case_id"], row["state"], caller.person, row["id"])
    verb = f"letter-{values['state']}-by-person"
    records.audit(connection, now, caller.person, verb, row["case_id"], row["id"])
