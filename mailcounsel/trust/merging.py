"""Two copies of one OpenPGP certificate, put together.

A copy that comes with a letter may be newer than ours (a new subkey, a later expiry, a revocation)
or older, or may have had parts cut off by whoever passed it on. Nothing either copy says is
dropped; which signatures hold and which of them is the latest, gpg decides (RFC 4880 section 11.1).
"""

from __future__ import annotations

from mailcounsel import errors
from mailcounsel.crypto import packets

SIGNATURE = 2
HEADS = {packets.PUBLIC_KEY, 13, packets.PUBLIC_SUBKEY, 17}  # key, user id, subkey, picture

Part = tuple[int, bytes]


def merged(ours: bytes, theirs: bytes) -> bytes:
    """Return both copies as one binary certificate; ours as it is where that cannot be.

    The copies must be of the same primary key.
    """
    try:
        together = _parts(ours)
        known = {signature for signatures in together.values() for signature in signatures}
        fresh = _parts(theirs)
    except errors.BadKey:
        return ours
    if not set(fresh) - set(together) and not _signatures(fresh) - known:
        return ours
    for head, signatures in fresh.items():
        own = together.setdefault(head, [])
        own += [one for one in signatures if one not in own]
    found = b"".join(
        _packet(*head) + b"".join(map(_signed, own)) for head, own in _sorted(together)
    )
    return found if len(found) <= packets.LARGEST else ours


def _parts(certificate: bytes) -> dict[Part, list[bytes]]:
    """Return each key and user id with the signatures that follow it, in order."""
    found: dict[Part, list[bytes]] = {}
    signatures: list[bytes] = []
    for tag, body in packets.split(certificate):
        if tag in HEADS:
            signatures = found.setdefault((tag, body), [])
        elif tag == SIGNATURE:
            signatures.append(body)
    return found


def _signatures(parts: dict[Part, list[bytes]]) -> set[bytes]:
    return {signature for signatures in parts.values() for signature in signatures}


def _sorted(parts: dict[Part, list[bytes]]) -> list[tuple[Part, list[bytes]]]:
    """Put subkeys last, as a certificate has them; otherwise the order stays."""
    return sorted(parts.items(), key=lambda part: part[0][0] == packets.PUBLIC_SUBKEY)


def _signed(body: bytes) -> bytes:
    return _packet(SIGNATURE, body)


def _packet(tag: int, body: bytes) -> bytes:
    """Write a packet in the new format with a length of five octets (RFC 4880 section 4.2.2.3)."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body
