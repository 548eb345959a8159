"""Goals: agreed, listed, asked about no longer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import cases, daytime, risk
from mailcounsel.casework import goals as agreed
from mailcounsel.service.control import Parameters, data, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.asked import new_goal
from mailcounsel.service.operations.cases import iso, readable, show


def add(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Agree a goal; its label is released for check-ins, its detail comes sealed."""
    now = desk.now()
    new = new_goal(parameters, text(parameters, "asks", "goal"))

    def write(connection: Connection) -> tuple[RowMapping, bool]:
        case = readable(connection, desk, caller, parameters)
        if case["epoch"] != new.epoch:
            raise errors.Conflict
        goal = agreed.add(connection, desk.office, case, new, caller.person, now)
        return goal, risk.weigh_goal(connection, desk.office, goal, caller.person, now)

    row, danger = desk.store.write(write)
    shown = {"number": row["number"], "next_due_at": iso(row["next_due_at"])}
    return {**shown, "danger": danger}


def describe(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep a goal's new detail, which comes sealed to the present epoch."""
    now, which, detail = desk.now(), number(parameters, "number"), data(parameters, "detail")

    def write(connection: Connection) -> None:
        case = readable(connection, desk, caller, parameters)
        if case["epoch"] != number(parameters, "epoch"):
            raise errors.Conflict
        agreed.describe(connection, case, which, detail, caller.person, now)

    desk.store.write(write)
    return {}


def listed(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return a case with its goals, as its reader's process needs it."""
    return show(desk, caller, parameters)


def change(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Ask about a goal in another rhythm."""
    now, which = desk.now(), number(parameters, "number")
    every = text(parameters, "every") if "every" in parameters else None
    at = text(parameters, "at") if "at" in parameters else None

    def write(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        due_at = daytime.change(connection, case, which, every, at, caller.person, now)
        return {"case": cases.handle(case["number"]), "next_due_at": iso(due_at)}

    return desk.store.write(write)


def stop(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Ask about a goal no longer."""
    now, which = desk.now(), number(parameters, "number")

    def write(connection: Connection) -> str:
        case = readable(connection, desk, caller, parameters)
        agreed.stop(connection, case, which, caller.person, now)
        return cases.handle(case["number"])

    return {"case": desk.store.write(write)}
