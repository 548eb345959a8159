"""What a client is promised: a day, in their own words."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import UnknownLocaleError, dates

from mailcounsel.casework.hours import WorkingHours

# The day stands before the month in both our languages; English alone would turn it round.
_LONG_DAY = "EEEE, d MMMM y"


def promised_by(received: datetime, hours: WorkingHours, promise_working_hours: float) -> datetime:
    """Return the moment, in UTC, by which an answer is promised to a letter."""
    return hours.add_working(received, promise_working_hours)


def local_day(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """Write the day a moment falls on in a zone, such as "Selasa, 24 November 2026".

    Raises:
        ValueError: The language is unknown.
    """
    return _written(moment.astimezone(zone).date(), language)


@lru_cache(maxsize=64)  # many letters of a day are promised the same one
def _written(day: date, language: str) -> str:
    try:
        return dates.format_date(day, _LONG_DAY, locale=language)
    except UnknownLocaleError as exc:
        raise ValueError("no such language") from exc
