"""Files that go with a reply: brought in pieces, sealed in flight, forgotten when sent.

The therapist's process brings them before it signs; what it signs names each file with its SHA-256,
so nothing can be put in their place. They leave encrypted only: a letter with files never goes as
ordinary mail. What was brought and never signed is forgotten a day later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from mailcounsel import errors
from mailcounsel.casework import errands
from mailcounsel.casework.office import Office
from mailcounsel.letter.attachments import Attachment
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

enclosures = models.table(models.Enclosure)

FORGET = "enclosures-forget"  # the kind of errand
MOST_FILES = 100


@dataclass(frozen=True, slots=True)
class File:
    """A file as a signed statement names it. `digest` is SHA-256, hexadecimal."""

    name: str
    content_type: str
    size: int
    digest: str


def named_in(said: Mapping[str, Any]) -> tuple[File, ...]:
    """Return the files a statement names. Raises: Refused where it names them wrongly."""
    listed = said.get("files", [])
    try:
        found = tuple(
            File(str(one["name"]), str(one["type"]), int(one["size"]), str(one["sha256"]))
            for one in listed
        )
    except (TypeError, KeyError, ValueError) as fault:
        message = "The files of this letter are not named as they should be. Nothing was sent."
        raise errors.Refused(message) from fault
    if len(found) > MOST_FILES:
        message = f"A letter can carry {MOST_FILES} files at most. Nothing was sent."
        raise errors.Refused(message)
    return found


def bring(
    connection: Connection,
    office: Office,
    case: RowMapping,
    draft: str,
    place: tuple[int, int],
    data: bytes,
    expires_at: datetime,
) -> None:
    """Keep a piece of a file: the `place` is the file's number and where in it the piece starts.

    Raises: OverBudget beyond `limits.attachment_bytes` for all files of a draft together.
    """
    number, start = place
    if statements.one(connection, enclosures, draft=draft, number=number, start=start):
        return
    held = select(func.coalesce(func.sum(enclosures.c.size), 0)).where(enclosures.c.draft == draft)
    most = office.config.limits.attachment_bytes
    if int(connection.execute(held).scalar_one()) + len(data) > most:
        message = f"The files of a letter may weigh {most} bytes together. Nothing was sent."
        raise errors.OverBudget(message)
    row_id = new_id()
    sealed = office.keyring.seal("inflight", data, f"enclosure/{row_id}/sealed")
    row = {"id": row_id, "case_id": case["id"], "size": len(data), "sealed": sealed}
    where = {"draft": draft, "number": number, "start": start}
    statements.add(connection, enclosures, **row, **where)
    errands.put(connection, case["id"], FORGET, draft, expires_at)


def claim(
    connection: Connection, office: Office, draft: str, files: Sequence[File], outgoing_id: str
) -> None:
    """Tie what was brought to its letter. Raises: Refused where it is not what was signed."""
    brought = _of(connection, office, enclosures.c.draft == draft)
    there = [(len(data), hashlib.sha256(data).hexdigest()) for data in brought]
    if there != [(file.size, file.digest) for file in files]:
        message = "The files that arrived are not those that were signed. Nothing was sent."
        raise errors.Refused(message)
    ours = update(enclosures).where(enclosures.c.draft == draft)
    connection.execute(ours.values(outgoing_id=outgoing_id))


def of_letter(
    connection: Connection, office: Office, outgoing_id: str, files: Sequence[Sequence[str]]
) -> tuple[Attachment, ...]:
    """Return the files of a letter that leaves; `files` are their names and types, in order.

    Raises: SealBroken, also where a file is missing: a letter never leaves with less than approved.
    """
    brought = _of(connection, office, enclosures.c.outgoing_id == outgoing_id)
    if len(brought) != len(files):
        raise errors.SealBroken
    return tuple(
        Attachment(name, kind, data) for (name, kind), data in zip(files, brought, strict=True)
    )


def _of(connection: Connection, office: Office, which: Any) -> list[bytes]:
    """Return the files in their order, each put together from its pieces."""
    query = select(enclosures).where(which).order_by(enclosures.c.number, enclosures.c.start)
    found: dict[int, bytearray] = {}
    for row in connection.execute(query).mappings():
        file = found.setdefault(row["number"], bytearray())
        if len(file) != row["start"] or row["number"] != len(found) - 1:
            raise errors.SealBroken
        file += office.keyring.open(row["sealed"], f"enclosure/{row['id']}/sealed")
    return [bytes(file) for file in found.values()]


def forget(connection: Connection, outgoing_id: str) -> None:
    """Take the files of a letter away: it was sent, or taken back."""
    connection.execute(delete(enclosures).where(enclosures.c.outgoing_id == outgoing_id))


def forget_draft(
    connection: Connection, _office: Office, errand: RowMapping, _now: datetime
) -> None:
    """Do the errand `enclosures-forget`: what was brought for a draft nobody signed goes."""
    unsigned = (enclosures.c.draft == errand["ref"]) & enclosures.c.outgoing_id.is_(None)
    connection.execute(delete(enclosures).where(unsigned))
