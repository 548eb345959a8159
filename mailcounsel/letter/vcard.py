"""A vCard with an OpenPGP key in it (RFC 6350 sections 6.8.1 and 5): one file to pass on.

A program that encrypts by itself, such as Delta Chat, can write locked from the first letter on
once it has taken the card.
"""

from __future__ import annotations

from base64 import b64encode


def card(name: str, address: str, certificate: bytes) -> str:
    """Return a vCard 4.0 of an address and its binary certificate, with CRLF line ends.

    Long lines are folded at 75 bytes, as RFC 6350 section 3.2 asks.
    """
    key = b64encode(certificate).decode()
    lines = [
        "BEGIN:VCARD",
        "VERSION:4.0",
        f"FN:{_escaped(name)}",
        f"EMAIL:{_escaped(address)}",
        f"KEY:data:application/pgp-keys;base64\\,{key}",
        "END:VCARD",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _escaped(text: str) -> str:
    for mark in ("\\", ",", ";"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _folded(line: str) -> str:
    """Fold between characters so that no line is longer than 75 bytes."""
    pieces: list[str] = []
    piece = ""
    for character in line:
        if len((piece + character).encode()) > (75 if not pieces else 74):
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join([*pieces, piece])
