"""What gpg says on its status channel, and what it proves.

Pure. The lines are those of GnuPG's doc/DETAILS, "Format of the --status-fd output". The names,
user ids and notations in them are the sender's, so nothing is concluded from those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

#: a keyword and the rest of its line
Line = tuple[str, str]

#: Any of these beside a signature takes away what the good lines say.
_SPOILS = {"BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG"}
_NO_PUBLIC_KEY = "9"
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_DOCUMENT = {"00", "01"}  # signature classes: binary document, text document


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature found, and whether it holds.

    `fingerprint` is the primary key's (40 upper-case hex) whenever the signature is valid. Of
    others gpg may tell less: a fingerprint of a subkey, or a 16-digit key id. `made` is when it
    says to have been made, as gpg writes it.
    """

    fingerprint: str
    valid: bool
    known: bool  # whether the signer's certificate was at hand
    made: str = field(default="", compare=False)


def lines(raw: Iterable[bytes]) -> list[Line]:
    r"""Read the channel, split at b"\n" and decoded as Latin-1, which never fails.

    A user id may hold any other byte: 0x85, in UTF-8 the second half of "Å", ends a line for
    `str.splitlines`, and what followed it would then be taken for gpg's own words.
    """
    found = []
    for line in raw:
        prefix, _, rest = line.decode("latin-1").rstrip("\n").partition(" ")
        if prefix == "[GNUPG:]":
            keyword, _, value = rest.partition(" ")
            found.append((keyword, value))
    return found


def count(status: Sequence[Line], keyword: str) -> int:
    """Count the lines with that keyword."""
    return sum(1 for key, _ in status if key == keyword)


def values(status: Sequence[Line], keyword: str) -> list[list[str]]:
    """Return the fields of each line with that keyword."""
    return [value.split() for key, value in status if key == keyword]


def opened_whole(status: Sequence[Line]) -> bool:
    """Say whether one encrypted message was opened, and nothing but it was written out."""
    once = ("BEGIN_DECRYPTION", "PLAINTEXT", "DECRYPTION_OKAY", "END_DECRYPTION")
    never = ("DECRYPTION_FAILED", "BADMDC", "UNEXPECTED", "NODATA", "FAILURE")
    return all(count(status, key) == 1 for key in once) and not any(
        count(status, key) for key in never
    )


def inside(status: Sequence[Line]) -> list[Line]:
    """Return what was said about the inside of the encryption; a wrapper's signature is not.

    Without an end the rest counts: at a bad signature gpg stops where it stands.
    """
    keys = [key for key, _ in status]
    if "BEGIN_DECRYPTION" not in keys:
        return []
    end = keys.index("DECRYPTION_OKAY") if "DECRYPTION_OKAY" in keys else len(keys)
    return list(status[keys.index("BEGIN_DECRYPTION") : end])


def signatures(status: Sequence[Line]) -> tuple[Signature, ...]:
    """Return every signature, judged by itself, in the order gpg met them."""
    groups: list[list[Line]] = []
    for line in status:
        if line[0] == "NEWSIG":
            groups.append([])
        elif groups:
            groups[-1].append(line)
    return tuple(found for group in groups if (found := _judge(group)))


def _judge(group: Sequence[Line]) -> Signature | None:
    spoilt = any(key in _SPOILS for key, _ in group)
    for fields in _whole(group, "VALIDSIG", 10):
        good = count(group, "GOODSIG") == 1 and count(group, "VALIDSIG") == 1 and not spoilt
        good = good and _FINGERPRINT.fullmatch(fields[9]) is not None
        valid = good and fields[8] in _DOCUMENT
        return Signature(fields[9].upper(), valid, known=True, made=fields[2])
    for fields in _whole(group, "ERRSIG", 6):
        named = fields[6] if len(fields) > 6 and len(fields[6]) == 40 else fields[0]
        return Signature(named.upper(), valid=False, known=fields[5] != _NO_PUBLIC_KEY)
    for fields in _whole(group, "BADSIG", 1):
        return Signature(fields[0].upper(), valid=False, known=True)
    return None


def _whole(status: Sequence[Line], keyword: str, least: int) -> list[list[str]]:
    """Return the fields of each line with that keyword that is not cut short."""
    return [fields for fields in values(status, keyword) if len(fields) >= least]
