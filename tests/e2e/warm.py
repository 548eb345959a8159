"""Start the service again and again without importing it each time: a process that forks it.

Reads one JSON object a line: {"config", "log"} makes a child that waits, answered with its process
id; {"go": id} lets it run. Nothing but imports has happened before a child is made.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

from mailcounsel.cli import main
from mailcounsel.cli import serve as _serve  # noqa: F401 - what a child would have to import
from mailcounsel.service import app as _app  # noqa: F401

PR_SET_PTRACER = 0x59616D61
ANYBODY = ctypes.c_ulong(-1)


def serve(path: str) -> None:
    """Run the program as if it was typed."""
    sys.argv = ["mailcounsel", "--config", path, "--debug", "serve"]
    main.main()


def fork(request: dict[str, str], gates: dict[int, int]) -> None:
    waiting, gate = os.pipe()
    child = os.fork()
    if child:
        os.close(waiting)
        gates[child] = gate
        print(child, flush=True)
        return
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
    output = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, output, output)):
        os.dup2(file, number)
    os.close(gate)
    os.read(waiting, 1)
    os.closerange(3, 256)
    code = 1
    try:
        serve(request["config"])
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gates: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "go" in request:
            gate = gates.pop(request["go"])
            os.write(gate, b"!")
            os.close(gate)
        else:
            fork(request, gates)


if __name__ == "__main__":
    run()
