"""An hour typed at the command line is an hour on the client's clock, or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailcounsel import errors
from mailcounsel.cli import appointment

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "zone", "moment"),
    [
        ("2026-12-03 15:00", "Asia/Jakarta", datetime(2026, 12, 3, 8, 0, tzinfo=UTC)),
        ("2026-12-03T15:00", "Asia/Jayapura", datetime(2026, 12, 3, 6, 0, tzinfo=UTC)),
        ("2026-07-01 09:30", "Europe/Berlin", datetime(2026, 7, 1, 7, 30, tzinfo=UTC)),
        ("2026-12-01 09:30", "Europe/Berlin", datetime(2026, 12, 1, 8, 30, tzinfo=UTC)),
        ("2026-10-25 02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_an_hour_is_on_the_clients_clock(start, zone, moment):
    """Summer or winter, east or west; of an hour that comes twice, the first."""
    assert appointment.moment_of(start, ZoneInfo(zone)) == moment


def test_an_hour_the_clocks_skip_is_refused():
    """At half past two that night no clock in Berlin shows half past two."""
    with pytest.raises(errors.Refused, match="skip 2026-03-29 02:30"):
        appointment.moment_of("2026-03-29 02:30", BERLIN)


@pytest.mark.parametrize("start", ["", "tomorrow", "15:00", "3.12.2026 15:00", "2026-02-30 10:00"])
def test_what_is_no_hour_is_told_in_a_sentence(start):
    """The sentence shows how to write it."""
    with pytest.raises(errors.Refused, match='Write it like "2026-12-03 15:00"'):
        appointment.moment_of(start, BERLIN)
