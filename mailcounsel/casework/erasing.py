"""The end of a case: its keys destroyed, its words gone, its client forgotten.

Erasing cannot be taken back by anybody. What stays is that there was a case of this number, when
it was opened and erased, by whom and why (`Wish.sealed_reason`), the audit's codes, and for each
letter that came an empty entry, so that the ledger still balances. The client's last letter is put
into the outbox in the same transaction, with all it needs to leave: address and certificate stand
in its own sealed parcel.

Where no wish of the client's stands, one person alone ends nothing: the first proposes it, and the
same by another carries it out. One of the two is the case's therapist or supervisor. Only where the
queue has nobody else does one person suffice. The last letter says which of these it was. A wish
counts for a case that is all of its sender's: who wrote a letter that is merged into it, or whose
case was, may be somebody else. A proposal counts for seven days, and only until the client writes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, func, select, update

from mailcounsel import errors
from mailcounsel.casework import (
    cases,
    consent,
    errands,
    letters,
    linking,
    parcels,
    records,
    splitting,
    wishes,
)
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.letter.templates import Fact
from mailcounsel.store import models, statements
from mailcounsel.store.columns import database_now, new_id
from mailcounsel.trust import addressbook, casekeys, pins

ERASE = "erase"
ERASED = "erased"  # the state of a case, and the template of the last letter
PROPOSED = "erase-proposed"  # a flag; its ref says who proposed
OVER = "erase-proposal-over"  # the flag after it, and the errand that raises it
COUNTS = timedelta(days=7)  # how long a proposal does

goals = models.table(models.Goal)
checkins = models.table(models.CheckIn)
readings = models.table(models.Reading)
message_ids = models.table(models.MessageId)
imprints = models.table(models.Imprint)

# Rows of a case that go as they are; the others have their own way below.
WHOLE: tuple[Table, ...] = tuple(
    models.table(model)
    for model in (
        models.Risk,
        models.Promise,
        models.Appointment,
        models.Errand,
        models.Flag,
        models.Resealed,
        models.Enclosure,
    )
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of a case: how many letters had come, and the client's last letter if any."""

    came: int
    receipt: str | None


def check(
    connection: Connection, office: Office, case: RowMapping, person: str, now: datetime
) -> None:
    """Refuse where a case must not be erased, or not yet, or not by this person.

    Raises: Refused for somebody who is neither its therapist nor its supervisor; Conflict for a
    linked case, an open sign of danger, a letter nobody has read, a letter that is leaving, and a
    wish that is not ready.
    """
    name = cases.handle(case["number"])
    family = cases.family(connection, case)
    above = {one.name for one in office.config.supervisors(case["queue"])}
    is_theirs = person == case["assignee"] or person in above
    if not is_theirs and not _is_second(connection, office, case, person, now):
        message = f"Only the therapist who has {name}, or its supervisor, may erase it."
        raise errors.Refused(message)
    if case["merged_into"]:
        into = cases.handle(cases.get(connection, case["merged_into"])["number"])
        message = (
            f"{name} is a part of {into}. Erase that one, or take the merge back: mailcounsel undo "
            f"{name}"
        )
        raise errors.Conflict(message)
    if cases.has_open_risk(connection, case):
        message = f"{name} has an open sign of danger. It cannot be erased while that is open."
        raise errors.Conflict(message)
    wishes.check(connection, office, family, name, ERASE, now)
    _check_letters(connection, family, name)


def _check_letters(connection: Connection, family: Sequence[str], name: str) -> None:
    """A letter nobody has read may say *no*; one that is leaving may need its words again."""
    unread = set(unread_letters(connection, family))
    if unread:
        message = f"There are letters in {name} that nobody has read: mailcounsel show {name}"
        raise errors.Conflict(message)
    out = letters.outgoing
    leaving = (out.c.state == "handing-over") | (out.c.lease_until >= database_now())
    if connection.execute(select(out.c.id).where(out.c.case_id.in_(family), leaving)).first():
        message = f"A letter of {name} is leaving at this moment. Type the command again."
        raise errors.Conflict(message)


def unread_letters(connection: Connection, family: Sequence[str]) -> list[str]:
    """Return the ids of the client's letters that no person has opened yet."""
    entries = records.letters
    read = select(readings.c.letter_id)
    theirs = entries.c.case_id.in_(family) & (entries.c.direction == "in")
    query = select(entries.c.id).where(theirs, entries.c.kind == "letter", ~entries.c.id.in_(read))
    return list(connection.execute(query).scalars())


def needs_second(
    connection: Connection, office: Office, case: RowMapping, person: str, now: datetime
) -> bool:
    """Tell whether another person has to say the same before a case is erased."""
    if _asked_for_all(connection, case) or _is_second(connection, office, case, person, now):
        return False
    return any(one.name != person for one in office.config.readers(case["queue"]))


