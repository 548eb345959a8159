"""One word for each kind of letter, in a case and in the outbox alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailcounsel.cli import kinds

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "en"
NAMES = sorted(path.stem for path in TEMPLATES.glob("*.txt"))


@pytest.mark.parametrize("name", NAMES)
def test_every_letter_has_a_name_that_people_read(name):
    """A hyphen stands only in words that are written so, never in a file's name."""
    word = kinds.of_letter(name).replace("check-in", "").replace("follow-up", "")
    assert "-" not in word


def test_a_reply_needs_no_word_in_a_case_and_has_one_in_the_outbox():
    """Beside its author it says enough; in a column of its own it is named."""
    assert (kinds.of_entry("reply"), kinds.of_letter("reply")) == ("", "reply")
