"""A therapist's reply: begun with a ticket, signed in their own process, approved, held, undone.

`begin` hands out a *ticket*: to whom, with which key, by which way, until when, with a MAC so that
nothing has to be remembered. The therapist's process renders the letter and signs a *statement*
that repeats the ticket with the finished words. `approve` takes nothing else: a statement whose
signature, ticket, recipient, key and way still hold, from somebody who may write in this case.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from mailcounsel import errors
from mailcounsel.casework import (
    asking,
    cases,
    consent,
    copied,
    enclosures,
    goals,
    keeping,
    letters,
    parcels,
    records,
    silence,
    takebacks,
)
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.casework.parcels import Parcel
from mailcounsel.crypto import sealing
from mailcounsel.letter import templates, write
from mailcounsel.practice.journey import activities_of
from mailcounsel.store import models
from mailcounsel.store.columns import database_now, new_id
from mailcounsel.trust import addressbook, pins, roster

outgoing = models.table(models.Outgoing)

TICKET_LASTS = timedelta(hours=24)  # from opening the editor to sending
WAITING_LASTS = timedelta(days=60)  # how long a reply waits for a way
FORMAT = 2

# What is not known before a letter is built, in bytes, on the safe side.
AUTOCRYPT_ADDS = 1200  # our certificate in a header, folded
ENCRYPTION_ADDS = 2000  # the same header inside, session key, signature, packet and armour heads
ARMOUR_LINE, ARMOUR_BYTES = 66, 48  # a line of armour with its end, and what it holds


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a reply may be written against. `expires` is seconds since 1970.

    `newest` is the id of the newest reply in the case, whoever wrote it, or "".
    """

    draft: str
    case: str
    version: int
    recipient: str  # opaque: the client's id
    channel: str
    fingerprint: str
    author: str
    newest: str
    expires: int

    def fields(self) -> list[bytes]:
        """Return the fields the MAC covers, in order."""
        numbers = (str(self.version), str(self.expires))
        words = (self.draft, self.case, self.recipient, self.channel, self.fingerprint, self.author)
        return [word.encode() for word in (*words, self.newest, *numbers)]


# What a therapist signs: their own letter, and what is written in their name.
TEMPLATES = frozenset(
    {"reply", "lesson", "copy", "introduction", "appointment", "appointment-cancelled"}
)


def begin(
    connection: Connection,
    office: Office,
    case: RowMapping,
    person: str,
    now: datetime,
    template: str = "reply",
) -> dict[str, Any]:
    """Return a ticket, its MAC, and what one of `TEMPLATES` needs, for a reply in this case.

    Raises: Refused for a template that nobody signs, or for who holds no key to the letters;
    Conflict while nobody has decided who wrote a letter in it (`casework/copied`).
    """
    if template not in TEMPLATES:
        message = "A reply is not written with this template."
        raise errors.Refused(message)
    _check_keys(connection, case, person)
    copied.check(connection, case)
    way = consent.way(connection, office.keyring, case["client_id"])
    ticket = Ticket(
        draft=new_id(),
        case=case["id"],
        version=FORMAT,
        recipient=case["client_id"],
        channel=way.channel,
        fingerprint=way.fingerprint or "",
        author=person,
        newest=_newest(connection, case),
        expires=int((now + TICKET_LASTS).timestamp()),
    )
    mac = office.keyring.row_mac("ticket", ticket.fields())
    language = case["language"]
    return {
        "ticket": {name: getattr(ticket, name) for name in Ticket.__dataclass_fields__},
        "mac": mac.hex(),
        "language": language,
        "time_zone": addressbook.facts(connection, case["client_id"]).time_zone,
        "facts": {**letters.common_facts(office, language), "sign_off": person.title()},
        # Rendered in the therapist's own process, which has no folder of the admin's templates.
        "template": templates.override_text(language, template, office.config.centre.templates),
    }


def _newest(connection: Connection, case: RowMapping) -> str:
    """Return the id of the newest reply in a case and those linked into it, "" for none."""
    theirs = outgoing.c.case_id.in_(cases.family(connection, case)) & (outgoing.c.kind == "reply")
    return connection.execute(select(func.max(outgoing.c.id)).where(theirs)).scalar() or ""


