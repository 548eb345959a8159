"""The installed program in an admin's hands: a folder of its own, real commands, a real service."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from e2e import forked
from servers import tools

PROGRAM = [sys.executable, "-m", "mailcounsel"]
CENTRE = ("--name", "House of Letters", "--address", "letters@example.org", "--language", "en")


@dataclass
class Admin:
    """A person at a terminal, in a folder of their own.

    With `forks` what is slow to import is forked instead (`e2e.forked`).
    """

    folder: Path
    forks: bool = False

    def run(
        self,
        *words: str,
        expect: int = 0,
        program: list[str] = PROGRAM,
        given: bytes = b"",
        **environment: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Type a command, which is expected to end with this code."""
        seen = self.environment(**environment)
        if self.forks and program == PROGRAM:
            done = forked.type_in(words, cwd=self.folder, env=seen, given=given.decode())
        else:
            done = subprocess.run(
                [*program, *words],
                cwd=self.folder,
                env=seen,
                input=given.decode(),
                capture_output=True,
                text=True,
                timeout=tools.PATIENCE * 2,
                check=False,
            )
        assert done.returncode == expect, (
            f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *words: str, expect: int = 0, **environment: Any) -> dict[str, Any]:
        """Type a command and read its JSON."""
        found: dict[str, Any] = json.loads(
            self.run(*words, "--json", expect=expect, **environment).stdout
        )
        return found

    def environment(self, **more: str) -> dict[str, str]:
        """What the command sees: nobody's own settings."""
        home = {"HOME": str(self.folder), "MAILCOUNSEL_HOME": str(self.folder / "own")}
        return {**os.environ, **home, "PYTHONWARNINGS": "error", **more}

    def init(self, smarthost: int, *more: str) -> dict[str, Any]:
        """Set up a centre whose smarthost listens on this port."""
        person = ("--person", "sari", "--notify", "sari@staf.test")
        place = ("--smarthost", f"127.0.0.1:{smarthost}", *person)
        listen = () if "--imap" in more else ("--listen", f"127.0.0.1:{tools.free_port()}")
        return self.json("init", *CENTRE, *place, *listen, *more)

    @property
    def config(self) -> Path:
        """The configuration `init` wrote."""
        return self.folder / "config.toml"

    def change(self, before: str, after: str) -> None:
        """Edit the configuration."""
        text = self.config.read_text()
        assert before in text
        self.config.write_text(text.replace(before, after))

    @contextlib.contextmanager
    def serving(self, **environment: str) -> Iterator[str]:
        """Run the service; yield the line it says when it is ready."""
        said, log = self.folder / "said", self.folder / "log"
        seen = self.environment(**environment)
        with said.open("wb") as out, log.open("wb") as err, Path(os.devnull).open("rb") as nothing:
            files = (nothing, out, err)
            process = self._start(files, seen)
        try:
            yield _first_line(process, said, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(tools.PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == 0, log.read_text()

    def _start(self, files: Sequence[IO[bytes]], seen: dict[str, str]) -> tools.Process:
        if self.forks:
            return forked.warm().start(["serve"], cwd=self.folder, env=seen, files=files)
        into, out, err = files
        return subprocess.Popen(
            [*PROGRAM, "serve"], cwd=self.folder, env=seen, stdin=into, stdout=out, stderr=err
        )


def _first_line(process: tools.Process, said: Path, log: Path) -> str:
    def line() -> str:
        tools.alive_or_log(process, log)
        return said.read_text().partition("\n")[0]

    found: str = tools.until(line, "the service to be ready")
    return found + "\n"
