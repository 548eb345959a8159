"""Statements the nouns share: insert once, hand out numbers, claim due work with a lease.

A claim is the same SELECT … FOR UPDATE SKIP LOCKED on both databases; SQLite's dialect leaves the
lock clause out, since its writer is alone anyway. Whoever claims a row gets a *fence*: every later
write about that row names it, and finds nothing once somebody else has claimed the row again.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Table,
    and_,
    bindparam,
    exc,
    func,
    insert,
    literal,
    select,
    update,
)

from mailcounsel.store.columns import database_now
from mailcounsel.store.models import Counter, table
from mailcounsel.store.ready import Ready

counters = table(Counter)

_STEP = Ready(
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(value=counters.c.value + 1)
    .returning(counters.c.value)
)


def insert_once(connection: Connection, into: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless a uniqueness rule forbids it, and tell whether it was inserted."""
    row = _filled(into, values)
    return _insert_once(into, tuple(row), connection.dialect.name).run(connection, row) == 1


@functools.cache
def _insert_once(into: Table, columns: tuple[str, ...], dialect: str) -> Ready:
    make = importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert
    # Without the option psycopg gives -1 for an INSERT.
    once = make(into).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return Ready(once, columns)


def next_number(connection: Connection, name: str) -> int:
    """Hand out the next number of a counter, starting at 1."""
    number = _STEP.scalar(connection, {"counter": name})
    if number is None:
        insert_once(connection, counters, {"name": name, "value": 0})
        number = _STEP.scalar(connection, {"counter": name})
    return int(number)


class Queue:
    """Rows that are due at a moment and worked off in the order of that, by whoever claims them.

    `state` says which rows wait at all; with `counting` a claim counts an attempt; `size` is what a
    row weighs in memory. The table needs the columns `id`, `due_at`, `lease_until` and `fence`.
    Leases run on the database's clock.
    """

    def __init__(
        self,
        rows: Table,
        state: ColumnElement[bool],
        *,
        counting: bool = False,
        size: ColumnElement[int] | None = None,
    ) -> None:
        now = bindparam("now", type_=rows.c.due_at.type)
        free = and_(state, rows.c.due_at <= now, rows.c.lease_until < database_now())
        weight = literal(0) if size is None else size
        found = select(rows.c.id, weight.label("size")).where(free)
        most = bindparam("most", type_=BigInteger())
        found = found.order_by(rows.c.due_at, rows.c.id).limit(most)
        self._due = Ready(found.with_for_update(skip_locked=True))
        lease = database_now() + bindparam("seconds", type_=BigInteger())
        values = {"lease_until": lease, "fence": rows.c.fence + 1}
        counted = {"attempts": rows.c.attempts + 1} if counting else {}
        taken = update(rows).where(rows.c.id == bindparam("this_id")).values(values | counted)
        self._taken = Ready(taken.returning(*rows.c))

    def claim(
        self,
        connection: Connection,
        now: datetime,
        *,
        most: int,
        lease_seconds: int,
        most_size: int = 0,
    ) -> list[RowMapping]:
        """Claim due rows nobody holds, and return them with their new fence, the oldest first.

        Once those claimed weigh `most_size` together, the others are left for the next time.
        """
        claimed, weight = [], 0
        for due in self._due.rows(connection, {"now": now, "most": most}):
            wanted = {"this_id": due["id"], "seconds": lease_seconds}
            claimed += self._taken.rows(connection, wanted)
            weight += due["size"]
            if most_size and weight >= most_size:
                break
        return claimed


def holds(connection: Connection, rows: Table, row_id: str, fence: int) -> bool:
    """Tell whether the claim with this fence still stands, and lock the row until the commit."""
    return _held(rows).scalar(connection, {"this_id": row_id, "this_fence": fence}) is not None


@functools.cache
def _held(rows: Table) -> Ready:
    # Its id alone: a letter's row holds the whole letter.
    this = (rows.c.id == bindparam("this_id"), rows.c.fence == bindparam("this_fence"))
    return Ready(select(rows.c.id).where(*this).with_for_update())


