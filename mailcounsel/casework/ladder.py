"""The ladder: who is told, one after the other, while nobody has read a letter with danger.

Everybody who reads the case hears of it when it is raised (`casework.risk`). From then on, each
time the queue's `read_minutes` pass without a receipt, one more person gets a note without content
at their own address: who is on call, the second, the supervisor; and each time, while they are
there, whoever has the case. The supervisor is reminded at the same pace, up to a bound; then the
case carries a flag that says so, and once a day whoever was away before is told. A receipt ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, select

from mailcounsel.casework import cases, errands, letters, records, staff
from mailcounsel.casework.office import Office
from mailcounsel.config import Config, Person
from mailcounsel.letter import templates
from mailcounsel.store import models, statements

risks = models.table(models.Risk)

STEP = "risk-step"  # the kind of its errands; their ref is the risk's id
UNREAD = "danger-unread"  # the flag where nobody was reached who read
REMINDERS = 24  # how often the last person is told again
SLOWLY = timedelta(days=1)  # between two looks for somebody who is back, after that


@dataclass(frozen=True, slots=True)
class Rungs:
    """Who is told in turn about a case's danger, by name, and who of them cannot open it."""

    names: tuple[str, ...]
    assignee: str = ""  # where they are among those who can be told
    locked: frozenset[str] = frozenset()


def rungs(connection: Connection, config: Config, case: RowMapping, now: datetime) -> Rungs:
    """Return who is told in turn about a case's danger, each once, at a moment.

    On call, second, then the supervisor; without any of them, who has the case. Left out is who has
    no address of their own, who is away, and who holds no key to the case: they could only ask.
    Where nobody remains, those who are there are told to ask, and then those who are away.
    """
    found = config.queue(case["queue"])
    if found is None:
        return Rungs(())
    order = (found.risk.on_call, found.risk.second, found.supervisor, case["assignee"])
    people = [config.person(name) for name in dict.fromkeys(order) if name]
    reached = [person for person in people if person and person.notify]
    locked = _locked(connection, case, reached)
    day = now.astimezone(ZoneInfo(config.centre.time_zone)).date()
    here = [person.name for person in reached if person.is_here(day)]
    names = _chosen(reached, here, locked)
    mine = case["assignee"] if case["assignee"] in {*names} & {*here} else ""
    above = tuple(name for name in names if name != mine or name in order[:3])
    return Rungs(above or tuple(names), mine, locked)


def _chosen(reached: Sequence[Person], here: Sequence[str], locked: Iterable[str]) -> list[str]:
    names = [person.name for person in reached]
    opening = [name for name in names if name not in locked]
    best = [name for name in opening if name in here]
    return best or [*here, *(name for name in opening if name not in here)] or names


def _locked(connection: Connection, case: RowMapping, people: Iterable[Person]) -> frozenset[str]:
    names = (person.name for person in people)
    return frozenset(name for name in names if not cases.holds_keys(connection, case, name))


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
    found, told = rungs(connection, office.config, case, now), risk["step"]
    if not found.names or told >= len(found.names) + REMINDERS:
        _slow_down(connection, office, case, risk, found, now)
        return
    next_one = found.names[min(told, len(found.names) - 1)]
    for name in dict.fromkeys((next_one, found.assignee)):
        _tell(connection, office, case, risk, found, name, f"step:{risk['id']}:{told}", now)
    statements.change(connection, risks, risk["id"], step=told + 1)
    begin(connection, office, case, risk["id"], now)


def _slow_down(
    connection: Connection,
    office: Office,
    case: RowMapping,
    risk: RowMapping,
    found: Rungs,
    now: datetime,
) -> None:
    """Show that nobody was reached who read, and go on telling who was away until now."""
    shown = {"case_id": case["id"], "kind": UNREAD, "ref": risk["id"]}
    if not statements.every(connection, records.flags, **shown):
        records.flag(connection, now, **shown)
        records.audit(connection, now, "service", "risk-ladder-ended", case["id"], risk["id"])
    for name in dict.fromkeys((*found.names, found.assignee)):
        if name and not _was_told(connection, risk, name):
            _tell(connection, office, case, risk, found, name, f"step:{risk['id']}:back", now)
    errands.put(connection, case["id"], STEP, risk["id"], now + SLOWLY)


def _was_told(connection: Connection, risk: RowMapping, name: str) -> bool:
    said = f"staff:{name}:step:{risk['id']}:"
    notes = letters.outgoing.c.once.startswith(said, autoescape=True)
    found = connection.execute(select(letters.outgoing.c.id).where(notes).limit(1))
    return found.first() is not None


def _unread(connection: Connection, risk_id: str) -> RowMapping | None:
    query = select(risks).where(risks.c.id == risk_id).with_for_update()
    risk = connection.execute(query).mappings().first()
    return None if risk is None or risk["read_at"] or risk["closed_at"] else risk


def _tell(
    connection: Connection,
    office: Office,
    case: RowMapping,
    risk: RowMapping,
    found: Rungs,
    name: str,
    occasion: str,
    now: datetime,
) -> None:
    person = office.config.person(name)
    if person is None:
        return
    template = "staff-silence" if risk["cause"] == "silence" else "staff-risk"
    template = "staff-locked" if name in found.locked else template
    facts = {"ago": templates.lasting(now - risk["opened_at"], staff.language_of(office, person))}
    staff.tell(connection, office, person, template, facts, f"staff:{name}:{occasion}", now)
    records.audit(connection, now, "service", "risk-told", case["id"], f"{risk['id']}:{name}")
