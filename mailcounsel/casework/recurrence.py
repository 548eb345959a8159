"""When the next check-in is due, by the clock on the client's wall.

The rule knows nothing of the past: the next due moment follows from the present one alone, so a
clock that jumps a year yields one check-in and never a burst.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

from mailcounsel import errors

Every = Literal["day", "week", "2 weeks", "month"]

_EVERY: Final[dict[str, Every]] = {
    "day": "day", "daily": "day", "hari": "day",
    "week": "week", "weekly": "week", "minggu": "week",
    "2 weeks": "2 weeks", "two weeks": "2 weeks", "2 minggu": "2 weeks", "dua minggu": "2 weeks",
    "month": "month", "monthly": "month", "bulan": "month",
}  # fmt: skip
_WEEKDAYS: Final[dict[str, int]] = {
    name: number
    for number, names in enumerate((
        "mon monday sen senin",
        "tue tues tuesday sel selasa",
        "wed wednesday rab rabu",
        "thu thur thurs thursday kam kamis",
        "fri friday jum jumat jum'at",
        "sat saturday sab sabtu",
        "sun sunday min minggu ahad",
    ))
    for name in names.split()
}  # fmt: skip
_AT: Final = re.compile(r"(?:(?P<day>[a-z']+),?\s+)?(?P<hour>\d{1,2})[:.](?P<minute>\d{2})")

# A Monday. Fortnights are counted from it, so that they need no memory of when a goal began.
_FORTNIGHTS_FROM: Final = date(2024, 1, 1)
# The longest way from any day to the next due one is from a month's first Monday to the next.
_LOOK_AHEAD_DAYS: Final = 40


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How often and at what local time a check-in is sent.

    `weekday` counts from Monday = 0; it is None for every day, and for a month it means the
    first such day of the month (None: the first day).
    """

    every: Every
    weekday: int | None
    at: time


def parse(every: str, at: str) -> Recurrence:
    """Read what a therapist typed, such as "week" and "Mon 09:00" or "Sen 09.00".

    Raises errors.Refused, with what to write instead.
    """
    often = _EVERY.get(" ".join(every.casefold().split()).removeprefix("every "))
    if often is None:
        raise errors.Refused('Write how often as "day", "week", "2 weeks" or "month".')
    weekday, local = _parse_at(at)
    if often == "day" and weekday is not None:
        raise errors.Refused('Every day has no weekday: write the time alone, such as "09:00".')
    if often in {"week", "2 weeks"} and weekday is None:
        raise errors.Refused('Write the weekday too, such as "Mon 09:00" or "Sen 09:00".')
    return Recurrence(often, weekday, local)


def parse_once(at: str) -> Recurrence:
    """Read when something is sent a single time: its first due moment is the one that is meant.

    Raises errors.Refused, with what to write instead.
    """
    weekday, local = _parse_at(at)
    return Recurrence("day" if weekday is None else "week", weekday, local)


def _parse_at(at: str) -> tuple[int | None, time]:
    match = _AT.fullmatch(at.strip().casefold().replace("’", "'"))
    if match is None:
        raise errors.Refused('Write when as "Mon 09:00", "Sen 09:00" or "09:00".')
    day = match["day"]
    if day is not None and day not in _WEEKDAYS:
        raise errors.Refused('Write the weekday as "Mon" to "Sun" or "Sen" to "Min".')
    hour, minute = int(match["hour"]), int(match["minute"])
    if hour >= 24 or minute >= 60:
        raise errors.Refused("Write a time from 00:00 to 23:59.")
    return (None if day is None else _WEEKDAYS[day]), time(hour, minute)


def next_due(after: datetime, rule: Recurrence, zone: ZoneInfo) -> datetime:
    """Return the first due moment strictly after the given one, both aware, the result in UTC.

    A local time that a clock change skips becomes the first moment after the change; one that
    comes twice means its first coming.
    """
    # The day before is looked at too: a change at midnight can push its moment past it.
    first = after.astimezone(zone).date() - timedelta(days=1)
    moments = (_moment(day, rule.at, zone) for day in _days(first, rule))
    return next(moment for moment in moments if moment > after)


def _days(first: date, rule: Recurrence) -> Iterator[date]:
    days = (first + timedelta(days=number) for number in range(_LOOK_AHEAD_DAYS))
    return (day for day in days if _is_due_day(day, rule))


def _is_due_day(day: date, rule: Recurrence) -> bool:
    if rule.weekday is not None and day.weekday() != rule.weekday:
        return False
    if rule.every == "month":
        return day.day <= (1 if rule.weekday is None else 7)
    return rule.every != "2 weeks" or (day - _FORTNIGHTS_FROM).days // 7 % 2 == 0


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Turn a local date and time into the UTC moment it means."""
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # The wall never shows this time. Read with the later offset it lies before the change.
    return _change_between(local.replace(fold=1).astimezone(UTC), moment, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Find the first second at which the zone has the offset it has at `after`."""
    offset = cast("timedelta", after.astimezone(zone).utcoffset())
    low, high = 0, int((after - before).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle + 1
    return before + timedelta(seconds=low)


def due_key(goal: str, due: datetime) -> str:
    """Name one check-in of one goal, so that a database rule can let it exist only once."""
    return f"{goal}@{due.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def jitter(seed: bytes, minutes: int) -> timedelta:
    """Choose a delay below the given minutes, in whole seconds, always the same for a seed."""
    digest = hashlib.blake2b(seed, digest_size=8).digest()
    return timedelta(seconds=int.from_bytes(digest) % max(1, minutes * 60))
