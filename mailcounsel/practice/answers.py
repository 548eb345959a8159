"""A client's answers to the questions of one check-in: "G1 6 / G2 4 / mood 5 / latihan 3x".

Each question has a name, and what stands between its name and the next one is its answer, read by
`mailcounsel.practice.numbers`. Without names an answer is read where it cannot be mistaken: one
question and one number, or as many bare numbers as there are questions, a line each and in their
order. Every question for itself is a number or *unsure*; a guess is never made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mailcounsel import errors
from mailcounsel.practice import doubts, numbers, spelling
from mailcounsel.practice.names import MOOD, PRACTICE
from mailcounsel.practice.numbers import Number, Unsure
from mailcounsel.practice.spelling import Kind

Answers = dict[str, Number | Unsure]

# What a question is called in a letter; a goal is called by its number everywhere, practice and
# mood where a letter asks about two of them: "P1", "M1".
SPOKEN: Final = {
    "id": {MOOD: "mood", PRACTICE: "latihan"},
    "en": {MOOD: "mood", PRACTICE: "practice"},
}

_NAME: Final = re.compile(
    r"(?<![\w.-])(?:"
    r"(?:g|goal|tujuan|sasaran) ?(?P<goal>\d{1,2})(?![\d%]|[.,/–-]\d| ?(?:x|kali|times|dari|of)\b)"
    r"|(?P<other>[pm]\d{1,2})(?![\d%]|[.,/–-]\d)"
    r"|(?P<mood>moo+d|moodku|moodnya|suasana hati(?:ku|nya)?|perasaan(?:ku)?|feelings?)"
    r"|(?P<practice>latih?an(?:ku|nya)?|lat|berlatih|prac|prac?ti[cs]e|practi[cs]ed?|practi[cs]ing|praktik|praktek)"
    r")(?!\w)"
)
_ASKED: Final = re.compile(r"goal|[GPM][1-9]\d?|mood|practice")
_LEADS: Final = re.compile(r"^[ \t]*(?:[:=]|->|[–-](?=\s))?\s*")
_MARKS: Final = re.compile(r"[\s,;/|&+•·*–-]+$")
_NUMERAL: Final = re.compile(r"\d")
_A_LINE_EACH: Final = re.compile(r"\n+| / ")
# "Goal: 8", where nothing else was asked.
_ITS_NAME: Final = re.compile(r"(?i)^\s*(?:goal|tujuan|sasaran) ?[:=]? ?(?=\d)")
_A_ROW: Final = re.compile(r"\d{1,2}(?:/10)? ?(?:x|kali|times)?|[^\W\d]{3,10}")
_PARTS_OF_A_DATE: Final = 3
_FEWEST_IN_ONE_LINE: Final = 3  # "6 / 4" may be a date or a range, "6 / 4 / 5" is not


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: its name in the letter (`G1`, `mood`, `practice`) and what answers it."""

    name: str
    kind: Kind = "rating"


def question(name: str) -> Question:
    """Return the question of a name: practice is answered by a count, all others by a rating."""
    return Question(name, "times" if name == PRACTICE or name.startswith("P") else "rating")


def questions_of(names: str) -> list[Question]:
    """Return the questions a person names with commas between: "goal", or "G1,G2,mood,practice".

    Raises: Refused for another name, or one that stands there twice.
    """
    found = [name.strip() for name in names.split(",")]
    if len(set(found)) < len(found) or not all(_ASKED.fullmatch(name) for name in found):
        message = f'Write the questions as "goal" or "G1,G2,mood,practice", not {names!r}.'
        raise errors.Refused(message)
    return [question(name) for name in found]


def read(text: str, questions: Sequence[Question], language: str | None = None) -> Answers:  # noqa: ARG001
    """Read the new words of an answer (quotes already left out): each question's number, or unsure.

    Both languages are always read, since people answer in either; `language` is a hint for words
    that would mean something else in another one. There are none yet.
    """
    if not text.strip():
        return _unsure(questions, Unsure("empty"))
    if len(text) > numbers.LONGEST:
        return _unsure(questions, Unsure("too long"))
    text = doubts.without_faces(text)
    if doubts.takes_back(text):
        return _unsure(questions, Unsure("hedged"))
    named = _named(text, questions)
    if named is not None:
        return named
    if len(questions) == 1:
        alone = _ITS_NAME.sub("", text) if questions[0].kind == "rating" else text
        return {questions[0].name: numbers.number(alone, questions[0].kind)}
    return _in_order(text, questions) or _unsure(questions, _why_not(text))


def by_name(text: str, questions: Sequence[Question]) -> dict[str, Number]:
    """Read the certain numbers of an answer to questions it gives by their names, and no others."""
    if len(text) > numbers.LONGEST:
        return {}
    text = doubts.without_faces(text)
    named = None if doubts.takes_back(text) else _named(text, questions)
    return {name: said for name, said in (named or {}).items() if isinstance(said, Number)}


