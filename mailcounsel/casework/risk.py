"""The risk lane: raised by signs of danger, read by a named person, closed by a person's sentence.

Nothing here lowers anything by itself. While a risk is open the case stays urgent, check-ins
rest, and the case cannot be closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel import errors
from mailcounsel.casework import cases, letters, records
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

risks = models.table(models.Risk)
readings = models.table(models.Reading)


def raise_risk(connection: Connection, case_id: str, letter_id: str, now: datetime) -> str:
    """Open a risk for a letter: the case becomes urgent. Return the risk's id."""
    risk_id = new_id()
    statements.add(
        connection, risks, id=risk_id, case_id=case_id, letter_id=letter_id, opened_at=now
    )
    cases.raise_priority(connection, case_id, "urgent")
    family = cases.family(connection, cases.get(connection, case_id))
    letters.take_back_checkins(connection, family, "risk")
    records.audit(connection, now, "service", "risk-raised", case_id, risk_id)
    return risk_id


def of_cases(connection: Connection, case_ids: list[str]) -> list[RowMapping]:
    """Return the open risks of some cases, oldest first."""
    query = select(risks).where(risks.c.case_id.in_(case_ids), risks.c.closed_at.is_(None))
    return list(connection.execute(query.order_by(risks.c.opened_at)).mappings())


def mark_read(
    connection: Connection, case_id: str, letter_ids: list[str], person: str, now: datetime
) -> None:
    """Write down that a person opened these letters; for a risk letter that is the receipt."""
    for letter_id in letter_ids:
        row = {"letter_id": letter_id, "person": person, "at": now}
        statements.insert_once(connection, readings, row)
    unread = risks.c.letter_id.in_(letter_ids) & risks.c.read_at.is_(None)
    found = update(risks).where(unread).values(read_by=person, read_at=now)
    if connection.execute(found).rowcount:
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
    Raises: NotFound when no risk is open; Conflict when another one was raised meanwhile.
    """
    standing = {row["id"] for row in of_cases(connection, cases.family(connection, case))}
    if not standing:
        message = f"{cases.handle(case['number'])} has no open sign of danger."
        raise errors.NotFound(message)
    if standing != set(sentences):
        raise errors.Conflict
    for risk_id, sealed in sentences.items():
        values = {"closed_by": person, "closed_at": now, "sealed_sentence": sealed}
        connection.execute(update(risks).where(risks.c.id == risk_id).values(**values))
    records.audit(connection, now, person, "risk-closed", case["id"])
    return len(standing)
