"""A letter that has just been recorded, with everything what follows from it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import cases, records
from mailcounsel.casework.office import Office
from mailcounsel.intake import origin, vouching
from mailcounsel.intake.inbox import Received
from mailcounsel.intake.looking import Plan
from mailcounsel.store import statements


@dataclass(frozen=True)
class Recorded:
    """A letter in its case. `case` is the row as it was before."""

    connection: Connection
    office: Office
    case: RowMapping
    plan: Plan
    letter_id: str
    received: Received
    now: datetime
    marks: tuple[str, ...] = ()  # of `mailcounsel.intake.origin`

    @property
    def is_again(self) -> bool:
        """Whether the same letter came before, or that cannot be told: nobody wrote it now."""
        return not origin.AGAIN.isdisjoint(self.marks)

    @property
    def is_new_from_a_person(self) -> bool:
        """Whether a person wrote it now: neither a machine, perhaps, nor words that came before."""
        return not self.plan.kind.may_be_machine and not self.is_again

    @property
    def is_for_reading(self) -> bool:
        """Whether a person reads it and nothing is taken from it by itself: Junk, or passed on."""
        return self.plan.envelope.suspect or self.is_again or vouching.FOR_OTHERS in self.marks

    @property
    def case_id(self) -> str:
        """The id of the case."""
        return str(self.case["id"])

    def stranger(self) -> str | None:
        """Return the letter's words where nobody vouches for who wrote them."""
        return None if self.plan.vouched.is_proved else self.plan.assessed.new_words

    @cached_property
    def family(self) -> list[str]:
        """The ids of the case and of those linked into it, which no letter changes."""
        return cases.family(self.connection, self.case)

    @cached_property
    def references(self) -> list[str]:
        """The Message-IDs the letter refers to, from the nearest to the oldest."""
        letter = self.plan.opened.letter
        return [*letter.in_reply_to, *reversed(letter.references)]

    def as_it_is(self) -> RowMapping:
        """Return the case as it is now."""
        return cases.get(self.connection, self.case_id)

    def retype(self, kind: str) -> None:
        """Say that the letter is of another kind: "answer", "command"."""
        statements.change(self.connection, records.letters, self.letter_id, kind=kind)
