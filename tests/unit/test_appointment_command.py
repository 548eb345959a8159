"""An hour typed at the command line is an hour on the client's clock, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from mailcounsel import errors
from mailcounsel.cli import appointment
from mailcounsel.cli.main import cli

JAKARTA = ZoneInfo("Asia/Jakarta")
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


def meeting(hour, minutes=50, **more):
    """Return a meeting of C-0042 on the third of December, at an hour of Jakarta."""
    starts_at = datetime(2026, 12, 3, hour[0], hour[1], tzinfo=JAKARTA).astimezone(UTC)
    ends_at = starts_at + timedelta(minutes=minutes)
    hours = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    plain = {"case": "C-0042", "number": 1, "state": "proposed", "with": "wulan", "act": "propose"}
    return {**plain, **hours, **more}


def doubts(planned, *to_come):
    return list(appointment.doubts(planned, to_come, JAKARTA))


@pytest.mark.parametrize(
    ("more", "is_told"),
    [
        ({}, True),
        ({"state": "accepted"}, True),
        ({"case": "C-0007"}, True),  # she cannot be in two rooms either
        ({"case": "C-0007", "with": "bayu"}, False),
        ({"state": "cancelled"}, False),
        ({"number": 2}, False),  # itself, as it stands before it is moved
    ],
)
def test_a_meeting_that_overlaps_another_is_told(more, is_told):
    """One client, or one of us, would be in two meetings at once; what only touches is fine."""
    other = meeting((15, 0), **more)
    found = doubts(meeting((15, 30), number=2), other)
    assert [f"it overlaps A1 of {other['case']}" in one for one in found] == [True] * is_told
    assert doubts(meeting((15, 50), number=0), other) == []


@pytest.mark.parametrize(
    ("hour", "is_told"), [((6, 59), True), ((7, 0), False), ((20, 10), False), ((20, 11), True)]
)
def test_a_meeting_at_night_is_told(hour, is_told):
    """Before seven and after nine on the client's clock a meeting may be a slip of the pen."""
    found = doubts(meeting(hour))
    assert len(found) == is_told
    assert all("for the client (Asia/Jakarta)" in one for one in found)


def test_a_meeting_that_is_cancelled_is_not_doubted():
    """There will be none at that hour."""
    assert doubts(meeting((3, 0), act="cancel"), meeting((3, 0), number=2)) == []


@pytest.mark.parametrize("act", ["propose", "move"])
@pytest.mark.parametrize("minutes", ["0", "-5", "481"])
def test_a_meeting_lasts_some_minutes(act, minutes):
    """No meeting has no length: that is a sentence about the option, and nothing fails."""
    number = ["A1"] if act == "move" else []
    words = [act, "C-0042", *number, "--start", "2026-12-03 15:00", "--minutes", minutes]
    done = CliRunner().invoke(cli, ["appointment", *words])
    assert done.exit_code == 2
    assert "1<=x<=480" in done.output
