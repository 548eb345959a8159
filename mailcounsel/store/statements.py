"""Statements the nouns share: insert once, hand out numbers, claim due work with a lease.

A claim is the same SELECT … FOR UPDATE SKIP LOCKED on both databases; SQLite's dialect leaves the
lock clause out, since its writer is alone anyway. Whoever claims a row gets a *fence*: every later
write about that row names it, and finds nothing once somebody else has claimed the row again.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    RowMapping,
    Select,
    Table,
    and_,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from mailcounsel.store.columns import database_now
from mailcounsel.store.models import Counter, table

counters = table(Counter)

_STEP = (
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(value=counters.c.value + 1)
    .returning(counters.c.value)
)


def insert_once(connection: Connection, into: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless a uniqueness rule forbids it, and tell whether it was inserted."""
    result = connection.execute(_insert_once(into, connection.dialect.name), dict(values))
    return result.rowcount == 1


@functools.cache
def _insert_once(into: Table, dialect: str) -> Executable:
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    # Without the option psycopg gives -1 for an INSERT.
    return make(into).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def next_number(connection: Connection, name: str) -> int:
    """Hand out the next number of a counter, starting at 1."""
    number = connection.execute(_STEP, {"counter": name}).scalar_one_or_none()
    if number is None:
        insert_once(connection, counters, {"name": name, "value": 0})
        number = connection.execute(_STEP, {"counter": name}).scalar_one()
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
    return one(connection, rows, lock=True, id=row_id, fence=fence) is not None


def fenced_update(
    connection: Connection, rows: Table, row_id: str, fence: int, values: Mapping[str, Any]
) -> bool:
    """Change a claimed row if its claim still stands, and tell whether it did."""
    done = connection.execute(
        _update(rows, tuple(values), fenced=True),
        {**values, "this_id": row_id, "this_fence": fence},
    )
    return done.rowcount == 1


# -- the plain ones, built once -------------------------------------------------------------------
#
# Building a statement costs five times as much as running it, so those every letter needs are built
# once for a table and its columns, and run with parameters.


def add(connection: Connection, into: Table, **values: Any) -> None:
    """Insert one row. Raises the library's IntegrityError where a rule forbids it."""
    connection.execute(_insert(into), values)


def add_all(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns."""
    connection.execute(_insert(into), [dict(row) for row in rows])


def one(
    connection: Connection, rows: Table, *, lock: bool = False, **equal: Any
) -> RowMapping | None:
    """Return the first row whose columns have these values (None: NULL), locked if asked."""
    found = _run(connection, rows, equal, lock=lock)
    return found.mappings().first()


def row(connection: Connection, rows: Table, row_id: str) -> RowMapping:
    """Return the row with this id. Raises the library's NoResultFound where there is none."""
    return connection.execute(_select(rows, ("id",)), {"id": row_id}).mappings().one()


def every(connection: Connection, rows: Table, *order: str, **equal: Any) -> Sequence[RowMapping]:
    """Return the rows whose columns have these values (None: NULL), in the order named."""
    found = _run(connection, rows, equal, order=order)
    return found.mappings().all()


def change(connection: Connection, rows: Table, row_id: str, **values: Any) -> int:
    """Set columns of the row with this id, and return how many rows that were."""
    done = connection.execute(_update(rows, tuple(values)), {**values, "this_id": row_id})
    return done.rowcount


@functools.cache
def _insert(into: Table) -> Executable:
    return insert(into)


def _run(
    connection: Connection,
    rows: Table,
    equal: Mapping[str, Any],
    *,
    lock: bool = False,
    order: tuple[str, ...] = (),
) -> CursorResult[Any]:
    given = {name: value for name, value in equal.items() if value is not None}
    missing = tuple(name for name in equal if name not in given)
    return connection.execute(_select(rows, tuple(given), missing, order, lock=lock), given)


@functools.cache
def _select(
    rows: Table,
    equal: tuple[str, ...],
    missing: tuple[str, ...] = (),
    order: tuple[str, ...] = (),
    *,
    lock: bool = False,
) -> Select[Any]:
    found = select(rows).where(*(rows.c[name] == bindparam(name) for name in equal))
    found = found.where(*(rows.c[name].is_(None) for name in missing))
    found = found.order_by(*(rows.c[name] for name in order))
    return found.with_for_update() if lock else found


@functools.cache
def _update(rows: Table, columns: tuple[str, ...], *, fenced: bool = False) -> Executable:
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    this = update(rows).where(rows.c.id == bindparam("this_id"))
    if fenced:
        this = this.where(rows.c.fence == bindparam("this_fence"))
    return this.values(**values)
