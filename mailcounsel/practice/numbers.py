"""The one number a client's words state: read when it is certain, never guessed.

Words are cut into clauses. One of them must be nothing but a number among words that are known to
go with it: a rating from 0 to 10 ("nilai saya 6", "it's a 7", "7/10"), or how many times something
was practised, 0 to 99 ("tiga kali", "3x", "twice"). Any other number must plainly count something
else ("10 minutes"). Everything else is unsure, and a range or a half is too, since neither scale
has halves. A person reads it and loses a minute; a wrong number would bend the line of progress.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, Literal

from mailcounsel.practice.spelling import Kind, plain, sets, values, words_of

Reason = Literal[
    "empty",  # no words
    "no number",  # nothing that could be a rating
    "something else",  # a number, but of times, minutes, a date, another question
    "several numbers",  # more than one number could be meant
    "not whole",  # 7.5, 6-7, a half
    "out of range",  # above 10
    "hedged",  # taken back, blurred or asked
    "too long",  # a letter, not an answer
    "danger",  # said by the caller: a letter with a sign of danger is never read as an answer
]
MOST: Final[dict[Kind, int]] = {"rating": 10, "times": 99}

LONGEST: Final = 4_000
# A clause ends with its line or sentence, at a comma, at a dash between spaces, or where a reason
# begins; not in "7,5".
_CLAUSE: Final = re.compile(
    r"(.*?)(\n\s*|[;!?…()]+|[.,]+(?!\d)|(?<!\d)[.,]+|\s[–—-]+\s|\s(?=(?:karena|krn|soalnya|sebab|"
    r"because|since)\s)|$)",
    re.DOTALL,
)
_SPACED: Final = re.compile(r"[.,;!?…]+(?!\d)")
# "3 out of 7 days" says how many times.
_WRITTEN_OUT: Final = re.compile(r"\b(\w+) ?\((\w+)\)")
_OF_DAYS: Final = re.compile(
    r"(?<![\w/.,:–-])(\w+)(?: ?(?:x|kali|times))? (?:dari|out of|of) (\w+)"
    r" (?:hari|malam|pagi|days|nights|mornings|evenings)\b"
)
_GREETING_WORDS: Final = 5
_GLUED: Final = re.compile(r"(?<=\d)(?:x|kali|times)$")
_COUNTED: Final = re.compile(r"\d+[a-z]+|\d{1,2}:\d{2}")
_IN_PARTS: Final = re.compile(r"\d+[.,–/-]\d+")


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was stated for certain."""

    value: int


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
    kind: Kind


def number(text: str, kind: Kind = "rating") -> Number | Unsure:
    """Read the one number in the new words of an answer (quotes already left out).

    Both languages are always read, since people answer in either.
    """
    if not text.strip():
        return Unsure("empty")
    if len(text) > LONGEST:
        return Unsure("too long")
    if kind == "times" and _says_none(text):
        return Number(0)
    said = _WRITTEN_OUT.sub(partial(_once, kind=kind), plain(text))
    said = said if kind == "rating" else _OF_DAYS.sub(_done, said)
    clauses = list(_clauses(said, kind))
    numbers = [number for clause in clauses for number in clause.numbers]
    doubt = next((number.doubt for number in numbers if number.doubt), None)
    if doubt:
        return Unsure(doubt)
    reason, value = _settle(clauses)
    return Unsure(reason) if value is None else Number(value)


def _once(match: re.Match[str], kind: Kind) -> str:
    """Leave out a number that stands behind itself in brackets: "7 (seven)"."""
    values = {_value(word, kind) for word in match.groups()}
    return match[1] if len(values) == 1 and None not in values else match[0]


def _done(match: re.Match[str]) -> str:
    done, days = (_value(word, "times") for word in match.groups())
    is_sure = done is not None and days is not None and done <= days
    return f"{match[1]} x" if is_sure else match[0]


def _says_none(text: str) -> bool:
    """Tell whether an answer is the one for "none" that lessons and check-ins offer in words."""
    words = list(words_of(_SPACED.sub(" ", plain(text))))
    return any(_says_only(words, none.split("-")) for none in sets()["none"])


