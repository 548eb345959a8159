"""What takes a number back wherever it stands: it is another's, another week's, or a joke.

The reader of numbers looks at the words around a number; these are looked for in all of them.
Where one is found nothing is read, and a person reads. The words are data: `answers.toml`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from mailcounsel.practice import spelling

# Faces that hold a digit: "8)", ":3", "0:)". Behind a name ("G1:3") it is a number.
_FACE: Final = re.compile(r"(?<![\w.,(])(?:[08]-?\)|:-?[03]|=[03]|[03]:-?\))(?!\w)")
# Pictures that make a number one of hours, pills or children, or turn it round.
_THINGS: Final = re.compile(
    "[\u2190-\u21ff\u231a\u231b\u23e9-\u23f3\u260e\u274c\u2b05-\u2b07\U0001f378-\U0001f37b"
    "\U0001f3e0\U0001f44e\U0001f466-\U0001f469\U0001f476\U0001f489\U0001f48a\U0001f4b0-\U0001f4b8"
    "\U0001f4c5\U0001f4c6\U0001f4de\U0001f4f1\U0001f52a\U0001f550-\U0001f567\U0001f6ac]"
)
_MORE: Final = re.compile(r"(?<!\w)\d{1,2}\+(?!\d)")  # "5+" is any number above
_CLAUSE_END: Final = re.compile(r"[.!?;,\n()\[\]]+|(?<=\s)[-–—]+(?=\s)|^[ \t]*[-–—]+", re.MULTILINE)
_FEWEST_LETTERS: Final = 2


def without_faces(text: str) -> str:
    """Return a text without faces drawn with digits."""
    return _FACE.sub(" ", text)


def takes_back(text: str) -> bool:
    """Tell whether something in an answer says that its numbers are not what was asked for."""
    if _THINGS.search(text) or _MORE.search(text):
        return True
    folded = spelling.folded(text)
    anywhere, alone = _patterns()
    if anywhere.search(folded):
        return True
    return any(alone.fullmatch(clause.strip(" \t:*_\"'")) for clause in _CLAUSE_END.split(folded))


def is_heading(before: str) -> bool:
    """Tell whether what stands before the first name heads the answer: "last week:"."""
    heading = before.strip().removesuffix(":").strip()
    if heading == before.strip() or sum(map(str.isalpha, heading)) < _FEWEST_LETTERS:
        return False
    return re.split(r"[.!,\n]", heading)[-1].strip() not in _data()["headings"]


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = _data()
    anywhere = "|".join(data["anywhere"])
    alone = "|".join((*data["alone"], *data["anywhere"]))
    return re.compile(rf"(?<!\w)(?:{anywhere})(?!\w)"), re.compile(f"(?:{alone})")


def _data() -> dict[str, Any]:
    found: dict[str, Any] = spelling.doubts()
    return found
