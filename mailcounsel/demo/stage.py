"""The place a demonstration happens in: built, run beside the story, and taken down again.

Everything lies in one temporary folder. The centre's service, the clients' mail provider and the
IMAP mailbox run in one event loop, in a thread; the people who work at the centre use the
installed commands, as processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from mailcounsel import config, errors
from mailcounsel.crypto import openpgp
from mailcounsel.demo import settings
from mailcounsel.demo.client import Certificate, Client, Shown
from mailcounsel.demo.clock import MovableClock, monday_morning
from mailcounsel.demo.mailbox import Mailbox
from mailcounsel.demo.post import PATIENCE, Post
from mailcounsel.demo.settings import IMAP_INBOX, SMTP_INBOX, ZONE
from mailcounsel.service import app, setup, work
from mailcounsel.service.operations import centre

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ran:
    """What an installed command printed, both streams in order, and how it ended."""

    code: int
    text: str


class Stage:
    """A centre with the world around it. Build one with `open_stage`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.clock = MovableClock(monday_morning(datetime.now(UTC), ZoneInfo(ZONE)))
        self.post = Post()
        self.mailbox: Mailbox | None = None
        self.service: app.Service
        self.centre: Certificate
        self.clients: dict[str, Client] = {}
        self.delivered = itertools.count(1)
        self._loop = asyncio.new_event_loop()

    # -- building ---------------------------------------------------------------------------------

    def build(self, stack: contextlib.ExitStack) -> None:
        """Make the keys and the store, open every door, and enrol the people.

        What is built is taken down by `stack`. Raises: Unavailable without gpg.
        """
        stack.callback(_log_to(self.place / "log.txt"))
        thread = threading.Thread(target=self._loop.run_forever, name="demo", daemon=True)
        thread.start()
        stack.callback(self._stop_loop, thread)
        self.wait_for(self.post.start())
        stack.callback(lambda: self.wait_for(self.post.stop()))
        self._open_mailbox(stack)
        loaded = config.load(self._write_config())
        done = setup.complete(loaded, self.clock.now())
        wulan = setup.first_invite(loaded, "wulan", self.clock.now())
        self._start_service(loaded, stack)
        stack.callback(lambda: openpgp.Personal(self.place / "people").close())
        openpgp.Personal(self.place / "people")  # makes the folder as gpg wants it
        for code in (done.invitation.code if done.invitation else "", wulan):
            self.must_run("enrol", code, "--no-passphrase")

    def _open_mailbox(self, stack: contextlib.ExitStack) -> None:
        mailbox = Mailbox(IMAP_INBOX)
        with contextlib.suppress(errors.Unavailable):
            self.wait_for(mailbox.start())
            stack.callback(lambda: self.wait_for(mailbox.stop()))
            self.mailbox = mailbox

    def _write_config(self) -> Path:
        imap_port = None
        if self.mailbox:
            setup.write_secret(self.place / "imap-password", self.mailbox.password)
            imap_port = self.mailbox.port
        text = settings.config_text(self.post.port, imap_port)
        path = self.place / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def _start_service(self, loaded: config.Config, stack: contextlib.ExitStack) -> None:
        self.service = app.Service(loaded, self.clock)
        self.wait_for(self.service.start())
        stack.callback(lambda: self.wait_for(self.service.stop()))
        key = self.service.desk.centre
        self.centre = Certificate(key.public_certificate(), key.fingerprint)

    def _stop_loop(self, thread: threading.Thread) -> None:
        self.wait_for(_end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join(PATIENCE)
        self._loop.close()

    def wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have something done in the event loop, and return what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * PATIENCE)

    # -- the people of the centre -----------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """Return what makes the installed commands speak to this centre, as the therapist."""
        return {
            "MAILCOUNSEL_CONFIG": str(self.place / "config.toml"),
            "MAILCOUNSEL_HOME": str(self.place / "people"),
            "MAILCOUNSEL_AS": "wulan",
            "GNUPGHOME": str(self.place / "people"),
            "TZ": ZONE,
        }

    def run(self, *words: str) -> Ran:
        """Run an installed command as a process."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MAILCOUNSEL_")}
        done = subprocess.run(
            [sys.executable, "-P", "-m", "mailcounsel", *words],
            env={**kept, **self.environment(), "PYTHONIOENCODING": "utf-8", "COLUMNS": "88"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=2 * PATIENCE,
        )
        return Ran(done.returncode, done.stdout.decode("utf-8", "replace"))

    def must_run(self, *words: str) -> str:
        """Run an installed command and return what it printed. Raises: Refused when it fails."""
        ran = self.run(*words)
        if ran.code:
            message = f"`mailcounsel {words[0]}` ended with {ran.code}: {ran.text.strip()}"
            raise errors.Refused(message)
        return ran.text

    # -- the clients ------------------------------------------------------------------------------

    def add_client(
        self, name: str, *, writes_to: str = SMTP_INBOX, with_key: bool = False
    ) -> Client:
        """Let somebody new appear, who has written nothing yet."""
        home = self.place / "clients" / name.lower() if with_key else None
        client = Client(name, writes_to, self.centre, home)
        self.clients[name.lower()] = client
        return client

    def client(self, name: str) -> Client:
        """Return a client by name; one nobody knows yet appears, without a key.

        Raises: Refused for what is not a name.
        """
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,30}", name):
            message = "A client's name here is one plain word, such as melati."
            raise errors.Refused(message)
        return self.clients.get(name.lower()) or self.add_client(name.capitalize())

    def write(self, client: Client, text: str) -> None:
        """Let a client write: an answer to the latest letter they got, or a first letter.

        Returns once the letter is in its case. Raises: TryLater when that takes too long.
        """
        letters = self.inbox(client)
        latest = letters[-1] if letters else None
        raw = client.compose(text, self.clock.now(), latest)
        self._deliver(client, client.recipient(latest), raw)
        expected = next(self.delivered)
        self._until(lambda: self._is_placed(expected))
        self.catch_up()

    def _deliver(self, client: Client, to: str, raw: bytes) -> None:
        inbox = self.service.config.inbox_for(to)
        if self.mailbox and inbox and inbox.imap:
            self.wait_for(self.mailbox.put(raw))
            return
        listener = self.service.listener
        port = listener.port if listener else 0
        with smtplib.SMTP("127.0.0.1", port, local_hostname="post.test", timeout=PATIENCE) as line:
            line.sendmail(client.address, [to], raw)

    def _is_placed(self, expected: int) -> bool:
        balance = centre.balance(self.service.desk)
        if balance["quarantine"]:
            message = "A letter could not be placed, and waits in quarantine."
            raise errors.Refused(message)
        return bool(balance["in"] >= expected and not balance["received"])

    def _until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                message = "The centre took too long over a letter."
                raise errors.TryLater(message)
            time.sleep(0.02)

    def inbox(self, client: Client) -> list[Shown]:
        """Return a client's letters as their mail program shows them, oldest first."""
        return [client.open(raw) for raw in self.post.letters(client.address)]

    def wait_for_letter(self, client: Client, words: str, after: int = 0) -> Shown:
        """Wait for a letter to a client with these words in it, behind their first `after` letters.

        Raises: TryLater when none comes.
        """
        raw = self.post.wait(client.address, lambda raw: words in client.open(raw).text, after)
        return client.open(raw)

    def close_clients(self) -> None:
        """End the gpg agents of the clients."""
        for client in self.clients.values():
            client.close()

    # -- time -------------------------------------------------------------------------------------

    def move(self, **ahead: float) -> None:
        """Move the clock, as `timedelta` takes it, and do at once what is due by then."""
        self.clock.move(timedelta(**ahead))
        self.catch_up()

    def catch_up(self) -> None:
        """Ask and send what is due, rather than wait for the service's next tick."""
        for job in (work.ask_checkins, work.run_errands, work.send_letters):
            while job(self.service.desk):
                pass

    def today(self) -> str:
        """Return the centre's day and time, as people say it."""
        return self.clock.now().astimezone(ZoneInfo(ZONE)).strftime("%A, %-d %B, %H:%M")


def open_stage(stack: contextlib.ExitStack, *, keep: bool = False) -> Stage:
    """Build the place; `stack` takes it down, and deletes it unless it is to be kept.

    Raises: Unavailable without gpg.
    """
    place = Path(tempfile.mkdtemp(prefix="mailcounsel-demo-"))
    if not keep:
        stack.callback(shutil.rmtree, place, ignore_errors=True)
    stage = Stage(place)
    stack.callback(stage.close_clients)
    stage.build(stack)
    return stage


def _log_to(path: Path) -> Callable[[], None]:
    """Keep the service's faults in a file of the place, and off the newcomer's terminal."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    ours, root = logging.getLogger("mailcounsel"), logging.getLogger()
    silent = logging.NullHandler()
    ours.addHandler(handler)
    ours.propagate = False
    root.addHandler(silent)

    def undo() -> None:
        ours.removeHandler(handler)
        ours.propagate = True
        root.removeHandler(silent)
        handler.close()

    return undo


async def _end_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)
