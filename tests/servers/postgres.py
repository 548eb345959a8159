"""A private PostgreSQL on a Unix socket, and an empty database for each test that asks."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

from servers import tools

OWNER = "centre"


@dataclass(frozen=True)
class Postgres:
    """A running server; `fsync` is on, as promise 1 needs it, on a disk that makes it cheap."""

    directory: Path
    process: subprocess.Popen[bytes]
    numbers: Iterator[int]

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of a database."""
        return f"postgresql+psycopg://{OWNER}@/{database}?host={self.directory}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside any transaction."""
        address = f"host={self.directory} user={OWNER} dbname={database}"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, template: str = "template0") -> str:
        """Create a database, as a copy of another when one is named, and return its name."""
        name = f"t{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return name

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def stop(self) -> None:
        """End the server without waiting for its clients, and remove its files."""
        tools.stop(self.process, signal.SIGINT)
        shutil.rmtree(self.directory)


def start() -> Postgres:
    """Start a server on no port at all: its Unix socket is its directory."""
    initdb, postgres = tools.need("initdb"), tools.need("postgres")
    user = tools.unprivileged()
    directory = tools.private_dir("pg", user.pw_name, below=tools.memory_disk())
    data, log = directory / "data", directory / "log"
    making = tools.start(
        [initdb, "-D", str(data), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
        log,
        user.pw_name,
    )
    if making.wait(tools.PATIENCE):
        tools.alive_or_log(making, log)
    process = tools.start(
        [
            *(postgres, "-D", str(data), "-k", str(directory)),
            *("-c", "listen_addresses=", "-c", "fsync=on", "-c", "synchronous_commit=on"),
            *("-c", "max_connections=60", "-c", "shared_buffers=32MB"),
        ],
        log,
        user.pw_name,
    )
    server = Postgres(directory, process, count(1))
    tools.until(lambda: _ready(server, log), "PostgreSQL")
    return server


def _ready(server: Postgres, log: Path) -> bool:
    tools.alive_or_log(server.process, log)
    try:
        server.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
