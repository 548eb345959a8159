"""The entries of a case: letters that came, letters that went, notes. Written, never read here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from mailcounsel import errors
from mailcounsel.crypto import sealing
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.store.ready import Ready
from mailcounsel.trust import casekeys

cases = models.table(models.Case)
letters = models.table(models.Letter)
attachments = models.table(models.Attachment)
audits = models.table(models.Audit)
flags = models.table(models.Flag)

FORMAT = 1  # of the content of an entry
# What a therapist writes into a case: words, and the steps of a journey. All sealed alike.
NOTES = frozenset(
    {
        "note",
        "contract",
        "summary",
        "plan",
        "activity",
        "skill",
        "measure",
        "strength",
        "evaluation",
    }
)

_NEXT = Ready(
    update(cases)
    .where(cases.c.id == bindparam("case"))
    .values(letters=cases.c.letters + 1)
    .returning(cases.c.letters, cases.c.epoch)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is put into a case. `content` is sealed to its readers, `source` to supervisors."""

    direction: str  # in, out, note
    kind: str
    at: datetime
    content: Mapping[str, Any]
    vouching: str = ""
    suspect: bool = False
    author: str | None = None
    attachments: Sequence[bytes] = ()
    source: bytes | None = None


def write(connection: Connection, keyring: ServiceKeyring, case_id: str, entry: Entry) -> str:
    """Seal an entry into a case and return its id. Entries are numbered in the order they come."""
    (counted,) = _NEXT.rows(connection, {"case": case_id})
    number, epoch = counted["letters"], counted["epoch"]
    letter_id, publics = new_id(), casekeys.publics(connection, keyring, case_id, epoch)

    def sealed(purpose: str, plaintext: bytes, column: str) -> bytes:
        return sealing.seal_to(publics[purpose], plaintext, f"letter/{letter_id}/{column}")

    content = json.dumps({"format": FORMAT, **entry.content}, ensure_ascii=False).encode()
    statements.add(
        connection,
        letters,
        id=letter_id,
        case_id=case_id,
        number=number,
        epoch=epoch,
        direction=entry.direction,
        kind=entry.kind,
        at=entry.at,
        vouching=entry.vouching,
        suspect=entry.suspect,
        author=entry.author,
        content=sealed(casekeys.CONTENT, content, "content"),
        source=sealed(casekeys.SOURCE, entry.source, "source") if entry.source else None,
    )
    for place, data in enumerate(entry.attachments):
        body = sealed(casekeys.CONTENT, data, f"attachment/{place}")
        statements.add(connection, attachments, letter_id=letter_id, number=place, content=body)
    return letter_id


def next_place(connection: Connection, case_id: str) -> int:
    """Hand out the number of a case's next entry."""
    return int(_NEXT.scalar(connection, {"case": case_id}))


def write_note(
    connection: Connection,
    case: RowMapping,
    letter_id: str,
    sealed: bytes,
    author: str,
    now: datetime,
    kind: str = "note",
) -> None:
    """Keep a note its author sealed in their own process, context `letter/ID/content`.

    `kind` is one of `NOTES`. Raises: Refused for another.
    """
    if kind not in NOTES:
        message = "There is no such kind of note."
        raise errors.Refused(message)
    number = next_place(connection, case["id"])
    statements.add(
        connection,
        letters,
        id=letter_id,
        case_id=case["id"],
        number=number,
        epoch=case["epoch"],
        direction="note",
        kind=kind,
        at=now,
        vouching="",
        suspect=False,
        author=author,
        content=sealed,
    )
    audit(connection, now, author, f"{kind}-added", case["id"], letter_id)


def of_case(connection: Connection, case_ids: Sequence[str]) -> list[RowMapping]:
    """Return the entries of some cases without their raw mail, oldest first."""
    columns = [column for column in letters.c if column.name != "source"]
    query = select(*columns).where(letters.c.case_id.in_(case_ids))
    return list(
        connection.execute(query.order_by(letters.c.at, letters.c.number, letters.c.id)).mappings()
    )


def audit(
    connection: Connection,
    now: datetime,
    actor: str,
    verb: str,
    case_id: str | None = None,
    ref: str = "",
) -> None:
    """Write down that something happened. `verb` and `ref` are codes and opaque ids, no words."""
    statements.add(connection, audits, at=now, actor=actor, verb=verb, case_id=case_id, ref=ref)


def flag(connection: Connection, now: datetime, case_id: str, kind: str, ref: str = "") -> None:
    """Raise a flag that stays until a person clears it. One of a kind and ref at a time."""
    same: dict[str, Any] = {"case_id": case_id, "kind": kind, "ref": ref, "cleared_at": None}
    if not statements.one(connection, flags, **same):
        new = {"id": new_id(), "raised_at": now, "cleared_by": None}
        statements.add(connection, flags, **same, **new)


def clear_flag(
    connection: Connection, now: datetime, case_id: str, kind: str, by: str, ref: str | None = None
) -> None:
    """Clear the flags of a kind (and ref) on a case."""
    if not statements.one(connection, flags, case_id=case_id, kind=kind, cleared_at=None):
        return  # nearly always, and every letter of a client asks
    standing = (flags.c.case_id == case_id) & (flags.c.kind == kind) & flags.c.cleared_at.is_(None)
    if ref is not None:
        standing &= flags.c.ref == ref
    connection.execute(update(flags).where(standing).values(cleared_at=now, cleared_by=by))


def flags_of(connection: Connection, case_ids: Sequence[str]) -> list[RowMapping]:
    """Return the standing flags of some cases, oldest first."""
    standing = flags.c.case_id.in_(case_ids) & flags.c.cleared_at.is_(None)
    query = select(flags).where(standing).order_by(flags.c.raised_at, flags.c.id)
    return list(connection.execute(query).mappings())
