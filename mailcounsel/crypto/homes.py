"""Where gpg keeps its files: homes that stay, throw-away homes, and the agent behind them.

A home that stays holds our own keys alone. Whatever needs a client's certificate runs in a
throw-away home in memory, with a file that redirects gpg to the lasting home's agent, so that
no keyring on disk ever lists who writes to us.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mailcounsel import errors
from mailcounsel.crypto import memory

NOT_INSTALLED = "gpg is not installed. Install it with: sudo apt install gnupg"
NO_MEMORY = (
    "There is no place in memory for gpg to work in, and no client's address may lie on a disk: "
    "mount a writable tmpfs on /dev/shm."
)

CONF = """\
# Nothing here may ask the network about an address or a key.
no-auto-key-locate
no-auto-key-retrieve
disable-dirmngr
"""

_SOCKETS = ("S.gpg-agent", "S.gpg-agent.extra", "S.gpg-agent.browser", "S.gpg-agent.ssh")
_LONGEST = 107  # bytes of a Unix socket's path, sun_path of unix(7) without its final NUL
_PREFIX = "mailcounsel-gpg-"
_SHORT = "mailcounsel-sockets-"
_LOCK = "in-use"
_PATIENCE = 30.0  # seconds for gpgconf


def program(name: str) -> str:
    """Return the path of a GnuPG program.

    Raises: Unavailable, with the advice to install it.
    """
    found = shutil.which(name)
    if not found:
        raise errors.Unavailable(NOT_INSTALLED)
    return found


def prepare(home: Path) -> None:
    """Make or mend a home that stays: mode 0700, gpg.conf, sockets of bearable length."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    conf = home / "gpg.conf"
    if not conf.exists():
        conf.write_text(CONF)
    _shorten_sockets(home)


class Agent:
    """The gpg-agent of one home: started when needed, and stopped if it was started here."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._started = False
        self._lock = threading.Lock()
        self.socket = _agent_socket(home)

    def ensure(self) -> None:
        """Start the agent unless it answers.

        Raises: TryLater if it does not start, DiskFull where it finds no room.
        """
        with self._lock:
            if not self.alive():
                _shorten_sockets(self._home)  # a runtime directory may go while the home stays
                _gpgconf(self._home, "--launch", "gpg-agent")
                self._started = True

    def alive(self) -> bool:
        """Say whether the agent takes a connection."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE)
            try:
                line.connect(str(self.socket))
            except OSError:
                return False
        return True

    def stop(self) -> None:
        """Stop the agent, if it was started here."""
        with self._lock:
            if self._started:
                self.kill()
                self._started = False

    def kill(self) -> None:
        """Stop whatever daemon of GnuPG runs for this home, and see it gone.

        An agent told to stop answers a little longer. Whoever took that for an agent that runs
        would find it gone a moment later, and its socket with it.
        """
        _gpgconf(self._home, "--kill", "all")
        deadline = time.monotonic() + _PATIENCE
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        if self.socket.parent.name.startswith(_SHORT):  # `ensure` makes it again
            with contextlib.suppress(OSError):
                self.socket.parent.rmdir()


@contextlib.contextmanager
def throw_away(agent: Path | None = None) -> Iterator[Path]:
    """Give a private home that vanishes; `agent` is the socket that holds the secret keys.

    Raises: Unavailable where it would lie on a disk; TryLater where it cannot be made just now.
    """
    with contextlib.ExitStack() as stack:
        try:
            made = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_memory())
            home = Path(stack.enter_context(made))
            stack.enter_context(_marked_in_use(home))
            if agent:
                (home / _SOCKETS[0]).write_text(_redirect(agent))
        except OSError as exc:
            raise errors.TryLater("gpg has no place to work in. Try again in a moment.") from exc
        yield home


def check() -> None:
    """Raise Unavailable where a throw-away home would have to lie on a disk."""
    _memory()


def sweep() -> int:
    """Remove the throw-away homes of processes that died, and return how many there were.

    They may lie where an earlier release put them, on a disk.
    """
    removed = 0
    for place in {*memory.candidates(), Path(tempfile.gettempdir())}:
        for home in place.glob(f"{_PREFIX}*"):
            if _abandoned(home):
                shutil.rmtree(home, ignore_errors=True)
                removed += 1
    return removed


def _memory() -> Path:
    found = memory.folder()
    if found is None:
        raise errors.Unavailable(NO_MEMORY)
    return found


def _runtime() -> Path:
    """Return a short folder for sockets, which hold nothing: in memory or not."""
    fitting = (place for place in memory.candidates() if memory.is_writable(place))
    return next(fitting, Path(tempfile.gettempdir()))


@contextlib.contextmanager
def _marked_in_use(home: Path) -> Iterator[None]:
    # The kernel lets go of the lock when we die, however we die: no process id to be reused.
    # The file gets its name only once it is locked, so that no sweep comes in between.
    draft = home / f"{_LOCK}.draft"
    with draft.open("wb") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        draft.replace(home / _LOCK)
        yield


def _abandoned(home: Path) -> bool:
    try:
        if home.stat().st_uid != os.geteuid():
            return False
        with (home / _LOCK).open("rb") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _shorten_sockets(home: Path) -> None:
    longest = max(len(os.fsencode(home / name)) for name in _SOCKETS)
    if longest <= _LONGEST:
        return
    short = _short_directory(home)
    for name in _SOCKETS:
        (home / name).write_text(_redirect(short / name))


def _short_directory(home: Path) -> Path:
    # The same for every process that uses this home, so that they share one agent.
    mark = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    directory = _runtime() / f"{_SHORT}{os.geteuid()}-{mark}"
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    found = directory.lstat()
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    if not private or found.st_uid != os.geteuid():  # somebody else was there first
        raise errors.Unavailable("The directory for gpg's sockets belongs to somebody else.")
    return directory


def _redirect(path: Path) -> str:
    """Return what libassuan reads in place of a socket: where the socket really is."""
    return f"%Assuan%\nsocket={path}\n"


def _agent_socket(home: Path) -> Path:
    named = Path(os.fsdecode(_gpgconf(home, "--list-dirs", "agent-socket").rstrip(b"\n")))
    if named.is_file():
        return Path(named.read_text().split("socket=", 1)[1].rstrip("\n"))
    return named


def _gpgconf(home: Path, *arguments: str) -> bytes:
    command = [program("gpgconf"), "--homedir", str(home), *arguments]
    try:
        done = subprocess.run(
            command, check=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL, capture_output=True
        )
    except (subprocess.SubprocessError, OSError):
        if not shutil.disk_usage(home).free:
            raise errors.DiskFull from None
        raise errors.TryLater("gpg's agent does not answer. Try again in a moment.") from None
    return done.stdout
