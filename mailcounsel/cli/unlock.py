"""Opening a case in the reader's own process: gpg opens the reader key, which opens the case's.

The reader key's seed lies in the person's own folder, signed by and encrypted to their OpenPGP
key. Nothing opened here is written anywhere.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailcounsel import errors
from mailcounsel.cli import client
from mailcounsel.crypto import cores, sealing
from mailcounsel.crypto.openpgp import Personal
from mailcounsel.crypto.sealing import ReaderKey

CONTENT = "content"
SOURCE = "source"


def key_path(name: str) -> Path:
    """Return where a person's reader key is kept, locked."""
    return client.own_file(name, ".reader")


def check_new(name: str) -> None:
    """Refuse to put a new reader key over an older one. Raises: Conflict."""
    path = key_path(name)
    if path.exists():
        message = (
            f"There is a reader key of {name} here already. If you have to enrol again, move it "
            f"away first, and keep it: letters sealed to it open with nothing else. It is {path}"
        )
        raise errors.Conflict(message)


def personal() -> Personal:
    """Return the person's own gpg home: GNUPGHOME, or gpg's usual one.

    What it opens stays out of core files from now on.
    """
    cores.forbid()
    home = os.environ.get("GNUPGHOME")
    return Personal(Path(home) if home else None)


def save(name: str, fingerprint: str, seed: bytes) -> Path:
    """Seal a new reader key's seed to its owner and write it to their folder.

    Raises: Conflict when there is one already.
    """
    check_new(name)
    path = key_path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed = personal().encrypt_to_self_and_sign(seed, fingerprint)
    content = fingerprint.encode() + b"\n" + sealed
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


def reader_key(name: str) -> ReaderKey:
    """Open a person's reader key with gpg, which may ask for their passphrase.

    Raises: Unavailable when the key is not on this machine; SealBroken when it was changed.
    """
    path = key_path(name)
    try:
        fingerprint, sealed = path.read_bytes().split(b"\n", 1)
    except (OSError, ValueError) as fault:
        message = (
            f"The reader key of {name} is not on this machine ({path}). If it is lost, an admin "
            f"makes a new code: mailcounsel invite {name} --again."
        )
        raise errors.Unavailable(message) from fault
    return ReaderKey(personal().decrypt_own(sealed, fingerprint.decode()))


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case and the private halves of its keys, in this process only."""

    shown: Mapping[str, Any]  # as the service answered `case.show`
    key: ReaderKey
    privates: Mapping[tuple[str, int, str], bytes]

    @property
    def public(self) -> bytes:
        """Return the public content key of the current epoch, to seal with."""
        private = self._private(self.shown["id"], self.shown["epoch"], CONTENT)
        return sealing.Pair.of(private).public

    def _private(self, case_id: str, epoch: int, purpose: str) -> bytes:
        try:
            return self.privates[(case_id, epoch, purpose)]
        except KeyError as fault:
            who = f"{self.shown['case']} {self.shown.get('person', 'NAME')}"
            message = (
                f"You have no key to the raw mail of {self.shown['case']}: only supervisors do."
                if purpose == SOURCE
                else f"You have no key to these letters of {self.shown['case']}. Whoever can open "
                f"it gives you one: mailcounsel assign {who}"
            )
            raise errors.Refused(message) from fault

    def open(self, case_id: str, epoch: int, sealed: bytes, context: str) -> bytes:
        """Open a value sealed to the case's readers. Raises: SealBroken, Refused without a key."""
        return sealing.open_with(self._private(case_id, epoch, CONTENT), sealed, context)

    def open_source(self, case_id: str, epoch: int, sealed: bytes, context: str) -> bytes:
        """Open raw mail, which only supervisors can. Raises: SealBroken, Refused without a key."""
        return sealing.open_with(self._private(case_id, epoch, SOURCE), sealed, context)

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Seal something of one's own to the case's readers."""
        return sealing.seal_to(self.public, plaintext, context)

    def sealed_copies(self, public_key: bytes) -> list[dict[str, Any]]:
        """Seal the content keys of every epoch for another reader."""
        return [
            {
                "case": case_id,
                "epoch": epoch,
                "purpose": purpose,
                "sealed": _text(
                    sealing.seal_to(public_key, private, _place(case_id, epoch, purpose))
                ),
            }
            for (case_id, epoch, purpose), private in self.privates.items()
            if purpose == CONTENT
        ]


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _place(case_id: str, epoch: int, purpose: str) -> str:
    """Return the context a key copy is bound to; the service seals with the same."""
    return f"case/{case_id}/{epoch}/{purpose}"


def open_case(service: client.Service, name: str, key: ReaderKey | None = None) -> OpenCase:
    """Fetch a case and open its keys, with a reader key that is open already if there is one.

    Raises: NotFound, Unavailable, SealBroken.
    """
    shown = service.call("case.show", case=name)
    key = key or reader_key(shown["person"])
    privates = {}
    for copy in shown["keys"]:
        place = (copy["case"], copy["epoch"], copy["purpose"])
        privates[place] = sealing.open_with(key.private, b64decode(copy["sealed"]), _place(*place))
    return OpenCase(shown, key, privates)


def fetch(service: client.Service, letter_id: str, part: str) -> bytes:
    """Fetch a sealed value in pieces."""
    data = b""
    while True:
        piece = service.call("letter.piece", letter=letter_id, part=part, offset=len(data))
        data += b64decode(piece["data"])
        if len(data) >= piece["total"]:
            return data


def content_of(service: client.Service, case: OpenCase, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Open the content of one entry of a case."""
    sealed = (
        b64decode(entry["content"]) if entry["content"] else fetch(service, entry["id"], CONTENT)
    )
    opened = case.open(entry["case"], entry["epoch"], sealed, f"letter/{entry['id']}/content")
    content: dict[str, Any] = json.loads(opened)
    return content
