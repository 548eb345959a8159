"""What every test stands on: no network, no one's own settings, and real servers to ask for."""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import mailcounsel
from servers import dovecot as dovecot_server
from servers import postfix as postfix_server
from servers import postgres as postgres_server
from servers import sink as sink_server
from servers import tools

ROOT = Path(__file__).resolve().parent.parent

# -- nobody's own settings ----------------------------------------------------------------------
KEPT = {"MAILCOUNSEL_CORPORA", "MAILCOUNSEL_TEST_INSTALLED"}
DROPPED_PREFIXES = ("MAILCOUNSEL_", "PG", "XDG_", "SSL_CERT_", "LC_", "DBUS_")
DROPPED = {
    *("EDITOR", "VISUAL", "PAGER", "LESS", "BROWSER", "TERM", "COLUMNS", "LINES"),
    *("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "LANGUAGE", "TZ"),
    *("GNUPGHOME", "GPG_TTY", "GPG_AGENT_INFO", "SSH_AUTH_SOCK", "DISPLAY", "WAYLAND_DISPLAY"),
    *("CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "LISTEN_FDS", "NOTMUCH_CONFIG"),
    *("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS"),
}


def forget_settings() -> None:
    for name in list(os.environ):
        own = name.startswith(DROPPED_PREFIXES) and name not in KEPT
        if own or name in DROPPED:
            del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"


def forget_ignored_signals() -> None:
    """Undo what a run in the background inherits: no program would hear Ctrl-C or a hang-up."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


# -- no network ---------------------------------------------------------------------------------
REACHING_OUT = {
    "socket.connect": lambda args: args[1],
    "socket.sendto": lambda args: args[1],
    "socket.sendmsg": lambda args: args[1],
    "socket.getaddrinfo": lambda args: args,
    "socket.gethostbyname": lambda args: args,
}


OWN_NAME = socket.gethostname()  # which smtplib looks up before it greets anyone


class NetworkBlocked(BaseException):
    """A test reached for the network. Not an Exception, so that no loop takes it for bad luck."""


def _is_near(place: object) -> bool:
    if not isinstance(place, tuple) or not place[0]:
        return True  # a Unix socket, an address already connected to, or any of our own
    host = place[0].decode() if isinstance(place[0], bytes) else str(place[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in {"localhost", OWN_NAME}
    return address.is_loopback or address.is_unspecified


def _stay_home(event: str, args: tuple[object, ...]) -> None:
    where = REACHING_OUT.get(event)
    if where is not None and not _is_near(where(args)):
        raise NetworkBlocked(f"{event} beyond loopback")


# -- the run as a whole -------------------------------------------------------------------------
HOME = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the process once, before anything is collected."""
    forget_settings()
    forget_ignored_signals()
    config.stash[HOME] = os.environ["HOME"] = tempfile.mkdtemp(prefix="home-", dir="/tmp")
    sys.addaudithook(_stay_home)
    found = Path(mailcounsel.__file__).resolve()
    if os.environ.get("MAILCOUNSEL_TEST_INSTALLED") and (ROOT / "mailcounsel") in found.parents:
        raise pytest.UsageError(f"the built wheel was to be tested, but {found} was found first")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no home behind."""
    if HOME in config.stash:
        shutil.rmtree(config.stash[HOME], ignore_errors=True)


# -- fixtures -----------------------------------------------------------------------------------
@pytest.fixture
def need():
    """`need("strace")`: its path, or a skip with the reason (a failure with CI=true)."""
    return tools.need


@pytest.fixture
def until():
    """`until(claim, "what")`: poll with patience, fail naming what never came."""
    return tools.until


@pytest.fixture
def short_tmp():
    """A short private directory, so that gpg's sockets fit; its gpg agents end with the test."""
    path = Path(tempfile.mkdtemp(prefix="mc-", dir="/tmp"))
    yield path
    end_agents(path)
    shutil.rmtree(path, ignore_errors=True)


def end_agents(path: Path) -> None:
    homes = {found.parent for name in GPG_FILES for found in path.rglob(name)}
    for home in sorted(homes):
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


GPG_FILES = ("pubring.kbx", "private-keys-v1.d", "S.gpg-agent")


@pytest.fixture(scope="session")
def postgres():
    """A private PostgreSQL server."""
    server = postgres_server.start()
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres):
    """The address of an empty PostgreSQL database, dropped afterwards."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def dovecot():
    """A private Dovecot; each test takes users of its own."""
    server = dovecot_server.start()
    yield server
    server.stop()


@pytest.fixture
def sink():
    """A mail server that keeps what it is given."""
    server = sink_server.start()
    yield server
    server.stop()


@pytest.fixture
def start_postfix():
    """`start_postfix(relay_port, rewrite_from=…, rewrite_message_id=…)`, stopped afterwards."""
    servers = []

    def start(relay_port, **options):
        servers.append(postfix_server.start(relay_port, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