def _wishes_of(connection: Connection, case: RowMapping) -> list[RowMapping]:
    """Return what this case's own client asks for, and not who wrote what was merged into it."""
    return [
        wish
        for wish in wishes.of_cases(connection, [case["id"]])
        if wish["kind"] == ERASE and wish["state"] in wishes.OPEN
    ]


def _asked_for_all(connection: Connection, case: RowMapping) -> bool:
    """Tell whether a wish stands, and all that is one case now came from who sent it.

    Signed or not: it says who wants a file erased, and not that what was merged into it is theirs.
    """
    of_one = len(_clients_of(connection, cases.family(connection, case))) == 1
    return of_one and bool(_wishes_of(connection, case))


def _joined_at(connection: Connection, case: RowMapping) -> datetime | None:
    """Return when a case was last merged into this one, None where none is."""
    linked = [one for one in cases.family(connection, case) if one != case["id"]]
    audits = records.audits
    joined = audits.c.verb.in_([linking.LINKED, splitting.REJOINED]) & audits.c.case_id.in_(linked)
    return connection.execute(select(func.max(audits.c.at)).where(joined)).scalar()


def _is_second(
    connection: Connection, office: Office, case: RowMapping, person: str, now: datetime
) -> bool:
    """Tell whether somebody else, who works here, has proposed the same and it still counts."""
    joined_at = _joined_at(connection, case)
    by = {
        flag["ref"]
        for flag in _proposals(connection, case["id"])
        if flag["raised_at"] > now - COUNTS
        and (joined_at is None or flag["raised_at"] >= joined_at)
    }
    return any(office.config.person(name) is not None for name in by - {person})


def _proposals(connection: Connection, case_id: str) -> list[RowMapping]:
    flags = records.flags_of(connection, [case_id])
    return [flag for flag in flags if flag["kind"] == PROPOSED]


def propose(
    connection: Connection, office: Office, case: RowMapping, person: str, now: datetime
) -> None:
    """Say that a case should be erased, for another person to say the same. Raises: as `check`."""
    check(connection, office, case, person, now)
    for kind in (PROPOSED, OVER):  # said again, it counts from now
        records.clear_flag(connection, now, case["id"], kind, person, person)
    records.flag(connection, now, case["id"], PROPOSED, person)
    errands.put(connection, case["id"], OVER, person, now + COUNTS)
    records.audit(connection, now, person, PROPOSED, case["id"])


def proposal_over(
    connection: Connection, _office: Office, errand: RowMapping, now: datetime
) -> None:
    """Do the errand `erase-proposal-over`: what was proposed seven days ago counts no more."""
    _end_proposals(connection, errand["case_id"], now, now - COUNTS)


def heard(connection: Connection, case_ids: Sequence[str], now: datetime) -> None:
    """The client wrote: what was proposed before is to be thought over."""
    for case_id in case_ids:
        _end_proposals(connection, case_id, now, now)


def _end_proposals(connection: Connection, case_id: str, now: datetime, until: datetime) -> None:
    for flag in _proposals(connection, case_id):
        if flag["raised_at"] <= until:
            records.clear_flag(connection, now, case_id, PROPOSED, "service", flag["ref"])
            records.flag(connection, now, case_id, OVER, flag["ref"])
            records.audit(connection, now, "service", OVER, case_id, flag["ref"])


def erase(
    connection: Connection,
    office: Office,
    case: RowMapping,
    person: str,
    reason: str,
    now: datetime,
) -> Erased:
    """Erase a case with those linked into it, after telling the client. It cannot be undone.

    Raises: what `check` raises; Conflict where another person has to say the same first. Then
    nothing has changed.
    """
    check(connection, office, case, person, now)
    if needs_second(connection, office, case, person, now):
        message = f"{cases.handle(case['number'])} is erased by two people, who say the same."
        raise errors.Conflict(message)
    family = cases.family(connection, case)
    receipt = _last_letter(connection, office, case, now)
    clients = _clients_of(connection, family)
    _keep_reason(connection, office, case, family, person, reason, now)
    casekeys.destroy(connection, family)
    came = _forget_words(connection, family, receipt)
    for case_id in family:
        _empty_case(connection, case_id, now)
    for client_id in _without_case(connection, clients):
        addressbook.forget_client(connection, client_id)
        pins.forget_client(connection, client_id)
        consent.forget_client(connection, client_id)
    records.audit(connection, now, person, "case-erased", case["id"])
    return Erased(came, receipt)


def _last_letter(
    connection: Connection, office: Office, case: RowMapping, now: datetime
) -> str | None:
    """Put the client's last letter into the outbox, with all it needs once they are forgotten."""
    family = cases.family(connection, case)
    was_asked = bool(_wishes_of(connection, case))
    facts: dict[str, Fact] = {"asked": was_asked, "stays": bool(others(connection, family))}
    asked = Asked(ERASED, facts, once=f"erased:{case['id']}", is_answer=False)
    outgoing_id = letters.ask(connection, office, case, asked, now)
    if outgoing_id is None:
        return None
    row = statements.row(connection, letters.outgoing, outgoing_id)
    pin = pins.pinned(connection, office.keyring, case["client_id"])
    parcel = replace(
        letters.open_parcel(office, row),
        client_id=None,
        certificate=pin.certificate.hex() if pin else "",
    )
    sealed = parcels.seal(office.keyring, outgoing_id, parcel)
    values: dict[str, Any] = {"sealed": sealed, "to_lookup": b"", "letter_id": None}
    statements.change(connection, letters.outgoing, outgoing_id, **values)
    return outgoing_id


