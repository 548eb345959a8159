"""Fold runs of lines that stand in an earlier letter of the case, in any language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mailcounsel.letter.lines import Marks

_MOST_KNOWN = 300_000  # characters; the nearest letters first
_MOST_LOOKED_UP = 3_000  # lines
_SHORTEST_KNOWN = {2: 120, 3: 80}  # characters of a run of so many lines; of more, 60
_QUOTE_MARKS = re.compile(r"^[>|\s]+")
_SPACE = re.compile(r"\s+")


def _normal(text: str) -> str:
    return _SPACE.sub(" ", _QUOTE_MARKS.sub("", text)).strip().casefold()


class Known:
    """The earlier letters of the case, in a form in which lines can be found again."""

    def __init__(self, earlier: Sequence[str]) -> None:
        self.texts: list[str] = []
        size = 0
        for text in reversed(earlier):
            size += len(text)
            if size > _MOST_KNOWN:
                break
            self.texts.append(" ".join(filter(None, map(_normal, text.split("\n")))))
        self.looked_up = 0

    def holds(self, line: str) -> bool:
        """Tell whether a line stands in an earlier letter, however that was wrapped."""
        return bool(self.holds_all(_normal(line)))

    def holds_all(self, words: str) -> bool:
        """Tell the same of words of several lines, already without marks and double blanks."""
        self.looked_up += 1
        if not words or self.looked_up > _MOST_LOOKED_UP:
            return False
        return any(words in text for text in self.texts)

    def lacks(self, lines: Sequence[str]) -> bool:
        """Tell whether most of the lines surely stand in no earlier letter."""
        can_tell = self.texts and self.looked_up + len(lines) <= _MOST_LOOKED_UP
        return bool(can_tell) and 2 * sum(map(self.holds, lines)) < len(lines)


def fold(marks: Marks, known: Known) -> None:
    """Fold runs of lines that stand, in this order, in an earlier letter.

    One line alone is no quotation: people say the same thing twice. And a letter that would be
    folded as a whole was sent again, and stays open.
    """
    if not known.texts:
        return
    runs = list(_runs(marks, known))
    folded = {index for first, stop in runs for index in range(first, stop)}
    own = [n for n, line in enumerate(marks.lines) if line.text and marks.kinds[n] is None]
    if set(own) <= folded:
        return
    for first, stop in runs:
        marks.mark(first, stop, "quote", "known text")


def _runs(marks: Marks, known: Known) -> Iterator[tuple[int, int]]:
    index = 0
    while index < len(marks.lines):
        stop, words, count = index, "", 0
        for number in range(index, len(marks.lines)):
            line = marks.lines[number]
            if marks.kinds[number] is not None:
                break
            longer = f"{words} {_normal(line.text)}".strip()
            if line.text and not known.holds_all(longer):
                break
            if line.text:
                stop, words, count = number + 1, longer, count + 1
        if count > 1 and len(words) >= _SHORTEST_KNOWN.get(count, 60):
            yield index, stop
        index = max(stop, index + 1)
