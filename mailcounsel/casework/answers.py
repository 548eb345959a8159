"""The rating in a client's answer to a check-in: read when it is certain, never guessed.

An answer is cut into clauses. One of them must be nothing but a number from 0 to 10 among words
that are known to go with a rating ("nilai saya 6", "it's a 7", "7/10"); any other number must
plainly count something else ("dua kali", "10 minutes"). Everything else is unsure and goes to
the therapist, who loses a minute. A wrong number would bend the line of progress.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

Reason = Literal[
    "empty",  # no words
    "no number",  # nothing that could be a rating
    "something else",  # a number, but of times, minutes, a date, another question
    "several numbers",  # more than one number could be meant
    "not whole",  # 7.5, 6-7, a half
    "out of range",  # above 10
    "hedged",  # taken back, blurred or asked
    "too long",  # a letter, not an answer
    "danger",  # said by the caller: a letter with a sign of danger is never read as a rating
]

_LONGEST: Final = 4_000
_SENT_FROM: Final = re.compile(
    r"^[ \t]*(?:sent from|get outlook|dikirim dari|terkirim dari)\b.*$", re.MULTILINE
)
_SCALE: Final = re.compile(
    r"\b(?:on (?:a |the )?|dari |dengan |pada )?(?:scale|skala)(?: (?:of|from|dari))? ?"
    r"(?:[01] ?(?:-|–|to|sampai|hingga|s/d) ?)?10\b|\bdari [01] (?:sampai|hingga) 10\b"
)
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[ \t]*([/:–—-])[ \t]*(?=\d)")
_OUT_OF_TEN: Final = re.compile(
    r"(?<![\w/.,:–-])(\w{1,8}) ?(?:/|\b(?:dari|dr|per|out of|of)\b) ?(?:10|sepuluh|ten)"
    r"(?![\w/%]|[.,:–-]\d)"
)
# A clause ends with its line or sentence, at a comma, or at a dash between spaces; not in "7,5".
_CLAUSE: Final = re.compile(
    r"(.*?)(\n\s*|[;!?…]+|[.,]+(?!\d)|(?<!\d)[.,]+|\s[–—-]+\s|$)", re.DOTALL
)
_ROUND_A_WORD: Final = "\"'*_()[]“”‘’«»`=:"
_PICTURES: Final = frozenset({"So", "Sk", "Cf", "Mn", "Me"})
_COUNTED: Final = re.compile(r"\d+[a-z]+|\d{1,2}:\d{2}")
_IN_PARTS: Final = re.compile(r"\d+[.,–/-]\d+")


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating from 0 to 10, with the client's whole answer."""

    value: int
    words: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """An answer that a person has to read, and why."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class _Number:
    """A number in a clause: a rating if it has a value, else it counts or is something else."""

    at: int
    value: int | None = None
    written: str = ""
    doubt: Reason | None = None


@dataclass(frozen=True, slots=True)
class _Clause:
    words: tuple[str, ...]
    numbers: tuple[_Number, ...]
    ending: str
    leads_on: bool  # ends in a colon: what follows belongs to it


def rating(text: str, language: str | None = None) -> Rating | Unsure:  # noqa: ARG001
    """Read the rating in the new words of an answer (quotes already left out).

    Both languages are always read, since people answer in either; `language` is a hint for
    number words that would mean something else in another one. There are none yet.
    """
    if not text.strip():
        return Unsure("empty")
    if len(text) > _LONGEST:
        return Unsure("too long")
    clauses = list(_clauses(_plain(text)))
    numbers = [number for clause in clauses for number in clause.numbers]
    doubt = next((number.doubt for number in numbers if number.doubt), None)
    if doubt:
        return Unsure(doubt)
    reason, value = _settle(clauses)
    return Unsure(reason) if value is None else Rating(value, text.strip())


def _settle(clauses: Sequence[_Clause]) -> tuple[Reason, int | None]:
    """Return the one value stated and meant, or the reason why there is none."""
    stated = [at for at, clause in enumerate(clauses) if _stated(clause) is not None]
    meant = {number.value for clause in clauses for number in _loose(clause)}
    if len(meant) > 1:
        return "several numbers", None
    if not stated:
        counted = any(clause.numbers for clause in clauses)
        return ("something else" if counted else "no number"), None
    if any(_is_blurred(clauses, at) for at in stated):
        return "hedged", None
    if not all(_stands_alone(clauses, at) for at in stated):
        return "something else", None
    return "no number", _stated(clauses[stated[0]])


def _stated(clause: _Clause) -> int | None:
    """Return the clause's rating if the clause says nothing else."""
    frame = _sets()
    if len(clause.numbers) != 1 or clause.numbers[0].value is None:
        return None
    number = clause.numbers[0]
    before, after = clause.words[: number.at], clause.words[number.at + 1 :]
    if not (frame["before"].issuperset(before) and frame["after"].issuperset(after)):
        return None
    is_bare = not number.written.endswith("/10")
    if is_bare and not frame["never_after"].isdisjoint(after[:1]):
        return None
    return None if not frame["never_before"].isdisjoint(before[-1:]) else number.value


def _loose(clause: _Clause) -> Iterator[_Number]:
    """Yield the numbers that could be meant; "one" beside other words is mostly no number."""
    for number in clause.numbers:
        is_filler = number.written in {"one", "satu"} and _stated(clause) is None
        if number.value is not None and not is_filler:
            yield number


