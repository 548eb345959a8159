"""Fixtures: what a centre as a process needs around it, and prepared centres to be copied."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

import conftest as everywhere
from e2e import forked, running


@pytest.fixture(scope="session")
def short_base():
    """A short private directory for what tests share; its gpg agents end with the run."""
    path = Path(tempfile.mkdtemp(prefix="mc-", dir="/tmp"))
    yield path
    everywhere.end_agents(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def warm():
    """A process that forks services."""
    return forked.warm()


@pytest.fixture
def mailserver():
    """A mail server that remembers what it was offered and what it took."""
    server = running.Watched()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def enrolled(short_base, warm):
    """A centre whose people are enrolled; it does not run, and is there to be copied."""
    centre = running.Centre(short_base / "enrolled", 1)
    centre.make_keys()
    centre.start_warm(warm)
    try:
        centre.enrol("wulan", "sari")
        centre.stop()
    finally:
        centre.close()
    return centre


@pytest.fixture(scope="session")
def acquainted(enrolled, short_base, warm):
    """A centre with a client, ani@client.test, who agreed to ordinary mail and has a goal.

    The case is C-0001, and wulan's. It does not run, and is there to be copied.
    """
    server = running.Watched()
    server.start()
    centre = running.Centre(short_base / "acquainted", server.port).copied_from(enrolled)
    try:
        centre.start_warm(warm)
        running.make_acquainted(centre, server)
        centre.stop()
    finally:
        centre.close()
        server.stop()
    return centre
