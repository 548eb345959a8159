"""Steps *read* and *open*: from bytes to a letter, decrypted where it was encrypted.

Outer headers and structure are read within the budgets; then the letter is decrypted with the
centre's key, and its inside is read under the same budgets. Protected headers replace the outer
ones. Certificates the letter offers (Autocrypt, an attached key) are collected, inner ones first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailcounsel import errors
from mailcounsel.config import Config
from mailcounsel.crypto import autocrypt, openpgp
from mailcounsel.crypto.openpgp import Centre, Signature
from mailcounsel.letter import parse
from mailcounsel.letter.mime import Budgets
from mailcounsel.letter.parse import Letter

MOST_CERTIFICATES = 8  # looked at in one letter

Certificates = Callable[[str], list[bytes]]  # those met with clients of an address


@dataclass(frozen=True, slots=True)
class Offered:
    """A certificate a letter carries, and whether its fingerprint could be read."""

    fingerprint: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter as it was meant to be read.

    `signed_by` names the primary keys with a valid signature over the whole body; `problems` are
    codes of what went wrong, such as "cannot-decrypt".
    """

    letter: Letter
    was_encrypted: bool = False
    signed_by: tuple[str, ...] = ()
    offered: tuple[Offered, ...] = ()
    problems: tuple[str, ...] = ()


def budgets(config: Config) -> Budgets:
    """Return the admin's limits for reading."""
    limits = config.limits
    return Budgets(
        size=limits.size_bytes,
        header_bytes=limits.header_bytes,
        headers=limits.headers,
        parts=limits.parts,
        depth=limits.depth,
    )


def open_letter(
    letter: Letter,
    limits: Budgets,
    centre: Centre | None,
    certificates: Certificates,
) -> Opened:
    """Decrypt and verify a letter that was read.

    `certificates` returns those met with an address. A letter that does not open is kept as it
    is, with its problem. Raises: Unavailable when gpg is missing.
    """
    offered = offered_by(letter)
    if letter.protection.kind == "none" or centre is None:
        return Opened(letter, offered=offered)
    known = certificates(letter.sender.address) if letter.sender.address else []
    keys = [*known, *(one.certificate for one in offered)]
    if letter.protection.kind.endswith("encrypted"):
        return _decrypt(letter, limits, centre, keys, offered)
    return _verify(letter, centre, keys, offered)


def _decrypt(
    letter: Letter, limits: Budgets, centre: Centre, keys: list[bytes], offered: tuple[Offered, ...]
) -> Opened:
    ciphertext = letter.protection.ciphertext
    try:
        opened = centre.decrypt(ciphertext, keys)
        inside = parse.inner(opened.data, letter, limits)
        found = offered_by(inside)
        fresh = [one.certificate for one in found if one not in offered]
        if fresh and not all(signature.known for signature in opened.signatures):
            opened = centre.decrypt(ciphertext, [*keys, *fresh])
    except errors.DecryptionFailed:
        return Opened(letter, was_encrypted=True, offered=offered, problems=("cannot-decrypt",))
    together = tuple(dict.fromkeys([*found, *offered]))
    signed_by = _valid(opened.signatures)
    if not signed_by and inside.protection.kind == "signed":
        inside_signed = _verify(inside, centre, [*keys, *fresh], together)
        signed_by = inside_signed.signed_by
    return Opened(inside, True, signed_by, together, inside.problems)


def _verify(
    letter: Letter, centre: Centre, keys: list[bytes], offered: tuple[Offered, ...]
) -> Opened:
    if letter.protection.kind != "signed" or not keys:
        return Opened(letter, offered=offered, problems=letter.problems)
    protection = letter.protection
    try:
        signatures = centre.verify(protection.signed, protection.signature, keys)
    except errors.OpenPGPError:
        return Opened(letter, offered=offered, problems=(*letter.problems, "cannot-verify"))
    return Opened(letter, False, _valid(signatures), offered, letter.problems)


def _valid(signatures: tuple[Signature, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.fingerprint for one in signatures if one.valid))


def offered_by(letter: Letter) -> tuple[Offered, ...]:
    """Return the certificates a letter offers for its sender's own address."""
    address = letter.sender.address
    if not address:
        return ()
    header = autocrypt.choose(letter.autocrypt, address)
    attached = [
        one.data for one in letter.attachments if one.content_type == "application/pgp-keys"
    ]
    candidates = [header.keydata] if header else []
    return tuple(_usable([*candidates, *attached[:MOST_CERTIFICATES]], address))


def _usable(candidates: list[bytes], address: str) -> list[Offered]:
    found: dict[str, Offered] = {}
    for candidate in candidates:
        try:
            facts = openpgp.examine(candidate)
        except errors.OpenPGPError:
            continue  # a broken or secret key is nobody's certificate
        if address in facts.addresses and facts.can_encrypt and not facts.revoked:
            found.setdefault(facts.fingerprint, Offered(facts.fingerprint, facts.certificate))
    return list(found.values())
