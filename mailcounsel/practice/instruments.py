"""A questionnaire as data: read from a file, checked once, and never guessed at.

A file (TOML) holds the wording in one language, the options to answer with, how it is scored, what
the scores mean to staff and who says so, and on what terms it may be used. `read` refuses what is
not complete, with one sentence that says where.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mailcounsel import errors

LONGEST_FILE = 64_000  # characters
MOST_ITEMS = 60
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

_FIELDS = {
    "": "name title language version about source licence notice question items danger "
    "option score band cutoff change",
    "option": "value words also",
    "score": "method better missing missing_source reverse times",
    "band": "at name source",
    "cutoff": "country at means source",
    "change": "reliable sd reliability recovered_below source",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: its number, its words, and other words that mean the same."""

    value: int
    words: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """What a score from `at` on is called among staff, and who says so."""

    at: float
    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A cut-off found in one country: at `at` or more, `means`."""

    country: str  # ISO 3166-1 alpha-2
    at: float
    means: str
    source: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is known of how much a score must move to have moved: points, or SD and reliability."""

    source: str
    reliable: float | None = None
    sd: float | None = None
    reliability: float | None = None
    recovered_below: float | None = None


@dataclass(frozen=True, slots=True)
class Scoring:
    """How items become a score: their sum, some reversed, times a factor.

    Up to `missing` missing items are given the mean of the others; with more there is no score.
    """

    better: Literal["lower", "higher"]
    missing: int
    missing_source: str
    reverse: frozenset[int] = frozenset()  # item numbers, from 1
    times: float = 1


@dataclass(frozen=True, slots=True)
class Measure:
    """A questionnaire in one language. Items are counted from 1."""

    name: str
    title: str
    language: str
    version: str
    about: str
    source: str
    licence: str
    notice: str
    question: str
    items: tuple[str, ...]
    options: tuple[Option, ...]
    scoring: Scoring
    danger: frozenset[int] = frozenset()
    bands: tuple[Band, ...] = ()
    cutoffs: tuple[Cutoff, ...] = ()
    change: Change | None = None

    @property
    def values(self) -> frozenset[int]:
        """Return the numbers that answer an item."""
        return frozenset(option.value for option in self.options)


