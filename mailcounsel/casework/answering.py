"""Answers to check-ins: which letter of ours one belongs to, and what is kept of it.

A letter that asked stays open for two weeks. Every question it held is answered for itself: a
certain number is sealed to the case with the client's words, what is unsure is left to a person.
What another letter asked is answered along with it by its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, RowMapping, bindparam, select

from mailcounsel.casework import goals, letters, questions, resting, skills
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.casework.references import ours
from mailcounsel.practice import answers
from mailcounsel.practice.answers import Answers, Question
from mailcounsel.practice.names import MEASURE, PRACTICE
from mailcounsel.practice.numbers import Number, Unsure
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
    """A letter that asked, with its check-ins; `named` when the client's letter refers to it.

    Each check-in has its question's `number`, `asks` and `created_at`. Without any it stands for no
    letter: then nothing can be answered but what is `beside` it.
    """

    rows: Sequence[RowMapping]
    named: bool = False
    beside: Mapping[str, RowMapping] = field(default_factory=dict)
    """What other letters asked that has no number yet, by the name it was asked under."""

    @property
    def open(self) -> dict[str, RowMapping]:
        """Return what has no number yet, by the name it was asked under."""
        return {name: row for name, row in _by_name(self.rows) if row["state"] != "answered"}

    @property
    def asks(self) -> list[Question]:
        """Return the questions that have no number yet, in the order of the letter."""
        return [answers.question(name) for name in self.open]

    @property
    def asks_beside(self) -> list[Question]:
        """Return the questions of other letters that are answered by their names alone."""
        return [answers.question(name) for name in self.beside]


def letter_for(
    connection: Connection,
    office: Office,
    case_ids: Sequence[str],
    references: Sequence[str],
    now: datetime,
) -> OpenLetter | None:
    """Return the letter of ours that a client's letter answers, or None.

    It is the one they refer to (`references` run from the nearest to the oldest), else the only
    one that waits; of several that asked the same it is the newest. Where several asked different
    things, it is none of them. A letter waits once it was sent, while a question of it has no
    number and is not older than two weeks.
    """
    since = {"since": now - questions.ANSWER_LASTS}
    rows = [row for one in case_ids for row in _ASKED.rows(connection, {"case": one, **since})]
    by_letter = _by_letter(rows)
    if not by_letter:
        return None
    newest_of = {row["goal_id"]: row["id"] for row in sorted(rows, key=lambda row: row["due_at"])}
    latest = frozenset(newest_of.values())
    reminders = _reminders(connection, list(by_letter))
    for ids in ours(connection, office, references):
        for asked in (reminders.get(one, one) for one in ids):
            if asked in by_letter:
                beside = _beside(by_letter, asked, latest)
                return OpenLetter(by_letter[asked], named=True, beside=beside)
    waiting = [key for key, one in by_letter.items() if any(row["state"] == "asked" for row in one)]
    same = {frozenset(row["goal_id"] for row in by_letter[key]) for key in waiting}
    newest = max(waiting, key=lambda key: by_letter[key][0]["due_at"], default="")
    meant = newest if len(same) == 1 else ""
    return OpenLetter(by_letter.get(meant, []), beside=_beside(by_letter, meant, latest))


def _by_name(rows: Sequence[RowMapping]) -> Iterator[tuple[str, RowMapping]]:
    """Yield the check-ins of a letter in its order, each with the name it was asked under."""
    for one, row in zip(questions.named(rows), rows, strict=True):
        yield one.name, row


def _beside(
    by_letter: Mapping[str, Sequence[RowMapping]], meant: str, latest: frozenset[str]
) -> dict[str, RowMapping]:
    """Return what the other letters asked, by name: of each question the latest, while it is open.

    No name that two questions go by; `meant` is the id of the letter itself, or "".
    """
    goal_of = {name: row["goal_id"] for name, row in _by_name(by_letter.get(meant, []))}
    found, shared = {}, set(goal_of)
    for name, row in (one for rows in by_letter.values() for one in _by_name(rows)):
        if row["goal_id"] != goal_of.setdefault(name, row["goal_id"]):
            shared.add(name)
        if row["id"] in latest and row["state"] != "answered" and row["asks"] != MEASURE:
            found[name] = row
    return {name: row for name, row in found.items() if name not in shared}


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
    rows = {**letter.beside, **letter.open}
    for name, said in read.items():
        row = rows[name]
        values: dict[str, object] = {"letter_id": letter_id, "answered_at": now}
        if isinstance(said, Number):
            content = {answers.question(name).kind: said.value, "words": words}
            sealed = _sealed(connection, office, case, row["id"], content)
            values |= {"state": "answered", "reason": "", "answer": sealed}
            values |= {"epoch": case["epoch"]}
        else:
            values |= {"state": "unsure", "reason": said.reason}
        statements.change(connection, checkins, row["id"], **values)
    if thank and all(isinstance(said, Number) for said in read.values()):
        done = [name for name in read if _is_practised(rows[name], read[name])]
        practised = [rows[name]["goal_id"] for name in done]
        template, facts = skills.thanks(connection, office, practised)
        once = f"thanks:{rows[next(iter(read))]['outgoing_id']}"
        letters.ask(connection, office, case, Asked(template, facts, once), now)


def _is_practised(row: RowMapping, said: Number | Unsure) -> bool:
    """Tell whether a check-in asked about practice, and the answer says there was some."""
    return row["asks"] == PRACTICE and isinstance(said, Number) and said.value > 0


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