def _check_not_answered(connection: Connection, case: RowMapping, ticket: Ticket) -> None:
    """Refuse a reply that was sent, or whose writer cannot know what a colleague answered since."""
    _check_not_sent(connection, ticket)
    theirs = outgoing.c.case_id.in_(cases.family(connection, case)) & (outgoing.c.kind == "reply")
    since = (outgoing.c.id > ticket.newest) & (outgoing.c.author != ticket.author)
    query = select(outgoing.c.author).where(theirs, since, outgoing.c.state != "undone")
    who = connection.execute(query.order_by(outgoing.c.id.desc()).limit(1)).scalar()
    if who:
        name = cases.handle(cases.main(connection, case["id"])["number"])
        message = (
            f"{who} answered {name} while you wrote: mailcounsel show {name}. Nothing was sent. To "
            f"send yours all the same, write it again: mailcounsel reply {name}"
        )
        raise errors.Conflict(message)


def approve(
    connection: Connection,
    office: Office,
    person: str,
    statement: str,
    signature: bytes,
    now: datetime,
    enclose: Callable[[Parcel], Parcel] | None = None,
) -> dict[str, Any]:
    """Take a signed reply into the outbox; return its id, state and when it leaves.

    `waiting` are the replies written before it that still wait for the client's choice, oldest
    first: where this one leaves, those would come after it one day. `unassigned` is the person's
    name where nobody has the case, `noticed` whether a note goes out that it waits, and `doubted`
    whether a person has to decide about the client's key first. `enclose` may put something beside
    the words, made from what was signed.

    A reply to a client without a way waits, and the client gets a note without content.
    Raises: Refused for a wrong signature, ticket or author, or no key; OverBudget for a letter
    beyond 20 kB; Conflict when the client's key or way changed since the ticket, or a colleague
    answered; NotFound for a case the person cannot open.
    """
    said = _checked_statement(connection, office, person, statement, signature)
    ticket = _checked_ticket(office, said, person, now)
    case = cases.get(connection, ticket.case, lock=True)
    if not cases.may_read(office, case, person):
        raise errors.NotFound
    cases.check_not_erased(connection, office, case)
    _check_keys(connection, case, person)
    _check_not_answered(connection, case, ticket)
    copied.check(connection, case)
    way = _agreed_way(connection, office, case, ticket, said)
    to = addressbook.address_of(connection, office.keyring, case["client_id"])
    parcel = replace(
        letters.address_parcel(office, case, way, to),
        subject=said["subject"],
        text=said["text"],
        author=person,
        files=_files(said, way),
        statement=statement,
        signature=signature.hex(),
    )
    parcel = enclose(parcel) if enclose else parcel
    _check_size(parcel, now)
    earlier = letters.waiting(connection, cases.family(connection, case))
    outgoing_id = _post(connection, office, case, parcel, ticket, said, now)
    enclosures.claim(connection, office, ticket.draft, enclosures.named_in(said), outgoing_id)
    takebacks.remember(connection, case, person, outgoing_id, now)
    keeping.kept(connection, case, now)
    cases.answered(connection, case["id"], now)
    silence.watch(connection, office, case, outgoing_id, now)
    verb = "reply-approved-plain" if said.get("plain") else "reply-approved"
    records.audit(connection, now, person, verb, case["id"], outgoing_id)
    waits = parcel.channel == parcels.NONE
    noticed = waits and _wait(connection, office, case, outgoing_id, now)
    leaves_at = (now + _hold(office)).isoformat()
    state = "waiting" if waits else "held"
    unassigned = "" if case["assignee"] else person
    told = {
        "waiting": earlier,
        "unassigned": unassigned,
        "noticed": noticed,
        "doubted": waits and pins.is_doubted(connection, office.keyring, case["client_id"]),
    }
    return {"id": outgoing_id, "state": state, "leaves_at": leaves_at, **told}


def _files(said: Mapping[str, Any], way: consent.Way) -> tuple[tuple[str, str], ...]:
    """Return the name and type of each file that goes with a reply, locked or not at all."""
    files = tuple((file.name, file.content_type) for file in enclosures.named_in(said))
    if files and way.channel != parcels.ENCRYPTED:
        message = "Files leave encrypted only, and there is no key of this client's."
        raise errors.Refused(message)
    return files


