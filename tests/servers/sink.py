"""A mail server that keeps what it is given, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from servers import tools

HOST = "127.0.0.1"
FULL = 50_000_000  # bytes; larger than anything a test sends


@dataclass(frozen=True)
class Taken:
    """A letter this server took, or was given just before it misbehaved."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    by_tls: bool
    login: str | None


@dataclass
class Sink:
    """A running server; `letters` holds what arrived, oldest first."""

    port: int = 0
    letters: list[Taken] = field(default_factory=list)
    attempts: int = 0  # how often DATA was given to the end, kept or not

    host = HOST

    def __post_init__(self) -> None:
        self._answers: dict[str, list[str]] = {"MAIL": [], "RCPT": [], "DATA": []}
        self._hang_ups: list[bool] = []
        self._delay = 0.0
        self._gate = asyncio.Event()
        self._gate.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink", daemon=True)
        self._server: asyncio.Server | None = None
        self._lines: list[asyncio.Transport] = []

    def start(self, tls: ssl.SSLContext | None = None, *, login: bool = False) -> None:
        """Listen; with `tls` offer STARTTLS, with `login` ask for AUTH under it (any password)."""
        self._thread.start()
        self._call(self._listen(tls, login=login))

    def stop(self) -> None:
        """Close every connection and end the thread."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(tools.PATIENCE)
        self._loop.close()

    def reject(self, reply: str, *, at: str = "DATA", times: int = 1) -> None:
        """Answer the next commands of this kind (MAIL, RCPT or DATA) with a refusal."""
        self._answers[at] += [reply] * times

    def hang_up_after_data(self, *, keep: bool, times: int = 1) -> None:
        """Take the next letters to their last byte, then break the line without a word."""
        self._hang_ups += [keep] * times

    def be_slow(self, seconds: float) -> None:
        """Wait this long before each answer to DATA."""
        self._delay = seconds

    def hold(self) -> None:
        """Answer no DATA until `release` is called."""
        self._loop.call_soon_threadsafe(self._gate.clear)

    def release(self) -> None:
        """Let held letters be answered."""
        self._loop.call_soon_threadsafe(self._gate.set)

    def wait(self, count: int) -> list[Taken]:
        """Wait until so many letters have arrived in all, and return them."""
        tools.until(lambda: len(self.letters) >= count, f"{count} letters at the sink")
        return list(self.letters)

    # What aiosmtpd calls.

    async def handle_MAIL(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._next("MAIL")

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = self._next("RCPT")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: _Protocol, session: Any, envelope: Any) -> str:
        self.attempts += 1
        await self._gate.wait()
        await asyncio.sleep(self._delay)
        if self._hang_ups:
            if self._hang_ups.pop(0):
                self._keep(session, envelope)
            if server.line is not None:
                server.line.abort()
            return "421 line broken"
        answer = self._next("DATA")
        if answer.startswith("2"):
            self._keep(session, envelope)
        return answer

    def _next(self, command: str) -> str:
        waiting = self._answers[command]
        return waiting.pop(0) if waiting else "250 OK"

    def _keep(self, session: Any, envelope: Any) -> None:
        self.letters.append(
            Taken(
                sender=envelope.mail_from,
                recipients=tuple(envelope.rcpt_tos),
                content=bytes(envelope.content),
                by_tls=session.ssl is not None,
                login=session.auth_data,
            )
        )

    def _call(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(tools.PATIENCE)

    async def _listen(self, tls: ssl.SSLContext | None, *, login: bool) -> None:
        def protocol() -> SMTP:
            return _Protocol(
                self,
                self._lines,
                hostname="sink.test",
                ident="sink",
                data_size_limit=FULL,
                enable_SMTPUTF8=True,
                tls_context=tls,
                auth_required=login,
                auth_require_tls=True,
                authenticator=_anyone if login else None,
                loop=self._loop,
            )

        self._server = await self._loop.create_server(protocol, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for line in self._lines:
            line.abort()
        await asyncio.sleep(0)  # a transport closes its socket one turn later


class _Protocol(SMTP):
    """aiosmtpd's protocol, which remembers the line below any TLS, so that it can be cut."""

    def __init__(self, handler: Sink, lines: list[asyncio.Transport], **options: Any) -> None:
        super().__init__(handler, **options)
        self.line: asyncio.Transport | None = None
        self._lines = lines

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.line is None and isinstance(transport, asyncio.Transport):
            self.line = transport
            self._lines.append(transport)
        super().connection_made(transport)


def _anyone(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=True, auth_data=data.login.decode())


def start(port: int = 0, tls: ssl.SSLContext | None = None, *, login: bool = False) -> Sink:
    """Start a sink, on the port given or on any."""
    sink = Sink(port)
    sink.start(tls, login=login)
    return sink
