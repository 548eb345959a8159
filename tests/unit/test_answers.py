"""Answers to check-ins, in own sentences: what is certain is read, and nothing is ever misread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel import errors
from mailcounsel.practice import answers
from mailcounsel.practice.numbers import MOST, Number, Unsure

FOLDER = Path(__file__).parent.parent / "answers"
UNSURE = {"unsure", "?"}


@dataclass(frozen=True)
class Sentence:
    """What a client wrote, and what a careful person would take from it."""

    asked: tuple[str, ...]
    expected: tuple[int | None, ...]
    text: str

    @property
    def is_held_out(self) -> bool:
        """Half of the sentences were never looked at while the words were chosen."""
        return hashlib.sha256(f"{self.asked} {self.text}".encode()).digest()[0] % 2 == 1

    def read(self) -> tuple[int | None, ...]:
        questions = [answers.question(name) for name in self.asked]
        said = answers.read(self.text, questions)
        return tuple(one.value if isinstance(one, Number) else None for one in said.values())


def sentences() -> Iterator[Sentence]:
    """Read the files: `goal.tsv` asks one question of that name, `several.tsv` says which."""
    for path in sorted(FOLDER.glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            if not line.startswith("#"):
                cells = line.split("\t")
                asked = cells[0] if len(cells) == 3 else path.stem
                expected = [None if c in UNSURE else int(c) for c in cells[-2].split()]
                text = cells[-1].replace("\\n", "\n")
                yield Sentence(tuple(asked.split(",")), tuple(expected), text)


ALL = list(sentences())


def misread(found: Sentence) -> bool:
    """Tell whether any question got a number that a careful person would not have taken."""
    pairs = zip(found.read(), found.expected, strict=True)
    return any(said is not None and said != wanted for said, wanted in pairs)


def left(found: Sentence) -> int:
    """Count the certain numbers that were left to a person."""
    pairs = zip(found.read(), found.expected, strict=True)
    return sum(said is None and wanted is not None for said, wanted in pairs)


def test_there_are_enough_sentences() -> None:
    """Five hundred own sentences, none twice, about half of them held out."""
    assert len(set(ALL)) == len(ALL) >= 500
    assert 0.4 < sum(one.is_held_out for one in ALL) / len(ALL) < 0.6


@pytest.mark.parametrize("held_out", [False, True])
def test_no_sentence_is_misread(held_out: bool) -> None:
    """A wrong number is far worse than none: there is not one, in either half."""
    assert [one.text for one in ALL if one.is_held_out == held_out and misread(one)] == []


@pytest.mark.parametrize(
    ("asked", "text", "said"),
    [
        ("goal", "7\n\nHP 0812-0000-0000", (7,)),
        ("goal", "From 0 to 10 I am at 6", (6,)),
        ("goal", "Masih mentok di 5", (5,)),
        ("goal", "sy ksh 5 y kak, mksh", (5,)),
        ("practice", "3 out of 7 days", (3,)),
        ("practice", "4x dari 6 malam", (4,)),
        ("practice", "none at all", (0,)),
        ("goal", "7 (tujuh)", (7,)),
        ("practice", "3 (three) times", (3,)),
        ("practice", "tidak sama sekali", (0,)),
        ("practice", "Not once, I'm afraid", (0,)),
        ("mood,practice", "Anak saya umur 9 tahun. Mood 2, lat 1x", (2, 1)),
        ("G1,practice", "Tgl 14 Maret. G1 5, latihan 4x", (5, 4)),
    ],
)
def test_a_certain_answer_is_read(asked: str, text: str, said: tuple[int, ...]) -> None:
    """What stands around a certain answer in an everyday letter does not hide it."""
    assert Sentence(tuple(asked.split(",")), said, text).read() == said


def test_half_of_what_a_stranger_says_for_certain_is_read() -> None:
    """A reader that is sure of nothing would misread nothing: so much has to be read."""
    certain = sum(value is not None for one in ALL for value in one.expected)
    assert sum(map(left, ALL)) <= 0.35 * certain


@given(st.text(max_size=60) | st.text("gG12 6745/=,.\nmodlatihnx", max_size=24))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever comes, each question has a number within its scale, or is unsure."""
    questions = answers.questions_of("G1,G2,mood,practice")
    for asked, said in zip(questions, answers.read(text, questions).values(), strict=True):
        assert isinstance(said, Unsure) or 0 <= said.value <= MOST[asked.kind]


@pytest.mark.parametrize("text", ["7 (8)", "7(8)", "7 (delapan)"])
def test_another_number_in_brackets_is_another_number(text: str) -> None:
    """No face either: an eye has no bracket before it."""
    assert isinstance(answers.read(text, [answers.question("goal")])["goal"], Unsure)


@pytest.mark.parametrize("names", ["", "G1,,G2", "G0", "sleep", "goal,goal", "G1;G2", "G1,G1"])
def test_questions_nobody_asks_are_refused(names: str) -> None:
    """A misspelt question would be unsure for ever, so it is told at once."""
    with pytest.raises(errors.Refused):
        answers.questions_of(names)


if __name__ == "__main__":
    for is_held_out in (False, True):
        half = [one for one in ALL if one.is_held_out == is_held_out]
        certain = sum(value is not None for one in half for value in one.expected)
        wrong = [one for one in half if misread(one)]
        missed = sum(map(left, half))
        print(f"held out: {is_held_out}; {len(half)} sentences, {len(wrong)} misread,", end=" ")
        print(f"{certain - missed} of {certain} certain numbers read, {missed} left to a person")
        for one in half if not is_held_out else []:
            if misread(one) or left(one):
                what = "WRONG" if misread(one) else "left"
                print(f"  {what}: {one.asked} {one.text!r} {one.read()}")
