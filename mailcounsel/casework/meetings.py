"""The rows of meetings, and what they keep sealed with the address book's key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from mailcounsel.casework import records
from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements

appointments = models.table(models.Appointment)
errands = models.table(models.Errand)

TO_COME = ("proposed", "accepted", "moved")  # a meeting that will be, as far as anybody knows
STANDING = (*TO_COME, "declined")  # what can be moved or cancelled

BROUGHT = "link-brought-appointment"  # in the audit; its ref is the meeting and its old number
ACCEPTED, DECLINED = "accepted", "declined"  # what a client answers


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a row keeps sealed: the calendar's id, the link, the letter that told of it last.

    `before` are the row's values before that letter, to which it goes back when it is taken back.
    """

    uid: str
    room: str
    letter: str
    before: Mapping[str, Any] | None = None


def seal(office: Office, row_id: str, kept: Sealed) -> bytes:
    """Seal what a row keeps."""
    content = json.dumps(asdict(kept), ensure_ascii=False).encode()
    return office.keyring.seal("addressbook", content, f"appointment/{row_id}/sealed")


def opened(office: Office, row: RowMapping) -> Sealed:
    """Open what a row keeps sealed. Raises: SealBroken."""
    place = f"appointment/{row['id']}/sealed"
    return Sealed(**json.loads(office.keyring.open(row["sealed"], place)))


def of_cases(connection: Connection, case_ids: Sequence[str]) -> list[RowMapping]:
    """Return the appointments of some cases, by the time they begin."""
    query = select(appointments).where(appointments.c.case_id.in_(case_ids))
    return list(connection.execute(query.order_by(appointments.c.starts_at)).mappings())


def show_answer(connection: Connection, row: RowMapping, state: str, now: datetime) -> None:
    """Show in the queue what a client answered, until somebody has seen it."""
    answer_seen(connection, row, "client", now)
    records.flag(connection, now, row["case_id"], _flag(state), row["id"])


def answer_seen(connection: Connection, row: RowMapping, by: str, now: datetime) -> None:
    """Show an answer no longer: it was seen, or is about an hour that is none any more."""
    for state in (ACCEPTED, DECLINED):
        records.clear_flag(connection, now, row["case_id"], _flag(state), by, row["id"])


def _flag(state: str) -> str:
    return f"appointment-{state}"


def next_number(connection: Connection, case_id: str) -> int:
    """Return the number of the next appointment of a case."""
    last = select(func.max(appointments.c.number)).where(appointments.c.case_id == case_id)
    return (connection.execute(last).scalar_one() or 0) + 1


def go_along(connection: Connection, case_id: str, into_id: str, by: str, now: datetime) -> None:
    """Let the appointments of a merged case follow it, numbered after those that are there."""
    for row in statements.every(connection, appointments, "number", case_id=case_id):
        _move(connection, row["id"], into_id, next_number(connection, into_id))
        records.audit(connection, now, by, BROUGHT, case_id, f"{row['id']}:{row['number']}")


def go_back(connection: Connection, ref: str, case_id: str) -> None:
    """Let an appointment go back with its case, under the number it had, as the audit says."""
    row_id, _, number = ref.partition(":")
    _move(connection, row_id, case_id, int(number))


def _move(connection: Connection, row_id: str, case_id: str, number: int) -> None:
    statements.change(connection, appointments, row_id, case_id=case_id, number=number)
    for table in (errands, records.flags):  # what is due of it, and what was answered to it
        here = update(table).where(table.c.ref == row_id)
        connection.execute(here.values(case_id=case_id))
