"""The centre in numbers: what the service can read of itself, and which cases to open for the rest.

Small numbers are left out before anything leaves the service (`practice.small_numbers`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from mailcounsel import errors
from mailcounsel.casework import centre_counts
from mailcounsel.intake import inbox
from mailcounsel.practice import small_numbers
from mailcounsel.service.control import Parameters, number
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations.cases import iso

MOST_DAYS = 3660


def report(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return how the caller's queues went over some days; an admin's are all there are."""
    now, days = desk.now(), _days(parameters)
    since, is_admin = now - timedelta(days=days), "admin" in caller.roles

    def read(connection: Connection) -> dict[str, Any]:
        queues = centre_counts.queues_of(connection, desk.office, caller.person, every=is_admin)
        counted = centre_counts.service(connection, desk.office, queues, since, now)
        return {"queues": queues, **counted}

    held = len(inbox.quarantined(desk.store)) if is_admin else None
    return {
        "centre": desk.office.config.centre.name,
        "days": days,
        "since": iso(since),
        "now": iso(now),
        **desk.store.read(read),
        "quarantine": None if held is None else _held(held),
        "person": caller.person,
        "opens_cases": "supervisor" in caller.roles,
    }


def _days(parameters: Parameters) -> int:
    days = number(parameters, "days")
    if not 1 <= days <= MOST_DAYS:
        message = f"A report is about 1 to {MOST_DAYS} days."
        raise errors.Refused(message)
    return days


def _held(letters: int) -> dict[str, Any]:
    return {"empty": letters == 0, "letters": small_numbers.lone(letters)}


def lively(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Name the supervisor's cases of those days, by number, some at a time after `after`."""
    since = desk.now() - timedelta(days=_days(parameters))
    after = number(parameters, "after", 0)
    found = desk.store.read(
        lambda c: centre_counts.lively(c, desk.office, caller.person, since, after)
    )
    more = found[-1][0] if len(found) == centre_counts.PAGE else None
    return {"cases": [name for _, name in found], "after": more}
