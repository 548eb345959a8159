"""A statement that is made ready once and run many times.

SQLAlchemy makes the SQL and the conversions of values, on both databases. On PostgreSQL it runs
the statement as well, beside a trip to the server that takes longer anyway. On SQLite, whose
statements take some microseconds, its running would take ten times as long as the statement: so
there the SQL goes straight to the driver of the same connection, within the same transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    Select,
    UpdateBase,
    exc,
    or_,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import result_tuple
from sqlalchemy.types import TypeEngine

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]

_DIALECT = sqlite.dialect()


def among(column: ColumnElement[Any], *words: str) -> ColumnElement[bool]:
    """Ask whether a column holds one of some words; an IN is only spelled out when it is run."""
    return or_(*(column == word for word in words))


class Ready:
    """A statement for many runs; `columns` are those an INSERT or UPDATE is given values for."""

    def __init__(self, statement: Select[Any] | UpdateBase, columns: Iterable[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns)

    def rows(self, connection: Connection, values: Values) -> list[RowMapping]:
        """Run it and return what it found or gave back, by the names of the columns."""
        if connection.dialect.name != "sqlite":
            return list(connection.execute(self._statement, dict(values)).mappings())
        found = self._plain.run(connection, values).fetchall()
        return [row._mapping for row in map(self._plain.row, found)]  # noqa: SLF001 - it is public

    def scalar(self, connection: Connection, values: Values) -> Any:
        """Run it and return the first column of its first row, None where there is none."""
        found = self.rows(connection, values)
        return next(iter(found[0].values())) if found else None

    def run(self, connection: Connection, values: Values) -> int:
        """Run it and return how many rows it changed."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, dict(values)).rowcount
        return self._plain.run(connection, values).rowcount

    def run_all(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Run it once for each of some rows of values."""
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, [dict(values) for values in rows])
            return
        for values in rows:
            self._plain.run(connection, values)

    @cached_property
    def _plain(self) -> _Plain:
        return _Plain(self._statement, self._columns)


class _Plain:
    """What SQLite's driver needs to know of a statement."""

    def __init__(self, statement: Select[Any] | UpdateBase, columns: list[str]) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=columns or None)
        self._sql = str(compiled)
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._binds = [
            (name, _impl(compiled.binds[name].type).bind_processor(_DIALECT))
            for name in map(str, compiled.positiontup or ())
        ]
        shown = statement.exported_columns
        self._row_of = result_tuple([str(column.key) for column in shown])
        processors = [_impl(c.type).result_processor(_DIALECT, None) for c in shown]
        self._converts = [(place, make) for place, make in enumerate(processors) if make]

    def run(self, connection: Connection, values: Values) -> sqlite3.Cursor:
        """Run the statement. Raises the same errors as SQLAlchemy's own way."""
        driver: Any = connection.connection.driver_connection
        try:
            cursor: sqlite3.Cursor = driver.execute(self._sql, self._bound(values))
        except Exception as fault:
            raise _wrapped(self._sql, fault) from fault
        return cursor

    def _bound(self, values: Values) -> list[Any]:
        given = {**self._fixed, **values}
        return [given[name] if to is None else to(given[name]) for name, to in self._binds]

    def row(self, found: Sequence[Any]) -> Row[Any]:
        """Return a row of the driver's with its values converted."""
        values = list(found)
        for place, convert in self._converts:
            values[place] = convert(values[place])
        made: Row[Any] = self._row_of(values)
        return made


def _impl(column: TypeEngine[Any]) -> TypeEngine[Any]:
    return column.dialect_impl(_DIALECT)


def _wrapped(sql: str, fault: Exception) -> Exception:
    """Return an error of the driver as SQLAlchemy would raise it, without any value."""
    return exc.DBAPIError.instance(
        sql, None, fault, sqlite3.Error, hide_parameters=True, dialect=_DIALECT
    )
