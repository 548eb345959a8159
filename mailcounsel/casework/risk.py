"""The risk lane: raised by signs of danger, read by a named person, closed by a person's sentence.

Nothing here lowers anything by itself. While a risk is open the case stays urgent, check-ins
rest, and the case cannot be closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Select, func, select, update

from mailcounsel import errors
from mailcounsel.casework import cases, danger, ladder, letters, records, staff
from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

CAUSES = ("words", "answer", "goal", "silence", "bounced")

risks = models.table(models.Risk)
readings = models.table(models.Reading)


def raise_risk(
    connection: Connection,
    office: Office,
    case_id: str,
    letter_id: str,
    now: datetime,
    *,
    cause: str = "words",
) -> str:
    """Open a risk for a letter or another cause: the case becomes urgent. Return the risk's id.

    Everybody who reads the case is told at once, and the ladder begins (`casework.ladder`).
    `cause` is one of `CAUSES`; `letter_id` is the entry that shows it, or for "goal" the goal's id.
    The same letter with the same cause is raised once.
    """
    known = statements.one(connection, risks, case_id=case_id, letter_id=letter_id, cause=cause)
    if known is not None:
        return str(known["id"])
    risk_id = new_id()
    row = {"id": risk_id, "case_id": case_id, "letter_id": letter_id, "cause": cause}
    statements.add(connection, risks, **row, opened_at=now)
    case = cases.main(connection, case_id)
    cases.raise_priority(connection, case["id"], "urgent")
    letters.take_back_checkins(connection, cases.family(connection, case), "risk")
    records.audit(connection, now, "service", "risk-raised", case_id, risk_id)
    ladder.begin(connection, office, case, risk_id, now)
    staff.notify(connection, office, case, f"risk:{risk_id}", now)
    return risk_id


def weigh_goal(
    connection: Connection, office: Office, goal: RowMapping, person: str, now: datetime
) -> bool:
    """Raise a goal whose text holds signs of danger; True where it does.

    Whoever wrote it has read it: the receipt is theirs, and nobody is woken by the ladder.
    """
    label = office.keyring.open(goal["label"], f"goal/{goal['id']}/label").decode()
    if not danger.signs(label):
        return False
    raise_risk(connection, office, goal["case_id"], goal["id"], now, cause="goal")
    mark_read(connection, goal["case_id"], [], person, now, goals=[goal["id"]])
    return True


def of_cases(connection: Connection, case_ids: list[str]) -> list[RowMapping]:
    """Return the open risks of some cases, oldest first."""
    query = select(risks).where(risks.c.case_id.in_(case_ids), risks.c.closed_at.is_(None))
    return list(connection.execute(query.order_by(risks.c.opened_at)).mappings())


def unread(connection: Connection) -> frozenset[str]:
    """Return the ids of the cases with danger that nobody has read; of a linked one, its main."""
    return frozenset(connection.execute(unread_cases()).scalars())


def unread_cases() -> Select[str]:
    """Select what `unread` returns."""
    rows = cases.cases
    return (
        select(func.coalesce(rows.c.merged_into, rows.c.id))
        .join(risks, risks.c.case_id == rows.c.id)
        .where(risks.c.read_at.is_(None), risks.c.closed_at.is_(None))
    )


def mark_read(
    connection: Connection,
    case_id: str,
    letter_ids: list[str],
    person: str,
    now: datetime,
    *,
    goals: Sequence[str] = (),
) -> None:
    """Write down that a person opened these letters; for a risk letter that is the receipt.

    `goals` are the ids of goals they saw, whose text may have raised a risk.
    """
    for letter_id in letter_ids:
        row = {"letter_id": letter_id, "person": person, "at": now}
        statements.insert_once(connection, readings, row)
    unread = risks.c.letter_id.in_([*letter_ids, *goals]) & risks.c.read_at.is_(None)
    found = update(risks).where(unread).values(read_by=person, read_at=now).returning(risks.c.id)
    receipts = connection.execute(found).scalars().all()
    for risk_id in receipts:
        ladder.end(connection, risk_id)
        records.clear_flag(connection, now, case_id, ladder.UNREAD, person, risk_id)
    if receipts:
        records.audit(connection, now, person, "risk-read", case_id)


def close(
    connection: Connection,
    case: RowMapping,
    person: str,
    sentences: Mapping[str, bytes],
    now: datetime,
) -> int:
    """Close a case's open risks with a person's sentence, and return how many.

    `sentences` maps each open risk to the sentence, sealed in the person's own process to the
    case's content key with the context `risk/ID/sentence`.
    Raises: NotFound when no risk is open; Conflict when another one was raised meanwhile, or when
    nobody has read what raised one: a slip of the hand must not end the ladder.
    """
    standing = {row["id"] for row in of_cases(connection, cases.family(connection, case))}
    if not standing:
        message = f"{cases.handle(case['number'])} has no open sign of danger."
        raise errors.NotFound(message)
    cases.check_danger_read(connection, case)
    if standing != set(sentences):
        raise errors.Conflict
    for risk_id, sealed in sentences.items():
        values = {"closed_by": person, "closed_at": now, "sealed_sentence": sealed}
        connection.execute(update(risks).where(risks.c.id == risk_id).values(**values))
        ladder.end(connection, risk_id)
        records.clear_flag(connection, now, case["id"], ladder.UNREAD, person, risk_id)
    cases.calm(connection, case["id"])
    records.audit(connection, now, person, "risk-closed", case["id"])
    return len(standing)