def enclose(
    connection: Connection,
    office: Office,
    person: str,
    begun: Mapping[str, Any],
    place: tuple[int, int],
    data: bytes,
    now: datetime,
) -> None:
    """Keep a piece of a file for a reply that was begun: `begun` is its ticket and MAC.

    `place` is the file's number and where in it the piece starts. Raises: Refused for a ticket that
    is not the person's; NotFound for a case they cannot open; OverBudget for too much.
    """
    ticket = _checked_ticket(office, begun, person, now)
    case = cases.get(connection, ticket.case)
    if not cases.may_read(office, case, person):
        raise errors.NotFound
    cases.check_not_erased(connection, office, case)
    _check_not_sent(connection, ticket)
    expires_at = datetime.fromtimestamp(ticket.expires, UTC)
    enclosures.bring(connection, office, case, ticket.draft, place, data, expires_at)


def _hold(office: Office) -> timedelta:
    return timedelta(seconds=office.config.limits.hold_seconds)


def _post(
    connection: Connection,
    office: Office,
    case: RowMapping,
    parcel: Parcel,
    ticket: Ticket,
    said: Mapping[str, Any],
    now: datetime,
) -> str:
    """Put an approved reply into the outbox, with what was signed in the case's copy."""
    waits = parcel.channel == parcels.NONE
    return letters.post(
        connection,
        office,
        case,
        parcel,
        kind="reply",
        now=now,
        asked=Asked("reply", {}, once=f"draft:{ticket.draft}", is_answer=False),
        state="waiting" if waits else "held",
        due_at=now + _hold(office),
        expires_at=now + WAITING_LASTS if waits else None,
        content={
            "statement": parcel.statement,
            "signature": parcel.signature,
            "plain": said.get("plain", ""),
            "activities": activities_of(said.get("activities")),
        },
    )


