"""A running centre and the people who work there, each with a home, a key and the real commands."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

from e2e import forked
from servers import sink, tools

PROGRAM = [sys.executable, "-m", "mailcounsel"]
INBOX = "letters@example.org"

CONFIG = """
[centre]
name = "House of Letters"
sender_name = "House of Letters"
time_zone = "UTC"
languages = ["en", "id"]
templates = "templates"

[emergency]
en = "If it cannot wait: call 112."
id = "Kalau tidak bisa menunggu: telepon 112."

[limits]
hold_seconds = {hold}
automatic_per_sender_day = 50

[smarthost]
host = "127.0.0.1"
port = {smarthost}
tls = "none"

[smtp]
port = {smtp}

[[inbox]]
address = "letters@example.org"
queue = "letters"

[[person]]
name = "wulan"
roles = ["therapist"]
uid = {uid}
queues = ["letters"]

[[person]]
name = "bayu"
roles = ["therapist"]
uid = {uid}
queues = ["letters"]

[[person]]
name = "dian"
roles = ["therapist"]
uid = {uid}
queues = ["letters"]

[[person]]
name = "sari"
roles = ["supervisor", "admin"]
uid = {uid}

[[queue]]
name = "letters"
supervisor = "sari"
"""


class Staffroom:
    """A centre in a folder of its own: its service as a process, a mail server behind it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mc-", dir="/tmp"))
        self.config = self.folder / "config.toml"
        self.world = sink.start()
        self.smtp_port = tools.free_port()
        self.process: forked.Forked | None = None
        self.configure(hold=3600)

    def configure(self, *, hold: int) -> None:
        """Write config.toml; replies wait so many seconds before they leave."""
        facts = {"smarthost": self.world.port, "smtp": self.smtp_port, "uid": os.getuid()}
        self.config.write_text(CONFIG.format(hold=hold, **facts))
        self.config.chmod(0o600)

    def open(self, *people: str) -> Staffroom:
        """Make the keys, run the service, and enrol people; the first code comes from `init`."""
        first = json.loads(self.run("", "init", "--json").stdout)["invited"]
        self.serve()
        for name in people:
            made = first if name == first["person"] else self.json("sari", "invite", name)
            self.run(name, "enrol", made["code"], "--no-passphrase")
        return self

    def serve(self) -> None:
        """Start the service and wait until it is ready."""
        log = self.folder / "log"
        words = ("--config", str(self.config), "serve")
        self.process = forked.warm().serve(words, cwd=Path("/"), env=os.environ, log=log)
        end = self.folder / "state" / "control.sock"

        def ready() -> bool:
            assert self.process
            tools.alive_or_log(self.process, log)
            return end.exists() and tools.answers(self.smtp_port)

        tools.until(ready, "the service to be ready")

    def restart(self, *, hold: int) -> None:
        """Start the service again with another hold."""
        self.stop()
        self.configure(hold=hold)
        self.serve()

    def stop(self) -> None:
        """End the service."""
        if self.process:
            tools.stop(self.process)
            self.process = None

    def close(self) -> None:
        """Take everything away."""
        self.stop()
        self.world.stop()
        for home in self.folder.glob("*/gnupg"):
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- its people

    def home(self, person: str) -> Path:
        """Return a person's home."""
        home = self.folder / (person or "nobody")
        (home / "gnupg").mkdir(mode=0o700, parents=True, exist_ok=True)
        return home

    def environment(self, person: str, **more: str) -> dict[str, str]:
        """Return what a person's commands see."""
        home = self.home(person)
        own = {
            "HOME": str(home),
            "GNUPGHOME": str(home / "gnupg"),
            "MAILCOUNSEL_CONFIG": str(self.config),
            "MAILCOUNSEL_HOME": str(home / "own"),
            "PYTHONWARNINGS": "error",
        }
        who = {"MAILCOUNSEL_AS": person} if person else {}
        return {**os.environ, **own, **who, **more}

    def run(
        self, person: str, *words: str, expect: int = 0, given: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Type a command as somebody; it must end with the exit code expected."""
        seen = self.environment(person, **more)
        done = forked.type_in(words, cwd=self.home(person), env=seen, given=given)
        said = f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == expect, said
        assert "Traceback" not in done.stderr, said
        return done

    def json(self, person: str, *words: str, **more: Any) -> dict[str, Any]:
        """Type a command and read its JSON."""
        found: dict[str, Any] = json.loads(self.run(person, *words, "--json", **more).stdout)
        assert found["version"] == 1
        return found

    def terminal(self, person: str, *words: str, **more: str) -> Terminal:
        """Type a command at a terminal of its own."""
        environment = self.environment(person, TERM="xterm", **more)
        return Terminal([*PROGRAM, *words], environment, self.home(person))

    # -- its mail

    def letter(self, sender: str, text: str, *, subject: str = "a letter") -> EmailMessage:
        """Return a client's letter."""
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = sender, INBOX, subject
        letter["Date"] = format_datetime(datetime.now(UTC))
        letter["Message-ID"] = make_msgid(domain="mail.test")
        letter.set_content(text)
        return letter

    def post(self, letter: EmailMessage | bytes, sender: str) -> str:
        """Send a letter by SMTP; return the newest case once it has been placed."""
        raw = letter if isinstance(letter, bytes) else letter.as_bytes()
        before = self._placed()
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=tools.PATIENCE) as line:
            line.sendmail(sender, [INBOX], raw)
        tools.until(lambda: self._placed() > before, "the letter to be placed")
        listed = self._ask("queue.list", all=True)["cases"]
        return max(str(case["case"]) for case in listed)

    def write(self, sender: str, text: str, **more: Any) -> str:
        """Write a letter as a client and return the newest case."""
        return self.post(self.letter(sender, text, **more), sender)

    def _placed(self) -> int:
        balance = self._ask("reconcile")
        return int(balance["case"]) + int(balance["quarantine"])

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the service without a command, where a test only waits."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method}
        with socket.socket(socket.AF_UNIX) as line, line.makefile("rb") as reading:
            line.connect(str(self.folder / "state" / "control.sock"))
            line.sendall(json.dumps({**request, "params": {**parameters, "as": "sari"}}).encode())
            line.sendall(b"\n")
            found: dict[str, Any] = json.loads(reading.readline())["result"]
            return found

    def mail_for(self, address: str, number: int) -> list[bytes]:
        """Wait until so many letters have left for an address, and return them."""

        def enough() -> list[bytes] | None:
            found = [one.content for one in self.world.letters if one.recipients == (address,)]
            return found if len(found) >= number else None

        found: list[bytes] = tools.until(enough, f"{number} letters for a client")
        return found


