"""The command line's end of the control socket, on this machine or through ssh.

Where to look, first wins: --host, --socket and --config (and their environment variables), the
file `~/.config/mailcounsel/client.toml` (keys `host`, `socket`, `as`), the configuration file
that is found by itself.

Paths are texts here: pathlib takes longer to load than the rest of a quick command.
"""

# ruff: noqa: PTH110, PTH111, PTH118, PTH120, PTH123
from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, Protocol

from mailcounsel import errors

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_SECONDS = 120
RELAY = "mailcounsel relay"
OWN_KEYS = {"host", "socket", "as"}

_BY_EXIT_CODE: dict[int, type[errors.MailcounselError]] = {
    3: errors.NotFound,
    4: errors.Conflict,
    69: errors.Unavailable,
    75: errors.TryLater,
    78: errors.Unavailable,
}


class Settings(Protocol):
    """What the options before the command said."""

    config_name: str | None
    socket_name: str | None
    host: str | None
    person: str | None

    @property
    def config_file(self) -> str:
        """Return the configuration file to use."""


class Service:
    """An open conversation with the service."""

    def __init__(
        self, reading: IO[bytes], writing: IO[bytes], person: str | None, host: str | None = None
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._person = person
        self._host = host
        self._numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the service for something and return its result.

        Raises: the error the service answers with; Unavailable when it does not answer.
        """
        if self._person:
            parameters["as"] = self._person
        request = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method}
        try:
            line = json.dumps({**request, "params": parameters}).encode() + b"\n"
            self._writing.write(line)
            self._writing.flush()
            answer = self._reading.readline()
        except BrokenPipeError:
            answer = b""  # the other end was gone before it could be asked
        except OSError as fault:
            message = "The service stopped answering. Nothing may have been changed; look again."
            raise errors.Unavailable(message) from fault
        return _result(self._understood(answer))

    def _understood(self, answer: bytes) -> dict[str, Any]:
        """Return the service's answer. Raises: Unavailable when it is none."""
        if not answer and self._host:
            message = (
                f"The centre's machine does not answer. Try this, which should print nothing and "
                f"wait: ssh {self._host} {RELAY}"
            )
            raise errors.Unavailable(message)
        if not answer:
            message = "The service ended meanwhile. Nothing may have been changed; look again."
            raise errors.Unavailable(message)
        with contextlib.suppress(ValueError):
            understood = json.loads(answer)
            if isinstance(understood, dict):
                return understood
        message = (
            "What answers is not the service: something else is printed there, by a login "
            "script perhaps. Ask your admin."
        )
        raise errors.Unavailable(message)


def _result(answer: dict[str, Any]) -> dict[str, Any]:
    error = answer.get("error")
    if error:
        code = error.get("data", {}).get("exit_code", 1)
        raise _BY_EXIT_CODE.get(code, errors.Refused)(error["message"])
    result: dict[str, Any] = answer["result"]
    return result


@contextlib.contextmanager
def connect(settings: Settings) -> Iterator[Service]:
    """Open a conversation with the service, here or on the centre's machine.

    Raises: Unavailable when nobody answers, with what to do.
    """
    own = own_settings()
    person = settings.person or own.get("as")
    named = settings.host or settings.socket_name or settings.config_name
    host = settings.host if named else own.get("host")
    if host:
        with _through_ssh(host) as (reading, writing):
            yield Service(reading, writing, person, host)
        return
    with _here(_socket_path(settings, {} if named else own)) as (reading, writing):
        yield Service(reading, writing, person)


def _socket_path(settings: Settings, own: dict[str, str]) -> str:
    if settings.socket_name:
        return settings.socket_name
    return os.path.expanduser(own["socket"]) if "socket" in own else socket_of(settings.config_file)


def config_home() -> str:
    """Return the folder of a person's own settings and reader key."""
    own = os.environ.get("MAILCOUNSEL_HOME")
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return own or os.path.join(base, "mailcounsel")


def own_settings() -> dict[str, str]:
    """Return the person's own settings. Raises: ConfigError for a file that cannot be read."""
    path = os.path.join(config_home(), "client.toml")
    if not os.path.exists(path):
        return {}
    try:
        found = _toml(path)
    except (OSError, ValueError) as fault:
        problem = errors.Problem(path, "", "this file cannot be read as TOML")
        raise errors.ConfigError([problem]) from fault
    problems = [
        errors.Problem(path, key, _OWN_PROBLEM)
        for key in sorted(found)
        if key not in OWN_KEYS or not isinstance(found[key], str)
    ]
    if problems:
        raise errors.ConfigError(problems)
    return found


_OWN_PROBLEM = 'only host, socket and as stand here, each a text such as host = "sari@centre"'


def _toml(path: str) -> dict[str, Any]:
    import tomllib

    with open(path, "rb") as file:
        return tomllib.load(file)


def socket_of(config_file: str | Path) -> str:
    """Return the socket a configuration names, without loading all of it."""
    try:
        centre = dict(_toml(str(config_file)).get("centre", {}))
    except (OSError, ValueError, TypeError) as fault:
        raise errors.Unavailable(_why_not(str(config_file), fault)) from fault
    folder = os.path.dirname(config_file)
    state = os.path.join(folder, str(centre.get("state_dir", "state")))
    named = os.path.join(folder, str(centre["socket"])) if "socket" in centre else ""
    return named or os.path.join(state, "control.sock")


def _why_not(config_path: str, fault: Exception) -> str:
    if isinstance(fault, FileNotFoundError):
        return (
            f"There is no configuration at {config_path}. Name one with --config FILE, "
            "or the centre's machine with --host user@centre."
        )
    if isinstance(fault, PermissionError):
        return f"This account may not read {config_path}. Ask your admin."
    return f"{config_path} cannot be read. Look at it with: mailcounsel config check"


def own_file(name: str, ending: str) -> Path:
    """Return the path of a file in the person's own folder, named after what the service says.

    Raises: Refused for a name that would lead out of the folder.
    """
    if not all(one.isalnum() or one in "-_." for one in name) or not name.strip("."):
        message = "The service names a person or a case that cannot be right. Ask your admin."
        raise errors.Refused(message)
    from pathlib import Path

    return Path(config_home()) / f"{name}{ending}"


@contextlib.contextmanager
def _here(path: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(path)
        except PermissionError as fault:
            message = f"This account may not speak to the service at {path}. Ask your admin."
            raise errors.Unavailable(message) from fault
        except OSError as fault:
            message = (
                f"The service is not running (no answer at {path}). Start it: mailcounsel serve"
            )
            raise errors.Unavailable(message) from fault
        with connection.makefile("rb") as reading, connection.makefile("wb") as writing:
            yield reading, writing


@contextlib.contextmanager
def _through_ssh(host: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Run `ssh HOST mailcounsel relay` and speak through it."""
    import shlex
    import subprocess

    from mailcounsel.cli import interrupts

    if host.startswith("-"):
        message = 'A host cannot begin with a dash. Write it as ssh takes it: "user@centre".'
        raise errors.Refused(message)
    remote = shlex.split(os.environ.get("MAILCOUNSEL_RELAY", RELAY))
    try:
        with interrupts.deaf():
            relay = subprocess.Popen(
                ["ssh", "-T", "--", host, *remote], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
    except OSError as fault:
        message = "ssh is not installed. Install it: sudo apt install openssh-client"
        raise errors.Unavailable(message) from fault
    assert relay.stdin and relay.stdout  # noqa: S101, PT018 - both are pipes
    try:
        yield relay.stdout, relay.stdin
    finally:
        with contextlib.suppress(OSError):
            relay.stdin.close()
        try:
            relay.wait(10)
        except subprocess.TimeoutExpired:
            relay.kill()
            relay.wait()
        relay.stdout.close()
