r"""Phrases over folded words: how a lexicon is written, and how it is found in a letter.

A phrase is a row of elements with spaces between them:

    word      this word, however it is capitalised, accented, stretched or typed with digits
    word*     any word that begins so
    word~     this word, or with one slip: a letter left out, or two that changed places; for long
              words alone, since a slip in a short one is another word
    a|b|c     one of these
    @name     one of the words of a set of the lexicon
    #         a number (##: of two digits or more)
    element?  the element, or nothing
    ...       up to three words of the same sentence

This file reads such phrases and folds words; `book.py` finds the phrases in a letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

GAP: Final = 3

# Invisible joiners, accents written apart, apostrophes, and the signs that hide a letter.
JOINERS: Final = "*@$'’`\u00ad\u200b\u200c\u200d\u2060" + "".join(map(chr, range(0x300, 0x370)))
# Possessive, so that a word of ten million letters needs no memory to step back into.
WORD: Final = re.compile(f"[^\\W_]++(?:[{JOINERS}]++[^\\W_]++)*+")
# A letter standing alone this often in a row is no longer a spelled word.
LONGEST: Final = 40
_LEET: Final = (*zip("013457@$", "oieastas", strict=True), ("_", ""))
_NOT_A_LETTER: Final = re.compile(r"[^\w*\n]+")
# All but the first of a repeated letter, so that nothing has to be put in its place.
_STRETCHED: Final = re.compile(r"(?<=([^\d*\n]))\1+")
# People in a hurry leave vowels out: "bnuh dri". Of fewer letters any word could be meant.
_SHORTEST: Final = 3
_WITHOUT_VOWELS: Final = str.maketrans("", "", "aeiou")
_CONSONANT: Final = re.compile("[^aeiou]")


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


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled phrase and the name of the entry it belongs to."""

    entry: str
    elements: tuple[Element, ...]


def fold(word: str) -> str:
    """Reduce a word to what a hurried reader sees: "MATIII", "m4ti" and "máti" are "mati".

    Stars stay where they hide a letter, and go where they hide most of the word, which could
    then be any word. What is longer than any word becomes "".
    """
    return _fold(word) if len(word) <= LONGEST else ""


@lru_cache(maxsize=16_384)
def _fold(word: str) -> str:
    if word.isascii() and word.isalpha():  # nothing is hidden in it
        return _STRETCHED.sub("", word.lower())
    return fold_all([word])[0]


def fold_all(words: Sequence[str]) -> list[str]:
    """Fold one word or more, none with a line break, as `fold` does, all at once."""
    joined = "\n".join([word if len(word) <= LONGEST else "" for word in words])
    letters = plain = unicodedata.normalize("NFKD", joined).casefold()
    for sign, letter in _LEET:
        letters = letters.replace(sign, letter)
    folded = _STRETCHED.sub("", _NOT_A_LETTER.sub("", letters)).split("\n")
    folded = [_shown(word) if "*" in word else word for word in folded]
    pairs = zip(plain.split("\n"), folded, strict=True)
    return [number if number.isdecimal() else word for number, word in pairs]


def _shown(word: str) -> str:
    return word.replace("*", "") if word.count("*") * 2 > len(word) else word


def consonants(word: str) -> str:
    """Return a folded word without its vowels."""
    return word.translate(_WITHOUT_VOWELS)


def may_be_shortened(word: str) -> bool:
    """Tell whether vowels stand between the consonants of a word, so that it can lose some."""
    return len(word) > _SHORTEST and any(_CONSONANT.split(word)[1:-1])


def is_shortened(written: str, word: str) -> bool:
    """Tell whether one of two words with the same consonants is the other in a hurry.

    "mti" is "mati", "bnuh" is "bunuh" and "dpukul" is "dipukul": it begins and ends alike, and
    consonants meet where a vowel was, the first one or half of all. "mat" and "dad" are words of
    their own, and neither "mati" nor "dead"; nor is "akhirnya" a shorter "akhirinya".
    """
    if len(written) < _SHORTEST:
        return False
    left, whole = _CONSONANT.split(written), _CONSONANT.split(word)
    if (left[0], left[-1]) != (whole[0], whole[-1]):
        return False
    between = list(zip(left[1:-1], whole[1:-1], strict=True))
    lost = [bool(vowels) and not kept for kept, vowels in between]
    is_less = all(kept in (vowels, "") for kept, vowels in between)
    return is_less and any(lost) and (lost[0] or 2 * sum(lost) >= sum(map(bool, whole)))


def compile_phrase(entry: str, source: str, sets: Mapping[str, Element]) -> Phrase:
    """Compile one written phrase; `sets` are what `accepting` made of each set of the lexicon.

    Raises ValueError where it begins with something that may be nothing, or ends in a gap.
    """
    elements = tuple(_element(part, sets) for part in source.split())
    if not elements or elements[0].optional or elements[0].gap or elements[-1].gap:
        raise ValueError(f"{entry}: a phrase begins with a word and ends in no gap: {source}")
    return Phrase(entry, elements)


@lru_cache(maxsize=4_096)
def accepting(*words: str) -> Element:
    """Return the place that accepts one of some words, as a set of the lexicon lists them."""
    return Element(
        exact=frozenset([fold(form) for word in words for form in _forms(word)]),
        prefixes=tuple([fold(word[:-1]) for word in words if word.endswith("*")]),
        digits=max([word.count("#") for word in words], default=0),
    )


def _element(part: str, sets: Mapping[str, Element]) -> Element:
    if part == "...":
        return Element(frozenset(), (), gap=True)
    names = part.rstrip("?").split("|")
    any_of = [sets[name[1:]] for name in names if name[0] == "@"]
    words = [name for name in names if name[0] != "@"]
    if words:
        any_of.append(accepting(*words))
    if len(any_of) == 1:
        return replace(any_of[0], optional=True) if part.endswith("?") else any_of[0]
    return Element(
        exact=frozenset().union(*[one.exact for one in any_of]),
        prefixes=tuple([prefix for one in any_of for prefix in one.prefixes]),
        optional=part.endswith("?"),
        digits=max([one.digits for one in any_of]),
    )


def _forms(word: str) -> Iterator[str]:
    """Yield the ways in which one whole word may be written; none for a prefix or a number."""
    if not word.endswith(("*", "#")):
        yield word.rstrip("~")
    if word.endswith("~"):
        plain = word[:-1]
        for at in range(1, len(plain)):
            yield plain[:at] + plain[at + 1 :]
            yield plain[: at - 1] + plain[at] + plain[at - 1] + plain[at + 1 :]


def forget_compiled() -> None:
    """Forget what was remembered to compile a lexicon quickly: read letters need none of it."""
    accepting.cache_clear()
    _fold.cache_clear()


def ends_sentence(between: str) -> bool:
    """Tell whether a sentence ends in what stands between two words (dots of a pause do not)."""
    marks = between[:200]
    return "?" in marks or "!" in marks or marks.count(".") == 1 or marks.count("\n") > 1
