"""Whose key is whose.

    a key in a letter ──▶ seen
    signed by it ──▶ provisional ──signed, and our token or border──▶ pinned ◀──┐
                          └──our token or border, not signed by it──▶ doubted ──┘
    another one meanwhile ──▶ alarm              a person: accepted ──▶ pinned, or ──▶ dropped

A certificate met in a client's letter (Autocrypt, an attachment) is *seen*. A letter signed by it
over the whole body makes it *provisional*: it is used, so that who writes locked from the start is
answered so; but a forged From can carry any key, and sign with it. It is *pinned* for good once
something else than the key says so as well: our token, which only the client's mailbox gets, or our
border. A letter they vouch for that is signed otherwise makes it *doubted*, which is not used.
While one is in use or doubted a different certificate is an *alarm* for a person and changes
nothing by itself; the same primary key with new subkeys or a new expiry is merged silently.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select

from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.trust import merging

pins = models.table(models.Pin)

PINNED, PROVISIONAL, DOUBTED, DROPPED, ALARM, SEEN = (
    "pinned",
    "provisional",
    "doubted",
    "dropped",
    "alarm",
    "seen",
)
USED = (PINNED, PROVISIONAL)  # letters are locked with it, and its signature places them
OWN = (*USED, DOUBTED)  # a client has one such key at most; every other is an alarm


@dataclass(frozen=True, slots=True)
class Pin:
    """A certificate of a client. `certificate` is binary OpenPGP, public packets only."""

    client_id: str
    state: str  # seen, provisional, pinned, doubted, dropped, alarm
    fingerprint: str
    certificate: bytes


def lookup(keyring: ServiceKeyring, fingerprint: str) -> bytes:
    """Return the keyed hash a fingerprint is found by: in clear it would name its owner."""
    return keyring.lookup("fingerprint", fingerprint.upper().encode())


def of_client(connection: Connection, keyring: ServiceKeyring, client_id: str) -> list[Pin]:
    """Return a client's certificates, that in use first. Raises: SealBroken for an edited row."""
    rows = statements.every(connection, pins, "seen_at", "id", client_id=client_id)
    found = [_open(keyring, row) for row in rows]
    return sorted(found, key=lambda pin: pin.state not in USED)


def pinned(connection: Connection, keyring: ServiceKeyring, client_id: str) -> Pin | None:
    """Return the certificate a client is written to with, pinned for good or provisional."""
    return next((p for p in of_client(connection, keyring, client_id) if p.state in USED), None)


def own(connection: Connection, keyring: ServiceKeyring, client_id: str) -> Pin | None:
    """Return the certificate that is in use, or was until it was doubted."""
    return next((p for p in of_client(connection, keyring, client_id) if p.state in OWN), None)


def is_doubted(connection: Connection, keyring: ServiceKeyring, client_id: str) -> bool:
    """Tell whether a client's own certificate is doubted, and no person has decided about it."""
    pin = own(connection, keyring, client_id)
    return pin is not None and pin.state == DOUBTED


def used_since(connection: Connection, keyring: ServiceKeyring, client_id: str) -> datetime | None:
    """Return when the certificate a client is written to with was first used, None without one.

    Raises: SealBroken for an edited row.
    """
    of_client(connection, keyring, client_id)  # the moments are covered by the MACs
    used = pins.c.state.in_(USED) & (pins.c.client_id == client_id)
    return connection.execute(select(func.max(pins.c.pinned_at)).where(used)).scalar()


def stopped_at(connection: Connection, keyring: ServiceKeyring, client_id: str) -> datetime | None:
    """Return when a certificate of a client's that was in use was last doubted or dropped.

    Raises: SealBroken for an edited row.
    """
    of_client(connection, keyring, client_id)  # here as well
    ended = pins.c.state.in_([DOUBTED, DROPPED]) & (pins.c.client_id == client_id)
    return connection.execute(select(func.max(pins.c.stopped_at)).where(ended)).scalar()


def clients_with(connection: Connection, keyring: ServiceKeyring, fingerprint: str) -> list[str]:
    """Return the clients for whom this key is in use. Raises: SealBroken for an edited row."""
    return [pin.client_id for pin in with_fingerprint(connection, keyring, fingerprint)]


def with_fingerprint(
    connection: Connection, keyring: ServiceKeyring, fingerprint: str
) -> list[Pin]:
    """Return where this key is in use, oldest first. Raises: SealBroken for an edited row."""
    key = lookup(keyring, fingerprint)
    rows = statements.every(connection, pins, "seen_at", "id", lookup=key)
    return [_open(keyring, row) for row in rows if row["state"] in USED]


