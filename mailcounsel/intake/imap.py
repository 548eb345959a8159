"""Speak to an IMAP server: the one file that knows imapclient, whose errors end here as codes.

A `MailboxError` from here holds one of these words and nothing else:

    unreachable     no connection, or it broke
    tls             the line cannot be protected as configured
    secret          the password or token cannot be had
    login-refused   the server does not take it
    folder-missing  the folder is not there
    server-cannot   the server lacks what is asked of it, or says no
    protocol        the server said something that makes no sense
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import imapclient
from imapclient import exceptions

from mailcounsel import config, errors

# At debug level imapclient logs every letter and every login.
logging.getLogger("imapclient").setLevel(logging.CRITICAL + 1)

TIMEOUT: Final = imapclient.SocketTimeout(connect=15, read=60)
SEARCH_AT_ONCE: Final = 50_000  # letters; imaplib refuses lines longer than a million bytes
PIECE_BYTES: Final = 1_000_000
MOST_BYTES: Final = 64_000_000  # that are fetched of a letter beyond the limit


@dataclass(frozen=True, slots=True)
class View:
    """A folder as it was when it was opened. `mark` is another as soon as a letter comes."""

    uidvalidity: int
    uids: frozenset[int]
    uidnext: int | None
    mark: tuple[int | None, ...]

    def counts_anew(self, seen: AbstractSet[int]) -> bool:
        """Tell whether UIDs that were seen will be given again, to other letters.

        A server that was restored from a copy forgets the letters since, and their numbers with
        them (RFC 3501 §2.3.1.1 forbids it). A UIDNEXT that is below letters still there is no sign.
        """
        following = 0 if self.uidnext is None else self.uidnext
        return following > max(self.uids, default=0) and following <= max(seen, default=0)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as exc:
        raise errors.MailboxError(_code_of(exc)) from exc


def _code_of(fault: Exception) -> str:
    match fault:
        case errors.MailboxError():
            return str(fault)
        case errors.Unavailable():
            return "secret"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "unreachable"
        case ssl.SSLError():
            return "tls"
        case OSError() | exceptions.IMAPClientAbortError():
            return "unreachable"
        case exceptions.CapabilityError():
            return "server-cannot"
    return "protocol"


class Connection:
    """A connection to one account, logged in. Belongs to one thread."""

    def __init__(self, client: imapclient.IMAPClient) -> None:
        self._client = client

    @_translated()
    def has_folder(self, name: str) -> bool:
        """Tell whether a folder is there."""
        return bool(self._client.folder_exists(name))

    @_translated()
    def view(self, name: str) -> View:
        """Open a folder without the right to change it, and list it."""
        return self._view(name, readonly=True)

    @_translated()
    def mark(self, name: str) -> tuple[int | None, ...]:
        """Open a folder without the right to change it, and tell its mark alone."""
        return _mark(self._client.select_folder(name, readonly=True))

    def _view(self, name: str, *, readonly: bool) -> View:
        try:
            state = self._client.select_folder(name, readonly=readonly)
        except exceptions.IMAPClientAbortError:
            raise
        except exceptions.IMAPClientError as exc:
            raise errors.MailboxError("folder-missing") from exc
        if b"UIDVALIDITY" not in state:
            raise errors.MailboxError("server-cannot")
        uids = self._uids(state[b"EXISTS"])
        return View(int(state[b"UIDVALIDITY"]), uids, state.get(b"UIDNEXT"), _mark(state))

    def _uids(self, exists: int) -> frozenset[int]:
        found: set[int] = set()
        for first in range(1, exists + 1, SEARCH_AT_ONCE):
            last = min(first + SEARCH_AT_ONCE - 1, exists)
            found.update(self._client.search(f"{first}:{last}"))
        return frozenset(found)

    # -- letters ----------------------------------------------------------------------------------

    @_translated()
    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return {UID: bytes}; a letter that the server says nothing of counts as empty."""
        answer = self._client.fetch(uids, ["RFC822.SIZE"])
        return {uid: int(answer.get(uid, {}).get(b"RFC822.SIZE") or 0) for uid in uids}

    @_translated()
    def letters(self, uids: Sequence[int]) -> dict[int, bytes | None]:
        """Fetch letters whole, marking none as read; None for one the server does not give."""
        answer = self._client.fetch(uids, ["BODY.PEEK[]"])
        return {uid: answer.get(uid, {}).get(b"BODY[]") for uid in uids}

    @_translated()
    def pieces(self, uid: int) -> bytes | None:
        """Fetch a very large letter piece by piece, and no more of it than `MOST_BYTES`."""
        pieces: list[bytes] = []
        for start in range(0, MOST_BYTES, PIECE_BYTES):
            answer = self._client.fetch([uid], [f"BODY.PEEK[]<{start}.{PIECE_BYTES}>"])
            piece = answer.get(uid, {}).get(f"BODY[]<{start}>".encode())
            if piece is None and not pieces:
                return None
            pieces.append(piece or b"")
            if len(piece or b"") < PIECE_BYTES:
                break
        return b"".join(pieces)

    # -- news -------------------------------------------------------------------------------------

    @property
    @_translated()
    def can_listen(self) -> bool:
        """Tell whether the server speaks up when a letter comes (RFC 2177)."""
        return bool(self._client.has_capability("IDLE"))

    @_translated()
    def listen(self, seconds: float, bell: socket.socket) -> bool:
        """Listen until the server speaks, the bell rings or time is up; True when a letter came.

        imapclient's own `idle_check` breaks on a line that comes in two pieces
        (mjs/imapclient#464), so the line is only watched, and read once IDLE is over.
        """
        self._client.idle()
        if not self._has_read_ahead():
            await_any([self._client.socket(), bell], seconds)
        _, said = self._client.idle_done()
        return any(len(line) > 1 and line[1] == b"EXISTS" for line in said)

    def _has_read_ahead(self) -> bool:
        """Tell whether the server said more in one breath with its "+", where no poll sees it."""
        line = self._client.socket()
        patience = line.gettimeout()
        line.setblocking(False)
        try:
            return bool(self._client._imap.file.peek(1))  # noqa: SLF001 - nothing else tells
        except ssl.SSLWantReadError:
            return False
        finally:
            line.settimeout(patience)

    # -- what changes the mailbox -----------------------------------------------------------------

    @_translated()
    def can(self, after: str) -> bool:
        """Tell whether the server can move, or delete, the letters meant and no others."""
        if after == "move" and self._client.has_capability("MOVE"):
            return True
        return after == "keep" or bool(self._client.has_capability("UIDPLUS"))

    @_translated()
    def remove(self, name: str, uidvalidity: int, uids: Sequence[int], move_to: str | None) -> bool:
        """Move letters to a folder, or delete them without one; False if the folder is another.

        UIDs that are gone already do no harm.
        """
        if self._view(name, readonly=False).uidvalidity != uidvalidity:
            return False
        try:
            self._remove(uids, move_to)
        except exceptions.IMAPClientAbortError:
            raise
        except exceptions.IMAPClientError as exc:
            raise errors.MailboxError("server-cannot") from exc
        return True

    def _remove(self, uids: Sequence[int], move_to: str | None) -> None:
        if move_to is not None:
            if not self._client.folder_exists(move_to):
                self._client.create_folder(move_to)
            if self._client.has_capability("MOVE"):
                self._client.move(uids, move_to)
                return
            self._client.copy(uids, move_to)
        self._client.add_flags(uids, [imapclient.DELETED], silent=True)
        self._client.uid_expunge(uids)


