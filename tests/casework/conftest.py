"""What the tests of the profession stand on: the same store twice, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import house as house_of
import pytest

from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import schema
from mailcounsel.store.engine import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """The address of an empty database, on each of the two engines in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(store_url):
    """A store of this release's shape."""
    opened = Store(store_url)
    schema.upgrade(opened)
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


@pytest.fixture
def house(tmp_path, store, clock, short_tmp):
    """A centre with its people enrolled and no doors."""
    built = house_of.build(tmp_path, store, clock, gnupg=short_tmp / "centre")
    built.enrol("wulan", "bayu", "sari")
    yield built
    built.centre.close()
