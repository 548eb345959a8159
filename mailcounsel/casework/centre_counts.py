"""The centre in numbers, from readable columns alone: what waits, who carries how much, what came.

Nothing here opens anything, and nobody is named: what leaves this room has passed
`practice.small_numbers`. Cases that were merged into others or erased are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select

from mailcounsel.casework import cases, goals, keeping, records, risk
from mailcounsel.casework.office import Office
from mailcounsel.practice import forms, small_numbers

PAGE = 500  # cases named at a time
ANSWERS = ("answered", "unsure", "asked")  # of check-ins; what was not asked is not counted

case_rows, checkins = cases.cases, goals.checkins


def queues_of(connection: Connection, office: Office, person: str, *, every: bool) -> list[str]:
    """Return the queues a person answers for, or all there are, also those no longer configured."""
    mine = [q.name for q in office.config.queues if every or q.supervisor == person]
    used = connection.execute(select(case_rows.c.queue).distinct()).scalars().all() if every else ()
    return list(dict.fromkeys([*mine, *sorted(used)]))


def service(
    connection: Connection, office: Office, queues: Sequence[str], since: datetime, now: datetime
) -> dict[str, Any]:
    """Return how some queues went between two moments, and how they stand now, as may be told.

    A number is null where it is fewer than five. Of what needs somebody now, none is told as none.
    """
    return {
        "promises": {queue: _promises(connection, queue, since, now) for queue in queues},
        "waiting": _waiting(connection, queues),
        "open": _open(connection, queues),
        "caseload": _caseload(connection, office, queues),
        "checkins": _checkins(connection, queues, since, now),
        "danger": _danger(connection, queues, since, now),
    }


def _promises(connection: Connection, queue: str, since: datetime, now: datetime) -> dict[str, Any]:
    found = keeping.count(connection, queue, since, now)
    numbers = {name: asdict(found)[name] for name in keeping.WENT}
    enough = small_numbers.lone(found.answered) is not None
    return {
        **small_numbers.table(numbers).as_json(),
        "median_hours": found.median_hours if enough else None,
    }


def _here(queues: Sequence[str]) -> ColumnElement[bool]:
    there = case_rows.c.merged_into.is_(None) & case_rows.c.erased_at.is_(None)
    return and_(there, case_rows.c.queue.in_(queues))


def _is_open(queues: Sequence[str]) -> ColumnElement[bool]:
    return and_(_here(queues), case_rows.c.state == "open")


def _waiting(connection: Connection, queues: Sequence[str]) -> dict[str, Any]:
    """Count the cases that wait; where nobody does, that is said."""
    waits = and_(_is_open(queues), case_rows.c.waiting_since.is_not(None))
    query = select(func.count(), func.min(case_rows.c.waiting_since)).where(waits)
    number, oldest = connection.execute(query).one()
    told = small_numbers.lone(number)
    return {
        "nobody": number == 0,
        "cases": told,
        "since": oldest.isoformat() if told is not None else None,
    }


def _open(connection: Connection, queues: Sequence[str]) -> dict[str, Any]:
    """Count open cases by queue and, within what may be told apart, by priority."""
    query = select(case_rows.c.queue, case_rows.c.priority, func.count()).where(_is_open(queues))
    counts: dict[str, dict[str, int]] = {
        queue: dict.fromkeys(cases.PRIORITIES[::-1], 0) for queue in queues
    }
    grouped = query.group_by(case_rows.c.queue, case_rows.c.priority)
    for queue, rank, number in connection.execute(grouped):
        counts[queue][cases.PRIORITIES[rank]] = number
    outer, inner = small_numbers.nested(counts)
    return {**outer.as_json(), "priorities": [one.as_json() for one in inner]}


def _caseload(
    connection: Connection, office: Office, queues: Sequence[str]
) -> dict[str, Any] | None:
    """Return how open cases are spread over the therapists; None with fewer than five of them."""
    people = {
        person.name
        for queue in queues
        for person in office.config.readers(queue)
        if "therapist" in person.roles
    }
    query = select(case_rows.c.assignee, func.count()).where(_is_open(queues))
    grouped = query.where(case_rows.c.assignee.in_(people)).group_by(case_rows.c.assignee)
    carried: Mapping[str, int] = {row[0]: row[1] for row in connection.execute(grouped)}
    loads = sorted(carried.get(person, 0) for person in people)
    if small_numbers.lone(len(loads)) is None:
        return None
    spread = {"lowest": loads[0], "median": median(loads), "highest": loads[-1]}
    told = {name: small_numbers.lone(number) for name, number in spread.items()}
    return {"therapists": len(loads), **told}


def _checkins(
    connection: Connection, queues: Sequence[str], since: datetime, now: datetime
) -> dict[str, Any]:
    """Count the questions that were asked by how they went; none where few cases were asked."""
    asked = (
        select(checkins.c.state, goals.goals.c.case_id)
        .join(goals.goals, goals.goals.c.id == checkins.c.goal_id)
        .join(case_rows, case_rows.c.id == goals.goals.c.case_id)
        .where(case_rows.c.queue.in_(queues), checkins.c.state.in_(ANSWERS))
        .where(checkins.c.due_at > since, checkins.c.due_at <= now, checkins.c.reason != forms.REST)
        .subquery()
    )
    people = connection.execute(select(func.count(asked.c.case_id.distinct()))).scalar_one()
    if small_numbers.lone(people) is None:
        return small_numbers.table({}).as_json()
    grouped = select(asked.c.state, func.count()).group_by(asked.c.state)
    counted = Counter({row[0]: row[1] for row in connection.execute(grouped)})
    return small_numbers.table({name: counted[name] for name in ANSWERS}).as_json()


def _danger(
    connection: Connection, queues: Sequence[str], since: datetime, now: datetime
) -> dict[str, Any]:
    """Count cases with signs of danger, how soon these were read, and where nobody has read."""
    rows = risk.risks
    joined = rows.join(case_rows, case_rows.c.id == rows.c.case_id)
    during = (rows.c.opened_at > since) & (rows.c.opened_at <= now)
    query = select(rows).select_from(joined).where(case_rows.c.queue.in_(queues), during)
    found = connection.execute(query).mappings().all()
    minutes = [
        (row["read_at"] - row["opened_at"]) / timedelta(minutes=1)
        for row in found
        if row["read_at"]
    ]
    unread = select(rows.c.case_id).distinct().select_from(joined)
    waits = rows.c.read_at.is_(None) & rows.c.closed_at.is_(None) & case_rows.c.queue.in_(queues)
    number = len(connection.execute(unread.where(waits)).all())
    told = small_numbers.lone(len({row["case_id"] for row in found}))
    return {
        "cases": told,
        "median_minutes": small_numbers.middle(minutes) if told is not None else None,
        "none_unread": number == 0,
        "unread": small_numbers.lone(number),
    }


def lively(
    connection: Connection, office: Office, person: str, since: datetime, after: int
) -> list[tuple[int, str]]:
    """Return number and name of a supervisor's cases in which something was written since then.

    At most `PAGE`, by number, those after the number `after`.
    """
    queues = queues_of(connection, office, person, every=False)
    family = case_rows.alias("family")
    written = (
        select(records.letters.c.id)
        .join(family, family.c.id == records.letters.c.case_id)
        .where(records.letters.c.at > since)
        .where((family.c.id == case_rows.c.id) | (family.c.merged_into == case_rows.c.id))
    )
    query = (
        select(case_rows.c.number)
        .where(_here(queues), case_rows.c.number > after, exists(written.correlate(case_rows)))
        .order_by(case_rows.c.number)
        .limit(PAGE)
    )
    return [(number, cases.handle(number)) for number in connection.execute(query).scalars()]
