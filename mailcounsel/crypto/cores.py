"""No core file of a process that holds clear words: a crash must not write them to a disk."""

from __future__ import annotations

import contextlib
import ctypes
import resource
from pathlib import Path

PR_SET_DUMPABLE = 4  # of prctl(2)


def forbid() -> None:
    """Have this process, and what it starts, leave no core file.

    A limit of none is not asked where the kernel pipes cores into a program (core(5)), so the
    process is marked as not to be dumped as well, where there is such a mark; that keeps other
    programs of the same account from reading its memory, too. One that is traced already keeps no
    secret from its tracer, which could not do its work then.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _is_traced():
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _is_traced() -> bool:
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").split("\n")
        return any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in lines)
    return False