class Terminal:
    """A command on a pseudo-terminal, typed at by a test."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.screen = ""
        self.pid, self._line = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self.exit_code: int | None = None

    def type(self, keys: str) -> None:
        """Press keys."""
        with contextlib.suppress(OSError):  # nobody reads any more
            os.write(self._line, keys.encode())

    def until(self, words: str) -> str:
        """Wait until words stand on the screen (escapes left out); return all that was shown."""
        deadline = time.monotonic() + tools.PATIENCE
        while words not in plain(self.screen):
            assert time.monotonic() < deadline, f"waited in vain for {words!r}:\n{self.screen}"
            if not self._read() and words not in plain(self.screen):
                raise AssertionError(f"ended without {words!r}:\n{self.screen}")
        return plain(self.screen)

    def _read(self) -> bool:
        """Read what there is; tell whether the terminal is still in use."""
        if not select.select([self._line], [], [], 0.2)[0]:
            return True
        try:
            data = os.read(self._line, 65536)
        except OSError:
            return False
        self.screen += data.decode(errors="replace")
        return bool(data)

    def wait(self, *, pressing: str = "") -> int:
        """Wait until the command has ended, pressing a key meanwhile; return its exit code."""
        deadline = time.monotonic() + tools.PATIENCE
        while self._read():
            assert time.monotonic() < deadline, f"does not end:\n{self.screen}"
            self.type(pressing)
        _, status = os.waitpid(self.pid, 0)
        self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self._line)

    def close(self) -> None:
        """End whatever is left."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, 9)
                os.waitpid(self.pid, 0)


_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?>=]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>78M])")


def plain(screen: str) -> str:
    """Return what a screen shows, without the escapes of full-screen programs."""
    return _ESCAPES.sub("", screen)
