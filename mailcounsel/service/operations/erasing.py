"""The end of a case: what it would mean, and doing it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailcounsel import errors
from mailcounsel.casework import cases, erasing
from mailcounsel.service.control import Parameters, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import readable
from mailcounsel.trust import addressbook


def ahead(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say what would be erased; refuse as `erase` would. Nothing changes."""
    now = desk.now()

    def read(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        erasing.check(connection, desk.office, case, caller.person, now)
        family = cases.family(connection, case)
        members = [cases.get(connection, case_id) for case_id in family]
        return {
            "case": cases.handle(case["number"]),
            "cases": [cases.handle(one["number"]) for one in members],
            "stay": [cases.handle(one["number"]) for one in erasing.others(connection, family)],
            "entries": sum(one["letters"] for one in members),
            "needs_second": erasing.needs_second(connection, desk.office, case, caller.person, now),
            "has_address": addressbook.has_address(connection, case["client_id"]),
        }

    return desk.store.read(read)


def erase(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Erase a case, or propose it where another person has to say the same.

    `journal_empty` is false where SQLite's journal still holds old pages.
    """
    now, reason = desk.now(), text(parameters, "reason").strip()
    if not reason:
        message = "Say why, in a sentence without the client's words. Nothing was erased."
        raise errors.Refused(message)

    def write(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        locked = cases.get(connection, case["id"], lock=True)
        name = cases.handle(case["number"])
        if erasing.needs_second(connection, desk.office, locked, caller.person, now):
            erasing.propose(connection, desk.office, locked, caller.person, now)
            return {"case": name, "erased": False}
        done = erasing.erase(connection, desk.office, locked, caller.person, reason, now)
        told = done.receipt is not None
        return {"case": name, "erased": True, "letters": done.came, "receipt": told}

    answer = desk.store.write(write)
    if not answer["erased"]:
        return {**answer, "person": caller.person}
    desk.ring("outbox")
    store = {"sqlite": desk.store.is_sqlite, "journal_empty": desk.store.empty_journal()}
    return {**answer, **store, "person": caller.person}
