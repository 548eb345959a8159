"""The lines of a letter, and the rule that folds each; what a letter's head tells of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["quote", "signature"]


class Line(NamedTuple):
    """One line: characters [start, end) of the text, and its words without the blanks around."""

    start: int
    end: int  # after the line break
    text: str  # stripped
    folded: str


@dataclass(slots=True)
class Marks:
    """For each line the rule that folds it, or ""; spans are runs of one rule."""

    lines: list[Line]
    kinds: list[Kind | None]
    rules: list[str]

    def mark(self, first: int, stop: int, kind: Kind, rule: str) -> None:
        """Fold lines `first` to `stop` (excluded) by a rule, but for those that are folded."""
        for index in range(first, stop):
            if self.kinds[index] is None:
                self.kinds[index], self.rules[index] = kind, rule

    def open(self, first: int, stop: int) -> None:
        """Open lines `first` to `stop` (excluded), by whatever rule they were folded."""
        self.kinds[first:stop] = [None] * (stop - first)
        self.rules[first:stop] = [""] * (stop - first)

    def folds(self) -> Iterator[tuple[Kind | None, str]]:
        """Return the kind and the rule of each line."""
        return zip(self.kinds, self.rules, strict=True)


class About(NamedTuple):
    """What a letter's head says of it, by which a quotation of ours is told from any other.

    `names` are the addresses and names it is to, and its sender's address where it answers;
    `sender` is the name of who wrote it, `answers` whether it names a letter it answers; one that
    `is_new` does not, nor does its subject say so.
    """

    names: tuple[str, ...]
    sender: str = ""
    answers: bool = False
    is_new: bool = False


def about_of(entry: Mapping[str, Any]) -> About | None:
    """Return what was kept of a letter's head with its entry, None where nothing was."""
    kept = entry.get("about")
    return About(tuple(kept[0]), str(kept[1]), *map(bool, kept[2:])) if kept else None
