"""What an OpenPGP public certificate looks like from outside, before gpg is given it.

Pure and small on purpose: it decides what may go near a keyring, and knows nothing of algorithms.
RFC 4880 §4.2 (packet headers), §6 (armour), §12.2 (fingerprints).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

from mailcounsel import errors

LARGEST = 64 * 1024  # bytes of a certificate, binary

PUBLIC_KEY, PUBLIC_SUBKEY = 6, 14
SECRET = {5, 7}
#: signature, key, trust, user id, subkey, user attribute, and what may stand among them unread
EXPECTED = {2, PUBLIC_KEY, 10, 12, 13, PUBLIC_SUBKEY, 17, 21}


def _armour(label: bytes) -> re.Pattern[bytes]:
    """Return what finds armour of one label: headers, a blank line, base64, perhaps a checksum."""
    return re.compile(
        rb"^-----BEGIN PGP " + label + rb"-----[ \t]*\r?\n"
        rb"(?:[^\r\n:]+:[^\r\n]*\r?\n)*[ \t]*\r?\n"
        rb"([A-Za-z0-9+/=\r\n \t]+?)"
        rb"(?:\r?\n=[A-Za-z0-9+/]{4}[ \t]*)?\r?\n"
        rb"-----END PGP " + label + rb"-----",
        re.MULTILINE,
    )


CERTIFICATE, MESSAGE = _armour(b"PUBLIC KEY BLOCK"), _armour(b"MESSAGE")
SIGNATURE = _armour(b"SIGNATURE")


def dearmour(certificate: bytes) -> bytes:
    """Return the binary form of a certificate given in either form.

    Raises: BadKey if it is armour that does not read, or too large.
    """
    if len(certificate) > 2 * LARGEST:
        raise errors.BadKey("The key is larger than 64 KiB.")
    return binary(certificate, CERTIFICATE)


def binary(given: bytes, armoured: re.Pattern[bytes]) -> bytes:
    """Return the binary form of what may stand in armour: a `CERTIFICATE`, or a `MESSAGE`.

    Raises: BadKey where it is neither binary nor armour.
    """
    if given[:1] and given[0] & 0x80:
        return given
    armour = armoured.search(given)
    if not armour:
        raise errors.BadKey
    try:
        return base64.b64decode(b"".join(armour[1].split()), validate=True)
    except binascii.Error:
        raise errors.BadKey from None


def unpacked(given: bytes, armoured: re.Pattern[bytes]) -> bytes:
    """Return the binary form of a `MESSAGE` or a `SIGNATURE`, or what was given where it has none.

    The checksum of armour is optional (RFC 9580 section 6.1), and some programs write none; of
    those gpg 2.2 reads every third not, the ones without padding.
    """
    if given.count(b"-----BEGIN PGP") > 1:
        return given
    try:
        return binary(given, armoured)
    except errors.BadKey:
        return given


def fingerprint(certificate: bytes) -> str:
    """Return the fingerprint (40 upper-case hex) of a binary certificate of the kind we take.

    Raises: BadKey on secret keys, versions other than 4, several keys, garbage, over 64 KiB.
    """
    if len(certificate) > LARGEST:
        raise errors.BadKey("The key is larger than 64 KiB.")
    found = list(split(certificate))
    tags = [tag for tag, _ in found]
    if SECRET & set(tags):
        raise errors.BadKey("This is a secret key. Only the public part may be sent.")
    if tags[:1] != [PUBLIC_KEY] or set(tags) - EXPECTED:
        raise errors.BadKey
    if tags.count(PUBLIC_KEY) > 1:
        raise errors.BadKey("There are several keys in one. Send one key at a time.")
    if any(body[:1] != b"\x04" for tag, body in found if tag in {PUBLIC_KEY, PUBLIC_SUBKEY}):
        raise errors.BadKey("The key is of a version that cannot be used. Send a version 4 key.")
    return _v4_fingerprint(found[0][1])


def subkeys(certificate: bytes) -> list[str]:
    """Return the fingerprints of a certificate's subkeys, which is binary. Raises: BadKey."""
    return [_v4_fingerprint(body) for tag, body in split(certificate) if tag == PUBLIC_SUBKEY]


def split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each packet's tag and body.

    Raises: BadKey where the bytes are no packets.
    """
    position = 0
    while position < len(data):
        tag, start, end = _header(data, position)
        if end > len(data):
            raise errors.BadKey
        yield tag, data[start:end]
        position = end


def pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each packet's tag and body as `split` does, of a message, whose data may be in parts.

    Raises: BadKey where the bytes are no packets.
    """
    position = 0
    while position < len(data):
        tag, body, position = _piece(data, position)
        yield tag, body


def _piece(data: bytes, position: int) -> tuple[int, bytes, int]:
    """Return a packet's tag, its body put together from its parts (RFC 4880 §4.2.2.4), its end."""
    parts, at = [], position + 1
    while data[position] & 0xC0 == 0xC0 and at < len(data) and 224 <= data[at] < 255:
        start = at + 1
        at = start + (1 << (data[at] & 0x1F))
        parts.append(data[start:at])
    try:
        if parts:
            start, length = _new_length(data, at)
            end = start + length
        else:
            _, start, end = _header(data, position)
    except IndexError:
        raise errors.BadKey from None
    if end > len(data):
        raise errors.BadKey
    return _tag(data[position]), b"".join([*parts, data[start:end]]), end


def leading(data: bytes, tag: int) -> tuple[list[bytes], bytes]:
    """Return the packets of one tag that a message begins with, each whole, and what follows.

    Raises: BadKey where the bytes are no packets.
    """
    found, position = [], 0
    while position < len(data) and _tag(data[position]) == tag:
        _, _, end = _header(data, position)
        if end > len(data):
            raise errors.BadKey
        found.append(data[position:end])
        position = end
    return found, data[position:]


def _tag(first: int) -> int:
    return first & 0x3F if first & 0x40 else (first >> 2) & 0x0F


def _header(data: bytes, position: int) -> tuple[int, int, int]:
    first = data[position]
    if not first & 0x80:
        raise errors.BadKey
    try:
        if first & 0x40:
            start, length = _new_length(data, position + 1)
            return _tag(first), start, start + length
        start, length = _old_length(data, position + 1, first & 3)
        return _tag(first), start, start + length
    except IndexError:
        raise errors.BadKey from None


def _new_length(data: bytes, position: int) -> tuple[int, int]:
    first = data[position]
    if first < 192:
        return position + 1, first
    if first < 224:
        return position + 2, ((first - 192) << 8) + data[position + 1] + 192
    if first < 255:  # a partial length, which no key packet may have
        raise errors.BadKey
    return position + 5, int.from_bytes(data[position + 1 : position + 5], "big")


def _old_length(data: bytes, position: int, kind: int) -> tuple[int, int]:
    if kind == 3:  # no length at all: "until the end"
        raise errors.BadKey
    size = 1 << kind
    return position + size, int.from_bytes(data[position : position + size], "big")


def _v4_fingerprint(body: bytes) -> str:
    if len(body) > 0xFFFF:
        raise errors.BadKey
    framed = b"\x99" + len(body).to_bytes(2, "big") + body
    return hashlib.sha1(framed, usedforsecurity=False).hexdigest().upper()
