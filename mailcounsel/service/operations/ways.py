"""How letters reach a client: keys and consent, looked at and decided about by a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import (
    cases,
    clientkeys,
    consent,
    letters,
    linking,
    parcels,
    records,
    requests,
)
from mailcounsel.service.control import Parameters, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import iso, readable
from mailcounsel.service.operations.letters import keep_note
from mailcounsel.store import statements
from mailcounsel.trust import addressbook, pins


def show(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say by which way letters reach a case's client, with the keys met and the consent given.

    `addresses` are those the client is known by, each by when it was met and the case whose merge
    brought it. What they are nobody is told but supervisors, who see the raw mail.
    """
    keyring = desk.office.keyring

    def read(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        client = case["client_id"]
        way = consent.way(connection, keyring, client)
        met = pins.of_client(connection, keyring, client)
        given = consent.given(connection, keyring, client)
        counting = [row for row, counts in given if counts]
        shown = next(iter([*counting, *(row for row, _ in given)]), None)
        return {
            "channel": way.channel,
            "keys": [{"fingerprint": pin.fingerprint, "state": pin.state} for pin in met],
            "consent_given_at": iso(shown["given_at"]) if shown else None,
            "consent_version": shown["version"] if shown else None,
            "consent_counts": bool(counting),
            "addresses": _addresses(connection, desk, client),
        }

    return {**desk.store.read(read), "now": iso(desk.now())}


def _addresses(connection: Connection, desk: Desk, client_id: str) -> list[dict[str, Any]]:
    shown = []
    for place, row in enumerate(addressbook.of_client(connection, desk.office.keyring, client_id)):
        came_with = linking.brought_by(connection, row["id"])
        shown.append(
            {
                "number": place + 1,
                "since": iso(row["created_at"]),
                "written_to": row["written_to"],
                "brought_by": cases.handle(came_with["number"]) if came_with else None,
            }
        )
    return shown


def address(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Write to the client at another of their addresses from now on; why, comes as a sealed note.

    What was approved before stays addressed as it was, and leaves no more: `frozen` names the
    replies that have not left yet. Raises: NotFound for an address the client is not known by.
    """
    now, which = desk.now(), number(parameters, "number")

    def write(connection: Connection) -> dict[str, Any]:
        case = keep_note(connection, desk, caller, parameters, "note", now)
        chosen = _known(connection, desk, case, which)
        addressbook.write_to(connection, desk.office.keyring, case["client_id"], chosen["id"])
        records.audit(connection, now, caller.person, "address-chosen", case["id"], chosen["id"])
        frozen = letters.to_others(connection, cases.family(connection, case), chosen["lookup"])
        way = consent.way(connection, desk.office.keyring, case["client_id"])
        return {"number": which, "frozen": frozen, "channel": way.channel}

    return desk.store.write(write)


def _known(connection: Connection, desk: Desk, case: RowMapping, which: int) -> RowMapping:
    known = addressbook.of_client(connection, desk.office.keyring, case["client_id"])
    name = cases.handle(case["number"])
    if not 1 <= which <= len(known):
        message = f"There is no address {which}. They are listed by: mailcounsel way show {name}"
        raise errors.NotFound(message)
    if known[which - 1]["written_to"]:
        message = f"Letters to the client of {name} go to address {which} already."
        raise errors.Conflict(message)
    return known[which - 1]


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
    `channel` is the way letters go by from now on.
    """
    now = desk.now()

    def write(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        fingerprint = _met(connection, desk, case, text(parameters, "fingerprint"))
        client_id, keyring = case["client_id"], desk.office.keyring
        pins.put_back(connection, keyring, client_id, fingerprint, pins.DROPPED, now)
        clientkeys.settled(connection, case, caller.person, now)
        records.audit(connection, now, caller.person, "key-dropped", case["id"])
        way = consent.way(connection, keyring, client_id)
        return {"fingerprint": fingerprint, "channel": way.channel}

    return desk.store.write(write)


def agreed(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep a client's yes to ordinary mail that the caller read; what they wrote, comes sealed.

    Letters that wait leave, and the client is thanked. `released` names those letters.
    Raises: Conflict where there is a way already.
    """
    now = desk.now()

    def write(connection: Connection) -> dict[str, Any]:
        case = keep_note(connection, desk, caller, parameters, "note", now)
        way = consent.way(connection, desk.office.keyring, case["client_id"])
        if way.channel != parcels.NONE:
            name = cases.handle(case["number"])
            message = f"Letters reach the client of {name} already: mailcounsel way show {name}"
            raise errors.Conflict(message)
        waiting = letters.waiting(connection, cases.family(connection, case))
        note = text(parameters, "letter")
        requests.agree(connection, desk.office, case, note, now)
        clientkeys.settled(connection, case, caller.person, now, [clientkeys.DOUBTED])
        records.audit(connection, now, caller.person, "consent-by-person", case["id"], note)
        return {"released": waiting}

    kept = desk.store.write(write)
    desk.ring("outbox")
    return kept


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
