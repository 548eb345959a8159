"""Run gpg: the one file that imports python-gnupg.

Of that library we use how it builds commands and feeds pipes. What it makes of gpg's answers is
not used: it reads status and messages from one stream, splits lines at characters a sender
chooses, and calls a revoked signer valid. Here the status has a channel of its own, read by
`mailcounsel.crypto.status`.
"""

from __future__ import annotations

import copy
import functools
import io
import logging
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gnupg

from mailcounsel import errors
from mailcounsel.crypto import homes, packets, status

CAP = 64 * 1024 * 1024  # bytes a letter may decrypt to
TOO_LARGE = 2  # what gpg itself exits with when it may not write as much
PATIENCE = 60.0  # seconds gpg may take where nobody is waiting

# python-gnupg logs what it reads, which is names, addresses and keys. Nothing of it is kept.
logging.getLogger("gnupg").addFilter(lambda _record: False)

_NO_NETWORK = ["--no-auto-key-locate", "--no-auto-key-retrieve", "--disable-dirmngr"]
OURS = [*_NO_NETWORK, "--no-encrypt-to", "--no-auto-check-trustdb", "--trust-model", "always"]
UNATTENDED = [*OURS, "--pinentry-mode", "error"]
_ALONE = [*UNATTENDED, "--no-autostart", "--lock-never"]
_FINGERPRINT = re.compile(r"[0-9A-F]{40}")


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of gpg came to; `data` is nothing until `code` and `status` are looked at."""

    code: int
    status: list[status.Line] = field(repr=False)
    data: bytes = field(repr=False)


class _Meter:
    """Kills gpg once it has given out more than may be.

    Its own option --max-output only stops the writing: a bomb is still read to its end.
    """

    def __init__(self, cap: int, kill: Callable[[], None]) -> None:
        self._left, self._kill = cap, kill

    @property
    def is_over(self) -> bool:
        """Tell whether it was too much."""
        return self._left < 0

    def __call__(self, data: bytes) -> bool:
        """Count what came, and tell whether to keep it."""
        self._left -= len(data)
        if self.is_over:
            self._kill()
        return not self.is_over


class Gpg(gnupg.GPG):  # type: ignore[misc] # python-gnupg ships no types
    """python-gnupg with a status channel of its own, and an end to its patience and its memory."""

    patience = PATIENCE
    cap = CAP

    def _open_subprocess(self, args: list[str], passphrase: bool = False) -> Any:
        reading, writing = os.pipe()
        command = self.make_args(args, passphrase)
        command[command.index("--status-fd") + 1] = str(writing)
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # prose, with addresses in it
                pass_fds=(writing,),
                env=self.env,
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        process.stderr = os.fdopen(reading, "rb")
        return process

    def _read_response(self, stream: Any, result: Any) -> None:
        result.status_lines = status.lines(stream.stream)
        result.stderr = ""

    def _collect_output(self, process: Any, result: Any, *args: Any, **kwargs: Any) -> Any:
        alarm = threading.Timer(self.patience, process.kill)
        alarm.daemon = True
        alarm.start()
        meter = self.on_data = _Meter(self.cap, process.kill)
        try:
            return super()._collect_output(process, result, *args, **kwargs)
        finally:
            alarm.cancel()
            if meter.is_over:
                result.data, result.returncode = b"", TOO_LARGE

    def run(self, arguments: list[str], data: bytes = b"") -> Ran:
        """Run gpg with these arguments and this on its standard input."""
        result = self.result_map["crypt"](self)
        return self.judge(lambda: self._handle_io(arguments, io.BytesIO(data), result, binary=True))

    def judge(self, call: Callable[[], Any]) -> Ran:
        """Make the call, and give what came of it in our own terms.

        Raises: TryLater if gpg was killed, by our alarm or by the machine.
        """
        try:
            result = call()
        except BrokenPipeError:  # gpg had seen enough before it had read everything
            return Ran(-signal.SIGPIPE, [], b"")
        except FileNotFoundError as exc:
            raise errors.Unavailable(homes.NOT_INSTALLED) from exc
        except OSError as exc:
            raise errors.TryLater("gpg could not be run. Try again in a moment.") from exc
        if result.returncode == -signal.SIGKILL:
            raise errors.TryLater("gpg did not answer in time. Try again in a moment.")
        data = result.data if isinstance(result.data, bytes) else b""
        return Ran(result.returncode, result.status_lines, data)


@functools.cache
def _model() -> Gpg:
    # Building one asks gpg for its version. Once is enough; later ones are copies. Nothing is put
    # into this home, so that it needs no place in memory, which a person's machine may not have.
    homes.program("gpg")
    with tempfile.TemporaryDirectory(prefix="mailcounsel-version-") as home:
        return Gpg(gnupghome=home)


def open_home(home: Path | None, options: list[str], patience: float = PATIENCE) -> Gpg:
    """Return a gpg for that home, or for the person's usual one; `patience` is in seconds."""
    gpg = copy.copy(_model())
    gpg.gnupghome = str(home) if home else None
    gpg.options = options
    gpg.patience = patience
    return gpg


@contextmanager
def scratch(
    certificates: Sequence[bytes], agent: Path | None = None, patience: float = PATIENCE
) -> Iterator[tuple[Gpg, Path]]:
    """Give gpg in a throw-away home that knows these certificates.

    With an agent, the first certificate is the one whose secret part the agent holds.

    Raises: BadKey on a certificate `packets.fingerprint` refuses, secret ones among them.
    """
    binary = [packets.dearmour(certificate) for certificate in certificates]
    for certificate in binary:
        packets.fingerprint(certificate)
    with homes.throw_away(agent) as home:
        gpg = open_home(home, _ALONE, patience)
        if binary:
            ran = gpg.judge(lambda: gpg.import_keys(b"".join(binary)))
            _refuse_unless_taken(ran, packets.fingerprint(binary[0]), ours=agent is not None)
        yield gpg, home


def _refuse_unless_taken(ran: Ran, fingerprint: str, *, ours: bool) -> None:
    if fingerprint in {fields[1] for fields in status.values(ran.status, "IMPORT_OK")}:
        return
    if ours:  # with the centre's own certificate nothing is wrong, so the machine is at fault
        raise errors.TryLater("gpg could not write its files. Try again in a moment.")
    raise errors.BadKey


def full(fingerprint: str) -> str:
    """Return the fingerprint as gpg writes it; shorter names match more than one key."""
    upper = fingerprint.upper()
    if not _FINGERPRINT.fullmatch(upper):
        raise errors.NoUsableKey("A key is named by its full fingerprint, 40 characters.")
    return upper
