"""Check-ins: short questions about goals, mood and practice, asked when they are due.

What is due is a row: a goal's `next_due_at`. Asking takes the case under a lock, writes a check-in
for each of its questions that is due (once for goal and due time: a rule of the database), asks
for one letter about them all and moves `next_due_at` on, all in one transaction. After a pause or
a jump of the clock there is one letter, never a burst. What was left out while the client was
silent is asked along with the next question, or somebody who answers late would never be asked it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Connection, RowMapping, bindparam, select, update

from mailcounsel.casework import (
    alone,
    cases,
    consent,
    errands,
    goals,
    hours,
    letters,
    measures,
    questions,
    records,
    recurrence,
    resting,
    unanswered,
)
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.letter import templates
from mailcounsel.practice import names
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.store.ready import Ready
from mailcounsel.trust import addressbook

checkins = models.table(models.CheckIn)

JITTER_MINUTES = 20  # so that not every client gets mail at nine sharp
A_DAY = timedelta(days=1)
TOGETHER = timedelta(hours=1)  # what falls due so soon after stands in the same letter


_DUE = Ready(
    select(goals.goals.c.case_id)
    .where(goals.goals.c.state == "active")
    .where(goals.goals.c.next_due_at <= bindparam("now", type_=goals.goals.c.next_due_at.type))
    .order_by(goals.goals.c.next_due_at)
    .limit(bindparam("most", type_=BigInteger()))
)


@dataclass(frozen=True, slots=True)
class Due:
    """A case under our lock, with its questions that are due, and all it is asked, by number."""

    case: RowMapping
    goals: Sequence[RowMapping]
    agreed: Sequence[RowMapping]


def ask_due(connection: Connection, office: Office, now: datetime, most: int = 50) -> int:
    """Ask about what is due, a letter a case. Return how many questions were looked at."""
    claimed = claim(connection, now, most)
    for due in claimed:
        ask = partial(_ask, connection, office, due, now)
        if not alone.do(connection, "checkins: one case", ask):
            _put_off(connection, due, now)
    return sum(len(due.goals) for due in claimed)


def _put_off(connection: Connection, due: Due, now: datetime) -> None:
    """Ask later what could not be asked, and show it to a person; the others are asked today."""
    for goal in due.goals:
        statements.change(connection, goals.goals, goal["id"], next_due_at=now + errands.LATER)
    records.flag(connection, now, due.case["id"], errands.FAILED, due.case["id"])


def claim(connection: Connection, now: datetime, most: int) -> list[Due]:
    """Lock the cases of the `most` questions that are due longest, and return what each is asked.

    A case that another process is at is left to it. The locks last as long as the transaction.
    """
    due = _DUE.rows(connection, {"now": now, "most": most})
    if not due:
        return []  # nearly always
    locked = _locked(connection, list(dict.fromkeys(row["case_id"] for row in due)))
    agreed = _agreed(connection, list(locked))
    claimed = (
        Due(case, _due_of(agreed[case_id], now), agreed[case_id])
        for case_id, case in locked.items()
    )
    return [one for one in claimed if one.goals]


def _locked(connection: Connection, case_ids: Sequence[str]) -> dict[str, RowMapping]:
    """Lock cases, or those they were linked into, but for those another process is at."""
    query = select(cases.cases).where(cases.cases.c.id.in_(case_ids))
    rows = connection.execute(query.with_for_update(skip_locked=True)).mappings()
    found = {row["id"]: row for row in rows}
    free = [found[case_id] for case_id in case_ids if case_id in found]
    mains = {row["id"]: row for row in free if not row["merged_into"]}
    others = {row["merged_into"] for row in free} - {None, *mains}
    return {**mains, **_locked(connection, sorted(others))} if others else mains


def _agreed(connection: Connection, case_ids: Sequence[str]) -> dict[str, list[RowMapping]]:
    """Return what was agreed to ask in each of some cases and those linked into them, in order.

    All of it, since it is little: told to look for what is due as well, SQLite looks through
    everything that is due.
    """
    families = cases.families(connection, case_ids)
    main_of = {one: main for main, family in families.items() for one in family}
    rows = goals.goals
    query = select(rows).where(rows.c.case_id.in_(main_of))
    agreed: dict[str, list[RowMapping]] = {case_id: [] for case_id in case_ids}
    for goal in sorted(connection.execute(query).mappings(), key=goals.in_order):
        agreed[main_of[goal["case_id"]]].append(goal)
    return agreed


def _due_of(agreed: Sequence[RowMapping], now: datetime) -> list[RowMapping]:
    """Return what is asked now, with what falls due soon after; nothing while nothing is due."""
    near = [goal for goal in agreed if goal["next_due_at"] <= now + TOGETHER]
    asking = [goal for goal in near if goal["state"] == "active"]
    return asking if any(goal["next_due_at"] <= now for goal in asking) else []


def _ask(connection: Connection, office: Office, due: Due, now: datetime) -> None:
    """Ask a client what is due, and move it on to its next moment."""
    case = due.case
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    reason = resting.reason(connection, case)
    together = [goal for goal in due.goals if goal["asks"] in questions.TOGETHER]
    for goal in together:
        rule = recurrence.parse(goal["every"], goal["at"])
        after = recurrence.next_due(max(now, goal["next_due_at"]), rule, zone)
        statements.change(connection, goals.goals, goal["id"], next_due_at=after)
    for goal in due.goals:
        if goal["asks"] == names.MEASURE:
            measures.ask(connection, office, case, goal, reason, zone, now)
    new = _written(connection, together, reason)
    if new and not reason:
        left_out = _left_out(connection, due, now)
        _post(connection, office, case, new | left_out, zone, now)


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


def _left_out(connection: Connection, due: Due, now: datetime) -> dict[str, RowMapping]:
    """Return what was left out for a silence that is over, by the check-in's id; it is due now.

    What was answered meanwhile, or has its own turn within a day, is not asked.
    """
    asking = {goal["id"] for goal in due.goals}
    found = {}
    for goal in due.agreed:
        is_asked = goal["state"] == "active" and goal["asks"] in questions.TOGETHER
        if not is_asked or goal["id"] in asking or goal["next_due_at"] <= now + A_DAY:
            continue
        if last := _left_out_last(connection, goal["id"]):
            statements.change(connection, checkins, last["id"], due_at=now)
            found[last["id"]] = goal
    return found


def _left_out_last(connection: Connection, goal_id: str) -> RowMapping | None:
    """Return a question's last check-in, if it was left out for a silence and not answered since.

    An answer to the one before that came later is an answer.
    """
    asked = statements.every(connection, checkins, goal_id=goal_id)
    last = max(asked, key=lambda one: one["due_at"], default=None)
    if last is None or (last["state"], last["reason"]) != ("skipped", resting.SILENT):
        return None
    answered = [one["answered_at"] for one in asked if one["answered_at"]]
    return None if any(at >= last["due_at"] for at in answered) else last


def _post(
    connection: Connection,
    office: Office,
    case: RowMapping,
    new: Mapping[str, RowMapping],
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Ask for the letter that holds these questions, those that are due first."""
    asking = sorted(new.values(), key=goals.in_order)
    due_at = min(goal["next_due_at"] for goal in asking)
    seed = office.keyring.lookup("jitter", recurrence.due_key(case["id"], due_at).encode())
    send_at = due_at + recurrence.jitter(seed, JITTER_MINUTES)
    way = consent.way(connection, office.keyring, case["client_id"])
    address = letters.tagged_address(office, case, way)
    subject, language = templates.subject(case["language"]), case["language"]
    link = questions.link(address, subject, language, asking)
    leaves_at = hours.quiet_hours(office.config).next_allowed(max(send_at, now), zone)
    asked = Asked(
        "checkin",
        questions.facts(office, language, asking) | {"link": link},
        once=f"checkin:{next(iter(new))}",
        is_answer=False,
        due_at=leaves_at,
    )
    outgoing_id = letters.ask(connection, office, case, asked, now)
    values = {"outgoing_id": outgoing_id, "state": "asked", "reason": ""}
    if outgoing_id is None:
        values |= {"state": "skipped", "reason": "no-way"}
        records.flag(connection, now, case["id"], "no-way", asking[0]["id"])
    else:
        rhythms = [recurrence.parse(goal["every"], goal["at"]).every for goal in asking]
        unanswered.watch(connection, case, outgoing_id, rhythms, leaves_at)
    connection.execute(update(checkins).where(checkins.c.id.in_(new)).values(**values))
