"""Autocrypt headers: what a letter says about its sender's key, and what ours says.

Pure. Rules are those of Autocrypt Level 1.1, "The Autocrypt Header". Whether a key found here may
be used is decided elsewhere: a header proves nothing about who wrote it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailcounsel import errors
from mailcounsel.crypto import packets

LARGEST = 10 * 1024  # bytes of one header's value
_KNOWN = {"addr", "prefer-encrypt", "keydata"}
_LINE = 76  # characters of base64 on a line


@dataclass(frozen=True, slots=True)
class Autocrypt:
    """A sender's key as their header gives it; keydata is a binary public certificate."""

    address: str = field(repr=False)
    keydata: bytes = field(repr=False)
    prefer_mutual: bool


def choose(values: Sequence[str], from_address: str) -> Autocrypt | None:
    """Return the one header that counts, or None when none or more than one is valid."""
    valid = [found for value in values if (found := parse(value, from_address))]
    return valid[0] if len(valid) == 1 else None


def parse(value: str, from_address: str) -> Autocrypt | None:
    """Read one header's value, folded or not; None if it is not valid for this sender."""
    attributes = _attributes(value)
    if attributes is None or not {"addr", "keydata"} <= set(attributes):
        return None
    if attributes["addr"].encode().lower() != from_address.strip().encode().lower():
        return None
    keydata = _key(attributes["keydata"])
    if keydata is None:
        return None
    return Autocrypt(attributes["addr"], keydata, attributes.get("prefer-encrypt") == "mutual")


def header(address: str, certificate: bytes) -> bytes:
    r"""Return our own header as raw bytes, folded, with its final CRLF.

    Put it before the letter's other headers as it is: `email.message.EmailMessage` would encode
    the base64 after RFC 2047, and nobody could read it.

    Args:
        address: what stands in From, ASCII.
        certificate: binary.
    """
    if not address.isascii() or not address.isprintable() or set(address) & set(' ;"'):
        raise ValueError("an address in an Autocrypt header is one plain word")
    keydata = base64.b64encode(certificate)
    if len(keydata) > LARGEST - 512:
        raise errors.BadKey("The key is too large for an Autocrypt header.")
    lines = [keydata[i : i + _LINE] for i in range(0, len(keydata), _LINE)]
    first = f"Autocrypt: addr={address};\r\n prefer-encrypt=mutual; keydata=".encode()
    return b"\r\n ".join([first, *lines]) + b"\r\n"


def _attributes(value: str) -> dict[str, str] | None:
    """Return name and value pairs; None where the rules say that the header is invalid."""
    if len(value) > LARGEST:
        return None
    found: dict[str, str] = {}
    for part in value.strip().rstrip(";").split(";"):
        name, equals, content = part.partition("=")
        name = name.strip()
        if not equals or name in found or "keydata" in found:  # keydata comes last
            return None
        if name not in _KNOWN and not name.startswith("_"):  # a critical attribute, unknown here
            return None
        found[name] = content.strip()
    return found


def _key(text: str) -> bytes | None:
    try:
        keydata = base64.b64decode("".join(text.split()), validate=True)
        packets.fingerprint(keydata)
    except (binascii.Error, ValueError, errors.BadKey):
        return None
    return keydata
