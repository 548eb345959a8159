"""The journey of a case: a contract agreed, a good ending. What is said of them comes sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import cases, followups, keeping, rounds, takebacks
from mailcounsel.service.control import Parameters, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import iso, readable
from mailcounsel.service.operations.letters import keep_note


def agree(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep the contract with a client; after `exchanges` replies the plan is looked at again.

    `days` is the agreed rhythm, within which letters are answered; 0 or left out: none is known.
    """
    now, exchanges = desk.now(), number(parameters, "exchanges")
    days = number(parameters, "days", 0)

    def write(connection: Connection) -> None:
        case = keep_note(connection, desk, caller, parameters, "contract", now)
        rounds.agree(connection, case, exchanges, days, caller.person, now)

    desk.store.write(write)
    return {}


def end(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """End a case with its last evaluation; the client is asked once more how it is going.

    `reply` names the last letter: `undo` of it opens the case again.
    """
    now, reply = desk.now(), text(parameters, "reply", "")

    def write(connection: Connection) -> datetime:
        case = keep_note(connection, desk, caller, parameters, "evaluation", now)
        if reply:
            entry, person = text(parameters, "letter"), caller.person
            takebacks.belongs(connection, case, person, reply, entry, now, ends=True)
        keeping.settle(connection, case, now)
        return followups.end(connection, case, caller.person, now)

    return {"asked_at": iso(desk.store.write(write))}


def close(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Close a case; one that waits for an answer only with a sealed note that says why.

    Raises: Refused where it waits and nothing is said; Conflict while a risk is open.
    """
    now, is_said = desk.now(), "content" in parameters

    def write(connection: Connection) -> str:
        if is_said:
            case = keep_note(connection, desk, caller, parameters, "note", now)
        else:
            case = readable(connection, desk, caller, parameters)
            _check_nothing_owed(case)
        if case["state"] != "open":
            message = f"{cases.handle(case['number'])} is closed already."
            raise errors.Conflict(message)
        keeping.settle(connection, case, now)
        cases.close(connection, case, caller.person, now)
        return cases.handle(case["number"])

    return {"case": desk.store.write(write)}


def _check_nothing_owed(case: RowMapping) -> None:
    if case["waiting_since"]:
        name = cases.handle(case["number"])
        message = (
            f"A letter in {name} waits for an answer that was promised. Answer it, or say why "
            f'none is owed: mailcounsel close {name} --reason "…"'
        )
        raise errors.Refused(message)
