"""Column types and expressions that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC.

    SQLite forgets the zone of a datetime, so that 09:12+07:00 comes back as 09:12 without a word;
    here a naive value is refused on the way in, and an aware UTC one is given on the way out.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into UTC. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a moment without a time zone cannot be stored"
            raise ValueError(message)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return the moment aware, in UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class database_now(FunctionElement[int]):  # noqa: N801 - it reads as an SQL function
    """The database's own clock in whole seconds since 1970, for leases only."""

    type = BigInteger()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite_now(element: Any, compiler: Any, **kwargs: Any) -> str:
    return "CAST(strftime('%s', 'now') AS INTEGER)"


@compiles(database_now, "postgresql")
def _postgresql_now(element: Any, compiler: Any, **kwargs: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)"


def new_id() -> str:
    """Return a fresh opaque id of 24 hexadecimal digits, half of them random.

    The others are the milliseconds since 1970, so that new rows stand side by side in an index
    and a large store stays as quick as a small one. They tell when the row was made, as a column
    beside them does anyway, and nothing else. No id is a secret or leaves this machine by mail.
    """
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
