"""Steps *read* and *open*: from bytes to a letter, decrypted where it was encrypted.

Outer headers and structure are read within the budgets; then the letter is decrypted with the
centre's key, and its inside is read under the same budgets. Protected headers replace the outer
ones. Certificates the letter offers (Autocrypt, an attached key) are collected, inner ones first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from mailcounsel import errors
from mailcounsel.config import Config
from mailcounsel.crypto import autocrypt, ciphertexts, openpgp, packets
from mailcounsel.crypto.openpgp import Centre, Signature
from mailcounsel.letter import parse
from mailcounsel.letter.addresses import compared
from mailcounsel.letter.attachments import Attachment
from mailcounsel.letter.mime import Budgets
from mailcounsel.letter.parse import Letter

MOST_CERTIFICATES = 8  # looked at in one letter
FINGERPRINT_DIGITS = 40
CLOSED = "cannot-decrypt"
DIFFERS = "inner-sender-differs"

Certificates = Callable[[str], list[bytes]]  # those met with an address, or of a fingerprint


@dataclass(frozen=True, slots=True)
class Offered:
    """A certificate a letter carries for its sender. `usable` until it expired or was revoked."""

    fingerprint: str
    certificate: bytes
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter as it was meant to be read.

    `signed_by` names the primary keys with a valid signature over the whole body; `problems` are
    codes of what went wrong, such as "cannot-decrypt". `lock` is by what an encrypted letter is
    known again, "" where it is packed in no way that could be; `signings` are that of signed ones.
    """

    letter: Letter
    was_encrypted: bool = False
    signed_by: tuple[str, ...] = ()
    offered: tuple[Offered, ...] = ()
    problems: tuple[str, ...] = ()
    lock: bytes = b""
    signings: tuple[bytes, ...] = ()

    @property
    def was_opened(self) -> bool:
        """Tell whether it was locked, and could be read."""
        return self.was_encrypted and CLOSED not in self.problems

    @property
    def names_nobody(self) -> bool:
        """Tell whether nothing inside the lock says who wrote it: neither From nor signature."""
        is_named = self.letter.inside.sender is not None or bool(self.signed_by)
        return self.was_opened and not is_named


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


def opened_bytes(config: Config) -> int:
    """Return how large a letter may become when it is decrypted; gpg stops there.

    Twice the largest letter that is read, so that one a little too large is told from a bomb.
    """
    return 2 * config.limits.size_bytes


def may_need_gpg(raw: bytes) -> bool:
    """Guess from a letter's bytes whether gpg will be asked, which takes its time."""
    return b"-----BEGIN PGP" in raw or b"application/pgp" in raw.lower()


def open_letter(
    letter: Letter,
    limits: Budgets,
    centre: Centre | None,
    certificates: Certificates,
) -> Opened:
    """Decrypt and verify a letter that was read.

    `certificates` returns those met with clients of an address, or pinned under a fingerprint. A
    letter that does not open is kept as it is, with its problem. Raises: Unavailable when gpg is
    missing.
    """
    offered = offered_by(letter)
    if letter.protection.kind == "none" or centre is None:
        return Opened(letter, offered=offered, problems=letter.problems)
    known = certificates(letter.sender.address) if letter.sender.address else []
    keys = [*known, *(one.certificate for one in offered)]
    step = _Step(letter, limits, centre, certificates, keys, offered)
    return step.decrypt() if letter.protection.kind.endswith("encrypted") else step.verify()


