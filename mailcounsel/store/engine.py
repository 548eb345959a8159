"""The store: one door for reading and writing, the same on SQLite and on PostgreSQL.

A *job* is a plain function that takes a SQLAlchemy connection and returns a value. `write` runs it
in a transaction and returns once that is durable; `read` runs it without the right to write.

On SQLite there is one writer thread. It takes every job that waits, runs each in its own SAVEPOINT,
and commits them together, so that letters which arrive at the same moment share one sync of the
disk; a job that fails takes only itself back. On PostgreSQL every job has its own transaction.
"""

from __future__ import annotations

import errno
import os
import queue
import sqlite3
import stat
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import make_url

from mailcounsel import errors

T = TypeVar("T")
Job = Callable[[Connection], T]
Say = Callable[[str], object]  # runs a word of SQL on the connection of a driver

BATCH = 64  # jobs that share one commit at most
POSTGRES_TRIES = 5  # a transaction that met a deadlock is run again


# What SQLite calls a full disk when it opens a WAL: https://www.sqlite.org/rescode.html
_NO_ROOM_FOR_SHM = "SQLITE_IOERR_SHMSIZE"


def translate(fault: Exception) -> errors.MailcounselError:
    """Return our error for one of the database library's, which stays its cause."""
    found = _ours(fault)
    found.__cause__ = fault
    return found


def _ours(fault: Exception) -> errors.MailcounselError:
    text = str(getattr(fault, "orig", fault)).lower()
    if "disk is full" in text or "no space left" in text or "disk full" in text:
        return errors.DiskFull()
    if isinstance(fault, OSError) and fault.errno == errno.ENOSPC:
        return errors.DiskFull()
    if getattr(getattr(fault, "orig", None), "sqlite_errorname", "") == _NO_ROOM_FOR_SHM:
        return errors.DiskFull()
    if isinstance(fault, exc.IntegrityError):
        return errors.Conflict()
    if "not a database" in text or "malformed" in text:
        return errors.Unavailable("The store is damaged. Keep it as it is, and restore a backup.")
    if isinstance(fault, exc.DataError):
        return errors.Refused("The store cannot keep a value of this kind.")
    return errors.StoreUnavailable()


def is_foreign(fault: BaseException) -> bool:
    """Tell whether an error came from the database rather than from the job itself."""
    return isinstance(fault, exc.SQLAlchemyError | sqlite3.Error)


class _Task(Generic[T]):
    """A job and the future its result is given to."""

    def __init__(self, job: Job[T]) -> None:
        self.job = job
        self.future: Future[T] = Future()
        self.result: T | None = None
        self.fault: BaseException | None = None

    def begin(self) -> bool:
        """Tell whether anybody still waits for this; from now on nobody can give it up."""
        return self.future.set_running_or_notify_cancel()

    def run(self, connection: Connection, say: Say) -> None:
        say("SAVEPOINT job")
        try:
            self.result = self.job(connection)
        except BaseException as fault:  # noqa: BLE001 - given to whoever waits for this job
            self.fault = fault
            _take_back(say, fault)
        say("RELEASE job")

    def settle(self, broken: BaseException | None = None) -> None:
        fault = broken or self.fault
        if fault is None:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # T may be None itself
        elif isinstance(fault, Exception) and is_foreign(fault):
            self.future.set_exception(translate(fault))
        else:
            self.future.set_exception(fault)


class _Writer:
    """The one thread that writes to SQLite."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tasks: queue.SimpleQueue[_Task[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> Future[T]:
        task = _Task(job)
        self._tasks.put(task)
        return task.future

    def close(self) -> None:
        self._tasks.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            batch, last = self._gather(task)
            # A job that was given up (its SMTP client hung up) must not end the writer.
            self._commit([task for task in batch if task.begin()])
            if last:
                return

    def _gather(self, first: _Task[Any]) -> tuple[list[_Task[Any]], bool]:
        batch = [first]
        while len(batch) < BATCH:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                break
            if task is None:
                return batch, True
            batch.append(task)
        return batch, False

    def _commit(self, batch: list[_Task[Any]]) -> None:
        broken: BaseException | None = None
        try:
            with self._engine.connect() as connection:
                say = _words_of(connection)
                say("BEGIN IMMEDIATE")
                try:
                    for task in batch:
                        task.run(connection, say)
                    say("COMMIT")
                except BaseException:
                    _roll_back(connection)
                    raise
        except BaseException as fault:  # noqa: BLE001 - given to everyone whose job was in the batch
            broken = fault
        for task in batch:
            task.settle(broken)


def _words_of(connection: Connection) -> Say:
    """Return the driver's own way to say BEGIN or COMMIT; the library takes ten times as long."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise errors.StoreUnavailable
    say: Say = driver.execute
    return say


