"""Find letters in mailboxes: one thread a mailbox.

A *look* compares the UIDs of a folder with the ledger and keeps what is missing. It takes no
notice of flags, so that letters read on a telephone are found too, and it marks none. IDLE only
wakes the watcher early: nothing is learnt from it, and any fault at all means a new connection
and a new look. The mailbox is touched last, where the configuration says so, and only for letters
that are safe in their last state.

A UID counts within one UIDVALIDITY; when the server renumbers a folder every letter is looked at
again, and what is in the ledger already is known by its content.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from mailcounsel import config, errors
from mailcounsel.clock import Clock
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.intake import imap, inbox, ledger, slices
from mailcounsel.intake.ledger import Folder
from mailcounsel.store.engine import Store

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 15.0  # the lease is renewed in between; servers allow 29 minutes
FIRST_IDLE_SECONDS: Final = 1.0  # catches what the server said before we began to listen
LONGEST_BACK_OFF: Final = 60.0  # seconds
FETCH_BYTES: Final = 4_000_000  # in memory at once, unless one letter alone is larger
FETCH_LETTERS: Final = 50
SIZES_AT_ONCE: Final = 500
HEAD_BYTES: Final = 256 * 1024  # of a letter that are searched for its recipient
TIDY_LETTERS: Final = 200
TRIES: Final = 3  # of a letter that cannot be fetched, until it has to wait
AGAIN_SECONDS: Final = 3600.0  # until such a letter is tried again


class Watcher:
    """Look after one inbox's mailbox, in a thread of its own.

    `ours` tells our own addresses; `kept` is called, in that thread, when there are new letters;
    letters beyond `size_bytes` go to quarantine.
    """

    def __init__(
        self,
        watched: config.Inbox,
        *,
        store: Store,
        keyring: ServiceKeyring,
        clock: Clock,
        ours: Callable[[str], bool],
        size_bytes: int,
        kept: Callable[[], None] = lambda: None,
    ) -> None:
        self._watched = watched
        self._imap = _imap(watched)
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._ours = ours
        self._size_bytes = size_bytes
        self._kept = kept
        self._account = ledger.account_of(keyring, self._imap.user, self._imap.host)
        self._worker = secrets.token_hex(4)
        self._fence = 0
        self._failures = 0
        self._problem = ""
        self._seen: dict[Folder, set[int]] = {}
        self._mark: tuple[int | None, ...] = ()
        self._bad = Bad()
        self._stopping = threading.Event()
        self._bell, self._ring = socket.socketpair()
        self._thread = threading.Thread(target=self.run, name="imap", daemon=True)

    # -- the thread -------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """End, once what is being kept is kept, and let go of the account. Idempotent."""
        self._stopping.set()
        with suppress(OSError):
            self._ring.send(b"!")
        if self._thread.ident is None:
            self._close()
        else:
            self._thread.join(timeout_seconds)

    def run(self) -> None:
        """Look after the mailbox until `stop`, whatever happens."""
        while not self._stopping.is_set():
            try:
                self._visit()
            except Exception as fault:  # noqa: BLE001 - one supervisor: note, back off, go on
                self._sleep(self._after(fault))
        with suppress(errors.MailcounselError):
            ledger.release(self._store, self._account, self._fence)
        self._close()

    def _close(self) -> None:
        self._bell.close()
        self._ring.close()

    def _after(self, fault: Exception) -> float:
        """Note a fault, and return how many seconds to wait."""
        code = _code_of(fault)
        self._failures += 1
        wait = min(2.0 ** min(self._failures - 1, 10), LONGEST_BACK_OFF)
        if code == "login-refused":
            wait = LONGEST_BACK_OFF  # providers lock accounts that try too often
        log.warning("mailbox %s: %s; next try in %.0f s", self._account[:8], code, wait)
        with suppress(errors.MailcounselError):
            ledger.renew(self._store, self._account, self._fence, problem=code)
        return wait

    def _sleep(self, seconds: float) -> None:
        """Wait, but no longer than until `stop` rings."""
        imap.await_any([self._bell], seconds)

    # -- one connection ---------------------------------------------------------------------------

    def _visit(self) -> None:
        fence = ledger.hold(self._store, self._account, self._worker)
        if fence is None:
            self._sleep(ledger.LEASE_SECONDS / 4)  # another process looks after it
            return
        self._fence = fence
        self._seen = {}
        with imap.connected(self._imap) as connection:
            while not self._stopping.is_set() and self._look(connection):
                self._wait(connection)

    def _look(self, connection: imap.Connection) -> bool:
        """Keep what is new, touch the mailbox last, and tell whether it is still ours to watch."""
        self._problem = ""
        folders = [self._look_into(connection, name) for name in _folders(connection, self._imap)]
        for folder in folders:
            self._tidy(connection, folder)
        self._failures = 0
        return ledger.renew(
            self._store,
            self._account,
            self._fence,
            looked_at=self._clock.now(),
            problem=self._problem,
        )

    def _wait(self, connection: imap.Connection) -> None:
        """Return when there may be something new, or after `poll_seconds`."""
        if connection.mark(self._imap.folder) != self._mark:
            return
        deadline = time.monotonic() + self._imap.poll_seconds
        longest = FIRST_IDLE_SECONDS
        while not self._stopping.is_set() and (left := deadline - time.monotonic()) > 0:
            if self._is_woken(connection, min(longest, left)):
                return
            longest = IDLE_SECONDS
            if not ledger.renew(self._store, self._account, self._fence):
                return

    def _is_woken(self, connection: imap.Connection, seconds: float) -> bool:
        if connection.can_listen:
            return connection.listen(seconds, self._bell)
        self._sleep(seconds)
        return False

    # -- one look ---------------------------------------------------------------------------------

    def _look_into(self, connection: imap.Connection, name: str) -> Folder:
        view = connection.view(name)
        if name == self._imap.folder:
            self._mark = view.mark
        folder = Folder(self._account, name, view.uidvalidity)
        if folder not in self._seen:
            self._seen[folder] = ledger.seen(self._store, folder)
        if view.counts_anew(self._seen[folder]):
            log.warning("mailbox %s: restored, all of it is looked at again", self._account[:8])
            ledger.set_apart(self._store, folder, self._clock.now())
            self._seen[folder] = set()
        missing = sorted(view.uids - self._seen[folder])
        easy, hard, waiting = self._bad.sorted(folder, missing, time.monotonic())
        if waiting:
            self._problem = "letter-unreadable"
        for sizes in _fetches(connection, easy, hard):
            if self._stopping.is_set():
                break
            self._take(connection, folder, sizes)
        return folder

    def _take(self, connection: imap.Connection, folder: Folder, sizes: dict[int, int]) -> None:
        """Fetch letters and keep them. What cannot be fetched is counted, and stops no other."""
        try:
            letters = self._fetch(connection, sizes)
        except errors.MailboxError:
            self._bad.count(folder, sizes, time.monotonic())
            raise
        found = {uid: raw for uid, raw in letters.items() if raw is not None}
        self._bad.count(folder, letters.keys() - found.keys(), time.monotonic())
        writing = {uid: self._keep(folder, uid, raw) for uid, raw in found.items()}
        kept = {uid: future.result() for uid, future in writing.items()}
        self._seen[folder].update(kept)
        self._bad.forget(folder, kept)
        if any(one.is_new for one in kept.values()):
            self._kept()

    def _fetch(self, connection: imap.Connection, sizes: dict[int, int]) -> dict[int, bytes | None]:
        """Return the letters in the order of their UIDs."""
        large = [uid for uid, size in sizes.items() if size > self._size_bytes]
        letters = connection.letters([uid for uid in sizes if uid not in large])
        letters |= {uid: connection.pieces(uid) for uid in large}
        return {uid: letters[uid] for uid in sizes}

    def _keep(self, folder: Folder, uid: int, raw: bytes) -> Future[inbox.Kept]:
        head, _ = slices.halves(raw[:HEAD_BYTES])
        envelope = inbox.Envelope(
            way="imap",
            mail_from=slices.return_path(head),
            recipients=slices.recipients(
                head, self._watched.recipient_header, self._ours, self._watched.address
            ),
            suspect=folder.name != self._imap.folder,
        )
        return inbox.keep(
            self._store,
            self._keyring,
            raw,
            envelope,
            inbox.Sighted(folder.account, folder.name, folder.uidvalidity, str(uid)),
            self._clock.now(),
            too_large=len(raw) > self._size_bytes,
        )

    # -- the mailbox, last ------------------------------------------------------------------------

    def _tidy(self, connection: imap.Connection, folder: Folder) -> None:
        """Move or delete what is safe with us and old enough, where the server can do it safely."""
        after = self._watched.after
        if after == "keep":
            return
        before = self._clock.now() - timedelta(days=self._watched.after_days)
        uids = ledger.ripe(self._store, folder, before, TIDY_LETTERS)
        if not uids:
            return
        if not connection.can(after):
            self._problem = "server-cannot"
            return
        move_to = self._watched.move_to if after == "move" else None
        try:
            is_done = connection.remove(folder.name, folder.uidvalidity, uids, move_to)
        except errors.MailboxError as fault:
            if str(fault) != "server-cannot":
                raise
            self._problem = "server-cannot"  # it said no; letters keep coming all the same
            return
        if is_done:
            ledger.note(self._store, folder, uids, "moved" if move_to else "deleted")


@dataclass(slots=True)
class Bad:
    """Letters that could not be fetched: how often, and when last (seconds, monotonic)."""

    tries: dict[tuple[Folder, int], tuple[int, float]] = field(default_factory=dict)

    def count(self, folder: Folder, uids: Iterable[int], now: float) -> None:
        """Count a failure for each."""
        for uid in uids:
            times, _ = self.tries.get((folder, uid), (0, now))
            self.tries[folder, uid] = (times + 1, now)

    def forget(self, folder: Folder, uids: Iterable[int]) -> None:
        """Forget those that were fetched after all."""
        for uid in uids:
            self.tries.pop((folder, uid), None)

    def sorted(
        self, folder: Folder, uids: Sequence[int], now: float
    ) -> tuple[list[int], list[int], list[int]]:
        """Return those that never failed, those to be tried once more, and those that wait.

        Among the second, what failed least comes first: one that breaks the line each time must
        not keep the rest from their turn.
        """
        lots: tuple[list[int], list[int], list[int]] = ([], [], [])
        for uid in uids:
            times, last = self.tries.get((folder, uid), (0, now))
            is_waiting = times >= TRIES and now - last < AGAIN_SECONDS
            lots[2 if is_waiting else min(times, 1)].append(uid)
        lots[1].sort(key=lambda uid: self.tries[folder, uid])
        return lots


def _fetches(
    connection: imap.Connection, easy: Sequence[int], hard: Sequence[int]
) -> Iterator[dict[int, int]]:
    """Yield {UID: size} to fetch together: what failed before comes alone, and last."""
    for start in range(0, len(easy), SIZES_AT_ONCE):
        yield from portions(connection.sizes(easy[start : start + SIZES_AT_ONCE]))
    for uid in hard:
        yield connection.sizes([uid])


def portions(sizes: dict[int, int]) -> Iterator[dict[int, int]]:
    """Yield the same, in the same order, in portions small enough to be held in memory."""
    portion: dict[int, int] = {}
    for uid, size in sizes.items():
        full = len(portion) >= FETCH_LETTERS or sum(portion.values()) + size > FETCH_BYTES
        if portion and full:
            yield portion
            portion = {}
        portion[uid] = size
    if portion:
        yield portion


def _code_of(fault: Exception) -> str:
    if isinstance(fault, errors.MailboxError):
        return str(fault)
    return "store" if isinstance(fault, errors.TryLater) else type(fault).__name__


def _imap(watched: config.Inbox) -> config.Imap:
    if watched.imap is None:
        raise errors.Refused("This inbox has no mailbox to read.")
    return watched.imap


def _folders(connection: imap.Connection, settings: config.Imap) -> list[str]:
    """Return the folders to read; the main one last, since IDLE listens to it."""
    junk = settings.junk_folder
    return [*([junk] if junk and connection.has_folder(junk) else []), settings.folder]


# -- for a person's eyes --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A folder beside the ledger: how many letters it has, and how many were never kept."""

    folder: str
    there: int
    missing: int


def check(watched: config.Inbox) -> list[str]:
    """Connect, log in and look; return what is wrong as codes, none when all is well.

    The codes are those of `imap`, and junk-missing.
    """
    settings = _imap(watched)
    try:
        with imap.connected(settings) as connection:
            junk = settings.junk_folder
            found = {
                "folder-missing": not connection.has_folder(settings.folder),
                "junk-missing": bool(junk) and not connection.has_folder(str(junk)),
                "server-cannot": not connection.can(watched.after),
            }
    except errors.MailboxError as fault:
        return [str(fault)]
    return [code for code, holds in found.items() if holds]


def compare(watched: config.Inbox, store: Store, keyring: ServiceKeyring) -> list[Compared]:
    """Compare a mailbox, Junk included, with the ledger. Raises: MailboxError, with a code."""
    settings = _imap(watched)
    account = ledger.account_of(keyring, settings.user, settings.host)
    found = []
    with imap.connected(settings) as connection:
        for name in _folders(connection, settings):
            view = connection.view(name)
            seen = ledger.seen(store, Folder(account, name, view.uidvalidity))
            found.append(Compared(name, len(view.uids), len(view.uids - seen)))
    return found
