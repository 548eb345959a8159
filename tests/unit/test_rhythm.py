"""How often letters come: read where the words say it, and never guessed."""

from __future__ import annotations

import pytest

from mailcounsel.practice import rhythm


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("every week", 7), ("Weekly", 7), ("once a week", 7), ("a letter when it fits", 0),
        ("every two weeks", 14), ("every 2 weeks", 14), ("every other week", 14),
        ("fortnightly", 14), ("every 10 days", 10), ("twice a week", 4), ("3 times a week", 3),
        ("every day", 1), ("every month", 30), ("setiap minggu", 7), ("tiap 2 minggu", 14),
        ("dua minggu sekali", 14), ("seminggu sekali", 7), ("seminggu dua kali", 4),
        ("dua kali seminggu", 4), ("every 0 days", 0), ("every 99 weeks", 0), ("", 0),
        ("every week or so", 0), ("every three months", 0),
    ],
)  # fmt: skip
def test_a_rhythm_in_words_is_a_number_of_days(words, days):
    """What is said in either language counts; anything else leaves the promise as it was."""
    assert rhythm.days(words) == days
