"""A centre made from the example configuration and run with the installed program."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from e2e import forked
from servers import tools

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "letters@example.org"


def edited(text: str, table: str, old: str, new: str, which: int = 0) -> str:
    """Replace one line of a table; `which` chooses among tables of one name."""
    starts = [m.end() for m in re.finditer(rf"^{re.escape(table)}$", text, re.MULTILINE)]
    start = starts[which]
    following = re.search(r"^\[", text[start:], re.MULTILINE)
    end = start + following.start() if following else len(text)
    lines = text[start:end].split("\n")
    assert lines.count(old) == 1, f"{table} has {lines.count(old)} lines {old!r}"
    lines[lines.index(old)] = new
    return text[:start] + "\n".join(lines) + text[end:]


class ExampleCentre:
    """A centre in a folder of its own, everything done by typing commands.

    `imap` is (port, user) of a Dovecot that `ca_file` vouches for; `smarthost` is a loopback port.
    """

    def __init__(self, folder: Path, *, smarthost: int, imap: tuple[int, str], ca_file: Path):
        self.folder = folder
        self.config = folder / "config.toml"
        self.log = folder / "log"
        self.env = {
            "SSL_CERT_FILE": str(ca_file),
            "MAILCOUNSEL_IMAP_PASSWORD": "loopback-only",
            "MAILCOUNSEL_CONFIG": str(self.config),
        }
        self.forks = True  # False: the service and `init` start as they are typed
        self.process: tools.Process | None = None
        self.text = self._configuration(smarthost, *imap)

    def _configuration(self, smarthost: int, imap_port: int, imap_user: str) -> str:
        uid = f"uid = {os.getuid()}"
        text = (ROOT / "config.example.toml").read_text()
        for table, old, new, which in (
            ("[limits]", "#hold_seconds = 60", "hold_seconds = 0", 0),
            ("[smtp]", "#port = 2525", "port = 0", 0),
            ("[smarthost]", 'host = "smtp.example.org"', 'host = "127.0.0.1"', 0),
            ("[smarthost]", '#tls = "starttls"', 'tls = "none"', 0),
            ("[smarthost]", "#port = 587", f"port = {smarthost}", 0),
            ("[smarthost]", f'user = "{ADDRESS}"', f'#user = "{ADDRESS}"', 0),
            ("[smarthost]", 'password_env = "MAILCOUNSEL_SMTP_PASSWORD"', "", 0),
            ("[inbox.imap]", 'host = "imap.example.org"', 'host = "localhost"', 0),
            ("[inbox.imap]", "#port = 993", f"port = {imap_port}", 0),
            ("[inbox.imap]", f'user = "{ADDRESS}"', f'user = "{imap_user}"', 0),
            ("[[person]]", 'os_user = "sari"', uid, 0),
            ("[[person]]", 'os_user = "bima"', uid, 1),
            ("[[person]]", "uid = 0", uid, 2),
            ("[[rule]]", 'during = "outside"                   # or "working"', "", 0),
            ("[[rule]]", '# or subject_contains = ["malam", "evening"]', RULE, 0),
        ):
            text = edited(text, table, old, new, which)
        return text

    def change(self, table: str, old: str, new: str, which: int = 0) -> None:
        """Edit one more line of the configuration, before `init`."""
        self.text = edited(self.text, table, old, new, which)

    # -- typing commands

    def run(
        self, person: str, *arguments: str, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Type a command as somebody, with nobody at the terminal to ask."""
        home = self.folder / "home" / person
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        seen = os.environ | self.env | {"HOME": str(home)} | _acting(person) | env
        done = forked.type_in(arguments, cwd=home, env=seen, forks=self.forks)
        if check and done.returncode:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def json(self, person: str, *arguments: str) -> Any:
        """Type a command with --json and return what it prints."""
        said = json.loads(self.run(person, *arguments, "--json").stdout)
        assert said["version"] == 1
        return said

    def reply(self, person: str, case: str, words: str) -> str:
        """Write a reply in $EDITOR and return what is said about it."""
        editor = self.folder / "editor"
        editor.write_text(f"#!{sys.executable}\n{EDITOR}")
        editor.chmod(0o700)
        done = self.run(person, "reply", case, EDITOR=str(editor), WORDS=words)
        return done.stdout + done.stderr

    # -- setting up and running

    def write(self) -> None:
        """Write the configuration."""
        self.config.write_text(self.text)
        self.config.chmod(0o600)

    def set_up(self) -> str:
        """Write the configuration, check it, make the keys; return the supervisor's code."""
        self.write()
        self.run("", "config", "check")
        code: str = self.json("", "init")["invited"]["code"]
        return code

    def serve(self) -> None:
        """Start the service and wait until it says that it is ready."""
        self.log.write_bytes(b"")
        seen = os.environ | self.env
        self.process = forked.serve(cwd=self.folder, env=seen, log=self.log, forks=self.forks)
        tools.until(self._is_ready, "the service to be ready")

    def _is_ready(self) -> bool:
        assert self.process
        tools.alive_or_log(self.process, self.log)
        return "Ready:" in self.words()

    def words(self) -> str:
        """Return what the service has said since it was started."""
        return self.log.read_text(errors="replace")

    @property
    def smtp_port(self) -> int:
        found = re.search(r"SMTP on 127\.0\.0\.1:(\d+)", self.words())
        assert found, self.words()
        return int(found[1])

    def open(self) -> ExampleCentre:
        """Set up, start, and enrol the supervisor, who is a therapist too."""
        code = self.set_up()
        self.serve()
        self.run("sari", "enrol", code, "--no-passphrase")
        return self

    def move_in(self, enrolled: ExampleCentre) -> ExampleCentre:
        """Start with the keys and the supervisor of a centre that was set up before."""
        nothing_live = shutil.ignore_patterns("S.*", "*.sock", ".#*")
        for name in ("state", "home"):
            shutil.copytree(enrolled.folder / name, self.folder / name, ignore=nothing_live)
        self.write()
        self.serve()
        return self

    def kill(self) -> None:
        """End the service as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the service politely, if it runs."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait(tools.PATIENCE)
            self.process = None

    def certificate(self) -> bytes:
        """Return the centre's OpenPGP certificate, as an admin would hand it out."""
        home = self.folder / "state" / "gnupg"
        command = ["gpg", "--homedir", str(home), "--batch", "--no-autostart", "--export"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    # -- looking

    def cases(self, person: str = "sari", *options: str) -> list[dict[str, Any]]:
        """Return what `mailcounsel queue` shows."""
        found: list[dict[str, Any]] = self.json(person, "queue", *options)["cases"]
        return found

    def wait_for_cases(self, number: int) -> list[dict[str, Any]]:
        """Wait until so many cases wait in the queue, and return them."""

        def enough() -> list[dict[str, Any]] | None:
            found = self.cases()
            return found if len(found) >= number else None

        found: list[dict[str, Any]] = tools.until(enough, f"{number} cases in the queue")
        return found

    def letters(self, case: str, person: str = "sari") -> list[dict[str, Any]]:
        """Return the client's letters in a case, oldest first, opened."""
        entries = self.json(person, "show", case)["entries"]
        return [one for one in entries if one["direction"] == "in"]

    def wait_for_letter(self, case: str, words: str) -> dict[str, Any]:
        """Wait until a letter with these words is in a case, and return it."""

        def found() -> dict[str, Any] | None:
            return next((one for one in self.letters(case) if words in one["text"]), None)

        letter: dict[str, Any] = tools.until(found, f"the letter in {case}")
        return letter

    def balance(self) -> dict[str, Any]:
        """Return what `mailcounsel reconcile` counts."""
        found: dict[str, Any] = self.json("operator", "reconcile")
        return found

    def wait_for_balance(self, **wanted: int) -> dict[str, Any]:
        """Wait until the counts are these, and return all of them."""

        def reached() -> dict[str, Any] | None:
            found = self.balance()
            return found if {name: found[name] for name in wanted} == wanted else None

        found: dict[str, Any] = tools.until(reached, f"a balance of {wanted}")
        return found


def _acting(person: str) -> dict[str, str]:
    return {"MAILCOUNSEL_AS": person} if person else {}


RULE = 'subject_contains = ["malam", "evening"]'  # so that no test depends on the hour

# What a person does in an editor: write above the line.
EDITOR = """\
import os, sys
from pathlib import Path

letter = Path(sys.argv[1])
letter.write_text(os.environ["WORDS"] + letter.read_text())
"""
