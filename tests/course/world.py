"""A centre whose clock is moved by hand, with its doors open and the commands of its people.

The SMTP listener, the control socket, gpg, the store and the mail to the smarthost are the real
ones. Only the loops are missing: `turn` does what they do, so that everything has one order.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import smtplib
import threading
from collections.abc import Coroutine, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from click.testing import CliRunner

from course.correspondents import Correspondent, Delivered
from mailcounsel import config
from mailcounsel.cli.main import cli
from mailcounsel.crypto.openpgp import Personal
from mailcounsel.demo.client import Certificate
from mailcounsel.intake import inbox, smtp
from mailcounsel.service import app, setup, work
from mailcounsel.service.control import Control
from mailcounsel.service.desk import Desk
from mailcounsel.service.operations import OPERATIONS
from mailcounsel.service.operations.centre import balance
from mailcounsel.store import schema
from mailcounsel.store.engine import Store
from servers import sink, tools

HERE = Path(__file__).parent
ZONE = ZoneInfo("Asia/Jakarta")
INBOX = "halo@rumah.test"
QUIET_FROM, QUIET_UNTIL = 21, 7  # the hours of a client's clock without automatic letters
AT_REST = timedelta(minutes=2)  # by then a reply has left, and `undo` is over
LOOPS = (
    work.place_letters,
    work.place_heavy_letter,
    work.ask_checkins,
    work.run_errands,
    work.keep_promises,
    work.sweep,
    work.send_letters,
)


class Hands:
    """A clock whose hands are moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the moment the hands show, in UTC."""
        return self.at


class World:
    """The centre, its people and its clients. Build one with `opened`."""

    def __init__(self, place: Path, first_day: datetime, store: str = "") -> None:
        self.place = place
        self.store = store  # the address of an empty database; none is a file in `place`
        self.clock = Hands(first_day)
        self.post = sink.start()
        self.clients: list[Correspondent] = []
        self.staff: list[tuple[datetime, str]] = []  # notes to the centre's own people
        self.typed: list[str] = []  # every word of a command, in order
        self._taken = 0
        self._loop = asyncio.new_event_loop()

    def build(self, stack: contextlib.ExitStack) -> None:
        """Make keys and store, open the doors, and enrol the people."""
        stack.callback(self.post.stop)
        thread = threading.Thread(target=self._loop.run_forever, name="doors", daemon=True)
        thread.start()
        stack.callback(self._end_loop, thread)
        loaded = config.load(self._write_config())
        code = setup.complete(loaded, self.clock.now()).invitation
        assert code is not None
        self._open(loaded, stack)
        for person in ("sari", "wulan"):
            stack.callback(Personal(self.home(person) / "gnupg").close)
        self.type("sari", "enrol", code.code, "--no-passphrase")
        invited = self.type("sari", "invite", "wulan").split()
        self.type("wulan", "enrol", _code_in(invited), "--no-passphrase")
        profile = self.home("wulan") / "mailcounsel" / "profile.toml"
        profile.write_text((HERE / "profile.toml").read_text())

    def _write_config(self) -> Path:
        text = (HERE / "config.toml").read_text()
        path = self.place / "config.toml"
        text = text.format(post=self.post.port, uid=os.getuid())
        path.write_text(f'{text}\n[store]\nurl = "{self.store}"\n' if self.store else text)
        path.chmod(0o600)
        (self.place / "crisis.toml").write_text((HERE / "crisis.toml").read_text())
        return path

    def _open(self, loaded: config.Config, stack: contextlib.ExitStack) -> None:
        office, centre = app.open_office(loaded), app.open_centre(loaded)
        stack.callback(centre.close)
        store = Store(loaded.store_url)
        stack.callback(store.close)
        schema.upgrade(store)
        self.desk = Desk(office, store, self.clock, centre, lambda name: None)
        self.centre = Certificate(centre.public_certificate(), centre.fingerprint)
        control = Control(loaded.centre.socket, self.desk, OPERATIONS)
        self._wait(control.start())
        stack.callback(lambda: self._wait(control.stop()))
        assert loaded.smtp
        accepts = loaded.inbox_for
        self.listener = smtp.Listener(
            loaded.smtp,
            accepts=lambda address: accepts(address) is not None,
            keep=lambda raw, envelope: inbox.keep(
                store, office.keyring, raw, envelope, inbox.handed_over(), self.clock.now()
            ),
            limits=loaded.limits,
        )
        self._wait(self.listener.start())
        stack.callback(lambda: self._wait(self.listener.stop()))

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(tools.PATIENCE)

    def _end_loop(self, thread: threading.Thread) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join(tools.PATIENCE)
        self._loop.close()

    # -- the people of the centre ----------------------------------------------------------------

    def home(self, person: str) -> Path:
        """Return a person's home."""
        home = self.place / person
        (home / "gnupg").mkdir(mode=0o700, parents=True, exist_ok=True)
        return home

    def type(self, person: str, *words: str, **environment: str) -> str:
        """Type a command of the program as somebody, and return what it says; it must succeed."""
        self.typed += words
        home = self.home(person)
        own = {
            "HOME": str(home),
            "GNUPGHOME": str(home / "gnupg"),
            "MAILCOUNSEL_CONFIG": str(self.place / "config.toml"),
            "MAILCOUNSEL_AS": person,
            "XDG_CONFIG_HOME": str(home),
        }
        done = CliRunner().invoke(
            cli, [*words], env={**own, **environment}, prog_name="mailcounsel"
        )
        said = f"{person} typed {words}: {done.exit_code}\n{done.output}\n{done.exception!r}"
        assert done.exit_code == 0, said
        return done.output

    def wulan(self, *words: str, **environment: str) -> str:
        """Type a command as the therapist, and let what it sends leave."""
        said = self.type("wulan", *words, **environment)
        self.move(AT_REST)
        return said

    # -- the clients -----------------------------------------------------------------------------

    def add(self, client: Correspondent) -> Correspondent:
        """Let somebody appear, who has written nothing yet."""
        self.clients.append(client)
        return client

    def write(self, client: Correspondent, text: str, *, again: bool = False) -> None:
        """Let a client answer their latest letter by SMTP, or write a new one."""
        raw = client.compose(text, self.clock.now(), again=again)
        with smtplib.SMTP("127.0.0.1", self.listener.port, timeout=tools.PATIENCE) as line:
            line.sendmail(client.address, [client.writes_to], raw)
        self.turn()

    # -- time ------------------------------------------------------------------------------------

    def until(self, moment: datetime) -> None:
        """Let time pass up to a moment, an hour by day or three by night at a time."""
        while self.clock.at < moment:
            step = timedelta(hours=3 if self.is_night() else 1)
            self.move(min(step, moment - self.clock.at))

    def is_night(self) -> bool:
        """Tell whether it is an hour without automatic letters."""
        hour = self.clock.at.astimezone(ZONE).hour
        return not QUIET_UNTIL <= hour < QUIET_FROM

    def move(self, ahead: timedelta) -> None:
        """Move the clock, and do what is due by then."""
        self.clock.at += ahead
        self.turn()

    def turn(self) -> None:
        """Do what the service's loops do, until nothing is left, and deliver the mail."""
        while sum(job(self.desk) for job in LOOPS[:3]):
            pass
        for job in LOOPS[3:]:
            job(self.desk)
        self._deliver()

    def _deliver(self) -> None:
        for one in self.post.letters[self._taken :]:
            (address,) = one.recipients
            client = next((c for c in self.clients if c.address == address), None)
            if client:
                client.receive(Delivered(self.clock.at, one.content))
            else:
                assert address.endswith("@staf.test"), f"a letter went to nobody we know: {address}"
                self.staff.append((self.clock.at, address))
        self._taken = len(self.post.letters)

    # -- what must hold --------------------------------------------------------------------------

    def balance(self) -> dict[str, Any]:
        """Count every letter that came in, by where it ended."""
        return balance(self.desk)


def _code_in(words: list[str]) -> str:
    return next(word.strip(".") for word in words if word.count("-") == 2 and word[:1].isalnum())


@contextlib.contextmanager
def opened(place: Path, first_day: datetime, store: str = "") -> Iterator[World]:
    """Open a centre in a short folder, and take everything away afterwards."""
    with contextlib.ExitStack() as stack:
        world = World(place, first_day, store)
        world.build(stack)
        yield world
        for client in world.clients:
            client.close()
