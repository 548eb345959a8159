"""Fold what programs and people put below a letter: the name of a phone, dashes and an address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from mailcounsel.letter import phrases
from mailcounsel.letter.lines import About, Line, Marks

_WORD = re.compile(r"\w+")
POSTSCRIPT = re.compile(r"(?i)\(?(p\.? ?s|n\.? ?b|catatan|ps)\b")
_LONGEST_SIGNATURE = 8  # lines
_SENTENCE_WORDS = 6
_PLEADS = frozenset((
    "jangan", "tolong", "telepon", "hubungi", "bantu", "call", "help", "don't", "dont", "not",
    "never", "mati", "die", "suami",
))  # fmt: skip
_NAMED_WORDS = 3  # in small letters: no name has so many
_TOLD_WORDS = 5  # in small letters: somebody tells something, others give a name and a street


def fold_devices(marks: Marks) -> None:
    """Fold the lines in which a phone or a program names itself."""
    for index, line in enumerate(marks.lines):
        if marks.kinds[index] is None and 8 <= len(line.text) <= _LONGEST_DEVICE:
            language = _device(_LINK.sub("", line.folded))
            if language:
                marks.mark(index, index + 1, "signature", f"device, {language}")


def _device(line: str) -> str:
    devices = _devices()
    for language, pattern in (*devices.get(line[:_DEVICE_HEAD], ()), *devices.get(_ANY, ())):
        match = pattern.fullmatch(line)
        if match:
            return language if all(map(_is_device, match.groups())) else ""
    return ""


def _is_device(words: str) -> bool:
    """Whether the words name a device or a program, and nobody whose it is.

    "Dikirim dari HP suami saya" and "Sent from the bridge" are what a client has to say.
    """
    known, found = phrases.load(), _WORD.findall(words)
    others = [word for word in found if word not in known.devices_named and not _DIGIT.search(word)]
    return len(others) < len(found) and all(word in known.between for word in others)


_DIGIT = re.compile(r"\d")  # of a model
_LONGEST_DEVICE = 200  # characters, with the address a program links to
_LINK = re.compile(r"<https?://[^<>\s]*>")
_DEVICE_HEAD = 2  # letters, with which nearly every known line begins
_ANY = ""  # the others, such as "iPhoneから送信"


@cache
def _devices() -> Mapping[str, Sequence[tuple[str, re.Pattern[str]]]]:
    """Return the known lines by their first letters: few lines of a letter begin like one."""
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for language, pattern in phrases.load().devices:
        head = pattern.pattern[:_DEVICE_HEAD]
        found.setdefault(_ANY if head[0] == "(" else head, []).append((language, pattern))
    return found


def fold_dashes(marks: Marks, about: About | None) -> None:
    """Fold what stands below "-- " (RFC 3676 §4.3), to the first blank line or sentence."""
    for index, line in enumerate(marks.lines):
        if line.text != "--" or marks.kinds[index] is not None:
            continue
        stop = index + 1
        if stop < len(marks.lines) and marks.rules[stop].startswith("device"):
            marks.mark(index, stop, "signature", marks.rules[stop])
            continue
        while stop < min(index + 1 + _LONGEST_SIGNATURE, len(marks.lines)):
            if marks.kinds[stop] is not None or not _is_signature_line(marks.lines[stop].text):
                break
            stop += 1
        below = marks.lines[index + 1 : stop]
        is_name = _is_name(below) and (about is None or _is_of_sender(below[0].folded, about))
        has_contact = any(_CONTACT.search(one.text) for one in below)
        if is_name or (has_contact and _begins_with_a_name(below[0], about)):
            marks.mark(index, stop, "signature", "dashes")


# An address, a page, or a telephone number as people write theirs: no sum of money, no date.
_CONTACT = re.compile(r"@|https?:|www\.|(?<![\d.,/-])(?:\+|\(?0)\d[\d ()-]{6,}(?![.,/]\d)")


def _begins_with_a_name(line: Line, about: About | None) -> bool:
    """Whether the first line is a name, or an address alone, rather than words about one.

    "Nomor ibu: 0812 …, dia tidak tahu" is what a client has to say.
    """
    words = " ".join(word for word in line.folded.split() if not _CONTACT.search(word))
    is_senders = about is not None and _is_of_sender(words, about)
    return is_senders or _small_words(line.text) < _NAMED_WORDS


def _small_words(text: str) -> int:
    return sum(word.islower() and not _CONTACT.search(word) for word in text.split())


def _is_of_sender(line: str, about: About) -> bool:
    return bool(line) and not set(_WORD.findall(line)).isdisjoint(
        _WORD.findall(about.sender.casefold())
    )


def _is_name(below: list[Line]) -> bool:
    """Whether the lines look like a name and no more: one line, few words, all capitalised."""
    words = below[0].text.split() if len(below) == 1 else []
    return 0 < len(words) <= 3 and all(word[:1].isupper() for word in words)


def _is_signature_line(text: str) -> bool:
    if not text or POSTSCRIPT.match(text):
        return False
    words = text.split()
    is_sentence = text[-1] in ".!?…" and len(words) >= _SENTENCE_WORDS
    if not _PLEADS.isdisjoint(word.casefold() for word in words):
        return False
    return not is_sentence and _small_words(text) < _TOLD_WORDS
