"""What the tests of the profession stand on: the same store twice, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import SQLModel

import house as house_of
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import schema
from mailcounsel.store.engine import Store
from parts import gpg_homes


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """The address of an empty database, on each of the two engines in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(scope="session")
def sqlite_shape(tmp_path_factory):
    """A SQLite file of this release's shape, to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("shape") / "store.db"
    _shape(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_shape(postgres):
    """The name of a PostgreSQL database of this release's shape, emptied after each test."""
    name = postgres.create()
    _shape(postgres.url(name))
    yield name
    postgres.drop(name)


def _shape(url):
    opened = Store(url)
    schema.upgrade(opened)
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def shaped_url(request, tmp_path):
    """The address of a database of this release's shape, on each of the two engines in turn."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("sqlite_shape"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgres")
    name = request.getfixturevalue("postgresql_shape")
    yield server.url(name)
    tables = reversed(SQLModel.metadata.sorted_tables)
    server.execute("; ".join(f"DELETE FROM {table.name}" for table in tables), name)


@pytest.fixture(scope="session")
def postgresql_store(postgres, postgresql_shape):
    """The store of that database: its connections, and what they have learned, are kept."""
    opened = Store(postgres.url(postgresql_shape))
    yield opened
    opened.close()


@pytest.fixture
def store(request, shaped_url):
    """A store of this release's shape, empty."""
    if not shaped_url.startswith("sqlite"):
        yield request.getfixturevalue("postgresql_store")
        return
    opened = Store(shaped_url)
    yield opened
    opened.close()


@pytest.fixture
def keyring(tmp_path):
    """The service's keyring, fresh."""
    return ServiceKeyring.create(tmp_path / "keyring.json")


class FakeClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def on(self, **span: float) -> datetime:
        """Go on by days, hours, minutes or seconds, and return the new time."""
        self._now += timedelta(**span)
        return self._now


@pytest.fixture
def clock():
    """A clock that stands at a Sunday morning."""
    return FakeClock(datetime(2026, 11, 22, 9, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def centre():
    """The centre's OpenPGP key, one for all tests: gpg takes longer than most of them."""
    with gpg_homes.short_directory() as root:
        made = house_of.make_key(root / "centre")
        yield made
        made.close()


@pytest.fixture
def house(tmp_path, store, clock, centre):
    """A centre with its people enrolled and no doors."""
    built = house_of.build(tmp_path, store, clock, centre)
    built.enrol("wulan", "bayu", "sari")
    return built
