"""Which places of the lexicon's phrases a word may fill, as the bits of one number.

With that, whether a stretch of words can hold a phrase at all is one comparison: every place
that must be filled has its bit in some word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, reduce
from operator import or_
from typing import Final

from mailcounsel.casework.lexicon import phrases
from mailcounsel.casework.lexicon.phrases import Element

# What stood between two spaces and is no word, such as "***".
NO_WORD: Final = 1
# A single letter, which may be one of a spelled word.
LETTER: Final = 2
_FIRST_BIT: Final = 2

# Shorter than every prefix, so that one look-up excludes nearly every word.
_HEAD: Final = 2
# Words remembered, by the forms they were seen in, before all is forgotten and begun anew.
_MOST_REMEMBERED: Final = 16_384


class Vocabulary(dict[str, int]):
    """The bits of every word as it is written, worked out when it is first asked for."""

    def __init__(self, elements: Iterable[Element]) -> None:
        super().__init__()
        self._bits: dict[Element, int] = {}
        self._exact: dict[str, int] = defaultdict(int)
        self._prefixes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._numbers: dict[int, int] = defaultdict(int)
        for element in map(_required, elements):
            if element not in self._bits:
                self._add(element)

    @cached_property
    def _masked(self) -> _Masked:
        """Words with hidden letters: rare, and a third of the time it takes to be ready."""
        return _Masked(self._exact, self._prefixes)

    @cached_property
    def _by_consonants(self) -> dict[str, list[str]]:
        """The words that may be written without some of their vowels, by what is left."""
        begun = [prefix for group in self._prefixes.values() for prefix in group]
        found: dict[str, list[str]] = defaultdict(list)
        for word in {*self._exact, *begun}:
            if phrases.may_be_shortened(word):
                found[phrases.consonants(word)].append(word)
        return dict(found)

    def _add(self, element: Element) -> None:
        bit = self._bits[element] = 1 << (_FIRST_BIT + len(self._bits))
        for word in element.exact:
            self._exact[word] |= bit
        for prefix in element.prefixes:
            self._prefixes[prefix[:_HEAD]][prefix] |= bit
        if element.digits:
            self._numbers[element.digits] |= bit

    def bit(self, element: Element) -> int:
        """Return the bit of a place, the same whether it must be filled or may be."""
        return self._bits[_required(element)]

    def forget_places(self) -> None:
        """Keep only what words need: half of a lexicon's memory is how its places are written."""
        self._bits.clear()

    def of_all(self, written: Sequence[str]) -> tuple[list[int], int]:
        """Return the bits of words as they are written, in their order; and those of any of them.

        What was never seen is worked out together: a letter of ten million random characters has
        a million words that nobody ever wrote.
        """
        distinct = set(written)
        unseen = [word for word in distinct if word not in self]
        if len(self) + len(unseen) > _MOST_REMEMBERED:
            self.clear()
            unseen = list(distinct)
        if unseen:
            self._learn(unseen)
        bits = list(map(self.__getitem__, written))
        of_any = reduce(or_, map(self.__getitem__, distinct), 0)
        for word in unseen:
            if len(word) > phrases.LONGEST:  # a letter of giants is no reason to remember them
                self.pop(word, None)
        return bits, of_any

    def _learn(self, unseen: Sequence[str]) -> None:
        bare = [written.strip(phrases.JOINERS) for written in unseen]
        exact, prefixes, shortened = self._exact, self._prefixes, self._by_consonants
        for written, word, folded in zip(unseen, bare, phrases.fold_all(bare), strict=True):
            may_be_one = folded in exact or folded[:_HEAD] in prefixes or len(folded) == 1
            is_odd = "*" in folded or folded.isdecimal()
            if may_be_one or is_odd or phrases.consonants(folded) in shortened:
                self[written] = self._of(folded)
            else:
                self[written] = 0 if word else NO_WORD

    def _of(self, folded: str) -> int:
        if "*" in folded:
            return self._masked.of(folded)
        found = self._exact.get(folded, 0) | self._of_shortened(folded)
        for prefix, bits in self._prefixes.get(folded[:_HEAD], {}).items():
            if folded.startswith(prefix):
                found |= bits
        if folded.isdecimal():
            for fewest, bits in self._numbers.items():
                found |= bits * (len(folded) >= fewest)
        return found | LETTER * (len(folded) == 1 and folded.isalpha())

    def _of_shortened(self, folded: str) -> int:
        """Return the bits of the words that this one may be with vowels left out."""
        alike = self._by_consonants.get(phrases.consonants(folded), ())
        words = [word for word in alike if phrases.is_shortened(folded, word)]
        return reduce(or_, map(self._of_word, words), 0)

    def _of_word(self, word: str) -> int:
        return self._exact.get(word, 0) | self._prefixes.get(word[:_HEAD], {}).get(word, 0)


def _required(element: Element) -> Element:
    return replace(element, optional=False) if element.optional else element


class _Masked:
    """Words with starred-out letters: "b*nuh" is every word that has the letters it shows.

    For each position and letter it knows which words are still possible, as bits, so that the
    work for a word is its length and not the lexicon's.
    """

    def __init__(self, exact: dict[str, int], prefixes: dict[str, dict[str, int]]) -> None:
        begun = {prefix: bits for group in prefixes.values() for prefix, bits in group.items()}
        whole = {f"{word}\n": bits for word, bits in exact.items()}
        self._results = [*whole.values(), *begun.values()]
        self._letter: dict[tuple[int, str], int] = defaultdict(int)
        self._any = [0] * (phrases.LONGEST + 1)  # has a letter at this position, or has ended
        self._ended = [0] * (phrases.LONGEST + 1)  # is a prefix that has ended before it
        for number, word in enumerate([*whole, *begun]):
            self._add(1 << number, word, is_whole=number < len(whole))

    def _add(self, bit: int, word: str, *, is_whole: bool) -> None:
        for position, letter in enumerate(word):
            self._letter[position, letter] |= bit
            self._any[position] |= bit * (letter != "\n")
        for position in range(len(word), phrases.LONGEST + 1):
            self._ended[position] |= bit * (not is_whole)
            self._any[position] |= bit * (not is_whole)

    def of(self, folded: str) -> int:
        """Return the bits of all words this one may be."""
        possible = -1
        for position, letter in enumerate(f"{folded}\n"[: phrases.LONGEST + 1]):
            if letter == "*":
                possible &= self._any[position]
            else:
                possible &= self._letter.get((position, letter), 0) | self._ended[position]
            if not possible:
                return 0
        return self._results_of(possible)

    def _results_of(self, possible: int) -> int:
        found = 0
        while possible:
            lowest = possible & -possible
            found |= self._results[lowest.bit_length() - 1]
            possible ^= lowest
        return found
