"""By which way a client may be written to, and their yes: to counselling, and to ordinary mail.

One word of the client's gives both. It is kept with the wording it answers, the version of that
wording (a digest, so that two centres, or two years, can be told apart) and the letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update

from mailcounsel.casework import parcels
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.trust import pins

consents = models.table(models.Consent)


@dataclass(frozen=True, slots=True)
class Way:
    """How a letter with content can reach a client: encrypted, plain, or none yet."""

    channel: str  # parcels.ENCRYPTED, PLAIN or NONE
    fingerprint: str | None = None


def way(connection: Connection, keyring: ServiceKeyring, client_id: str) -> Way:
    """Return the way letters with content go to this client.

    A pinned key always wins: once a client could be written to encrypted, consent to ordinary mail
    no longer counts, and only a person may decide otherwise, letter by letter. Nor does it count
    once that key is doubted or dropped: a yes from before it says nothing of what came since.
    """
    pin = pins.pinned(connection, keyring, client_id)
    if pin:
        return Way(parcels.ENCRYPTED, pin.fingerprint)
    if has(connection, keyring, client_id):
        return Way(parcels.PLAIN)
    return Way(parcels.NONE)


def has(connection: Connection, keyring: ServiceKeyring, client_id: str) -> bool:
    """Tell whether a client said yes to ordinary mail, and it counts. Raises: SealBroken."""
    return any(counts for _, counts in given(connection, keyring, client_id))


def given(
    connection: Connection, keyring: ServiceKeyring, client_id: str
) -> list[tuple[RowMapping, bool]]:
    """Return a client's consents that stand, oldest first, each with whether it counts.

    It does not where a key that is doubted or dropped was in use after it.
    Raises: SealBroken for an edited row.
    """
    standing: dict[str, Any] = {"client_id": client_id, "withdrawn_at": None}
    rows = statements.every(connection, consents, "given_at", "id", **standing)
    for row in rows:
        keyring.check_row_mac(f"consent/{row['id']}", _fields(dict(row)), row["mac"])
    stopped = pins.stopped_at(connection, keyring, client_id) if rows else None
    return [(row, stopped is None or row["given_at"] > stopped) for row in rows]


def version(wording: str) -> str:
    """Return the version of a wording: the beginning of its SHA-256, eight hexadecimal digits."""
    return hashlib.sha256(wording.encode()).hexdigest()[:8]


def _fields(row: Mapping[str, Any]) -> list[bytes]:
    """Return what the MAC of a row covers: a consent taken back cannot be given back by an edit."""
    moments = [row[name].isoformat() if row[name] else "" for name in ("given_at", "withdrawn_at")]
    words = (row["client_id"], row["letter_id"], row["version"], *moments)
    return [row["sealed_wording"], *(word.encode() for word in words)]


def give(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    letter_id: str,
    wording: str,
    now: datetime,
) -> None:
    """Keep a client's yes with the wording they answered and the date."""
    row_id = new_id()
    sealed = keyring.seal("addressbook", wording.encode(), f"consent/{row_id}/wording")
    row = {
        "id": row_id,
        "client_id": client_id,
        "letter_id": letter_id,
        "version": version(wording),
        "sealed_wording": sealed,
        "given_at": now,
        "withdrawn_at": None,
    }
    mac = keyring.row_mac(f"consent/{row_id}", _fields(row))
    statements.add(connection, consents, **row, mac=mac)


def withdraw(
    connection: Connection, keyring: ServiceKeyring, client_id: str, now: datetime
) -> None:
    """Take back a client's yes. Letters wait again from now on. Idempotent."""
    standing = (consents.c.client_id == client_id) & consents.c.withdrawn_at.is_(None)
    for row in connection.execute(select(consents).where(standing)).mappings().all():
        mac = keyring.row_mac(f"consent/{row['id']}", _fields({**row, "withdrawn_at": now}))
        one = update(consents).where(consents.c.id == row["id"])
        connection.execute(one.values(withdrawn_at=now, mac=mac))


def forget_client(connection: Connection, client_id: str) -> None:
    """Take away what a client agreed to, with its wording. Idempotent."""
    connection.execute(delete(consents).where(consents.c.client_id == client_id))
