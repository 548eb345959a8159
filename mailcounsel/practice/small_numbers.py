"""Numbers about few people, told so that nobody in them can be found. Pure arithmetic.

A number below five is not told. Nor can it be worked out from the others: a part that is too small
is told together with its neighbour, so that all parts still add up to their total, and what was
put together could have been divided in several ways (a test tries all small tables).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

FEWEST = 5  # people; below that a number is not told


@dataclass(frozen=True, slots=True)
class Part:
    """Some parts of a total, told as one number. `names` are in the order of the table."""

    names: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Table:
    """A total and its parts, which add up to it. None: fewer than five, and no part is told."""

    total: int | None
    parts: tuple[Part, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the table as plain values; `total` is null where it is fewer than five."""
        parts = [{"of": list(part.names), "number": part.number} for part in self.parts]
        return {"total": self.total, "parts": parts}


def lone(number: float) -> float | None:
    """Return a number that is part of no other; None where it is fewer than five."""
    return number if number >= FEWEST else None


def table(counts: Mapping[str, int]) -> Table:
    """Return counts as they may be told, in their order, neighbours put together where needed.

    No client may be counted in two of them.
    """
    total = sum(counts.values())
    if total < FEWEST:
        return Table(None)
    return Table(total, tuple(_together(list(counts.items()))))


def _together(counts: Sequence[tuple[str, int]]) -> list[Part]:
    """Put neighbours together from the first on, until each number may be told."""
    found: list[Part] = []
    names: tuple[str, ...] = ()
    number = 0
    for name, count in counts:
        names, number = (*names, name), number + count
        if number >= FEWEST:
            found.append(Part(names, number))
            names, number = (), 0
    if names:  # what is left over goes with the last that may be told
        last = found.pop()
        found.append(Part((*last.names, *names), last.number + number))
    return found


def nested(counts: Mapping[str, Mapping[str, int]]) -> tuple[Table, tuple[Table, ...]]:
    """Return a table of groups, and for each of its parts the table of what is in it.

    Groups that are told together are also divided together, by the names within them.
    """
    outer = table({group: sum(inner.values()) for group, inner in counts.items()})
    return outer, tuple(
        table(_added([counts[name] for name in part.names])) for part in outer.parts
    )


def _added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for one in counts for name in one)
    return {name: sum(one.get(name, 0) for one in counts) for name in names}


def middle(values: Sequence[float]) -> float | None:
    """Return the median; None where there are fewer than five values."""
    return float(median(values)) if len(values) >= FEWEST else None
