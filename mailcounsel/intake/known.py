"""What is known of people and cases, answered from the store."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, select

from mailcounsel.casework.office import Office
from mailcounsel.intake.knowledge import KnownCase
from mailcounsel.store import models, statements
from mailcounsel.store.ready import Ready
from mailcounsel.trust import addressbook, pins

cases = models.table(models.Case)
message_ids = models.table(models.MessageId)


def _named(*which: ColumnElement[bool]) -> Ready:
    """Return the statement for the cases of a Message-ID, of some letters only."""
    ids = select(message_ids.c.case_id).where(message_ids.c.lookup == bindparam("key"), *which)
    return Ready(select(cases).where(cases.c.id.in_(ids)).order_by(cases.c.number))


_BY_MESSAGE = _named()
_BY_OURS = _named(message_ids.c.outgoing_id.is_not(None))
_OURS = Ready(
    select(message_ids.c.outgoing_id).where(
        message_ids.c.lookup == bindparam("key"), message_ids.c.outgoing_id.is_not(None)
    )
)


class StoreKnowledge:
    """Knows what the store knows, within one connection. A linked case stands for its target."""

    def __init__(self, connection: Connection, office: Office) -> None:
        self._connection = connection
        self._keyring = office.keyring

    def certificates(self, name: str) -> list[bytes]:
        """Return the certificates met with clients of an address, or pinned as a fingerprint."""
        if "@" not in name:
            pinned = pins.with_fingerprint(self._connection, self._keyring, name)
            return [pin.certificate for pin in pinned]
        found = self.clients_with_address(name)
        known = [pins.of_client(self._connection, self._keyring, client) for client in found]
        return [pin.certificate for client in known for pin in client]

    def clients_with_address(self, address: str) -> list[str]:
        """Return the clients known by an address."""
        return addressbook.clients_with(self._connection, self._keyring, address)

    def clients_with_key(self, fingerprint: str) -> list[str]:
        """Return the clients for whom a key is pinned."""
        return pins.clients_with(self._connection, self._keyring, fingerprint)

    def case_of_token(self, token: str) -> KnownCase | None:
        """Return the case a returned token belongs to."""
        key = self._keyring.lookup("token", token.lower().encode())
        found = self._known(statements.every(self._connection, cases, token_lookup=key))
        return found[0] if found else None

    def cases_of_message(self, message_id: str) -> list[KnownCase]:
        """Return the cases a Message-ID belongs to; ids may be reused."""
        key = self._keyring.lookup("message-id", message_id.encode())
        return self._known(_BY_MESSAGE.rows(self._connection, {"key": key}))

    def cases_reported(self, message_id: str) -> list[KnownCase]:
        """Return the cases of our own letters with a Message-ID, whoever else used it."""
        key = self._keyring.lookup("message-id", message_id.encode())
        return self._known(_BY_OURS.rows(self._connection, {"key": key}))

    def cases_of_clients(self, client_ids: Sequence[str]) -> list[KnownCase]:
        """Return the cases of some clients."""
        rows = [
            row
            for client_id in client_ids
            for row in statements.every(self._connection, cases, client_id=client_id)
        ]
        return self._known(sorted(rows, key=lambda row: row["number"]))

    def outgoing_of_message(self, message_id: str) -> str | None:
        """Return which of our own letters has this Message-ID."""
        key = self._keyring.lookup("message-id", message_id.encode())
        found: str | None = _OURS.scalar(self._connection, {"key": key})
        return found

    def _known(self, rows: Sequence[RowMapping]) -> list[KnownCase]:
        found = {row["id"]: row for row in map(self._target, rows)}
        return [_known(row) for row in found.values() if row["erased_at"] is None]

    def _target(self, row: RowMapping) -> RowMapping:
        if not row["merged_into"]:
            return row
        return statements.row(self._connection, cases, row["merged_into"])


def _known(row: RowMapping) -> KnownCase:
    return KnownCase(
        id=row["id"],
        number=row["number"],
        client_id=row["client_id"],
        state=row["state"],
        queue=row["queue"],
        language=row["language"],
        version=row["version"],
        maybe=row["maybe_case_id"] is not None and row["merged_into"] is None,
    )
