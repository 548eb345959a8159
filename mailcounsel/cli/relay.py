"""Carry bytes between standard input and output and the control socket.

This is what `host = "user@centre"` runs on the centre's machine through ssh.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading

import click

from mailcounsel import errors
from mailcounsel.cli import client
from mailcounsel.cli.main import Setting
from mailcounsel.crypto import cores

PIECE_BYTES = 64 * 1024


@click.command()
@click.pass_obj
def relay(setting: Setting) -> None:
    """Carry commands from another machine (ssh).

    Says nothing of its own; ends when either side does.

    \b
    Example: ssh sari@centre.example.org mailcounsel relay
    """
    cores.forbid()
    path = setting.socket or client.socket_of(setting.config_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        try:
            line.connect(str(path))
        except PermissionError as fault:
            message = "This account may not speak to the service. Ask your admin."
            raise errors.Unavailable(message) from fault
        except OSError as fault:
            message = "The service is not running on the centre's machine."
            raise errors.Unavailable(message) from fault
        # Two directions at once: a side that waits to write must never keep the other from reading.
        threading.Thread(target=_inward, args=(line,), daemon=True).start()
        _outward(line)


def _inward(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := os.read(0, PIECE_BYTES):
            line.sendall(piece)
        line.shutdown(socket.SHUT_WR)


def _outward(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := line.recv(PIECE_BYTES):
            while piece:
                piece = piece[os.write(1, piece) :]
