"""The keys of a case: a pair for its content and a pair for the raw mail, anew for each epoch.

The service makes a pair, seals its private half once to each reader, and forgets it; from then on
it can add letters to the case and read none. Content is for the case's readers; the raw mail with
its real headers (`source`) is for supervisors alone, so that a therapist stays blind to addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from mailcounsel import errors
from mailcounsel.crypto import sealing
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import models, statements
from mailcounsel.trust.roster import Reader

keys = models.table(models.CaseKey)
copies = models.table(models.CaseKeyCopy)

CONTENT = "content"
SOURCE = "source"


def place(case_id: str, epoch: int, purpose: str) -> str:
    """Return the context a copy of a case's private key is bound to."""
    return f"case/{case_id}/{epoch}/{purpose}"


def new_epoch(
    connection: Connection,
    keyring: ServiceKeyring,
    case_id: str,
    epoch: int,
    *,
    readers: Sequence[Reader],
    supervisors: Sequence[Reader],
    now: datetime,
) -> None:
    """Make the keys of an epoch: content for readers and supervisors, source for supervisors.

    Raises: Unavailable when no supervisor is enrolled, since their copy is mandatory.
    """
    if not supervisors:
        message = "No supervisor of this queue is enrolled yet, so nothing can be sealed."
        raise errors.Unavailable(message)
    everyone = {reader.name: reader for reader in (*readers, *supervisors)}.values()
    halves, sealed = [], []
    for purpose, holders in ((CONTENT, everyone), (SOURCE, supervisors)):
        pair = sealing.new_pair()
        where = place(case_id, epoch, purpose)
        named = {"case_id": case_id, "epoch": epoch, "purpose": purpose}
        mac = keyring.row_mac(where, [pair.public])
        halves.append({**named, "public": pair.public, "created_at": now, "mac": mac})
        for reader in holders:
            copy = sealing.seal_to(reader.public_key, pair.private, where)
            sealed.append({**named, "person": reader.name, "sealed": copy})
    statements.add_all(connection, keys, halves)
    statements.add_all(connection, copies, sealed)


def public(
    connection: Connection, keyring: ServiceKeyring, case_id: str, epoch: int, purpose: str
) -> bytes:
    """Return the public half to seal with. Raises: SealBroken when the row was edited."""
    row = statements.one(connection, keys, case_id=case_id, epoch=epoch, purpose=purpose)
    if row is None:
        raise errors.SealBroken
    keyring.check_row_mac(place(case_id, epoch, purpose), [row["public"]], row["mac"])
    return bytes(row["public"])


def seal(
    connection: Connection,
    keyring: ServiceKeyring,
    case_id: str,
    epoch: int,
    purpose: str,
    plaintext: bytes,
    context: str,
) -> bytes:
    """Seal something for a case's readers; `context` names the row and column it belongs to."""
    return sealing.seal_to(public(connection, keyring, case_id, epoch, purpose), plaintext, context)


def copies_for(connection: Connection, case_id: str, person: str) -> list[tuple[int, str, bytes]]:
    """Return a person's sealed copies of a case's keys as (epoch, purpose, sealed)."""
    query = (
        select(copies.c.epoch, copies.c.purpose, copies.c.sealed)
        .where(copies.c.case_id == case_id, copies.c.person == person)
        .order_by(copies.c.epoch, copies.c.purpose)
    )
    return [(row.epoch, row.purpose, row.sealed) for row in connection.execute(query)]


def add_copy(
    connection: Connection, case_id: str, epoch: int, purpose: str, person: str, sealed: bytes
) -> None:
    """Keep a copy a reader made for another reader in their own process. Idempotent."""
    values = {
        "case_id": case_id,
        "epoch": epoch,
        "purpose": purpose,
        "person": person,
        "sealed": sealed,
    }
    statements.insert_once(connection, copies, values)


def drop_copies_except(connection: Connection, case_id: str, names: Sequence[str]) -> None:
    """Destroy the copies of everybody who is not among `names`."""
    others = (copies.c.case_id == case_id) & copies.c.person.not_in(list(names))
    connection.execute(delete(copies).where(others))