@dataclass(frozen=True, slots=True)
class _Step:
    """A protected letter, and the certificates its signatures are judged by."""

    letter: Letter
    limits: Budgets
    centre: Centre
    certificates: Certificates
    keys: list[bytes]
    offered: tuple[Offered, ...]

    def decrypt(self) -> Opened:
        """Open an encrypted letter; a key that came inside judges its signature as well."""
        letter, centre = self.letter, self.centre
        ciphertext = letter.protection.ciphertext
        try:
            opened = centre.decrypt(ciphertext, self.keys)
            inside = parse.inner(opened.data, letter, self.limits)
            found = tuple(dict.fromkeys([*offered_by(inside), *self.offered]))
            more = [one.certificate for one in found if one not in self.offered]
            more += self._pinned(opened.signatures)
            if more and not all(signature.known for signature in opened.signatures):
                opened = centre.decrypt(ciphertext, [*self.keys, *more])
        except errors.DecryptionFailed:
            problems = (*letter.problems, CLOSED)
            return Opened(letter, was_encrypted=True, offered=self.offered, problems=problems)
        signed_by, signings = _valid(opened.signatures), _signings(opened.signatures, inside)
        if not signed_by and inside.protection.kind == "signed":
            within = replace(self, letter=inside, keys=[*self.keys, *more], offered=found)
            verified = within.verify()
            signed_by, signings = verified.signed_by, verified.signings
        lock = ciphertexts.identity(ciphertext)
        return Opened(inside, True, signed_by, found, inside.problems, lock, signings)

    def verify(self) -> Opened:
        """Judge the detached signature over the whole body."""
        letter, offered = self.letter, self.offered
        if letter.protection.kind != "signed":
            return Opened(letter, offered=offered, problems=letter.problems)
        signed, signature = letter.protection.signed, letter.protection.signature
        try:
            found = self.centre.verify(signed, signature, self.keys)
            pinned = self._pinned(found)
            if pinned:
                found = self.centre.verify(signed, signature, [*self.keys, *pinned])
        except errors.OpenPGPError:
            problems = (*letter.problems, "cannot-verify")
            return Opened(letter, offered=offered, problems=problems)
        signings = _signings(found, letter)
        return Opened(letter, False, _valid(found), offered, letter.problems, signings=signings)

    def _pinned(self, signatures: tuple[Signature, ...]) -> list[bytes]:
        """Return the pinned certificates of signers who write from another address this time."""
        unknown = [one.fingerprint for one in signatures if not one.known]
        whole = [name for name in unknown[:MOST_CERTIFICATES] if len(name) == FINGERPRINT_DIGITS]
        return [found for name in whole for found in self.certificates(name)]


def _valid(signatures: tuple[Signature, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.fingerprint for one in signatures if one.valid))


def _signings(signatures: tuple[Signature, ...], letter: Letter) -> tuple[bytes, ...]:
    """Return by what a signed letter is known again: who signed what, and when.

    Not the bytes of the signature: of some kinds there is a second one that holds as well.
    """
    words = " ".join(letter.text.split()).encode()
    heads = (f"{one.fingerprint} {one.made}\n".encode() for one in signatures if one.valid)
    return tuple(dict.fromkeys(hashlib.sha256(head + words).digest() for head in heads))


def offered_by(letter: Letter) -> tuple[Offered, ...]:
    """Return the certificates a letter offers for its sender's own address."""
    address = letter.sender.address
    if not address:
        return ()
    header = autocrypt.choose(letter.autocrypt, address)
    attached = [one.data for one in letter.attachments if _is_certificate(one)]
    pasted = _KEY_BLOCK.search(letter.text)
    attached += [pasted[0].encode("ascii", "replace")] if pasted else []
    candidates = [header.keydata] if header else []
    return tuple(_usable([*candidates, *attached[:MOST_CERTIFICATES]], address))


_KEY_BLOCK = re.compile(
    "^-----BEGIN PGP PUBLIC KEY BLOCK-----$[^-]{1,200000}?^-----END PGP PUBLIC KEY BLOCK-----$",
    re.MULTILINE,
)


def _is_certificate(file: Attachment) -> bool:
    """Whether a file is a certificate by its type, or by its beginning: few programs name it."""
    begins = file.data[:200].lstrip().startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    return file.content_type == "application/pgp-keys" or begins


def _usable(candidates: list[bytes], address: str) -> list[Offered]:
    found: dict[str, Offered] = {}
    for candidate in candidates:
        try:
            facts = openpgp.examine(candidate)
        except errors.OpenPGPError:
            continue  # a broken or secret key is nobody's certificate
        is_theirs = compared(address) in map(compared, facts.addresses)
        if is_theirs or facts.revoked:  # a revoked key names nobody any more
            usable = is_theirs and facts.can_encrypt and not facts.revoked
            offered = Offered(facts.fingerprint, packets.dearmour(candidate), usable)
            found.setdefault(facts.fingerprint, offered)
    return list(found.values())
