"""The installed program in an admin's hands: a folder of its own, real commands, a real service."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from servers import tools

PROGRAM = [sys.executable, "-m", "mailcounsel"]
CENTRE = ("--name", "House of Letters", "--address", "letters@example.org", "--language", "en")


@dataclass
class Admin:
    """A person at a terminal, in a folder of their own."""

    folder: Path

    def run(
        self,
        *words: str,
        expect: int = 0,
        program: list[str] = PROGRAM,
        given: bytes = b"",
        **environment: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Type a command, which is expected to end with this code."""
        done = subprocess.run(
            [*program, *words],
            cwd=self.folder,
            env=self.environment(**environment),
            input=given,
            capture_output=True,
            timeout=tools.PATIENCE * 2,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == expect, f"{words}: {done.returncode}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

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
        place = ("--smarthost", f"127.0.0.1:{smarthost}", "--person", "sari")
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
    def serving(self, program: list[str] = PROGRAM, **environment: str) -> Iterator[str]:
        """Run the service; yield the line it says when it is ready."""
        with subprocess.Popen(
            [*program, "serve"],
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield _first_line(process)
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    _, said = process.communicate(timeout=tools.PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise
            assert process.returncode == 0, said


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], tools.PATIENCE)
    line = process.stdout.readline() if ready else ""
    if not line:
        process.kill()
        pytest.fail(f"the service did not start: {process.communicate()[1]}")
    return line
