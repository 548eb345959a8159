r"""Phrases over folded words: how a lexicon is written, and how it is found in a letter.

A phrase is a row of elements with spaces between them:

    word      this word, however it is capitalised, accented, stretched or typed with digits
    word*     any word that begins so
    a|b|c     one of these
    @name     one of the words of a set of the lexicon
    #         a number (##: of two digits or more)
    element?  the element, or nothing
    ...       up to three words of the same sentence

Every phrase begins with a plain element, so that a letter is read once and each of its words
asks only after the phrases that can begin there.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

GAP: Final = 3
# No phrase reaches further than this many words; the words kept between two windows.
REACH: Final = 48
_WINDOW: Final = 20_000

# Invisible joiners, accents written apart, apostrophes, and the signs that hide a letter.
_WORD: Final = re.compile("[^\\W_](?:[*@$'’`\u00ad\u200b-\u200d\u2060\u0300-\u036f]*[^\\W_])*")
_LEET: Final = str.maketrans("013457@$", "oieastas")
_NOT_A_LETTER: Final = re.compile(r"[^\w*]|_")
_LONGEST: Final = 40


class Word(NamedTuple):
    """One folded word and where it stands in the text."""

    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Element:
    """What one place of a phrase accepts."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]
    optional: bool = False
    gap: bool = False
    digits: int = 0

    def accepts(self, folded: str) -> bool:
        """Tell whether the folded word may stand here."""
        if "*" in folded:
            return any(_fits(folded, word) for word in self.exact) or any(
                _fits(folded[: len(prefix)], prefix) for prefix in self.prefixes
            )
        return (
            folded in self.exact
            or folded.startswith(self.prefixes)
            or (self.digits > 0 and folded.isdecimal() and len(folded) >= self.digits)
        )


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled phrase and the name of the entry it belongs to."""

    entry: str
    elements: tuple[Element, ...]


class Found(NamedTuple):
    """A phrase found at words `first` to `last` (excluded) of the window."""

    entry: str
    first: int
    last: int


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """Reduce a word to what a hurried reader sees: "MATIII", "m4ti" and "máti" are "mati"."""
    if len(word) > _LONGEST:
        return ""
    plain = unicodedata.normalize("NFKD", word).casefold()
    if not plain.isdecimal():
        plain = _NOT_A_LETTER.sub("", plain.translate(_LEET))
    return re.sub(r"([^\d*])\1+", r"\1", plain)


def compile_phrase(entry: str, source: str, sets: Mapping[str, Sequence[str]]) -> Phrase:
    """Compile one written phrase.

    Raises ValueError where it begins with something that may be nothing, or ends in a gap.
    """
    elements = tuple(_element(part, sets) for part in source.split())
    if not elements or elements[0].optional or elements[0].gap or elements[-1].gap:
        raise ValueError(f"{entry}: a phrase begins with a word and ends in no gap: {source}")
    return Phrase(entry, elements)


def _element(part: str, sets: Mapping[str, Sequence[str]]) -> Element:
    if part == "...":
        return Element(frozenset(), (), gap=True)
    written = part.rstrip("?").split("|")
    words = [w for name in written for w in (sets[name[1:]] if name[0] == "@" else (name,))]
    return Element(
        exact=frozenset(fold(word) for word in words if not word.endswith(("*", "#"))),
        prefixes=tuple(fold(word[:-1]) for word in words if word.endswith("*")),
        optional=part.endswith("?"),
        digits=max((word.count("#") for word in words), default=0),
    )


class Book:
    """Many phrases, found together in one reading."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[Phrase]] = defaultdict(list)
        self._by_prefix: dict[str, list[Phrase]] = defaultdict(list)
        self._by_shape: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._by_number: list[Phrase] = []
        for phrase in phrases:
            self._index(phrase)
        for word in self._by_word:
            self._by_shape[word[0], len(word)].append(word)
        self._starting = lru_cache(maxsize=65_536)(self._find_starting)

    def _index(self, phrase: Phrase) -> None:
        first = phrase.elements[0]
        for word in first.exact:
            self._by_word[word].append(phrase)
        for prefix in first.prefixes:
            self._by_prefix[prefix].append(phrase)
        if first.digits:
            self._by_number.append(phrase)

    def find(self, text: str, words: Sequence[Word], begin: int, end: int) -> Iterator[Found]:
        """Yield what is found beginning at words `begin` to `end` (excluded)."""
        for at in range(begin, end):
            for phrase in self._starting(words[at].folded):
                last = _match(phrase.elements, 0, text, words, at)
                if last:
                    yield Found(phrase.entry, at, last)

    def _find_starting(self, folded: str) -> tuple[Phrase, ...]:
        """Collect the phrases that can begin with this word."""
        if folded.isdecimal():
            return tuple(self._by_number)
        exact = [folded] if folded in self._by_word else []
        if "*" in folded:
            alike = self._by_shape.get((folded[0], len(folded)), ())
            exact = [word for word in alike if _fits(folded, word)]
        begun = [prefix for prefix in self._by_prefix if _fits(folded[: len(prefix)], prefix)]
        found = [self._by_word[word] for word in exact] + [self._by_prefix[p] for p in begun]
        return tuple(phrase for phrases in found for phrase in phrases)


