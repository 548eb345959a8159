"""Letters nobody could read: whoever may do something about them hears of it."""

from __future__ import annotations

import logging

import pytest

from casework.test_staff import notify
from mailcounsel.cli import queue
from mailcounsel.intake import inbox, quarantine
from mailcounsel.service import work
from mailcounsel.store import models

DANGER = "Saya ingin mati malam ini."


@pytest.fixture
def watch(house):
    """A house whose supervisor, an admin, gets notes."""
    notify(house, "sari")
    return house


def too_large(house, text: str, *, more: bytes = b"") -> str:
    """Keep a letter as a mailbox hands it over that is beyond the limits. Return its id."""
    house.posted += 1
    raw = (
        b"From: foto@klien.test\r\nMIME-Version: 1.0\r\n"
        b"Message-ID: <%d@klien.test>\r\n"
        b"Content-Type: multipart/mixed; boundary=q\r\n\r\n"
        b"--q\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n"
        b"--q\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ) % (house.posted, text.encode())
    kept = inbox.keep(
        house.store,
        house.office.keyring,
        raw + (more or b"QUFB\r\n" * 100_000),
        inbox.Envelope("imap", "foto@klien.test", ("halo@rumah.test",), False),
        inbox.Sighted("account", "INBOX", 1, str(house.posted)),
        house.clock.now(),
        too_large=True,
    )
    return kept.result().inbox_id


def notes(house) -> list[tuple[str, str]]:
    """Do what is done each minute, and return all notes so far: to whom, and their text."""
    work.tell_of_quarantine(house.desk)
    rows = house.outbox(quarantine.NOTE)
    return [(row.parcel.to_address, row.parcel.subject + row.parcel.text) for row in rows]


def test_the_queue_of_who_may_help_begins_with_it(house):
    """A number, since when, and what to type; for a therapist there is nothing to do about it."""
    assert queue.troubles(house.call("sari", "queue.list")) == ""
    since = house.clock.now()
    too_large(house, "Halo.")
    house.clock.on(days=1)
    too_large(house, "Halo.")
    listed = house.call("sari", "queue.list")
    assert (listed["quarantine"], listed["quarantine_since"]) == (2, since.isoformat())
    assert "2 letters nobody could read, since" in queue._render(listed)
    assert "mailcounsel quarantine list" in queue._render(listed)
    assert "quarantine" not in house.call("wulan", "queue.list")


def test_next_says_so_where_nothing_waits(house):
    """Nothing waiting would be untrue without it."""
    too_large(house, "Halo.")
    nothing = house.call("sari", "case.next")
    assert (nothing["case"], nothing["quarantine"]) == (None, 1)
    assert queue.troubles(nothing).startswith("!! 1 letter nobody could read, since")
    assert house.call("wulan", "case.next")["case"] is None


def test_the_staff_get_a_note_once_an_hour_at_most(watch):
    """The first letter is told of at once; what comes after it waits, and is told of all the same.

    A note says how many, and nothing of any of them; who gets no notes gets none of these.
    """
    assert notes(watch) == []
    too_large(watch, "Halo, wombat.")
    ((to, text),) = notes(watch)
    assert to == "sari@staf.test"
    assert "wombat" not in text
    assert "foto" not in text
    watch.clock.on(minutes=20)
    too_large(watch, "Halo.")
    assert len(notes(watch)) == 1
    watch.clock.on(minutes=41)
    assert ": 2\n" in notes(watch)[1][1]
    watch.clock.on(hours=30)
    assert len(notes(watch)) == 2


def test_words_of_danger_in_a_letter_too_large_are_told_of_at_once(watch):
    """Its first part is looked at, within the budgets: such a note is urgent, and waits no hour."""
    too_large(watch, "Halo.")
    (first,) = notes(watch)
    too_large(watch, DANGER)
    urgent = notes(watch)[1]
    word = {"Urgent", "Mendesak"}
    assert not any(one in first[1] for one in word)
    assert any(one in urgent[1] for one in word)
    watch.clock.on(minutes=5)
    assert len(notes(watch)) == 2


def test_words_of_danger_count_in_whatever_else_is_beyond_the_limits(watch):
    """More headers than are read: the bytes themselves are searched."""
    kept = watch.keep(b"X: y\r\n" * 5_000 + b"\r\n" + DANGER.encode())
    for _ in range(3):
        watch.clock.on(hours=1)
        row = watch.again(kept)
    assert (row.state, row.reason) == ("quarantine", "OverBudget")
    assert "rgent" in notes(watch)[0][1] or "endesak" in notes(watch)[0][1]


def test_what_killed_the_service_is_not_looked_at_again(watch, monkeypatch):
    """It is told of, and left alone."""
    kept = watch.keep(watch.mail("x@klien.test", DANGER))
    for _ in range(3):
        inbox.claim(watch.store, watch.office.keyring, watch.clock.now())
        inbox.free_leases(watch.store)
    watch.again(kept)
    monkeypatch.setattr(quarantine, "_is_danger", lambda *_: pytest.fail("looked at"))
    assert len(notes(watch)) == 1


def test_a_letter_that_came_again_is_told_of_again(watch):
    """Tried once more in vain, it is news."""
    kept = too_large(watch, "Halo.")
    assert len(notes(watch)) == 1
    inbox.retry(watch.store, kept, watch.clock.now())
    (row,) = [row for row in watch.rows(models.Inbox) if row.id == kept]
    assert row.noticed_at is None


def test_the_log_counts_and_says_no_more(watch, caplog):
    """Whoever runs the service reads it there too."""
    too_large(watch, "Halo, wombat.")
    with caplog.at_level(logging.WARNING):
        notes(watch)
    assert [one.getMessage() for one in caplog.records] == [
        "intake: letters came to quarantine that nobody could read: 1"
    ]
    assert "quarantined" in watch.audited()
