"""Signs that counselling by letter may not suit a client as it is: they propose, a person decides.

Looked for in what a new client wrote themselves: that they are not of age yet, or live in another
country, where other laws hold and other help is near. Nothing is decided by them, and nothing is
concluded from their absence. What somebody says of another person ("anak saya 8 tahun") is no sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
# Where a sentence about oneself may begin. The patterns below are tried there and nowhere else.
_BEGINNING = re.compile(r"\b(?:saya|aku|gue|gw|i'?m?|my age|(?:umur|usia)(?:ku)?)\b", re.IGNORECASE)
_LONGEST = 31  # characters looked at for the word before it, whatever stands there
_ME = r"\b(?:saya|aku|gue|gw)"
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

# All of them as one, which is asked first: hardly a sentence about oneself is one of these.
_ANY = re.compile(
    "|".join(re.sub(r"\?P<\w+>", "?:", one.pattern) for one in (*_AGES, *_SCHOOL, *_LIVES)),
    re.IGNORECASE,
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
    begun = (match.start() for match in _BEGINNING.finditer(plain))
    starts = [at for at in begun if _ANY.match(plain, at)]
    theirs = [at for at in starts if _word_before(plain, at) not in _OTHERS]
    found = [next(_minors(plain, theirs), None), next(_abroad(plain, theirs, country), None)]
    return tuple(sorted((one for one in found if one), key=lambda one: one.start))


def _word_before(text: str, at: int) -> str:
    before, space = text[max(0, at - _LONGEST) : at - 1], text[at - 1 : at]
    words = re.findall(r"\w+$", before) if space == " " else []
    return words[0].lower() if words else ""


def _matches(
    patterns: Sequence[re.Pattern[str]], text: str, starts: Sequence[int]
) -> Iterator[re.Match[str]]:
    return filter(None, (pattern.match(text, at) for pattern in patterns for at in starts))


def _minors(text: str, starts: Sequence[int]) -> Iterator[Proposal]:
    for match in _matches(_AGES, text, starts):
        if _age(match["age"]) < OF_AGE:
            yield Proposal(MINOR, *match.span())
    for match in _matches(_SCHOOL, text, starts):
        yield Proposal(MINOR, *match.span())


def _age(words: str) -> int:
    return int(words) if words.isdecimal() else _WORDS[words.lower()]


def _abroad(text: str, starts: Sequence[int], country: str | None) -> Iterator[Proposal]:
    for match in _matches(_LIVES, text, starts):
        named = _country(match["place"])
        if country and named and named != country:
            yield Proposal(ABROAD, *match.span())


@cache
def _longest_name() -> int:
    return max(len(name.split()) for name in countries.codes())


def _country(place: str) -> str | None:
    """Return the country a place begins with, by its name in one of our languages."""
    words = place.casefold().removeprefix("the ").split()[: _longest_name()]
    starts = (" ".join(words[:length]) for length in range(len(words), 0, -1))
    return next((countries.codes()[name] for name in starts if name in countries.codes()), None)
