"""The words of an answer, folded and spelled right, and what is known of each (`answers.toml`)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

Kind = Literal["rating", "times"]  # 0 to 10, or how many times: 0 to 99

_SENT_FROM: Final = re.compile(
    r"^[ \t]*(?:sent from|get outlook|dikirim dari|terkirim dari)\b.*$", re.MULTILINE
)
# A line of a signature that holds a telephone number and nothing else.
_TELEPHONE: Final = re.compile(
    r"^[ \t]*(?:hp|no\.? hp|tel[pf]?|tlp|telepon|telephone|phone|ph|mob|mobile|cell|wa|whatsapp)\b"
    r"[ \t.:]*[+(]?\d[\d ()./-]{5,}$",
    re.MULTILINE,
)
_SCALE: Final = re.compile(
    r"\b(?:on (?:a |the )?|dari |dengan |pada )?(?:scale|skala)(?: (?:of|from|dari))? ?"
    r"(?:[01] ?(?:-|–|to|sampai|hingga|s/d) ?)?10\b|\b(?:dari|from) [01] (?:sampai|hingga|to) 10\b"
)
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[ \t]*([/:–—-])[ \t]*(?=\d)")
_OUT_OF_TEN: Final = re.compile(
    r"(?<![\w/.,:–-])(\w{1,8}) ?(?:/|\b(?:dari|dr|per|out of|of)\b) ?(?:10|sepuluh|ten)"
    r"(?![\w/%]|[.,:–-]\d)"
)
_ROUND_A_WORD: Final = "\"'*_()[]“”‘’«»`=:"
_SAME: Final = str.maketrans({"’": "'", "×": "x"})
_PICTURES: Final = frozenset({"So", "Sk", "Cf", "Mn", "Me"})
_DRAWN_OUT: Final = re.compile(r"(\w)\1\1+|(?<=..)(\w)\2+$")


def folded(text: str) -> str:
    """Fold a text, and leave out pictures, the names of devices, telephones and the scale."""
    one_case = unicodedata.normalize("NFKC", text).casefold().translate(_SAME)
    seen = "".join(_without_picture(character) for character in one_case)
    return _SCALE.sub(" ", _TELEPHONE.sub("", _SENT_FROM.sub("", seen.replace("\r\n", "\n"))))


def plain(text: str) -> str:
    """Fold a text and write every "of ten" as "/10"."""
    seen = folded(text)
    return _OUT_OF_TEN.sub(_as_out_of_ten, _BETWEEN_DIGITS.sub(r"\1", seen))


def _without_picture(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in {"So", "Sk"}:
        return " "
    return "" if kind in _PICTURES else character


def _as_out_of_ten(match: re.Match[str]) -> str:
    return match[0] if not _is_rating(match[1]) else f"{match[1]}/10"


def _is_rating(word: str) -> bool:
    return word in values("rating") or (word.isdecimal() and len(word) <= 2 and int(word) <= 10)


def words_of(clause: str) -> Iterator[str]:
    """Yield the words of a clause without marks, spelled right; some pairs are one word."""
    words = [_spelled(bare) for word in clause.split() if (bare := word.strip(_ROUND_A_WORD))]
    at = 0
    while at < len(words):
        pair = _pairs().get(" ".join(words[at : at + 2]))
        yield pair or words[at]
        at += 2 if pair else 1


def _spelled(word: str) -> str:
    """Return the number word that a slip of the thumb or a long drawn vowel means, or the word."""
    right: str | None = _data()["typos"].get(word)
    if right is not None or not word.isalpha() or word in values("times"):
        return right or word
    for length in (1, 2):  # "tujuhhh", "threee"
        short = _DRAWN_OUT.sub(r"\1\2" * length, word)
        if short in values("times"):
            return short
    return word


@cache
def _data() -> dict[str, Any]:
    source = resources.files("mailcounsel.practice").joinpath("answers.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


def doubts() -> dict[str, list[str]]:
    """Return what takes numbers back (`mailcounsel.practice.doubts`)."""
    found: dict[str, list[str]] = _data()["doubts"]
    return found


@cache
def sets() -> dict[str, frozenset[str]]:
    """Return every list of words by its name; `words` takes the name of its table."""
    return {
        table if name == "words" else name: frozenset(words.split())
        for table, lists in _data().items()
        if table not in {"numbers", "typos", "how_often", "pairs", "doubts"}
        for name, words in lists.items()
    }


@cache
def values(kind: Kind) -> dict[str, int]:
    """Return the number words of a kind by their value."""
    values: dict[str, int] = _data()["numbers"]
    return values | _data()["how_often"] if kind == "times" else values


def _pairs() -> dict[str, str]:
    pairs: dict[str, str] = _data()["pairs"]
    return pairs
