"""Mailboxes that nobody could read for a while: whoever is in charge hears of it.

A password that was changed stops every letter of an inbox, and no letter tells of it. Once a minute
`tell` looks; admins and supervisors get a note without content, each once a day while it lasts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from mailcounsel.casework import staff
from mailcounsel.casework.office import Office
from mailcounsel.intake import ledger
from mailcounsel.store.engine import Store

NOTE = "staff-mailbox"  # the template
PATIENCE = timedelta(minutes=15)  # servers restart


@dataclass(frozen=True, slots=True)
class Silent:
    """How many mailboxes could not be read for a while, and since when the first of them.

    `since` is None where none of them could ever be read.
    """

    mailboxes: int
    since: datetime | None


def silent(store: Store, office: Office, now: datetime) -> Silent:
    """Count the configured mailboxes that could not be read for a while."""
    own = [box.imap for box in office.config.inboxes if box.imap]
    accounts = {ledger.account_of(office.keyring, one.user, one.host) for one in own}
    failing = [one for one in ledger.reports(store) if one.problem and one.account in accounts]
    since = [one.looked_at for one in failing]
    long = [one for one in since if one is None or now - one >= PATIENCE]
    return Silent(len(long), min(filter(None, long), default=None))


def tell(store: Store, office: Office, now: datetime) -> bool:
    """Send the notes that are due about mailboxes; True where there are any."""
    found = silent(store, office, now)
    if not found.mailboxes:
        return False
    return store.write(lambda connection: _tell(connection, office, found, now))


def _tell(connection: Connection, office: Office, found: Silent, now: datetime) -> bool:
    day = now.astimezone(ZoneInfo(office.config.centre.time_zone)).date()
    facts = {"mailboxes": found.mailboxes}
    told = [
        staff.tell(
            connection, office, person, NOTE, facts, f"staff:{person.name}:mailbox:{day}", now
        )
        for person in staff.in_charge(office.config, now)
    ]
    return any(told)
