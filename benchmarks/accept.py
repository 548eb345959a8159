"""Letters a second taken over SMTP at 8 connections, beside a bare server that syncs files."""

from __future__ import annotations

import asyncio
import os
import smtplib
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from benchmarks import places, report
from benchmarks.corpus import Mail, letters
from mailcounsel import config
from mailcounsel.intake import inbox, smtp

CONNECTIONS = 8
LETTERS = 1200
ROUNDS = 3


class _Bare:
    """Writes each letter to a file of its own and syncs it before it says 250."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self._number += 1
        await asyncio.to_thread(_write, self._folder / str(self._number), envelope.content)
        return "250 OK"


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fdatasync(file.fileno())


class _Server:
    """A server in a thread of its own, with its own event loop."""

    def __init__(
        self, start: Callable[[], Awaitable[tuple[int, Callable[[], Awaitable[None]]]]]
    ) -> None:
        self._start = start
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        port, self._stop = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)  # type: ignore[arg-type]  # a coroutine it is
        return port

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)  # type: ignore[arg-type]  # a coroutine it is
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _drive(port: int, mails: list[Mail]) -> float:
    """Send the letters over 8 connections that stay open; return letters a second."""
    shares = [mails[start::CONNECTIONS] for start in range(CONNECTIONS)]
    threads = [threading.Thread(target=_send, args=(port, share)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(mails) / (time.perf_counter() - begun)


def _send(port: int, mails: list[Mail]) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        for mail in mails:
            client.sendmail(mail.sender, ["halo@rumah.test"], mail.raw)


def bare(mails: list[Mail]) -> float:
    """Measure the bare server."""
    with places.folder() as folder:

        async def start() -> Any:
            loop = asyncio.get_running_loop()
            handler = _Bare(folder)
            server = await loop.create_server(
                lambda: SMTP(handler, loop=loop, hostname="bare.test"), "127.0.0.1", 0
            )

            async def stop() -> None:
                server.close()

            return server.sockets[0].getsockname()[1], stop

        with _Server(start) as port:
            return _drive(port, mails)


def ours(mails: list[Mail]) -> float:
    """Measure our listener with its store, without the steps that follow."""
    with places.centre() as place:
        desk = place.desk

        async def start() -> Any:
            listener = smtp.Listener(
                config.Smtp(port=0),
                accepts=lambda address: True,
                keep=lambda raw, envelope: inbox.keep(
                    desk.store, desk.office.keyring, raw, envelope, inbox.handed_over(), desk.now()
                ),
                limits=config.Limits(),
            )
            await listener.start()
            return listener.port, listener.stop

        with _Server(start) as port:
            return _drive(port, mails)


def main() -> None:
    """Print the medians and their ratio."""
    mails = list(letters(LETTERS))
    rows = [(bare(mails), ours(mails)) for _ in range(ROUNDS)]
    peer, own = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(b / a for a, b in rows)
    report.show("accept", "0.90", bare=f"{peer:.0f}/s", ours=f"{own:.0f}/s", ratio=f"{ratio:.2f}")
