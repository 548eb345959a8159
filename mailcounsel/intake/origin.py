"""Where a letter comes from, beyond its proof: what a reader is told of it, in codes.

no-name-inside   locked, and nothing inside says who wrote it
locked-before    the same lock came from another address
odd-lock         packed so that the last cannot be told
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import copied
from mailcounsel.casework.office import Office
from mailcounsel.intake.looking import Plan

NO_NAME, LOCKED_BEFORE, ODD_LOCK = "no-name-inside", "locked-before", "odd-lock"


@dataclass(frozen=True, slots=True)
class Origin:
    """What was found, before the letter is written down. `same` came before, in the same lock."""

    marks: tuple[str, ...]
    lock: copied.Lock | None = None
    same: Sequence[RowMapping] = ()


def find(connection: Connection, office: Office, plan: Plan) -> Origin:
    """Look for letters that are this one in other hands."""
    opened = plan.opened
    marks = [NO_NAME] if opened.names_nobody else []
    if not opened.lock:
        is_odd = opened.was_opened
        return Origin((*marks, ODD_LOCK) if is_odd else tuple(marks))
    lock = copied.lock(office, opened.lock, opened.letter.sender.address)
    same = copied.others(connection, lock)
    return Origin((*marks, LOCKED_BEFORE) if same else tuple(marks), lock, same)


def remember(
    connection: Connection, case: RowMapping, origin: Origin, letter_id: str, now: datetime
) -> None:
    """Know the letter again from now on, and show to people what was found."""
    if origin.lock:
        copied.remember(connection, origin.lock, letter_id)
    is_bound = NO_NAME not in origin.marks
    if origin.same or (ODD_LOCK in origin.marks and not is_bound):
        copied.show(connection, case, letter_id, origin.same, now, binds=is_bound)
