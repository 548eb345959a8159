"""A clock that can be moved, so that a week passes while one watches."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

OPENING_HOUR = 9


class MovableClock:
    """Goes on like any clock, and jumps ahead when told to. May be read from any thread."""

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._since = time.monotonic()

    def now(self) -> datetime:
        """Return the demonstration's present moment, aware, in UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._since)

    def move(self, ahead: timedelta) -> None:
        """Jump ahead."""
        self._start += ahead


def monday_morning(now: datetime, zone: ZoneInfo) -> datetime:
    """Return nine o'clock, in a zone, on the Monday of the week that a moment lies in."""
    here = now.astimezone(zone)
    monday = here.date() - timedelta(days=here.weekday())
    return datetime(monday.year, monday.month, monday.day, OPENING_HOUR, tzinfo=zone)
