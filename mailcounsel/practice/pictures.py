"""Lines over time as SVG, for a page that asks nothing of anywhere.

Plain values in, markup out; every word is escaped here. Times run from left to right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from mailcounsel.letter import text
from mailcounsel.practice.milestones import Point

WIDTH, HEIGHT = 680, 190  # of a picture
LEFT, RIGHT, TOP, BOTTOM = 34, 12, 18, 24  # margins
SMALLEST_SPAN = 86_400.0  # seconds; a line of one day is a day wide


@dataclass(frozen=True, slots=True)
class Band:
    """A range of scores with its name, from `low` up to `high`."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, marked by a letter in every picture."""

    mark: str
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What a picture shows: from when until when, and up to which value (from 0)."""

    begins: datetime
    ends: datetime
    highest: float

    def x(self, moment: datetime) -> float:
        """Return where a moment lies, in the picture's own units."""
        span = max(SMALLEST_SPAN, (self.ends - self.begins).total_seconds())
        share = (moment - self.begins).total_seconds() / span
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return where a value lies; one beyond the frame lies on its edge."""
        share = min(1.0, max(0.0, value / (self.highest or 1)))
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def words(given: str) -> str:
    """Return a text as it may stand in a page: nothing in it is markup or turns a line round."""
    return escape(text.terminal_safe(given), quote=True)


def line(
    title: str,
    points: Sequence[Point],
    frame: Frame,
    bands: Sequence[Band] = (),
    events: Sequence[Event] = (),
) -> str:
    """Return a line with its bands behind it and its events marked, as one `<svg>`."""
    parts = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words(title)}">',
        *(_band(place, band, frame) for place, band in enumerate(bands)),
        *_axes(frame),
        *(_event(event, frame) for event in events if frame.begins <= event.at <= frame.ends),
        *_values(points, frame),
        "</svg>",
    )
    return "\n".join(parts)


def _band(place: int, band: Band, frame: Frame) -> str:
    top, bottom = frame.y(band.high), frame.y(band.low)
    width, height = WIDTH - LEFT - RIGHT, max(1.0, bottom - top)
    return (
        f'<rect class="band band{place % 2}" x="{LEFT}" y="{top:.1f}" width="{width}" '
        f'height="{height:.1f}"/><text class="small" x="{LEFT + 4}" y="{bottom - 3:.1f}">'
        f"{words(band.name)}</text>"
    )


def _axes(frame: Frame) -> Iterator[str]:
    base, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    yield f'<path class="axis" d="M{LEFT} {TOP} V{base} H{right}"/>'
    for value in (0.0, frame.highest / 2, frame.highest):
        yield f'<text class="value" x="{LEFT - 6}" y="{frame.y(value) + 4:.1f}">{value:g}</text>'
    yield f'<text class="small" x="{LEFT}" y="{HEIGHT - 6}">{frame.begins:%Y-%m-%d}</text>'
    yield f'<text class="value" x="{right}" y="{HEIGHT - 6}">{frame.ends:%Y-%m-%d}</text>'


def _event(event: Event, frame: Frame) -> str:
    x = frame.x(event.at)
    return (
        f'<path class="event" d="M{x:.1f} {TOP} V{HEIGHT - BOTTOM}"/>'
        f'<text class="mark" x="{x:.1f}" y="{TOP - 5}">{words(event.mark)}</text>'
    )


def _values(points: Sequence[Point], frame: Frame) -> Iterator[str]:
    places = [(frame.x(point.at), frame.y(point.value)) for point in points]
    if len(places) > 1:
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        yield f'<path class="line" d="M{path}"/>'
    for (x, y), point in zip(places, points, strict=True):
        title = f"{point.at:%Y-%m-%d}: {point.value:g}"
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{title}</title></circle>'
