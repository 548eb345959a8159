"""Seal bytes to a public key, and derive a reader's keys.

Every sealed value, here and in `keyring`, is

    format version (1 byte, 0x01) | key id (8 bytes) | payload

and its plaintext is padded first, so that its size tells little. A *context* such as
`letter/17/content` says where the value belongs; a value moved elsewhere does not open.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from nacl import exceptions, public, signing, utils

from mailcounsel import errors

VERSION = b"\x01"
HEAD = 1 + 8  # bytes before the payload: version and key id

#: Shorter plaintexts are padded to this many bytes, so that a check-in's "3" and "10" look alike.
SMALLEST = 64


@dataclass(frozen=True, slots=True)
class Pair:
    """An X25519 key pair, 32 bytes each half."""

    private: bytes = field(repr=False)
    public: bytes

    @classmethod
    def of(cls, private: bytes) -> Pair:
        """Return the pair a private half belongs to."""
        key = public.PrivateKey(private)
        return cls(bytes(key), bytes(key.public_key))


def new_pair() -> Pair:
    """Make a fresh key pair."""
    key = public.PrivateKey.generate()
    return Pair(bytes(key), bytes(key.public_key))


def key_id(public_key: bytes) -> bytes:
    """Return the 8 bytes by which sealed values name this key."""
    return digest(public_key, person=b"mc key id", size=8)


def sealed_under(sealed: bytes) -> bytes:
    """Return the id of the key that opens this value.

    Raises: SealBroken if it is no sealed value of a format known here.
    """
    if len(sealed) <= HEAD or sealed[:1] != VERSION:
        raise errors.SealBroken
    return sealed[1:HEAD]


def seal_to(public_key: bytes, plaintext: bytes, context: str) -> bytes:
    """Seal to whoever holds the private half; the sealer itself cannot open it again."""
    head = VERSION + key_id(public_key)
    box = public.SealedBox(public.PublicKey(public_key))
    # A SealedBox has no associated data, so what it is bound to goes inside.
    return head + box.encrypt(pad(plaintext, behind=_bound_to(head, context)))


def open_with(private_key: bytes, sealed: bytes, context: str) -> bytes:
    """Open what was sealed to this key for this context.

    Raises: SealBroken on a wrong key, a damaged value, or one moved from its place.
    """
    key = public.PrivateKey(private_key)
    if sealed_under(sealed) != key_id(bytes(key.public_key)):
        raise errors.SealBroken
    try:
        inner = public.SealedBox(key).decrypt(sealed[HEAD:])
    except (exceptions.CryptoError, exceptions.TypeError, exceptions.ValueError) as exc:
        raise errors.SealBroken from exc
    bound = _bound_to(sealed[:HEAD], context)
    if not inner.startswith(bound):
        raise errors.SealBroken
    return unpad(inner[len(bound) :])


def _bound_to(head: bytes, context: str) -> bytes:
    place = context.encode()
    return head + len(place).to_bytes(4, "big") + place


# -- padding ------------------------------------------------------------------------------------


def padme(length: int) -> int:
    """Return the padded size for a length: at most 12 % more, and few distinct sizes.

    Padmé of Nikitin, Barman, Lueks, Underwood, Hubaux and Ford, "Reducing Metadata Leakage from
    Encrypted Files and Communication with PURBs", PETS 2019, algorithm 1.
    """
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << max(free_bits, 0)) - 1
    return (length + mask) & ~mask


def pad(plaintext: bytes, *, behind: bytes = b"") -> bytes:
    """Append 0x80 and zeros (ISO/IEC 7816-4) up to the size `padme` gives.

    What it goes `behind` is not counted. A letter of megabytes is copied once for all of it.
    """
    marked = len(plaintext) + 1
    zeros = max(padme(marked), SMALLEST) - marked
    return b"".join((behind, plaintext, b"\x80", bytes(zeros)))


def unpad(padded: bytes) -> bytes:
    """Take the padding off again.

    Raises: SealBroken if there is none.
    """
    marked = padded.rstrip(b"\0")
    if not marked.endswith(b"\x80"):
        raise errors.SealBroken
    return marked[:-1]


# -- a reader's keys ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReaderKey:
    """The keys of a person who may read, all derived from one 32-byte seed."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise errors.SealBroken("A reader key has a seed of 32 bytes.")

    @classmethod
    def new(cls) -> ReaderKey:
        """Make a fresh seed; belongs in the reader's own process."""
        return cls(utils.random(32))

    @property
    def private(self) -> bytes:
        """The X25519 key that opens."""
        return digest(b"", key=self.seed, person=b"mc reader box")

    @property
    def public(self) -> bytes:
        """The X25519 key that others seal to."""
        return bytes(public.PrivateKey(self.private).public_key)

    @property
    def verify_key(self) -> bytes:
        """The Ed25519 key that checks this reader's signatures."""
        return bytes(self._signing_key().verify_key)

    def sign(self, message: bytes) -> bytes:
        """Sign, giving the 64-byte Ed25519 signature alone."""
        return bytes(self._signing_key().sign(message).signature)

    def _signing_key(self) -> signing.SigningKey:
        return signing.SigningKey(digest(b"", key=self.seed, person=b"mc reader sign"))


def verify(verify_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether the signature is this key's over this message; malformed input is a no."""
    try:
        signing.VerifyKey(verify_key).verify(message, signature)
    except (exceptions.CryptoError, exceptions.TypeError, exceptions.ValueError):
        return False
    return True


def digest(data: bytes, *, person: bytes, key: bytes = b"", size: int = 32) -> bytes:
    """Hash with BLAKE2b; `person` (at most 16 bytes) keeps the purposes apart."""
    return hashlib.blake2b(data, digest_size=size, key=key, person=person).digest()
