"""Run the program again and again without importing it each time: a process that forks it.

On the socket it is given as its standard input it takes JSON messages. {"words", "cwd", "env",
"waits"} comes with three open files and makes a child that runs `mailcounsel WORDS` on them;
the answer is {"pid"}. A child that waits does nothing before {"go": pid}. Whenever one ends,
{"ended": pid, "code"} is said, with the code as `subprocess` gives it.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from typing import Any

from mailcounsel.cli import main
from mailcounsel.cli import serve as _serve  # noqa: F401 - what a child would have to import
from mailcounsel.service import app as _app  # noqa: F401

PR_SET_PTRACER = 0x59616D61
ANYBODY = ctypes.c_ulong(-1)
LONGEST = 1 << 20  # bytes of a message

Program = Callable[[], None]


class Nursery:
    """Makes the children and says when they end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._gates: dict[int, int] = {}
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker)

    def run(self) -> Program | None:
        """Work until the other end hangs up; in a child, return what it is to run."""
        while True:
            for ready in select.select([self._end.fileno(), self._woken], [], [])[0]:
                if ready == self._woken:
                    os.read(self._woken, 4096)
                    self._say_who_ended()
                    continue
                message, files, *_ = socket.recv_fds(self._end, LONGEST, 3)
                if not message:
                    return None
                program = self._do(json.loads(message), files)
                if program:
                    return program

    def _do(self, request: dict[str, Any], files: list[int]) -> Program | None:
        if "go" in request:
            os.close(self._gates.pop(request["go"]))
            return None
        gate, keeper = os.pipe()
        child = os.fork()
        if not child:
            os.close(keeper)
            return lambda: become(request, files, gate)
        for file in (*files, gate):
            os.close(file)
        if request["waits"]:
            self._gates[child] = keeper
        else:
            os.close(keeper)
        self._say(pid=child)
        return None

    def _say_who_ended(self) -> None:
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not child:
                return
            self._say(ended=child, code=os.waitstatus_to_exitcode(status))

    def _say(self, **message: int) -> None:
        self._end.send(json.dumps(message).encode())


def become(request: dict[str, Any], files: list[int], gate: int) -> None:
    """Run the program as if it was typed, once the gate is opened."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.read(gate, 1)
    os.closerange(3, 256)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    if os.environ.get("PYTHONWARNINGS") == "error":
        warnings.simplefilter("error")
    sys.argv = ["mailcounsel", *request["words"]]
    main.main()


if __name__ == "__main__":
    given = Nursery(socket.socket(fileno=os.dup(0))).run()
    if given:
        given()
