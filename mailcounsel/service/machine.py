"""Make a server ready: an account, folders, and a hardened systemd unit.

Everything may be done again: what is there is kept, modes and owners are mended. All paths start
at `root`, which is "/" except in tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mailcounsel import errors

ACCOUNT = "mailcounsel"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are on a server."""

    root: Path

    @property
    def settings(self) -> Path:
        """The folder of the configuration and its secrets."""
        return self.root / "etc/mailcounsel"

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.settings / "config.toml"

    @property
    def secrets(self) -> Path:
        """The folder of passwords, for the service alone."""
        return self.settings / "secrets"

    @property
    def state(self) -> Path:
        """Keys and cases, for the service alone."""
        return self.root / "var/lib/mailcounsel"

    @property
    def socket(self) -> Path:
        """The control socket, in a folder that systemd makes for the group."""
        return self.root / "run/mailcounsel/control.sock"

    @property
    def unit(self) -> Path:
        """The systemd unit."""
        return self.root / "etc/systemd/system/mailcounsel.service"


@dataclass(frozen=True, slots=True)
class Account:
    """The service's own account."""

    uid: int
    gid: int


def must_be_root() -> None:
    """Raise Refused unless this process may set up a server."""
    if os.geteuid() != 0:
        message = "Setting up a server needs root: sudo mailcounsel init --system."
        raise errors.Refused(message)


# -- the account ----------------------------------------------------------------------------------


def ensure_account(root: Path) -> tuple[Account, bool]:
    """Return the service's account and whether it was made just now, with a group of its name.

    Raises: Unavailable when it cannot be made.
    """
    found = _account(root)
    if found:
        return found, False
    home = ["--home-dir", "/var/lib/mailcounsel", "--no-create-home"]
    _run(
        "useradd", root, "--system", "--user-group", *home, "--shell", "/usr/sbin/nologin", ACCOUNT
    )
    made = _account(root)
    if made is None:
        message = f"The account {ACCOUNT} could not be made."
        raise errors.Unavailable(message)
    return made, True


def _account(root: Path) -> Account | None:
    for line in _lines(root / "etc/passwd"):
        fields = line.split(":")
        if fields[0] == ACCOUNT:
            return Account(int(fields[2]), int(fields[3]))
    return None


def ensure_member(root: Path, name: str) -> bool:
    """Let a person's account speak to the service, and tell whether that is new."""
    members = next(
        (
            line.split(":")[3]
            for line in _lines(root / "etc/group")
            if line.startswith(f"{ACCOUNT}:")
        ),
        "",
    )
    known = any(line.split(":")[0] == name for line in _lines(root / "etc/passwd"))
    if name == "root" or not known or name in members.strip().split(","):
        return False
    _run("usermod", root, "--append", "--groups", ACCOUNT, name)
    return True


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def _run(program: str, root: Path, *arguments: str) -> None:
    prefix = [] if root == Path("/") else ["--prefix", str(root)]
    path = shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        message = f"{program} is not installed. Install it with: sudo apt install passwd"
        raise errors.Unavailable(message)
    done = subprocess.run(
        [path, *prefix, *arguments], check=False, stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode:
        message = f"{program} failed with code {done.returncode}. Is the disk writable?"
        raise errors.Unavailable(message)


# -- folders and files ----------------------------------------------------------------------------


def ensure_folders(places: Places, account: Account) -> list[str]:
    """Make the folders, mend owners and modes, and return the names of new ones."""
    wanted = [
        (places.settings, 0, account.gid, 0o750),
        (places.secrets, account.uid, account.gid, 0o700),
        (places.state, account.uid, account.gid, 0o700),
    ]
    made = [str(path) for path, *_ in wanted if not path.exists()]
    for path, uid, gid, mode in wanted:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(path, uid, gid, follow_symlinks=False)
        path.chmod(mode)
    return made


def give_config(places: Places, account: Account) -> None:
    """Let the service and its group read the configuration, and root alone change it."""
    os.chown(places.config, 0, account.gid)
    places.config.chmod(0o640)


def ensure_unit(places: Places) -> str:
    """Write the systemd unit and return "new", "changed" or "" when it was just so."""
    text = unit_text(program(), places.config)
    before = places.unit.read_text(encoding="utf-8") if places.unit.exists() else None
    if before == text:
        return ""
    places.unit.parent.mkdir(parents=True, exist_ok=True)
    draft = places.unit.with_name(f".{places.unit.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o644)
    draft.replace(places.unit)
    if places.root == Path("/") and Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "daemon-reload"], check=False, stdin=subprocess.DEVNULL)
    return "changed" if before else "new"


def unit_text(command: Sequence[str], config: Path) -> str:
    """Return the unit for a command and a configuration."""
    text = resources.files("mailcounsel.service").joinpath("mailcounsel.service.in").read_text()
    return text.replace("@PROGRAM@", _words(command)).replace("@CONFIG@", _words([str(config)]))


def _words(words: Sequence[str]) -> str:
    """Quote words for a unit's command line (systemd.service(5), COMMAND LINES)."""
    doubled = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    marked = (word.replace("%", "%%").replace("$", "$$") for word in doubled)
    return " ".join(f'"{word}"' if {" ", "'", "\\"} & set(word) else word for word in marked)


def program() -> list[str]:
    """Return how this very program is started: its command, or Python and the package."""
    command = Path(sys.argv[0])
    if command.name == "mailcounsel" and command.is_file():
        return [str(command.absolute())]
    return [sys.executable, "-m", "mailcounsel"]


# -- in the service's own name --------------------------------------------------------------------


def run_as(account: Account, arguments: Sequence[str], folder: Path) -> bytes:
    """Run this program as the service's account and return what it printed.

    Keys are made in its name from the start: root never writes into a folder it does not own.
    Raises: Unavailable when that account cannot run the program; Refused when the program fails.
    """
    keep: Mapping[str, str] = {
        name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mailcounsel", *arguments],
            check=False,
            cwd=folder,
            env={**keep, "HOME": str(folder)},
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
    except OSError as fault:
        message = (
            f"The account {ACCOUNT} cannot run {sys.executable}. "
            "Install mailcounsel where every account can read it, such as /opt/mailcounsel."
        )
        raise errors.Unavailable(message) from fault
    if done.returncode:
        message = "The rest of the set-up failed, for the reason above. Then run this again."
        raise errors.Refused(message)
    return done.stdout
