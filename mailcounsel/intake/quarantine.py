"""Letters nobody could read: the staff hear of them, and of danger in what was never looked at.

Once a minute `tell` notices what came to quarantine, by whichever way. Admins and supervisors get
a note without content, each once an hour at most, and at once where words of danger stand in a
letter that is too large to be placed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from mailcounsel import errors
from mailcounsel.casework import danger, records, staff
from mailcounsel.casework.office import Office
from mailcounsel.config import Config, Person
from mailcounsel.intake import assessing, opening
from mailcounsel.intake.inbox import inboxes
from mailcounsel.letter import parse
from mailcounsel.store.engine import Store
from mailcounsel.trust import addressbook

log = logging.getLogger(__name__)

NOTE = "staff-quarantine"  # the template
BETWEEN = timedelta(hours=1)  # two notes to one person, unless there is danger
LOOKED_AT = 256 * 1024  # bytes of a letter that are searched for danger
HARMLESS = ("too-large", "OverBudget")  # others may be what kills a process that looks at them

_HERE = inboxes.c.state == "quarantine"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many letters are in quarantine, and since when the first of them."""

    letters: int
    since: datetime | None


def waiting(connection: Connection) -> Waiting:
    """Count the letters nobody could read."""
    query = select(func.count(), func.min(inboxes.c.received_at)).where(_HERE)
    return Waiting(*connection.execute(query).one())


def tell(store: Store, office: Office, now: datetime) -> bool:
    """Notice what came to quarantine and send the notes that are due; True where there are any.

    A letter is marked as noticed before it is looked at: one that kills the process even then does
    so once.
    """
    new = store.write(lambda connection: _notice(connection, now))
    harmless = [inbox_id for inbox_id, reason in new if reason in HARMLESS]
    dangerous = [one for one in harmless if _is_danger(store, office, one)]
    told = store.write(lambda connection: _tell_all(connection, office, dangerous, now))
    if new:
        log.warning("intake: letters came to quarantine that nobody could read: %d", len(new))
    return told


def _notice(connection: Connection, now: datetime) -> list[tuple[str, str]]:
    change = update(inboxes).where(_HERE, inboxes.c.noticed_at.is_(None)).values(noticed_at=now)
    rows = connection.execute(change.returning(inboxes.c.id, inboxes.c.reason)).all()
    for row in rows:
        records.audit(connection, now, "service", "quarantined", None, row.id)
    return [(row.id, row.reason) for row in rows]


def _is_danger(store: Store, office: Office, inbox_id: str) -> bool:
    """Tell whether the beginning of a letter shows danger, as far as that can be told."""
    query = select(inboxes.c.raw).where(inboxes.c.id == inbox_id)
    try:
        sealed = store.read(lambda connection: connection.execute(query).scalar_one())
        raw = office.keyring.open(sealed, f"inbox/{inbox_id}/raw")
        return _has_signs(office.config, raw[:LOOKED_AT])
    except Exception as fault:  # noqa: BLE001 - it is in quarantine for some reason
        log.error("intake: a letter in quarantine failed: %s", errors.place_of(fault))
        return False


def _has_signs(config: Config, raw: bytes) -> bool:
    try:
        letter = parse.read(raw, opening.budgets(config))
    except errors.OverBudget:
        return bool(danger.signs(raw.decode("utf-8", "replace")))
    return assessing.assess(letter, config.centre.languages).is_danger


def _tell_all(connection: Connection, office: Office, dangerous: list[str], now: datetime) -> bool:
    newest = connection.execute(select(func.max(inboxes.c.noticed_at)).where(_HERE)).scalar_one()
    if newest is None:
        return False
    facts = {"letters": waiting(connection).letters, "urgent": len(dangerous)}
    told = [
        staff.tell(connection, office, person, NOTE, facts, _once(person, now, dangerous), now)
        for person in staff.in_charge(office.config, now)
        if dangerous or _is_due(connection, office, person, newest, now)
    ]
    return any(told)


def _once(person: Person, now: datetime, dangerous: list[str]) -> str:
    return f"staff:{person.name}:quarantine:{dangerous[0] if dangerous else now.isoformat()}"


def _is_due(
    connection: Connection, office: Office, person: Person, newest: datetime, now: datetime
) -> bool:
    """Tell whether a letter came since a person's last note, and that was long enough ago."""
    if person.notify is None:
        return False
    out = staff.outgoing
    theirs = out.c.to_lookup == addressbook.lookup(office.keyring, person.notify)
    query = select(func.max(out.c.created_at)).where(theirs, out.c.kind == NOTE)
    last: datetime | None = connection.execute(query).scalar_one()
    return last is None or (last < newest and now - last >= BETWEEN)
