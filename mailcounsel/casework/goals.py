"""Goals agreed with a client, and when each is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, func, select, update

from mailcounsel import errors
from mailcounsel.casework import cases, records, recurrence
from mailcounsel.casework.office import Office
from mailcounsel.practice import names
from mailcounsel.store import models, statements
from mailcounsel.trust import addressbook

goals = models.table(models.Goal)
checkins = models.table(models.CheckIn)

ASKS = frozenset({"goal", "mood", "practice"})  # what a check-in may ask
LABEL_LENGTH = 80  # characters; the label is what a check-in shows
PRAISE_LENGTH = 500  # characters


@dataclass(frozen=True, slots=True)
class NewGoal:
    """A goal as the therapist agreed it.

    `text` is released to the service for check-ins; `detail` holds text and target, sealed in the
    therapist's own process to the case's content key with the context `goal/ID/detail`.
    """

    id: str
    text: str
    detail: bytes
    epoch: int
    every: str  # day, week, 2 weeks, month
    at: str  # "Mon 09:00"
    asks: str = "goal"  # one of ASKS
    praise: str = ""  # released as well: what the client is told when they practised


def add(
    connection: Connection,
    office: Office,
    case: RowMapping,
    new: NewGoal,
    person: str,
    now: datetime,
    not_before: datetime | None = None,
) -> RowMapping:
    """Agree a goal and set when it is asked about, in the client's time zone.

    It is asked about after `not_before` (now, where that is not given) for the first time.
    Raises: Refused for an empty or long text, a question of no kind, a second one about the mood,
    or a rhythm that cannot be read.
    """
    if new.asks not in ASKS:
        message = f"A check-in asks about one of: {', '.join(sorted(ASKS))}."
        raise errors.Refused(message)
    if new.asks == "mood" and _asks_mood(connection, case):
        message = "This client is asked about their mood already; stop that first."
        raise errors.Refused(message)
    rule = recurrence.parse(new.every, new.at)
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    due_at = recurrence.next_due(not_before or now, rule, zone)
    return keep(connection, office, case, new, rule.weekday, due_at, person, now)


def keep(
    connection: Connection,
    office: Office,
    case: RowMapping,
    new: NewGoal,
    weekday: int | None,
    due_at: datetime,
    person: str,
    now: datetime,
) -> RowMapping:
    """Write down what a client is asked about, due first at `due_at`. Return its row.

    Raises: Refused for an empty or long text.
    """
    label = " ".join(new.text.split())
    if not label or len(label) > LABEL_LENGTH:
        message = f"A goal needs a short text, at most {LABEL_LENGTH} characters."
        raise errors.Refused(message)
    praise = new.praise.strip()
    if len(praise) > PRAISE_LENGTH:
        message = f"The words for practice have more than {PRAISE_LENGTH} characters."
        raise errors.Refused(message)
    goal_id = new.id
    alike = (goals.c.case_id == case["id"]) & (goals.c.asks == new.asks)
    last = select(func.max(goals.c.number)).where(alike)
    number = (connection.execute(last).scalar_one() or 0) + 1
    statements.add(
        connection,
        goals,
        id=goal_id,
        case_id=case["id"],
        number=number,
        asks=new.asks,
        label=office.keyring.seal("addressbook", label.encode(), f"goal/{goal_id}/label"),
        detail=new.detail,
        sealed_praise=_sealed_praise(office, goal_id, praise),
        epoch=new.epoch,
        every=new.every,
        weekday=weekday,
        at=new.at,
        state="active",
        next_due_at=due_at,
        created_at=now,
        author=person,
    )
    records.audit(connection, now, person, "goal-added", case["id"], goal_id)
    return connection.execute(select(goals).where(goals.c.id == goal_id)).mappings().one()


def _asks_mood(connection: Connection, case: RowMapping) -> bool:
    found = statements.one(connection, goals, case_id=case["id"], asks="mood", state="active")
    return found is not None


def _sealed_praise(office: Office, goal_id: str, praise: str) -> bytes | None:
    if not praise:
        return None
    return office.keyring.seal("addressbook", praise.encode(), f"goal/{goal_id}/praise")


def praise_of(office: Office, goal: RowMapping) -> str:
    """Return the words released for reported practice, "" where there are none."""
    sealed = goal["sealed_praise"]
    return office.keyring.open(sealed, f"goal/{goal['id']}/praise").decode() if sealed else ""


def label_of(office: Office, goal: RowMapping) -> str:
    """Return the short text of a goal, released for check-ins."""
    return office.keyring.open(goal["label"], f"goal/{goal['id']}/label").decode()


def of_cases(connection: Connection, case_ids: list[str]) -> list[RowMapping]:
    """Return the goals of some cases in the order they were agreed."""
    query = select(goals).where(goals.c.case_id.in_(case_ids))
    return sorted(connection.execute(query).mappings(), key=in_order)


def in_order(goal: Mapping[Any, Any]) -> tuple[datetime, str, int, str]:
    """Return what rows of `goal` are sorted by: when it was agreed, of one moment goals first.

    One of a letter's check-ins, joined with its goal, has its place by this as well.
    """
    goal_id: str = goal["goal_id"] if "goal_id" in goal else goal["id"]
    return goal["created_at"], goal["asks"], goal["number"], goal_id


def called(connection: Connection, case: RowMapping, name: str) -> RowMapping:
    """Return the row of a case that goes by a name such as "G1". Raises: NotFound."""
    asks, number = names.read(name) or ("", 0)
    found = statements.one(connection, goals, case_id=case["id"], asks=asks, number=number)
    if found is None:
        message = f"{cases.handle(case['number'])} has no {name}."
        raise errors.NotFound(message)
    return found


def answers_of(connection: Connection, goal_ids: list[str]) -> list[RowMapping]:
    """Return the check-ins of some goals, oldest first."""
    query = select(checkins).where(checkins.c.goal_id.in_(goal_ids))
    return list(connection.execute(query.order_by(checkins.c.due_at)).mappings())


def describe(
    connection: Connection, case: RowMapping, name: str, detail: bytes, person: str, now: datetime
) -> None:
    """Keep a goal's new detail, sealed in the therapist's own process to the present epoch.

    Raises: NotFound.
    """
    goal_id = called(connection, case, name)["id"]
    statements.change(connection, goals, goal_id, detail=detail, epoch=case["epoch"])
    records.audit(connection, now, person, "goal-described", case["id"], goal_id)


def stop(connection: Connection, case: RowMapping, name: str, person: str, now: datetime) -> None:
    """Ask no longer about a goal, or whatever goes by this name. Raises: NotFound."""
    goal_id = called(connection, case, name)["id"]
    statements.change(connection, goals, goal_id, state="stopped")
    records.audit(connection, now, person, "goal-stopped", case["id"], goal_id)


def stop_taught(connection: Connection, case: RowMapping, draft_id: str) -> int:
    """Ask no longer about the practice of a lesson, in a case or one linked into it; 0: none.

    A practice bears the id of the draft that taught it (see `mailcounsel.casework.skills`).
    """
    here = goals.c.case_id.in_(cases.family(connection, case))
    taught = (goals.c.id == draft_id) & (goals.c.asks == names.PRACTICE) & here
    return connection.execute(update(goals).where(taught).values(state="stopped")).rowcount
