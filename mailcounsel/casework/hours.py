"""Working hours and quiet hours on the wall clock, answered for moments in UTC.

A stretch of the day belongs to the date it opens on. Where the clocks change inside it, it is
read generously: an hour that comes twice opens at the first time and closes at the second, and
a time of day that is skipped falls on the moment of the change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mailcounsel.config.spans import Span

if TYPE_CHECKING:
    from mailcounsel.config import Config, Person

_FAR_DAYS = 3660
_SOON_DAYS = 30
_TO_ANSWER = timedelta(hours=2)  # for a client to answer while somebody still reads
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When the centre works: the stretches of each weekday (Monday first), and days off.

    A day on which none of `people` is there is a day off; without `people` somebody always is.
    """

    week: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date]
    zone: ZoneInfo
    people: tuple[Person, ...] = ()

    def is_open(self, moment: datetime) -> bool:
        """Tell whether a moment is within working hours."""
        return any(opens <= moment < closes for opens, closes in self.stretches(moment, 2))

    def add_working(self, moment: datetime, hours: float) -> datetime:
        """Return the moment, in UTC, at which so many working hours have passed.

        No hours at all give the moment itself or, outside working hours, the next opening.

        Raises:
            ValueError: That is more than ten years away.
        """
        left, now = timedelta(hours=hours), moment.astimezone(UTC)
        for opens, closes in self.stretches(moment, _FAR_DAYS):
            start = max(now, opens)
            if start >= closes:
                continue
            if start + left <= closes:
                return start + left
            left -= closes - start
            now = closes
        raise ValueError("the working hours do not add up within ten years")

    def between(self, since: datetime, until: datetime) -> float:
        """Return how many working hours lie between two moments."""
        days = (until - since).days + 3
        spans = self.stretches(since, days)
        parts = (min(closes, until) - max(opens, since) for opens, closes in spans)
        return sum(max(part / timedelta(hours=1), 0.0) for part in parts)

    def stretches(self, moment: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Yield what is open from the day before a moment on, in order."""
        # The day before, for a stretch over midnight.
        day = moment.astimezone(self.zone).date() - _DAY
        for _ in range(days):
            if day not in self.holidays and self._somebody_works(day):
                for span in self.week[day.weekday()]:
                    yield _on(span, day, self.zone)
            day += _DAY

    def _somebody_works(self, day: date) -> bool:
        return not self.people or any(person.is_here(day) for person in self.people)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When no automatic mail goes out, by the clock of whoever would get it."""

    span: Span

    def next_allowed(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the first moment, in UTC, at or after this one that is not quiet."""
        allowed = moment.astimezone(UTC)
        first = allowed.astimezone(zone).date() - _DAY
        for day in (first, first + _DAY, first + 2 * _DAY):
            opens, closes = _on(self.span, day, zone)
            if opens <= allowed < closes:
                allowed = closes
        return allowed


def working_hours(config: Config, queue: str = "") -> WorkingHours:
    """Take the working hours from a configuration: the centre's, or those of a queue's people."""
    zone = ZoneInfo(config.centre.time_zone)
    readers = config.readers(queue) if queue else ()
    somebody_always = not readers or any(person.is_always_here for person in readers)
    people = () if somebody_always else readers
    return WorkingHours(config.hours.working.week, frozenset(config.hours.holidays), zone, people)


def reading_time(
    config: Config, queue: str, moment: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime] | None:
    """Return when a letter may go out whose answer must find somebody at work, and until when.

    That is within working hours, early enough for an answer in the same stretch, on a day on which
    one of the queue's people is there, and outside the client's quiet hours (`zone` is theirs).
    Both moments are in UTC, the first at or after `moment`. None: there is none within a month.
    """
    work, quiet = working_hours(config), quiet_hours(config)
    readers = config.readers(queue)
    for opens, closes in work.stretches(moment, _SOON_DAYS):
        last = max(closes - _TO_ANSWER, opens + (closes - opens) / 2)
        first = quiet.next_allowed(max(opens, moment.astimezone(UTC)), zone)
        day = first.astimezone(work.zone).date()
        if first < last and any(person.is_here(day) for person in readers):
            return first, last
    return None


def quiet_hours(config: Config) -> QuietHours:
    """Take the quiet hours from a configuration."""
    return QuietHours(config.hours.quiet)


def _on(span: Span, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return (
        _instant(day, span.opens, zone, fold=0),
        _instant(day, span.closes, zone, fold=1),
    )


def _instant(day: date, minute: int, zone: ZoneInfo, fold: int) -> datetime:
    """Return when a wall clock shows a minute of a day; `fold` chooses if it does so twice."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    first, second = (wall.replace(tzinfo=zone, fold=side).astimezone(UTC) for side in (0, 1))
    # PEP 495: in a gap the order of the two is reversed, with the change between them.
    return _change(second, first, zone) if second < first else (first, second)[fold]


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Find, to the second, the change of clocks between two moments."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
