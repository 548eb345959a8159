"""The centre as a whole: who calls, quarantine, the balance of letters, how the parts are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from mailcounsel import errors
from mailcounsel.casework import letters
from mailcounsel.intake import inbox
from mailcounsel.service import checks, watermark
from mailcounsel.service.control import Parameters, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import iso
from mailcounsel.store import models, schema

mailboxes = models.table(models.Mailbox)
people = models.table(models.Person)

ENDS = ("case", "quarantine", "discarded", "own-loop")


def hello(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say who the service takes the caller for."""
    return {"people": list(caller.people), "now": iso(desk.now())}


def quarantine(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """List the letters that could not be placed after three attempts. No word of them."""
    rows = inbox.quarantined(desk.store)
    shown = [
        {"id": row.inbox_id, "received_at": iso(row.received_at), "reason": row.reason}
        for row in rows
    ]
    return {"letters": shown}


def retry(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Try quarantined letters again: the one named, or all of them."""
    name, now = text(parameters, "id", ""), desk.now()
    rows = inbox.quarantined(desk.store)
    wanted = [row.inbox_id for row in rows if row.inbox_id.endswith(name)]
    if name and len(wanted) != 1:
        message = "There is no such letter in quarantine. `mailcounsel quarantine list` shows them."
        raise errors.NotFound(message)
    for inbox_id in wanted:
        inbox.retry(desk.store, inbox_id, now)
    desk.ring("intake")
    return {"retried": len(wanted)}


def reconcile(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return the balance: every letter that was seen, by where it ended, and the mailboxes."""
    returns = watermark.read(desk.office.config)["returns"]
    return {**balance(desk), "mailboxes": checks.mailboxes(desk), "returns": returns}


def balance(desk: Desk) -> dict[str, Any]:
    """Count letters in and where they are; `lost` is what is nowhere, and must be zero."""
    counts = inbox.counts(desk.store)
    ends = {name: counts.letters.get(name, 0) for name in (*ENDS, "received")}
    total = sum(counts.letters.values())
    return {
        "in": total,
        **ends,
        "seen": counts.sightings,
        "lost": counts.lost + desk.store.read(_missing),
    }


def _missing(connection: Connection) -> int:
    """Count inbox rows that claim to be in a case where no such letter is."""
    rows, entries = models.table(models.Inbox), models.table(models.Letter)
    there = select(entries.c.id).where(entries.c.id == rows.c.letter_id)
    gone = select(func.count()).where(rows.c.state == "case", ~there.exists())
    empty = select(func.count()).where(
        rows.c.state.in_(["received", "quarantine"]), rows.c.raw.is_(None)
    )
    return int(connection.execute(gone).scalar_one()) + int(connection.execute(empty).scalar_one())


def status(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say how the parts are, as far as the service itself knows. No word of anybody's letter."""

    def read(connection: Connection) -> dict[str, Any]:
        boxes = connection.execute(select(mailboxes)).mappings().all()
        out = letters.outgoing
        states = select(out.c.state, func.count().label("number")).group_by(out.c.state)
        return {
            "schema": schema.revision(connection),
            "newest_schema": schema.newest(),
            "enrolled": list(connection.execute(select(people.c.name)).scalars()),
            "outbox": {row.state: row.number for row in connection.execute(states)},
            "mailboxes": [
                {"problem": box["problem"], "looked_at": iso(box["looked_at"])} for box in boxes
            ],
        }

    return {**desk.store.read(read), **balance(desk), "now": iso(desk.now())}
