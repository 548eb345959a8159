"""By what an encrypted message is known again, however it is packed anew.

Whoever holds one without its key can change its armour, how it is cut into packets, and whom it
seems to be for; what is encrypted they cannot change without gpg noticing. RFC 4880 sections 4.2,
5.13 and 6.
"""

from __future__ import annotations

import hashlib

from mailcounsel import errors
from mailcounsel.crypto import packets

_BEGINS = b"-----BEGIN PGP"
_ENCRYPTED = {9, 18, 20}  # data packets: old, with a checksum, with AEAD


def identity(message: bytes) -> bytes:
    """Return a digest of what is encrypted in a message.

    b"" where no encrypted data is found at its top: no program packs a letter so, and it could be
    another one in disguise.
    """
    if message.count(_BEGINS) > 1:
        return b""
    try:
        binary = packets.binary(message, packets.MESSAGE)
        data = next((body for tag, body in packets.pieces(binary) if tag in _ENCRYPTED), b"")
    except errors.BadKey:
        return b""
    return hashlib.sha256(data).digest() if data else b""
