"""A million goals: how long it takes to claim those that are due, and what it takes of memory."""

from __future__ import annotations

import functools
import os
import resource
import statistics
import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    LargeBinary,
    String,
    Table,
    cast,
    func,
    insert,
    literal,
    select,
    text,
)

from benchmarks import corpora, places, report
from mailcounsel.casework import checkins
from mailcounsel.store import models, statements
from mailcounsel.store.engine import Store

GOALS = 1_000_000
OF_A_CASE = 4
DUE = 50  # at a time, as the service claims them
ROUNDS = 40
AT_ONCE = 20_000  # rows a transaction, so that filling takes no memory either


def main(goals: int = GOALS) -> None:
    """Fill a store with goals, then claim what is due again and again, each time other cases.

    On SQLite, and on a PostgreSQL of its own. A smaller number for a quick look stands in
    MAILCOUNSEL_BENCH_GOALS.
    """
    goals = int(os.environ.get("MAILCOUNSEL_BENCH_GOALS", goals))
    with places.centre() as place:
        measure("SQLite", place, goals)
    with corpora.postgresql() as url, places.centre(url) as place:
        measure("PostgreSQL", place, goals)


def measure(engine: str, place: places.Place, goals: int) -> None:
    """Print what claiming takes in a store."""
    store, now = place.desk.store, place.clock.now()
    fill(store, goals, now)
    if not store.is_sqlite:
        store.write(lambda c: c.execute(text("ANALYZE")))  # as the server itself does in time
    late = now + timedelta(days=1)
    claimed(store, late)  # warm
    before = memory()
    idle = [claimed(store, now - timedelta(days=1)) for _ in range(ROUNDS)]
    due = [claimed(store, late) for _ in range(ROUNDS)]
    grown = memory() - before
    figures = {
        "goals": f"{goals:,}",
        f"{DUE}_due": f"{statistics.median(due) * 1000:.1f} ms",
        "slowest": f"{max(due) * 1000:.1f} ms",
        "none_due": f"{statistics.median(idle) * 1000:.2f} ms",
    }
    report.show(engine, "20 ms", **figures, memory=f"+{grown / 1024:.1f} MB")


def claimed(store: Store, now: datetime) -> float:
    """Claim once and return the seconds it took; what was claimed moves on, as when it is asked."""

    def job(connection: Connection) -> float:
        begun = time.perf_counter()
        found = checkins.claim(connection, now, DUE)
        took = time.perf_counter() - begun
        for goal in (goal for due in found for goal in due.goals):
            after = goal["next_due_at"] + timedelta(weeks=1)
            statements.change(connection, checkins.goals.goals, goal["id"], next_due_at=after)
        return took

    return store.write(job)


def memory() -> int:
    """Return the most memory this process has held, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fill(store: Store, goals: int, now: datetime) -> None:
    """Write clients with a case each and some goals; every batch of them falls due a minute later.

    The database makes the rows by itself, which takes seconds. Nothing in them can be opened.
    """
    for batch in range(max(1, goals // AT_ONCE)):
        size = min(AT_ONCE, goals) // OF_A_CASE
        store.write(functools.partial(_batch, batch=batch, size=size, now=now))


def _batch(connection: Connection, batch: int, size: int, now: datetime) -> None:
    numbers = select(literal(batch * size).label("n")).cte("numbers", recursive=True)
    step = select(numbers.c.n + 1).where(numbers.c.n < (batch + 1) * size - 1)
    numbers = numbers.union_all(step)
    name = literal("c") + cast(numbers.c.n, String)
    clients, cases, goals = map(models.table, (models.Client, models.Case, models.Goal))
    client = {"id": name, "language": "id", "time_zone": "Asia/Jakarta", "created_at": now}
    case = {"id": name, "number": numbers.c.n + 10_000, "client_id": name, "queue": "umum"}
    case |= {"language": "id", "created_at": now, "sealed_inbox": b"x" * 60}
    case |= {"sealed_token": b"x" * 90, "token_lookup": _bytes(connection, name)}
    goal = {"case_id": name, "label": b"x" * 80, "detail": b"x" * 120, "epoch": 1, "author": "w"}
    goal |= {"every": "week", "at": "Mon 09:00", "created_at": now}
    goal |= {"next_due_at": now + batch * timedelta(minutes=1)}
    _insert(connection, clients, client, numbers)
    _insert(connection, cases, case, numbers)
    for place in range(OF_A_CASE):
        _insert(connection, goals, {**goal, "id": name + f"/{place}", "number": place}, numbers)


def _bytes(connection: Connection, name: ColumnElement[str]) -> ColumnElement[bytes]:
    if connection.dialect.name == "sqlite":
        return cast(name, LargeBinary)
    return func.convert_to(name, "UTF8")


def _insert(connection: Connection, into: Table, values: dict[str, Any], numbers: CTE) -> None:
    """Insert a row a number; a value that is no expression is the same in every row."""
    cells = [
        value if isinstance(value, ColumnElement) else literal(value, into.c[name].type)
        for name, value in values.items()
    ]
    rows = select(*cells).select_from(numbers)
    connection.execute(insert(into).from_select(list(values), rows))
