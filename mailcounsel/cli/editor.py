"""The person's own editor, on a file that exists only in memory.

The scratch file lies in a private folder on a file system without a disk, and the editors most
people have are told to leave no swap, backup, undo or history file anywhere.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mailcounsel import errors

SCISSORS = "---- >8 ---- everything from this line on is not sent ----"

_VIM = ["-n", "-i", "NONE", "--cmd", "set noswapfile nobackup nowritebackup noundofile viminfo="]
_QUIET: dict[str, list[str]] = {
    "vim": _VIM,
    "vi": _VIM,
    "nvim": _VIM,
    "view": _VIM,
    "vim.basic": _VIM,
    "vim.tiny": ["-n", "-i", "NONE"],
    "nano": ["--ignorercfiles"],
    "pico": ["--ignorercfiles"],
    "emacs": [
        "-nw",
        "--eval",
        "(setq make-backup-files nil auto-save-default nil create-lockfiles nil)",
    ],
}


def command() -> list[str]:
    """Return the person's editor with the switches that keep it from leaving anything behind."""
    for name in ("MAILCOUNSEL_EDITOR", "VISUAL", "EDITOR"):
        if os.environ.get(name):
            words = shlex.split(os.environ[name])
            return [*words, *_QUIET.get(Path(words[0]).name, [])]
    found = next((name for name in ("nano", "vim", "vi") if shutil.which(name)), None)
    if found is None:
        message = "There is no editor here. Set EDITOR, or give the text with --file FILE (- for standard input)."
        raise errors.Unavailable(message)
    return [found, *_QUIET[found]]


def edit(text: str, *, below: str = "") -> str:
    """Let the person write, and return what stands above the scissors line, without blank ends.

    Raises: Refused when the editor fails; Unavailable when there is no memory to write in.
    """
    with _scratch() as folder:
        path = folder / "letter.txt"
        shown = f"{text}\n\n{SCISSORS}\n{below}\n" if below else text
        path.write_text(shown, encoding="utf-8")
        path.chmod(0o600)
        try:
            done = subprocess.run([*command(), str(path)], check=False)  # noqa: S603 - the person's own editor
        except OSError as fault:
            message = "The editor cannot be started. Look at MAILCOUNSEL_EDITOR, VISUAL and EDITOR."
            raise errors.Refused(message) from fault
        written = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if done.returncode != 0:
        message = "The editor ended with an error. Nothing was sent."
        raise errors.Refused(message)
    return written.split(SCISSORS, 1)[0].strip()


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Make a private folder in memory, and destroy it with everything in it."""
    folder = Path(tempfile.mkdtemp(prefix="mailcounsel-", dir=memory()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory() -> Path:
    """Return a folder on a file system without a disk. Raises: Unavailable where there is none."""
    named = os.environ.get("XDG_RUNTIME_DIR")
    candidates = [Path(named)] if named else []
    candidates.append(Path("/dev/shm"))  # noqa: S108 - a private folder is made inside
    for folder in candidates:
        if folder.is_dir() and os.access(folder, os.W_OK) and _is_memory(folder):
            return folder
    message = (
        "There is no place in memory to write a letter in (/dev/shm). "
        "Give the text with --file - instead."
    )
    raise errors.Unavailable(message)


def _is_memory(folder: Path) -> bool:
    """Tell whether a folder lies on tmpfs or ramfs, by the longest fitting mount point (proc(5))."""
    best = ("", "")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, point, kind, *_ = line.split()
        inside = folder == Path(point) or Path(point) in folder.resolve().parents
        if inside and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1] in {"tmpfs", "ramfs"}
