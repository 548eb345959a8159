"""Danger that no phrase names: the words of a few sentences, weighed together.

"The dog is fed and the door unlocked, so nobody has to break it" holds no word of death. What
tells is that its words stand together; how much each says, alone and before the next one, was
learned from the labelled sentences in `tests/danger` (`./dev learn`) and is data: `weights.tsv`.

A text weighs the sum of its words and pairs of words divided by the root of their number, plus
what every text weighs: a logistic regression (J. Berkson, J. Am. Stat. Assoc. 39, 1944, 357) on
counts that are scaled by length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib import resources
from itertools import islice, pairwise
from math import log2, sqrt
from typing import Final, NamedTuple

from mailcounsel.casework.lexicon import phrases

# The sentences that are weighed together: a hint is seldom longer, and a long letter is no sum.
_TOGETHER: Final = 3
_MOST_WORDS: Final = 30
_PART: Final = 15  # of a sentence without an end
# Of fewer known words, or fewer among unknown ones, nothing can be said.
_FEWEST_KNOWN: Final = 8
_KNOWN_OF_ALL: Final = 0.7
# From this weight on a run is a hint, in hundredths like every weight. Of many runs one weighs much
# by chance: each time a text is twice as long as a short one, it takes more.
RAISES: Final = 25
_SHORT: Final = 3  # runs
_LONGER: Final = 70
NUMBER: Final = "#"
ALWAYS: Final = ""  # what every text weighs stands under no word

_ADDRESS: Final = re.compile(r"(?i)(?:https?://|www\.|mailto:)\S+|[^\s@]{1,64}@[^\s@]{1,255}")
# Possessive, so that a text without an end needs no memory to step back into.
_SENTENCE: Final = re.compile(r"(?:[^.?!\n]++|\.(?=\.|\w)|(?<=\.)\.|\n(?![ \t\r]*+\n))++")


class Run(NamedTuple):
    """A few sentences, their place in the text, and what their words weigh together.

    The weight is in hundredths, and None where too little is known.
    """

    start: int
    end: int
    weight: float | None


class _Sentence(NamedTuple):
    """A sentence, or a part of a long one: its place in the text, and its folded words."""

    start: int
    end: int
    words: list[str]


class _Told(NamedTuple):
    """What a sentence says: its words, how many are known, and what they weigh.

    `before` is the weight of its first word with the last one of the sentence before.
    """

    words: int
    known: int
    weight: int
    before: int


def runs(text: str, begin: int = 0, end: int | None = None) -> list[Run]:
    """Weigh what stands between two characters; the runs overlap and are in their order.

    The time is linear in the text.
    """
    sentences = _sentences(text, begin, len(text) if end is None else end)
    told = list(_told(sentences))
    return [
        Run(sentences[first].start, sentences[last - 1].end, _weigh(told[first:last]))
        for first, last in _runs(sentences)
    ]


def hints(weighed: Iterable[Run], of_all: int) -> Iterator[Run]:
    """Yield those of some runs of a letter that weigh enough, none twice; `of_all` are there."""
    reached = -1
    needed = RAISES + _LONGER * log2(max(1, of_all / _SHORT))
    for run in weighed:
        if run.weight is not None and run.weight >= needed and run.start > reached:
            reached = run.end
            yield run


def _told(sentences: Sequence[_Sentence]) -> Iterator[_Told]:
    weights, end = _weights(), ""
    for one in sentences:
        known = sum(map(weights.__contains__, one.words))
        own = sum(map(weights.__getitem__, filter(weights.__contains__, features(one.words))))
        yield _Told(len(one.words), known, own, weights.get(f"{end} {one.words[0]}", 0))
        end = one.words[-1]


def _weigh(run: Sequence[_Told]) -> float | None:
    """Return what some sentences weigh together, in hundredths; None where too little is known."""
    words, known = sum(one.words for one in run), sum(one.known for one in run)
    if known < max(_FEWEST_KNOWN, _KNOWN_OF_ALL * words):
        return None
    own = sum(one.weight + one.before for one in run) - run[0].before
    return _weights()[ALWAYS] + own / sqrt(words)


def features(words: Sequence[str]) -> Iterator[str]:
    """Yield what is weighed of some folded words: each of them, and each with the next one."""
    yield from words
    yield from map(" ".join, pairwise(words))


def words(text: str) -> list[str]:
    """Return the folded words of a text."""
    return [word for one in _sentences(text, 0, len(text)) for word in one.words]


def words_of_runs(text: str) -> Iterator[list[str]]:
    """Yield the folded words of each run of sentences that is weighed."""
    sentences = _sentences(text, 0, len(text))
    for first, last in _runs(sentences):
        yield [word for one in sentences[first:last] for word in one.words]


def _runs(sentences: Sequence[_Sentence]) -> Iterator[tuple[int, int]]:
    """Yield the runs to weigh, each as long as may be and beginning with another sentence."""
    for first in range(len(sentences)):
        last, words = first, 0
        for one in sentences[first : first + _TOGETHER]:
            words += len(one.words)
            if last > first and words > _MOST_WORDS:
                break
            last += 1
        yield first, last
        if last == len(sentences):
            return


def _sentences(text: str, begin: int, end: int) -> list[_Sentence]:
    """Return the sentences of a part of a text; addresses on the net are no words of it."""
    part = text[begin:end]
    if "@" in part or "://" in part or "www." in part:
        part = _ADDRESS.sub(lambda found: " " * len(found.group()), part)
    found = []
    for sentence in _SENTENCE.finditer(part):
        places = phrases.WORD.finditer(part, *sentence.span())
        while own := list(islice(places, _PART)):
            words = list(filter(None, [_folded(one.group()) for one in own]))
            found.append(_Sentence(begin + own[0].start(), begin + own[-1].end(), words))
    return [one for one in found if one.words]


@lru_cache(maxsize=4_096)
def _folded(word: str) -> str:
    folded = phrases.fold(word)
    return NUMBER if folded.isdecimal() else folded


@cache
def _weights() -> dict[str, int]:
    file = resources.files("mailcounsel.casework.lexicon").joinpath("weights.tsv")
    with file.open(encoding="utf-8") as lines:
        return read(lines)


def read(lines: Iterable[str]) -> dict[str, int]:
    """Read weights as they are written: a word or two, a tab, and the weight in hundredths."""
    rows = (line.split("\t") for line in lines if not line.startswith("# "))
    return {words: int(weight) for words, weight in rows}
