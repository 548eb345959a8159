"""A check-in comes once on each agreed day, in its hour, in every zone of the world."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel import errors
from mailcounsel.casework import recurrence
from mailcounsel.casework.recurrence import Recurrence

JAKARTA = ZoneInfo("Asia/Jakarta")
BERLIN = ZoneInfo("Europe/Berlin")
DAILY = Recurrence("day", None, time(9))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("every", "at", "expected"),
    [
        ("week", "Mon 09:00", Recurrence("week", 0, time(9))),
        ("week", "Sen 09:00", Recurrence("week", 0, time(9))),
        ("Every  week", "senin, 9.05", Recurrence("week", 0, time(9, 5))),
        ("minggu", "Minggu 19:30", Recurrence("week", 6, time(19, 30))),
        ("2 weeks", "Jum'at 08:00", Recurrence("2 weeks", 4, time(8))),
        ("2 minggu", "Jum’at 08:00", Recurrence("2 weeks", 4, time(8))),
        ("day", "07:15", Recurrence("day", None, time(7, 15))),
        ("hari", "00:00", Recurrence("day", None, time(0))),
        ("month", "09:00", Recurrence("month", None, time(9))),
        ("bulan", "Rab 23:59", Recurrence("month", 2, time(23, 59))),
    ],
)
def test_what_a_therapist_types_is_read(every: str, at: str, expected: Recurrence) -> None:
    """Both languages, long and short names, colon or full stop."""
    assert recurrence.parse(every, at) == expected


@pytest.mark.parametrize(
    ("every", "at", "advice"),
    [
        ("fortnight", "Mon 09:00", "how often"),
        ("", "Mon 09:00", "how often"),
        ("week", "09:00", "weekday too"),
        ("2 weeks", "09:00", "weekday too"),
        ("day", "Mon 09:00", "no weekday"),
        ("week", "Mon", "when as"),
        ("week", "Mon 9", "when as"),
        ("week", "Mon 9:5", "when as"),
        ("week", "Xyz 09:00", "weekday as"),
        ("week", "Mon 24:00", "00:00 to 23:59"),
        ("week", "Mon 10:60", "00:00 to 23:59"),
    ],
)
def test_what_cannot_be_read_is_refused_with_advice(every: str, at: str, advice: str) -> None:
    """Nothing is guessed; the message says what to write."""
    with pytest.raises(errors.Refused, match=advice):
        recurrence.parse(every, at)


@pytest.mark.parametrize(
    ("after", "rule", "zone", "due"),
    [
        # Monday 23 November 2026, 09:00 in Jakarta is 02:00 UTC.
        (utc(2026, 11, 22), Recurrence("week", 0, time(9)), JAKARTA, utc(2026, 11, 23, 2)),
        (utc(2026, 11, 23, 2), Recurrence("week", 0, time(9)), JAKARTA, utc(2026, 11, 30, 2)),
        (utc(2026, 11, 23, 1, 59), Recurrence("week", 0, time(9)), JAKARTA, utc(2026, 11, 23, 2)),
        # Sunday evening UTC is Monday already in Jakarta.
        (utc(2026, 11, 22, 18), Recurrence("day", None, time(0, 30)), JAKARTA,
         utc(2026, 11, 23, 17, 30)),
        (utc(2026, 11, 2), Recurrence("month", None, time(9)), JAKARTA, utc(2026, 12, 1, 2)),
        (utc(2026, 11, 2, 2), Recurrence("month", 0, time(9)), JAKARTA, utc(2026, 12, 7, 2)),
        (utc(2026, 12, 31, 20), DAILY, JAKARTA, utc(2027, 1, 1, 2)),
        # Europe springs forward at 01:00 UTC on 29 March 2026: 02:30 does not exist.
        (utc(2026, 3, 28, 12), Recurrence("day", None, time(2, 30)), BERLIN, utc(2026, 3, 29, 1)),
        (utc(2026, 3, 29, 1), Recurrence("day", None, time(2, 30)), BERLIN,
         utc(2026, 3, 30, 0, 30)),
        # It falls back at 01:00 UTC on 25 October 2026: 02:30 comes twice, the first counts.
        (utc(2026, 10, 24, 12), Recurrence("day", None, time(2, 30)), BERLIN,
         utc(2026, 10, 25, 0, 30)),
        (utc(2026, 10, 25, 0, 30), Recurrence("day", None, time(2, 30)), BERLIN,
         utc(2026, 10, 26, 1, 30)),
    ],
)  # fmt: skip
def test_next_due(after: datetime, rule: Recurrence, zone: ZoneInfo, due: datetime) -> None:
    """The next moment is strictly later and in the hour of the client's wall."""
    assert recurrence.next_due(after, rule, zone) == due


def test_a_gap_at_midnight_moves_to_the_first_moment_of_the_new_day() -> None:
    """Lebanon's clocks skip 00:00 to 01:00 on 29 March 2026."""
    rule = Recurrence("day", None, time(0, 30))
    due = recurrence.next_due(utc(2026, 3, 28, 12), rule, ZoneInfo("Asia/Beirut"))
    assert due.astimezone(ZoneInfo("Asia/Beirut")).isoformat() == "2026-03-29T01:00:00+03:00"


