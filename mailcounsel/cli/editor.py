"""The person's own editor, on a file that exists only in memory.

The scratch file lies in a private folder on a file system without a disk. The editor runs inside
that folder and takes it for its place of temporary files, and the editors most people have are
told to leave no swap, backup, undo or history file anywhere else.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailcounsel import errors
from mailcounsel.cli import interrupts
from mailcounsel.crypto import memory

SCISSORS = "---- >8 ---- everything from this line on is not sent ----"
UNSURE = "[ Take out what is not for the client, and this line, which keeps the letter here. ]"

_PREFIX = "mailcounsel-letter-"
_FILE = "letter.txt"
_LOCK = ".in-use"

# -n and -i keep swap file and history away whatever a vimrc says; -c comes after the vimrc.
_VIM = ("-n", "-i", "NONE", "-c", "set nobackup nowritebackup noundofile")
_EMACS = (
    "-nw",
    "--eval",
    "(setq make-backup-files nil auto-save-default nil create-lockfiles nil)",
)
_MICRO = tuple(
    word
    for name in ("backup", "savehistory", "savecursor", "saveundo")
    for word in (f"-{name}", "false")
)
_QUIET: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("vim", "nvim", "view", "vim.basic", "vim.nox", "vim.gtk3", "vim.tiny"), _VIM),
    **dict.fromkeys(("nano", "rnano", "pico"), ("--ignorercfiles",)),
    **dict.fromkeys(("emacs", "emacs-nox", "emacs-gtk"), _EMACS),
    "micro": _MICRO,
}


def command() -> list[str]:
    """Return the person's editor with the switches that keep it from leaving anything behind.

    Raises: Unavailable when there is none, or not the one they name.
    """
    for name in ("MAILCOUNSEL_EDITOR", "VISUAL", "EDITOR"):
        words = shlex.split(os.environ.get(name, ""))
        if words:
            return _quietly(words, f"The editor named in {name} is not installed.")
    found = next((name for name in ("nano", "vim", "vi") if shutil.which(name)), "nano")
    return _quietly([found], "There is no editor here.")


def _quietly(words: Sequence[str], complaint: str) -> list[str]:
    path = shutil.which(words[0])
    if path is None:
        advice = "Set EDITOR, or give the text with --file FILE (- for standard input)."
        raise errors.Unavailable(f"{complaint} {advice}")
    # `vi` and `editor` are often links to something that is known.
    names = (Path(words[0]).name, Path(path).resolve().name)
    switches = next((_QUIET[name] for name in names if name in _QUIET), ())
    return [str(Path(path).absolute()), *words[1:], *switches]


@dataclass(frozen=True, slots=True)
class _Left:
    """What an editor left behind."""

    words: str
    saved: bool
    exit_code: int


def edit(text: str, *, keep: Callable[[str], None], below: str = "") -> str:
    """Let the person write, and return what stands above the scissors line, without blank ends.

    `keep` gets the words that were saved when the editor fails, so that they are not lost, and
    where the scissors line was lost: what stood below it must not leave by mistake.
    Raises: Refused then, or when nothing was saved; Unavailable when there is no editor, or no
    memory to write in.
    """
    left = _write_in(command(), f"{text}\n\n{SCISSORS}\n{below}\n" if below else text)
    words = _above(left.words, below) if below else left.words.strip()
    if left.exit_code != 0:
        message = "The editor ended with an error, so nothing was done."
        if left.saved and words:
            keep(words)
            message = f"{message} What you saved is kept as a draft."
        raise errors.Refused(message)
    if not left.saved:
        message = (
            "Nothing was saved in the editor, so nothing was done. If your editor came back at "
            'once, make it wait: EDITOR="code --wait".'
        )
        raise errors.Refused(message)
    if UNSURE in words:
        keep(words)
        message = (
            "It cannot be told what of this is for the client: the line that says what is not "
            "sent is missing, changed or elsewhere, or an earlier draft was not put in order. "
            "Nothing was sent. What you wrote is kept as a draft, with a line that says what to do."
        )
        raise errors.Refused(message)
    return words


def _above(text: str, below: str) -> str:
    """Return what stands above the scissors line.

    Where that line is not in its place, return what did not stand below it to begin with, marked
    with `UNSURE`: a changed line of a private note cannot be told from the letter.
    """
    above, mark, _ = text.partition(SCISSORS)
    shown = {line.strip() for line in below.splitlines()} - {""}
    head = next(line.strip() for line in below.splitlines() if line.strip())
    if not text.strip() or (mark and head not in (line.strip() for line in above.splitlines())):
        return above.strip()
    own = (line for line in text.splitlines() if line.strip() not in {*shown, SCISSORS, UNSURE})
    return f"{UNSURE}\n\n{chr(10).join(own).strip()}"


def _write_in(editor: Sequence[str], shown: str) -> _Left:
    with interrupts.hosting() as guest, _scratch() as folder:
        path = folder / _FILE
        path.write_text(shown, encoding="utf-8")
        path.chmod(0o600)
        os.utime(path, (0, 0))  # any time after 1970 is a save
        exit_code = _run([*editor, str(path)], folder, guest) or int(guest.ended)
        # nano leaves what was not saved beside the file when its terminal goes away.
        found = [one for one in (folder / f"{_FILE}.save", path) if one.exists()]
        if not found:
            return _Left("", saved=True, exit_code=exit_code)
        words = found[0].read_text(encoding="utf-8", errors="replace")
        return _Left(words, saved=found[0].stat().st_mtime > 0, exit_code=exit_code)


def _run(editor: Sequence[str], folder: Path, guest: interrupts.Guest) -> int:
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(folder))}
    try:
        guest.program = subprocess.Popen(editor, cwd=folder, env=environment)
    except OSError as fault:
        message = "The editor cannot be started. Look at MAILCOUNSEL_EDITOR, VISUAL and EDITOR."
        raise errors.Refused(message) from fault
    return guest.program.wait()


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Make a private folder in memory, and destroy it with everything in it.

    What a killed process left is destroyed as well: its lock is free.
    """
    parent = _memory()
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        with (folder / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path:
    """Return a folder on a file system without a disk. Raises: Unavailable where there is none."""
    found = memory.folder()
    if found is None:
        message = (
            "There is no place in memory to write in (/dev/shm). "
            "Give the text with --file - instead; nothing may lie on a disk in clear."
        )
        raise errors.Unavailable(message)
    return found
