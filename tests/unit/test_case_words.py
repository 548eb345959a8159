"""A case's name in three plain words: the lists, and finding a name in a letter."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from mailcounsel.intake.looking import Plan
from mailcounsel.letter import case_words


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_list_has_its_words(language):
    """128 different ones, short and of plain letters: with three in a row, over 20 bits."""
    listed = case_words.words()[language]
    assert len(set(listed)) == len(listed) == case_words.SIZE
    assert all(re.fullmatch("[a-z]{3,9}", word) for word in listed)
    assert 128 * 127 * 126 > 2**20


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("places", [(0, 1, 2), (127, 5, 64)])
def test_what_is_written_is_found(language, places):
    """In a sentence, with hyphens, in capitals, over the end of a line."""
    name = case_words.written(places, language)
    for said in (name, name.upper(), name.replace(" ", "-"), name.replace(" ", "\n")):
        assert case_words.find(f"Hello, it is me again, {said}! I moved.") == places


def test_a_language_without_a_list_has_the_english_words():
    """A name is never missing."""
    assert case_words.written((0, 1, 2), "de") == case_words.written((0, 1, 2), "en")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bridge table",
        "bridge, table, window",  # a list of things is no name
        "bridge table window".replace(" ", "\n> "),
        "bridge bridge bridge",
        "bridge jembatan table",  # of two languages
        "bridge 1 table 2 window",
    ],
)
def test_other_words_are_no_name(text):
    """Three of one language's list in a row, all different, or nothing."""
    assert case_words.find(text) is None


def test_the_first_name_counts():
    """A letter that lists many is one guess."""
    first, second = case_words.written((1, 2, 3), "en"), case_words.written((4, 5, 6), "en")
    assert case_words.find(f"{first}. {second}.") == (1, 2, 3)


def test_a_letter_of_names_is_looked_through_quickly():
    """Ten megabytes of words cost no more than their beginning."""
    assert case_words.find("bridge table " * 800_000) is None


@pytest.mark.parametrize("odd", ["", "known", "proved", "automatic", "junk", "wordless"])
def test_only_a_strangers_new_letter_names_a_case(odd):
    """One that is proved, placed already, automatic or from Junk proposes and asks nothing."""
    parts: dict[str, Any] = {
        "envelope": SimpleNamespace(suspect=odd == "junk"),
        "vouched": SimpleNamespace(is_proved=odd == "proved"),
        "kind": SimpleNamespace(kind="automatic" if odd == "automatic" else "letter"),
        "placement": SimpleNamespace(case=object() if odd == "known" else None),
        "assessed": SimpleNamespace(case_word=None if odd == "wordless" else (1, 2, 3)),
    }
    parts |= dict.fromkeys(("inbox", "opened", "decision"))
    plan = Plan(**parts)
    assert plan.names_a_case is (odd == "")