def await_any(sockets: Sequence[socket.socket], seconds: float) -> None:
    """Wait until one of these can be read, or time is up."""
    waiting = select.poll()
    for one in sockets:
        waiting.register(one.fileno(), select.POLLIN)
    waiting.poll(seconds * 1000)


def _mark(state: dict[bytes, int]) -> tuple[int | None, ...]:
    return tuple(state.get(key) for key in (b"UIDVALIDITY", b"UIDNEXT", b"EXISTS"))


@contextmanager
def connected(imap: config.Imap) -> Iterator[Connection]:
    """Connect and log in; leave politely, or, after a fault, without another word."""
    client = _client(imap)
    try:
        _log_in(client, imap)
        yield Connection(client)
        with suppress(Exception):
            client.logout()
    finally:
        with suppress(Exception):
            client.shutdown()  # a logout that fails leaves the socket open


@_translated()
def _client(imap: config.Imap) -> imapclient.IMAPClient:
    return imapclient.IMAPClient(
        imap.host,
        imap.port,
        ssl=imap.tls == "tls",
        ssl_context=ssl.create_default_context() if imap.tls == "tls" else None,
        timeout=TIMEOUT,
    )


@_translated()
def _log_in(client: imapclient.IMAPClient, imap: config.Imap) -> None:
    if client.welcome.upper().startswith(b"* PREAUTH"):
        # Whoever sits on the line could talk us out of STARTTLS with it.
        raise errors.MailboxError("tls" if imap.tls == "starttls" else "protocol")
    if imap.tls == "starttls":
        try:
            client.starttls(ssl.create_default_context())
        except exceptions.IMAPClientError as exc:
            raise errors.MailboxError("tls") from exc
    if imap.secret is None:
        raise errors.MailboxError("secret")
    try:
        _authenticate(client, imap.user, imap.secret.read())
    except exceptions.LoginError as exc:
        broken = isinstance(exc.__context__, exceptions.IMAPClientAbortError)
        raise errors.MailboxError("unreachable" if broken else "login-refused") from exc


def _authenticate(client: imapclient.IMAPClient, user: str, secret: config.SecretValue) -> None:
    if secret.kind == "token":
        client.oauth2_login(user, secret.value)
    elif user.isascii() and secret.value.isascii():
        client.login(user, secret.value)
    else:
        client.plain_login(user, secret.value)  # LOGIN has no way to say more than ASCII
