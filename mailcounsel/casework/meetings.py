"""The rows of meetings, and what they keep sealed with the address book's key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from mailcounsel.casework.office import Office
from mailcounsel.store import models

appointments = models.table(models.Appointment)

TO_COME = ("proposed", "accepted", "moved")  # a meeting that will be, as far as anybody knows
STANDING = (*TO_COME, "declined")  # what can be moved or cancelled


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
