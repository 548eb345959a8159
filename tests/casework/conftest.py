"""What the tests of the profession stand on: the same store twice, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import SQLModel

import house as house_of
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import schema
from mailcounsel.store.engine import Store
from parts import gpg_homes


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory):
    """A SQLite store of this release's shape: what its statements are compiled to is kept."""
    opened = _shaped(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgresql_store(postgres):
    """A PostgreSQL store of this release's shape: its connections, too, are kept."""
    name = postgres.create()
    opened = _shaped(postgres.url(name))
    yield opened
    opened.close()
    postgres.drop(name)


def _shaped(url):
    opened = Store(url)
    schema.upgrade(opened)
    return opened


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    """An empty store, on each of the two engines in turn; it is emptied after the test."""
    opened = request.getfixturevalue(f"{request.param}_store")
    yield opened
    opened.write(_empty)


def _empty(connection):
    for table in reversed(SQLModel.metadata.sorted_tables):
        connection.execute(table.delete())


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
