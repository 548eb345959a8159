"""Statements the nouns share: insert once, hand out numbers, claim due work with a lease.

A claim is the same SELECT … FOR UPDATE SKIP LOCKED on both databases; SQLite's dialect leaves the
lock clause out, since its writer is alone anyway. Whoever claims a row gets a *fence*: every later
write about that row names it, and finds nothing once somebody else has claimed the row again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailcounsel.store.columns import database_now
from mailcounsel.store.models import Counter, table

counters = table(Counter)


def insert_once(connection: Connection, into: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless a uniqueness rule forbids it, and tell whether it was inserted."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    insertion = make(into).values(**values).on_conflict_do_nothing()
    # Without the option psycopg gives -1 for an INSERT.
    result = connection.execute(insertion.execution_options(preserve_rowcount=True))
    return result.rowcount == 1


def next_number(connection: Connection, name: str) -> int:
    """Hand out the next number of a counter, starting at 1."""
    step = update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
    number = connection.execute(step.returning(counters.c.value)).scalar_one_or_none()
    if number is None:
        insert_once(connection, counters, {"name": name, "value": 0})
        number = connection.execute(step.returning(counters.c.value)).scalar_one()
    return int(number)


def claim(
    connection: Connection,
    rows: Table,
    due: ColumnElement[bool],
    *,
    order: Sequence[ColumnElement[Any]],
    most: int,
    lease_seconds: int,
) -> list[RowMapping]:
    """Claim due rows nobody holds, and return them with their new fence.

    The table needs the columns `id`, `lease_until` and `fence`. Leases run on the database's clock.
    """
    free = and_(due, rows.c.lease_until < database_now())
    found = select(rows.c.id).where(free).order_by(*order).limit(most)
    ids = connection.execute(found.with_for_update(skip_locked=True)).scalars().all()
    if not ids:
        return []
    taken = (
        update(rows)
        .where(rows.c.id.in_(ids))
        .values(lease_until=database_now() + lease_seconds, fence=rows.c.fence + 1)
        .returning(*rows.c)
    )
    claimed = {row["id"]: row for row in connection.execute(taken).mappings()}
    return [claimed[name] for name in ids]


def holds(connection: Connection, rows: Table, row_id: str, fence: int) -> bool:
    """Tell whether the claim with this fence still stands, and lock the row until the commit."""
    query = select(rows.c.id).where(rows.c.id == row_id, rows.c.fence == fence)
    return connection.execute(query.with_for_update()).first() is not None


def fenced_update(
    connection: Connection, rows: Table, row_id: str, fence: int, values: Mapping[str, Any]
) -> bool:
    """Change a claimed row if its claim still stands, and tell whether it did."""
    change = update(rows).where(rows.c.id == row_id, rows.c.fence == fence).values(**values)
    return connection.execute(change).rowcount == 1


def add(connection: Connection, into: Table, **values: Any) -> None:
    """Insert one row. Raises the library's IntegrityError where a rule forbids it."""
    connection.execute(insert(into).values(**values))
