"""Promises kept and broken, and what is done before one breaks.

Every minute `look` finds the letters whose promised moment comes near. In the last quarter of the
promise the case rises and its people hear of it; in the last eighth, while nobody has answered, the
client is told that it takes longer and gets a new day. That day is a promise of its own and comes
near in its turn; each further one lies longer ahead, so that nobody waits in silence and nobody
hears the same every other day. A promise is written down when it is kept or when it comes near, so
that a letter that comes in costs nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select, update

from mailcounsel.casework import (
    alone,
    asking,
    cases,
    hours,
    letters,
    promises,
    records,
    risk,
    staff,
)
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.trust import addressbook

promised = models.table(models.Promise)

NEAR, LATE = 1 / 4, 1 / 8  # of a promise's working hours: when people hear of it, when the client
A_DAY = 8.0  # working hours that a new day lies ahead at least: the client is told days, not hours
AGAIN = (timedelta(days=7), timedelta(days=28))  # how far ahead the second new day lies, then each
MEASURED = timedelta(days=28)  # over which a queue's pace is taken
ENOUGH = 10  # answers in that time, below which a pace says nothing
WEEK = 30.0  # working hours, below which it says nothing either


def look(connection: Connection, office: Office, now: datetime) -> int:
    """See to the promises that come near, and take each queue's pace. Return how many were near.

    Idempotent: of each day that was named people hear once, and the client is told once.
    """
    office.pace.update(
        {q.name: pace(connection, office, q.name, now) for q in office.config.queues}
    )
    near = [
        case for case in _waiting(connection, office, now) if _is_within(office, case, now, NEAR)
    ]
    for case in near:
        alone.do(connection, "promises: one", partial(_see_to, connection, office, case, now))
    return len(near)


def _waiting(connection: Connection, office: Office, now: datetime) -> Sequence[RowMapping]:
    """Return the waiting cases that could be near, whichever queue's promise they have.

    Those in unread danger come last: their day stays where it is, however many they are.
    """
    until = cases.after_working(office, "", now, cases.LONGEST_PROMISE * NEAR)
    rows = cases.cases
    waits = and_(rows.c.state == "open", rows.c.waiting_since.is_not(None))
    query = select(rows).where(waits, rows.c.merged_into.is_(None), rows.c.promised_at <= until)
    stays = rows.c.id.in_(risk.unread_cases())
    first = query.order_by(stays, rows.c.promised_at).limit(500)
    return connection.execute(first).mappings().all()


def _is_within(office: Office, case: RowMapping, now: datetime, share: float) -> bool:
    """Tell whether the last share of a promise's working hours has begun, as it was made.

    What a case has become since, more pressing or in a slower queue, changes no promise.
    """
    working = hours.working_hours(office.config, case["queue"])
    made_at = case["promised_since"] or case["waiting_since"]
    lasts = working.between(made_at, case["promised_at"])
    left = cases.after_working(office, case["queue"], now, lasts * share)
    return bool(case["promised_at"] <= left)


def _see_to(connection: Connection, office: Office, case: RowMapping, now: datetime) -> None:
    row = _row(connection, case)
    if row is None:
        row = _write(connection, case)
        cases.raise_priority(connection, case["id"], "high")
        staff.notify(connection, office, case, f"promise:{row['id']}", now)
        records.audit(connection, now, "service", "promise-near", case["id"], row["id"])
    elif row["times_told"]:  # the client was told a new day, which comes near in its turn
        cases.raise_priority(connection, case["id"], "high")
        again = f"promise-again:{row['id']}:{row['times_told']}"
        staff.notify(connection, office, case, again, now)
    if _is_within(office, case, now, LATE) and not _is_unread_danger(connection, case):
        _tell(connection, office, case, row, now)


def _is_unread_danger(connection: Connection, case: RowMapping) -> bool:
    """Tell whether a case is in danger and unread: no day may sound as if it could wait till then.

    The ladder calls people meanwhile, and the client has heard where help is.
    """
    return case["id"] in risk.unread(connection)


def _row(connection: Connection, case: RowMapping) -> RowMapping | None:
    """Return the row of a case's present promise, or of the one it stands in for."""
    open_now = {"answered_at": None, "settled_at": None}
    found = statements.every(connection, promised, case_id=case["id"], **open_now)
    return found[-1] if found else None


def _write(connection: Connection, case: RowMapping, **ended: datetime) -> RowMapping:
    """Write down the promise of a case that waits; `ended` says how it went, if it did."""
    row = {
        "id": new_id(),
        "case_id": case["id"],
        "made_at": case["waiting_since"],
        "promised_at": case["promised_at"],
    }
    statements.add(connection, promised, **row, **ended)
    return statements.row(connection, promised, str(row["id"]))


def _tell(
    connection: Connection, office: Office, case: RowMapping, row: RowMapping, now: datetime
) -> None:
    """Tell the client, before the promise breaks, that it takes longer, and until when.

    Who may never have written is told once at most, as one of so many strangers a day; people hear
    of each day all the same.
    """
    times, base = row["times_told"], max(now, case["promised_at"])
    until = _new_day(office, case, times, base)
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    day = promises.local_day(until, zone, case["language"])
    due_at = hours.quiet_hours(office.config).next_allowed(now, zone)
    template = "later-again" if times else "later"
    once = f"later:{row['id']}:{times}" if times else f"later:{row['id']}"
    stranger = None if asking.is_certain(connection, case) else ""  # "": the words are sealed
    if stranger is None or not (times or _was_passed_over(connection, case)):
        facts = {"promised_day": day}
        asked = Asked(template, facts, once, is_answer=False, stranger=stranger, due_at=due_at)
        letters.ask(connection, office, case, asked, now)
    statements.change(connection, promised, row["id"], told_at=now, times_told=times + 1)
    moved = {"promised_at": until, "promised_since": base}
    statements.change(connection, cases.cases, case["id"], **moved)
    records.audit(connection, now, "service", "promise-moved", case["id"], row["id"])


