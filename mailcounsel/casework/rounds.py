"""Rounds of letters: after so many replies as were agreed, the plan is looked at again.

A reply is counted when it has left; a letter that teaches a skill or is about a meeting goes beside
the round (`beside`). The reply that fills a round raises the flag `evaluation-due`,
which puts the case into the queue; an evaluation, or a new contract, begins the next round.
The letter of an evaluation leaves after that and is the first of its round. The rhythm agreed in a
contract takes the place of the queue's promise, as far as its words say a number of days.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, func, select, update

from mailcounsel import errors
from mailcounsel.casework import records
from mailcounsel.practice import rhythm
from mailcounsel.store import models, statements
from mailcounsel.store.ready import Ready

cases = models.table(models.Case)
outgoing = models.table(models.Outgoing)

DUE = "evaluation-due"  # the flag
_BESIDE = "reply-beside-round"  # in the audit; its ref is the letter in the outbox
LONGEST_ROUND = 50  # replies; a plan that nobody looks at for a year is none

_audits = records.audits
_of_letter = cases.alias("of_letter")
_COUNT = Ready(
    update(cases)
    .where(
        cases.c.id
        == select(func.coalesce(_of_letter.c.merged_into, _of_letter.c.id))
        .join(outgoing, outgoing.c.case_id == _of_letter.c.id)
        .where(outgoing.c.id == bindparam("letter"), outgoing.c.fence == bindparam("fence"))
        .where(outgoing.c.kind == "reply")
        .where(
            ~select(_audits.c.id)
            .where(_audits.c.case_id == outgoing.c.case_id, _audits.c.verb == _BESIDE)
            .where(_audits.c.ref == outgoing.c.id)
            .exists()
        )
        .scalar_subquery()
    )
    .values(exchanges=cases.c.exchanges + 1)
    .returning(cases.c.id, cases.c.exchanges, cases.c.evaluate_every, cases.c.state)
)


def count(connection: Connection, outgoing_id: str, fence: int, now: datetime) -> None:
    """A letter has left: count it if it is a reply, and say so when its round is full.

    Called before the letter's own row is changed, since whoever locks both begins with the case.
    """
    for case in _COUNT.rows(connection, {"letter": outgoing_id, "fence": fence}):
        if case["state"] == "open" and 0 < case["evaluate_every"] <= case["exchanges"]:
            records.flag(connection, now, case["id"], DUE)


def beside(connection: Connection, case_id: str, outgoing_id: str, by: str, now: datetime) -> None:
    """Let a letter in the outbox fill no round: it answers none, whoever signed it."""
    records.audit(connection, now, by, _BESIDE, case_id, outgoing_id)


def agree(
    connection: Connection,
    case: RowMapping,
    exchanges: int,
    rhythm_days: int,
    by: str,
    now: datetime,
) -> None:
    """Agree after how many replies the plan is looked at again, and begin a round.

    Letters are promised an answer within `rhythm_days` from now on; 0: as the queue promises.
    Raises: Refused for a number of replies below 1 or above 50, or of days that is no rhythm.
    """
    if not 0 <= rhythm_days <= rhythm.LONGEST:
        message = f"A rhythm has 1 to {rhythm.LONGEST} days."
        raise errors.Refused(message)
    if not 1 <= exchanges <= LONGEST_ROUND:
        message = f"Agree on 1 to {LONGEST_ROUND} letters before you look at the plan again."
        raise errors.Refused(message)
    statements.change(
        connection, cases, case["id"], evaluate_every=exchanges, rhythm_days=rhythm_days
    )
    begin(connection, case, by, now)


def begin(connection: Connection, case: RowMapping, by: str, now: datetime) -> None:
    """Begin the next round: nothing is counted yet, and nothing is due. Idempotent."""
    statements.change(connection, cases, case["id"], exchanges=0)
    records.clear_flag(connection, now, case["id"], DUE, by)
