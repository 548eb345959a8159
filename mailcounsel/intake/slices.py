"""Look at a letter's headers without parsing it: what it is known by, and whom it was for.

Nothing here uses the email package, which needs many seconds for some small letters. Everything
takes time in proportion to the letter's size, whatever is in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache

IDENTITY = ("Message-ID", "Date", "From", "Subject", "Content-Type")

_BETWEEN_ADDRESSES = re.compile(rb"[\s<>,;:\"()\[\]]+")
_TRAILING_BLANKS = re.compile(rb"(?<![ \t])[ \t]++$", re.MULTILINE)


def halves(raw: bytes) -> tuple[bytes, bytes]:
    """Return a letter's headers and its body, every line end made one LF."""
    text = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if text.startswith(b"\n"):
        return b"", text[1:]
    head, _, body = text.partition(b"\n\n")
    return head, body


def values(head: bytes, *names: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield (lower-case name, value) of each header of these names, unfolded, in order."""
    for field in _pattern(names).finditer(head):
        yield field[1].lower(), b" ".join(field[2].split())


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[bytes]:
    listed = "|".join(re.escape(name) for name in names)
    pattern = rf"^({listed})[ \t]*+:(.*(?:\n[ \t].*)*)"
    return re.compile(pattern.encode(), re.IGNORECASE | re.MULTILINE)


def identity(raw: bytes) -> bytes | None:
    """Return what two copies of one letter share, whichever way each of them came.

    Trace headers, line ends and blanks at the end of lines differ from way to way and are left
    out. None when the letter has neither Message-ID nor Date: two of those may be two letters.
    """
    head, body = halves(raw)
    found = list(values(head, *IDENTITY))
    if not any(value for name, value in found if name in {b"message-id", b"date"}):
        return None
    # A value holds no line end, so no two different lists of fields read the same.
    fields = b"".join(name + b":" + value + b"\n" for name, value in sorted(found))
    if b" \n" in body or b"\t\n" in body:  # seldom, and looking is quicker than replacing
        body = _TRAILING_BLANKS.sub(b"", body)
    digest = hashlib.blake2b(body.rstrip()).digest()
    return fields + b"\n" + digest


def addresses(head: bytes, *names: str) -> list[str]:
    """Return everything that looks like an address in these headers, each once, in order."""
    found: dict[str, None] = {}
    for _, value in values(head, *names):
        for word in _BETWEEN_ADDRESSES.split(value):
            if word.count(b"@") == 1:
                found[word.decode("utf-8", "replace")] = None
    return list(found)


def recipients(
    head: bytes, recipient_header: str, ours: Callable[[str], bool], otherwise: str
) -> tuple[str, ...]:
    """Return which of our addresses a letter found in a mailbox was for.

    The header the mail provider writes counts first, then To and Cc, then the mailbox itself.
    """
    for names in ((recipient_header,), ("To", "Cc")):
        own = tuple(address for address in addresses(head, *names) if ours(address))
        if own:
            return own
    return (otherwise,)


def return_path(head: bytes) -> str | None:
    """Return the envelope sender as the last server wrote it: "" is a bounce, None is unknown."""
    first = next(values(head, "Return-Path"), None)
    if first is None:
        return None
    found = addresses(b"Return-Path:" + first[1], "Return-Path")
    return found[0] if found else ""
