"""Working hours and quiet hours hold on the wall clock, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailcounsel.casework import hours
from mailcounsel.casework.hours import QuietHours, WorkingHours
from mailcounsel.config import spans

JAKARTA = ZoneInfo("Asia/Jakarta")
BERLIN = ZoneInfo("Europe/Berlin")
# Half-hour changes, changes at midnight, changes of no kind, and days that never were.
ZONES = ["Asia/Jakarta", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut"]

MINUTE = timedelta(minutes=1)


def working(*days, zone=JAKARTA, holidays=()):
    """Make working hours from seven texts, Monday first; "" is a day off."""
    week = tuple(tuple(spans.parse(text) for text in day.split()) for day in days)
    return WorkingHours(week, frozenset(holidays), zone)


def office(zone=JAKARTA, holidays=()):
    return working(*["09:00-17:00"] * 5, "", "", zone=zone, holidays=holidays)


def at(text, zone=JAKARTA):
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23 08:59:59", False),
        ("2026-11-23 09:00", True),
        ("2026-11-23 16:59:59", True),
        ("2026-11-23 17:00", False),
        ("2026-11-22 12:00", False),
    ],
)
def test_open_from_the_first_moment_to_just_before_the_last(moment, is_open):
    """A stretch includes its start and not its end; a Sunday is closed."""
    assert office().is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "amount", "expected"),
    [
        ("2026-11-23 10:00", 2, "2026-11-23 12:00"),
        ("2026-11-23 09:00", 8, "2026-11-23 17:00"),
        ("2026-11-23 16:00", 2, "2026-11-24 10:00"),
        ("2026-11-23 06:00", 1, "2026-11-23 10:00"),
        ("2026-11-20 16:30", 16, "2026-11-24 16:30"),  # over a weekend
        ("2026-11-21 12:00", 0.5, "2026-11-23 09:30"),
        ("2026-12-24 16:00", 2, "2026-12-28 10:00"),  # a holiday on a Friday
        ("2026-12-31 16:00", 2, "2027-01-04 10:00"),  # over the new year
        ("2026-11-23 12:00", 0, "2026-11-23 12:00"),
        ("2026-11-23 20:00", 0, "2026-11-24 09:00"),
        ("2026-11-23 17:00", 0, "2026-11-24 09:00"),
    ],
)
def test_working_hours_add_up_over_closed_time(moment, amount, expected):
    """Nights, weekends and holidays are not counted."""
    week = office(holidays=[date(2026, 12, 25), date(2027, 1, 1)])
    assert week.add_working(at(moment), amount) == at(expected)


def test_lunch_is_not_counted():
    """A day with two stretches leaves out what lies between."""
    week = working("09:00-12:00 13:00-17:00", *[""] * 6)
    assert week.add_working(at("2026-11-23 11:00"), 2) == at("2026-11-23 14:00")


def test_a_stretch_over_midnight_belongs_to_the_day_it_opens_on():
    """A night shift runs on into the next day, a holiday too, and is off on its own."""
    week = working(*["22:00-02:00"] * 5, "", "", holidays=[date(2026, 11, 25)])
    assert week.is_open(at("2026-11-24 01:59"))
    assert week.is_open(at("2026-11-25 01:59"))
    assert not week.is_open(at("2026-11-25 23:00"))
    assert not week.is_open(at("2026-11-26 01:00"))
    assert week.add_working(at("2026-11-24 23:00"), 4) == at("2026-11-26 23:00")


def test_a_whole_day_has_no_seam():
    """00:00-24:00 on every day is always open, and hours are plain hours."""
    week = working(*["00:00-24:00"] * 7)
    moment = at("2026-12-31 23:30")
    assert week.is_open(at("2027-01-01 00:00"))
    assert week.add_working(moment, 30) == moment + timedelta(hours=30)


def test_a_day_of_23_or_25_hours_counts_as_what_it_is():
    """Where the clocks change within working hours, real hours are counted."""
    week = working(*["00:00-24:00"] * 7, zone=BERLIN)
    for day in ("2026-03-29", "2026-10-25"):
        moment = at(f"{day} 00:00", BERLIN)
        assert week.add_working(moment, 24) == moment + timedelta(hours=24)


def test_office_hours_keep_to_the_wall_clock_when_the_clocks_change():
    """Nine o'clock is nine o'clock before and after."""
    week = office(BERLIN)
    assert week.add_working(at("2026-03-27 16:00", BERLIN), 2) == at("2026-03-30 10:00", BERLIN)
    assert week.add_working(at("2026-10-23 16:00", BERLIN), 2) == at("2026-10-26 10:00", BERLIN)


def test_a_skipped_time_falls_on_the_change_and_a_doubled_one_is_read_generously():
    """02:30 is skipped in March and comes twice in October."""
    week = working(*["02:30-04:00"] * 7, zone=BERLIN)
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert not week.is_open(change - MINUTE)
    assert week.is_open(change)
    assert week.is_open(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert week.is_open(datetime(2026, 10, 25, 2, 59, tzinfo=UTC))


def test_a_centre_that_never_opens_is_an_error_and_not_an_endless_search():
    """A week without hours does not add up."""
    with pytest.raises(ValueError, match="do not add up"):
        working(*[""] * 7).add_working(at("2026-11-23 09:00"), 1)


def test_any_zone_may_ask():
    """A moment counts, not the zone it is written in; the answer is in UTC."""
    answer = office().add_working(datetime(2026, 11, 23, 4, tzinfo=BERLIN), 1)
    assert answer == at("2026-11-23 11:00")
    assert answer.tzinfo is UTC


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)
TEXTS = st.sampled_from(
    ["", "09:00-17:00", "00:00-24:00", "22:00-02:30", "00:30-01:30 02:15-03:45"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    MOMENTS, st.integers(0, 600), st.lists(TEXTS, min_size=7, max_size=7), st.sampled_from(ZONES)
)
def test_what_is_added_is_what_is_open(moment, minutes, days, zone):
    """Counting open minutes one by one comes to the hours that were added."""
    week = working(*days, zone=ZoneInfo(zone))
    if not any(days):
        return
    end = week.add_working(moment, minutes / 60)
    length = (end - moment) // MINUTE
    opened = sum(week.is_open(moment + n * MINUTE) for n in range(length))
    assert moment + length * MINUTE == end
    assert opened == minutes


QUIET = QuietHours(spans.parse("21:00-07:00"))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 20:59", "2026-11-23 20:59"),
        ("2026-11-23 21:00", "2026-11-24 07:00"),
        ("2026-11-24 06:59", "2026-11-24 07:00"),
        ("2026-11-24 07:00", "2026-11-24 07:00"),
        ("2026-12-31 23:00", "2027-01-01 07:00"),
    ],
)
def test_automatic_mail_waits_for_the_morning(moment, expected):
    """Outside quiet hours nothing waits; inside, it waits for their end."""
    assert QUIET.next_allowed(at(moment), JAKARTA) == at(expected)


def test_the_morning_is_the_wall_clocks_when_the_clocks_change_at_night():
    """Seven is seven, after nine hours of night in March and eleven in October."""
    for eve, morning in (("2026-03-28", "2026-03-29"), ("2026-10-24", "2026-10-25")):
        allowed = QUIET.next_allowed(at(f"{eve} 21:30", BERLIN), BERLIN)
        assert allowed == at(f"{morning} 07:00", BERLIN)


def test_quiet_hours_that_end_in_a_skipped_hour_end_at_the_change():
    """There is no 02:30 on that morning; three o'clock is the first moment after."""
    quiet = QuietHours(spans.parse("21:00-02:30"))
    allowed = quiet.next_allowed(at("2026-03-28 23:00", BERLIN), BERLIN)
    assert allowed == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_quiet_hours_that_end_in_a_doubled_hour_end_the_second_time():
    """Rather an hour late than somebody woken."""
    quiet = QuietHours(spans.parse("21:00-02:30"))
    allowed = quiet.next_allowed(at("2026-10-24 23:00", BERLIN), BERLIN)
    assert allowed == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_day_that_never_was_does_no_harm():
    """Samoa went from the 29th of December 2011 straight to the 31st."""
    apia = ZoneInfo("Pacific/Apia")
    allowed = QUIET.next_allowed(at("2011-12-29 23:00", apia), apia)
    assert allowed.astimezone(apia).replace(tzinfo=None) == datetime(2011, 12, 31, 7)


SPANS = st.tuples(st.integers(0, 1439), st.integers(10, 1380)).map(
    lambda pair: spans.Span(pair[0], pair[0] + pair[1])
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MOMENTS, SPANS, st.sampled_from(ZONES))
def test_the_allowed_moment_is_never_early_and_asks_no_second_time(moment, span, zone):
    """It is at or after the moment, not quiet itself, and at most a day of 25 hours away."""
    quiet, place = QuietHours(span), ZoneInfo(zone)
    allowed = quiet.next_allowed(moment, place)
    assert moment <= allowed <= moment + timedelta(hours=25)
    assert quiet.next_allowed(allowed, place) == allowed


def test_hours_come_from_the_configuration(example_config):
    """The example's week, holidays and quiet hours are what is asked."""
    week = hours.working_hours(example_config)
    assert week.is_open(at("2026-11-23 11:59"))
    assert not week.is_open(at("2026-11-23 12:30"))
    assert not week.is_open(at("2026-12-25 10:00"))
    assert hours.quiet_hours(example_config) == QUIET


@pytest.fixture
def example_config():
    from pathlib import Path

    from mailcounsel import config

    return config.load(Path(__file__).parents[2] / "config.example.toml")
