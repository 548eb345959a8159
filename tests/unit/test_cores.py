"""A process that holds clear words leaves no core file, and lets nobody of its account read it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import mailcounsel
from mailcounsel import errors
from mailcounsel.cli import unlock
from mailcounsel.crypto import cores

ROOT = str(Path(mailcounsel.__file__).parent.parent)
CRASH = """
import ctypes, os, resource, signal
from mailcounsel.crypto import cores
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
{call}
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3), flush=True)
os.kill(os.getpid(), signal.SIGABRT)
"""


def crashed(folder: Path, call: str, *wrap: str) -> str:
    """Run a process that is aborted in a folder; return what it said of limit and mark."""
    done = subprocess.run(
        [*wrap, sys.executable, "-c", CRASH.format(call=call)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert done.returncode in {-signal.SIGABRT, 128 + signal.SIGABRT}
    return done.stdout.strip()


def test_a_crash_leaves_no_core_file(tmp_path):
    """Neither limit nor mark lets the kernel write one."""
    assert crashed(tmp_path, "pass").endswith(" 1")
    for left in tmp_path.iterdir():
        left.unlink()
    assert crashed(tmp_path, "cores.forbid()") == "(0, 0) 0"
    assert list(tmp_path.iterdir()) == []


def test_what_is_traced_already_goes_on_being_traced(tmp_path, need):
    """Whoever traces a process from its start sees all of it anyway; no core is left all the same.

    Marked as not to be dumped it could be looked at no more, also by our own tests.
    """
    strace = (need("strace"), "-f", "-o", os.devnull, "-e", "trace=none")
    assert crashed(tmp_path, "cores.forbid()", *strace) == "(0, 0) 1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", [unlock.personal, lambda: unlock.reader_key("nobody")])
def test_a_persons_key_is_opened_only_after_that(what, monkeypatch, tmp_path):
    """Each command that opens a case goes through here first."""
    asked = []
    monkeypatch.setenv("MAILCOUNSEL_HOME", str(tmp_path))
    monkeypatch.setattr(cores, "forbid", lambda: asked.append(True))
    (tmp_path / "nobody.reader").write_bytes(b"A" * 40 + b"\nnothing")
    with contextlib.suppress(errors.MailcounselError):
        what()
    assert asked
