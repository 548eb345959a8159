"""Letters that do not say for whom they are locked.

gpg tries our key on each anonymous packet in turn. For each one that was meant for somebody else
it counts an error, and so it ends with one although a later packet fits (seen with GnuPG 2.2.40,
ECDH). Delta Chat locks every letter like this, and to its writer first. To keep believing gpg's
exit code, such a letter is tried with one packet at a time. RFC 4880 section 5.1.
"""

from __future__ import annotations

from mailcounsel import errors
from mailcounsel.crypto import packets

MOST = 8  # anonymous recipients that are tried
SESSION_KEY = 1


def alternatives(ciphertext: bytes) -> list[bytes]:
    """Return a message once for each recipient it may be for, the likeliest first.

    A message with fewer than two recipients, or none that is anonymous, is returned as one.
    """
    message = packets.unpacked(ciphertext, packets.MESSAGE)
    try:
        keys, rest = packets.leading(message, SESSION_KEY)
    except errors.BadKey:
        return [message]
    hidden = [key for key in keys if _is_anonymous(key)]
    named = [key for key in keys if not _is_anonymous(key)]
    if not hidden or len(keys) < 2:
        return [message]
    chosen = [b"".join(named)] if named else []
    return [keys + rest for keys in (*chosen, *reversed(hidden[-MOST:]))]


def _is_anonymous(packet: bytes) -> bool:
    _, body = next(packets.split(packet))
    return body[:9] == b"\x03" + bytes(8)
