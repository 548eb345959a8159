"""Read winmail.dat: the letter some versions of Outlook wrap in one file (TNEF, MS-OXTNEF).

A TNEF stream is a signature and a row of attributes: level, id, length, data, checksum. Only the
words and the files are taken; whatever is out of order ends the reading, without an error.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailcounsel.letter import charsets

_SIGNATURE = b"\x78\x9f\x3e\x22"
_HEADER = struct.Struct("<BII")
_BODY, _MESSAGE = 0x0002_800C, 1
_BEGINS, _TITLE, _DATA = 0x0006_9002, 0x0001_8010, 0x0006_800F
_MOST_ATTRIBUTES = 10_000
_MOST_FILES = 200


@dataclass(slots=True)
class Opened:
    """What a winmail.dat holds: plain words, if any, and files as (name, bytes)."""

    text: str = ""
    files: list[tuple[str, bytes]] = field(default_factory=list)


def read(data: bytes) -> Opened | None:
    """Return what the file holds, or None when it is no TNEF."""
    if not data.startswith(_SIGNATURE):
        return None
    found = Opened()
    for level, name, value in _attributes(data):
        if level == _MESSAGE and name == _BODY:
            found.text = _text(value)
        elif name == _BEGINS and len(found.files) < _MOST_FILES:
            found.files.append(("", b""))
        elif name == _TITLE and found.files:
            found.files[-1] = (_text(value), found.files[-1][1])
        elif name == _DATA and found.files:
            found.files[-1] = (found.files[-1][0], value)
    return found


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = len(_SIGNATURE) + 2  # a key of two bytes follows the signature
    for _ in range(_MOST_ATTRIBUTES):
        if at + _HEADER.size > len(data):
            return
        level, name, length = _HEADER.unpack_from(data, at)
        begin, end = at + _HEADER.size, at + _HEADER.size + length
        if end + 2 > len(data):
            return
        yield level, name, data[begin:end]
        at = end + 2  # a checksum of two bytes follows each value


def _text(value: bytes) -> str:
    words, _ = charsets.decode(value.split(b"\0", 1)[0], "windows-1252")
    return charsets.with_newlines(words)
