"""Find phrases in a letter at the cost of a few look-ups a word.

Most letters hold no phrase, and most words of the others neither. So the exact search, which
asks every phrase at every word, is kept for the few stretches where every word a phrase needs
stands within the reach of one of them. This first look may let too much through and never
too little.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Final, NamedTuple

from mailcounsel.casework.lexicon import phrases, pieces
from mailcounsel.casework.lexicon.phrases import Element, Phrase, Word
from mailcounsel.casework.lexicon.vocabulary import Vocabulary

_GAP: Final = 0


class Found(NamedTuple):
    """A phrase found at words `first` to `last` (excluded) of a stretch."""

    entry: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where in the words of a piece phrases may begin, `begin` to `end` (excluded).

    The words from `first` on surround it; nothing before them has to be looked at.
    """

    words: Sequence[Word]
    bits: Sequence[int]
    beginnings: Beginnings
    first: int
    begin: int
    end: int


class _Step(NamedTuple):
    bit: int  # none: a gap
    optional: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """A phrase as bits: its places, those that must be filled, and the rarest of them."""

    entry: str
    is_sought: bool
    steps: tuple[_Step, ...]
    needed: int
    rarest: int


class Book:
    """Many phrases, found together in one reading.

    `besides` are looked for only near the others.
    """

    def __init__(self, sought: Iterable[Phrase], besides: Iterable[Phrase] = ()) -> None:
        sought, besides = tuple(sought), tuple(besides)
        self.vocabulary = Vocabulary(
            element for one in sought + besides for element in one.elements if not element.gap
        )
        rows = [self._row(phrase, is_sought=True) for phrase in sought]
        rows += [self._row(phrase, is_sought=False) for phrase in besides]
        self._reach = max(map(_reach, rows), default=1)
        self._by_rarest: dict[int, list[_Row]] = defaultdict(list)
        for row in rows:
            self._by_rarest[row.rarest].append(row)
        self._rarest = reduce(or_, self._by_rarest, 0)
        self.vocabulary.forget_places()

    def _row(self, phrase: Phrase, *, is_sought: bool) -> _Row:
        bit = self.vocabulary.bit
        needed = [one for one in phrase.elements if not one.gap and not one.optional]
        return _Row(
            entry=phrase.entry,
            is_sought=is_sought,
            steps=tuple(
                _Step(_GAP if one.gap else bit(one), one.optional) for one in phrase.elements
            ),
            needed=reduce(or_, map(bit, needed)),
            rarest=bit(min(needed, key=_commonness)),
        )

    def stretches(self, text: str, without: Container[str] = ()) -> Iterator[Stretch]:
        """Yield, in order, the stretches of a text in which a sought phrase may begin.

        The phrases of the entries in `without`, which may grow meanwhile, open no stretch in
        the pieces of a long text that are yet to be read.
        """
        for piece in pieces.cut(text):
            read = pieces.read(text, piece, self.vocabulary)
            rows = list(self._possible(read.of_any))
            opening = [row for row in rows if row.is_sought and row.entry not in without]
            regions = self._regions(read, opening) if opening else []
            beginnings = Beginnings(rows)
            words = pieces.Words(text, read)
            for begin, end in regions:
                first = max(0, begin - pieces.AROUND)
                yield Stretch(words, read.bits, beginnings, first, begin, end)

    def _possible(self, have: int) -> Iterator[_Row]:
        """Yield the phrases of which every word that must be there stands somewhere in a piece."""
        left = have & self._rarest
        while left:
            lowest = left & -left
            left ^= lowest
            for row in self._by_rarest[lowest]:
                if row.needed & have == row.needed:
                    yield row

    def _regions(self, read: pieces.Read, rows: Sequence[_Row]) -> list[tuple[int, int]]:
        """Return where the phrases may begin: near their rarest word, all others being near."""
        bits, reach = read.bits, self._reach
        needs = _Needs(rows)
        regions: list[tuple[int, int]] = []
        reached = -1
        for at in [at for at, one in enumerate(bits) if one & needs.rarest]:
            if at < reached:
                continue
            near = reduce(or_, bits[max(0, at - reach) : at + reach])
            for needed in needs[bits[at] & needs.rarest]:
                if needed & near == needed:
                    reached = at + reach
                    _append(regions, max(read.begin, at - reach), min(read.end, reached), reach)
                    break
        return regions

    def find(self, text: str, stretch: Stretch, begin: int, end: int) -> Iterator[Found]:
        """Yield what is found beginning at words `begin` to `end` (excluded) of a stretch."""
        bits, beginnings = stretch.bits, stretch.beginnings
        for at in range(begin, end):
            beginning = bits[at] & beginnings.firsts
            if not beginning:
                continue
            ahead = reduce(or_, bits[at : at + self._reach])
            for row in beginnings[beginning]:
                if row.needed & ahead == row.needed:
                    last = _match(row.steps, 0, text, stretch, at)
                    if last:
                        yield Found(row.entry, at, last)


