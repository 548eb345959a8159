"""Read smime.p7m: the letter some programs wrap in its own signature (RFC 8551 §3.5.2, RFC 5652).

The words are not encrypted, only wrapped. The signature is not looked at: it vouches for nothing
here. Whatever is out of order ends the reading, without an error.
"""

from __future__ import annotations

_SEQUENCE, _OBJECT, _OCTETS, _EXPLICIT = 0x30, 0x06, 0x04, 0xA0
_CONSTRUCTED_OCTETS = 0x24
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_DATA = bytes.fromhex("2a864886f70d010701")
_MOST_ELEMENTS = 100_000
_INDEFINITE = -1


class _Malformed(Exception):
    pass


class _Reader:
    """Steps through BER (X.690 §8.1), whose lengths may be left open."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.left = data, 0, _MOST_ELEMENTS

    def enter(self) -> tuple[int, int]:
        """Read a tag and a length, and stand at the content."""
        self.left -= 1
        if self.left < 0 or self.at + 2 > len(self.data):
            raise _Malformed
        tag, length = self.data[self.at], self.data[self.at + 1]
        self.at += 2
        if length == 0x80:
            return tag, _INDEFINITE
        if length > 0x80:
            size = length & 0x7F
            length = int.from_bytes(self.data[self.at : self.at + size])
            self.at += size
        if self.at + length > len(self.data):
            raise _Malformed
        return tag, length

    def expect(self, wanted: int) -> int:
        """Enter an element of one tag, and return its length."""
        tag, length = self.enter()
        if tag != wanted:
            raise _Malformed
        return length

    def take(self, length: int) -> bytes:
        """Return so much of the content, and stand behind it."""
        self.at += length
        return self.data[self.at - length : self.at]

    def skip(self) -> None:
        """Stand behind the next element."""
        deep = 0
        while True:
            tag, length = self.enter()
            if length == _INDEFINITE:
                deep += 1
            elif tag == 0:
                deep -= 1
            else:
                self.at += length
            if deep <= 0:
                return


def signed_content(data: bytes) -> bytes | None:
    """Return what a signature in CMS wraps, or None where it is none or wraps nothing."""
    reader = _Reader(data)
    try:
        return _content(reader)
    except _Malformed:
        return None


def _content(reader: _Reader) -> bytes | None:
    reader.expect(_SEQUENCE)
    if reader.take(reader.expect(_OBJECT)) != _SIGNED_DATA:
        return None
    reader.expect(_EXPLICIT)
    reader.expect(_SEQUENCE)
    reader.skip()  # the version
    reader.skip()  # the algorithms
    reader.expect(_SEQUENCE)
    if reader.take(reader.expect(_OBJECT)) != _DATA:
        return None
    reader.expect(_EXPLICIT)
    tag, length = reader.enter()
    if tag == _OCTETS and length != _INDEFINITE:
        return reader.take(length)
    return _joined(reader, length) if tag == _CONSTRUCTED_OCTETS else None


def _joined(reader: _Reader, length: int) -> bytes:
    """Return content that was written in pieces, as programs do that sign while they send."""
    pieces, end = [], reader.at + length
    while length == _INDEFINITE or reader.at < end:
        tag, size = reader.enter()
        if tag == 0:
            break
        if tag != _OCTETS or size == _INDEFINITE:
            raise _Malformed
        pieces.append(reader.take(size))
    return b"".join(pieces)
