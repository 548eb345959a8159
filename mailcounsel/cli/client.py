"""The command line's end of the control socket, on this machine or through ssh.

Where to look, first wins: --host or --socket (and their environment variables), the file
`~/.config/mailcounsel/client.toml` (keys `host`, `socket`, `as`), the configuration file.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shlex
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from mailcounsel import errors

TIMEOUT_SECONDS = 120

_BY_EXIT_CODE: dict[int, type[errors.MailcounselError]] = {
    3: errors.NotFound,
    4: errors.Conflict,
    69: errors.Unavailable,
    75: errors.TryLater,
    78: errors.Unavailable,
}


class Settings(Protocol):
    """What the options before the command said."""

    socket: Path | None
    host: str | None
    person: str | None

    @property
    def config_path(self) -> Path:
        """Return the configuration file to use."""


class Service:
    """An open conversation with the service."""

    def __init__(self, reading: IO[bytes], writing: IO[bytes], person: str | None) -> None:
        self._reading = reading
        self._writing = writing
        self._person = person
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
        except OSError as fault:
            message = "The service stopped answering. Nothing may have been changed; look again."
            raise errors.Unavailable(message) from fault
        if not answer:
            message = "The centre's machine does not answer. Is `mailcounsel serve` running there?"
            raise errors.Unavailable(message)
        return _result(json.loads(answer))


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
    host = settings.host or (None if settings.socket else own.get("host"))
    if host:
        with _through_ssh(host) as (reading, writing):
            yield Service(reading, writing, person)
        return
    path = settings.socket or _own_socket(own) or socket_of(settings.config_path)
    with _here(path) as (reading, writing):
        yield Service(reading, writing, person)


def config_home() -> Path:
    """Return the folder of a person's own settings and reader key."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(os.environ.get("MAILCOUNSEL_HOME") or Path(base) / "mailcounsel")


def own_settings() -> dict[str, str]:
    """Return the person's own settings. Raises: ConfigError for a file that cannot be read."""
    path = config_home() / "client.toml"
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        problem = errors.Problem(str(path), "", "this file cannot be read as TOML")
        raise errors.ConfigError([problem]) from fault
    unknown = sorted(set(found) - {"host", "socket", "as"})
    if unknown:
        problems = [
            errors.Problem(str(path), key, "unknown key (host, socket, as)") for key in unknown
        ]
        raise errors.ConfigError(problems)
    return {key: str(value) for key, value in found.items()}


def _own_socket(own: dict[str, str]) -> Path | None:
    return Path(own["socket"]).expanduser() if "socket" in own else None


def socket_of(config_path: Path) -> Path:
    """Return the socket a configuration names, without loading all of it."""
    try:
        centre = tomllib.loads(config_path.read_text(encoding="utf-8")).get("centre", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        message = (
            f"There is no configuration at {config_path}. Name one with --config FILE, "
            "or the centre's machine with --host user@centre."
        )
        raise errors.Unavailable(message) from fault
    state = config_path.parent / centre.get("state_dir", "state")
    return (
        Path(config_path.parent / centre["socket"])
        if "socket" in centre
        else state / "control.sock"
    )


@contextlib.contextmanager
def _here(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(str(path))
        except PermissionError as fault:
            message = f"This account may not speak to the service at {path}. Ask your admin."
            raise errors.Unavailable(message) from fault
        except OSError as fault:
            message = (
                f"The service is not running (no answer at {path}). Start it: mailcounsel serve."
            )
            raise errors.Unavailable(message) from fault
        with connection.makefile("rb") as reading, connection.makefile("wb") as writing:
            yield reading, writing


@contextlib.contextmanager
def _through_ssh(host: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Run `ssh HOST mailcounsel relay` and speak through it."""
    if host.startswith("-"):
        message = "A host cannot begin with a dash."
        raise errors.Refused(message)
    remote = shlex.split(os.environ.get("MAILCOUNSEL_RELAY", "mailcounsel relay"))
    try:
        relay = subprocess.Popen(
            ["ssh", "-T", host, "--", *remote],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    except OSError as fault:
        message = "ssh is not installed. Install it: sudo apt install openssh-client."
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