def read(text: str, label: str) -> Measure:
    """Read a questionnaire from a file's text; `label` names the file in messages.

    Raises: Refused, with what is wrong and where.
    """
    if len(text) > LONGEST_FILE:
        raise errors.Refused(f"{label} is too long for a questionnaire.")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise errors.Refused(f"{label} is not TOML: {fault}.") from fault
    measure = _measure(_Table(table, label, ""))
    _check(measure, label)
    return measure


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the file, and where it stands, for messages."""

    values: Mapping[str, Any]
    label: str
    place: str

    def __post_init__(self) -> None:
        known = _FIELDS[self.place].split()
        for key in self.values:
            if key not in known:
                raise self.fault(key, f"is not known here. Known are: {', '.join(known)}")

    def fault(self, key: str, advice: str) -> errors.Refused:
        where = f"{self.place}.{key}" if self.place else key
        return errors.Refused(f"{self.label}: {where} {advice}.")

    def text(self, key: str, *, empty: bool = False) -> str:
        value = self.values.get(key, "" if empty else None)
        if not isinstance(value, str) or not (value.strip() or empty) or not _is_line(value):
            raise self.fault(key, "must be one line of text")
        return value.strip()

    def number(self, key: str, default: float | None = None) -> float:
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(key, "must be a number")
        return value

    def maybe(self, key: str) -> float | None:
        return self.number(key) if key in self.values else None

    def whole(self, key: str, default: int | None = None) -> int:
        value = self.number(key, default)
        if not isinstance(value, int):
            raise self.fault(key, "must be a whole number")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(
            isinstance(value, str) and value.strip() and _is_line(value) for value in values
        ):
            raise self.fault(key, "must be a list of lines of text")
        return tuple(value.strip() for value in values)

    def numbers(self, key: str) -> frozenset[int]:
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(type(value) is int for value in values):
            raise self.fault(key, "must be a list of item numbers")
        return frozenset(values)

    def tables(self, key: str) -> Sequence[_Table]:
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.fault(key, f"must be tables, each written [[{key}]]")
        return [_Table(value, self.label, key) for value in values]

    def table(self, key: str) -> _Table | None:
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.fault(key, f"must be a table, written [{key}]")
        return _Table(value, self.label, key) if value is not None else None


def _is_line(text: str) -> bool:
    return all(character.isprintable() for character in text)


def _measure(table: _Table) -> Measure:
    score = table.table("score")
    if score is None:
        raise table.fault("score", "is missing: how is it scored?")
    change = table.table("change")
    return Measure(
        **{key: table.text(key) for key in ("name", "title", "language", "version", "question")},
        **{key: table.text(key) for key in ("source", "licence")},
        **{key: table.text(key, empty=True) for key in ("about", "notice")},
        items=table.texts("items"),
        options=tuple(_option(one) for one in table.tables("option")),
        scoring=_scoring(score),
        danger=table.numbers("danger"),
        bands=tuple(
            Band(one.number("at"), one.text("name"), one.text("source"))
            for one in table.tables("band")
        ),
        cutoffs=tuple(_cutoff(one) for one in table.tables("cutoff")),
        change=_change(change) if change else None,
    )


def _option(table: _Table) -> Option:
    return Option(table.whole("value"), table.text("words"), table.texts("also"))


def _cutoff(table: _Table) -> Cutoff:
    country, means = table.text("country"), table.text("means")
    return Cutoff(country, table.number("at"), means, table.text("source"))


def _scoring(table: _Table) -> Scoring:
    better = table.text("better")
    if table.text("method") != "sum":
        raise table.fault("method", 'must be "sum"')
    if better not in {"lower", "higher"}:
        raise table.fault("better", 'must be "lower" or "higher"')
    return Scoring(
        better="lower" if better == "lower" else "higher",
        missing=table.whole("missing"),
        missing_source=table.text("missing_source"),
        reverse=table.numbers("reverse"),
        times=table.number("times", 1),
    )


def _change(table: _Table) -> Change:
    change = Change(
        source=table.text("source"),
        reliable=table.maybe("reliable"),
        sd=table.maybe("sd"),
        reliability=table.maybe("reliability"),
        recovered_below=table.maybe("recovered_below"),
    )
    if change.reliable is None and (change.sd is None or change.reliability is None):
        raise table.fault("reliable", "is missing, or sd and reliability to reckon it from")
    if change.reliability is not None and not 0 <= change.reliability < 1:
        raise table.fault("reliability", "must be below 1")
    return change


def _check(measure: Measure, label: str) -> None:
    """Look at what only the whole can tell. Raises: Refused."""
    for is_wrong, what in _faults(measure):
        if is_wrong:
            raise errors.Refused(f"{label}: {what}.")


def _faults(measure: Measure) -> list[tuple[bool, str]]:
    numbers = frozenset(range(1, len(measure.items) + 1))
    values = [option.value for option in measure.options]
    words = [word.casefold() for one in measure.options for word in (one.words, *one.also)]
    ats = [band.at for band in measure.bands]
    return [
        (not _NAME.fullmatch(measure.name), 'name must be like "phq-9": a-z, digits, hyphens'),
        (not re.fullmatch(r"[a-z]{2}", measure.language), 'language must be like "en"'),
        (not 0 < len(measure.items) <= MOST_ITEMS, f"items must be 1 to {MOST_ITEMS} lines"),
        (len(values) < 2, "there must be at least two [[option]] tables"),
        (values != sorted(set(values)) or min(values, default=0) < 0, "options must ascend from 0"),
        (len(words) != len(set(words)), "two options share a word"),
        (not measure.danger <= numbers, "danger names an item that is not there"),
        (not measure.scoring.reverse <= numbers, "score.reverse names an item that is not there"),
        (not 0 <= measure.scoring.missing < len(measure.items), "score.missing is out of range"),
        (ats != sorted(set(ats)), "bands must ascend"),
    ]
