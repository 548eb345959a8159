"""What people call that which a client is asked about."""

from __future__ import annotations

import pytest

from mailcounsel.casework import questions
from mailcounsel.practice import answers, names


@pytest.mark.parametrize(
    ("asks", "name"),
    [("goal", "G3"), ("measure", "Q12"), ("practice", "P1"), ("mood", "M2")],
)
def test_a_name_is_read_as_it_was_given(asks, name):
    """In small letters as well; each kind has a letter of its own."""
    number = int(name[1:])
    assert names.of(asks, number) == name
    assert names.read(name) == names.read(name.lower()) == (asks, number)


def test_a_bare_number_is_a_goals():
    """As it was before the other kinds had letters."""
    assert names.read("2") == ("goal", 2)


@pytest.mark.parametrize("written", ["", "G", "G0", "Z1", "G-1", "G1 ", "G1x", "G٣", "1" * 30])
def test_what_is_no_name_is_none(written):
    """Nothing is guessed, and no number is too large for a database."""
    assert names.read(written) is None


def named(*rows):
    asking = [{"id": goal_id, "asks": asks, "number": n} for goal_id, asks, n in rows]
    return [(one.name, one.kind) for one in questions.named(asking)]


def test_in_a_letter_only_goals_have_a_number():
    """Practice and mood go by their word, whatever their number is."""
    rows = ("a", "practice", 2), ("b", "goal", 1), ("c", "mood", 1)
    assert named(*rows) == [("practice", "times"), ("G1", "rating"), ("mood", "rating")]


def test_two_of_a_kind_never_take_a_goals_name():
    """Two practices, two moods, and two goals of merged cases: each has a name of its own."""
    rows = ("a", "practice", 1), ("b", "goal", 1), ("c", "practice", 2), ("d", "goal", 1)
    assert [name for name, _ in named(*rows)] == ["P1", "G1", "P2", "G3"]
    rows = ("a", "mood", 1), ("b", "practice", 1), ("c", "mood", 1), ("d", "practice", 1)
    assert [name for name, _ in named(*rows)] == ["M1", "P1", "M2", "P3"]


@pytest.mark.parametrize(
    ("asked", "text", "said"),
    [
        ("G1,P1,P2", "G1 6 / P1 3x / P2 0x", [6, 3, 0]),
        ("G1,P1,P2", "p2 dua kali, p1 3, g1 enam", [6, 3, 2]),
        ("M1,M2", "M1 4, m2 7", [4, 7]),
        ("G1,P1,P2", "G1 6, P1 3x", [6, 3, None]),
        ("G1,P1,P2", "G1 6, P3 3x, P2 1x", [None, None, 1]),
        ("G1,mood", "G1 6, jalan ke blok m2, mood 5", [None, 5]),
    ],
)
def test_an_answer_is_read_by_the_names_of_its_letter(asked, text, said):
    """P1 and M1 are names where they were asked, and nothing but words where they were not."""
    read = answers.read(text, answers.questions_of(asked))
    assert [getattr(one, "value", None) for one in read.values()] == said