def _fits(masked: str, word: str) -> bool:
    """Tell whether a word with starred-out letters, such as "b*nuh", may be this word."""
    return masked == word or (
        "*" in masked
        and len(masked) == len(word)
        and all(a in {"*", b} for a, b in zip(masked, word, strict=True))
    )


def _match(
    elements: tuple[Element, ...], place: int, text: str, words: Sequence[Word], at: int
) -> int:
    """Return the index after the last word of the match, or 0.

    The ways to try are bounded by the phrase alone (its gaps and optional places), never by
    the letter.
    """
    if place == len(elements):
        return at
    element = elements[place]
    if element.gap:
        return _match_gap(elements, place, text, words, at)
    if at < len(words) and element.accepts(words[at].folded):
        last = _match(elements, place + 1, text, words, at + 1)
        if last:
            return last
    return _match(elements, place + 1, text, words, at) if element.optional else 0


def _match_gap(
    elements: tuple[Element, ...], place: int, text: str, words: Sequence[Word], at: int
) -> int:
    for skipped in range(GAP + 1):
        here = at + skipped
        if here >= len(words) or ends_sentence(text[words[here - 1].end : words[here].start]):
            return 0
        last = _match(elements, place + 1, text, words, here)
        if last:
            return last
    return 0


def ends_sentence(between: str) -> bool:
    """Tell whether a sentence ends in what stands between two words (dots of a pause do not)."""
    marks = between[:200]
    return "?" in marks or "!" in marks or marks.count(".") == 1 or marks.count("\n") > 1


def windows(text: str) -> Iterator[tuple[list[Word], int, int]]:
    """Yield the text's words in windows, each with the part of it that is to be looked at.

    Neighbouring windows share enough words for every phrase and what precedes it, so memory
    stays flat however long the letter is.
    """
    stream = _join_spelled(_words(text))
    words = list(islice(stream, _WINDOW))
    begin = 0
    while more := list(islice(stream, _WINDOW)):
        yield words, begin, len(words) - REACH
        words, begin = words[-2 * REACH :] + more, REACH
    yield words, begin, len(words)


def _words(text: str) -> Iterator[Word]:
    for match in _WORD.finditer(text):
        yield Word(_unless_masked(fold(match[0])), *match.span())


def _unless_masked(folded: str) -> str:
    """Drop the stars of a word that is more stars than letters, since it could be any word."""
    return folded.replace("*", "") if folded.count("*") * 2 > len(folded) else folded


def _join_spelled(words: Iterator[Word]) -> Iterator[Word]:
    """Join letters that stand alone in a row of three or more, as in "k m s"."""
    spelled: list[Word] = []
    for word in words:
        if len(word.folded) == 1 and word.folded.isalpha() and len(spelled) < _LONGEST:
            spelled.append(word)
            continue
        yield from _joined(spelled)
        spelled = []
        yield word
    yield from _joined(spelled)


def _joined(spelled: list[Word]) -> list[Word]:
    if len(spelled) < 3:
        return spelled
    folded = fold("".join(word.folded for word in spelled))
    return [Word(folded, spelled[0].start, spelled[-1].end)]
