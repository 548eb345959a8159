"""What people call that which a client is asked about: G1 is a goal, Q2 a questionnaire.

Each kind counts for itself in a case, in the order it was agreed. Nothing is numbered anew, so a
name stays with what it was given to.
"""

from __future__ import annotations

import re
from typing import Final

GOAL, MEASURE, PRACTICE, MOOD = "goal", "measure", "practice", "mood"  # what a row may ask

_LETTERS: Final = {GOAL: "G", MEASURE: "Q", PRACTICE: "P", MOOD: "M"}
_KINDS: Final = {letter: asks for asks, letter in _LETTERS.items()} | {"": GOAL}
_NAME: Final = re.compile(r"([GQPM]?)([1-9][0-9]{0,5})")


def of(asks: str, number: int) -> str:
    """Return the name of a row of `goal`, by what it asks and its number."""
    return f"{_LETTERS[asks]}{number}"


def read(written: str) -> tuple[str, int] | None:
    """Return what a name asks and its number: "G1", "q2", or "1" for a goal; None for others."""
    match = _NAME.fullmatch(written.upper())
    return (_KINDS[match[1]], int(match[2])) if match else None
