"""The people who write to a centre, each with a mail program of their own."""

from __future__ import annotations

import email
import email.policy
import json
import mailbox
import os
import subprocess
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

from parts.gpg_homes import Gpg
from servers import sink, tools
from servers.dovecot import Dovecot

CRLF = email.policy.SMTP


def read(raw: bytes) -> EmailMessage:
    """Parse a letter."""
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(letter, EmailMessage)
    return letter


def arrived(world: sink.Sink, address: str) -> list[bytes]:
    """Return the letters that left for an address, oldest first."""
    return [taken.content for taken in list(world.letters) if taken.recipients == (address,)]


def wait_for_mail(world: sink.Sink, address: str, number: int) -> list[bytes]:
    """Wait until so many letters have left for an address, and return them."""

    def enough() -> list[bytes] | None:
        found = arrived(world, address)
        return found if len(found) >= number else None

    found: list[bytes] = tools.until(enough, f"{number} letters for a client")
    return found


class Client:
    """A client with a mailbox at Dovecot and notmuch to read it."""

    def __init__(self, folder: Path, address: str, name: str = "") -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self.address = address
        self.name = name
        self._mail = mailbox.Maildir(folder / "mail")
        self._fetched: set[int] = set()
        self.environment = {"HOME": str(folder), "NOTMUCH_CONFIG": str(folder / "notmuch-config")}
        (folder / "notmuch-config").write_text(
            f"[database]\npath={folder}/mail\n[user]\nname={name}\nprimary_email={address}\n"
        )

    # -- writing

    def letter(self, text: str, *, to: str, subject: str = "surat") -> EmailMessage:
        """Return a letter in plain text."""
        letter = self._head(to, subject)
        letter.set_content(text)
        return letter

    def _head(self, to: str, subject: str) -> EmailMessage:
        head = EmailMessage()
        head["From"] = f"{self.name} <{self.address}>" if self.name else self.address
        head["To"], head["Subject"] = to, subject
        head["Date"] = format_datetime(datetime.now(UTC))
        head["Message-ID"] = make_msgid(domain=self.address.rpartition("@")[2])
        return head

    # -- reading with a real mail program

    def fetch(self, dovecot: Dovecot, world: sink.Sink) -> None:
        """Let what left for this client come into their mailbox and into notmuch."""
        there = len(dovecot.list_uids(self.address))
        for raw in arrived(world, self.address)[there:]:
            dovecot.append(self.address, raw)
        for uid in dovecot.list_uids(self.address):
            if uid not in self._fetched:
                self._mail.add(dovecot.fetch(self.address, uid))
                self._fetched.add(uid)
        self.notmuch("new", "--quiet")

    def notmuch(self, *arguments: str) -> str:
        """Run notmuch with this client's own configuration."""
        done = subprocess.run(
            [tools.need("notmuch"), *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | self.environment,
            timeout=tools.PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def show(self, query: str) -> dict[str, Any]:
        """Return the one message a query finds, decrypted and verified, as notmuch sees it."""
        arguments = ("--format=json", "--entire-thread=false", "--decrypt=true", "--verify")
        found = _messages(json.loads(self.notmuch("show", *arguments, query)))
        assert len(found) == 1
        return found[0]

    def answer(self, raw: bytes, text: str) -> EmailMessage:
        """Answer a letter as notmuch would: its headers, the client's words above the quote."""
        about = f"id:{read(raw)['Message-ID'].strip()[1:-1]}"
        draft = email.message_from_string(
            self.notmuch("reply", "--decrypt=true", about), policy=email.policy.default
        )
        head = self._head(draft["To"], draft["Subject"])
        for name in ("In-Reply-To", "References"):
            head[name] = draft[name]
        head.set_content(f"{text}\n\n{draft.get_payload()}")
        return head


def _messages(shown: Any) -> list[dict[str, Any]]:
    """Flatten notmuch's threads."""
    if isinstance(shown, dict):
        return [shown]
    return [message for one in shown or () for message in _messages(one)]


class LockedClient(Client):
    """A client whose mail program signs and encrypts with gpg."""

    def __init__(self, folder: Path, address: str, name: str = "") -> None:
        super().__init__(folder, address, name)
        self.gpg = Gpg(folder / "gpg")
        self.key = self.gpg.key(f"{name} <{address}>")
        self.environment["GNUPGHOME"] = str(self.gpg.home)
        self.notmuch("new", "--quiet")
        self.notmuch("config", "set", "index.decrypt", "true")

    def autocrypt(self) -> str:
        """Return the header that offers the client's key."""
        keydata = b64encode(self.gpg.export(self.key)).decode()
        folded = "".join(f"\n {keydata[i : i + 70]}" for i in range(0, len(keydata), 70))
        return f"addr={self.address}; prefer-encrypt=mutual; keydata={folded}"

    def learn(self, raw: bytes) -> str:
        """Import the key a letter offers, as Autocrypt does; return its fingerprint."""
        header = str(email.message_from_bytes(raw)["Autocrypt"])
        fields = dict(field.strip().split("=", 1) for field in header.split(";"))
        certificate = b64decode("".join(fields["keydata"].split()))
        (self.folder / "centre.pgp").write_bytes(certificate)
        return self.take(certificate)

    def take(self, certificate: bytes) -> str:
        """Import a certificate; return its fingerprint."""
        before = set(self.gpg.kept())
        self.gpg("--import", data=certificate)
        return next(name for name in self.gpg.kept() if name not in before)

    def signed(self, letter: EmailMessage) -> bytes:
        """Return a letter signed as a whole (RFC 3156 section 5), with the client's key."""
        part = MIMEText(letter.get_content(), "plain", "utf-8")
        whole = MIMEMultipart("signed", micalg="pgp-sha512", protocol=SIGNATURE)
        whole.attach(part)
        signature = self.gpg.signature(
            part.as_bytes(policy=CRLF), self.key, "--digest-algo", "SHA512"
        )
        whole.attach(MIMEApplication(signature, "pgp-signature", _encoder=_as_it_is))
        return self._with_head(letter, whole, {"Autocrypt": self.autocrypt()})

    def locked(self, letter: EmailMessage, to: str) -> bytes:
        """Return a letter encrypted and signed (RFC 3156 section 6.2)."""
        part = MIMEText(letter.get_content(), "plain", "utf-8").as_bytes(policy=CRLF)
        armour = self.gpg.message(part, to=(to, self.key), by=(self.key,), options=("--armor",))
        return self._with_head(letter, _two_parts(armour), {})

    def chatted(self, letter: EmailMessage, to: str) -> bytes:
        """Return a letter as Delta Chat writes them: the outside tells almost nothing.

        Recipients are not named, the key and the real headers are inside, and the first letter
        refers to itself.
        """
        part = MIMEText(letter.get_content(), "plain", "utf-8")
        part.set_param("protected-headers", "v1")
        part.set_param("hp", "cipher")
        own = str(letter["Message-ID"])
        references = str(letter["References"] or own)
        inside = {"Autocrypt": self.autocrypt(), "References": references, "Chat-Version": "1.0"}
        protected = self._with_head(letter, part, inside)
        hidden = ("--hidden-recipient", self.key, "--hidden-recipient", to, "--encrypt", "--armor")
        armour = self.gpg.message(protected, by=(self.key,), options=hidden)
        outer = EmailMessage()
        outer["From"], outer["To"] = f"<{self.address}>", '"hidden-recipients": ;'
        outer["Subject"], outer["Message-ID"] = "[...]", own
        outer["Date"] = format_datetime(datetime.now(UTC) - timedelta(days=3))
        return self._with_head(outer, _two_parts(armour), {})

    def _with_head(self, letter: EmailMessage, whole: Message, more: dict[str, str]) -> bytes:
        for name in ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"):
            if letter[name]:
                whole[name] = str(letter[name])
        for name, value in more.items():
            whole[name] = value
        return whole.as_bytes(policy=CRLF)

    def unlock_with_sqop(self, raw: bytes) -> tuple[bytes, list[str]]:
        """Decrypt with a program that is not GnuPG; return the inside and who signed it."""
        secret, out = self.folder / "secret.pgp", self.folder / "verified"
        secret.write_bytes(self.gpg.export_secret(self.key))
        out.unlink(missing_ok=True)
        ciphertext = bytes(list(read(raw).iter_parts())[1].get_content())
        command = [tools.need("sqop"), "decrypt", "--verifications-out", str(out)]
        done = subprocess.run(
            [*command, "--verify-with", str(self.folder / "centre.pgp"), "--", str(secret)],
            input=ciphertext,
            capture_output=True,
            check=False,
            timeout=tools.PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, [line.split()[2] for line in out.read_text().splitlines()]


def _two_parts(armour: bytes) -> MIMEMultipart:
    whole = MIMEMultipart("encrypted", protocol=ENCRYPTED)
    whole.attach(MIMEApplication(b"Version: 1\n", "pgp-encrypted", _encoder=_as_it_is))
    whole.attach(MIMEApplication(armour, "octet-stream", _encoder=_as_it_is))
    return whole


def _as_it_is(part: Message) -> None:
    part["Content-Transfer-Encoding"] = "7bit"
    payload = part.get_payload(decode=False)
    part.set_payload(payload.decode() if isinstance(payload, bytes) else payload)


SIGNATURE = "application/pgp-signature"
ENCRYPTED = "application/pgp-encrypted"
