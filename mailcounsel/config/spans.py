"""A stretch of the day on the wall clock, such as "09:00-17:00"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

DAY = 24 * 60

_SPAN = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one day, in minutes since its midnight by the wall clock.

    `closes` is past 1440 where the stretch runs over midnight; it belongs to the day it opens on.
    """

    opens: int
    closes: int


@dataclass(frozen=True, slots=True, order=True)
class Days:
    """Days from the first to the last, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def days(text: str) -> Days:
    """Read "2026-12-20/2027-01-03" or a single day.

    Raises:
        ValueError: It is not that. The message is advice and does not repeat the text.
    """
    first, _, last = text.partition("/")
    try:
        found = Days(date.fromisoformat(first), date.fromisoformat(last or first))
    except ValueError:
        raise ValueError('must look like "2026-12-20/2027-01-03", or a single day') from None
    if found.last < found.first:
        raise ValueError("ends before it begins")
    return found


def parse(text: str) -> Span:
    """Read "HH:MM-HH:MM"; an end at or before the start is on the next day.

    Raises:
        ValueError: It is not such a stretch. The message is advice and does not repeat the text.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError('must look like "09:00-17:00"')
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    opens, closes = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if opens >= DAY or closes > DAY:
        raise ValueError("has an hour later than 24:00")
    if opens == closes:
        raise ValueError("starts and ends at the same time (a whole day is 00:00-24:00)")
    return Span(opens, closes if closes > opens else closes + DAY)
