"""The life of a case: opened, waiting, taken, handed over, answered, closed, opened again, linked.

A case has readers. While nobody has taken it, every therapist of its queue and the queue's
supervisor hold a copy of its key; who takes it starts a new epoch, with copies for themselves and
the supervisor only, and the other copies are destroyed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from mailcounsel import errors
from mailcounsel.casework import case_word, hours, letters, promises, records
from mailcounsel.casework.office import Office
from mailcounsel.casework.rules import Priority
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.store.ready import Ready
from mailcounsel.trust import addressbook, casekeys, roster

cases = models.table(models.Case)
entries = models.table(models.Letter)
risks = models.table(models.Risk)
wishes = models.table(models.Wish)

PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "urgent")
_RAISE = Ready(
    update(cases)
    .where(cases.c.id == bindparam("case"), cases.c.priority < bindparam("rank"))
    .values(priority=bindparam("rank"))
)
_LINKED = Ready(
    select(cases.c.id).where(cases.c.merged_into == bindparam("case")).order_by(cases.c.number)
)

LONGEST_PROMISE = 400.0  # working hours: ten weeks, beyond which a day says nothing
DEFAULT_PROMISE = 16.0  # working hours, for a queue that is no longer in the configuration
LISTED = 500  # cases shown of a queue at once, the most urgent ones
LONGEST_NUMBER = 9  # digits that fit the database's integers


@dataclass(frozen=True, slots=True)
class NewCase:
    """What is known when a case is opened."""

    client_id: str
    inbox: str  # the address it is answered from
    queue: str
    language: str
    priority: str = "normal"
    tags: tuple[str, ...] = ()
    suspect: bool = False
    maybe_case_id: str | None = None
    split_from: str | None = None
    assignee: str | None = None


def handle(number: int) -> str:
    """Return what people call a case: C-0042."""
    return f"C-{number:04d}"


def open_case(connection: Connection, office: Office, new: NewCase, now: datetime) -> str:
    """Open a case, make its keys, and return its id.

    Raises: Unavailable when no supervisor of the queue is enrolled.
    """
    case_id, token, keyring = new_id(), letters.new_token(), office.keyring
    statements.add(
        connection,
        cases,
        id=case_id,
        number=statements.next_number(connection, "case"),
        client_id=new.client_id,
        queue=new.queue,
        state="open",
        priority=PRIORITIES.index(new.priority),
        assignee=new.assignee,
        language=new.language,
        sealed_inbox=keyring.seal("addressbook", new.inbox.encode(), f"case/{case_id}/inbox"),
        sealed_tags=_sealed_tags(office, case_id, new.tags),
        sealed_thread=None,
        token_lookup=keyring.lookup("token", token.encode()),
        sealed_token=keyring.seal("addressbook", token.encode(), f"case/{case_id}/token"),
        word_lookup=case_word.new(connection, keyring, case_id),
        epoch=1,
        letters=0,
        suspect=new.suspect,
        maybe_case_id=new.maybe_case_id,
        split_from=new.split_from,
        created_at=now,
        version=1,
    )
    _new_epoch(connection, office, case_id, 1, new.queue, new.assignee, now)
    records.audit(connection, now, "service", "case-opened", case_id)
    return case_id


def _sealed_tags(office: Office, case_id: str, tags: Sequence[str]) -> bytes | None:
    if not tags:
        return None
    return office.keyring.seal(
        "addressbook", json.dumps(list(tags)).encode(), f"case/{case_id}/tags"
    )


def tags_of(office: Office, case: RowMapping) -> list[str]:
    """Return the tags rules put on a case."""
    if not case["sealed_tags"]:
        return []
    opened = office.keyring.open(case["sealed_tags"], f"case/{case['id']}/tags")
    return [str(tag) for tag in json.loads(opened)]


def add_tags(connection: Connection, office: Office, case: RowMapping, tags: Sequence[str]) -> None:
    """Put more tags on a case."""
    had = tags_of(office, case) if tags else []
    together = list(dict.fromkeys([*had, *tags]))
    if together != had:
        sealed = _sealed_tags(office, case["id"], together)
        statements.change(connection, cases, case["id"], sealed_tags=sealed)


def _new_epoch(
    connection: Connection,
    office: Office,
    case_id: str,
    epoch: int,
    queue: str,
    assignee: str | None,
    now: datetime,
) -> None:
    keyring = office.keyring
    wanted = [assignee] if assignee else [person.name for person in office.config.readers(queue)]
    above = {person.name for person in office.config.supervisors(queue)}
    readers = roster.readers(connection, keyring, [*wanted, *sorted(above)])
    supervisors = [reader for reader in readers if reader.name in above]
    casekeys.new_epoch(
        connection, keyring, case_id, epoch, readers=readers, supervisors=supervisors, now=now
    )


def get(connection: Connection, case_id: str, *, lock: bool = False) -> RowMapping:
    """Return a case's row. Raises: NotFound."""
    row = statements.one(connection, cases, lock=lock, id=case_id)
    if row is None:
        raise errors.NotFound
    return row


