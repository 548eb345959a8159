"""The ladder: who is told, one after the other, while nobody has read a letter with danger.

Everybody who reads the case hears of it when it is raised (`casework.risk`). From then on, each
time the queue's `read_minutes` pass without a receipt, one more person gets a note without content
at their own address: who is on call, the second, the supervisor. The supervisor is reminded at
the same pace, up to a bound; then the case carries a flag that says so. A receipt ends it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, select

from mailcounsel.casework import cases, errands, records, staff
from mailcounsel.casework.office import Office
from mailcounsel.config import Config, Person
from mailcounsel.store import models, statements

risks = models.table(models.Risk)

STEP = "risk-step"  # the kind of its errands; their ref is the risk's id
UNREAD = "danger-unread"  # the flag where nobody was reached who read
REMINDERS = 24  # how often the last person is told again


def ladder(config: Config, queue: str, now: datetime) -> list[str]:
    """Return the names of who is told in turn about a queue's danger, each once, at a moment.

    On call, second, then the supervisor. People without an address of their own are left out, and
    so is who is away on this day, unless everybody is.
    """
    found = config.queue(queue)
    if found is None:
        return []
    order = (found.risk.on_call, found.risk.second, found.supervisor)
    people = [config.person(name) for name in dict.fromkeys(order) if name]
    reached = [person for person in people if person and person.notify]
    day = now.astimezone(ZoneInfo(config.centre.time_zone)).date()
    return [one.name for one in reached if one.is_here(day)] or [one.name for one in reached]


def interval(config: Config, queue: str) -> timedelta:
    """Return the time somebody has to read a letter, before the next person is told."""
    found = config.queue(queue)
    minutes = found.risk.read_minutes if found else 30
    return timedelta(minutes=minutes)


def begin(
    connection: Connection, office: Office, case: RowMapping, risk_id: str, now: datetime
) -> None:
    """Have the first person of the ladder told, unless somebody reads the letter before."""
    due_at = now + interval(office.config, case["queue"])
    errands.put(connection, case["id"], STEP, risk_id, due_at)


def end(connection: Connection, risk_id: str) -> None:
    """Let nobody else be told: the letter was read."""
    errands.drop(connection, STEP, risk_id)


def step(connection: Connection, office: Office, errand: RowMapping, now: datetime) -> None:
    """Tell the next person, unless the letter was read; the duty of `risk-step`."""
    risk = _unread(connection, errand["ref"])
    if risk is None:
        return
    case = cases.main(connection, risk["case_id"])
    names = ladder(office.config, case["queue"], now)
    told = risk["step"]
    if not names or told >= len(names) + REMINDERS:
        records.flag(connection, now, case["id"], UNREAD, risk["id"])
        records.audit(connection, now, "service", "risk-ladder-ended", case["id"], risk["id"])
        return
    person = office.config.person(names[min(told, len(names) - 1)])
    if person is not None:
        _tell(connection, office, case, risk, person, now)
    statements.change(connection, risks, risk["id"], step=told + 1)
    begin(connection, office, case, risk["id"], now)


def _unread(connection: Connection, risk_id: str) -> RowMapping | None:
    query = select(risks).where(risks.c.id == risk_id).with_for_update()
    risk = connection.execute(query).mappings().first()
    return None if risk is None or risk["read_at"] or risk["closed_at"] else risk


def _tell(
    connection: Connection,
    office: Office,
    case: RowMapping,
    risk: RowMapping,
    person: Person,
    now: datetime,
) -> None:
    since = now - risk["opened_at"]
    facts = {"minutes": max(1, round(since.total_seconds() / 60))}
    once = f"staff:{person.name}:step:{risk['id']}:{risk['step']}"
    staff.tell(connection, office, person, "staff-risk", facts, once, now)
    ref = f"{risk['id']}:{person.name}"
    records.audit(connection, now, "service", "risk-told", case["id"], ref)