def meet(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    fingerprint: str,
    certificate: bytes,
    *,
    proved: bool,
    vouched: bool,
    now: datetime,
) -> str:
    """Write down a certificate met in a client's letter and return its state.

    `proved` says that the letter was signed by it over the whole body, `vouched` that our token or
    our border says as well that the client wrote it. A copy of a certificate that is known is put
    together with ours. Idempotent.
    """
    known = {pin.fingerprint: pin for pin in of_client(connection, keyring, client_id)}
    was = known.pop(fingerprint, None)
    others = {pin.state for pin in known.values()}
    state = _met(was.state if was else SEEN, others, proved=proved, vouched=vouched)
    together = merging.merged(was.certificate, certificate) if was else certificate
    if was is None or (was.state, was.certificate) != (state, together):
        _write(connection, keyring, client_id, fingerprint, together, state, now)
    return state


def _met(was: str, others: Collection[str], *, proved: bool, vouched: bool) -> str:
    """Return the state of a certificate that is met again, or for the first time as if seen."""
    if was == DROPPED:
        return was
    if not {*OWN}.isdisjoint(others):
        return ALARM
    if was == PINNED or (proved and vouched):
        return PINNED
    if was in OWN:
        return was
    return PROVISIONAL if proved else SEEN


def confirm(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    signed_by: Collection[str],
    now: datetime,
) -> bool:
    """Pin for good what signed a letter our token or border vouches for; True where one was."""

    def signed_it(pin: Pin) -> bool:
        return pin.state != PINNED and pin.fingerprint in signed_by

    return _turn(connection, keyring, client_id, signed_it, PINNED, now)


def doubt(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    signed_by: Collection[str],
    now: datetime,
) -> bool:
    """Use a provisional certificate no more that signed none of this; True where there was one."""

    def signed_it_not(pin: Pin) -> bool:
        return pin.state == PROVISIONAL and pin.fingerprint not in signed_by

    return _turn(connection, keyring, client_id, signed_it_not, DOUBTED, now)


def use_again(
    connection: Connection, keyring: ServiceKeyring, client_id: str, now: datetime
) -> bool:
    """Make a doubted certificate provisional again, since what doubted it is undone."""
    return _turn(connection, keyring, client_id, lambda pin: pin.state == DOUBTED, PROVISIONAL, now)


def _turn(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    wanted: Callable[[Pin], bool],
    state: str,
    now: datetime,
) -> bool:
    """Give a client's own certificate another state, if it is one that is wanted."""
    pin = own(connection, keyring, client_id)
    if pin is None or not wanted(pin):
        return False
    _write(connection, keyring, client_id, pin.fingerprint, pin.certificate, state, now)
    return True


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
        "pinned_at": (row["pinned_at"] if row else None) or (now if state in USED else None),
        "stopped_at": _stopped(row, state, now),
    }
    named = {"client_id": client_id, "lookup": key}
    mac = keyring.row_mac(place, _fields({**named, **values}))
    if row:
        statements.change(connection, pins, row_id, **values, mac=mac)
    else:
        statements.add(connection, pins, id=row_id, seen_at=now, **named, **values, mac=mac)


def _stopped(row: RowMapping | None, state: str, now: datetime) -> datetime | None:
    """Return when a certificate was used no more, None where it is in use or never was."""
    if state in {*USED, SEEN}:
        return None
    before = row["stopped_at"] if row else None
    was_used = row is not None and row["state"] in USED
    return before or (now if was_used or state == DOUBTED else None)


def _fields(row: Mapping[str, Any]) -> list[bytes]:
    """Return what the MAC of a row covers: whose key it is, whether it is used, and since when."""
    moments = [row[name].isoformat() if row[name] else "" for name in ("pinned_at", "stopped_at")]
    words = (row["client_id"], row["state"], *moments)
    return [row["lookup"], row["sealed"], *(word.encode() for word in words)]


def accept(
    connection: Connection, keyring: ServiceKeyring, client_id: str, fingerprint: str, now: datetime
) -> None:
    """Make a certificate the client's only pinned one: a person decided so."""
    for pin in of_client(connection, keyring, client_id):
        state = PINNED if pin.fingerprint == fingerprint else ALARM
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
    keyring.check_row_mac(place, _fields(dict(row)), row["mac"])
    fingerprint, certificate = keyring.open(row["sealed"], f"{place}/sealed").split(b"\n", 1)
    return Pin(row["client_id"], row["state"], fingerprint.decode(), certificate)
