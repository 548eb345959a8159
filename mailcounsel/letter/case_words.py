"""A case's name in three plain words, such as "river lemon kite": written, and found in a letter.

The words stand in `case_words.toml`, 128 a language. A name is three places in the list, the same
in every language, all different: 128 · 127 · 126 names, just short of 21 bits.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources

Places = tuple[int, int, int]

SIZE = 128
LONGEST = 50_000  # characters of a letter that are looked through

# Three words in a row, with blanks or hyphens between them; anything else ends a row.
_PIECE = re.compile(r"[a-z]+|[^a-z\s\-‐‑–]+")


@functools.cache
def words() -> Mapping[str, tuple[str, ...]]:
    """Return the words of each language, in the order that counts."""
    text = resources.files(__package__).joinpath("case_words.toml").read_text("utf-8")
    return {language: tuple(listed.split()) for language, listed in tomllib.loads(text).items()}


@functools.cache
def _places() -> Mapping[str, Mapping[str, int]]:
    return {
        language: {word: place for place, word in enumerate(listed)}
        for language, listed in words().items()
    }


def written(places: Places, language: str) -> str:
    """Return a name as words of a language, the English ones where it has none."""
    listed = words().get(language, words()["en"])
    return " ".join(listed[place] for place in places)


def find(text: str) -> Places | None:
    """Return the first name a letter holds, whether a case has it or not; None without any."""
    pieces = _PIECE.findall(text[:LONGEST].casefold())
    found = [_first_in(pieces, places) for places in _places().values()]
    return min(filter(None, found), default=(0, None))[1]


def _first_in(pieces: Sequence[str], places: Mapping[str, int]) -> tuple[int, Places] | None:
    """Return the first name in one language, and at which piece it begins."""
    at = [number for number, piece in enumerate(pieces) if piece in places]
    for first, second, third in zip(at, at[1:], at[2:], strict=False):
        if third == first + 2:
            name = (places[pieces[first]], places[pieces[second]], places[pieces[third]])
            if len(set(name)) == 3:
                return first, name
    return None
