"""What `next` hands out: the case that needs a person most, as a rule to be theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import absence, caseload, cases, risk
from mailcounsel.casework.office import Office


@dataclass(frozen=True, slots=True)
class Taken:
    """A case for a person to see now, or None where nothing waits for them.

    `is_lent`: it stays with the colleague it is with. `locked` are cases with danger that nobody
    has read, which they may open and hold no key to.
    """

    case: RowMapping | None
    is_lent: bool = False
    locked: tuple[RowMapping, ...] = ()


def take_next(connection: Connection, office: Office, person: str, now: datetime) -> Taken:
    """Give a person the case that needs somebody most: one of their own, else one nobody has.

    Before all others comes unread danger in any case they may open, also where a colleague has it:
    a supervisor sees it then, and it stays with the colleague. So does, in its turn, a case whose
    therapist is away and which the supervisor was asked to give to somebody else. A case whose
    earlier letters they hold no key to is left to others, and so is one in a language they do not
    counsel in, unless it is urgent.

    Raises: Refused when they have as many cases as they can carry, but for unread danger.
    """
    waiting = cases.queue_of(connection, office, person)
    unread = risk.unread(connection)
    danger = [case for case in waiting if case["id"] in unread]
    families = cases.families(connection, [case["id"] for case in danger])
    opened = cases.opened_by(connection, families, person)
    locked = tuple(case for case in danger if case["id"] not in opened)
    seen_first = [case for case in danger if case["id"] in opened]
    for case in (*seen_first, *_ordinary(connection, office, waiting, person)):
        if case["assignee"] not in {None, person}:
            return Taken(case, is_lent=True, locked=locked)
        if case["assignee"] is None:
            if case["id"] not in unread:  # danger is one case more than anybody can carry
                caseload.check(connection, office, person)
            cases.hand_over_family(connection, office, case, person, now, by=person)
        return Taken(cases.get(connection, case["id"]), locked=locked)
    return Taken(None, locked=locked)


def _ordinary(
    connection: Connection, office: Office, waiting: Sequence[RowMapping], person: str
) -> Iterator[RowMapping]:
    """Yield what a person can answer of the cases that wait, the most urgent first."""
    left_alone = absence.asked_about(connection)
    for case in waiting:
        is_lent = case["id"] in left_alone
        if case["waiting_since"] is None:
            continue
        if case["assignee"] not in {None, person} and not is_lent:
            continue
        if not cases.holds_keys(connection, case, person):
            continue
        if case["assignee"] is not None or _speaks(office, person, case):
            yield case


def _speaks(office: Office, person: str, case: RowMapping) -> bool:
    is_urgent = case["priority"] >= cases.PRIORITIES.index("urgent")
    return is_urgent or caseload.speaks(office, person, case["language"])