def _check_size(parcel: Parcel, now: datetime) -> None:
    """Refuse now what could not be sent later; a letter without a way is measured encrypted."""
    letter = parcels.letter(parcel, now)
    files = parcels.invitation(parcel)
    if parcel.channel == parcels.PLAIN:
        mail = write.plain_mail(letter, parcel.text, files)
    else:
        inside = len(write.payload(letter, parcel.text, files)) + ENCRYPTION_ADDS
        mail = write.encrypted_mail(letter, b"x" * (inside * ARMOUR_LINE // ARMOUR_BYTES))
    write.check_size(mail + b"x" * AUTOCRYPT_ADDS)


def _wait(
    connection: Connection, office: Office, case: RowMapping, outgoing_id: str, now: datetime
) -> bool:
    """Let a reply wait for a way; True where its client gets a note that a letter waits."""
    records.flag(connection, now, case["id"], "waiting", outgoing_id)
    asking.later(connection, office, case, now)
    noticed_at = asking.noticed_at(connection, case)
    if noticed_at and noticed_at > now - asking.WAIT:
        return False  # they were told a moment ago; a second note would say the same
    # Under a doubted key the word does not count: the note says that a person reads their answer.
    facts = {"offer_plain": not pins.is_doubted(connection, office.keyring, case["client_id"])}
    asked = Asked("notice", facts, once=f"notice:{outgoing_id}", is_answer=False)
    return letters.ask(connection, office, case, asked, now) is not None


def _check_keys(connection: Connection, case: RowMapping, person: str) -> None:
    """Refuse a reply by who lost their key, unless a sign of danger is open: nobody waits then."""
    if cases.holds_keys(connection, case, person) or cases.has_open_risk(connection, case):
        return
    name = cases.handle(case["number"])
    message = (
        f"You hold no key to the letters of {name}, so you would answer what you cannot read. "
        f"Nothing was sent. Who can open it types: mailcounsel assign {name} {person}"
    )
    raise errors.Refused(message)


def _checked_statement(
    connection: Connection, office: Office, person: str, statement: str, signature: bytes
) -> Mapping[str, Any]:
    reader = roster.reader(connection, office.keyring, person)
    if not sealing.verify(reader.verify_key, statement.encode(), signature):
        message = "The signature on this reply does not fit your reader key. Nothing was sent."
        raise errors.Refused(message)
    try:
        said = json.loads(statement)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not _is_text(said, "subject") or not _is_text(said, "text"):
        message = "The reply is empty. Nothing was sent."
        raise errors.Refused(message)
    return said


def _is_text(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name)
    return isinstance(value, str) and bool(value.strip())


def _checked_ticket(office: Office, said: Mapping[str, Any], person: str, now: datetime) -> Ticket:
    try:
        ticket = Ticket(**said["ticket"])
        office.keyring.check_row_mac("ticket", ticket.fields(), bytes.fromhex(said["mac"]))
    except (KeyError, TypeError, ValueError, AttributeError, errors.SealBroken) as fault:
        message = "This reply was not begun here. Nothing was sent; begin it again."
        raise errors.Refused(message) from fault
    if ticket.version != FORMAT:
        message = "This reply was begun with another release. Nothing was sent; begin it again."
        raise errors.Conflict(message)
    if ticket.author != person:
        message = "This reply was begun by somebody else. Nothing was sent."
        raise errors.Refused(message)
    if ticket.expires < now.timestamp():
        message = "This reply was begun more than a day ago. Nothing was sent; begin it again."
        raise errors.Conflict(message)
    return ticket


def _check_not_sent(connection: Connection, ticket: Ticket) -> None:
    once = select(outgoing.c.id).where(outgoing.c.once == f"draft:{ticket.draft}")
    if connection.execute(once).first():
        message = "This reply is in the outbox already."
        raise errors.Conflict(message)


def _agreed_way(
    connection: Connection,
    office: Office,
    case: RowMapping,
    ticket: Ticket,
    said: Mapping[str, Any],
) -> consent.Way:
    way = consent.way(connection, office.keyring, case["client_id"])
    agreed = (ticket.recipient, ticket.channel, ticket.fingerprint)
    if (case["client_id"], way.channel, way.fingerprint or "") != agreed:
        message = "The way to this client changed while you wrote. Nothing was sent; look again."
        raise errors.Conflict(message)
    return consent.Way(parcels.PLAIN) if is_sent_plainly(said) else way


def is_sent_plainly(said: Mapping[str, Any]) -> bool:
    """Tell whether a therapist decided for this one letter that it goes in clear, and why."""
    return bool(str(said.get("plain", "")).strip())


TOO_LATE = {  # by the state of a letter, why it is not taken back
    "undone": "it was taken back before",
    "sent": "it has left",
    "uncertain": "it may have left (mailcounsel outbox)",
    "failed": "the mail server refused it (mailcounsel outbox)",
    "bounced": "it has left, and came back undelivered",
}


def undo(
    connection: Connection, office: Office, person: str, name: str, now: datetime
) -> RowMapping:
    """Take back a reply that is still held or waits for a way. Return its row as it was.

    `name` is the outgoing id or a unique beginning of it; "" means the person's latest reply.
    Raises: NotFound; Conflict when it has left, or is leaving now.
    """
    row = _own_reply(connection, person, name)
    here = (outgoing.c.id == row["id"]) & (outgoing.c.fence == row["fence"])
    # Whoever held it longer than the lease can no longer send it: the new fence sees to that.
    free = outgoing.c.state.in_(["held", "waiting"]) & (outgoing.c.lease_until < database_now())
    values = {"state": "undone", "sealed": None, "fence": outgoing.c.fence + 1}
    changed = update(outgoing).where(here, free)
    if connection.execute(changed.values(**values)).rowcount != 1:
        why = TOO_LATE.get(row["state"], "it is leaving now")
        message = f"This reply cannot be taken back any more: {why}."
        raise errors.Conflict(message)
    entries = records.letters
    of_reply = update(entries).where(entries.c.id == row["letter_id"])
    connection.execute(of_reply.values(kind="reply-undone"))
    case = cases.main(connection, row["case_id"])
    goals.stop_taught(connection, case, str(row["once"]).removeprefix("draft:"))
    keeping.not_kept_after_all(connection, case)
    takebacks.take_back(connection, office, case, row, person, now)
    enclosures.forget(connection, row["id"])
    records.clear_flag(connection, now, row["case_id"], "waiting", person, row["id"])
    records.audit(connection, now, person, "reply-undone", row["case_id"], row["id"])
    return row


def _own_reply(connection: Connection, person: str, name: str) -> RowMapping:
    query = select(outgoing).where(outgoing.c.author == person, outgoing.c.kind == "reply")
    if name:
        query = query.where(outgoing.c.id.endswith(name, autoescape=True))
    still_here = outgoing.c.state.in_(["held", "waiting"])
    newest = query.order_by(still_here.desc(), outgoing.c.created_at.desc(), outgoing.c.id.desc())
    newest = newest.limit(1 if not name else 2)
    rows = connection.execute(newest).mappings().all()
    if len(rows) != 1:
        which = "There is no such reply of yours." if name else "You have not written a reply yet."
        message = f"{which} `mailcounsel outbox` lists them."
        raise errors.NotFound(message)
    return rows[0]
