"""What there is to know about a certificate, read from gpg's listing.

Pure. The format is GnuPG's doc/DETAILS, "Format of the colon listings".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

_ADDRESS = re.compile(r"(?:^|<)([^<>\s@]+@[^<>\s@]+)>?$")
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")

# fields of a line, counted from 0
_VALIDITY, _CREATED, _EXPIRES, _TEXT, _CAPABILITIES = 1, 5, 6, 9, 11


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A certificate in words. User ids and addresses are as their owner wrote them."""

    fingerprint: str  # primary key, 40 upper-case hex
    addresses: tuple[str, ...] = field(repr=False)
    user_ids: tuple[str, ...] = field(repr=False)
    created: datetime  # aware UTC
    expires: datetime | None  # aware UTC; when nothing can be encrypted to it any more
    can_encrypt: bool  # now
    revoked: bool
    expired: bool


def read_listing(raw: bytes) -> tuple[KeyFacts, ...]:
    r"""Read what `gpg --with-colons --list-keys` or `--list-secret-keys` wrote.

    Odd names do no harm: a line ends at b"\n" alone, and gpg escapes what would end a field.
    """
    keys: list[list[list[str]]] = []
    for line in raw.split(b"\n"):
        fields = line.decode("utf-8", "replace").split(":")
        if fields[0] in {"pub", "sec"}:
            keys.append([])
        if keys:
            keys[-1].append(fields)
    return tuple(_facts(lines) for lines in keys)


def _facts(lines: Sequence[Sequence[str]]) -> KeyFacts:
    primary = lines[0]
    subkeys = [line for line in lines if line[0] in {"sub", "ssb"} and "e" in line[_CAPABILITIES]]
    user_ids = tuple(
        _unescape(line[_TEXT])
        for line in lines
        if line[0] == "uid" and line[_VALIDITY] not in {"r", "i"}
    )
    return KeyFacts(
        fingerprint=next(line[_TEXT] for line in lines if line[0] == "fpr"),
        addresses=tuple(found[1] for uid in user_ids if (found := _ADDRESS.search(uid))),
        user_ids=user_ids,
        created=_moment(primary[_CREATED]),
        expires=_end(primary, subkeys),
        can_encrypt="E" in primary[_CAPABILITIES],
        revoked=primary[_VALIDITY] == "r",
        expired=primary[_VALIDITY] == "e" or _all_expired(subkeys),
    )


def _all_expired(subkeys: Sequence[Sequence[str]]) -> bool:
    states = {line[_VALIDITY] for line in subkeys}
    return "e" in states and states <= {"e", "r"}


def _end(primary: Sequence[str], subkeys: Sequence[Sequence[str]]) -> datetime | None:
    ends = [int(line[_EXPIRES] or 0) for line in subkeys if line[_VALIDITY] != "r"]
    latest = 0 if 0 in ends else max(ends, default=0)
    known = [end for end in (int(primary[_EXPIRES] or 0), latest) if end]
    return datetime.fromtimestamp(min(known), UTC) if known else None


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
