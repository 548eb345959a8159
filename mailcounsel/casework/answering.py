"""Answers to check-ins: which letter of ours one belongs to, and what is kept of it.

A letter that asked stays open for two weeks. Every question it held is answered for itself: a
certain number is sealed to the case with the client's words, what is unsure is left to a person.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, RowMapping, bindparam, select

from mailcounsel.casework import goals, letters, questions, resting, skills
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.casework.references import ours
from mailcounsel.practice.answers import Answers, Question
from mailcounsel.practice.names import PRACTICE
from mailcounsel.practice.numbers import Number
from mailcounsel.store import models, statements
from mailcounsel.store.ready import Ready, among
from mailcounsel.trust import casekeys

checkins = models.table(models.CheckIn)

_ASKED = Ready(
    select(checkins, goals.goals.c.number, goals.goals.c.asks, goals.goals.c.created_at)
    .join(goals.goals, goals.goals.c.id == checkins.c.goal_id)
    .join(letters.outgoing, letters.outgoing.c.id == checkins.c.outgoing_id)
    .where(goals.goals.c.case_id == bindparam("case"))
    .where(among(checkins.c.state, "asked", "unsure", "answered"))
    .where(checkins.c.due_at > bindparam("since", type_=checkins.c.due_at.type))
    .where(among(letters.outgoing.c.state, *letters.LEFT))
)


@dataclass(frozen=True, slots=True)
class OpenLetter:
    """A letter that asked, with its check-ins; `named` when the client's letter refers to it."""

    rows: Sequence[RowMapping]  # check-ins, each with its question's `number`, `asks`, `created_at`
    named: bool = False

    @property
    def open(self) -> dict[str, RowMapping]:
        """Return what has no number yet, by the name it was asked under."""
        asked = zip(questions.named(self.rows), self.rows, strict=True)
        return {one.name: row for one, row in asked if row["state"] != "answered"}

    @property
    def asks(self) -> list[Question]:
        """Return the questions that have no number yet, in the order of the letter."""
        open_now = self.open
        return [one for one in questions.named(self.rows) if one.name in open_now]


def letter_for(
    connection: Connection,
    office: Office,
    case_ids: Sequence[str],
    references: Sequence[str],
    now: datetime,
) -> OpenLetter | None:
    """Return the letter of ours that a client's letter answers, or None.

    It is the one they refer to (`references` run from the nearest to the oldest), else the only
    one that waits; of several that asked the same it is the newest. A letter waits once it was
    sent, while a question of it has no number and is not older than two weeks.
    """
    since = {"since": now - questions.ANSWER_LASTS}
    rows = [row for one in case_ids for row in _ASKED.rows(connection, {"case": one, **since})]
    by_letter = _by_letter(rows)
    if not by_letter:
        return None
    reminders = _reminders(connection, list(by_letter))
    for ids in ours(connection, office, references):
        for asked in (reminders.get(one, one) for one in ids):
            if asked in by_letter:
                return OpenLetter(by_letter[asked], named=True)
    waiting = [one for one in by_letter.values() if any(row["state"] == "asked" for row in one)]
    same = {frozenset(row["goal_id"] for row in one) for one in waiting}
    newest = max(waiting, key=lambda one: one[0]["due_at"], default=None)
    return OpenLetter(newest) if newest and len(same) == 1 else None


def _reminders(connection: Connection, asked: Sequence[str]) -> dict[str, str]:
    """Return the letters that reminded of others, each with the one that asked."""
    once = {one: f"{resting.REMINDER}:{one}" for one in asked}
    found = {one: statements.one(connection, letters.outgoing, once=once[one]) for one in asked}
    return {row["id"]: one for one, row in found.items() if row}


def _by_letter(rows: Sequence[RowMapping]) -> dict[str, list[RowMapping]]:
    """Return the letters with a question that is still open, each with all it asked, in order."""
    ordered = sorted(rows, key=lambda row: (row["outgoing_id"], goals.in_order(row)))
    letters_of = {key: list(one) for key, one in groupby(ordered, lambda r: r["outgoing_id"])}
    return {
        key: one
        for key, one in letters_of.items()
        if any(row["state"] != "answered" for row in one)
    }


def answer(
    connection: Connection,
    office: Office,
    case: RowMapping,
    letter: OpenLetter,
    read: Answers,
    words: str,
    letter_id: str,
    now: datetime,
    *,
    thank: bool = True,
) -> None:
    """Keep an answer: each certain number with the client's words, sealed; the rest *unsure*."""
    for one in letter.asks:
        row, said = letter.open[one.name], read[one.name]
        values: dict[str, object] = {"letter_id": letter_id, "answered_at": now}
        if isinstance(said, Number):
            content = {one.kind: said.value, "words": words}
            sealed = _sealed(connection, office, case, row["id"], content)
            values |= {"state": "answered", "reason": "", "answer": sealed}
            values |= {"epoch": case["epoch"]}
        else:
            values |= {"state": "unsure", "reason": said.reason}
        statements.change(connection, checkins, row["id"], **values)
    if thank and all(isinstance(said, Number) for said in read.values()):
        practised = [row["goal_id"] for row in letter.rows if _is_practised(row, letter, read)]
        template, facts = skills.thanks(connection, office, practised)
        once = f"thanks:{letter.rows[0]['outgoing_id']}"
        letters.ask(connection, office, case, Asked(template, facts, once), now)


def _is_practised(row: RowMapping, letter: OpenLetter, read: Answers) -> bool:
    """Tell whether a check-in asked about practice, and the answer says there was some."""
    names = [name for name, asked in letter.open.items() if asked["id"] == row["id"]]
    said = [read[name] for name in names if row["asks"] == PRACTICE]
    return any(isinstance(one, Number) and one.value > 0 for one in said)


def _sealed(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin_id: str,
    content: dict[str, object],
) -> bytes:
    return casekeys.seal(
        connection,
        office.keyring,
        case["id"],
        case["epoch"],
        casekeys.CONTENT,
        json.dumps(content, ensure_ascii=False).encode(),
        f"checkin/{checkin_id}/answer",
    )