def _is_blurred(clauses: Sequence[_Clause], at: int) -> bool:
    """Tell whether the rating is asked, taken back or made vague."""
    sets = _sets()
    if "?" in clauses[at].ending or any(sets["anywhere"] & set(c.words) for c in clauses):
        return True
    for clause in clauses[at + 1 : at + 2]:
        same_sentence = clauses[at].ending.strip() not in {".", "!"} or len(clause.words) <= 1
        first = set(clause.words[:1])
        return bool(first & sets["revises"] or (same_sentence and first & sets["in_sentence"]))
    return False


def _stands_alone(clauses: Sequence[_Clause], at: int) -> bool:
    """Tell whether neither neighbour makes the number belong to something else."""
    sets = _sets()
    for clause in clauses[max(0, at - 1) : at]:
        harmless = (sets["courtesy"] | sets["before"]).issuperset(clause.words)
        if not (harmless or _ends_sentence(clause)):
            return False
    for clause in clauses[at + 1 : at + 2]:
        wraps = "\n" in clauses[at].ending and not sets["units"].isdisjoint(clause.words[:1])
        words = set(clause.words) - {clause.words[number.at] for number in clause.numbers}
        if wraps or words <= sets["elsewhere"]:
            return False
    return True


def _ends_sentence(clause: _Clause) -> bool:
    mark = clause.ending
    return not clause.leads_on and (mark.strip() in {".", "!", "..", "..."} or mark.count("\n") > 1)


def _plain(text: str) -> str:
    """Fold the text, leave out pictures and devices, and write every "of ten" as "/10"."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    seen = "".join(_without_picture(character) for character in folded)
    seen = _SCALE.sub(" ", _SENT_FROM.sub("", seen.replace("\r\n", "\n")))
    return _OUT_OF_TEN.sub(_as_out_of_ten, _BETWEEN_DIGITS.sub(r"\1", seen))


def _without_picture(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in {"So", "Sk"}:
        return " "
    return "" if kind in _PICTURES else character


def _as_out_of_ten(match: re.Match[str]) -> str:
    return match[0] if _value(match[1]) is None else f"{match[1]}/10"


def _clauses(plain: str) -> Iterator[_Clause]:
    for match in _CLAUSE.finditer(plain):
        words = tuple(_words(match[1]))
        if words:
            numbers = tuple(_numbers(words))
            yield _Clause(words, numbers, match[2], match[1].rstrip().endswith(":"))


def _words(clause: str) -> Iterator[str]:
    words = [bare for word in clause.split() if (bare := word.strip(_ROUND_A_WORD))]
    at = 0
    while at < len(words):
        pair = _pairs().get(" ".join(words[at : at + 2]))
        yield pair or words[at]
        at += 2 if pair else 1


def _numbers(words: Sequence[str]) -> Iterator[_Number]:
    """Find the numbers of a clause; neighbouring number words are one number."""
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and _is_numeral(words[end]):
            end += 1
        if end > at:
            yield _number(words, at, end)
        at = max(end, at + 1)


def _number(words: Sequence[str], at: int, end: int) -> _Number:
    sets = _sets()
    written = words[at]
    labelled = at > 0 and words[at - 1] in sets["labels"]
    counts = labelled or (end < len(words) and words[end] in sets["units"])
    if counts and not written.endswith("/10"):
        return _Number(at)
    if end - at > 1:
        halves = not sets["halves"].isdisjoint(words[at:end])
        return _Number(at, doubt="not whole" if halves else "several numbers")
    if _COUNTED.fullmatch(written):
        return _Number(at)
    value = _value(written)
    if counts or value is None:
        return _Number(at, doubt="something else" if counts else _why_no_value(written))
    return _Number(at, value, written)


def _why_no_value(written: str) -> Reason:
    if written in _sets()["halves"] or _IN_PARTS.fullmatch(written):
        return "not whole"
    if written.isdecimal() or written in _sets()["other_numbers"]:
        return "out of range"
    return "something else"


def _is_numeral(word: str) -> bool:
    is_word = word.removesuffix("/10") in _values() or word in _sets()["other_numbers"]
    return is_word or any(character.isdigit() for character in word)


def _value(written: str) -> int | None:
    """Return a whole number from 0 to 10 as it is usually written ("07" is not)."""
    number = written.removesuffix("/10")
    if number.isdecimal() and len(number) <= 2:
        value = int(number)
        return value if value <= 10 and len(str(value)) == len(number) else None
    return _values().get(number)


@cache
def _data() -> dict[str, Any]:
    source = resources.files("mailcounsel.casework.lexicon").joinpath("answers.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


@cache
def _sets() -> dict[str, frozenset[str]]:
    """Return every list of words by its name; `words` takes the name of its table."""
    return {
        table if name == "words" else name: frozenset(words.split())
        for table, lists in _data().items()
        if table not in {"numbers", "pairs"}
        for name, words in lists.items()
    }


def _values() -> dict[str, int]:
    values: dict[str, int] = _data()["numbers"]
    return values


def _pairs() -> dict[str, str]:
    pairs: dict[str, str] = _data()["pairs"]
    return pairs
