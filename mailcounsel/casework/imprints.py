"""Keyed hashes by which a lock or a signature is known again, of letters that came."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select

from mailcounsel.casework import records
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

imprints = models.table(models.Imprint)


def known(connection: Connection, lookup: bytes) -> list[RowMapping]:
    """Return the letters that bore the same, oldest first, and let no other come between.

    Of each its `id`, its `case_id`, and the `sender_lookup` that was kept.
    """
    statements.take_turns(connection, lookup)
    entries = records.letters
    same = (imprints.c.letter_id == entries.c.id) & (imprints.c.lookup == lookup)
    query = select(entries.c.id, entries.c.case_id, imprints.c.sender_lookup).where(same)
    return list(connection.execute(query.order_by(entries.c.id)).mappings())


def keep(connection: Connection, lookup: bytes, letter_id: str, sender_lookup: bytes = b"") -> None:
    """Know a letter again from now on."""
    row = {"id": new_id(), "letter_id": letter_id, "lookup": lookup}
    statements.add(connection, imprints, **row, sender_lookup=sender_lookup)
