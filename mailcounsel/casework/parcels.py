"""The clear content of an outgoing letter, and its sealing with the in-flight key.

A parcel freezes everything at the moment of approval: words, address, key. It lives in memory and,
sealed, in its outgoing row; the row loses it once the letter is sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.letter import invitations, write
from mailcounsel.letter.attachments import Attachment

ENCRYPTED = "encrypted"
PLAIN = "plain"
NONE = "none"  # no way yet: the letter waits


@dataclass(frozen=True, slots=True)
class Parcel:
    """One mail as it will be sent. Message-IDs are without angle brackets."""

    to_address: str
    from_address: str
    from_name: str
    subject: str
    text: str
    message_id: str
    channel: str
    fingerprint: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    auto_submitted: str | None = None  # auto-replied, auto-generated (RFC 3834), None for people
    client_id: str | None = None  # None: the client is forgotten, and the certificate stands here
    certificate: str = ""  # binary OpenPGP in hexadecimal
    author: str | None = None
    files: tuple[tuple[str, str], ...] = ()  # name and type of each; see `enclosures`
    calendar: str = ""  # an invitation, as a calendar file
    method: str = ""  # what the calendar is to do with it: REQUEST, CANCEL
    statement: str = ""  # what the therapist signed
    signature: str = ""  # Ed25519 by the therapist's reader key, hexadecimal


def letter(parcel: Parcel, now: datetime) -> write.Outgoing:
    """Return what stands on the outside and the inside of a parcel's mail."""
    automatic = cast("Literal['auto-replied', 'auto-generated'] | None", parcel.auto_submitted)
    return write.Outgoing(
        from_name=parcel.from_name,
        from_address=parcel.from_address,
        to_address=parcel.to_address,
        subject=parcel.subject,
        date=now,
        message_id=parcel.message_id,
        in_reply_to=parcel.in_reply_to,
        references=parcel.references,
        auto_submitted=automatic,
    )


def invitation(parcel: Parcel) -> tuple[Attachment, ...]:
    """Return the calendar that goes along with the words of a parcel, if there is one."""
    return (invitations.enclosed(parcel.calendar, parcel.method),) if parcel.calendar else ()


def seal(keyring: ServiceKeyring, outgoing_id: str, parcel: Parcel) -> bytes:
    """Seal a parcel for its outgoing row."""
    fields = {name: getattr(parcel, name) for name in Parcel.__slots__}
    return keyring.seal("inflight", json.dumps(fields).encode(), _place(outgoing_id))


def unseal(keyring: ServiceKeyring, outgoing_id: str, sealed: bytes) -> Parcel:
    """Open the parcel of an outgoing row. Raises: SealBroken."""
    fields = json.loads(keyring.open(sealed, _place(outgoing_id)))
    fields["references"] = tuple(fields["references"])
    fields["files"] = tuple((name, kind) for name, kind in fields.get("files", ()))
    return Parcel(**fields)


def _place(outgoing_id: str) -> str:
    return f"outgoing/{outgoing_id}/sealed"