def main(connection: Connection, case_id: str) -> RowMapping:
    """Return a case, or the one it was linked into."""
    row = get(connection, case_id)
    return get(connection, row["merged_into"]) if row["merged_into"] else row


def find(connection: Connection, name: str) -> RowMapping:
    """Return the case a person means by `C-0042`, `c-42` or `42`. Raises: NotFound."""
    digits = name.strip().upper().removeprefix("C-")
    number = int(digits) if digits.isdecimal() and len(digits) <= LONGEST_NUMBER else 0
    row = connection.execute(select(cases).where(cases.c.number == number)).mappings().first()
    if row is None:
        message = (
            f"There is no case {name}. `mailcounsel queue --all` lists the cases you can open."
        )
        raise errors.NotFound(message)
    return row


def family(connection: Connection, case: RowMapping) -> list[str]:
    """Return the ids of a case and of the cases linked into it."""
    linked = _LINKED.rows(connection, {"case": case["id"]})
    return [case["id"], *(row["id"] for row in linked)]


def families(connection: Connection, case_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return for each of some cases its own id and those of the cases linked into it."""
    found = {case_id: [case_id] for case_id in case_ids}
    linked = select(cases.c.merged_into, cases.c.id).where(cases.c.merged_into.in_(case_ids))
    for main, case_id in connection.execute(linked.order_by(cases.c.number)):
        found[main].append(case_id)
    return found


def of_client(connection: Connection, client_id: str) -> Sequence[RowMapping]:
    """Return every case of a client, the first one first."""
    return statements.every(connection, cases, "number", client_id=client_id)


def may_read(office: Office, case: RowMapping, person: str) -> bool:
    """Tell whether a person may open a case: its supervisor, its therapist, or its queue's."""
    if person in {p.name for p in office.config.supervisors(case["queue"])}:
        return True
    if case["assignee"]:
        return bool(case["assignee"] == person)
    return person in {p.name for p in office.config.readers(case["queue"])}


def readable(connection: Connection, office: Office, name: str, person: str) -> RowMapping:
    """Return a case a person may open. Raises: NotFound, also where they may not, or it is gone."""
    row = find(connection, name)
    if not may_read(office, row, person):
        message = (
            f"{handle(row['number'])} is not among the cases you can open. `mailcounsel queue "
            "--all` lists them."
        )
        raise errors.NotFound(message)
    check_not_erased(connection, office, row)
    return row


def check_not_erased(connection: Connection, office: Office, case: RowMapping) -> None:
    """Raise NotFound for a case that was erased: when, by whom, and why."""
    if not case["erased_at"]:
        return
    day = promises.local_day(case["erased_at"], ZoneInfo(office.config.centre.time_zone), "en")
    message = f"{handle(case['number'])} was erased on {day}. Nobody can open it any more."
    main_id = case["merged_into"] or case["id"]
    for wish in statements.every(connection, wishes, case_id=main_id, kind="erase", state="done"):
        if wish["sealed_reason"]:
            why = office.keyring.open(wish["sealed_reason"], f"wish/{wish['id']}/reason").decode()
            message += f" {wish['ended_by']} wrote why: {' '.join(why.split())}"
    raise errors.NotFound(message)


def queue_of(
    connection: Connection,
    office: Office,
    person: str,
    *,
    everything: bool = False,
    most: int | None = None,
) -> list[RowMapping]:
    """Return the cases a person can open, the most urgent and longest waiting first.

    Without `everything` only open cases that wait for somebody here. Where only so many are
    wanted (`most`), `queue_length` says how many there are.
    """
    urgent, waiting = cases.c.priority.desc(), cases.c.waiting_since.asc().nulls_last()
    query = select(cases).where(in_queue(office, person, everything=everything))
    found = connection.execute(query.order_by(urgent, waiting, cases.c.number).limit(most))
    return list(found.mappings())


def queue_length(
    connection: Connection, office: Office, person: str, *, everything: bool = False
) -> int:
    """Count the cases of a person's queue, however many there are."""
    query = select(func.count()).where(in_queue(office, person, everything=everything))
    return int(connection.execute(query).scalar_one())


def in_queue(office: Office, person: str, *, everything: bool = False) -> ColumnElement[bool]:
    """Return the condition under which `queue_of` lists a case, in SQL."""
    there = theirs(office, person) & cases.c.merged_into.is_(None) & cases.c.erased_at.is_(None)
    if everything:
        return there
    waiting = and_(cases.c.state == "open", cases.c.waiting_since.is_not(None))
    flagged = select(records.flags.c.case_id).where(records.flags.c.cleared_at.is_(None))
    return and_(there, or_(waiting, cases.c.id.in_(flagged)))


def theirs(office: Office, person: str) -> ColumnElement[bool]:
    """Return the condition under which a person may open a case: as `may_read`, in SQL."""
    supervised = [q.name for q in office.config.queues if q.supervisor == person]
    served = [q.name for q in office.config.queues if _serves(office, person, q.name)]
    return or_(
        cases.c.queue.in_(supervised),
        cases.c.assignee == person,
        and_(cases.c.assignee.is_(None), cases.c.queue.in_(served)),
    )


def _serves(office: Office, person: str, queue: str) -> bool:
    return person in {reader.name for reader in office.config.readers(queue)}


def holds_keys(connection: Connection, case: RowMapping, person: str) -> bool:
    """Tell whether a person holds a key to every letter of a case and of those linked into it."""
    return case["id"] in opened_by(connection, {case["id"]: family(connection, case)}, person)


def opened_by(
    connection: Connection, families: Mapping[str, Sequence[str]], person: str
) -> set[str]:
    """Return those of some cases whose every letter a person holds a key to.

    `families` maps each case to itself and the cases linked into it.
    """
    members = [case_id for family in families.values() for case_id in family]
    copies = casekeys.copies_of(connection, members, person)
    held = {(case_id, epoch) for case_id, epoch, kind, _ in copies if kind == casekeys.CONTENT}
    shut = {case_id for case_id, _ in _epochs(connection, members) - held}
    return {case_id for case_id, family in families.items() if not shut & set(family)}


def _epochs(connection: Connection, case_ids: Sequence[str]) -> set[tuple[str, int]]:
    query = select(cases.c.id, cases.c.epoch).where(cases.c.id.in_(case_ids))
    rows = connection.execute(query).all()
    return {(row.id, epoch) for row in rows for epoch in range(1, row.epoch + 1)}


def hand_over_family(
    connection: Connection, office: Office, case: RowMapping, to: str, now: datetime, *, by: str
) -> None:
    """Give a case to a person together with the cases linked into it."""
    for case_id in family(connection, case):
        one = case if case_id == case["id"] else get(connection, case_id)
        hand_over(connection, office, one, to, now, by=by)


def hand_over(
    connection: Connection, office: Office, case: RowMapping, to: str, now: datetime, *, by: str
) -> None:
    """Give a case to a person: a new epoch for them and the supervisor, other copies destroyed.

    The new reader must hold a copy of the earlier keys already, or be given one by a reader first.
    Raises: Refused when they hold none, or read no cases; Conflict when somebody else took the
    case meanwhile.
    """
    _check_reads(office, to)
    changed = update(cases).where(cases.c.id == case["id"], cases.c.version == case["version"])
    epoch = case["epoch"] + 1
    values = {"assignee": to, "epoch": epoch, "version": case["version"] + 1}
    if connection.execute(changed.values(**values)).rowcount != 1:
        raise errors.Conflict
    copies = casekeys.copies_for(connection, case["id"], to)
    held = {number for number, purpose, _ in copies if purpose == casekeys.CONTENT}
    if held != set(range(1, epoch)):
        name = handle(case["number"])
        message = (
            f"{to} has no key to the earlier letters of {name}, and nor have you one to give. A "
            f"colleague who can open it types: mailcounsel assign {name} {to}"
        )
        raise errors.Refused(message)
    _new_epoch(connection, office, case["id"], epoch, case["queue"], to, now)
    supervisors = [person.name for person in office.config.supervisors(case["queue"])]
    casekeys.drop_copies_except(connection, case["id"], [to, *supervisors])
    records.audit(connection, now, by, "case-assigned", case["id"], to)


def _check_reads(office: Office, name: str) -> None:
    person = office.config.person(name)
    if person is None or not {"therapist", "supervisor"} & set(person.roles):
        message = f"{name} is neither therapist nor supervisor here."
        raise errors.Refused(message)


def promise(office: Office, queue: str, rank: int) -> float:
    """Return the working hours within which a case of a queue and priority is to be answered.

    Where the queue is really slower than it was meant to be, ordinary letters are promised what
    it can keep; pressing ones go first and are not.
    """
    found = office.config.queue(queue)
    meant = found.promise(PRIORITIES[rank]) if found else DEFAULT_PROMISE
    is_pressing = rank > PRIORITIES.index("normal")
    return meant if is_pressing else max(meant, min(office.pace.get(queue, 0.0), LONGEST_PROMISE))


def promised(office: Office, queue: str, rank: int, since: datetime) -> datetime:
    """Return the moment, in UTC, by which a letter is to be answered that waits since a moment."""
    return after_working(office, queue, since, promise(office, queue, rank))


def after_working(office: Office, queue: str, since: datetime, lasts: float) -> datetime:
    """Return the moment, in UTC, at which so many working hours of a queue have passed."""
    try:
        return promises.promised_by(since, hours.working_hours(office.config, queue), lasts)
    except ValueError:  # its people are away for years: the centre is there
        return promises.promised_by(since, hours.working_hours(office.config), lasts)


def answer_by(office: Office, case: RowMapping, rank: int, since: datetime) -> datetime:
    """Return by when a letter of a case is answered: in its agreed rhythm, unless it presses."""
    if not case["rhythm_days"] or rank > PRIORITIES.index("normal"):
        return promised(office, case["queue"], rank, since)
    rhythm = timedelta(days=case["rhythm_days"])
    return after_working(office, case["queue"], since + rhythm, 0)


def letter_waits(
    connection: Connection,
    office: Office,
    case: RowMapping,
    received_at: datetime,
    priority: Priority = "low",
) -> RowMapping:
    """A client's letter came in: the case waits, is open again, and has a promised day.

    Its priority is raised to what the letter's is, never lowered. A promise that stands is only
    made shorter, by a letter that presses more. Return the case as it is now.
    """
    since, rank = case["waiting_since"] or received_at, PRIORITIES.index(priority)
    highest = max(case["priority"], rank)
    values = {"state": "open", "waiting_since": since, "priority": highest}
    stands = case["promised_at"] if case["waiting_since"] else None
    if stands is None:
        until = answer_by(office, case, highest, since)
        values |= {"promised_at": until, "promised_since": since}
    elif rank > PRIORITIES.index("normal"):
        sooner = promised(office, case["queue"], rank, received_at)
        if sooner < stands:
            values |= {"promised_at": sooner, "promised_since": received_at}
    return statements.changed(connection, cases, case["id"], **values)


def speak(connection: Connection, office: Office, case: RowMapping, language: str) -> RowMapping:
    """Write to a case's client in a language from now on. Return the case as it is now.

    Raises: Refused for a language the centre has no letters in.
    """
    known = office.config.centre.languages
    if language not in known:
        message = f"There are no letters in {language!r} here, only in: {', '.join(known)}."
        raise errors.Refused(message)
    addressbook.set_spoken(connection, case["client_id"], language=language)
    return statements.changed(connection, cases, case["id"], language=language)


def raise_priority(connection: Connection, case_id: str, priority: str) -> None:
    """Raise a case's priority; it is never lowered here."""
    _RAISE.run(connection, {"case": case_id, "rank": PRIORITIES.index(priority)})


def answered(connection: Connection, case_id: str, now: datetime) -> None:
    """A person approved a reply: the case no longer waits, nor is it pressing any more."""
    values = {"waiting_since": None, "promised_at": None, "answered_at": now}
    here = cases.c.id == case_id
    connection.execute(update(cases).where(here).values(**values))
    if not has_open_risk(connection, get(connection, case_id)):
        pressing = here & (cases.c.priority > PRIORITIES.index("normal"))
        usual = {"priority": PRIORITIES.index("normal")}
        connection.execute(update(cases).where(pressing).values(**usual))


def calm(connection: Connection, case_id: str) -> None:
    """Let a case press no longer as danger does, once none is open: as a letter that waits does."""
    case = get(connection, case_id)
    if has_open_risk(connection, case) or case["priority"] < PRIORITIES.index("urgent"):
        return
    rank = PRIORITIES.index("high" if case["waiting_since"] else "normal")
    statements.change(connection, cases, case_id, priority=rank)


def has_open_risk(connection: Connection, case: RowMapping) -> bool:
    """Tell whether a sign of danger is open in a case or in one linked into it."""
    standing = risks.c.case_id.in_(family(connection, case)) & risks.c.closed_at.is_(None)
    return connection.execute(select(risks.c.id).where(standing)).first() is not None


def check_danger_read(connection: Connection, case: RowMapping) -> None:
    """Refuse to end what nobody has looked at. Raises: Conflict while an open danger is unread."""
    standing = risks.c.case_id.in_(family(connection, case)) & risks.c.closed_at.is_(None)
    unread = select(risks.c.id).where(standing, risks.c.read_at.is_(None))
    if connection.execute(unread).first() is not None:
        name = handle(case["number"])
        message = (
            f"There is a sign of danger in {name} that nobody has read. Read it first: "
            f"mailcounsel show {name}"
        )
        raise errors.Conflict(message)


def recount_waiting(connection: Connection, office: Office, case: RowMapping) -> None:
    """After a reply was taken back: the case waits again since the oldest unanswered letter."""
    theirs = entries.c.case_id.in_(family(connection, case))
    replied = select(func.max(entries.c.at)).where(theirs, entries.c.kind == "reply")
    last = connection.execute(replied).scalar_one()
    unanswered = theirs & (entries.c.direction == "in") & (entries.c.kind == "letter")
    if last is not None:
        unanswered &= entries.c.at > last
    since = connection.execute(select(func.min(entries.c.at)).where(unanswered)).scalar_one()
    nothing = {"waiting_since": None, "promised_at": None}
    connection.execute(update(cases).where(cases.c.id == case["id"]).values(**nothing))
    if since is not None and case["state"] == "open":
        letter_waits(connection, office, get(connection, case["id"]), since)


def close(connection: Connection, case: RowMapping, by: str, now: datetime) -> None:
    """Close a case. Its check-ins stop. Raises: Conflict while a risk is open, or was not read."""
    check_danger_read(connection, case)
    if has_open_risk(connection, case):
        name = handle(case["number"])
        message = (
            f"{name} has an open sign of danger. Close that first: "
            f'mailcounsel risk close {name} "…".'
        )
        raise errors.Conflict(message)
    values = {"state": "closed", "waiting_since": None, "promised_at": None}
    statements.change(connection, cases, case["id"], **values)
    letters.take_back_checkins(connection, family(connection, case), "closed")
    records.audit(connection, now, by, "case-closed", case["id"])


def reopen(
    connection: Connection, office: Office, case: RowMapping, by: str, now: datetime
) -> None:
    """Open a closed case again. Idempotent."""
    if case["state"] == "open":
        return
    connection.execute(update(cases).where(cases.c.id == case["id"]).values(state="open"))
    recount_waiting(connection, office, get(connection, case["id"]))
    records.audit(connection, now, by, "case-reopened", case["id"])
