"""How letters reach a client: keys and consent, looked at and decided about by a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import cases, clientkeys, consent, letters, records
from mailcounsel.service.control import Parameters, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import iso, readable
from mailcounsel.store import statements
from mailcounsel.trust import pins


def show(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say by which way letters reach a case's client, with the keys met and the consent given."""
    keyring = desk.office.keyring

    def read(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        client = case["client_id"]
        way = consent.way(connection, keyring, client)
        met = pins.of_client(connection, keyring, client)
        given = statements.every(
            connection, consent.consents, "given_at", client_id=client, withdrawn_at=None
        )
        return {
            "channel": way.channel,
            "keys": [{"fingerprint": pin.fingerprint, "state": pin.state} for pin in met],
            "consent_given_at": iso(given[0]["given_at"]) if given else None,
            "consent_version": given[0]["version"] if given else None,
        }

    return {**desk.store.read(read), "now": iso(desk.now())}


def accept(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Write to the client with another key from now on, since a person made sure that it is theirs.

    Replies that were frozen to the old key stay where they are.
    """
    now = desk.now()

    def write(connection: Connection) -> str:
        case = readable(connection, desk, caller, parameters)
        fingerprint = _met(connection, desk, case, text(parameters, "fingerprint"))
        pins.accept(connection, desk.office.keyring, case["client_id"], fingerprint, now)
        clientkeys.settled(connection, case, caller.person, now)
        records.audit(connection, now, caller.person, "key-accepted", case["id"])
        letters.release_waiting(connection, desk.office, case["client_id"], now)
        return fingerprint

    accepted = desk.store.write(write)
    desk.ring("outbox")
    return {"fingerprint": accepted}


def _met(connection: Connection, desk: Desk, case: RowMapping, named: str) -> str:
    wanted = "".join(named.split()).upper()
    met = pins.of_client(connection, desk.office.keyring, case["client_id"])
    found = [pin.fingerprint for pin in met if pin.fingerprint.endswith(wanted)]
    if len(found) != 1 or len(wanted) < 16:
        message = "No key of this client ends like that. `mailcounsel way show CASE` lists them."
        raise errors.NotFound(message)
    return found[0]


def drop(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Use a key no more, since a person made sure that it is not the client's.

    No letter brings it back, only a person does. What was frozen to it stays where it is.
    """
    now = desk.now()

    def write(connection: Connection) -> str:
        case = readable(connection, desk, caller, parameters)
        fingerprint = _met(connection, desk, case, text(parameters, "fingerprint"))
        client_id, keyring = case["client_id"], desk.office.keyring
        pins.put_back(connection, keyring, client_id, fingerprint, pins.DROPPED, now)
        clientkeys.settled(connection, case, caller.person, now)
        records.audit(connection, now, caller.person, "key-dropped", case["id"])
        return fingerprint

    return {"fingerprint": desk.store.write(write)}


def withdraw(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Take back a client's yes to ordinary mail, since they said so to a person."""
    now = desk.now()

    def write(connection: Connection) -> None:
        case = readable(connection, desk, caller, parameters)
        standing = {"client_id": case["client_id"], "withdrawn_at": None}
        if statements.one(connection, consent.consents, **standing) is None:
            name = cases.handle(case["number"])
            message = f"The client of {name} has not agreed to ordinary mail. Nothing was changed."
            raise errors.NotFound(message)
        consent.withdraw(connection, desk.office.keyring, case["client_id"], now)
        records.audit(connection, now, caller.person, "consent-withdrawn", case["id"])

    desk.store.write(write)
    return {}
