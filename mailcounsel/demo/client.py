"""A client: a name, an address, a mail program, and for some of them a key of their own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailcounsel.crypto import autocrypt, openpgp
from mailcounsel.letter import mime, parse, write

BUDGETS = mime.Budgets()


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter as the client's mail program shows it."""

    sender: str
    subject: str
    text: str
    was_locked: bool
    is_signed: bool  # by the centre
    letter: parse.Letter


@dataclass(frozen=True, slots=True)
class Certificate:
    """The centre's public key, as its web page would show it."""

    data: bytes
    fingerprint: str


class Client:
    """Somebody who writes to the centre. With a `home` for gpg they have a key of their own."""

    def __init__(
        self, name: str, writes_to: str, centre: Certificate, home: Path | None = None
    ) -> None:
        self.name = name
        self.address = address = f"{name.lower()}@example.org"
        self.writes_to = writes_to
        self._centre = centre
        # What the centre's key does in the service, this key does for the client: it opens what
        # comes in, and signs and encrypts what goes out.
        self._key = _own_key(home, name, address) if home else None

    def compose(self, text: str, now: datetime, answered: Shown | None = None) -> bytes:
        """Write to the centre: a new letter, or an answer to one of its letters."""
        letter = self._headers(now, answered)
        if self._key is None:
            return write.plain_mail(letter, text)
        own = autocrypt.header(self.address, self._key.public_certificate())
        inside = own + write.payload(letter, text)
        armoured = self._key.encrypt_and_sign(inside, self._centre.data, self._centre.fingerprint)
        return write.encrypted_mail(letter, armoured, own)

    def recipient(self, answered: Shown | None) -> str:
        """Return where a letter goes: back to whoever wrote the one it answers."""
        sender = answered.letter.sender.address if answered else None
        return sender or self.writes_to

    def _headers(self, now: datetime, answered: Shown | None) -> write.Outgoing:
        last = answered.letter if answered else None
        before = last.message_id if last else None
        known = last.references if last else ()
        return write.Outgoing(
            from_name=self.name,
            from_address=self.address,
            to_address=self.recipient(answered),
            subject=f"Re: {last.subject}" if last else "",
            date=now,
            message_id=f"{secrets.token_hex(12)}@example.org",
            in_reply_to=before,
            references=(*known, before) if before else (),
        )

    def open(self, raw: bytes) -> Shown:
        """Show a letter that arrived, unlocked with the client's own key where it is locked."""
        outer = parse.read(raw, BUDGETS)
        if outer.protection.kind != "encrypted" or self._key is None:
            return _shown(outer, was_locked=False, is_signed=False)
        opened = self._key.decrypt(outer.protection.ciphertext, [self._centre.data])
        signers = [one.fingerprint for one in opened.signatures if one.valid]
        letter = parse.inner(opened.data, outer, BUDGETS)
        return _shown(letter, was_locked=True, is_signed=signers == [self._centre.fingerprint])

    def close(self) -> None:
        """Let go of the key and of gpg's agent."""
        if self._key:
            self._key.close()


def _own_key(home: Path, name: str, address: str) -> openpgp.Centre:
    return openpgp.Centre(home, openpgp.make_centre(home, name, address))


def _shown(letter: parse.Letter, *, was_locked: bool, is_signed: bool) -> Shown:
    sender = letter.sender.name or letter.sender.address or ""
    return Shown(sender, letter.subject, letter.text, was_locked, is_signed, letter)
