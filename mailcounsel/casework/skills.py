"""Skills taught by letter: the lesson, its note and the question about practice are one act.

A therapist signs the lesson as they sign any reply. With it the service takes a note (sealed in
the therapist's process) and a row that the check-ins ask about, or nothing of the three. The
practice bears the id of the lesson's draft, so a lesson that is taken back asks nothing either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import cases, goals, letters, records, rounds
from mailcounsel.casework.goals import NewGoal
from mailcounsel.casework.office import Office
from mailcounsel.casework.replies import approve
from mailcounsel.store import statements

THANKS = "checkin-thanks"  # without content
PRACTICE_THANKS = "practice-thanks"
A_DAY = timedelta(days=1)  # nobody is asked about practice on the day it is taught


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson as its therapist sends it.

    `statement` and `signature` are those of a reply. `note` is the id of the note and `content`
    its sealed words. `instead_of` are the ids of practices that are not asked about any more.
    """

    statement: str
    signature: bytes
    note: str
    content: bytes
    practice: NewGoal
    instead_of: Sequence[str] = ()


def assign(
    connection: Connection, office: Office, person: str, lesson: Lesson, now: datetime
) -> tuple[dict[str, Any], RowMapping]:
    """Send a lesson, keep its note, and have its practice asked about.

    Returns what `replies.approve` does, and the row of the practice. Raises as that does; Refused
    for a practice that is not this lesson's; NotFound for one to replace that is not this case's;
    Conflict when the case went to somebody else.
    """
    sent = approve(connection, office, person, lesson.statement, lesson.signature, now)
    row = statements.one(connection, letters.outgoing, id=sent["id"])
    if row is None or row["once"] != f"draft:{lesson.practice.id}":
        message = "This practice does not belong to the lesson. Nothing was sent."
        raise errors.Refused(message)
    case = cases.get(connection, row["case_id"])
    if case["epoch"] != lesson.practice.epoch:
        raise errors.Conflict
    for practice in lesson.instead_of:
        if not goals.stop_taught(connection, case, practice):
            message = "A practice that this lesson replaces is not this case's. Nothing was sent."
            raise errors.NotFound(message)
        records.audit(connection, now, person, "goal-stopped", case["id"], practice)
    rounds.beside(connection, case["id"], sent["id"], person, now)
    note = (lesson.note, lesson.content, person, now, "skill")
    records.write_note(connection, case, *note)
    later = now + A_DAY
    return sent, goals.add(connection, office, case, lesson.practice, person, now, later)


def thanks(
    connection: Connection, office: Office, practised: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """Return the template and facts that thank for the answer to a check-in.

    `practised` are the ids of the practices of which the client reported some. They are thanked
    for in the words their therapist released, and neutrally where there are none.
    """
    rows = [statements.row(connection, goals.goals, one) for one in practised]
    praise = dict.fromkeys(filter(None, (goals.praise_of(office, row) for row in rows)))
    return (PRACTICE_THANKS, {"praise": "\n\n".join(praise)}) if praise else (THANKS, {})
