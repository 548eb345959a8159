"""When a client is asked: morning or evening by a word of theirs, or as a therapist changes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, func, select

from mailcounsel import clock, errors
from mailcounsel.casework import cases, questions, records, recurrence
from mailcounsel.casework import goals as agreed
from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements
from mailcounsel.trust import addressbook

goals = models.table(models.Goal)
checkins = models.table(models.CheckIn)

PARTS = frozenset({"morning", "evening"})  # the words of a client, as commands call them


def hour(office: Office, part: str) -> time:
    """Return the local time of a part of the day, as the configuration names it."""
    chosen: time = getattr(office.config.hours, part)
    return chosen


def asked_about(connection: Connection, case: RowMapping) -> Sequence[RowMapping]:
    """Return what a client is asked regularly, questionnaires aside: those have hours of theirs."""
    query = select(goals).where(
        goals.c.case_id.in_(cases.family(connection, case)),
        goals.c.state == "active",
        goals.c.asks.in_(questions.TOGETHER),
    )
    return connection.execute(query).mappings().all()


def move(
    connection: Connection, office: Office, case: RowMapping, part: str, now: datetime
) -> None:
    """Ask a client in the morning or the evening from now on; the days stay as agreed."""
    at = hour(office, part)
    for goal in asked_about(connection, case):
        weekday = goal["at"].rpartition(" ")[0]
        _change(connection, case, goal, goal["every"], f"{weekday} {at:%H:%M}".strip(), now)


def live_in(connection: Connection, case: RowMapping, zone: str, now: datetime) -> None:
    """Let a client live by the clock of a time zone: the hours agreed with them are its hours.

    Raises: Refused for a name that is no time zone.
    """
    if not clock.is_zone(zone):
        message = f"{zone!r} is no time zone: write its IANA name, such as Asia/Makassar."
        raise errors.Refused(message)
    addressbook.set_spoken(connection, case["client_id"], time_zone=zone)
    for goal in asked_about(connection, case):
        _change(connection, case, goal, goal["every"], goal["at"], now)


def change(
    connection: Connection,
    case: RowMapping,
    name: str,
    every: str | None,
    at: str | None,
    person: str,
    now: datetime,
) -> datetime:
    """Ask about a goal in another rhythm. Return when next; repeating it changes nothing more.

    Raises: NotFound; Refused for a rhythm that cannot be read, or a question that has stopped.
    """
    goal = agreed.called(connection, case, name)
    if goal["state"] != "active" or goal["asks"] not in questions.TOGETHER:
        message = f"{name} is not asked about in a check-in, so it has no rhythm to change."
        raise errors.Refused(message)
    due_at = _change(connection, case, goal, every or goal["every"], at or goal["at"], now)
    records.audit(connection, now, person, "goal-changed", case["id"], goal["id"])
    return due_at


def _change(
    connection: Connection, case: RowMapping, goal: RowMapping, every: str, at: str, now: datetime
) -> datetime:
    rule = recurrence.parse(every, at)
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    after = max(now, _end_of_last_day(connection, goal, zone) or now)
    due_at = recurrence.next_due(after, rule, zone)
    values = {"every": every, "at": at, "weekday": rule.weekday, "next_due_at": due_at}
    statements.change(connection, goals, goal["id"], **values)
    return due_at


def _end_of_last_day(connection: Connection, goal: RowMapping, zone: ZoneInfo) -> datetime | None:
    """Return the end of the local day a goal was last asked about: not twice on one day."""
    last = select(func.max(checkins.c.due_at)).where(checkins.c.goal_id == goal["id"])
    asked_at: datetime | None = connection.execute(last).scalar_one()
    if asked_at is None:
        return None
    next_day = asked_at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(next_day, time(), tzinfo=zone) - timedelta(seconds=1)
