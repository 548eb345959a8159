"""Read a letter's words in pieces, so that memory stays flat however long the letter is.

Neighbouring pieces share enough words for every phrase and for what stands around it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, overload

from mailcounsel.casework.lexicon import phrases
from mailcounsel.casework.lexicon.phrases import Word
from mailcounsel.casework.lexicon.vocabulary import LETTER, NO_WORD, Vocabulary

# Words read before and after the part looked at: no phrase reaches as far.
AROUND: Final = 48
_LENGTH: Final = 64_000  # characters

_BETWEEN: Final = re.compile(f"[^\\w{phrases.JOINERS}]|_")
# What people type in place of ASCII, of the same length and the same meaning between words.
_AS_ASCII: Final = (("’", "'"), ("“", " "), ("”", " "), ("–", " "), ("…", " "), ("\xa0", " "))
_SPACES: Final = {
    code: " " for code in range(128) if not chr(code).isalnum() and chr(code) not in phrases.JOINERS
}


class Piece(NamedTuple):
    """Characters `start` to `end` (excluded) of a text."""

    start: int
    end: int
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class Read:
    """The words of a piece, spelled ones joined, of which `begin` to `end` are looked at.

    `numbers` counts, for each word, the words of the text before it in the piece. `of_any` are the
    bits that one word or another has.
    """

    start: int
    stop: int
    written: Sequence[str]
    bits: Sequence[int]
    of_any: int
    numbers: Sequence[int]
    count: int
    begin: int
    end: int


class Words(Sequence[Word]):
    """The words of a piece, each folded and found in the text when it is first asked for.

    Most are never asked for: their bits say that no phrase can be there.
    """

    def __init__(self, text: str, read: Read) -> None:
        self._text, self._read = text, read
        self._made: dict[int, Word] = {}

    def __len__(self) -> int:
        return len(self._read.bits)

    @overload
    def __getitem__(self, at: int) -> Word: ...
    @overload
    def __getitem__(self, at: slice) -> list[Word]: ...
    def __getitem__(self, at: int | slice) -> Word | list[Word]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        if at not in self._made:
            self._made[at] = self._word(range(len(self))[at])
        return self._made[at]

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        read = self._read
        return [match.span() for match in phrases.WORD.finditer(self._text, read.start, read.stop)]

    def _word(self, at: int) -> Word:
        read = self._read
        first = read.numbers[at]
        after = read.numbers[at + 1] if at + 1 < len(read.numbers) else read.count
        folded = phrases.fold(read.written[at].strip(phrases.JOINERS))
        return Word(folded, self._spans[first][0], self._spans[after - 1][1])


def cut(text: str) -> Iterator[Piece]:
    """Yield the pieces of a text, cutting no word."""
    start, length = 0, _LENGTH
    while True:
        cut_at = _BETWEEN.search(text, start + length) if start + length < len(text) else None
        if cut_at is None:
            yield Piece(start, len(text), start == 0, is_last=True)
            return
        following = _before(text, start, cut_at.start())
        if 2 * (following - start) < length:
            length *= 2  # of long words more characters, so that there are enough of them
            continue
        yield Piece(start, cut_at.start(), start == 0, is_last=False)
        start, length = following, _LENGTH


def _before(text: str, start: int, end: int) -> int:
    """Return where the next piece begins: so many words before the end of this one."""
    for size in (2_000, 20_000, end - start):
        tail = max(start, end - size)
        # The first word found may be the rest of one.
        places = [match.start() for match in phrases.WORD.finditer(text, tail, end)][1:]
        if len(places) >= 2 * AROUND:
            return places[-2 * AROUND]
    return start


def read(text: str, piece: Piece, vocabulary: Vocabulary) -> Read:
    """Read the words of a piece."""
    written = _written(text[piece.start : piece.end])
    bits, of_any = vocabulary.of_all(written)
    if of_any & NO_WORD:
        written = [word for word, one in zip(written, bits, strict=True) if one != NO_WORD]
        bits = [one for one in bits if one != NO_WORD]
    count = len(bits)
    numbers: Sequence[int] = range(count)
    if of_any & LETTER:
        written, bits, numbers, of_joined = _spelled_joined(written, bits, vocabulary)
        of_any |= of_joined
    begin = 0 if piece.is_first else bisect_left(numbers, AROUND)
    end = len(bits) if piece.is_last else bisect_left(numbers, count - AROUND)
    return Read(piece.start, piece.end, written, bits, of_any, numbers, count, begin, end)


def _written(piece: str) -> list[str]:
    """Return the words as they are written, perhaps with joiners around them.

    Splitting ASCII at spaces takes a third of the time of the expression that defines a word.
    """
    plain = piece
    if not plain.isascii():
        for sign, ascii_sign in _AS_ASCII:
            plain = plain.replace(sign, ascii_sign)
    if plain.isascii():
        return plain.translate(_SPACES).split()
    return phrases.WORD.findall(piece)


# Three letters or more, to the longest word there is; the letter after that stands alone.
_SPELLED: Final = re.compile(rf"(x{{{phrases.LONGEST}}})x?|x{{3,}}")


def _spelled_joined(
    written: list[str], bits: list[int], vocabulary: Vocabulary
) -> tuple[list[str], list[int], Sequence[int], int]:
    """Join letters that stand alone in a row of three or more, as in "k m s".

    Returns the words, their bits, their numbers, and the bits that any joined one has.
    """
    shape = "".join(["x" if one & LETTER else "-" for one in bits])
    rows = [run.span(1) if run[1] else run.span() for run in _SPELLED.finditer(shape)]
    alone = {word for first, last in rows for word in written[first:last]}
    letters = {one: phrases.fold(one.strip(phrases.JOINERS)) for one in alone}
    joined = ["".join([letters[one] for one in written[first:last]]) for first, last in rows]
    bits_of_joined, of_any = vocabulary.of_all(joined)
    words: list[str] = []
    their_bits: list[int] = []
    numbers: list[int] = []
    done = 0
    for (first, last), word, its_bits in zip(rows, joined, bits_of_joined, strict=True):
        words += [*written[done:first], word]
        their_bits += [*bits[done:first], its_bits]
        numbers += range(done, first + 1)
        done = last
    words += written[done:]
    their_bits += bits[done:]
    numbers += range(done, len(written))
    return words, their_bits, numbers, of_any
