"""Check-ins: a short question about a goal, asked when it is due, and the answer that comes back.

What is due is a row: a goal's `next_due_at`. Asking takes the goal under a lock, writes the
check-in (once for goal and due time: a rule of the database), asks for the letter and moves
`next_due_at` on, all in one transaction. After a pause or a jump of the clock there is one
question, never a burst.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from mailcounsel.casework import answers, cases, goals, hours, letters, records, recurrence
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.store.ready import Ready, among
from mailcounsel.trust import addressbook, casekeys

checkins = models.table(models.CheckIn)
message_ids = models.table(models.MessageId)

JITTER_MINUTES = 20  # so that not every client gets mail at nine sharp
ANSWER_LASTS = timedelta(days=14)  # how long an answer still belongs to a question

_ASKED = Ready(
    select(checkins)
    .join(goals.goals, goals.goals.c.id == checkins.c.goal_id)
    .join(letters.outgoing, letters.outgoing.c.id == checkins.c.outgoing_id)
    .where(goals.goals.c.case_id == bindparam("case"))
    .where(among(checkins.c.state, "asked", "unsure"))
    .where(checkins.c.due_at > bindparam("since", type_=checkins.c.due_at.type))
    .where(among(letters.outgoing.c.state, "sent", "uncertain", "handing-over", "settled"))
)


def ask_due(connection: Connection, office: Office, now: datetime, most: int = 50) -> int:
    """Ask about the goals that are due. Return how many goals were looked at."""
    due = (
        select(goals.goals)
        .where(goals.goals.c.state == "active", goals.goals.c.next_due_at <= now)
        .order_by(goals.goals.c.next_due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(due).mappings().all()
    for goal in rows:
        _ask(connection, office, goal, now)
    return len(rows)


def _ask(connection: Connection, office: Office, goal: RowMapping, now: datetime) -> None:
    case = cases.main(connection, goal["case_id"])
    client = addressbook.facts(connection, case["client_id"])
    zone = ZoneInfo(client.time_zone)
    rule = recurrence.parse(goal["every"], goal["at"])
    values = {"next_due_at": recurrence.next_due(now, rule, zone)}
    connection.execute(update(goals.goals).where(goals.goals.c.id == goal["id"]).values(**values))
    reason = _reason_to_rest(connection, case, client.checkins)
    due_at = goal["next_due_at"]
    checkin_id = new_id()
    state = "skipped" if reason else "asked"
    row = {
        "id": checkin_id,
        "goal_id": goal["id"],
        "due_at": due_at,
        "state": state,
        "reason": reason,
    }
    if not statements.insert_once(connection, checkins, row) or reason:
        return
    _post(connection, office, case, goal, checkin_id, zone, now)


def _post(
    connection: Connection,
    office: Office,
    case: RowMapping,
    goal: RowMapping,
    checkin_id: str,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    key = recurrence.due_key(goal["id"], goal["next_due_at"])
    seed = office.keyring.lookup("jitter", key.encode())
    send_at = goal["next_due_at"] + recurrence.jitter(seed, JITTER_MINUTES)
    asked = Asked(
        "checkin",
        {"goal": goals.label_of(office, goal)},
        once=f"checkin:{checkin_id}",
        is_answer=False,
        due_at=hours.quiet_hours(office.config).next_allowed(max(send_at, now), zone),
    )
    outgoing_id = letters.ask(connection, office, case, asked, now)
    values = {"outgoing_id": outgoing_id}
    if outgoing_id is None:
        values |= {"state": "skipped", "reason": "no-way"}
        records.flag(connection, now, case["id"], "no-way", goal["id"])
    connection.execute(update(checkins).where(checkins.c.id == checkin_id).values(**values))


def _reason_to_rest(connection: Connection, case: RowMapping, wanted: str) -> str:
    if case["state"] != "open":
        return "closed"
    if wanted != "on":
        return wanted
    return "risk" if cases.has_open_risk(connection, case) else ""


@dataclass(frozen=True, slots=True)
class Question:
    """A check-in a letter may answer; `named` when the letter itself refers to it."""

    row: RowMapping
    named: bool


def question_for(
    connection: Connection,
    office: Office,
    case_ids: Sequence[str],
    references: Sequence[str],
    now: datetime,
) -> Question | None:
    """Return the check-in a letter answers: the one it refers to, else the only one that is open.

    `references` run from the nearest to the oldest. A question counts as open while it has no
    rating and is not older than two weeks, and only once it was sent.
    """
    since = {"since": now - ANSWER_LASTS}
    found = (_ASKED.rows(connection, {"case": case_id, **since}) for case_id in case_ids)
    rows = [row for of_case in found for row in of_case]
    by_letter = {row["outgoing_id"]: row for row in rows}
    for reference in references if rows else ():
        lookup = office.keyring.lookup("message-id", reference.encode())
        for named in statements.every(connection, message_ids, lookup=lookup):
            if named["outgoing_id"] in by_letter:
                return Question(by_letter[named["outgoing_id"]], named=True)
    waiting = [row for row in rows if row["state"] == "asked"]
    return Question(waiting[0], named=False) if len(waiting) == 1 else None


def answer(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    read: answers.Rating | answers.Unsure,
    letter_id: str,
    now: datetime,
    *,
    thank: bool = True,
) -> None:
    """Keep the answer to a check-in: a rating with the client's words, sealed, or *unsure*."""
    values: dict[str, object] = {"letter_id": letter_id, "answered_at": now, "epoch": case["epoch"]}
    if isinstance(read, answers.Rating):
        content = json.dumps({"rating": read.value, "words": read.words}, ensure_ascii=False)
        sealed = casekeys.seal(
            connection,
            office.keyring,
            case["id"],
            case["epoch"],
            casekeys.CONTENT,
            content.encode(),
            f"checkin/{checkin['id']}/answer",
        )
        values |= {"state": "answered", "answer": sealed}
        if thank:
            asked = Asked("checkin-thanks", {}, once=f"thanks:{checkin['id']}")
            letters.ask(connection, office, case, asked, now)
    else:
        values |= {"state": "unsure", "reason": read.reason}
    connection.execute(update(checkins).where(checkins.c.id == checkin["id"]).values(**values))
