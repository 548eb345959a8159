"""The database server goes away while letters are in work, and comes back: a real PostgreSQL."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

import house as house_of
from mailcounsel import errors
from mailcounsel.intake import inbox
from mailcounsel.service import work
from mailcounsel.store import models, schema
from mailcounsel.store.engine import Store


@pytest.fixture
def server(postgres):
    """A database that can be closed to everybody, as by a restart, and opened again."""
    name = postgres.create()

    class Server:
        url = postgres.url(name)

        def close(self):
            postgres.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
            ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
            postgres.execute(f"{ending}'{name}'")

        def open(self):
            postgres.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

    yield Server()
    postgres.drop(name)


def test_a_store_that_goes_away_costs_a_letter_no_attempt(
    server, tmp_path, clock, centre, monkeypatch
):
    """Three restarts at the worst moment put no good letter into quarantine, nor make it wait."""
    store = Store(server.url)
    schema.upgrade(store)
    house = house_of.build(tmp_path, store, clock, centre)
    house.enrol("wulan", "sari")
    desk, look = house.desk, work._look

    def goes_away(desk, received):
        passage = look(desk, received)
        server.close()
        return passage

    house.keep(house.mail("ani@klien.test", "Aku tidak bisa tidur."))
    monkeypatch.setattr(work, "_look", goes_away)
    for _ in range(3):
        work.place_letters(desk)
        with pytest.raises(errors.TryLater):
            work.place_letters(desk)
        server.open()
        work.place_letters(desk)  # puts it back, to be tried in half a minute
        clock.on(seconds=31)
    monkeypatch.undo()
    assert [row.attempts for row in house.rows(models.Inbox)] == [0]
    assert work.place_letters(desk) == 1
    assert house.states() == ["case"]
    store.close()


class TakenMeanwhile(deque[inbox.Received]):
    """Letters of which the loop for heavy ones takes the last, between a look and a grasp."""

    def __bool__(self):
        return True


def test_two_loops_that_put_back_the_same_letters_disturb_nobody(house):
    """Whoever finds nothing left goes on with the letters that are due."""
    house.keep(house.mail("ani@klien.test", "Aku tidak bisa tidur."))
    assert work.place_letters(replace(house.desk, owed=TakenMeanwhile())) == 1