def take_turns(connection: Connection, what: bytes) -> None:
    """Wait while another transaction holds the same first 8 bytes, then hold them to the end.

    On PostgreSQL, where transactions run side by side; SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(what[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def fenced_update(
    connection: Connection, rows: Table, row_id: str, fence: int, values: Mapping[str, Any]
) -> bool:
    """Change a claimed row if its claim still stands, and tell whether it did."""
    known = {**values, "this_id": row_id, "this_fence": fence}
    return _update(rows, tuple(values), fenced=True).run(connection, known) == 1


# -- the plain ones, built once -------------------------------------------------------------------
#
# Building a statement costs many times as much as running it, so those every letter needs are built
# once for a table and its columns, and run with parameters.


def add(connection: Connection, into: Table, **values: Any) -> None:
    """Insert one row. Raises the library's IntegrityError where a rule forbids it."""
    row = _filled(into, values)
    _insert(into, tuple(row)).run(connection, row)


def add_all(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns."""
    filled = [_filled(into, values) for values in rows]
    if filled:
        _insert(into, tuple(filled[0])).run_all(connection, filled)


def one(
    connection: Connection, rows: Table, *, lock: bool = False, **equal: Any
) -> RowMapping | None:
    """Return the first row whose columns have these values (None: NULL), locked if asked."""
    found = _found(connection, rows, equal, lock=lock)
    return found[0] if found else None


def row(connection: Connection, rows: Table, row_id: str) -> RowMapping:
    """Return the row with this id. Raises the library's NoResultFound where there is none."""
    found = one(connection, rows, id=row_id)
    if found is None:
        raise exc.NoResultFound
    return found


def every(connection: Connection, rows: Table, *order: str, **equal: Any) -> Sequence[RowMapping]:
    """Return the rows whose columns have these values (None: NULL), in the order named."""
    return _found(connection, rows, equal, order=order)


def change(connection: Connection, rows: Table, row_id: str, **values: Any) -> int:
    """Set columns of the row with this id, and return how many rows that were."""
    return _update(rows, tuple(values)).run(connection, {**values, "this_id": row_id})


def changed(connection: Connection, rows: Table, row_id: str, **values: Any) -> RowMapping:
    """Set columns of the row with this id and return it as it is now.

    Raises the library's NoResultFound where there is none.
    """
    found = _update(rows, tuple(values), whole=True).rows(connection, {**values, "this_id": row_id})
    if not found:
        raise exc.NoResultFound
    return found[0]


def _filled(into: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a new row together with what its other columns start with."""
    usual = {name: default() for name, default in _defaults(into) if name not in values}
    return {**usual, **values}


@functools.cache
def _defaults(into: Table) -> list[tuple[str, Callable[[], Any]]]:
    return [(c.name, functools.partial(_start, c.default)) for c in into.c if c.default is not None]


def _start(default: Any) -> Any:
    return default.arg(None) if default.is_callable else default.arg


@functools.cache
def _insert(into: Table, columns: tuple[str, ...]) -> Ready:
    return Ready(insert(into).inline(), columns)


def _found(
    connection: Connection,
    rows: Table,
    equal: Mapping[str, Any],
    *,
    lock: bool = False,
    order: tuple[str, ...] = (),
) -> list[RowMapping]:
    given = {name: value for name, value in equal.items() if value is not None}
    missing = tuple(name for name in equal if name not in given)
    return _select(rows, tuple(given), missing, order, lock=lock).rows(connection, given)


@functools.cache
def _select(
    rows: Table,
    equal: tuple[str, ...],
    missing: tuple[str, ...] = (),
    order: tuple[str, ...] = (),
    *,
    lock: bool = False,
) -> Ready:
    found = select(rows).where(*(rows.c[name] == bindparam(name) for name in equal))
    found = found.where(*(rows.c[name].is_(None) for name in missing))
    found = found.order_by(*(rows.c[name] for name in order))
    return Ready(found.with_for_update() if lock else found)


@functools.cache
def _update(
    rows: Table, columns: tuple[str, ...], *, fenced: bool = False, whole: bool = False
) -> Ready:
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    this = update(rows).where(rows.c.id == bindparam("this_id"))
    if fenced:
        this = this.where(rows.c.fence == bindparam("this_fence"))
    this = this.values(**values)
    return Ready(this.returning(*rows.c) if whole else this)
