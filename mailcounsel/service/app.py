"""The service as a whole: the only place where the parts are put together.

    SMTP listener ─┐                                   ┌─ outbox loop ──▶ smarthost
    IMAP watchers ─┴▶ inbox rows ──▶ intake loop ──▶ store ─ check-in loop
                                                       └─ control socket ◀── command line

Only this room, the SMTP listener and the courier know asyncio; the work itself is plain functions
in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from mailcounsel import errors
from mailcounsel.casework import letters
from mailcounsel.casework.office import Office
from mailcounsel.clock import Clock, SystemClock
from mailcounsel.config import Config, Inbox, load
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.intake import inbox, opening, smtp, watcher
from mailcounsel.letter import templates
from mailcounsel.service import loops, schedule, standing, watermark, work
from mailcounsel.service.control import Control
from mailcounsel.service.desk import Desk
from mailcounsel.service.operations import OPERATIONS
from mailcounsel.store import schema
from mailcounsel.store.engine import Store
from mailcounsel.trust import roster

log = logging.getLogger(__name__)

M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3  # of malloc.h
LARGE = 131_072  # bytes: what glibc begins with, and raises by itself unless it is told
TICKS = {  # seconds
    "intake": 5.0,
    "heavy letters": 5.0,
    "outbox": 1.0,
    "checkins": 5.0,
    "errands": 5.0,
    "promises": 60.0,
    "sweep": 60.0,
    "quarantine": 60.0,
    "mailboxes": 60.0,
}
BESIDE = {"intake": "heavy letters"}  # a loop that is woken with another one


def keyring_path(config: Config) -> Path:
    """Return where the service keyring is kept: a file only the service's account may read."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    sealed = Path(credentials) / "keyring" if credentials else None
    return sealed if sealed and sealed.exists() else config.centre.state_dir / "keyring.json"


def open_office(config: Config) -> Office:
    """Load the keys that go with a configuration. Raises: Unavailable when there are none."""
    path = keyring_path(config)
    if not path.exists():
        raise errors.Unavailable(_lost(config, "keyring", path.name))
    return Office(config, ServiceKeyring.load(path))


def has_store(config: Config) -> bool:
    """Tell whether letters may have been kept here; also where that cannot be found out."""
    path = config.store_url.removeprefix("sqlite:///")
    if path != config.store_url and not Path(path).exists():
        return False
    try:
        with contextlib.closing(Store(config.store_url)) as store:
            return store.read(schema.revision) is not None
    except errors.MailcounselError:
        return True


def _lost(config: Config, what: str, files: str) -> str:
    """Say what to do where keys are missing: a new centre makes them, an old one needs its own."""
    state = config.centre.state_dir
    if not has_store(config):
        return f"There is no {what} in {state}. Run `mailcounsel init` first."
    return f"The {what} of this centre is not in {state}: {BRING_BACK.format(files)}."


BRING_BACK = "bring {} back from your copy, as docs/backup.md says, since nothing can replace it"


def gnupg_home(config: Config) -> Path:
    """Return the centre's own gpg home."""
    return config.centre.state_dir / "gnupg"


def open_centre(config: Config) -> Centre:
    """Open the centre's OpenPGP key. Raises: Unavailable when gpg or the key is missing."""
    named = config.centre.state_dir / "centre.fingerprint"
    if not named.exists():
        raise errors.Unavailable(_lost(config, "centre key", f"gnupg and {named.name}"))
    fingerprint = named.read_text(encoding="ascii").strip()
    return Centre(gnupg_home(config), fingerprint, cap=opening.opened_bytes(config))


