"""The service's own keys: one a purpose, in one file that is no part of any backup of the store.

The file is JSON. Each name holds a list of generations, oldest first: the newest seals and signs,
any of them opens. `lookup` has one generation for ever, since what it gave is searched for.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nacl import exceptions, secret, signing, utils

from mailcounsel import errors
from mailcounsel.crypto import sealing

NAMES = ("lookup", "addressbook", "row", "inflight", "sign")
SEALS: tuple[str, ...] = ("addressbook", "inflight")

SealName = Literal["addressbook", "inflight"]


@dataclass(frozen=True, slots=True)
class Key:
    """One generation of one named key: 32 secret bytes."""

    name: str
    secret: bytes = field(repr=False)
    id: bytes = field(init=False)  # the 8 bytes by which sealed values name this key

    def __post_init__(self) -> None:
        """Work the id out once: every sealed value and every MAC asks for it."""
        person = f"mc {self.name}".encode()
        name = sealing.digest(b"", key=self.secret, person=person, size=8)
        object.__setattr__(self, "id", name)


@dataclass(frozen=True, slots=True)
class ServiceKeyring:
    """The service's named keys, each a tuple of generations, oldest first."""

    keys: Mapping[str, tuple[Key, ...]]

    @classmethod
    def create(cls, path: Path) -> ServiceKeyring:
        """Make fresh keys and write them, readable by the owner alone, synced to disk.

        Raises: Conflict if the file exists; it is never overwritten.
        """
        keyring = cls({name: (Key(name, utils.random(32)),) for name in NAMES})
        _write(path, keyring.dump(), replace=False)
        return keyring

    @classmethod
    def load(cls, path: Path) -> ServiceKeyring:
        """Read the file.

        Raises: Refused if others may read it, Unavailable if it is missing or damaged.
        """
        return cls.parse(_read(path))

    @classmethod
    def parse(cls, raw: bytes) -> ServiceKeyring:
        """Read what `dump` wrote.

        Raises: Unavailable if it is damaged.
        """
        try:
            return cls(_keys(json.loads(raw)))
        # The cause is dropped: an error of the JSON parser carries the text it stumbled over.
        except (AttributeError, KeyError, TypeError, ValueError):
            raise errors.Unavailable(
                "The service keyring is damaged. Bring it back from your copy: see docs/backup.md."
            ) from None

    def dump(self) -> bytes:
        """Write every key in clear, as the file holds them; whoever calls seals the result."""
        content = {
            "version": 1,
            "keys": {
                name: [{"id": key.id.hex(), "secret": key.secret.hex()} for key in keys]
                for name, keys in self.keys.items()
            },
        }
        return json.dumps(content, indent=1).encode() + b"\n"

    def save(self, path: Path) -> None:
        """Replace the file in one step, synced to disk."""
        _write(path, self.dump(), replace=True)

    # -- use ------------------------------------------------------------------------------------

    def lookup(self, purpose: str, value: bytes) -> bytes:
        """Return the 32 bytes under which a value is found again without being readable."""
        data = _joined([purpose.encode(), value])
        return sealing.digest(data, key=self.keys["lookup"][0].secret, person=b"mc lookup value")

    def seal(self, name: SealName, plaintext: bytes, place: str) -> bytes:
        """Seal with the newest key of that name; `place` names table, row and column."""
        if name not in SEALS:
            raise ValueError(f"{name} is not a key that seals")
        key = self.keys[name][-1]
        head = sealing.VERSION + key.id
        box = secret.Aead(key.secret)
        return head + box.encrypt(sealing.pad(plaintext), aad=head + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open with the key the value names.

        Raises: SealBroken on an unknown key, a damaged value, or one moved from its place.
        """
        key = self._named(sealing.sealed_under(sealed), SEALS)
        head, payload = sealed[: sealing.HEAD], sealed[sealing.HEAD :]
        try:
            padded = secret.Aead(key.secret).decrypt(payload, aad=head + place.encode())
        except (exceptions.CryptoError, exceptions.TypeError, exceptions.ValueError) as exc:
            raise errors.SealBroken from exc
        return sealing.unpad(padded)

    def row_mac(self, place: str, fields: Sequence[bytes]) -> bytes:
        """Return key id and MAC (40 bytes) over a row's fields, in the order given."""
        return _row_mac(self.keys["row"][-1], place, fields)

    def check_row_mac(self, place: str, fields: Sequence[bytes], mac: bytes) -> None:
        """Check what `row_mac` gave, in constant time.

        Raises: SealBroken unless the row is as it was, where it was.
        """
        key = self._named(mac[:8], ("row",))
        if not hmac.compare_digest(mac, _row_mac(key, place, fields)):
            raise errors.SealBroken

    def sign(self, message: bytes) -> bytes:
        """Sign as the service, giving the 64-byte Ed25519 signature alone."""
        key = signing.SigningKey(self.keys["sign"][-1].secret)
        return bytes(key.sign(message).signature)

    @property
    def verify_key(self) -> bytes:
        """The Ed25519 key that checks what the service signs now."""
        return self.verify_keys[-1]

    @property
    def verify_keys(self) -> tuple[bytes, ...]:
        """The Ed25519 keys that check what the service ever signed, oldest first."""
        return tuple(bytes(signing.SigningKey(k.secret).verify_key) for k in self.keys["sign"])

    # -- generations ----------------------------------------------------------------------------

    def inflight_forward(self) -> ServiceKeyring:
        """Return the keyring with the next `inflight` key, a one-way hash of the newest.

        Save it, re-seal what is still waiting, then save `inflight_forgotten`.
        """
        newest = self.keys["inflight"][-1]
        onward = sealing.digest(b"", key=newest.secret, person=b"mc next day")
        return self._with("inflight", (*self.keys["inflight"], Key("inflight", onward)))

    def inflight_forgotten(self) -> ServiceKeyring:
        """Return the keyring without the past of `inflight`; what it sealed is lost for good."""
        return self._with("inflight", self.keys["inflight"][-1:])

    def _with(self, name: str, generations: tuple[Key, ...]) -> ServiceKeyring:
        return ServiceKeyring({**self.keys, name: generations})

    def _named(self, key_id: bytes, names: Sequence[str]) -> Key:
        for key in (key for name in names for key in self.keys[name]):
            if hmac.compare_digest(key.id, key_id):
                return key
        raise errors.SealBroken


def _row_mac(key: Key, place: str, fields: Sequence[bytes]) -> bytes:
    data = _joined([place.encode(), *fields])
    return key.id + sealing.digest(data, key=key.secret, person=b"mc row mac")


def _joined(fields: Sequence[bytes]) -> bytes:
    """Join so that no two different lists give the same bytes: each field behind its length."""
    return b"".join(len(field).to_bytes(8, "big") + field for field in fields)


def _keys(content: dict[str, Any]) -> dict[str, tuple[Key, ...]]:
    if content["version"] != 1 or set(content["keys"]) != set(NAMES):
        raise ValueError("not a keyring of this version")
    return {name: _generations(name, content["keys"][name]) for name in NAMES}


def _generations(name: str, entries: list[dict[str, Any]]) -> tuple[Key, ...]:
    keys = tuple(Key(name, bytes.fromhex(entry["secret"])) for entry in entries)
    if not keys or any(len(key.secret) != 32 for key in keys):
        raise ValueError("a key is missing or cut short")
    if [key.id.hex() for key in keys] != [entry["id"] for entry in entries]:
        raise ValueError("a key is damaged")
    return keys


# -- the file -----------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as exc:
        raise errors.Unavailable(
            "The service keyring cannot be read. Only the service's own account may read it; "
            "`mailcounsel init` makes the one of a new centre."
        ) from exc
    with os.fdopen(file, "rb") as opened:
        # The opened file is asked, not its name: what stands there may change in between.
        if stat.S_IMODE(os.fstat(file).st_mode) & 0o077:
            raise errors.Refused("Others may read the service keyring. Set its mode to 0600.")
        return opened.read()


def _write(path: Path, content: bytes, *, replace: bool) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(file)
        _publish(draft, path, replace=replace)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    _sync_directory(path.parent)


def _publish(draft: Path, path: Path, *, replace: bool) -> None:
    if replace:
        draft.replace(path)
        return
    try:
        path.hardlink_to(draft)  # unlike a rename, this never overwrites
    except FileExistsError as exc:
        raise errors.Conflict("There is a service keyring already.") from exc


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
