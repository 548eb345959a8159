"""One answer to one item of a questionnaire, by digits, a number word or an option's own words.

A value is certain when nothing else is said, or when what follows it touches no number, option or
denial. Everything else is doubtful, with a reason.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from mailcounsel.practice.instruments import Measure

Reason = Literal[
    "empty",  # no words
    "no answer",  # nothing that could be one
    "how many",  # not as many answers as items, and no numbers beside them
    "out of range",  # a number no option has
    "not whole",  # 1.5, 2-3
    "several",  # two answers to one item
    "vague",  # asked, blurred or taken back
    "other words",  # something else than an answer
    "too long",
]

LONGEST: Final = 200  # characters of an answer to one item; more is a letter
_TAIL: Final = re.compile(r"[,;(.!–—]|\s-\s")
ROUND_A_WORD: Final = "\"'*_()[]“”‘’«»`=:,.;!"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to one item: a value, nothing (left out), or a doubt; with other words or not.

    `refused` where somebody wrote that they leave it out, and did not only write nothing.
    """

    value: int | None = None
    doubt: Reason | None = None
    more: bool = False
    refused: bool = False


# -- one answer ---------------------------------------------------------------------------------


def single(text: str, measure: Measure) -> Said:
    """Read the answer to one item."""
    if len(text) > LONGEST:
        return Said(doubt="other words", more=True)
    words = tidy(text)
    if not words or words in _left_out():
        return Said(refused=bool(words.strip("._ ")))
    if "?" in text:
        return Said(doubt="vague")
    exact = _exact(words, measure)
    if exact is not None:
        return _within(exact, measure)
    split = _TAIL.split(text, 1)
    head = _exact(tidy(split[0]), measure) if len(split) > 1 else None
    if head is not None:
        return _with_tail(head, split[1], measure)
    return Said(doubt=_why_not(words), more=True)


def _exact(words: str, measure: Measure) -> int | None:
    """Return the one number said by digits, a number word or an option's words, or by both."""
    phrases = meanings(measure)
    bare = kept(words)
    for one in (words, bare):
        if one in phrases:
            return phrases[one]
        if re.fullmatch(r"\d{1,3}", one):
            return int(one)
    match = re.fullmatch(r"(\d)\s*[-–=:(]*\s*([^\d]+?)\)?", bare)
    number = int(match[1]) if match else None
    agreed = match is not None and phrases.get(tidy(match[2])) == number
    if not agreed:
        match = re.fullmatch(r"([^\d]+?)\s*[-–=:(]*\s*(\d)\)?", bare)
        number = int(match[2]) if match else None
        agreed = match is not None and phrases.get(tidy(match[1])) == number
    return number if agreed else None


def _within(value: int, measure: Measure) -> Said:
    return Said(value) if value in measure.values else Said(doubt="out of range")


def _with_tail(value: int, tail: str, measure: Measure) -> Said:
    """Read an answer with something after it, which must change nothing about it."""
    words = set(words_of(tail))
    answers = {word for phrase in meanings(measure) for word in phrase.split()}
    touching = words & (answers | listed("vague") | listed("taken_back") | listed("denies"))
    if touching or any(character.isdigit() for character in tail):
        return Said(doubt="several" if has_digit(tail) else "vague", more=True)
    said = _within(value, measure)
    return Said(said.value, said.doubt, more=bool(words - listed("around")))


def _why_not(words: str) -> Reason:
    """Say why some words are no certain answer."""
    split = set(words.split())
    if split & (listed("vague") | listed("taken_back")):
        return "vague"
    if re.search(r"\d\s*[.,/–-]\s*\d|½", words):
        return "not whole"
    known = [one for one in words.split() if one.isdecimal() or one in _numbers()]
    if len(known) > 1:
        return "several"
    return "other words"


def has_digit(line: str) -> bool:
    """Tell whether a line of other words holds a digit, which might be an answer too."""
    return any(character.isdigit() for character in line)


# -- words --------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return a text folded, without pictures and other marks that say nothing."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return "".join(one for one in folded if unicodedata.category(one) not in _PICTURES).rstrip()


_PICTURES: Final = frozenset({"So", "Sk", "Cf", "Mn", "Me"})


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded, without the signs around them."""
    return [bare for word in plain(text).split() if (bare := word.strip(ROUND_A_WORD + "?-–—"))]


def tidy(text: str) -> str:
    """Return words with single spaces and nothing around them."""
    joined = " ".join(text.split())
    bare = joined.strip(ROUND_A_WORD + " ")
    return bare or joined


def kept(text: str) -> str:
    """Return the words of a text without those that may stand around an answer."""
    around = listed("around")
    left = [word for word in text.split() if word.strip(ROUND_A_WORD) not in around]
    return " ".join(left).strip()


def is_courtesy(text: str) -> bool:
    """Tell whether a text holds nothing but words that may stand around an answer."""
    return listed("around").issuperset(words_of(text))


@cache
def meanings(measure: Measure) -> dict[str, int]:
    """Return each phrase that answers an item of this measure, and the number it stands for."""
    phrases = {word: value for word, value in _numbers().items() if value in measure.values}
    for option in measure.options:
        for words in (option.words, *option.also):
            phrases[tidy(plain(words))] = option.value
    return phrases


@cache
def _data() -> dict[str, Any]:
    source = resources.files("mailcounsel.practice").joinpath("questionnaire.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _numbers() -> dict[str, int]:
    numbers: dict[str, int] = _data()["numbers"]
    return numbers


@cache
def listed(name: str) -> frozenset[str]:
    """Return a list of words of `questionnaire.toml` by its name."""
    return frozenset(_data()[name]["words"].split())


@cache
def _left_out() -> frozenset[str]:
    return frozenset(" ".join(one.split()) for one in _data()["left_out"]["phrases"].split("|"))
