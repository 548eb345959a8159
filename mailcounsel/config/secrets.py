"""Where a password comes from, and how it is fetched at the moment it is used.

A secret never stands in `config.toml` and is never kept: each connection reads it anew, so that a
changed password needs no restart. No message here repeats a value, a path, a variable's name or
a command's output: any of them may turn out to be the secret, put in the wrong place.
"""

from __future__ import annotations

import os
import selectors
import signal
import stat
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, cast

from mailcounsel import errors

TIMEOUT_SECONDS = 20.0
LONGEST_VALUE = 16 * 1024  # characters; OAuth tokens reach a few thousand
LARGEST_BYTES = 4 * LONGEST_VALUE  # as UTF-8; what is longer is a mistake, such as a disk image

Source = Literal[
    "password_file", "password_env", "password_command", "password_credential", "token_command"
]


@dataclass(frozen=True, slots=True)
class SecretValue:
    """A secret in clear: what to use it as, and the value, which `repr` hides."""

    kind: Literal["password", "token"]
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is found: the configuration key, and what that key says."""

    source: Source
    argument: Path | str | tuple[str, ...] = field(repr=False)

    def read(self, timeout_seconds: float = TIMEOUT_SECONDS) -> SecretValue:
        """Fetch the secret now; only the first line of what is found counts.

        Raises:
            Unavailable: It cannot be had. The message names the key and never the value.
        """
        text = self._fetch(timeout_seconds)
        value = text.splitlines()[0].strip() if text.strip() else ""
        # A value that was cut would only lock the account.
        if not 0 < len(value) < LONGEST_VALUE or not value.isprintable():
            raise errors.Unavailable(f"{self.source} gives no usable value on its first line.")
        return SecretValue("token" if self.source == "token_command" else "password", value)

    def _fetch(self, timeout_seconds: float) -> str:
        if isinstance(self.argument, Path):
            return _text(self.source, _from_file(self.source, self.argument, private=True))
        if isinstance(self.argument, tuple):
            return _text(self.source, _from_command(self.source, self.argument, timeout_seconds))
        if self.source == "password_credential":
            return _text(self.source, _from_credential(self.source, self.argument))
        return _from_environment(self.source, self.argument)


def is_private(mode: int) -> bool:
    """Tell whether a file of this mode can be read by its owner alone."""
    return not stat.S_IMODE(mode) & 0o077


def _from_file(source: str, path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            # The open file is asked, not the path, which may change in between.
            if private and not is_private(os.fstat(file.fileno()).st_mode):
                raise errors.Unavailable(f"The file in {source} can be read by others: chmod 600.")
            return file.read(LARGEST_BYTES)
    except OSError as exc:
        reason = exc.strerror or "unreadable"
        raise errors.Unavailable(f"The file in {source} cannot be read: {reason}.") from None


def _from_credential(source: str, name: str) -> bytes:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise errors.Unavailable(
            f"{source} works only in a systemd service with LoadCredential: "
            "CREDENTIALS_DIRECTORY is not set."
        )
    return _from_file(source, Path(folder) / name, private=False)


def _from_environment(source: str, name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise errors.Unavailable(f"The environment variable in {source} is not set.")
    return value


def _from_command(source: str, argv: tuple[str, ...], timeout_seconds: float) -> bytes:
    try:
        process = subprocess.Popen(  # the admin's own command, without a shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError):
        raise errors.Unavailable(f"The command in {source} cannot be started.") from None
    with process:
        output = _output_of(process, source, timeout_seconds)
    if process.returncode != 0:
        raise errors.Unavailable(f"The command in {source} failed: exit {process.returncode}.")
    return output


def _output_of(process: subprocess.Popen[bytes], source: str, timeout_seconds: float) -> bytes:
    try:
        return _read_and_wait(process, timeout_seconds)
    except (subprocess.TimeoutExpired, OverflowError) as exc:
        # The whole session: a child it left behind would keep the pipe open for ever.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        late = isinstance(exc, subprocess.TimeoutExpired)
        fault = f"gave no answer within {timeout_seconds:g} seconds" if late else "prints too much"
    raise errors.Unavailable(f"The command in {source} {fault}.")


def _read_and_wait(process: subprocess.Popen[bytes], timeout_seconds: float) -> bytes:
    deadline = time.monotonic() + timeout_seconds
    output = b""
    with selectors.DefaultSelector() as selector:
        pipe = cast("IO[bytes]", process.stdout).fileno()
        selector.register(pipe, selectors.EVENT_READ)
        while len(output) < LARGEST_BYTES:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise subprocess.TimeoutExpired("", timeout_seconds)
            piece = os.read(pipe, LARGEST_BYTES)
            if not piece:
                process.wait(max(0.0, deadline - time.monotonic()))
                return output
            output += piece
    raise OverflowError


def _text(source: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise errors.Unavailable(f"{source} gives bytes that are not UTF-8 text.") from None