def _clients_of(connection: Connection, family: Sequence[str]) -> list[str]:
    rows = cases.cases
    query = select(rows.c.client_id).where(rows.c.id.in_(family)).distinct()
    return list(connection.execute(query).scalars())


def others(connection: Connection, family: Sequence[str]) -> list[RowMapping]:
    """Return the cases of the same clients that would stay, in the order of their numbers."""
    rows = cases.cases
    theirs = rows.c.client_id.in_(_clients_of(connection, family)) & rows.c.id.not_in(family)
    query = select(rows).where(theirs, rows.c.erased_at.is_(None)).order_by(rows.c.number)
    return list(connection.execute(query).mappings())


def _without_case(connection: Connection, clients: Sequence[str]) -> list[str]:
    """Return those of some clients who have no case left that is not erased."""
    rows = cases.cases
    there = rows.c.client_id.in_(clients) & rows.c.erased_at.is_(None)
    kept = set(connection.execute(select(rows.c.client_id).where(there)).scalars())
    return [client_id for client_id in clients if client_id not in kept]


def _keep_reason(
    connection: Connection,
    office: Office,
    case: RowMapping,
    family: Sequence[str],
    person: str,
    reason: str,
    now: datetime,
) -> None:
    """Keep why, beside the client's wish or as a decision of a person's own."""
    wishes.done(connection, family, ERASE, person, now)
    wish_id = new_id()
    sealed = office.keyring.seal("addressbook", reason.encode(), f"wish/{wish_id}/reason")
    ended = {"state": "done", "ended_at": now, "ended_by": person, "sealed_reason": sealed}
    row = {"id": wish_id, "case_id": case["id"], "kind": ERASE, "proof": "person", "asked_at": now}
    statements.add(connection, wishes.wishes, **row, **ended)


def _forget_words(connection: Connection, family: Sequence[str], receipt: str | None) -> int:
    """Take every sealed word of a family away; return how many letters had come."""
    entries = records.letters
    of_family = entries.c.case_id.in_(family)
    ids = select(entries.c.id).where(of_family)
    for rows in (records.attachments, readings):
        connection.execute(delete(rows).where(rows.c.letter_id.in_(ids)))
    # What came stays as an empty line: each inbox row names one, and reconcile counts them.
    came = update(entries).where(of_family, entries.c.direction == "in")
    number = connection.execute(came.values(content=b"", source=None)).rowcount
    connection.execute(delete(entries).where(of_family, entries.c.direction != "in"))
    connection.execute(
        update(imprints).where(imprints.c.letter_id.in_(ids)).values(sender_lookup=b"")
    )
    agreed = select(goals.c.id).where(goals.c.case_id.in_(family))
    connection.execute(delete(checkins).where(checkins.c.goal_id.in_(agreed)))
    for rows in (goals, *WHOLE):
        connection.execute(delete(rows).where(rows.c.case_id.in_(family)))
    _forget_mail(connection, family, receipt or "")
    return number


def _forget_mail(connection: Connection, family: Sequence[str], receipt: str) -> None:
    """Take back what waits, and forget every letter of ours and every Message-ID but the last."""
    for rows, name in ((message_ids, "outgoing_id"), (letters.outgoing, "id")):
        others = rows.c[name].is_distinct_from(receipt)
        connection.execute(delete(rows).where(rows.c.case_id.in_(family), others))


def _empty_case(connection: Connection, case_id: str, now: datetime) -> None:
    """Leave of a case its number, and when it began and ended."""
    rows = cases.cases
    empty: dict[str, Any] = {
        "state": ERASED,
        "erased_at": now,
        "priority": cases.PRIORITIES.index("normal"),
        "sealed_inbox": b"",
        "sealed_tags": None,
        "sealed_thread": None,
        "sealed_token": b"",
        "token_lookup": secrets.token_bytes(32),  # unique, and nobody's
        "maybe_case_id": None,
        "split_from": None,
        "word_lookup": None,  # a letter that names it is nobody's any more
        "waiting_since": None,
        "promised_at": None,
        "answered_at": None,
        "version": rows.c.version + 1,
    }
    connection.execute(update(rows).where(rows.c.id == case_id).values(**empty))
    pointing = update(rows).where(rows.c.maybe_case_id == case_id)
    connection.execute(pointing.values(maybe_case_id=None))
    split = update(rows).where(rows.c.split_from == case_id)
    connection.execute(split.values(split_from=None))
    named = records.flags.c.ref.startswith(case_id, autoescape=True)
    connection.execute(delete(records.flags).where(named))
