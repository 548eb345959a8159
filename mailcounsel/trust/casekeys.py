"""The keys of a case: a pair for its content and a pair for the raw mail, anew for each epoch.

The service makes a pair, seals its private half once to each reader, and forgets it; from then on
it can add letters to the case and read none. Content is for the case's readers; the raw mail with
its real headers (`source`) is for supervisors alone, so that a therapist stays blind to addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from mailcounsel import errors
from mailcounsel.crypto import sealing
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import models, statements
from mailcounsel.trust.roster import Reader, people

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


def publics(
    connection: Connection, keyring: ServiceKeyring, case_id: str, epoch: int
) -> dict[str, bytes]:
    """Return the public halves to seal with, by purpose.

    Raises: SealBroken when a row was edited or is gone.
    """
    found = {}
    for row in statements.every(connection, keys, case_id=case_id, epoch=epoch):
        purpose, public = row["purpose"], bytes(row["public"])
        keyring.check_row_mac(place(case_id, epoch, purpose), [public], row["mac"])
        found[purpose] = public
    if found.keys() != {CONTENT, SOURCE}:
        raise errors.SealBroken
    return found


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
    public = publics(connection, keyring, case_id, epoch)[purpose]
    return sealing.seal_to(public, plaintext, context)


def copies_for(connection: Connection, case_id: str, person: str) -> list[tuple[int, str, bytes]]:
    """Return a person's sealed copies of a case's keys as (epoch, purpose, sealed)."""
    found = copies_of(connection, [case_id], person)
    return [(epoch, purpose, sealed) for _, epoch, purpose, sealed in found]


def copies_of(
    connection: Connection, case_ids: Sequence[str], person: str
) -> list[tuple[str, int, str, bytes]]:
    """Return a person's sealed copies of some cases' keys as (case, epoch, purpose, sealed).

    Copies under a key they had before do not count: nobody can open them any more.
    """
    columns = (copies.c.case_id, copies.c.epoch, copies.c.purpose, copies.c.sealed)
    query = (
        select(*columns, people.c.public_key)
        .join(people, people.c.name == copies.c.person)
        .where(copies.c.case_id.in_(case_ids), copies.c.person == person)
        .order_by(*columns[:3])
    )
    rows = connection.execute(query).all()
    live = (row for row in rows if _is_under(row.public_key, row.sealed))
    return [(row.case_id, row.epoch, row.purpose, row.sealed) for row in live]


def _is_under(public_key: bytes, sealed: bytes) -> bool:
    """Tell whether a copy names this key as the one that opens it; a damaged one does not."""
    try:
        return sealing.sealed_under(sealed) == sealing.key_id(public_key)
    except errors.SealBroken:
        return False


def add_copy(
    connection: Connection, case_id: str, epoch: int, purpose: str, person: str, sealed: bytes
) -> None:
    """Keep a copy a reader made for another reader in their own process. Idempotent.

    It takes the place of a copy under a key the person lost, never of one they can open.
    Raises: Conflict when it is not sealed under the key the person has now.
    """
    row = statements.one(connection, people, name=person)
    if row is None or not _is_under(row["public_key"], sealed):
        message = f"{person} has another key by now. Nothing was changed; type the command again."
        raise errors.Conflict(message)
    values = {
        "case_id": case_id,
        "epoch": epoch,
        "purpose": purpose,
        "person": person,
        "sealed": sealed,
    }
    if not statements.insert_once(connection, copies, values):
        _replace_dead(connection, values, row["public_key"])


def _replace_dead(connection: Connection, values: Mapping[str, Any], public_key: bytes) -> None:
    names = ("case_id", "epoch", "purpose", "person")
    here = and_(*(copies.c[name] == values[name] for name in names))
    old = connection.execute(select(copies.c.sealed).where(here)).scalar_one()
    if not _is_under(public_key, old):
        same = here & (copies.c.sealed == old)  # a live one may have come meanwhile
        connection.execute(update(copies).where(same).values(sealed=values["sealed"]))


def drop_copies_except(connection: Connection, case_id: str, names: Sequence[str]) -> None:
    """Destroy the copies of everybody who is not among `names`."""
    others = (copies.c.case_id == case_id) & copies.c.person.not_in(list(names))
    connection.execute(delete(copies).where(others))


def destroy(connection: Connection, case_ids: Sequence[str]) -> None:
    """Destroy every copy of some cases' keys, of all epochs and of both kinds.

    What was sealed to them can be opened by nobody from then on, and nothing can be sealed to them.
    """
    connection.execute(delete(copies).where(copies.c.case_id.in_(case_ids)))
    connection.execute(delete(keys).where(keys.c.case_id.in_(case_ids)))
