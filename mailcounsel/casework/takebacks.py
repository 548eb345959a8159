"""What a reply changed beside itself, so that taking it back undoes all of it.

How its case stood is written down with each reply; what a therapist writes with one (an evaluation,
a summary that is sent, the end of a case) names it. The audit holds codes and opaque ids alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel import errors
from mailcounsel.casework import cases, errands, followups, keeping, letters, records, rounds
from mailcounsel.casework.office import Office
from mailcounsel.store import statements

STOOD, WROTE, ENDED = "reply-stood", "reply-wrote", "reply-ended"
_NONE = "-"
_MOMENTS = ("answered_at", "waiting_since", "promised_at", "promised_since")
_OF_ROUND = ("exchanges", "evaluate_every", "rhythm_days")


def remember(
    connection: Connection, case: RowMapping, person: str, outgoing_id: str, now: datetime
) -> None:
    """Write down how a case stands before a reply counts as its answer."""
    moments = [case[name] for name in _MOMENTS]
    told = [moment.isoformat() if moment else _NONE for moment in moments]
    numbers = [str(case[name]) for name in ("priority", *_OF_ROUND)]
    ref = " ".join([outgoing_id, *numbers, *told])
    records.audit(connection, now, person, STOOD, case["id"], ref)


def belongs(
    connection: Connection,
    case: RowMapping,
    person: str,
    outgoing_id: str,
    entry_id: str,
    now: datetime,
    *,
    ends: bool = False,
) -> None:
    """Write down that an entry, or the end of a case, belongs to a reply.

    Raises: Refused for a reply of another case or person.
    """
    row = statements.one(connection, letters.outgoing, id=outgoing_id, author=person)
    if row is None or row["case_id"] not in cases.family(connection, case):
        message = "This does not belong to the letter it names. Nothing was kept."
        raise errors.Refused(message)
    verb = ENDED if ends else WROTE
    records.audit(connection, now, person, verb, case["id"], f"{outgoing_id} {entry_id}")


def take_back(
    connection: Connection,
    office: Office,
    case: RowMapping,
    reply: RowMapping,
    person: str,
    now: datetime,
) -> None:
    """Undo what a reply (its row) did to its case; called when the reply itself is undone.

    How the case stood comes back where nobody has answered it since.
    """
    for row in _written(connection, reply, ENDED):
        errands.drop(connection, followups.KIND, row["case_id"])
        cases.reopen(connection, office, cases.get(connection, row["case_id"]), person, now)
        keeping.owed_again(connection, cases.get(connection, row["case_id"]))
    kinds = [
        _forget(connection, row["ref"].split()[1])
        for verb in (WROTE, ENDED)
        for row in _written(connection, reply, verb)
    ]
    cases.recount_waiting(connection, office, cases.get(connection, case["id"]))
    for row in _written(connection, reply, STOOD):
        _, priority, *stood = row["ref"].split()
        if case["answered_at"] == reply["created_at"]:
            _stand_again(connection, case["id"], int(priority), stood[len(_OF_ROUND) :])
        if "evaluation" in kinds:
            _count_again(connection, case["id"], stood[: len(_OF_ROUND)], now)


def _written(connection: Connection, reply: RowMapping, verb: str) -> list[RowMapping]:
    audits, begins = records.audits, f"{reply['id']} "
    query = select(audits).where(audits.c.verb == verb, audits.c.ref.startswith(begins))
    return list(connection.execute(query.order_by(audits.c.id)).mappings())


def _forget(connection: Connection, entry_id: str) -> str:
    """Let an entry count for nothing, and return what kind it was. It stays to be read."""
    entry = statements.row(connection, records.letters, entry_id)
    kind = str(entry["kind"])
    this = update(records.letters).where(records.letters.c.id == entry_id)
    connection.execute(this.values(kind=f"{kind}-undone"))
    return kind


def _stand_again(
    connection: Connection, case_id: str, priority: int, moments: Sequence[str]
) -> None:
    case = cases.get(connection, case_id)
    stood = {
        name: None if moment == _NONE else datetime.fromisoformat(moment)
        for name, moment in zip(_MOMENTS, moments, strict=True)
    }
    values = {"priority": max(case["priority"], priority), "answered_at": stood["answered_at"]}
    if stood["promised_at"] and case["state"] == "open":
        # It may wait for what is no letter, such as a bounce.
        values |= stood | {"waiting_since": case["waiting_since"] or stood["waiting_since"]}
    statements.change(connection, cases.cases, case_id, **values)


def _count_again(
    connection: Connection, case_id: str, of_round: Sequence[str], now: datetime
) -> None:
    counted = dict(zip(_OF_ROUND, map(int, of_round), strict=True))
    statements.change(connection, cases.cases, case_id, **counted)
    if 0 < counted["evaluate_every"] <= counted["exchanges"]:
        records.flag(connection, now, case_id, rounds.DUE)
