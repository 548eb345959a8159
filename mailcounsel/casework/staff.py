"""Content-free notes to the centre's own people: there are new letters, or urgent ones."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, update

from mailcounsel.casework import cases, letters, parcels, records
from mailcounsel.casework.office import Office
from mailcounsel.casework.parcels import Parcel
from mailcounsel.config import Config, Person
from mailcounsel.letter import templates
from mailcounsel.store import models, statements
from mailcounsel.store.columns import database_now, new_id
from mailcounsel.trust import addressbook

outgoing = models.table(models.Outgoing)

IN_CHARGE = frozenset({"admin", "supervisor"})  # roles that can do something about the centre
URGENT = cases.PRIORITIES.index("urgent")
AWAY = "therapist-away"  # the flag of a case that somebody else should take over
# Notes of which a person gets one at a time: where several would leave together, the last of these.
TOGETHER = ("staff-notice", "staff-silence", "staff-locked", "staff-risk")


def notify(
    connection: Connection, office: Office, case: RowMapping, occasion: str, now: datetime
) -> None:
    """Send a note to those who should look at a case, each occasion once.

    An empty `occasion` is an ordinary new letter, of which people hear once an hour at most; else
    it names what is urgent, and everybody who can read the case hears of it at once. Who is away
    hears of nothing, and their supervisor of everything; where nobody is there, everybody hears.
    """
    day = now.astimezone(ZoneInfo(office.config.centre.time_zone)).date()
    concerned = _concerned(office, case, day, is_urgent=bool(occasion))
    for person in [one for one in concerned if one.is_here(day)] or concerned:
        once = f"staff:{person.name}:{occasion or now.strftime('%Y%m%d%H')}"
        if person.notify and not letters.exists(connection, once):  # or each letter counts all
            facts = _waiting(connection, office, person)
            tell(connection, office, person, "staff-notice", facts, once, now)


def _concerned(office: Office, case: RowMapping, day: date, *, is_urgent: bool) -> list[Person]:
    """Return who should look at a case: its therapist, or everybody who reads its queue."""
    assignee = office.config.person(case["assignee"]) if case["assignee"] else None
    if assignee is None:
        return list(office.config.readers(case["queue"]))
    is_alone = assignee.is_here(day) and not is_urgent
    above = () if is_alone else office.config.supervisors(case["queue"])
    return list(dict.fromkeys((assignee, *above)))


def in_charge(config: Config, now: datetime) -> list[Person]:
    """Return the admins and supervisors with notes who are there today, else all of them."""
    day = now.astimezone(ZoneInfo(config.centre.time_zone)).date()
    people = [one for one in config.people if one.notify and IN_CHARGE & set(one.roles)]
    return [one for one in people if one.is_here(day)] or people


def tell(
    connection: Connection,
    office: Office,
    person: Person,
    template: str,
    facts: Mapping[str, Any],
    once: str,
    now: datetime,
) -> bool:
    """Send somebody who works here a note without content, once; False where it is not sent.

    It is not sent to a person without an address of their own, nor a second time. Of the notes that
    would leave together (`TOGETHER`) only the most urgent one does, and of two alike the newer.
    """
    if person.notify is None or letters.exists(connection, once):
        return False
    outgoing_id = new_id()
    parcel = _note(office, person, person.notify, template, facts)
    row = {
        "id": outgoing_id,
        "kind": template,
        "state": "ready",
        "reason": "",
        "once": once,
        "to_lookup": addressbook.lookup(office.keyring, person.notify),
        "automatic": False,
        "created_at": now,
        "due_at": now,
        "attempts": 0,
        "lease_until": 0,
        "fence": 0,
        "sealed": parcels.seal(office.keyring, outgoing_id, parcel),
    }
    if template in TOGETHER and not _goes_alone(connection, row["to_lookup"], template):
        row |= _TOLD
    return statements.insert_once(connection, outgoing, row)


_TOLD = {"state": "undone", "reason": "told-together", "sealed": None}


def _goes_alone(connection: Connection, to_lookup: object, template: str) -> bool:
    """Take back the notes to a person that this one stands in for; False where one outranks it."""
    resting = (
        (outgoing.c.to_lookup == to_lookup)
        & (outgoing.c.state == "ready")
        & (outgoing.c.lease_until < database_now())
    )
    rank = TOGETHER.index(template)
    more_urgent = select(outgoing.c.id).where(resting, outgoing.c.kind.in_(TOGETHER[rank + 1 :]))
    if connection.execute(more_urgent.limit(1)).first() is not None:
        return False
    replaced = update(outgoing).where(resting, outgoing.c.kind.in_(TOGETHER[: rank + 1]))
    connection.execute(replaced.values(fence=outgoing.c.fence + 1, **_TOLD))
    return True


def _waiting(connection: Connection, office: Office, person: Person) -> dict[str, int]:
    """Return how many cases wait for this person's answer, how many press, and what else is."""
    rows, here = cases.cases, cases.in_queue(office, person.name)
    urgent = func.count().filter(rows.c.priority == URGENT)
    counted = select(func.count(), func.count(rows.c.waiting_since), urgent).where(here)
    shown, waiting, pressing = connection.execute(counted).one()
    alone = _to_assign(connection, office, person, here)
    return {"new": waiting, "urgent": pressing, "flagged": shown - waiting, "to_assign": alone}


def _to_assign(
    connection: Connection, office: Office, person: Person, here: ColumnElement[bool]
) -> int:
    """Count the cases this person supervises whose therapist is away."""
    led = [queue.name for queue in office.config.queues if queue.supervisor == person.name]
    rows, flags = cases.cases, records.flags
    away = select(flags.c.case_id).where(flags.c.kind == AWAY, flags.c.cleared_at.is_(None))
    query = select(func.count()).where(here, rows.c.queue.in_(led), rows.c.id.in_(away))
    return int(connection.execute(query).scalar_one())


def language_of(office: Office, person: Person) -> str:
    """Return the language notes to a person are written in."""
    return person.languages[0] if person.languages else office.config.centre.language


def _note(
    office: Office, person: Person, address: str, template: str, facts: Mapping[str, Any]
) -> Parcel:
    language = language_of(office, person)
    override = office.config.centre.templates
    mail = templates.render(language, template, facts, override)
    sender = office.config.inboxes[0]
    return Parcel(
        to_address=address,
        from_address=sender.address,
        from_name=office.config.sender_name(sender),
        subject=mail.subject,
        text=mail.body,
        message_id=f"{secrets.token_hex(16)}@{sender.address.rpartition('@')[2]}",
        channel=parcels.PLAIN,
        auto_submitted="auto-generated",
    )