def _says_only(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether the wanted words stand there in a row, with nothing but courtesy around."""
    for at in range(len(words) - len(wanted) + 1):
        around = [*words[:at], *words[at + len(wanted) :]]
        if words[at : at + len(wanted)] == wanted and sets()["courtesy"].issuperset(around):
            return True
    return False


def has_number(text: str) -> bool:
    """Tell whether anything in a text could be a number, in numerals or words."""
    return any(_is_numeral(word, "rating") for word in words_of(_SPACED.sub(" ", plain(text))))


def counts_only(text: str) -> bool:
    """Tell whether every number in a text plainly counts something: an age, a date, minutes."""
    numbers = [number for clause in _clauses(plain(text), "times") for number in clause.numbers]
    return all(number.value is None and number.doubt is None for number in numbers)


def leads_only(text: str) -> bool:
    """Tell whether the last clause of a text holds only words that may stand before a number."""
    words = list(words_of(re.split(r"[.,;:!?\n/]", plain(text))[-1]))
    return (_around("before", "times") | sets()["courtesy"]).issuperset(words)


def is_courtesy(line: str) -> bool:
    """Tell whether a line holds nothing but a greeting or a thank-you."""
    return sets()["courtesy"].issuperset(words_of(_SPACED.sub(" ", plain(line))))


def is_bare(line: str) -> bool:
    """Tell whether a line holds one number and its unit, and no other word."""
    words = list(words_of(_SPACED.sub(" ", plain(line))))
    return bool(words) and _is_numeral(words[0], "times") and sets()["times"].issuperset(words[1:])


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
    """Return the clause's number if the clause says nothing else."""
    frame = sets()
    if len(clause.numbers) != 1 or clause.numbers[0].value is None:
        return None
    number = clause.numbers[0]
    before, after = clause.words[: number.at], clause.words[number.at + 1 :]
    is_framed = _around("before", clause.kind).issuperset(before)
    if not (is_framed and _around("after", clause.kind).issuperset(after)):
        return None
    if not sets()["exercises"].isdisjoint(before) and not _has_unit(number, after):
        return None
    is_bare = not number.written.endswith("/10")
    if is_bare and not frame["never_after"].isdisjoint(after[:1]):
        return None
    return None if not frame["never_before"].isdisjoint(before[-1:]) else number.value


def _has_unit(number: _Number, after: Sequence[str]) -> bool:
    if not sets()["times"].isdisjoint(after[:1]) or _GLUED.search(number.written):
        return True
    return not number.written.isdecimal() and number.written not in values("rating")


@cache
def _around(side: str, kind: Kind) -> frozenset[str]:
    """Return the words that may stand before or after a number of a kind."""
    return sets()[side] | (sets()[f"{side}_times"] if kind == "times" else frozenset())


def _loose(clause: _Clause) -> Iterator[_Number]:
    """Yield the numbers that could be meant; "one" beside other words is mostly no number."""
    for number in clause.numbers:
        is_filler = number.written in {"one", "satu"} and _stated(clause) is None
        if number.value is not None and not is_filler:
            yield number


def _is_blurred(clauses: Sequence[_Clause], at: int) -> bool:
    """Tell whether the rating is asked, taken back or made vague."""
    known = sets()
    if "?" in clauses[at].ending or any(known["anywhere"] & set(c.words) for c in clauses):
        return True
    for clause in clauses[at + 1 : at + 2]:
        same_sentence = clauses[at].ending.strip() not in {".", "!"} or len(clause.words) <= 1
        first = set(clause.words[:1])
        return bool(first & known["revises"] or (same_sentence and first & known["in_sentence"]))
    return False


def _stands_alone(clauses: Sequence[_Clause], at: int) -> bool:
    """Tell whether neither neighbour makes the number belong to something else."""
    known = sets()
    for clause in clauses[max(0, at - 1) : at]:
        if not (_is_harmless(clause) or _ends_sentence(clause)):
            return False
    for clause in clauses[at + 1 : at + 2]:
        wraps = "\n" in clauses[at].ending and not known["units"].isdisjoint(clause.words[:1])
        words = set(clause.words) - {clause.words[number.at] for number in clause.numbers}
        if wraps or words <= known["elsewhere"]:
            return False
    return True


def _is_harmless(clause: _Clause) -> bool:
    """Tell whether a clause is a greeting, with a name perhaps, or leads to a number."""
    known = sets()
    greets = clause.words[0] in known["greeting"] and not clause.numbers
    kind = (known["courtesy"] | _around("before", clause.kind)).issuperset(clause.words)
    return kind or (greets and len(clause.words) <= _GREETING_WORDS)


def _ends_sentence(clause: _Clause) -> bool:
    mark = clause.ending
    if mark.strip() == "." and clause.words[-1] in sets()["shortened"]:
        return False  # "No. 7"
    return not clause.leads_on and (mark.strip() in {".", "!", "..", "..."} or mark.count("\n") > 1)


def _clauses(text: str, kind: Kind) -> Iterator[_Clause]:
    for match in _CLAUSE.finditer(text):
        words = tuple(words_of(match[1]))
        if words:
            numbers = tuple(_numbers(words, kind))
            yield _Clause(words, numbers, match[2], match[1].rstrip().endswith(":"), kind)


def _numbers(words: Sequence[str], kind: Kind) -> Iterator[_Number]:
    """Find the numbers of a clause; neighbouring number words are one number."""
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and _is_numeral(words[end], kind):
            end += 1
        if end > at:
            yield _number(words, at, end, kind)
        at = max(end, at + 1)


def _number(words: Sequence[str], at: int, end: int, kind: Kind) -> _Number:
    known = sets()
    written, unit = words[at], words[end] if end < len(words) else ""
    labelled = at > 0 and words[at - 1] in known["labels"]
    is_other_unit = unit in known["units"] and not (kind == "times" and unit in known["times"])
    counts = labelled or is_other_unit
    if counts and not written.endswith("/10"):
        return _Number(at)
    if end - at > 1:
        halves = not known["halves"].isdisjoint(words[at:end])
        return _Number(at, doubt="not whole" if halves else "several numbers")
    value = _value(written, kind)
    if value is None and _COUNTED.fullmatch(written):
        return _Number(at)
    if counts or value is None:
        return _Number(at, doubt="something else" if counts else _why_no_value(written))
    return _Number(at, value, written)


def _why_no_value(written: str) -> Reason:
    if written in sets()["halves"] or _IN_PARTS.fullmatch(written):
        return "not whole"
    if written.isdecimal() or written in sets()["other_numbers"]:
        return "out of range"
    return "something else"


def _is_numeral(word: str, kind: Kind) -> bool:
    is_word = word.removesuffix("/10") in values(kind) or word in sets()["other_numbers"]
    return is_word or any(character.isdigit() for character in word)


def _value(written: str, kind: Kind) -> int | None:
    """Return a whole number as it is usually written ("07" is not)."""
    bare = _GLUED.sub("", written) if kind == "times" else written.removesuffix("/10")
    if bare.isdecimal() and len(bare) <= 2:
        value = int(bare)
        return value if value <= MOST[kind] and len(str(value)) == len(bare) else None
    return values(kind).get(bare)
