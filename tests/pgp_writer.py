"""A client whose mail program signs and locks letters. Real gpg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mailcounsel.crypto import autocrypt
from parts import gpg_homes

TEXT = "Content-Type: text/plain"


class Writer:
    """A client with gpg, who writes what mail programs write."""

    def __init__(self, home: Path, address: str) -> None:
        self.gpg = gpg_homes.Gpg(home)
        self.address = address
        self.key = self.gpg.key(f"<{address}>")
        self.number = 0

    @property
    def certificate(self) -> bytes:
        return self.gpg.export(self.key)

    def autocrypt(self, address: str = "") -> bytes:
        return autocrypt.header(address or self.address, self.certificate)

    def headers(
        self,
        *,
        to: str = "halo@rumah.test",
        sender: str = "",
        reply_to: Any = None,
        key: bytes = b"",
        message_id: str = "",
    ) -> bytes:
        self.number += 1
        lines = [
            f"From: {sender or self.address}",
            f"To: {reply_to.from_address if reply_to else to}",
            "Subject: surat",
            "Date: Sun, 22 Nov 2026 09:00:00 +0000",
            f"Message-ID: <{message_id or f'{self.number}.{self.key}@klien.test'}>",
            *([f"In-Reply-To: <{reply_to.message_id}>"] if reply_to else []),
        ]
        return "\r\n".join(lines).encode() + b"\r\n" + key

    def plain(self, text: str, **more: Any) -> bytes:
        return self.headers(**more) + b"\r\n" + text.encode() + b"\r\n"

    def signed(
        self, text: str, *, change: Any = None, by: Any = None, head: str = TEXT, **more: Any
    ) -> bytes:
        """PGP/MIME signed: RFC 3156 section 5. `head` are the headers that are signed."""
        part = f"{head}\r\n\r\n{text}\r\n".encode()
        signature = (by or self).gpg.signature(part, (by or self).key)
        kind = (
            b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; micalg=pgp-sha512;"
            b' protocol="application/pgp-signature"; boundary="b1"\r\n\r\n'
        )
        shown = change(part) if change else part
        end = b"\r\n--b1\r\nContent-Type: application/pgp-signature\r\n\r\n"
        body = b"--b1\r\n" + shown + end + signature + b"\r\n--b1--\r\n"
        return self.headers(**more) + kind + body

    def encrypted(
        self, centre: Any, inside: bytes, outer: bytes, *, by: Any = None, options: Any = ()
    ) -> bytes:
        """Encrypted and signed in one (RFC 3156 section 6.2), for a hidden recipient."""
        writer = by or self
        writer.gpg("--import", data=centre.public_certificate())
        hidden = ["--armor", "--hidden-recipient", centre.fingerprint, "--encrypt", "--sign"]
        message = writer.gpg(*hidden, "--local-user", writer.key, *options, data=inside)
        kind = (
            b"MIME-Version: 1.0\r\nContent-Type: multipart/encrypted;"
            b' protocol="application/pgp-encrypted"; boundary="b2"\r\n\r\n'
            b"--b2\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
            b"--b2\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        return outer + kind + message + b"\r\n--b2--\r\n"

    def chat(self, centre: Any, text: str, **more: Any) -> bytes:
        """As Delta Chat writes: everything inside, outside only what the way needs."""
        self.number += 1
        name = f"{self.number}.{self.key}@localhost"
        inside = self.headers(key=self.autocrypt(), message_id=name, **more)
        inside += (
            b"Chat-Version: 1.0\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: text/plain; protected-headers="v1"; hp="cipher"\r\n\r\n'
        )
        outer = (
            f"From: {self.address}\r\nDate: Sun, 15 Nov 2026 01:00:00 +0000\r\n"
            f'Message-ID: <{name}>\r\nTo: "hidden-recipients": ;\r\nSubject: [...]\r\n'
        )
        return self.encrypted(centre, inside + text.encode() + b"\r\n", outer.encode())

    def opened(self, centre: Any, mail: bytes) -> bytes:
        """Return the inside of a letter of the centre's; gpg fails unless it is signed well."""
        self.gpg("--import", data=centre.public_certificate())
        return self.gpg("--decrypt", data=mail[mail.index(b"-----BEGIN") :])
