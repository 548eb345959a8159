"""The program, started by forking a process that has imported it; used like `subprocess`."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

from servers import tools

PROGRAM = [sys.executable, "-m", "mailcounsel"]
LONGEST = 1 << 16
SLOW_TO_IMPORT = {"serve", "init", "doctor"}  # the others start in a tenth of a second anyway


class Forked:
    """A process by its id, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, warm: Warm, pid: int, args: Sequence[str]) -> None:
        self.pid, self.args = pid, args
        self.returncode: int | None = None
        self._warm = warm
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        if self.returncode is None and select.select([self._handle], [], [], 0)[0]:
            self._settle()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code. Raises: TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._handle], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
            self._settle()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, sig)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _settle(self) -> None:
        self.returncode = self._warm.code_of(self.pid)
        os.close(self._handle)


class Warm:
    """The process that forks."""

    def __init__(self) -> None:
        self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, str(Path(__file__).with_name("warm.py"))]
        with theirs:
            self._process = subprocess.Popen(command, stdin=theirs.fileno())
        self._ended: dict[int, int] = {}
        self._lock = threading.Lock()

    def start(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        files: Sequence[IO[Any]],
        waits: bool = False,
    ) -> Forked:
        """Run `mailcounsel WORDS` in a session of its own; `files` are in, out and error."""
        asked = {"words": list(words), "cwd": str(cwd), "env": dict(env), "waits": waits}
        message = json.dumps(asked).encode()
        with self._lock:
            socket.send_fds(self._end, [message], [one.fileno() for one in files])
            while True:
                said = self._hear()
                if "pid" in said:
                    return Forked(self, said["pid"], ["mailcounsel", *words])

    def serve(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        waits: bool = False,
    ) -> Forked:
        """Start a service whose output goes to a file."""
        with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            files = (nothing, output, output)
            return self.start(words, cwd=cwd, env=env, files=files, waits=waits)

    def go(self, child: Forked) -> None:
        """Let one run that waits."""
        self._end.send(json.dumps({"go": child.pid}).encode())

    def run(
        self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with (
            tempfile.TemporaryFile("w+") as into,
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
        ):
            into.write(given)
            into.seek(0)
            child = self.start(words, cwd=cwd, env=env, files=(into, out, err))
            try:
                code = child.wait(tools.PATIENCE * 2)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(child.args, code, out.read(), err.read())

    def code_of(self, pid: int) -> int:
        """Return the exit code of one that has ended."""
        with self._lock:
            while pid not in self._ended:
                self._hear()
            return self._ended.pop(pid)

    def _hear(self) -> dict[str, int]:
        message = self._end.recv(LONGEST)
        assert message, "the process that forks has ended"
        said: dict[str, int] = json.loads(message)
        if "ended" in said:
            self._ended[said["ended"]] = said["code"]
        return said

    def stop(self) -> None:
        """End it. Its children are their users' to end."""
        self._end.close()
        self._process.wait(tools.PATIENCE)


def serve(*, cwd: Path, env: Mapping[str, str], log: Path, forks: bool = True) -> tools.Process:
    """Start the service with its output in a file: by fork, or as it is typed."""
    if forks:
        return warm().serve(["serve"], cwd=cwd, env=env, log=log)
    with log.open("ab") as out:
        return subprocess.Popen(
            [*PROGRAM, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )


def type_in(
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    given: str = "",
    forks: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a command of the program to its end: by fork where that is much faster, if allowed."""
    if forks and SLOW_TO_IMPORT.intersection(words):
        return warm().run(words, cwd=cwd, env=env, given=given)
    return subprocess.run(
        [*PROGRAM, *words],
        check=False,
        input=given,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        timeout=tools.PATIENCE * 2,
    )


@cache
def warm() -> Warm:
    """Return the one of this test run, started when it is first asked for."""
    made = Warm()
    atexit.register(made.stop)
    return made