class Beginnings(dict[int, list[_Row]]):
    """The phrases that are possible in a piece, by the bits of a word that begins them."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        super().__init__()
        self._rows = rows
        self.firsts = reduce(or_, (row.steps[0].bit for row in rows), 0)

    def __missing__(self, bits: int) -> list[_Row]:
        self[bits] = found = [row for row in self._rows if row.steps[0].bit & bits]
        return found


class _Needs(dict[int, list[int]]):
    """What the phrases need beside their rarest word, by that word's bits."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        super().__init__()
        self._rows = rows
        self.rarest = reduce(or_, (row.rarest for row in rows))

    def __missing__(self, bits: int) -> list[int]:
        self[bits] = found = [row.needed for row in self._rows if row.rarest & bits]
        return found


def _commonness(element: Element) -> float:
    """Guess how often one of the words stands in a letter: short words are the common ones."""
    lengths = [len(word) for word in (*element.exact, *element.prefixes)]
    return sum(2.0**-length for length in lengths) + (element.digits > 0)


def _reach(row: _Row) -> int:
    return sum(1 if step.bit else phrases.GAP for step in row.steps)


def _append(regions: list[tuple[int, int]], begin: int, end: int, reach: int) -> None:
    """Add a region; two that one phrase could join are one, so that none is seen twice."""
    if begin >= end:
        return
    if regions and begin < regions[-1][1] + reach:
        regions[-1] = (regions[-1][0], max(end, regions[-1][1]))
    else:
        regions.append((begin, end))


def _match(steps: Sequence[_Step], place: int, text: str, stretch: Stretch, at: int) -> int:
    """Return the index after the last word of the match, or 0.

    The ways to try are bounded by the phrase alone (its gaps and optional places), never by
    the letter.
    """
    if place == len(steps):
        return at
    bit, optional = steps[place]
    if bit == _GAP:
        return _match_gap(steps, place, text, stretch, at)
    if at < len(stretch.bits) and stretch.bits[at] & bit:
        last = _match(steps, place + 1, text, stretch, at + 1)
        if last:
            return last
    return _match(steps, place + 1, text, stretch, at) if optional else 0


def _match_gap(steps: Sequence[_Step], place: int, text: str, stretch: Stretch, at: int) -> int:
    for here in range(at, min(at + phrases.GAP + 1, len(stretch.bits))):
        last = _match(steps, place + 1, text, stretch, here)
        if last:
            return 0 if _is_new_sentence(text, stretch.words, at, here) else last
    return 0


def _is_new_sentence(text: str, words: Sequence[Word], at: int, here: int) -> bool:
    """Tell whether a sentence ends before one of the words `at` to `here`."""
    pairs = pairwise(words[at - 1 : here + 1])
    return any(phrases.ends_sentence(text[one.end : other.start]) for one, other in pairs)
