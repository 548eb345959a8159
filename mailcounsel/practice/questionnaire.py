"""The answers in a client's reply to a questionnaire: read when certain, never guessed.

People answer in a row ("1 0 2 1 0"), by number ("3: 2", "3. several days"), in words, or beneath
the quoted questions. Each item ends as a certain value, as missing, or as doubtful with a reason;
what is doubtful goes to a person. An item that asks for danger counts as raised unless it is
certainly zero or was not touched, since a doubt about it is worth a person's minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from mailcounsel.letter import fold
from mailcounsel.practice.chosen import (
    ROUND_A_WORD,
    Reason,
    Said,
    has_digit,
    is_courtesy,
    kept,
    listed,
    plain,
    single,
    words_of,
)
from mailcounsel.practice.instruments import Measure

_LONGEST: Final = 20_000
_MARKS: Final = re.compile(r"^[ \t]*(?:[>|][ \t]?)+")
_TIME: Final = r"\d{1,2}[:.]\d{2}(?!\d)"
_LABEL: Final = re.compile(
    rf"(?:(?<=^)|(?<=[\s,;/(]))(?!{_TIME})(?:(?:no|nomor|q|item|pertanyaan|soal|question)\.?\s*)?"
    r"(\d{1,2})\s*(?:[:=)]|->|→|(?<=^\d)\.(?=\s)|(?<=^\d\d)\.(?=\s))\s*"
)
_PAIR: Final = re.compile(r"\s*(\d{1,2})\s*[-–./ ]\s*(\d{1,2})\s*")
_SPLIT: Final = re.compile(r"[,;/|\t\n]+|\s{2,}|(?<=\w)[.!](?=\s|$)")
_BETWEEN: Final = " /|\t"  # what people put between one answer with its number and the next
_GAP: Final = re.compile(r"\s{4,}")
_DEVICE: Final = re.compile(r"^\s*(?:sent from|get outlook|dikirim dari|terkirim dari)\b")


@dataclass(frozen=True, slots=True)
class Answers:
    """What a reply says of each item, in order.

    `items` holds certain values only; `doubts` says why an item (from 1) is doubtful, item 0 why
    nothing could be placed. An item in neither is missing; `refused` names those that were left out
    with a hyphen, as the letter invites. `says_more` tells that there are other words, which a
    person should read.
    """

    items: tuple[int | None, ...]
    doubts: Mapping[int, Reason]
    says_more: bool
    is_danger: bool
    refused: frozenset[int] = frozenset()

    @property
    def is_certain(self) -> bool:
        """Tell whether nothing is doubtful; items may be missing."""
        return not self.doubts

    @property
    def is_whole(self) -> bool:
        """Tell whether every item has a certain value."""
        return self.is_certain and None not in self.items


@dataclass(slots=True)
class _Found:
    """What is gathered while reading."""

    said: dict[int, list[Said]] = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    cells: list[Said] = field(default_factory=list)
    whole: Reason | None = None
    more: bool = False

    def add(self, number: int, said: Said) -> None:
        self.said.setdefault(number, []).append(said)
        self.more |= said.more


def read(text: str, measure: Measure, sent: str = "") -> Answers:
    """Read the answers in the whole text of a reply, quotes included. Never raises.

    `sent` is the text of the letter that asked: its lines answer nothing, however they are quoted.
    """
    if len(text) > _LONGEST:
        return _answers(measure, _Found(whole="too long", more=True))
    found = _Found()
    _beneath_questions(text, measure, found, sent)
    if not found.said and not any(line.strip() for line in found.loose):
        found.whole = "empty"
        return _answers(measure, found)
    _by_number(measure, found)
    _in_a_row(measure, found)
    _notice_words(found)
    return _answers(measure, found)


# -- beneath the questions ----------------------------------------------------------------------


def _beneath_questions(text: str, measure: Measure, found: _Found, sent: str) -> None:
    """Take the answers that stand beside or beneath the questions; leave the other lines loose."""
    current, asked, legend = 0, "", _legend(text, measure)
    below: dict[int, list[str]] = {}
    for line, marked, old in _lines(text, sent):
        number, rest = _question_of(line, measure)
        if number:
            current, asked = number, rest if marked or old else ""
            if rest.strip(ROUND_A_WORD + " ") and not _goes_on(rest, asked, measure, number):
                found.add(number, single(rest, measure))
                current = 0 if old else current
        elif marked or line.strip() in legend or (old and not _is_answer(line, measure)):
            current = current if not line.strip() or _belongs(line, current, measure) else 0
        elif current and line.strip():
            below.setdefault(current, []).append(line)
        elif current in below:
            current = 0  # after a gap comes something else, such as a name
        else:
            found.loose.append(line)
    for number, lines in below.items():
        found.add(number, single(" ".join(lines), measure))


def _legend(text: str, measure: Measure) -> frozenset[str]:
    """Return the lines that only say what each number means, where all of them are there."""
    lines = {" ".join(plain(_MARKS.sub("", line)).split()) for line in text.splitlines()}
    wanted = {plain(f"{option.value} = {option.words}") for option in measure.options}
    return frozenset(wanted) if wanted <= lines else frozenset()


def _is_answer(line: str, measure: Measure) -> bool:
    said = single(line, measure)
    return said.value is not None and not said.more


def _lines(text: str, sent: str) -> Iterator[tuple[str, bool, bool]]:
    """Yield each line folded, whether it has quote marks, and whether it is old without marks."""
    spans = [span for span in fold.fold(text, (sent,) if sent else ()) if span.kind == "quote"]
    at = 0
    for raw in text.splitlines(keepends=True):
        start, at = at, at + len(raw)
        inside = any(span.start <= start < span.end for span in spans)
        marked = _MARKS.match(raw) is not None
        line = _GAP.sub("   ", plain(_MARKS.sub("", raw)))
        if not _DEVICE.match(line):
            yield line, marked, inside and not marked


def _question_of(line: str, measure: Measure) -> tuple[int, str]:
    """Return the number of the question a line begins with, and what stands after its words.

    0 where it begins with none. A question may be broken over lines; then nothing stands after.
    """
    label = re.match(r"\s*(\d{1,2})[.)]\s+", line)
    number = int(label[1]) if label else 0
    if not label or not 1 <= number <= len(measure.items):
        return 0, ""
    asked, words = words_of(measure.items[number - 1]), words_of(line[label.end() :])
    shared = 0
    while shared < min(len(asked), len(words)) and asked[shared] == words[shared]:
        shared += 1
    if not shared or shared < min(2, len(asked), len(words)):
        return 0, ""
    return number, "" if shared == len(words) else " ".join(line.split()[shared + 1 :])


def _goes_on(rest: str, asked: str, measure: Measure, number: int) -> bool:
    """Tell whether what stands after the shared words is the question itself, written otherwise."""
    words = words_of(measure.items[number - 1])
    return bool(asked) and len(words_of(rest)) > 3 and set(words_of(rest)) <= set(words)


def _belongs(line: str, current: int, measure: Measure) -> bool:
    """Tell whether a quoted line goes on with the question above it."""
    if not current:
        return False
    return set(words_of(line)) <= set(words_of(measure.items[current - 1]))


# -- by number, in a row ------------------------------------------------------------------------


def _by_number(measure: Measure, found: _Found) -> None:
    """Take the answers with their numbers ("3: 2") out of the loose lines."""
    pairs = _pairs(found.loose, len(measure.items))
    if pairs:
        found.loose = []
        for number, value in pairs:
            found.add(number, single(value, measure))
        return
    left = []
    for line in found.loose:
        labels = [one for one in _LABEL.finditer(line) if 1 <= int(one[1]) <= len(measure.items)]
        left.append(line[: labels[0].start()] if labels else line)
        for at, label in enumerate(labels):
            end = labels[at + 1].start() if at + 1 < len(labels) else len(line)
            found.add(int(label[1]), single(line[label.end() : end].rstrip(_BETWEEN), measure))
    found.loose = left


def _pairs(lines: Iterable[str], items: int) -> list[tuple[int, str]]:
    """Return number and answer of lines like "1 - 2", where they are all there and in order."""
    filled = [line for line in lines if line.strip() and not is_courtesy(line)]
    matches = [_PAIR.fullmatch(line) for line in filled]
    pairs = [(int(match[1]), match[2]) for match in matches if match]
    whole = [number for number, _ in pairs] == list(range(1, items + 1)) and len(matches) == items
    return pairs if whole else []


def _in_a_row(measure: Measure, found: _Found) -> None:
    """Take the answers of lines that hold nothing else, where there is one for each item."""
    prose = []
    for line in found.loose:
        cells = _cells(line, measure)
        if cells is None:
            prose.append(line)
        else:
            found.cells += cells
    found.loose = prose
    is_row = len(found.cells) == len(measure.items)
    if is_row and not any(has_digit(one) for one in prose):
        for number, cell in enumerate(found.cells, 1):
            found.add(number, cell)
    elif found.cells or not found.said:
        found.whole = "how many" if found.cells else "no answer"
        found.more |= bool(prose)


def _cells(line: str, measure: Measure) -> list[Said] | None:
    """Return the answers of a line that holds answers only; None where it holds other words."""
    solid = _solid(line, measure)
    if solid:
        return [single(one, measure) for one in solid]
    cells: list[Said] = []
    for piece in _SPLIT.split(_without_lead(line)):
        bare = kept(piece)
        if not bare:
            continue
        whole = single(piece, measure)
        if whole.doubt is None and not whole.more:
            cells.append(whole)
            continue
        parts = [single(word, measure) for word in bare.split()]
        if any(part.doubt == "other words" for part in parts):
            return None
        cells += parts
    return cells


def _solid(line: str, measure: Measure) -> list[str]:
    """Return the answers of "102100120" or "1-0-2-1", where they are exactly as many as items."""
    bare, items = kept(_without_lead(line)).strip(ROUND_A_WORD), len(measure.items)
    if items > 1 and re.fullmatch(rf"\d{{{items}}}", bare) and max(measure.values) < 10:
        return list(bare)
    numbers = re.split(r"\s*[-–./|:]\s*", bare)
    is_row = len(numbers) == items > 2 and all(one.isdecimal() for one in numbers)
    return numbers if is_row else []


def _without_lead(line: str) -> str:
    """Leave out what introduces a row: "my answers: 1 0 2"."""
    lead, colon, rest = line.partition(":")
    return rest if colon and is_courtesy(lead) and rest.strip() else line


# -- putting it together ------------------------------------------------------------------------


def _notice_words(found: _Found) -> None:
    """See whether the other words of the letter take an answer back, or say more."""
    for line in found.loose:
        words = set(words_of(line))
        if words & listed("taken_back"):
            found.whole = found.whole or "vague"
        found.more |= bool(words) and not is_courtesy(line)


def _answers(measure: Measure, found: _Found) -> Answers:
    items: list[int | None] = []
    refused = {number for number, said in found.said.items() if all(one.refused for one in said)}
    doubts: dict[int, Reason] = {0: found.whole} if found.whole else {}
    for number in range(1, len(measure.items) + 1):
        said = found.said.get(number, [])
        values = {one.value for one in said if one.value is not None}
        doubt = next((one.doubt for one in said if one.doubt), None)
        if doubt is None and len(values) > 1:
            doubt = "several"
        if doubt:
            doubts[number] = doubt
        items.append(values.pop() if len(values) == 1 and not doubt else None)
    is_danger = any(_is_raised(measure, found, number) for number in measure.danger)
    if found.whole:
        items, refused = [None] * len(items), set()
    return Answers(tuple(items), doubts, found.more, is_danger, frozenset(refused))


def _is_raised(measure: Measure, found: _Found, number: int) -> bool:
    """Tell whether an item that asks for danger was answered, or may have been, above zero."""
    said = found.said.get(number, [])
    if any(one.doubt or one.value for one in said):
        return True
    if said or not found.cells:
        return False
    # A row with a gap or with one too many: nobody knows which answer is this item's.
    off = len(found.cells) - len(measure.items)
    near = found.cells[max(0, number - 2) : number + 1] if abs(off) <= 1 else found.cells
    return any(one.doubt or one.value for one in near)
