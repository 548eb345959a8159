"""An IMAP mailbox in memory, as a mail provider would keep one: the file that speaks pymap.

pymap is an extra. Where it is not installed `open_mailbox` says so, and letters come by SMTP
alone.
"""

from __future__ import annotations

import asyncio
import secrets
from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from mailcounsel import errors

HOST = "127.0.0.1"


class Mailbox:
    """A mailbox and its server. Everything but the plain facts belongs to one event loop."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.password = secrets.token_urlsafe(16)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._login: Any = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on any free port. Raises: Unavailable where pymap is not installed."""
        try:
            from proxyprotocol.sock import SocketInfoLocal
            from pymap.backend.dict import Config, Login
            from pymap.imap import IMAPServer
            from pymap.user import UserMetadata
        except ImportError as fault:
            message = "pymap is not installed, so letters come by SMTP alone."
            raise errors.Unavailable(message) from fault

        class Quiet(Config):
            """pymap's settings, without asking the network for this machine's name."""

            @property
            def greeting(self) -> bytes:
                return b"Server ready"

        settings = Quiet(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=HOST,
            port=0,
            tls_enabled=False,
            demo_data=False,
            demo_user=self.address,
            demo_password=self.password,
        )
        settings.apply_context()
        self._login = Login(settings)
        owner = UserMetadata(
            settings, self.address, password=settings.hash_context.hash(self.password)
        )
        await self._login.demo_user_identity.set(owner)
        await self._number_from_one()
        serve = IMAPServer(self._login, settings)

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task:
                self._talks.add(task)
                task.add_done_callback(self._talks.discard)
            await serve(reader, writer, SocketInfoLocal(writer))

        self._server = await asyncio.start_server(talk, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _number_from_one(self) -> None:
        """Let UIDs begin with 1, where pymap begins with 101.

        It takes the numbers in UID SEARCH for UIDs, though they are places in the folder
        (RFC 3501 section 6.4.8). Nothing is ever removed here, so now they are the same.
        """
        async with self._login.demo_user_identity.new_session() as session:
            (await session.mailbox_set.get_mailbox("INBOX"))._max_uid = 0  # noqa: SLF001

    async def put(self, raw: bytes) -> None:
        """Deliver a letter, with the note a provider writes on it about whom it was for."""
        from pymap.parsing.message import AppendMessage

        noted = f"Delivered-To: {self.address}\r\n".encode() + raw
        async with self._login.demo_user_identity.new_session() as session:
            inbox = await session.mailbox_set.get_mailbox("INBOX")
            await inbox.append(AppendMessage(noted, datetime.now(UTC), frozenset()))

    async def stop(self) -> None:
        """Stop listening and end every conversation."""
        if self._server is None:
            return
        self._server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
