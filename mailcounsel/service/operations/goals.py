"""Goals: agreed, listed, asked about no longer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import cases, daytime, hours, risk
from mailcounsel.casework import goals as agreed
from mailcounsel.practice import names
from mailcounsel.service.control import Parameters, data, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.asked import new_goal
from mailcounsel.service.operations.cases import iso, readable, show
from mailcounsel.trust import addressbook


def add(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Agree a goal; its label is released for check-ins, its detail comes sealed."""
    now = desk.now()
    new = new_goal(parameters, text(parameters, "asks", "goal"))

    def write(connection: Connection) -> tuple[RowMapping, dict[str, Any]]:
        case = readable(connection, desk, caller, parameters)
        if case["epoch"] != new.epoch:
            raise errors.Conflict
        goal = agreed.add(connection, desk.office, case, new, caller.person, now)
        danger = risk.weigh_goal(connection, desk.office, goal, caller.person, now)
        return goal, {**leaving(connection, desk, case, goal["next_due_at"]), "danger": danger}

    row, more = desk.store.write(write)
    return {**added(row), **more}


def added(row: RowMapping) -> dict[str, Any]:
    """Return what a new row of `goal` is called, and when it is due first."""
    name = names.of(row["asks"], row["number"])
    return {"number": row["number"], "name": name, "next_due_at": iso(row["next_due_at"])}


def leaving(
    connection: Connection, desk: Desk, case: RowMapping, due_at: datetime
) -> dict[str, Any]:
    """Return when a check-in that is due goes out: outside the quiet hours of the client's zone."""
    zone = addressbook.facts(connection, case["client_id"]).time_zone
    allowed = hours.quiet_hours(desk.office.config).next_allowed(due_at, ZoneInfo(zone))
    return {"leaves_at": iso(allowed), "time_zone": zone}


def describe(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep a goal's new detail, which comes sealed to the present epoch."""
    now, which, detail = desk.now(), text(parameters, "name"), data(parameters, "detail")

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
    now, which = desk.now(), text(parameters, "name")
    every = text(parameters, "every") if "every" in parameters else None
    at = text(parameters, "at") if "at" in parameters else None

    def write(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        due_at = daytime.change(connection, case, which, every, at, caller.person, now)
        when = leaving(connection, desk, case, due_at)
        return {"case": cases.handle(case["number"]), "next_due_at": iso(due_at), **when}

    return desk.store.write(write)


def stop(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Ask about a goal no longer."""
    now, which = desk.now(), text(parameters, "name")

    def write(connection: Connection) -> str:
        case = readable(connection, desk, caller, parameters)
        agreed.stop(connection, case, which, caller.person, now)
        return cases.handle(case["number"])

    return {"case": desk.store.write(write)}
