"""The shape of the store: bring it to this release's, or say that it is not.

Alembic is loaded only where there is something to bring up: it costs half a second and ten
megabytes, and a centre's store is almost always of the right shape.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from mailcounsel import errors
from mailcounsel.store.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")
NEWEST = "0002"  # the revision this release writes; a test compares it with the migrations
LOCK = 7016110  # any number nobody else uses: two processes that start together migrate one by one


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - see the module's docstring

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(store: Store) -> None:
    """Bring the store to this release's shape. Idempotent.

    Raises: Refused when the store was written by a newer release, which this one must not touch.
    """
    if store.read(revision) == NEWEST:
        return
    with store.engine.connect() as connection:
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if store.is_sqlite else f"SELECT pg_advisory_xact_lock({LOCK})"
        )
        try:
            _run(connection)
        except BaseException:
            _end(connection, "ROLLBACK")
            raise
        _end(connection, "COMMIT")


def _run(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.util import CommandError  # noqa: PLC0415

    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as fault:
        message = "The store was written by a newer mailcounsel. Install that release again."
        raise errors.Refused(message) from fault


def _end(connection: Connection, word: str) -> None:
    """Commit or roll back: by hand on SQLite's plain connection, else with the library."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(word)
    elif word == "COMMIT":
        connection.commit()
    else:
        connection.rollback()


def revision(connection: Connection) -> str | None:
    """Return the store's revision, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest() -> str:
    """Return the revision this release writes."""
    return NEWEST


def differences(connection: Connection) -> list[object]:
    """Return how the store's tables differ from the models, empty when they agree."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - see the module's docstring
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from sqlmodel import SQLModel  # noqa: PLC0415

    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))
