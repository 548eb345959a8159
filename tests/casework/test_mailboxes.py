"""Mailboxes nobody can read: whoever is in charge hears of them, and nobody of a short trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.test_staff import notify
from mailcounsel import config
from mailcounsel.cli import queue
from mailcounsel.intake import ledger, mailboxes
from mailcounsel.service import work


@pytest.fixture
def watched(house):
    """A house whose inbox is a mailbox, with a supervisor who gets notes; `note(problem)` of it."""
    notify(house, "sari")
    box = config.Imap(host="mail.rumah.test", user="halo", password_file=Path("/nowhere"))
    object.__setattr__(house.office.config.inboxes[0], "imap", box)
    account = ledger.account_of(house.office.keyring, "halo", "mail.rumah.test")
    fence = ledger.hold(house.store, account, "w") or 0

    def note(problem, **more):
        assert ledger.renew(house.store, account, fence, problem=problem, **more)

    return note


def notes(house):
    """Do what is done each minute, and return all notes so far: to whom, and their text."""
    work.tell_of_mailboxes(house.desk)
    rows = house.outbox(mailboxes.NOTE)
    return [(row.parcel.to_address, row.parcel.subject + row.parcel.text) for row in rows]


def above(house, person="sari"):
    return queue.troubles(house.call(person, "queue.list"))


def test_a_mailbox_that_went_silent_is_told_of_once_a_day(house, watched):
    """A password was changed: the queue of who is in charge says so, and a note without content."""
    watched("", looked_at=house.clock.now())
    house.clock.on(minutes=10)
    watched("login-refused")
    assert (above(house), notes(house)) == ("", [])
    house.clock.on(minutes=6)
    assert above(house).startswith("!! No letters come from 1 mailbox, since ")
    assert "mailcounsel doctor" in above(house)
    assert above(house, "wulan") == ""
    ((to, text),) = notes(house)
    assert to == "sari@staf.test"
    assert "mailcounsel doctor" in text
    assert "rumah.test" not in text
    house.clock.on(hours=3)
    assert len(notes(house)) == 1
    house.clock.on(days=1)
    assert len(notes(house)) == 2
    watched("", looked_at=house.clock.now())
    house.clock.on(days=1)
    assert (above(house), len(notes(house))) == ("", 2)


def test_a_mailbox_that_never_opened_is_told_of_at_once(house, watched):
    """There is no moment it could be said to be silent since."""
    watched("login-refused")
    assert above(house).startswith("!! No letters come from 1 mailbox. ")
    assert len(notes(house)) == 1


def test_a_mailbox_that_is_configured_no_more_is_no_trouble(house, watched):
    """Its last report stays in the store."""
    watched("login-refused")

    object.__setattr__(house.office.config.inboxes[0], "imap", None)
    assert (above(house), notes(house)) == ("", [])
