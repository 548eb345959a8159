"""Find phrases in a letter at the cost of a few look-ups a word.

Most letters hold no phrase, and most words of the others neither. So the exact search, which
asks every phrase at every word, is kept for the few stretches where every word a phrase needs
stands within the reach of one of them. This first look may let too much through and never
too little.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from mailcounsel.casework.lexicon import phrases, pieces
from mailcounsel.casework.lexicon.phrases import Phrase, Word
from mailcounsel.casework.lexicon.vocabulary import Vocabulary

# Words before and after a stretch that are read with it, for denials and idioms.
_AROUND: Final = pieces.AROUND
_GAP: Final = 0


class Found(NamedTuple):
    """A phrase found at words `first` to `last` (excluded) of a stretch."""

    entry: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words among which phrases may begin at `begin` to `end` (excluded); the others surround."""

    words: list[Word]
    bits: list[int]
    begin: int
    end: int


class _Step(NamedTuple):
    bit: int  # none: a gap
    optional: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """A phrase as bits: its places, those that must be filled, and the rarest of them."""

    entry: str
    steps: tuple[_Step, ...]
    needed: int
    rarest: int


class Book:
    """Many phrases, found together in one reading.

    `besides` are looked for only near the others.
    """

    def __init__(self, sought: Iterable[Phrase], besides: Iterable[Phrase] = ()) -> None:
        sought, besides = tuple(sought), tuple(besides)
        self._vocabulary = Vocabulary(
            element for one in sought + besides for element in one.elements if not element.gap
        )
        self._sought = [self._row(phrase) for phrase in sought]
        rows = self._sought + [self._row(phrase) for phrase in besides]
        self._reach = max((_reach(row) for row in rows), default=1)
        self._by_first: dict[int, list[_Row]] = defaultdict(list)
        for row in rows:
            self._by_first[row.steps[0].bit].append(row)
        self._firsts = reduce(or_, self._by_first, 0)
        self._beginning: dict[int, tuple[_Row, ...]] = {}

    def _row(self, phrase: Phrase) -> _Row:
        bit = self._vocabulary.bit
        needed = [one for one in phrase.elements if not one.gap and not one.optional]
        return _Row(
            entry=phrase.entry,
            steps=tuple(
                _Step(_GAP if one.gap else bit(one), one.optional) for one in phrase.elements
            ),
            needed=reduce(or_, map(bit, needed)),
            rarest=bit(min(needed, key=_commonness)),
        )

    def stretches(self, text: str) -> Iterator[Stretch]:
        """Yield, in order, the stretches of a text in which a sought phrase may begin."""
        for piece in pieces.cut(text):
            read = pieces.read(text, piece, self._vocabulary)
            have = reduce(or_, set(read.bits), 0)
            rows = [row for row in self._sought if row.needed & have == row.needed]
            if rows:
                yield from self._stretches_of(text, read, rows)

    def _stretches_of(
        self, text: str, read: pieces.Read, rows: Sequence[_Row]
    ) -> Iterator[Stretch]:
        regions = list(self._regions(read, rows))
        if not regions:
            return
        spans = [match.span() for match in phrases.WORD.finditer(text, *read.piece[:2])]
        for begin, end in regions:
            first, last = max(0, begin - _AROUND), min(len(read.bits), end + _AROUND)
            words = [read.word(spans, at) for at in range(first, last)]
            yield Stretch(words, read.bits[first:last], begin - first, end - first)

    def _regions(self, read: pieces.Read, rows: Sequence[_Row]) -> Iterator[tuple[int, int]]:
        """Yield where sought phrases may begin, joined where they overlap."""
        ...
