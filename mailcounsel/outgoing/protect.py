"""Build the bytes that leave: encrypted and signed in one where there is a key, else as agreed.

An encrypted letter shows the way it takes and nothing else: bare addresses, a date, the constant
subject "[...]", Message-IDs, our public key. The sender's name, the real subject and every word
are inside, together with protected copies of the headers (RFC 9788).

In-Reply-To and References stand outside as well as inside. Gmail, notmuch and most others read
the outer ones alone when they put a conversation together; and they tell a provider nothing new,
who has seen each of those Message-IDs on the letters themselves. Auto-Submitted stands at both
places too: mail servers look for it outside, chat programs inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mailcounsel import errors
from mailcounsel.casework import parcels
from mailcounsel.casework.parcels import Parcel
from mailcounsel.crypto import autocrypt
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.letter import write
from mailcounsel.letter.attachments import Attachment

# What a byte of a file weighs at most in an encrypted letter: base64 within base64, with line ends.
FILE_WEIGHS = 2


def build(
    parcel: Parcel,
    centre: Centre,
    certificate: bytes | None,
    now: datetime,
    files: Sequence[Attachment] = (),
) -> bytes:
    """Build the whole mail, with CRLF line ends. It fails rather than leave weaker than approved.

    `files` leave encrypted only; without them the letter has 20 kB at most.

    Raises: NoUsableKey (KeyExpired) when an encrypted letter has no key, or another than the one
    it was approved for; Refused for a header that cannot be sent; OverBudget.
    """
    key = autocrypt.header(parcel.from_address, centre.public_certificate())
    letter = parcels.letter(parcel, now)
    if parcel.channel == parcels.PLAIN:
        if files or parcel.files:
            message = "Files never leave in an ordinary mail."
            raise errors.Refused(message)
        mail = write.plain_mail(letter, parcel.text, parcels.invitation(parcel), autocrypt=key)
    else:
        enclosed = (*parcels.invitation(parcel), *files)
        inside = key + write.payload(letter, parcel.text, enclosed)
        mail = write.encrypted_mail(letter, _armoured(parcel, centre, certificate, inside), key)
    weight = sum(len(file.data) for file in files) * FILE_WEIGHS
    write.check_size(mail, write.WITHOUT_ATTACHMENTS + weight)
    return mail


def envelope_sender(parcel: Parcel) -> str:
    """Return where bounces go: nowhere for an automatic answer (RFC 3834 section 3.3)."""
    return "" if parcel.auto_submitted == "auto-replied" else parcel.from_address


def _armoured(parcel: Parcel, centre: Centre, certificate: bytes | None, inside: bytes) -> bytes:
    """Encrypt to the key frozen at approval and to no other."""
    if parcel.channel != parcels.ENCRYPTED or certificate is None or parcel.fingerprint is None:
        raise errors.NoUsableKey
    return centre.encrypt_and_sign(inside, certificate, parcel.fingerprint)
