"""The time, as an argument.

Nothing below the service reads a clock. `Clock` is what the service is given; every decision
takes the time it is made at as an aware UTC `datetime`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time, aware, in UTC."""
        return datetime.now(UTC)


def is_zone(name: str) -> bool:
    """Tell whether this is the name of a time zone (IANA), such as Asia/Jakarta."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
