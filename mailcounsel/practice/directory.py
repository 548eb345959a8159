"""Where help is near somebody: a centre's own directory, of which nothing stale is ever used.

One TOML file, with an `[[entry]]` for each line, office or page:

    country      two letters (ISO 3166-1), or "*" for one that serves every country
    region       a province or town, where it serves no more than that; may be left out
    name         what it is called
    phone, web   how it is reached; at least one of them
    hours        when somebody answers, as a text, or one in each language: { id = "…", en = "…" }
    languages    the languages that are spoken there
    cost         what it costs, as `hours`
    verified_on  the day on which somebody of the centre tried it
    source       where the facts are from
    example      true on what only shows the form

A number that is wrong is worse than none. So an entry that is older than a year, dated in the
future, or marked as an example is never used, and `faults` says which those are.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

LASTS: Final = timedelta(days=365)
MOST: Final = 3  # entries in one letter
EVERYWHERE: Final = "*"

_TEXTS: Final = ("country", "name", "source")
_OPTIONAL: Final = ("region", "phone", "web")
_BOTH: Final = ("hours", "cost")
_KNOWN: Final = frozenset({*_TEXTS, *_OPTIONAL, *_BOTH, "languages", "verified_on", "example"})

Wording = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One place where help is. `country` is in capitals; what is left out is ""."""

    country: str
    name: str
    phone: str
    web: str
    hours: Wording
    languages: tuple[str, ...]
    cost: Wording
    verified_on: date
    source: str
    region: str = ""
    example: bool = False

    def is_usable(self, today: date) -> bool:
        """Tell whether it was tried within a year, and is more than an example."""
        age = today - self.verified_on
        return timedelta(0) <= age <= LASTS and not self.example


@dataclass(frozen=True, slots=True)
class Directory:
    """What a file holds: entries of the right form, and a sentence on each other one."""

    entries: tuple[Entry, ...] = ()
    broken: tuple[str, ...] = ()


def read(path: Path) -> Directory:
    """Read a file; one that cannot be read is an empty directory with a sentence that says so."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError):
        return Directory(broken=(f"{path.name} cannot be read, or is not TOML.",))
    rows = data.get("entry", [])
    entries: list[Entry] = []
    broken: list[str] = []
    for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
        problem = _problem(row)
        if problem:
            broken.append(f"{path.name}, entry {number}: {problem}.")
        else:
            entries.append(_entry(row))
    return Directory(tuple(entries), tuple(broken))


def faults(path: Path, today: date) -> tuple[str, ...]:
    """Return a sentence for each entry that is not used, and one where none is left."""
    found = read(path)
    unused = [f"{path.name}: {_why(one, today)}" for one in found.entries if _why(one, today)]
    none = [] if any(one.is_usable(today) for one in found.entries) else [_NONE_LEFT]
    return (*found.broken, *unused, *none)


_NONE_LEFT: Final = "No entry is left, so clients get the emergency text alone."


def choose(entries: Iterable[Entry], country: str, language: str, today: date) -> tuple[Entry, ...]:
    """Return at most three places for somebody in a country, in the order of the file.

    Those where their language is spoken; where there are none, any of the country; then those
    that serve every country.
    """
    usable = [one for one in entries if one.is_usable(today)]
    near = [one for one in usable if one.country == country.upper()]
    near = [one for one in near if language in one.languages] or near
    anywhere = [one for one in usable if one.country == EVERYWHERE and language in one.languages]
    return (*near, *anywhere)[:MOST]


def written(entries: Sequence[Entry], language: str) -> str:
    """Write places down for a letter: name and town, how to reach them, when, what it costs."""
    return "\n\n".join(_written(one, language) for one in entries)


def _written(one: Entry, language: str) -> str:
    name = f"{one.name} ({one.region})" if one.region else one.name
    details = [one.phone, one.web, _in(one.hours, language), _in(one.cost, language)]
    return "\n".join([name, *(f"  {line}" for line in details if line)])


def _in(wording: Wording, language: str) -> str:
    if isinstance(wording, str):
        return wording
    return wording.get(language) or next(iter(wording.values()), "")


def _why(one: Entry, today: date) -> str:
    if one.example:
        return f"{one.name} is an example, and is not used."
    if one.verified_on > today:
        return f"{one.name} is verified on a day to come, and is not used."
    if not one.is_usable(today):
        return f"{one.name} was verified on {one.verified_on}, over a year ago, and is not used."
    return ""


def _problem(row: Any) -> str:
    """Return what is wrong with an entry as written, or ""."""
    if not isinstance(row, Mapping):
        return "is no table"
    unknown = sorted(set(row) - _KNOWN)
    if unknown:
        return f"has an unknown key, {unknown[0]}"
    for key in (*_TEXTS, *_BOTH, "languages", "verified_on"):
        if not row.get(key):
            return f"needs {key}"
    return _wrong_type(row)


def _wrong_type(row: Mapping[str, Any]) -> str:
    wrong = [key for key in (*_TEXTS, *_OPTIONAL) if not _is_line(row.get(key, ""))]
    wrong += [key for key in _BOTH if not _is_wording(row[key])]
    if wrong:
        return f"{wrong[0]} must be one line of text"
    if type(row["verified_on"]) is not date:
        return "verified_on must be a day such as 2026-11-25, without quotes"
    languages = row["languages"]
    if not isinstance(languages, list) or not all(map(_is_line, languages)):
        return 'languages must be a list such as ["id", "en"]'
    if not (row["country"] == EVERYWHERE or len(row["country"]) == 2):
        return 'country must be two letters such as "ID", or "*"'
    return "" if row.get("phone") or row.get("web") else "needs a phone, or a web page"


def _is_line(value: object) -> bool:
    return isinstance(value, str) and (value == "" or value.isprintable())


def _is_wording(value: object) -> bool:
    texts = list(value.values()) if isinstance(value, dict) else [value]
    return bool(texts) and all(_is_line(text) and text for text in texts)


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        country=row["country"].upper(),
        name=row["name"],
        phone=row.get("phone", ""),
        web=row.get("web", ""),
        hours=row["hours"],
        languages=tuple(row["languages"]),
        cost=row["cost"],
        verified_on=row["verified_on"],
        source=row["source"],
        region=row.get("region", ""),
        example=row.get("example") is True,
    )
