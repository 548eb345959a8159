"""The inputs that broke something once, and those the fuzzer begins with: none breaks anything."""

from __future__ import annotations

import random

import pytest

from fuzz import mutate, targets
from fuzz.__main__ import CORPUS, corpus

ALL = [*targets.PLAIN, *targets.SPOKEN]


@pytest.mark.parametrize("name", targets.PLAIN)
def test_no_input_breaks_what_reads_it(name):
    """Each of the corpus, and some bent ones, seeded so that every run is the same."""
    inputs, dice = corpus(name), random.Random(7)
    for data in (*inputs, *(mutate.bent(dice, inputs) for _ in range(200))):
        targets.PLAIN[name](data)


@pytest.mark.parametrize("name", targets.SPOKEN)
def test_no_input_breaks_a_conversation(name):
    """The same over a line on this machine."""
    inputs, dice = corpus(name), random.Random(7)
    with targets.SPOKEN[name]() as talk:
        for data in (*inputs, *(mutate.bent(dice, inputs) for _ in range(50))):
            talk(data)


def test_every_target_has_a_corpus_and_every_corpus_a_target():
    """Nothing is fed with nothing, and nothing lies about unread."""
    assert sorted(path.name for path in CORPUS.iterdir()) == sorted(ALL)


def test_a_run_can_be_repeated():
    """The same seed bends the same inputs in the same way."""
    inputs = corpus("addresses")
    first, second = (
        [mutate.bent(dice, inputs) for _ in range(50)]
        for dice in (random.Random(3), random.Random(3))
    )
    assert first == second
    assert len(set(first)) > 40
