"""Take letters by SMTP: `250` is said only after the letter is on disk (RFC 1123 section 5.3.3).

aiosmtpd speaks the protocol; this file decides. An unknown recipient is told so (550), a full
disk asks to come again (452), and any other fault of ours does too (451), without a word about
what it was. The raw letter is kept exactly as it came.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from aiosmtpd import smtp as aiosmtpd

from mailcounsel import config, errors
from mailcounsel.intake import inbox

# aiosmtpd logs every address and, at debug level, every line of a letter.
logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)

log = logging.getLogger(__name__)

Keep = Callable[[bytes, inbox.Envelope], "Future[inbox.Kept]"]

MOST_RECIPIENTS: Final = 100
MOST_CONNECTIONS: Final = 100
KEEPERS: Final = 8  # threads that seal and write; on SQLite they only hand over to the writer
IDLE_SECONDS: Final = 300.0  # RFC 5321 section 4.5.3.2.7
LINE_BYTES: Final = 64 * 1024  # the RFC says 998; longer lines are common, and no harm to us
GRACE_SECONDS: Final = 5.0  # for letters that are being kept while we stop

KEPT = "250 2.0.0 Kept"
RECIPIENT_OK = "250 2.1.5 OK"
UNKNOWN = "550 5.1.1 No such recipient here"
NOT_READY = "451 4.3.0 Not ready for letters yet; please try again later"
FAULT = "451 4.3.0 Not possible just now; please try again later"
FULL = "452 4.3.1 No room just now; please try again later"
TOO_MANY = "452 4.5.3 Too many recipients"
TOO_LARGE = "552 5.3.4 The letter is too large"
END = b".\r\n"
CRLF = b"\r\n"
BUSY = b"421 4.3.2 Too many connections; please try again later\r\n"


class Listener:
    """Listen for letters to our own addresses. Belongs to the event loop it is started in."""

    def __init__(
        self,
        smtp: config.Smtp,
        *,
        accepts: Callable[[str], bool],
        keep: Keep,
        limits: config.Limits,
        ready: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._smtp = smtp
        self._limits = limits
        self._handler = _Handler(accepts, keep, ready)
        self._sessions: set[_Session] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Return the port listened on, which tells where 0 was asked for."""
        if self._server is None:
            raise errors.Unavailable("The SMTP listener is not running.")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to listen. Raises: Unavailable when the port is taken or the TLS files are bad."""
        loop = asyncio.get_running_loop()
        context = _tls_context(self._smtp)
        name = self._smtp.hostname or socket.gethostname()

        def connected() -> asyncio.Protocol:
            if len(self._sessions) >= MOST_CONNECTIONS:
                return _Busy()
            return _Session(self._handler, self._sessions, self._options(context, name, loop))

        try:
            self._server = await loop.create_server(connected, self._smtp.host, self._smtp.port)
        except OSError as exc:
            raise errors.Unavailable("The SMTP listener cannot listen on its port.") from exc

    def _options(
        self, context: ssl.SSLContext | None, name: str, loop: asyncio.AbstractEventLoop
    ) -> dict[str, Any]:
        return {
            "data_size_limit": self._limits.size_bytes,
            "enable_SMTPUTF8": True,
            "hostname": name,
            "ident": "ESMTP",
            "tls_context": context,
            "require_starttls": self._smtp.require_tls,
            "timeout": IDLE_SECONDS,
            "loop": loop,
        }

    async def stop(self) -> None:
        """Take no more letters, finish those being kept, and close every connection."""
        if self._server is None:
            return
        self._server.close()
        await self._handler.finish()
        for session in tuple(self._sessions):
            session.hang_up()
        with suppress(TimeoutError):  # a peer that never answers the end of TLS
            await asyncio.wait_for(self._server.wait_closed(), GRACE_SECONDS)
        self._server = None


class _Handler:
    """The hooks aiosmtpd calls, shared by all connections."""

    def __init__(
        self, accepts: Callable[[str], bool], keep: Keep, ready: Callable[[str], bool]
    ) -> None:
        self._accepts = accepts
        self._keep = keep
        self._ready = ready
        self._pool = ThreadPoolExecutor(KEEPERS, thread_name_prefix="smtp-keep")
        self._unanswered: set[asyncio.Future[None]] = set()

    async def handle_EHLO(
        self,
        server: aiosmtpd.SMTP,
        session: aiosmtpd.Session,
        envelope: aiosmtpd.Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer what there is, and no AUTH, since nobody logs in here."""
        session.host_name = hostname
        return [line for line in responses if not line.startswith("250-AUTH")]

    async def handle_RCPT(
        self,
        server: aiosmtpd.SMTP,
        session: aiosmtpd.Session,
        envelope: aiosmtpd.Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Accept our own addresses alone, and each once somebody could read its letters."""
        if not self._accepts(address):
            return UNKNOWN
        if not self._ready(address):
            return NOT_READY
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return RECIPIENT_OK

    async def handle_DATA(
        self, server: aiosmtpd.SMTP, session: aiosmtpd.Session, envelope: aiosmtpd.Envelope
    ) -> str:
        """Answer once the letter is on disk.

        Every fault is answered here: one that left this hook would leave its envelope to the next
        letter of the connection.
        """
        answered = asyncio.get_running_loop().create_future()
        self._unanswered.add(answered)
        try:
            await self._kept(envelope.original_content or b"", _envelope(envelope))
        except errors.TryLater as fault:
            log.warning("a letter could not be kept: %s", fault)
            return FULL if isinstance(fault, errors.DiskFull) else FAULT
        except Exception as fault:  # noqa: BLE001 - whatever it was, the letter is not kept
            log.warning("a letter could not be kept: %s", type(fault).__name__)
            return FAULT
        finally:
            self._unanswered.discard(answered)
            answered.set_result(None)
        return KEPT

    async def _kept(self, raw: bytes, envelope: inbox.Envelope) -> None:
        loop = asyncio.get_running_loop()
        writing = await loop.run_in_executor(self._pool, self._keep, raw, envelope)
        # A client that hangs up must not cancel what the store's writer is about to answer.
        await asyncio.shield(asyncio.wrap_future(writing))

    async def handle_exception(self, error: Exception) -> str:
        """Answer what aiosmtpd stumbled over; its own answer would be final and tell the fault."""
        log.warning("a fault in an SMTP conversation: %s", type(error).__name__)
        return FAULT

    async def finish(self) -> None:
        """Wait, within reason, until every letter being kept has had its answer."""
        if self._unanswered:
            await asyncio.wait(self._unanswered, timeout=GRACE_SECONDS)
        self._pool.shutdown(wait=False)


class _Session(aiosmtpd.SMTP):
    """One connection."""

    line_length_limit = LINE_BYTES

    def __init__(self, handler: _Handler, sessions: set[_Session], options: dict[str, Any]) -> None:
        super().__init__(handler, **options)
        self._sessions = sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._sessions.discard(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str | None) -> None:
        """Take a letter in pieces; aiosmtpd makes an object of each line, a gigabyte for 10 MB."""
        if await self.check_helo_needed():
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 RCPT comes first")
        elif arg:
            await self.push("501 5.5.4 DATA stands alone")
        else:
            await self.push("354 Go ahead; end with a dot on a line of its own")
            await self.push(await self._take_letter(self.envelope))
            self.envelope = self._create_envelope()

    async def _take_letter(self, envelope: aiosmtpd.Envelope) -> str:
        raw = await self._read_letter()
        if raw is None:
            return TOO_LARGE
        envelope.content = envelope.original_content = raw
        return str(await self._call_handler_hook("DATA"))

    async def _read_letter(self) -> bytes | None:
        """Read up to the end of the letter and undo dot-stuffing; None when it is too large."""
        # The end of the DATA command's own line counts (RFC 5321 section 4.1.1.4).
        self._reader._buffer[:0] = CRLF  # type: ignore[attr-defined]  # noqa: SLF001
        pieces: list[bytes] = []
        size = -len(CRLF + END)
        is_over = False
        while not is_over:
            try:
                piece = await self._reader.readuntil(CRLF + END)
                is_over = True
            except asyncio.LimitOverrunError as more:
                piece = await self._reader.read(more.consumed)
            size += len(piece)
            if size <= (self.data_size_limit or size):
                pieces.append(piece)
            else:
                pieces.clear()
        if size > (self.data_size_limit or size):
            return None
        stuffed = b"".join(pieces).removesuffix(END)
        return stuffed.replace(CRLF + b".", CRLF).removeprefix(CRLF)

    async def push(self, status: Any) -> None:
        # aiosmtpd says "too large" by itself, without the enhanced code (RFC 3463 section 3.4).
        is_size = isinstance(status, str) and status.startswith("552 ")
        await super().push(TOO_LARGE if is_size else status)

    def hang_up(self) -> None:
        """Close the line."""
        if self.transport is not None:
            self.transport.close()


class _Busy(asyncio.Protocol):
    """Send one caller too many away."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(BUSY)
        transport.close()


def _envelope(given: aiosmtpd.Envelope) -> inbox.Envelope:
    sender = "" if given.mail_from in {None, "<>"} else str(given.mail_from)
    return inbox.Envelope("smtp", _sound(sender), tuple(_sound(to) for to in given.rcpt_tos))


def _sound(address: str) -> str:
    """Return an address as valid text; aiosmtpd hands on bytes that are none as surrogates."""
    return address.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _tls_context(smtp: config.Smtp) -> ssl.SSLContext | None:
    if smtp.tls_certificate is None or smtp.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(smtp.tls_certificate, smtp.tls_key)
    except OSError as exc:  # ssl.SSLError is one
        raise errors.Unavailable("The TLS certificate or key of [smtp] cannot be read.") from exc
    return context
