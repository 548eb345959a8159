"""Signals while somebody else has the terminal: an editor, a pager, ssh."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_TYPED = (signal.SIGINT, signal.SIGQUIT)
_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Guest:
    """A program that has the terminal for a while; `ended` when we were asked to end meanwhile."""

    def __init__(self) -> None:
        self.program: subprocess.Popen[Any] | None = None
        self.ended = False

    def end(self) -> None:
        """Ask the program to end."""
        self.ended = True
        if self.program:
            with contextlib.suppress(OSError):
                self.program.terminate()


@contextlib.contextmanager
def hosting() -> Iterator[Guest]:
    """Leave Ctrl-C to a program that has the terminal, and end it when we are asked to end.

    This process itself goes on behind the `with`, so that whatever lies about is put away when a
    window is closed or a connection breaks.
    """
    guest = Guest()

    def hear(number: int, _: FrameType | None) -> None:
        # A handler, not SIG_IGN: what is ignored stays ignored in every child.
        if number in _ENDING:
            guest.end()

    before = {number: signal.signal(number, hear) for number in (*_TYPED, *_ENDING)}
    try:
        yield guest
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Start a program here that must not hear Ctrl-C, since it carries our conversation."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