def _was_passed_over(connection: Connection, case: RowMapping) -> bool:
    """Tell whether a cap kept the first answer from who wrote: they have no letter of ours."""
    audits = records.audits
    capped = (audits.c.case_id == case["id"]) & audits.c.verb.startswith("not-sent-capped")
    if statements.one(connection, letters.outgoing, case_id=case["id"]):
        return False
    return connection.execute(select(audits.c.id).where(capped)).first() is not None


def _new_day(office: Office, case: RowMapping, times: int, base: datetime) -> datetime:
    """Return by when an answer is promised anew, to a client who was told so many times before.

    First as the queue promises, then a week ahead, then a month at a time.
    """
    if times:
        ahead = base + AGAIN[min(times, len(AGAIN)) - 1]
        return cases.after_working(office, case["queue"], ahead, 0)
    lasts = max(cases.promise(office, case["queue"], case["priority"]), A_DAY)
    return cases.after_working(office, case["queue"], base, lasts)


def kept(connection: Connection, case: RowMapping, now: datetime) -> None:
    """A person answered a case that waited: its promise is kept, or broken, by now."""
    _end(connection, case, answered_at=now)


def settle(connection: Connection, case: RowMapping, now: datetime) -> None:
    """A person closes a case that waits, and has said why: its answer is not owed any more."""
    _end(connection, case, settled_at=now)


def owed_again(connection: Connection, case: RowMapping) -> None:
    """A case was opened again and waits as before: what was settled when it closed is owed."""
    last = select(func.max(promised.c.settled_at)).where(promised.c.case_id == case["id"])
    this = (promised.c.case_id == case["id"]) & (promised.c.settled_at == last.scalar_subquery())
    if case["waiting_since"] is not None:
        connection.execute(update(promised).where(this).values(settled_at=None))


def follow(connection: Connection, case: RowMapping, into: RowMapping) -> None:
    """A case is shown in another one from now on: what is promised in it is answered there."""
    here = _open(case)
    connection.execute(update(promised).where(here).values(case_id=into["id"]))


def _open(case: RowMapping) -> ColumnElement[bool]:
    pending = promised.c.answered_at.is_(None) & promised.c.settled_at.is_(None)
    return and_(promised.c.case_id == case["id"], pending)


def _end(connection: Connection, case: RowMapping, **ended: datetime) -> None:
    changed = connection.execute(update(promised).where(_open(case)).values(**ended))
    if not changed.rowcount and case["promised_at"] is not None:
        _write(connection, case, **ended)


def not_kept_after_all(connection: Connection, case: RowMapping) -> None:
    """The answer was taken back: the promise it kept stands open again."""
    undone = (promised.c.case_id == case["id"]) & (promised.c.answered_at == case["answered_at"])
    connection.execute(update(promised).where(undone).values(answered_at=None))


# -- counted ---------------------------------------------------------------------------------------


WENT = ("kept", "broken", "open", "closed")
_MOMENTS = (promised.c.promised_at, promised.c.answered_at, promised.c.settled_at)


@dataclass(frozen=True, slots=True)
class Count:
    """How a queue's promises went: numbers, and the median wait in hours by the clock.

    `answered` of them were answered, in time or not; the median is over those. `closed` are those
    a person closed, with a reason, before they broke: no answer is owed to them.
    """

    kept: int
    broken: int
    open: int
    closed: int
    median_hours: float | None
    answered: int


def count(connection: Connection, queue: str, since: datetime, now: datetime) -> Count:
    """Count the promises of a queue that were due, or kept, since a moment."""
    query = (
        select(promised)
        .join(cases.cases, cases.cases.c.id == promised.c.case_id)
        .where(cases.cases.c.queue == queue)
        .where(or_(*(moment > since for moment in _MOMENTS)))
    )
    rows = connection.execute(query).mappings().all()
    done = [row for row in rows if row["answered_at"] is not None]
    went = Counter(_went(row, now) for row in rows)
    waits = [(row["answered_at"] - row["made_at"]) / timedelta(hours=1) for row in done]
    half = median(waits) if waits else None
    return Count(**{name: went[name] for name in WENT}, median_hours=half, answered=len(done))


def _went(row: RowMapping, now: datetime) -> str:
    """Tell how a promise went: closing a case mends none that is broken."""
    ended = row["answered_at"] or row["settled_at"]
    if (ended or now) > row["promised_at"]:
        return "broken"
    if ended is None:
        return "open"
    return "kept" if row["answered_at"] else "closed"


def pace(connection: Connection, office: Office, queue: str, now: datetime) -> float:
    """Return the working hours until a letter that comes now is answered at this queue's pace.

    That is what waits divided by what was answered an hour, over four weeks or as long as there is
    something to look back on; 0 where too little was answered, or in too short a time, to tell.
    """
    answered = (
        select(func.count(), func.min(promised.c.made_at))
        .select_from(promised)
        .join(cases.cases, cases.cases.c.id == promised.c.case_id)
        .where(cases.cases.c.queue == queue, promised.c.answered_at > now - MEASURED)
    )
    done, first = connection.execute(answered).one()
    if done < ENOUGH:
        return 0.0
    working = hours.working_hours(office.config, queue)
    worked = working.between(max(first, now - MEASURED), now)
    if worked < WEEK:
        return 0.0
    rows = cases.cases
    waits = and_(rows.c.queue == queue, rows.c.state == "open", rows.c.waiting_since.is_not(None))
    backlog = connection.execute(select(func.count()).select_from(rows).where(waits)).scalar_one()
    return float(backlog * worked / done)
