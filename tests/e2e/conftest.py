"""What the tests of the whole program share."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

from e2e.clients import Client, LockedClient
from e2e.example_centre import ExampleCentre

# Fixtures of the tests of endurance; a conftest is where pytest finds them.
from e2e.houses import acquainted, enrolled, mailserver, short_base, warm  # noqa: F401
from parts.gpg_homes import stop_agents
from servers import tools


@pytest.fixture
def world(sink):
    """Everybody who is not the centre: what leaves the smarthost arrives here."""
    return sink


@pytest.fixture
def mailbox():
    """The name of a mailbox nobody has used."""
    return f"{uuid4().hex[:8]}@example.org"


@pytest.fixture
def client(request):
    """An address nobody has written from."""
    words = re.findall(r"[a-z0-9]+", request.node.name.removeprefix("test_"))
    return f"{'-'.join(words)[:50].strip('-')}@mail.test"


@pytest.fixture
def make_centre(short_tmp, dovecot, world, start_postfix, mailbox):
    """`make_centre(**how_the_smarthost_rewrites)`: a centre by the example; ended afterwards."""
    made = []

    def make(**rewriting):
        folder = short_tmp / "c"
        folder.mkdir(mode=0o700)
        centre = ExampleCentre(
            folder,
            smarthost=start_postfix(world.port, **rewriting).port,
            imap=(dovecot.tls_port, mailbox),
            ca_file=dovecot.ca_file,
        )
        made.append(centre)
        return centre

    yield make
    for centre in made:
        centre.stop()


@pytest.fixture(scope="session")
def furnished(dovecot):
    """A centre that was set up, whose supervisor is enrolled, and which does not run."""
    folder = Path(tempfile.mkdtemp(prefix="mc-", dir="/tmp"))
    port = tools.free_port()  # where nobody listens
    user = "furnished@example.org"
    centre = ExampleCentre(
        folder, smarthost=port, imap=(dovecot.tls_port, user), ca_file=dovecot.ca_file
    )
    try:
        centre.open().stop()
        yield centre
    finally:
        centre.stop()
        stop_agents(folder)
        shutil.rmtree(folder)


@pytest.fixture
def dewi(short_tmp):
    """A client whose mail program locks letters."""
    return LockedClient(short_tmp / "d", f"dewi.{uuid4().hex[:6]}@mail.test", "Dewi Contoh")


@pytest.fixture
def budi(short_tmp):
    """A client with ordinary mail."""
    return Client(short_tmp / "b", f"budi.{uuid4().hex[:6]}@mail.test", "Budi Contoh")
