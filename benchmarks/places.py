"""A centre to measure: configuration, keys and people in a folder on the disk."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mailcounsel import config as configuration
from mailcounsel.casework.office import Office
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.crypto.openpgp import Centre, make_centre
from mailcounsel.crypto.sealing import ReaderKey
from mailcounsel.service import app
from mailcounsel.service.desk import Desk
from mailcounsel.store import schema
from mailcounsel.store.engine import Store
from mailcounsel.trust import roster

CONFIG = """
[centre]
name = "Rumah"
sender_name = "Rumah"
time_zone = "Asia/Jakarta"
languages = ["id", "en"]
authserv_id = "mx.rumah.test"
state_dir = "{state}"
[emergency]
id = "Telepon 112."
en = "Call 112."
[smtp]
port = 0
[smarthost]
host = "127.0.0.1"
port = 2599
tls = "none"
[[inbox]]
address = "halo@rumah.test"
queue = "umum"
[[person]]
name = "wulan"
roles = ["therapist"]
uid = 1001
queues = ["umum"]
[[person]]
name = "sari"
roles = ["supervisor", "admin"]
uid = {uid}
[[queue]]
name = "umum"
supervisor = "sari"
[[rule]]
name = "kerja"
subject_contains = ["kerja"]
tags = ["kerja"]
"""


class Clock:
    """Stands still, so that every run asks for the same work, until it is put ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Return the moment everything happens at."""
        return datetime(2026, 11, 23, 3, 0, tzinfo=UTC) + self.ahead


@dataclass(frozen=True)
class Place:
    """A centre without doors."""

    folder: Path
    desk: Desk
    keys: dict[str, ReaderKey]
    clock: Clock


@contextmanager
def folder() -> Iterator[Path]:
    """Give a fresh folder on the disk (beside the project, not in memory) and remove it."""
    root = Path(__file__).parent.parent / ".bench"
    root.mkdir(exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=root))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def centre(store_url: str | None = None) -> Iterator[Place]:
    """Build a centre with a therapist and a supervisor enrolled, on SQLite unless told."""
    with folder() as path:
        named = path / "config.toml"
        named.write_text(CONFIG.format(state=path / "state", uid=os.getuid()))
        config = configuration.load(named)
        config.centre.state_dir.mkdir(mode=0o700)
        office = Office(config, ServiceKeyring.create(config.centre.state_dir / "keyring.json"))
        home = Path(tempfile.mkdtemp(prefix="mc-", dir="/tmp"))
        gpg = Centre(home, make_centre(home, "Rumah", "halo@rumah.test"))
        store = Store(store_url or config.store_url)
        schema.upgrade(store)
        keys = enrol(store, office, "wulan", "sari")
        try:
            clock = Clock()
            yield Place(path, Desk(office, store, clock, gpg, lambda name: None), keys, clock)
        finally:
            store.close()
            gpg.close()
            shutil.rmtree(home, ignore_errors=True)


def enrol(store: Store, office: Office, *names: str) -> dict[str, ReaderKey]:
    """Write people into the roster, and return their reader keys."""
    now = Clock().now()
    keys = {name: ReaderKey.new() for name in names}
    for name, key in keys.items():
        paper = roster.Enrolment(key.public, key.verify_key, b"", b"", b"")
        code = store.write(
            functools.partial(roster.invite, keyring=office.keyring, name=name, now=now)
        )
        store.write(
            functools.partial(
                roster.enrol, keyring=office.keyring, code=code, enrolment=paper, now=now
            )
        )
    return keys


@contextmanager
def serving() -> Iterator[tuple[Path, Any]]:
    """Prepare a centre a process can serve; give its configuration and a way to run it here."""
    with folder() as path:
        short = Path(tempfile.mkdtemp(prefix="mc-", dir="/tmp"))
        named = path / "config.toml"
        text = CONFIG.format(state=short / "state", uid=os.getuid())
        url = f'[store]\nurl = "sqlite:///{path / "store.db"}"\n'
        named.write_text(text + url)
        config = configuration.load(named)
        config.centre.state_dir.mkdir(mode=0o700)
        office = Office(config, ServiceKeyring.create(config.centre.state_dir / "keyring.json"))
        home = config.centre.state_dir / "gnupg"
        fingerprint = make_centre(home, "Rumah", "halo@rumah.test")
        (config.centre.state_dir / "centre.fingerprint").write_text(fingerprint)
        store = Store(config.store_url)
        schema.upgrade(store)
        enrol(store, office, "wulan", "sari")
        store.close()
        try:
            yield named, lambda: running(config)
        finally:
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
            shutil.rmtree(short, ignore_errors=True)


@contextmanager
def running(config: configuration.Config) -> Iterator[app.Service]:
    """Run a service in a thread of this process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    service = app.Service(config)
    asyncio.run_coroutine_threadsafe(service.start(), loop).result(60)
    try:
        yield service
    finally:
        asyncio.run_coroutine_threadsafe(service.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
