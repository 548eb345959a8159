"""Guess the language of a letter from its commonest words, or say that it is unknown.

A hint that a person can overrule: it chooses templates, never what is done about a danger.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

Words = Mapping[str, frozenset[str]]


@functools.cache
def _common() -> tuple[Words, Words]:
    """Return the words of the languages there are letters in, and those of others."""
    source = resources.files("mailcounsel.letter").joinpath("common_words.toml")
    words: dict[str, Any] = tomllib.loads(source.read_text("utf-8"))
    others: dict[str, str] = words.pop("others")
    return _sets(words), _sets(others)


def _sets(words: Mapping[str, str]) -> Words:
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
    common, others = _common()
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
        foreign = max(sum(map(known.__contains__, words)) for known in others.values())
        return best if score >= foreign else None
    return _hinted(headers_hint, languages)


def _hinted(hint: str | None, languages: Sequence[str]) -> str | None:
    for part in (hint or "")[:200].split(","):
        tag = part.partition(";")[0].strip().partition("-")[0].lower()
        tag = {"in": "id"}.get(tag, tag)  # the code of Indonesian before 1989
        if tag in languages:
            return tag
    return None