def numbered(text: str) -> set[str]:
    """Return the names a text gives a certain number, asked or not: {"G1", "mood", "practice"}."""
    folded = spelling.folded(doubts.without_faces(text[: numbers.LONGEST]))
    found = [one for one in _NAME.finditer(folded) if not one["other"]]
    parts = _parts(folded, found) if found else ()
    kinds = [(part.name, numbers.number(part.words, question(part.name).kind)) for part in parts]
    return {name for name, said in kinds if isinstance(said, Number)}


def _unsure(questions: Sequence[Question], why: Unsure) -> Answers:
    return {one.name: why for one in questions}


def _why_not(text: str) -> Unsure:
    has_number = bool(_NUMERAL.search(text)) or numbers.has_number(text)
    return Unsure("several numbers" if has_number else "no number")


# -- by name --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between a name and the next. `clear`: what stands before the name allows it."""

    name: str
    words: str
    clear: bool


def _named(text: str, questions: Sequence[Question]) -> Answers | None:
    """Read the parts by their names; None where no question is named, or a number stands before."""
    folded = spelling.folded(text)
    asked = {one.name for one in questions}
    found = [one for one in _NAME.finditer(folded) if not one["other"] or _name(one) in asked]
    if asked.isdisjoint(_name(match) for match in found):
        return None
    before = folded[: found[0].start()]
    if doubts.is_heading(before):
        return _unsure(questions, Unsure("hedged"))
    if not numbers.counts_only(before):
        alone = len(questions) == 1
        return None if alone else _unsure(questions, Unsure("several numbers"))
    parts = list(_parts(folded, found))
    return {one.name: _of_parts([p for p in parts if p.name == one.name], one) for one in questions}


def _name(match: re.Match[str]) -> str:
    if match["goal"]:
        return f"G{int(match['goal'])}"
    if match["other"]:
        return match["other"].upper()
    return MOOD if match["mood"] else PRACTICE


def _parts(folded: str, found: Sequence[re.Match[str]]) -> Iterator[_Part]:
    """Cut the text at the names; a joining word before a name belongs to that name."""
    ends = [match.start() for match in found[1:]] + [len(folded)]
    clear = numbers.leads_only(folded[: found[0].start()])
    for match, end in zip(found, ends, strict=True):
        is_last = end == len(folded)
        words = folded[match.end() : end]
        kept, next_is_clear = (words, True) if is_last else _without_joint(words)
        yield _Part(_name(match), _LEADS.sub("", kept, count=1), clear)
        clear = next_is_clear


def _without_joint(words: str) -> tuple[str, bool]:
    """Leave out what only leads to the next name, and tell whether nothing else does."""
    known = spelling.sets()
    rest = words.rstrip()
    while True:
        bare = _MARKS.sub("", rest)
        last = bare.rsplit(None, 1)[-1] if bare else ""
        if last not in known["joints"]:
            break
        rest = bare.removesuffix(last).rstrip()
    is_marked = not rest or not (rest[-1].isalnum() or rest[-1] == "'")
    ends = last in known["times"] | known["courtesy"] or numbers.has_number(last)
    return bare, is_marked or ends


def _of_parts(parts: Sequence[_Part], asked: Question) -> Number | Unsure:
    """Return what the parts of one question say: all that hold a number must say the same."""
    said = [
        numbers.number(part.words, asked.kind) if part.clear else Unsure("something else")
        for part in parts
    ]
    telling = {one for one in said if one not in {Unsure("empty"), Unsure("no number")}}
    if len(telling) == 1:
        return telling.pop()
    return Unsure("several numbers" if telling else "no number")


# -- in their order -------------------------------------------------------------------------------


def _in_a_row(seen: str, many: int) -> list[str]:
    """Return the parts of "6 4 5 3" or "6, 4, 5, 3x"; of marks that dates have, from four on."""
    if many < _FEWEST_IN_ONE_LINE:
        return []
    for separator in (r"\s*[,;]\s*|\s+", r"\s*[/-]\s*")[: 1 + (many > _PARTS_OF_A_DATE)]:
        parts = re.split(separator, seen.rstrip(". "))
        if len(parts) == many and all(_A_ROW.fullmatch(part) for part in parts):
            return parts
    return []


def _in_order(text: str, questions: Sequence[Question]) -> Answers | None:
    """Read as many bare numbers as there are questions, a line each; None for anything else."""
    seen = spelling.folded(text).strip()
    lines = _in_a_row(seen, len(questions))
    lines = lines or [line for line in _A_LINE_EACH.split(seen) if line.strip()]
    lines = [line for line in lines if not numbers.is_courtesy(line)]
    in_one_line = "\n" not in text.strip()
    if len(lines) != len(questions) or (in_one_line and len(lines) < _FEWEST_IN_ONE_LINE):
        return None
    said = [
        numbers.number(line, one.kind) if numbers.is_bare(line) else Unsure("several numbers")
        for line, one in zip(lines, questions, strict=True)
    ]
    if not all(isinstance(one, Number) for one in said):
        return None
    return {one.name: value for one, value in zip(questions, said, strict=True)}
