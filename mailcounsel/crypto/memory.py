"""Where clear words and addresses may lie for a moment: on a file system that has no disk."""

from __future__ import annotations

import os
import re
from pathlib import Path

KINDS = frozenset({"tmpfs", "ramfs"})

_ESCAPED = re.compile(r"\\([0-7]{3})")  # how a blank is written there


def candidates() -> list[Path]:
    """Return the folders that may lie in memory, the person's own first."""
    named = os.environ.get("XDG_RUNTIME_DIR")
    own = [Path(named)] if named else []
    return [*own, Path("/dev/shm")]  # noqa: S108 - only private folders are made inside


def folder() -> Path | None:
    """Return a folder we may write to on a file system without a disk, None where there is none.

    A runtime directory counts no more than its file system does: in a container, or after `su`,
    it may lie on a disk.
    """
    return next((one for one in candidates() if is_writable(one) and is_memory(one)), None)


def is_writable(place: Path) -> bool:
    """Tell whether we may make files in a folder."""
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def is_memory(place: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Tell whether a folder lies on tmpfs or ramfs: the longest fitting mount point (proc(5))."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    best = ("", "")
    whole = place.resolve()
    for line in lines:
        _, escaped, kind, *_ = line.split(" ")
        point = Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), escaped))
        if (whole == point or point in whole.parents) and len(str(point)) >= len(best[0]):
            best = (str(point), kind)
    return best[1] in KINDS
