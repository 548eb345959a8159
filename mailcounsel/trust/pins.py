"""Whose key is whose.

A certificate met in a client's letter (Autocrypt, an attachment) is *seen*. It is *pinned* once a
letter signed by it over the whole body arrives. From then on a different certificate is an *alarm*
for a person and changes nothing by itself; the same primary key with new subkeys or a new expiry is
merged silently. First sight pins nothing: a forged From can carry any key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete

from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.trust import merging

pins = models.table(models.Pin)


@dataclass(frozen=True, slots=True)
class Pin:
    """A certificate of a client. `certificate` is binary OpenPGP, public packets only."""

    client_id: str
    state: str  # seen, pinned, alarm
    fingerprint: str
    certificate: bytes


def lookup(keyring: ServiceKeyring, fingerprint: str) -> bytes:
    """Return the keyed hash a fingerprint is found by: in clear it would name its owner."""
    return keyring.lookup("fingerprint", fingerprint.upper().encode())


def of_client(connection: Connection, keyring: ServiceKeyring, client_id: str) -> list[Pin]:
    """Return a client's certificates, pinned ones first. Raises: SealBroken for an edited row."""
    rows = statements.every(connection, pins, "seen_at", "id", client_id=client_id)
    found = [_open(keyring, row) for row in rows]
    return sorted(found, key=lambda pin: pin.state != "pinned")


def pinned(connection: Connection, keyring: ServiceKeyring, client_id: str) -> Pin | None:
    """Return the certificate a client is written to with, if one is pinned."""
    return next((p for p in of_client(connection, keyring, client_id) if p.state == "pinned"), None)


def clients_with(connection: Connection, keyring: ServiceKeyring, fingerprint: str) -> list[str]:
    """Return the clients for whom this key is pinned. Raises: SealBroken for an edited row."""
    return [pin.client_id for pin in with_fingerprint(connection, keyring, fingerprint)]


def with_fingerprint(
    connection: Connection, keyring: ServiceKeyring, fingerprint: str
) -> list[Pin]:
    """Return the pins of this key, oldest first. Raises: SealBroken for an edited row."""
    key = lookup(keyring, fingerprint)
    rows = statements.every(connection, pins, "seen_at", "id", lookup=key, state="pinned")
    return [_open(keyring, row) for row in rows]


def meet(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    fingerprint: str,
    certificate: bytes,
    *,
    proved: bool,
    now: datetime,
) -> str:
    """Write down a certificate met in a client's letter and return its state.

    `proved` says that the letter was signed by it over the whole body. The answer is `pinned`,
    `seen`, or `alarm` when another key is pinned already. A copy of a certificate that is known
    is put together with ours. Idempotent.
    """
    known = {pin.fingerprint: pin for pin in of_client(connection, keyring, client_id)}
    was = known.get(fingerprint)
    if any(pin.state == "pinned" and pin.fingerprint != fingerprint for pin in known.values()):
        state = "alarm"
    else:
        state = "pinned" if proved or (was and was.state == "pinned") else "seen"
    together = merging.merged(was.certificate, certificate) if was else certificate
    if was is None or (was.state, was.certificate) != (state, together):
        _write(connection, keyring, client_id, fingerprint, together, state, now)
    return state


def _write(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    fingerprint: str,
    certificate: bytes,
    state: str,
    now: datetime,
) -> None:
    key = lookup(keyring, fingerprint)
    row = statements.one(connection, pins, client_id=client_id, lookup=key)
    row_id = row["id"] if row else new_id()
    place = f"pin/{row_id}"
    sealed = keyring.seal(
        "addressbook", fingerprint.encode() + b"\n" + certificate, f"{place}/sealed"
    )
    values = {
        "state": state,
        "sealed": sealed,
        "pinned_at": (row["pinned_at"] if row else None) or (now if state == "pinned" else None),
        "mac": keyring.row_mac(place, [client_id.encode(), key, state.encode(), sealed]),
    }
    if row:
        statements.change(connection, pins, row_id, **values)
    else:
        fixed = {"id": row_id, "client_id": client_id, "lookup": key, "seen_at": now}
        statements.add(connection, pins, **fixed, **values)


def accept(
    connection: Connection, keyring: ServiceKeyring, client_id: str, fingerprint: str, now: datetime
) -> None:
    """Make a certificate the client's only pinned one: a person decided so."""
    for pin in of_client(connection, keyring, client_id):
        state = "pinned" if pin.fingerprint == fingerprint else "alarm"
        _write(connection, keyring, client_id, pin.fingerprint, pin.certificate, state, now)


def put_back(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    fingerprint: str,
    state: str | None,
    now: datetime,
) -> None:
    """Give a client's certificate the state it had before; without one take it away."""
    known = {pin.fingerprint: pin for pin in of_client(connection, keyring, client_id)}
    pin = known.get(fingerprint)
    if pin is None or pin.state == state:
        return
    if state is None:
        theirs = (pins.c.client_id == client_id) & (pins.c.lookup == lookup(keyring, fingerprint))
        connection.execute(delete(pins).where(theirs))
        return
    _write(connection, keyring, client_id, fingerprint, pin.certificate, state, now)


def forget_client(connection: Connection, client_id: str) -> None:
    """Take every certificate of a client away. Idempotent."""
    connection.execute(delete(pins).where(pins.c.client_id == client_id))


def _open(keyring: ServiceKeyring, row: RowMapping) -> Pin:
    place = f"pin/{row['id']}"
    fields = [row["client_id"].encode(), row["lookup"], row["state"].encode(), row["sealed"]]
    keyring.check_row_mac(place, fields, row["mac"])
    fingerprint, certificate = keyring.open(row["sealed"], f"{place}/sealed").split(b"\n", 1)
    return Pin(row["client_id"], row["state"], fingerprint.decode(), certificate)