def _take_back(say: Say, fault: BaseException) -> None:
    """Undo one job. On a full disk SQLite has undone the whole batch already: then raise that."""
    try:
        say("ROLLBACK TO job")
    except sqlite3.Error:
        raise fault from None


def _roll_back(connection: Connection) -> None:
    """Leave no transaction open. SQLite may have rolled back by itself already."""
    try:
        connection.exec_driver_sql("ROLLBACK")
    except exc.SQLAlchemyError:
        connection.invalidate()


class Store:
    """Everything that is kept. Safe to use from any thread."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._writer: _Writer | None = None
        if self.is_sqlite:
            self.engine, self._readers = _sqlite_engines(url)
            self._writer = _Writer(self.engine)
        else:
            self.engine = _postgresql_engine(url)
            self._readers = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    def write(self, job: Job[T]) -> T:
        """Run a job in a transaction and return its result once that is durable.

        Raises: DiskFull, StoreUnavailable, Conflict (a uniqueness rule), or what the job raises;
        in each case nothing of the job remains.
        """
        return self.submit(job).result()

    def submit(self, job: Job[T]) -> Future[T]:
        """Start a job as `write` does and return the future of its result.

        On PostgreSQL the job runs in the calling thread, before this returns.
        """
        if self._writer:
            return self._writer.submit(job)
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(self._write_postgresql(job))
        except Exception as fault:  # noqa: BLE001 - belongs to whoever asks the future
            future.set_exception(translate(fault) if is_foreign(fault) else fault)
        return future

    def read(self, job: Job[T]) -> T:
        """Run a job that only reads, on one state of the store, and return its result.

        Raises: StoreUnavailable, also for a job that tries to write.
        """
        try:
            with self._readers.connect() as connection:
                if not self.is_sqlite:
                    return job(connection)
                say = _words_of(connection)
                say("BEGIN")  # one look, whatever is written meanwhile
                try:
                    return job(connection)
                finally:
                    say("ROLLBACK")
        except (exc.SQLAlchemyError, sqlite3.Error) as fault:
            raise translate(fault) from fault

    def empty_journal(self) -> bool:
        """Bring SQLite's journal into the database and cut it to nothing, so that erased bytes go.

        False when somebody was reading for so long that it could not be done; then call it again.
        PostgreSQL keeps its own journal, which is none of ours: True.
        """
        if not self.is_sqlite:
            return True
        try:
            with self.engine.connect() as connection:
                answer = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        except (exc.SQLAlchemyError, sqlite3.Error) as fault:
            raise translate(fault) from fault
        return bool(answer[0] == 0)  # https://www.sqlite.org/pragma.html#pragma_wal_checkpoint

    def close(self) -> None:
        """Finish what waits and let go of the database. The store cannot be used afterwards."""
        if self._writer:
            self._writer.close()
        self.engine.dispose()
        self._readers.dispose()

    def _write_postgresql(self, job: Job[T]) -> T:
        for attempt in range(1, POSTGRES_TRIES + 1):
            try:
                with self.engine.begin() as connection:
                    return job(connection)
            except exc.OperationalError as fault:
                state = getattr(fault.orig, "sqlstate", "") or ""
                if attempt == POSTGRES_TRIES or state not in {"40001", "40P01"}:
                    raise
        raise errors.StoreUnavailable


def _sqlite_engines(url: str) -> tuple[Engine, Engine]:
    """Return the engine that writes and the engine that only reads."""
    path = make_url(url).database
    if path:
        _make_private(Path(path))
    usual: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True}
    # Both of us end a transaction before a connection goes back, so the pool need not.
    usual |= {"pool_reset_on_return": None}
    writer = create_engine(url, pool_size=1, max_overflow=1, **usual)
    readers = create_engine(url, pool_size=4, max_overflow=12, **usual)
    event.listen(writer, "connect", _writer_pragmas)
    event.listen(readers, "connect", _reader_pragmas)
    return writer, readers


def _make_private(path: Path) -> None:
    """Create the database file readable by its owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR))
        except OSError as fault:
            raise translate(fault) from fault


def _writer_pragmas(raw: Any, record: Any) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "busy_timeout=5000",
        "temp_store=MEMORY",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _reader_pragmas(raw: Any, record: Any) -> None:
    for pragma in ("busy_timeout=5000", "query_only=ON", "trusted_schema=OFF", "temp_store=MEMORY"):
        raw.execute(f"PRAGMA {pragma}")


def _postgresql_engine(url: str) -> Engine:
    return create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True)
