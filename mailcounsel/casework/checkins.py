"""Check-ins: short questions about goals, mood and practice, asked when they are due.

What is due is a row: a goal's `next_due_at`. Asking takes the case under a lock, writes a check-in
for each of its questions that is due (once for goal and due time: a rule of the database), asks
for one letter about them all and moves `next_due_at` on, all in one transaction. After a pause or
a jump of the clock there is one letter, never a burst.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel.casework import (
    cases,
    goals,
    hours,
    letters,
    measures,
    questions,
    records,
    recurrence,
)
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.trust import addressbook

checkins = models.table(models.CheckIn)

JITTER_MINUTES = 20  # so that not every client gets mail at nine sharp
TOGETHER = timedelta(hours=1)  # what falls due so soon after stands in the same letter


def ask_due(connection: Connection, office: Office, now: datetime, most: int = 50) -> int:
    """Ask about what is due, a letter a case. Return how many questions were looked at."""
    due = (
        select(goals.goals.c.case_id)
        .where(goals.goals.c.state == "active", goals.goals.c.next_due_at <= now)
        .order_by(goals.goals.c.next_due_at)
        .limit(most)
    )
    found = dict.fromkeys(connection.execute(due).scalars())
    return sum(_ask_case(connection, office, case_id, now) for case_id in found)


def _ask_case(connection: Connection, office: Office, case_id: str, now: datetime) -> int:
    """Ask a case's client what is due; 0 where another process is at this case."""
    main_id = cases.main(connection, case_id)["id"]
    here = select(cases.cases).where(cases.cases.c.id == main_id)
    case = connection.execute(here.with_for_update(skip_locked=True)).mappings().first()
    if case is None:
        return 0
    due = _due(connection, cases.family(connection, case), now)
    client = addressbook.facts(connection, case["client_id"])
    zone = ZoneInfo(client.time_zone)
    reason = _reason_to_rest(connection, case, client.checkins)
    together = [goal for goal in due if goal["asks"] in questions.TOGETHER]
    for goal in together:
        rule = recurrence.parse(goal["every"], goal["at"])
        after = recurrence.next_due(max(now, goal["next_due_at"]), rule, zone)
        statements.change(connection, goals.goals, goal["id"], next_due_at=after)
    for goal in due:
        if goal["asks"] == measures.MEASURE:
            measures.ask(connection, office, case, goal, reason, zone, now)
    new = _written(connection, together, reason)
    if new and not reason:
        _post(connection, office, case, new, zone, now)
    return len(due)


def _due(connection: Connection, case_ids: Sequence[str], now: datetime) -> list[RowMapping]:
    """Return a case's questions that are due, with those that are within the hour, by number."""
    near = (
        (goals.goals.c.state == "active")
        & (goals.goals.c.next_due_at <= now + TOGETHER)
        & goals.goals.c.case_id.in_(case_ids)
    )
    rows = connection.execute(
        select(goals.goals).where(near).order_by(goals.goals.c.created_at, goals.goals.c.number)
    )
    found = list(rows.mappings())
    return found if any(row["next_due_at"] <= now for row in found) else []


def _written(
    connection: Connection, asking: Sequence[RowMapping], reason: str
) -> dict[str, RowMapping]:
    """Write a check-in for each question; return those that are new, by the check-in's id."""
    state = "skipped" if reason else "asked"
    new = {}
    for goal in asking:
        row = {"id": new_id(), "goal_id": goal["id"], "due_at": goal["next_due_at"]}
        if statements.insert_once(connection, checkins, {**row, "state": state, "reason": reason}):
            new[row["id"]] = goal
    return new


def _post(
    connection: Connection,
    office: Office,
    case: RowMapping,
    new: dict[str, RowMapping],
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Ask for the letter that holds these questions."""
    asking = list(new.values())
    due_at = min(goal["next_due_at"] for goal in asking)
    seed = office.keyring.lookup("jitter", recurrence.due_key(case["id"], due_at).encode())
    send_at = due_at + recurrence.jitter(seed, JITTER_MINUTES)
    asked = Asked(
        "checkin",
        questions.facts(office, case["language"], asking),
        once=f"checkin:{next(iter(new))}",
        is_answer=False,
        due_at=hours.quiet_hours(office.config).next_allowed(max(send_at, now), zone),
    )
    outgoing_id = letters.ask(connection, office, case, asked, now)
    values = {"outgoing_id": outgoing_id}
    if outgoing_id is None:
        values |= {"state": "skipped", "reason": "no-way"}
        records.flag(connection, now, case["id"], "no-way", asking[0]["id"])
    connection.execute(update(checkins).where(checkins.c.id.in_(new)).values(**values))


def _reason_to_rest(connection: Connection, case: RowMapping, wanted: str) -> str:
    if case["state"] != "open":
        return "closed"
    if wanted != "on":
        return wanted
    return "risk" if cases.has_open_risk(connection, case) else ""
