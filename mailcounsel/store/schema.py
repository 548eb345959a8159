"""The shape of the store: bring it to this release's, or say that it is not."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlmodel import SQLModel

from mailcounsel import errors
from mailcounsel.store.engine import Store

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 7016110  # any number nobody else uses: two processes that start together migrate one by one


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(store: Store) -> None:
    """Bring the store to this release's shape. Idempotent.

    Raises: Refused when the store was written by a newer release, which this one must not touch.
    """
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
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """Return the revision this release writes."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def differences(connection: Connection) -> list[object]:
    """Return how the store's tables differ from the models, empty when they agree."""
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))
