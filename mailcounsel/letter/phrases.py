"""The sentences of mail programs, read from `phrases.toml` once."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Attribution:
    """A sentence before a quotation: "On Monday at 9:00 Rita wrote:"."""

    language: str
    begin: tuple[str, ...]
    end: tuple[str, ...]
    holds: tuple[str, ...]
    own: frozenset[str] = frozenset()  # words of people who tell what somebody wrote

    def fits(self, sentence: str) -> bool:
        """Tell whether a case-folded sentence of one line is of this form."""
        return (
            sentence.endswith(self.end)
            and sentence.startswith(tuple(f"{word} " for word in self.begin))
            and (not self.holds or any(f" {word} " in sentence for word in self.holds))
        )

    def runs_on(self, sentence: str) -> bool:
        """Tell whether the quotation begins in the same line, as a phone of Yahoo writes it."""
        heads = [sentence.partition(f"{end}  ") for end in self.end]
        return any(gap and self.fits(head + gap.rstrip()) for head, gap, _ in heads)


@dataclass(frozen=True, slots=True)
class Phrases:
    """What is known of every language."""

    attributions: tuple[Attribution, ...]
    first_words: frozenset[str]  # with which an attribution can begin
    dividers: Mapping[str, str]  # phrase -> language
    fields: Mapping[str, tuple[tuple[str, str], ...]]  # label -> (language, kind)
    forwards: frozenset[str]
    devices: tuple[tuple[str, re.Pattern[str]], ...]  # language, whole line
    devices_named: frozenset[str]  # words of which one is in the name of a device or a program
    between: frozenset[str]  # words that may stand between those
    within: re.Pattern[str]  # that the answers stand within the quotation


@functools.cache
def load() -> Phrases:
    """Return the phrases of the package's data file."""
    source = resources.files("mailcounsel.letter").joinpath("phrases.toml")
    data: dict[str, list[Any]] = tomllib.loads(source.read_text("utf-8"))
    attributions = tuple(
        Attribution(
            one["language"],
            tuple(one["begin"]),
            tuple(one["end"]),
            tuple(one.get("holds", ())),
            frozenset(one.get("own", ())),
        )
        for one in data["attribution"]
    )
    return Phrases(
        attributions=attributions,
        first_words=frozenset(word.split()[0] for one in attributions for word in one.begin),
        dividers={text: one["language"] for one in data["divider"] for text in one["phrases"]},
        fields=_fields(data["fields"]),
        forwards=frozenset(text for one in data["forward"] for text in one["phrases"]),
        devices=tuple(
            (one["language"], _device(text)) for one in data["device"] for text in one["phrases"]
        ),
        devices_named=frozenset(" ".join(data["devices_named"]).split()),
        between=frozenset(" ".join(data["between"]).split()),
        within=re.compile(rf"\b(?:{'|'.join(map(re.escape, data['within']))})\b"),
    )


def _fields(tables: list[dict[str, Any]]) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for one in tables:
        for kind in ("from", "date", "other"):
            for label in one[kind]:
                found.setdefault(label, []).append((one["language"], kind))
    return {label: tuple(kinds) for label, kinds in found.items()}


def _device(phrase: str) -> re.Pattern[str]:
    words = re.escape(phrase).replace(r"\*", r"([^.!?,;:]{1,60})")
    return re.compile(words + r"\.?")