def test_every_two_weeks_needs_no_memory() -> None:
    """Asked from any moment of a year, the same 26 or 27 fortnights are named."""
    rule = Recurrence("2 weeks", 2, time(9))
    days = {
        recurrence.next_due(utc(2026, 1, 1) + timedelta(hours=7 * n), rule, JAKARTA)
        for n in range(365 * 24 // 7)
    }
    gaps = {later - earlier for earlier, later in zip(sorted(days), sorted(days)[1:], strict=False)}
    assert gaps == {timedelta(days=14)}
    assert 26 <= len(days) <= 27


def test_a_jump_of_a_year_yields_one_due_moment() -> None:
    """What was missed is not made up for: the next moment lies after the new present."""
    rule = Recurrence("week", 0, time(9))
    jumped = utc(2027, 11, 22)
    due = recurrence.next_due(jumped, rule, JAKARTA)
    assert jumped < due <= jumped + timedelta(days=7)


@given(
    st.integers(0, 6 * 365 * 1440).map(lambda n: utc(2025, 1, 1) + timedelta(minutes=n)),
    st.sampled_from(["day", "week", "2 weeks", "month"]),
    st.integers(0, 6),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from(["Asia/Jakarta", "Europe/Berlin", "America/St_Johns", "Africa/Casablanca"]),
)
def test_next_due_is_later_and_on_an_agreed_day(
    after: datetime, every: recurrence.Every, weekday: int, at: time, name: str
) -> None:
    """From any moment, the answer is later, near, and on the weekday."""
    zone = ZoneInfo(name)
    rule = Recurrence(every, None if every == "day" else weekday, at)
    due = recurrence.next_due(after, rule, zone)
    longest = {"day": 2, "week": 8, "2 weeks": 15, "month": 36}[every]
    assert after < due <= after + timedelta(days=longest)
    assert due.tzinfo is UTC
    if rule.weekday is not None:
        assert due.astimezone(zone).weekday() == weekday


def changes(zone: ZoneInfo) -> Iterator[date]:
    """Yield the local dates 2025-2030 on which the zone's offset changes."""
    day, last = utc(2024, 12, 31), utc(2024, 12, 31).astimezone(zone).utcoffset()
    while day < utc(2031, 1, 1):
        later = day + timedelta(days=1)
        now = later.astimezone(zone).utcoffset()
        if now != last:
            yield later.astimezone(zone).date()
        day, last = later, now


def zones_that_differ() -> list[ZoneInfo]:
    """Return one zone for each course of offsets, so that no zone behaves like none of them."""
    seen: dict[tuple[tuple[datetime, timedelta | None], ...], ZoneInfo] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        seen.setdefault(tuple(course(zone)), zone)
    return list(seen.values())


def course(zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta | None]]:
    """Yield each moment, to the minute, from which the zone has another offset, with that."""
    days = [utc(2024, 12, 31) + timedelta(days=n) for n in range(366 * 6 + 2)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    yield days[0], offsets[0]
    for n, offset in enumerate(offsets[1:]):
        if offset != offsets[n]:
            minutes = (days[n] + timedelta(minutes=m) for m in range(24 * 60 + 1))
            yield next(m for m in minutes if m.astimezone(zone).utcoffset() == offset), offset


def test_every_change_of_every_zone_keeps_each_local_date_once() -> None:
    """Around each change 2025-2030, each date has one check-in, in its hour or just after a gap."""
    checked = 0
    for zone in zones_that_differ():
        for day in changes(zone):
            for at in (time(0), time(0, 30), time(1, 30), time(2), time(2, 30), time(3), time(9)):
                check_around(zone, day, at)
                checked += 1
    assert checked > 1000


def check_around(zone: ZoneInfo, day: date, at: time) -> None:
    """Walk from three days before the change to three days after it."""
    rule = Recurrence("day", None, at)
    start = datetime.combine(day - timedelta(days=3), at, tzinfo=zone).astimezone(UTC)
    due = [recurrence.next_due(start - timedelta(seconds=1), rule, zone)]
    while len(due) < 7:
        due.append(recurrence.next_due(due[-1], rule, zone))
    local = [moment.astimezone(zone) for moment in due]
    assert [moment.date() for moment in local] == [day + timedelta(days=n - 3) for n in range(7)]
    for moment in local:
        if moment.time() != at:  # only where the wall never showed it, and then at once
            assert not exists(moment.date(), at, zone)
            before = (moment.astimezone(UTC) - timedelta(seconds=1)).astimezone(zone)
            assert before.utcoffset() != moment.utcoffset()
            assert at < moment.time()
        assert moment.fold == 0


def exists(day: date, at: time, zone: ZoneInfo) -> bool:
    local = datetime.combine(day, at, tzinfo=zone)
    back = local.astimezone(UTC).astimezone(zone)
    return (back.date(), back.time()) == (day, at)


def test_due_key_is_one_for_one_moment() -> None:
    """The same moment in two zones is one check-in; another goal or moment is another."""
    due = utc(2026, 11, 23, 2)
    key = recurrence.due_key("goal-1", due)
    assert key == "goal-1@20261123T020000Z"
    assert key == recurrence.due_key("goal-1", due.astimezone(JAKARTA))
    assert key != recurrence.due_key("goal-2", due)
    assert key != recurrence.due_key("goal-1", due + timedelta(days=7))


def test_jitter_is_small_steady_and_spread() -> None:
    """A seed always gives the same delay, and many seeds fill the minutes evenly."""
    delays = [recurrence.jitter(n.to_bytes(4), 10) for n in range(1000)]
    assert delays == [recurrence.jitter(n.to_bytes(4), 10) for n in range(1000)]
    assert all(timedelta(0) <= delay < timedelta(minutes=10) for delay in delays)
    assert 400 < sum(delay < timedelta(minutes=5) for delay in delays) < 600
    assert recurrence.jitter(b"x", 0) == timedelta(0)
