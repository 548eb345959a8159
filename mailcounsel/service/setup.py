"""Set up a centre: its folder, its keys, its store, and the first person's code.

Every step may be done again: what is there is kept, what is missing is made. Nothing here ever
replaces a key, since a lost key is a lost case.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mailcounsel import errors
from mailcounsel.config import Config
from mailcounsel.crypto import homes, openpgp
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.service import app
from mailcounsel.store import schema
from mailcounsel.store.engine import Store
from mailcounsel.trust import roster


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time code, and whom it was made for."""

    person: str
    code: str


@dataclass(slots=True)
class Done:
    """What a run of `init` made and what it found there, in plain words."""

    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    fingerprint: str = ""
    invitation: Invitation | None = None

    def note(self, what: str, *, is_new: bool) -> None:
        """Write down one part."""
        (self.made if is_new else self.kept).append(what)


def complete(config: Config, now: datetime) -> Done:
    """Make whatever the centre still lacks, and invite the first supervisor who is not enrolled.

    Raises: Unavailable without gpg; Refused when keys were lost that a store still needs.
    """
    done = Done()
    is_new = not config.centre.state_dir.exists()
    make_state(config)
    done.note(f"the folder {config.centre.state_dir}", is_new=is_new)
    is_new = not app.keyring_path(config).exists()
    named = not fingerprint_path(config).exists()
    done.fingerprint = make_keys(config)
    done.note("the service keyring", is_new=is_new)
    done.note(f"the centre's OpenPGP key {done.fingerprint}", is_new=named)
    with _alone_with_store(config) as is_alone:
        if is_alone:
            done.note("the store", is_new=make_store(config))
            done.invitation = invite_supervisor(config, now)
        else:
            done.note("the store, which the running service uses", is_new=False)
    return done


# -- the folder and the keys ----------------------------------------------------------------------


def make_state(config: Config) -> None:
    """Make the folder for keys and cases, or mend its mode: for its owner alone. Idempotent."""
    folder = config.centre.state_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as fault:
        message = f"The folder {folder} cannot be made: {fault.strerror}."
        raise errors.Unavailable(message) from fault


def fingerprint_path(config: Config) -> Path:
    """Return the file that names the centre's OpenPGP key."""
    return config.centre.state_dir / "centre.fingerprint"


def make_keys(config: Config) -> str:
    """Make the service keyring and the centre's OpenPGP key where missing; return its fingerprint.

    Raises: Unavailable without gpg; Refused when a key was lost that is still needed.
    """
    homes.program("gpg")
    make_state(config)
    path = app.keyring_path(config)
    if not path.exists():
        _refuse_orphan(config)
        ServiceKeyring.create(path)
    return _centre_key(config)


def _refuse_orphan(config: Config) -> None:
    """Refuse to make a fresh keyring beside a store that was sealed with another."""
    with contextlib.closing(Store(config.store_url)) as store:
        if store.read(schema.revision) is not None:
            message = (
                "There is a store but no keyring, and a new one could open nothing in it: "
                f"{app.BRING_BACK.format(app.keyring_path(config).name)}. For a new centre choose "
                "another state_dir."
            )
            raise errors.Refused(message)


def _centre_key(config: Config) -> str:
    named, home = fingerprint_path(config), app.gnupg_home(config)
    present = _secret_keys(home)
    if named.exists():
        fingerprint = named.read_text(encoding="ascii").strip()
        if fingerprint not in present:
            message = (
                f"The centre's OpenPGP key is not in {home}, and clients know the old one: bring "
                "that folder back from your copy, as docs/backup.md says."
            )
            raise errors.Refused(message)
        return fingerprint
    if len(present) > 1:
        message = f"There are several keys in {home}. Write the right one's name into {named}."
        raise errors.Refused(message)
    # One key without its name: an earlier run was cut short right after making it.
    fingerprint = present[0] if present else _make_centre(config, home)
    write_private(named, f"{fingerprint}\n".encode("ascii"))
    return fingerprint


def _make_centre(config: Config, home: Path) -> str:
    name, address = config.centre.sender_name, config.inboxes[0].address
    return openpgp.make_centre(home, name, address)


def _secret_keys(home: Path) -> list[str]:
    """Return the fingerprints of the keys a gpg home holds, leaving no agent behind."""
    if not home.exists():
        return []
    homes.prepare(home)
    agent = homes.Agent(home)
    agent.ensure()
    try:
        return [facts.fingerprint for facts in openpgp.Personal(home).secret_keys()]
    finally:
        agent.stop()


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(file, "wb") as opened:
        os.fchmod(file, mode)
        opened.write(content)
        opened.flush()
        os.fsync(file)
    draft.replace(path)


# -- the store and the first person ---------------------------------------------------------------


@contextlib.contextmanager
def _alone_with_store(config: Config) -> Iterator[bool]:
    """Keep the service from starting meanwhile; yield False when it runs already."""
    with (config.centre.state_dir / "lock").open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def make_store(config: Config) -> bool:
    """Bring the store to this release's shape, and tell whether it was empty before."""
    with contextlib.closing(Store(config.store_url)) as store:
        is_new = store.read(schema.revision) is None
        schema.upgrade(store)
    return is_new


def first_invite(config: Config, name: str, now: datetime) -> str:
    """Make a one-time code for a person of the configuration. The service must not be running.

    Raises: NotFound when the configuration does not name them.
    """
    if config.person(name) is None:
        message = f"{name} is not in {config.path.name}. Add a [[person]] first."
        raise errors.NotFound(message)
    keyring = app.open_office(config).keyring
    with contextlib.closing(Store(config.store_url)) as store:
        return store.write(lambda c: roster.invite(c, keyring, name, now))


def invite_supervisor(config: Config, now: datetime) -> Invitation | None:
    """Invite the first supervisor who is not enrolled yet; None when all of them are."""
    keyring = app.open_office(config).keyring
    names = list(dict.fromkeys(queue.supervisor for queue in config.queues))
    with contextlib.closing(Store(config.store_url)) as store:
        enrolled = {one.name for one in store.read(lambda c: roster.readers(c, keyring, names))}
    waiting = [name for name in names if name not in enrolled]
    return Invitation(waiting[0], first_invite(config, waiting[0], now)) if waiting else None


# -- passwords ------------------------------------------------------------------------------------


def write_secret(path: Path, value: str, owner: tuple[int, int] | None = None) -> None:
    """Write a password into a file of its own, for its owner alone (uid and gid, else ours)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, f"{value}\n".encode())
    if owner:
        os.chown(path, *owner, follow_symlinks=False)


def missing_secrets(config: Config) -> list[Path]:
    """Return the password files that the configuration names and nobody has written yet."""
    holders = [config.smarthost, *(inbox.imap for inbox in config.inboxes if inbox.imap)]
    files = [holder.password_file for holder in holders if holder.password_file]
    return [file for file in files if not file.exists()]
