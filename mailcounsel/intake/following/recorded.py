"""A letter that has just been recorded, with everything what follows from it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, update

from mailcounsel.casework import cases, records
from mailcounsel.casework.office import Office
from mailcounsel.intake.inbox import Received
from mailcounsel.intake.looking import Plan


@dataclass(frozen=True, slots=True)
class Recorded:
    """A letter in its case. `case` is the row as it was before."""

    connection: Connection
    office: Office
    case: RowMapping
    plan: Plan
    letter_id: str
    received: Received
    now: datetime

    @property
    def case_id(self) -> str:
        """The id of the case."""
        return str(self.case["id"])

    def stranger(self) -> str | None:
        """Return the letter's words where nobody vouches for who wrote them."""
        return None if self.plan.vouched.is_proved else self.plan.assessed.new_words

    def as_it_is(self) -> RowMapping:
        """Return the case as it is now."""
        return cases.get(self.connection, self.case_id)

    def retype(self, kind: str) -> None:
        """Say that the letter is of another kind: "answer", "command"."""
        one = records.letters.c.id == self.letter_id
        self.connection.execute(update(records.letters).where(one).values(kind=kind))
