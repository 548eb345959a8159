"""A case taken apart: proposed, begun, filled piece by piece, finished; or taken back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import cases, splitting
from mailcounsel.casework.splitting import Wish
from mailcounsel.service.control import Parameters, data, listed, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import b64, readable
from mailcounsel.trust import casekeys

MOST = 200  # letters at once


def _wish(parameters: Parameters) -> Wish:
    numbers = listed(parameters, "letters")
    if len(numbers) > MOST or not all(type(one) is int for one in numbers):
        message = f"At most {MOST} letters, by their numbers, are moved at once."
        raise errors.Refused(message)
    is_other = bool(parameters.get("other_client"))
    address = text(parameters, "address", "") if is_other else ""
    return Wish(tuple(sorted(set(numbers))), is_other, address or None)


def proposed(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """List what was proposed for a case: by whom, which letters, whether of another client."""

    def read(connection: Connection) -> list[dict[str, Any]]:
        case = readable(connection, desk, caller, parameters)
        return splitting.proposals(connection, case)

    return {"proposals": desk.store.read(read)}


def begin(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Open the case that letters go to; or only propose it, and `case` is null then.

    `address` is where an other client wrote from. The answer names the keys to seal to and each
    entry with the size of its parts.
    """
    now, wish = desk.now(), _wish(parameters)

    def write(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        into = splitting.begin(connection, desk.office, case, wish, caller.person, now)
        if into is None:
            return {"case": None}
        keys = splitting.targets(connection, desk.office, into)
        return {
            "case": cases.handle(into["number"]),
            "content": b64(keys[casekeys.CONTENT]),
            "source": b64(keys[casekeys.SOURCE]),
            "letters": [
                {"id": row["id"], "epoch": row["epoch"], "parts": list(parts)}
                for row, parts in splitting.parts(connection, case, wish)
            ],
            "client_of": _other_cases(connection, into),
        }

    return desk.store.write(write)


def _other_cases(connection: Connection, into: RowMapping) -> list[str]:
    """Return the other cases of a new case's client, by name: whose the letters are taken to be."""
    theirs = cases.of_client(connection, into["client_id"])
    return [cases.handle(row["number"]) for row in theirs if row["id"] != into["id"]]


def piece(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep a piece of a letter that the caller sealed anew for the case it goes to."""
    sealed, start = data(parameters, "data"), number(parameters, "start", 0)

    def write(connection: Connection) -> None:
        into = readable(connection, desk, caller, parameters)
        letter, part = text(parameters, "letter"), text(parameters, "part")
        splitting.keep_piece(connection, into, letter, part, start, sealed)

    desk.store.write(write)
    return {}


def finish(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Move the letters, now that every part of them is here. `case` is the one they go to."""
    now, wish = desk.now(), _wish(parameters)
    thread = [str(one) for one in listed(parameters, "thread")]

    def write(connection: Connection) -> None:
        into = readable(connection, desk, caller, parameters)
        splitting.finish(connection, desk.office, into, wish, thread, caller.person, now)

    desk.store.write(write)
    return {}
