"""Who writes from where. Addresses are sealed with the address book's key and found by keyed hash.

An address is written down when it is first met and never moves to another client by itself. Its
row carries a MAC over client, lookup and sealed value, so that a row edited in the database is
refused rather than written to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete

from mailcounsel import errors
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.letter.addresses import compared
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

addresses = models.table(models.Address)
clients = models.table(models.Client)


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """What the service needs to know of a client to write to them."""

    id: str
    language: str
    time_zone: str
    checkins: str  # on, paused, stopped


def lookup(keyring: ServiceKeyring, address: str) -> bytes:
    """Return the keyed hash an address is found by. The case of A to Z does not matter."""
    return keyring.lookup("address", compared(address).encode())


def add_client(
    connection: Connection,
    keyring: ServiceKeyring,
    address: str | None,
    *,
    language: str,
    time_zone: str,
    now: datetime,
) -> str:
    """Write down a new client, with the address they wrote from if any; return the client's id."""
    client_id = new_id()
    statements.add(
        connection,
        clients,
        id=client_id,
        language=language,
        time_zone=time_zone,
        checkins="on",
        created_at=now,
    )
    if address:
        _add(connection, keyring, client_id, address, now, written_to=True)
    return client_id


def add_address(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    address: str,
    now: datetime,
    *,
    written_to: bool = False,
) -> str | None:
    """Write down one more address of a client; return the id of its row, None if it was known.

    Only the first is written to, until a person chooses another (`write_to`); to be known by one
    more does not turn any letter there.
    """
    key = lookup(keyring, address)
    if statements.one(connection, addresses, client_id=client_id, lookup=key):
        return None
    return _add(connection, keyring, client_id, address, now, written_to=written_to)


def of_client(connection: Connection, keyring: ServiceKeyring, client_id: str) -> list[RowMapping]:
    """Return the rows of the addresses a client is known by, the one met first first.

    Raises: SealBroken when a row was changed by anyone but us.
    """
    found = statements.every(connection, addresses, "created_at", "id", client_id=client_id)
    return [_checked(keyring, row) for row in found]


def write_to(connection: Connection, keyring: ServiceKeyring, client_id: str, row_id: str) -> None:
    """Write to a client at another of their addresses from now on, since a person chose it."""
    for row in of_client(connection, keyring, client_id):
        chosen = row["id"] == row_id
        fields = _fields(client_id, row["lookup"], row["sealed"], written_to=chosen)
        mac = keyring.row_mac(f"address/{row['id']}", fields)
        statements.change(connection, addresses, row["id"], written_to=chosen, mac=mac)


def forget_address(connection: Connection, keyring: ServiceKeyring, row_id: str) -> None:
    """Take an address away from a client again. Idempotent.

    Where letters went there, they go to the first of those that are left.
    """
    row = statements.one(connection, addresses, id=row_id)
    if row is None:
        return
    connection.execute(delete(addresses).where(addresses.c.id == row_id))
    left = of_client(connection, keyring, row["client_id"])
    if row["written_to"] and left:
        write_to(connection, keyring, row["client_id"], left[0]["id"])


def forget_addresses(connection: Connection, client_id: str) -> None:
    """Take every address away from a client. Idempotent."""
    connection.execute(delete(addresses).where(addresses.c.client_id == client_id))


def forget_client(connection: Connection, client_id: str) -> None:
    """Take every address of a client away, and write to them by yourself no more. Idempotent."""
    forget_addresses(connection, client_id)
    set_checkins(connection, client_id, "stopped")


def _add(
    connection: Connection,
    keyring: ServiceKeyring,
    client_id: str,
    address: str,
    now: datetime,
    *,
    written_to: bool,
) -> str:
    row_id, key = new_id(), lookup(keyring, address)
    sealed = keyring.seal("addressbook", address.encode(), f"address/{row_id}/sealed")
    fields = _fields(client_id, key, sealed, written_to=written_to)
    statements.add(
        connection,
        addresses,
        id=row_id,
        client_id=client_id,
        lookup=key,
        sealed=sealed,
        created_at=now,
        written_to=written_to,
        mac=keyring.row_mac(f"address/{row_id}", fields),
    )
    return row_id


def _fields(client_id: str, key: bytes, sealed: bytes, *, written_to: bool) -> list[bytes]:
    return [client_id.encode(), key, sealed, b"written-to" if written_to else b"known"]


def clients_with(connection: Connection, keyring: ServiceKeyring, address: str) -> list[str]:
    """Return the ids of the clients known by this address, oldest first.

    Raises: SealBroken when a row was changed by anyone but us.
    """
    key = lookup(keyring, address)
    found = statements.every(connection, addresses, "created_at", "id", lookup=key)
    return [_checked(keyring, row)["client_id"] for row in found]


def _checked(keyring: ServiceKeyring, row: RowMapping) -> RowMapping:
    known = (row["client_id"], row["lookup"], row["sealed"])
    fields = _fields(*known, written_to=row["written_to"])
    keyring.check_row_mac(f"address/{row['id']}", fields, row["mac"])
    return row


def address_of(connection: Connection, keyring: ServiceKeyring, client_id: str) -> str:
    """Return the address a client is written to: the first they wrote from, or the chosen one.

    Raises: SealBroken when the row was changed by anyone but us; Refused where there is none.
    """
    found = find_address(connection, keyring, client_id)
    if found is None:
        message = "This letter named no address that can be answered."
        raise errors.Refused(message)
    return found


def find_address(connection: Connection, keyring: ServiceKeyring, client_id: str) -> str | None:
    """Return the address a client is written to, or None where they left none.

    Raises: SealBroken when the row was changed by anyone but us.
    """
    row = statements.one(connection, addresses, client_id=client_id, written_to=True)
    if row is None:
        return None
    _checked(keyring, row)
    return keyring.open(row["sealed"], f"address/{row['id']}/sealed").decode()


def is_written_to(
    connection: Connection, keyring: ServiceKeyring, client_id: str, address: str
) -> bool:
    """Tell whether letters to a client go to this address now. Raises: SealBroken."""
    found = find_address(connection, keyring, client_id)
    return found is not None and compared(found) == compared(address)


def facts(connection: Connection, client_id: str) -> ClientFacts:
    """Return what is needed to write to a client."""
    row = statements.row(connection, clients, client_id)
    return ClientFacts(row["id"], row["language"], row["time_zone"], row["checkins"])


def has_address(connection: Connection, client_id: str) -> bool:
    """Tell whether a client left an address that can be answered."""
    found = statements.one(connection, addresses, client_id=client_id, written_to=True)
    return found is not None


def set_spoken(connection: Connection, client_id: str, **spoken: str) -> None:
    """Set a client's `language`, or the `time_zone` they live in (IANA), or both."""
    statements.change(connection, clients, client_id, **spoken)


def set_checkins(connection: Connection, client_id: str, state: str) -> None:
    """Turn a client's check-ins on, paused or stopped."""
    statements.change(connection, clients, client_id, checkins=state)
