"""A case waits and whoever has it is away: its supervisor is asked to give it to somebody else.

A promise stands as it was made, so a client hears nothing of whose holiday it is. Once a minute
`look` finds the cases whose therapist is not there on any day until the promised one; the flag goes
when they are back, or the case waits no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, Select, or_, select

from mailcounsel.casework import alone, cases, records, staff
from mailcounsel.casework.office import Office
from mailcounsel.casework.staff import AWAY
from mailcounsel.store import statements

_DAY = timedelta(days=1)


def look(connection: Connection, office: Office, now: datetime) -> None:
    """Ask about each case whose therapist does not come in time, once while it waits."""
    for case in _perhaps(connection, office):
        alone.do(connection, "absence: one", partial(_see_to, connection, office, case, now))


def _perhaps(connection: Connection, office: Office) -> Sequence[RowMapping]:
    """Return the cases of people who are not always there, and those that are flagged already."""
    rows = cases.cases
    always = [person.name for person in office.config.people if person.is_always_here]
    waits = (rows.c.state == "open") & rows.c.waiting_since.is_not(None)
    absent = waits & rows.c.assignee.is_not(None) & rows.c.assignee.not_in(always)
    query = select(rows).where(or_(absent, rows.c.id.in_(_flagged())), rows.c.merged_into.is_(None))
    return connection.execute(query).mappings().all()


def _flagged() -> Select[str]:
    standing = records.flags.c.cleared_at.is_(None) & (records.flags.c.kind == AWAY)
    return select(records.flags.c.case_id).where(standing)


def asked_about(connection: Connection) -> frozenset[str]:
    """Return the ids of the cases whose supervisor was asked, and has not seen to it yet."""
    return frozenset(connection.execute(_flagged()).scalars())


def _see_to(connection: Connection, office: Office, case: RowMapping, now: datetime) -> None:
    if not _is_left_alone(office, case, now):
        records.clear_flag(connection, now, case["id"], AWAY, "service")
        return
    ref = f"{case['assignee']}:{int(case['waiting_since'].timestamp())}"
    if statements.every(connection, records.flags, case_id=case["id"], kind=AWAY, ref=ref):
        return  # asked already, perhaps seen: it may wait
    records.flag(connection, now, case["id"], AWAY, ref)
    staff.notify(connection, office, case, f"away:{case['id']}:{ref}", now)
    records.audit(connection, now, "service", "therapist-away", case["id"])


def _is_left_alone(office: Office, case: RowMapping, now: datetime) -> bool:
    """Tell whether a case waits, and whoever has it is there on no day until the promised one."""
    if case["state"] != "open" or case["waiting_since"] is None or case["assignee"] is None:
        return False
    person = office.config.person(case["assignee"])
    zone = ZoneInfo(office.config.centre.time_zone)
    today = now.astimezone(zone).date()
    last = max(today, (case["promised_at"] or now).astimezone(zone).date())
    days = (today + _DAY * ahead for ahead in range((last - today).days + 1))
    return person is None or not any(person.is_here(day) for day in days)
