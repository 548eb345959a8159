"""The rows of meetings, and what they keep sealed with the address book's key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from mailcounsel.casework import records
from mailcounsel.casework.office import Office
from mailcounsel.store import models

appointments = models.table(models.Appointment)

TO_COME = ("proposed", "accepted", "moved")  # a meeting that will be, as far as anybody knows
STANDING = (*TO_COME, "declined")  # what can be moved or cancelled

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
