"""Where a letter comes from, beyond its proof: what a reader is told of it, in codes.

no-name-inside   locked, and nothing inside says who wrote it
locked-before    the same lock came from another address
locked-again     the same lock came before, from whatever address
odd-lock         packed so that the last two cannot be told
signed-before    the same signed words came before
(and what `vouching.doubts` says)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import copied, imprints
from mailcounsel.casework.office import Office
from mailcounsel.intake.looking import Plan

NO_NAME, LOCKED_BEFORE, ODD_LOCK = "no-name-inside", "locked-before", "odd-lock"
SIGNED_BEFORE, LOCKED_AGAIN = "signed-before", "locked-again"
AGAIN = frozenset({SIGNED_BEFORE, LOCKED_AGAIN, ODD_LOCK})  # nobody need have written it now


@dataclass(frozen=True, slots=True)
class Origin:
    """What was found, before the letter is written down. `same` came before, in the same lock.

    `signings` are hashes by which its signatures are known again.
    """

    marks: tuple[str, ...]
    signings: tuple[bytes, ...]
    lock: copied.Lock | None = None
    same: Sequence[RowMapping] = ()


def find(connection: Connection, office: Office, plan: Plan) -> Origin:
    """Look for letters that are this one in other hands."""
    opened, lookup = plan.opened, office.keyring.lookup
    marks = [*plan.doubts, *([NO_NAME] if opened.names_nobody else [])]
    signings = tuple(lookup("signing", one) for one in opened.signings)
    lock = copied.lock(office, opened.lock, opened.letter.sender.address) if opened.lock else None
    same = copied.others(connection, lock) if lock else []
    if same or (opened.was_opened and not lock):
        marks.append(LOCKED_BEFORE if same else ODD_LOCK)
    if lock and imprints.known(connection, lock.lookup):
        marks.append(LOCKED_AGAIN)
    if any(imprints.known(connection, one) for one in signings):
        marks.append(SIGNED_BEFORE)
    return Origin(tuple(marks), signings, lock, same)


def remember(
    connection: Connection, case: RowMapping, origin: Origin, letter_id: str, now: datetime
) -> None:
    """Know the letter again from now on, and show to people what was found."""
    if origin.lock:
        copied.remember(connection, origin.lock, letter_id)
    for signing in origin.signings:
        imprints.keep(connection, signing, letter_id)
    is_bound = NO_NAME not in origin.marks
    if origin.same or (ODD_LOCK in origin.marks and not is_bound):
        copied.show(connection, case, letter_id, origin.same, now, binds=is_bound)