class Service:
    """A running centre. `start` and `stop` belong to one event loop."""

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        self.config = config
        self.clock: Clock = clock or SystemClock()
        self.listener: smtp.Listener | None = None
        self._watchers: list[watcher.Watcher] = []
        self._bells: dict[str, loops.Bell] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="work")
        self._enrolled: frozenset[str] = frozenset()  # supervisors who can read
        self._stack = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Open the store and the keys, then the doors. Raises: what is missing, in one sentence."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        config = self.config
        config.centre.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        office = open_office(config)
        centre = open_centre(config)
        self._stack.callback(centre.close)
        store = Store(config.store_url)
        self._stack.callback(store.close)
        if store.is_sqlite:
            self._stack.enter_context(_alone(config.centre.state_dir / "lock"))
        schema.upgrade(store)
        if store.is_sqlite:  # a killed process held leases nobody else can be using
            inbox.free_leases(store)
            store.write(lambda c: letters.free_leases(c, self.clock.now()))
        watermark.compare(config, store, self.clock.now())
        self._stack.callback(watermark.note, config, store)
        self.desk = Desk(office, store, self.clock, centre, self.ring)
        self._start_loops()
        self._control = Control(config.centre.socket, self.desk, OPERATIONS)
        await self._control.start()
        self._stack.push_async_callback(self._control.stop)
        self._warn()
        await self._open_doors(office, store)

    def _start_loops(self) -> None:
        loop = asyncio.get_running_loop()
        jobs: dict[str, Callable[[Desk], int]] = {
            "intake": work.place_letters,
            "heavy letters": work.place_heavy_letter,
            "outbox": work.send_letters,
            "checkins": work.ask_checkins,
            "errands": work.run_errands,
            "promises": work.keep_promises,
            "sweep": work.sweep,
            "quarantine": work.tell_of_quarantine,
            "mailboxes": work.tell_of_mailboxes,
        }
        for name, job in jobs.items():
            self._bells[name] = loops.Bell(loop)
            task = loop.create_task(loops.run(name, self._in_thread(job), self._bells[name]))
            self._tasks.append(task)
            self._bells[name].ring()
        ticker = schedule.Schedule(
            {name: (self._bells[name].ring, every) for name, every in TICKS.items()}
        )
        ticker.start(loop)
        self._stack.callback(ticker.stop)

    def _in_thread(self, job: Callable[[Desk], int]) -> loops.Work:
        async def work_once() -> int:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, job, self.desk)

        return work_once

    async def _open_doors(self, office: Office, store: Store) -> None:
        config = self.config
        keyring = office.keyring
        if config.smtp:

            def keep(raw: bytes, envelope: inbox.Envelope) -> Future[inbox.Kept]:
                sighted, now = inbox.handed_over(), self.clock.now()
                future = inbox.keep(store, keyring, raw, envelope, sighted, now)
                future.add_done_callback(lambda _: self.ring("intake"))
                return future

            self.listener = smtp.Listener(
                config.smtp,
                accepts=lambda address: self.config.inbox_for(address) is not None,
                keep=keep,
                limits=config.limits,
                ready=self.is_ready,
            )
            await self.listener.start()
            self._stack.push_async_callback(self.listener.stop)
        for watched in config.inboxes:
            if watched.imap:
                self._watch(watched, keyring, store)

    def _watch(self, watched: Inbox, keyring: ServiceKeyring, store: Store) -> None:
        one = watcher.Watcher(
            watched,
            store=store,
            keyring=keyring,
            clock=self.clock,
            ours=lambda address: self.config.inbox_for(address) is not None,
            size_bytes=self.config.limits.size_bytes,
            kept=lambda: self.ring("intake"),
        )
        one.start()
        self._watchers.append(one)

    def is_ready(self, address: str) -> bool:
        """Tell whether letters to one of our addresses may come in: somebody could read them.

        They open cases in the queue of that inbox, for which its supervisor has to be enrolled.
        """
        config = self.config
        box = config.inbox_for(address)
        if box is None:
            return False
        name = config.default_queue(box).supervisor
        desk = self.desk
        if name not in self._enrolled and not desk.store.read(
            lambda c: roster.not_enrolled(c, desk.office.keyring, [name])
        ):
            self._enrolled |= {name}
        return name in self._enrolled

    def _warn(self) -> None:
        """Say in the log who has to enrol before a queue is open."""
        try:
            missing = standing.not_enrolled(self.desk, self.config)
        except errors.MailcounselError:
            log.error("config: Who is enrolled cannot be told just now. See: mailcounsel doctor")
            return
        for warning in standing.warnings(self.config, missing):
            log.warning("config: %s", warning)

    def reload(self) -> None:
        """Read the configuration again: rules, people, queues, hours, texts. Called in a thread.

        What cannot be used, or would need other doors, changes nothing, and is said in the log.
        """
        try:
            config = load(self.config.path)
        except errors.ConfigError as fault:
            for problem in fault.problems:
                log.error("config: %s", problem)
            log.error("config: The old configuration stays in force.")
            return
        moved = standing.moved(self.config, config)
        if moved:
            log.error("config: A restart is needed to change %s. The old one stays.", listed(moved))
            return
        templates.forget()
        self.config = config
        self._enrolled = frozenset()
        self.desk = replace(self.desk, office=replace(self.desk.office, config=config))
        self._control.use(self.desk)
        count = len(config.rules)
        rules = "1 rule" if count == 1 else f"{count} rules"
        log.info("config: The configuration was read again; %s.", rules)
        self._warn()

    def ring(self, name: str) -> None:
        """Wake a loop by name, and the one beside it. May be called from any thread."""
        for one in (name, BESIDE.get(name)):
            if one in self._bells:
                self._bells[one].ring()

    async def stop(self) -> None:
        """Close the doors, finish what is being written, and let go of everything. Idempotent."""
        for one in self._watchers:
            await asyncio.to_thread(one.stop)
        self._watchers.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._pool.shutdown(wait=True)
        await self._stack.aclose()


def listed(names: Sequence[str]) -> str:
    """Return names as a person lists them."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock that keeps a second service from one SQLite store."""
    with path.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            message = "Another mailcounsel service is using this store."
            raise errors.Unavailable(message) from fault
        yield


def _spare_memory() -> None:
    """Have the C library keep two heaps for all threads, and give large blocks back (mallopt(3)).

    A letter of a megabyte is a dozen copies on its way. Each then goes back to the system at once,
    with its words, instead of staying in a heap. Elsewhere than in glibc nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


async def run(config: Config, started: Callable[[Service], None] | None = None) -> None:
    """Run the centre until it is told to stop (SIGTERM or SIGINT); SIGHUP has it read again."""
    _spare_memory()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    service = Service(config)
    await service.start()
    loop.add_signal_handler(signal.SIGHUP, loop.run_in_executor, None, service.reload)
    try:
        if started:
            started(service)
        await stopped.wait()
    finally:
        await service.stop()
