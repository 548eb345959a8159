"""Signs that counselling by letter may not suit a client as it is: they propose, a person decides.

Looked for in what a new client wrote themselves: that they are not of age yet, or live in another
country, where other laws hold and other help is near. Nothing is decided by them, and nothing is
concluded from their absence. What somebody says of another person ("anak saya 8 tahun") is no sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from mailcounsel.letter import countries

OF_AGE = 18
LOOKED_AT = 20_000  # characters: who says it says it early, and a mail of megabytes says nothing
MINOR, ABROAD = "minor", "abroad"

_WORDS = {
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "sembilan": 9, "sepuluh": 10, "sebelas": 11, "dua belas": 12, "tiga belas": 13,
    "empat belas": 14, "lima belas": 15, "enam belas": 16, "tujuh belas": 17,
}  # fmt: skip
# Behind these, "saya" is whose they are: "anak saya 8 tahun".
_OTHERS = {
    "adik", "anak", "anaknya", "ayah", "bapak", "bos", "cucu", "guru", "ibu", "istri", "kakak",
    "kakek", "kawan", "keluarga", "keponakan", "majikan", "mama", "murid", "nenek", "pacar", "papa",
    "putra", "putri", "saudara", "sepupu", "suami", "teman", "tetangga",
}  # fmt: skip
# A word has a beginning and an end: one of 20,000 letters is not looked at from each of them.
_ME = r"(?:\b(?P<whose>\w{1,30}) )?\b(?:saya|aku|gue|gw)"
_AM = r"\bi(?:'?m| am)"
_AGE = rf"(?P<age>\d{{1,2}}|{'|'.join(_WORDS)})"
_YEARS = r"(?:tahun|thn|th|taun|years? old|yrs? old|y/?o)"
_AT_SCHOOL = r"(?:masih|baru|sekarang|ini|duduk|di|murid|siswa|siswi|pelajar|anak)"
_KELAS = r"(?:[5-9]|1[01]|lima|enam|tujuh|delapan|sembilan|sepuluh|sebelas|vi{0,3}|ix|xi?)"
_GRADE = r"(?:[5-9]th|1[01]th|fifth|sixth|seventh|eighth|ninth|tenth|eleventh)"


def _patterns(*written: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in written)


_AGES = _patterns(
    rf"{_ME} (?:(?:masih|baru|sekarang|ini|berumur|berusia|umur|usia) ){{0,3}}{_AGE} {_YEARS}\b",
    r"\b(?:umur|usia)(?:ku| saya| aku| gue| gw)?,? "
    rf"(?:(?:masih|baru|sekarang|ini|saya|aku|adalah) ){{0,3}}{_AGE}\b",
    rf"{_AM} (?:(?:only|just|still|a|now) ){{0,2}}{_AGE}\b(?![-/:%,.]?\d)"
    rf"(?= {_YEARS}| *[,.;!)]| *$| and\b| but\b)",
    rf"{_AM} an? {_AGE}[- ]year[- ]old\b",
    rf"\bmy age is {_AGE}\b",
)
_SCHOOL = _patterns(
    rf"{_ME} (?:(?:{_AT_SCHOOL}|kelas \w{{1,5}}) ){{1,4}}(?:sd|smp|mts)\b",
    rf"{_ME} (?:{_AT_SCHOOL} ){{0,3}}kelas {_KELAS}\b(?! kali\b)",
    rf"{_AM} (?:(?:still|now) )?in (?:the )?{_GRADE} grade\b",
    rf"{_AM} (?:(?:still|now) )?in (?:grade|year) (?:[5-9]|1[01])\b",
    rf"{_AM} (?:(?:still|now) )?in (?:middle school|primary school|junior high)\b",
)
_PLACE = r" (?P<place>[^\W\d_][^,.;:!?\n]{1,40})"
_LIVES = _patterns(
    rf"{_ME}(?: sekarang| sudah lama| lagi| masih| kini){{0,2}} "
    r"(?:tinggal|menetap|bekerja|kerja|kuliah|sekolah|merantau|berada|ada) (?:sementara )?di"
    + _PLACE,
    r"\bi(?:'?m| am)?(?: now| currently| still){0,2} "
    r"(?:live|living|work|working|study|studying|based) in" + _PLACE,
    rf"{_AM} (?:writing )?from{_PLACE}",
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One sign, "minor" or "abroad", and its place in the text."""

    kind: str
    start: int
    end: int


def proposals(text: str, country: str | None) -> tuple[Proposal, ...]:
    """Return the first sign of each kind in what a client wrote, in the order of the text.

    `country` is the centre's own, as ISO 3166-1 alpha-2; without one nobody lives abroad.
    """
    text = text[:LOOKED_AT]
    plain = re.sub(r"[ \t]+", " ", text).replace("’", "'") if "’" in text else text
    found = [next(_minors(plain), None), next(_abroad(plain, country), None)]
    return tuple(sorted((one for one in found if one), key=lambda one: one.start))


def _minors(text: str) -> Iterator[Proposal]:
    for pattern in _AGES:
        for match in pattern.finditer(text):
            if _is_theirs(match) and _age(match["age"]) < OF_AGE:
                yield Proposal(MINOR, *_span(match))
    for pattern in _SCHOOL:
        for match in filter(_is_theirs, pattern.finditer(text)):
            yield Proposal(MINOR, *_span(match))


def _is_theirs(match: re.Match[str]) -> bool:
    """Tell whether a match speaks of the writer, and not of somebody who is theirs."""
    return (match.groupdict().get("whose") or "").lower() not in _OTHERS


def _span(match: re.Match[str]) -> tuple[int, int]:
    """Return where a match stands, without the word before it."""
    before = match.groupdict().get("whose")
    return (match.start() + len(before) + 1 if before else match.start()), match.end()


def _age(words: str) -> int:
    return int(words) if words.isdecimal() else _WORDS[words.lower()]


def _abroad(text: str, country: str | None) -> Iterator[Proposal]:
    matches = (match for pattern in _LIVES for match in pattern.finditer(text))
    for match in filter(_is_theirs, matches):
        named = _country(match["place"])
        if country and named and named != country:
            yield Proposal(ABROAD, *_span(match))


@cache
def _longest_name() -> int:
    return max(len(name.split()) for name in countries.codes())


def _country(place: str) -> str | None:
    """Return the country a place begins with, by its name in one of our languages."""
    words = place.casefold().removeprefix("the ").split()[: _longest_name()]
    starts = (" ".join(words[:length]) for length in range(len(words), 0, -1))
    return next((countries.codes()[name] for name in starts if name in countries.codes()), None)
