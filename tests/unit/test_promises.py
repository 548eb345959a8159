"""A promise names a day the client can read on their own calendar."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from mailcounsel.casework import promises
from mailcounsel.casework.hours import WorkingHours
from mailcounsel.config.spans import Span

JAKARTA = ZoneInfo("Asia/Jakarta")
OFFICE = (Span(9 * 60, 17 * 60),)
HOURS = WorkingHours((*[OFFICE] * 5, (), ()), frozenset({date(2027, 1, 1)}), JAKARTA)


@pytest.mark.parametrize(
    ("moment", "language", "expected"),
    [
        ("2026-11-24T03:00", "id", "Selasa, 24 November 2026"),
        ("2026-11-24T03:00", "en", "Tuesday, 24 November 2026"),
        ("2026-11-24T16:59", "en", "Tuesday, 24 November 2026"),
        ("2026-11-24T17:00", "en", "Wednesday, 25 November 2026"),
        ("2026-12-31T17:00", "id", "Jumat, 1 Januari 2027"),
        ("2026-03-08T03:00", "id", "Minggu, 8 Maret 2026"),
    ],
)
def test_the_day_is_the_one_on_the_clients_calendar(moment, language, expected):
    """Midnight is the zone's; the day comes before the month, without a leading zero."""
    aware = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert promises.local_day(aware, JAKARTA, language) == expected


def test_the_same_moment_is_another_day_elsewhere():
    """A client ahead of the centre reads tomorrow's date."""
    moment = datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert promises.local_day(moment, JAKARTA, "en").startswith("Tuesday")
    assert promises.local_day(moment, ZoneInfo("Asia/Jayapura"), "en").startswith("Wednesday")


def test_a_language_nobody_knows_is_refused():
    """The date library's own error does not come through."""
    with pytest.raises(ValueError, match="no such language"):
        promises.local_day(datetime(2026, 11, 24, tzinfo=UTC), JAKARTA, "tlh")


@pytest.mark.parametrize(
    ("received", "amount", "expected"),
    [
        ("2026-11-20T08:00", 16, "Selasa, 24 November 2026"),  # Friday afternoon
        ("2026-11-21T20:00", 16, "Selasa, 24 November 2026"),  # Sunday, 03:00 in Jakarta
        ("2026-11-23T01:00", 8, "Senin, 23 November 2026"),
        ("2026-12-30T08:00", 16, "Senin, 4 Januari 2027"),
    ],
)
def test_the_promise_skips_weekends_and_holidays(received, amount, expected):
    """A promised day is one on which somebody works."""
    moment = promises.promised_by(
        datetime.fromisoformat(received).replace(tzinfo=UTC), HOURS, amount
    )
    assert promises.local_day(moment, JAKARTA, "id") == expected
