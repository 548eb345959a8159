"""Run the centre until it is told to stop."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING

import click

from mailcounsel.cli.main import Setting

if TYPE_CHECKING:
    from mailcounsel.service.app import Service


@click.command()
@click.pass_obj
def serve(setting: Setting) -> None:
    """Run the centre.

    Receives letters, answers commands and sends mail until it is stopped (Ctrl-C, SIGTERM). One
    line says when it is ready; after that each letter that left, and every fault, is a line,
    without a word of any letter.

    \b
    Example: mailcounsel serve
    """
    import asyncio

    from mailcounsel.crypto import cores

    cores.forbid()
    from mailcounsel import config
    from mailcounsel.service import app

    log_to_stderr(debug=setting.debug)
    asyncio.run(app.run(config.load(setting.config_path), _started))
    notify("STOPPING=1")


def _started(service: Service) -> None:
    click.echo(ready_line(service))
    notify("READY=1")


def ready_line(service: Service) -> str:
    """Say where letters come in and where commands are heard."""
    config = service.config
    ways = [f"reading {inbox.address} by IMAP" for inbox in config.inboxes if inbox.imap]
    if config.smtp and service.listener:
        ways.insert(0, f"taking letters by SMTP on {config.smtp.host}:{service.listener.port}")
    return f"Ready: {', '.join(ways)}; commands on {config.centre.socket}"


def notify(state: str) -> None:
    """Tell systemd how we are, where it asked to be told (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        line.send(state.encode())


def log_to_stderr(*, debug: bool = False) -> None:
    """Report faults on standard error, in words that are known to be harmless."""
    handler = logging.StreamHandler()
    # systemd writes the time itself.
    stamp = "" if os.environ.get("JOURNAL_STREAM") else "%(asctime)s "
    handler.setFormatter(Plain(f"{stamp}%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("mailcounsel").setLevel(logging.DEBUG if debug else logging.INFO)


class Plain(logging.Formatter):
    """Let our own sentences through; of every other library only its name and the kind of fault.

    The texts of foreign errors may quote an address or a subject, so none is ever written, and
    no traceback is.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the one line that may be written."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        is_ours = record.name.split(".")[0] == "mailcounsel"
        text = record.getMessage() if is_ours else "reported something"
        plain = logging.makeLogRecord(
            {
                **record.__dict__,
                "msg": f"{text} ({kind})" if kind else text,
                "args": None,
                "exc_info": None,
                "exc_text": None,
                "stack_info": None,
            }
        )
        return super().format(plain).replace("\n", " ")
