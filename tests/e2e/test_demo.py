"""`mailcounsel demo` as a newcomer meets it: the real program, and nothing left behind."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-P", "-m", "mailcounsel"]
PATIENCE = 500  # seconds; the story itself takes some ten


@pytest.fixture
def place(short_tmp):
    """Folders of the demonstration's own, so that what it leaves behind is seen."""
    for name in ("t", "r", "h"):
        (short_tmp / name).mkdir(mode=0o700)
    return short_tmp


@pytest.fixture
def settings(place):
    """The environment of a newcomer who has set nothing."""
    own = {"TMPDIR": place / "t", "XDG_RUNTIME_DIR": place / "r", "HOME": place / "h"}
    return {**os.environ, **{name: str(path) for name, path in own.items()}}


def run(settings, *words, text=None):
    return subprocess.run(
        [*PROGRAM, *words],
        env=settings,
        input=text or "",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextlib.contextmanager
def started(settings, *words):
    """Start the program, and never leave it running."""
    pipe = subprocess.PIPE
    command = [*PROGRAM, *words]
    with subprocess.Popen(command, env=settings, text=True, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE)


def read_until(process, words):
    """Read what it prints, up to the line with these words."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    said = "".join(lines) + process.stderr.read()
    raise AssertionError(f"it never said {words!r} but: {said}")


def left_behind(place):
    """Return the files below the temporary folders, and the processes that know of them.

    The report that the story leaves to be opened does not count.
    """
    files = [path for name in ("t", "r") for path in (place / name).rglob("*")]
    others = [path for path in files if "mailcounsel-report-" not in str(path)]
    return others + list(processes_of(place))


def processes_of(place):
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(place).encode() in line.read_bytes():
                yield line


def wait_until_clean(place):
    deadline = time.monotonic() + PATIENCE
    while left_behind(place) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_behind(place) == []


def after_a_shell_ran(lines, settings):
    """Return the environment that a shell leaves behind."""
    script = ["sh", "-c", f"{lines}\nenv -0"]
    done = subprocess.run(script, env=settings, capture_output=True, text=True, check=True)
    return dict(word.split("=", 1) for word in done.stdout.split("\0") if word)


def block_pymap(place, settings):
    """Make pymap look as if it was not installed."""
    hidden = place / "hidden"
    (hidden / "pymap").mkdir(parents=True)
    (hidden / "pymap" / "__init__.py").write_text("raise ImportError('not here')\n")
    return {**settings, "PYTHONPATH": str(hidden)}


# -- the story ------------------------------------------------------------------------------------


def test_the_story_is_told_in_sixty_lines_and_loses_nothing(place, settings):
    """What it promises is shown on a screen or two, ends with `lost 0`, and leaves one report."""
    pytest.importorskip("pymap")
    ran = run(settings, "demo")
    assert (ran.returncode, ran.stderr) == (0, "")
    told, lines = ran.stdout, ran.stdout.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 90
    assert "by IMAP" in told
    assert "DANGER" in told.split("$ mailcounsel queue\n")[1].splitlines()[1]
    assert "(encrypted, signed)\n  | Dear Rafael" in told
    assert "signed with the client's key; encrypted" in told
    assert "waits" in told.split("$ mailcounsel introduce C-0001")[1].splitlines()[1]
    assert "(not encrypted)\n  | Melati, " in told.split("SETUJU")[1]
    journey = told.split("$ mailcounsel case show C-0001\n")[1].splitlines()
    assert [line.split()[0] for line in journey[:7]] == list("1234567")
    assert all(len(line.split()) > 2 for line in journey[:7])  # something happened in each
    assert journey[7].endswith("  5 7")
    balance = lines[lines.index("$ mailcounsel --as sari reconcile") + 1]
    assert balance.startswith("in 7 = 7 case")
    assert balance.endswith("lost 0")
    (report,) = (place / "t").glob("mailcounsel-report-*/C-0001.html")
    assert str(report) in told
    assert "jalan kaki 30 menit" in report.read_text(encoding="utf-8")
    assert left_behind(place) == []


def test_without_pymap_every_letter_comes_by_smtp(place, settings):
    """Without the extra the story is the same, one line says what is missing; --keep keeps."""
    told = run(block_pymap(place, settings), "demo", "--keep")
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("pymap") == 1
    assert "lost 0" in told.stdout
    assert len(told.stdout.splitlines()) <= 60
    (kept,) = (place / "t").glob("mailcounsel-demo-*")
    assert str(kept) in told.stdout
    assert "[inbox.imap]" not in (kept / "config.toml").read_text()
    assert list(processes_of(place)) == []


def test_without_gpg_it_says_how_to_install_it(place, settings):
    """A machine without gpg gets one sentence and exit 69."""
    (place / "bin").mkdir()
    told = run({**settings, "PATH": str(place / "bin")}, "demo")
    assert (told.returncode, told.stdout) == (69, "")
    assert "apt install gnupg" in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert left_behind(place) == []


def test_a_step_that_fails_ends_it_with_a_sentence(place, settings):
    """A step that fails makes the demonstration exit 1, say so, and still clean up."""
    (place / "bin").mkdir()
    for name in ("gpg-agent", "gpgconf"):
        (place / "bin" / name).symlink_to(shutil.which(name))
    broken = place / "bin" / "gpg"
    broken.write_text("#!/bin/sh\nexit 2\n")
    broken.chmod(0o755)
    told = run({**settings, "PATH": f"{place / 'bin'}:{settings['PATH']}"}, "demo")
    assert told.returncode == 1
    assert told.stderr.startswith("The demonstration stopped: ")
    assert "Traceback" not in told.stderr
    assert left_behind(place) == []


def test_a_reader_who_leaves_early_ends_it_quietly(place, settings):
    """`demo | head -3` ends without a complaint and cleans up."""
    with started(settings, "demo") as process:
        read_until(process, "1. ")
        process.stdout.close()
        process.stdout = None
        assert process.communicate(timeout=PATIENCE)[1] == ""
        assert process.returncode == 0
    wait_until_clean(place)


def test_it_cleans_up_when_it_is_told_to_end_in_the_middle(place, settings):
    """SIGTERM in the middle of the story leaves no file and no agent."""
    with started(settings, "demo") as process:
        read_until(process, "$ mailcounsel queue")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 128 + signal.SIGTERM
    wait_until_clean(place)


# -- staying --------------------------------------------------------------------------------------


def test_a_newcomer_plays_the_client_beside_the_real_commands(place, settings):
    """With --stay one writes as a client, answers with the real commands, and lets days go by."""
    with started(settings, "demo", "--stay") as process:
        read_until(process, "Ctrl-C")
        exported = run(settings, "demo", "env")
        assert exported.returncode == 0, exported.stderr
        therapist = after_a_shell_ran(exported.stdout, settings)
        assert shutil.which("mailcounsel", path=therapist["PATH"])

        written = run(settings, "demo", "write", "--as", "tari", text="Halo, ini Tari.")
        assert written.returncode == 0, written.stderr
        found = json.loads(run(therapist, "queue", "--json").stdout)["cases"]
        assert "C-0004" in [case["case"] for case in found]
        assert "ini Tari" in run(therapist, "show", "C-0004").stdout

        assert run(therapist, "reply", "C-0002", "-m", "Until Sunday, Rafael.").returncode == 0
        before = run(settings, "demo", "inbox", "rafael").stdout
        assert "Until Sunday" not in before
        moved = run(settings, "demo", "tomorrow", "--days", "2")
        assert "Wednesday" in moved.stdout
        after = run(settings, "demo", "inbox", "rafael", "--json")
        (letter,) = [
            one for one in json.loads(after.stdout)["letters"] if "Until Sunday" in one["text"]
        ]
        assert letter["encrypted"]
        assert letter["signed"]

        nobody = run(settings, "demo", "inbox", "nobody")
        assert (nobody.returncode, len(nobody.stderr.splitlines())) == (1, 1)
        second = run(settings, "demo", "--stay")
        assert second.returncode == 1
        assert "demo stop" in second.stderr

        assert run(settings, "demo", "stop").returncode == 0
        assert process.wait(PATIENCE) == 0
    wait_until_clean(place)


def test_ctrl_c_closes_it(place, settings):
    """Ctrl-C closes a centre that stays and takes everything away."""
    with started(settings, "demo", "--stay") as process:
        read_until(process, "Ctrl-C")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    wait_until_clean(place)


def test_ctrl_c_that_meets_another_thread_closes_it(place, settings):
    """Nothing wakes a wait then, as when it comes just before the wait begins."""
    with started(settings, "demo", "--stay") as process:
        read_until(process, "Ctrl-C")
        threads = sorted(int(one.name) for one in Path(f"/proc/{process.pid}/task").iterdir())
        ctypes.CDLL(None).tgkill(process.pid, threads[-1], signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    wait_until_clean(place)


@pytest.mark.parametrize(
    "words", [("write", "Halo"), ("inbox", "melati"), ("tomorrow",), ("env",), ("stop",)]
)
def test_without_a_running_demonstration_each_command_says_how_to_start_one(settings, words):
    """Nothing to speak to is one sentence and exit 69."""
    said = run(settings, "demo", *words)
    assert said.returncode == 69
    assert "mailcounsel demo --stay" in said.stderr


def test_a_file_that_others_could_have_written_is_not_believed(place, settings):
    """What `demo env` prints is run by a shell, so a file open to others counts as none."""
    planted = place / "r" / f"mailcounsel-demo-{os.geteuid()}.json"
    planted.write_text(json.dumps({"socket": str(place / "s"), "environment": {"A": "B"}}))
    planted.chmod(0o666)
    said = run(settings, "demo", "env")
    assert (said.returncode, said.stdout) == (69, "")
