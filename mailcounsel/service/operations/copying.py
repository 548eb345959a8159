"""A copy of a client's file: begun, its files brought, approved, or handed over in person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailcounsel import errors
from mailcounsel.casework import cases, letters, parcels, records, replies, rounds, wishes
from mailcounsel.service.control import Parameters, data, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import readable
from mailcounsel.store import statements
from mailcounsel.trust import addressbook

COPY = "copy"


def begin(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return a ticket for a letter with the copy; as `reply.begin`, for a client with a key only.

    Raises: Conflict while a wish is not ready, or was denied; Refused where there is no key.
    """
    now = desk.now()

    def read(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        name, family = cases.handle(case["number"]), cases.family(connection, case)
        wishes.check(connection, desk.office, family, name, COPY, now)
        begun = replies.begin(connection, desk.office, case, caller.person, now, COPY)
        _check_way(name, begun["ticket"]["channel"])
        return {**begun, "attachment_bytes": desk.office.config.limits.attachment_bytes}

    return desk.store.read(read)


def _check_way(name: str, channel: str) -> None:
    if channel != parcels.ENCRYPTED:
        message = (
            f"There is no key of the client of {name}, and a copy never leaves in ordinary mail. "
            "Offer them a program that encrypts by itself, such as Delta Chat: once they have "
            f"written from it, type this again. In person: mailcounsel case copy {name} --save FILE"
        )
        raise errors.Refused(message)


def facts(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return in which language and zone the copy is written: the client's."""

    def read(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        client = addressbook.facts(connection, case["client_id"])
        return {"language": case["language"], "time_zone": client.time_zone}

    return desk.store.read(read)


def enclose(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep a piece of a file for a letter that was begun."""
    now, piece = desk.now(), data(parameters, "data")
    place = (number(parameters, "number"), number(parameters, "start"))
    given = {"ticket": parameters.get("ticket"), "mac": parameters.get("mac")}
    desk.store.write(
        lambda c: replies.enclose(c, desk.office, caller.person, given, place, piece, now)
    )
    return {}


def approve(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Take the signed letter with the copy into the outbox; the client's wish is done with that."""
    now, signature = desk.now(), data(parameters, "signature")
    statement = text(parameters, "statement")

    def write(connection: Connection) -> dict[str, Any]:
        approved = replies.approve(
            connection, desk.office, caller.person, statement, signature, now
        )
        row = statements.row(connection, letters.outgoing, approved["id"])
        case = cases.get(connection, row["case_id"])
        name, family = cases.handle(case["number"]), cases.family(connection, case)
        wishes.check(connection, desk.office, family, name, COPY, now)
        wishes.done(connection, family, COPY, caller.person, now)
        rounds.beside(connection, case["id"], approved["id"], caller.person, now)
        verb = "copy-approved"
        records.audit(connection, now, caller.person, verb, case["id"], approved["id"])
        return approved

    approved = desk.store.write(write)
    desk.ring("outbox")
    return approved


def handed(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Write down that the caller wrote a copy to a file, to hand over in person."""
    now = desk.now()

    def write(connection: Connection) -> None:
        case = readable(connection, desk, caller, parameters)
        wishes.done(connection, cases.family(connection, case), COPY, caller.person, now)
        records.audit(connection, now, caller.person, "copy-saved", case["id"])

    desk.store.write(write)
    return {}
