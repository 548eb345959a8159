"""Guess the language of a letter from its commonest words, or say that it is unknown.

A hint that a person can overrule: it chooses templates, never what is done about a danger.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources


@functools.cache
def _common() -> Mapping[str, frozenset[str]]:
    source = resources.files("mailcounsel.letter").joinpath("common_words.toml")
    words: dict[str, str] = tomllib.loads(source.read_text("utf-8"))
    return {language: frozenset(listed.split()) for language, listed in words.items()}


_WORD = re.compile(r"[^\W\d_]++(?:'[^\W\d_]++)?+")
_LOOKED_AT = 2_000  # characters: who has not shown their language by then does not later
_CLEAR_LEAD = 1.5
_FEWEST = 1


def guess(text: str, languages: Sequence[str], headers_hint: str | None = None) -> str | None:
    """Return one of *languages*, or None when the words do not say.

    *headers_hint* is a Content-Language or Accept-Language value; it decides only where the
    words are undecided.
    """
    words = _WORD.findall(text[:_LOOKED_AT].casefold().replace("’", "'"))
    common = _common()
    scores = {
        language: sum(map(common.get(language, frozenset()).__contains__, words))
        for language in languages
    }
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    if not ranked:
        return None
    best, score = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0
    if score >= _FEWEST and score >= _CLEAR_LEAD * second and 10 * score >= len(words):
        return best
    return _hinted(headers_hint, languages)


def _hinted(hint: str | None, languages: Sequence[str]) -> str | None:
    for part in (hint or "")[:200].split(","):
        tag = part.partition(";")[0].strip().partition("-")[0].lower()
        tag = {"in": "id"}.get(tag, tag)  # the code of Indonesian before 1989
        if tag in languages:
            return tag
    return None
