"""Appointments: sent as a signed letter, listed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, select

from mailcounsel import errors
from mailcounsel.casework import appointments, cases, confirming, meetings
from mailcounsel.service.control import Parameters, data, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import iso, readable
from mailcounsel.trust import addressbook


def send(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Send a letter the caller signed that proposes, moves or cancels an appointment."""
    now, signature = desk.now(), data(parameters, "signature")
    statement = text(parameters, "statement")

    def write(connection: Connection) -> tuple[dict[str, Any], RowMapping]:
        return appointments.send(connection, desk.office, caller.person, statement, signature, now)

    sent, row = desk.store.write(write)
    desk.ring("outbox")
    return {**sent, "number": row["number"], "appointment": row["state"]}


def answered(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep what a client said of an appointment, as the caller read or heard it: yes or no.

    `confirmed` says whether the client gets a confirmation.
    """
    now, which = desk.now(), number(parameters, "number")
    state = meetings.ACCEPTED if parameters.get("yes") is True else meetings.DECLINED

    def write(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        row, confirmed = confirming.answered(
            connection, desk.office, case, which, state, caller.person, now
        )
        name, starts_at = cases.handle(case["number"]), iso(row["starts_at"])
        said = {"case": name, "number": which, "appointment": state, "starts_at": starts_at}
        return {**said, "confirmed": confirmed}

    kept = desk.store.write(write)
    desk.ring("outbox")
    return kept


def listed(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """List a case's appointments, or all that are to come in the cases the caller may open.

    By the time they begin; `time_zone` is the client's.
    """
    now = desk.now()

    def read(connection: Connection) -> list[dict[str, Any]]:
        if parameters.get("case") is None:
            return [
                _shown(connection, desk, row)
                for row in _to_come(connection, now)
                if _may_see(connection, desk, caller, row)
            ]
        case = readable(connection, desk, caller, parameters)
        rows = meetings.of_cases(connection, cases.family(connection, case))
        return [_shown(connection, desk, row) for row in rows]

    return {"appointments": desk.store.read(read), "now": iso(now)}


def _to_come(connection: Connection, now: Any) -> list[RowMapping]:
    rows = meetings.appointments
    query = select(rows).where(rows.c.ends_at > now).order_by(rows.c.starts_at)
    return list(connection.execute(query).mappings())


def _may_see(connection: Connection, desk: Desk, caller: Caller, row: RowMapping) -> bool:
    return cases.may_read(desk.office, cases.main(connection, row["case_id"]), caller.person)


def _shown(connection: Connection, desk: Desk, row: RowMapping) -> dict[str, Any]:
    case = cases.main(connection, row["case_id"])
    try:
        room = meetings.opened(desk.office, row).room
    except errors.SealBroken:
        room = None  # said in its place; the others are shown
    return {
        "case": cases.handle(case["number"]),
        "number": row["number"],
        "state": row["state"],
        "sequence": row["sequence"],
        "starts_at": iso(row["starts_at"]),
        "ends_at": iso(row["ends_at"]),
        "time_zone": addressbook.facts(connection, case["client_id"]).time_zone,
        "with": row["author"],
        "room": room,
    }
