"""The clients' mail provider: takes what the centre sends, and keeps it by address."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from aiosmtpd.smtp import SMTP

from mailcounsel import errors

HOST = "127.0.0.1"
PATIENCE = 120.0  # seconds for a letter to arrive on a slow machine


class Post:
    """A mail server that takes every letter. `start` and `stop` belong to one event loop."""

    def __init__(self) -> None:
        self.port = 0
        self._letters: dict[str, list[bytes]] = defaultdict(list)
        self._came = threading.Condition()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on any free port."""
        loop = asyncio.get_running_loop()

        def protocol() -> SMTP:
            return SMTP(self, hostname="post.test", ident="post", enable_SMTPUTF8=True, loop=loop)

        self._server = await loop.create_server(protocol, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    async def handle_DATA(  # noqa: N802 - aiosmtpd names its hooks
        self, server: SMTP, session: Any, envelope: Any
    ) -> str:
        """Keep a letter."""
        with self._came:
            for address in envelope.rcpt_tos:
                self._letters[address.lower()].append(bytes(envelope.content))
            self._came.notify_all()
        return "250 OK"

    def letters(self, address: str) -> list[bytes]:
        """Return what arrived for an address, oldest first."""
        with self._came:
            return list(self._letters[address.lower()])

    def wait(self, address: str, fits: Callable[[bytes], bool], after: int = 0) -> bytes:
        """Wait for a letter that fits, passing over the first `after`, and return it.

        Raises: TryLater when none comes.
        """
        number = after
        while True:
            with self._came:
                letters = self._letters[address.lower()]
                if not self._came.wait_for(functools.partial(_more, letters, number), PATIENCE):
                    message = "A letter from the centre did not arrive in time."
                    raise errors.TryLater(message)
                raw = letters[number]
            if fits(raw):
                return raw
            number += 1


def _more(letters: Sequence[bytes], than: int) -> bool:
    return len(letters) > than
