"""A therapist's profile: the file from which their introduction to a client is made.

    name = "Wulan"
    licence = "HIMPSI 0000-00-0000"
    licence_expires = 2027-05-31

    [training]
    id = "psikolog klinis, lulusan sebuah universitas di Jawa"
    en = "a clinical psychologist, trained at a university in Java"

    [languages]
    id = "Indonesia dan Inggris"
    en = "Indonesian and English"

    [about]
    id = "Saya suka berkebun."
    en = "I like gardening."

`licence` and `about` may be left out, and a language one does not write in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from mailcounsel import errors

_TEXTS = ("name", "licence")
_TABLES = ("training", "languages", "about")
_KNOWN = frozenset({*_TEXTS, *_TABLES, "licence_expires"})


@dataclass(frozen=True, slots=True)
class Profile:
    """Who somebody is, in one language. `licence` and `about` are "" where there is none."""

    name: str
    training: str
    languages: str
    licence: str
    licence_expires: date | None
    about: str


def parse(source: str, language: str, today: date) -> Profile:
    """Read a profile for a language.

    Raises: Refused, in one sentence, for what is missing, unknown or of the wrong kind, and for a
    licence that has expired or does not say when it does.
    """
    try:
        found = tomllib.loads(source)
    except tomllib.TOMLDecodeError as fault:
        raise errors.Refused(f"The profile is not TOML: {fault}.") from fault
    unknown = sorted(set(found) - _KNOWN)
    if unknown:
        raise errors.Refused(f"The profile has an unknown key: {unknown[0]}.")
    texts = {key: _text(found, key) for key in _TEXTS}
    tables = {key: _text(_table(found, key), language) for key in _TABLES}
    expires = found.get("licence_expires")
    _check(texts, tables, expires, language, today)
    return Profile(**texts, **tables, licence_expires=expires)


def _table(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = found.get(key, {})
    if not isinstance(table, dict):
        raise errors.Refused(f"[{key}] of the profile must be a table, with a text a language.")
    return table


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key, "")
    if not isinstance(value, str):
        raise errors.Refused(f"{key} of the profile must be text in quotes.")
    return " ".join(value.split())


def _check(
    texts: Mapping[str, str],
    tables: Mapping[str, str],
    expires: object,
    language: str,
    today: date,
) -> None:
    if not texts["name"]:
        raise errors.Refused("The profile has no name.")
    for key in ("training", "languages"):
        if not tables[key]:
            raise errors.Refused(f"The profile has no {key}.{language}, which this client reads.")
    if not texts["licence"]:
        return
    if not isinstance(expires, date):
        raise errors.Refused("The profile has a licence and no licence_expires = YEAR-MONTH-DAY.")
    if expires < today:
        raise errors.Refused(f"The licence in the profile expired on {expires.isoformat()}.")
