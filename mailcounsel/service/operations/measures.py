"""Questionnaires: what there is, sent to a client, and added by an admin."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import measures as asked
from mailcounsel.practice import names, shelf
from mailcounsel.service.control import Parameters, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.asked import new_goal
from mailcounsel.service.operations.cases import iso, readable
from mailcounsel.service.operations.goals import added
from mailcounsel.trust import addressbook


def listed(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return the texts of the centre's own questionnaires, and what is wrong with some files."""
    folders = asked.folders(desk.office.config)
    return {"own": shelf.own_texts(folders), "faults": list(shelf.faults(folders))}


def add(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Check a questionnaire and keep it among the centre's own."""
    measure = shelf.add(text(parameters, "text"), asked.imported(desk.office.config))
    return {"name": measure.name, "language": measure.language, "title": measure.title}


def send(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Have a client asked a questionnaire; its name is released for that, its detail is sealed."""
    now = desk.now()
    new = new_goal(parameters, names.MEASURE, label="measure", every=asked.ONCE, at="")

    def write(connection: Connection) -> tuple[RowMapping, dict[str, Any]]:
        case = readable(connection, desk, caller, parameters)
        if case["epoch"] != new.epoch:
            raise errors.Conflict
        row = asked.send(connection, desk.office, case, new, caller.person, now)
        leaves_at = asked.leaves_at(connection, desk.office, case, row)
        zone = addressbook.facts(connection, case["client_id"]).time_zone
        return row, {"leaves_at": iso(leaves_at), "time_zone": zone}

    row, leaving = desk.store.write(write)
    desk.ring("checkins")
    return {**added(row), **leaving}
