"""A real centre as a process, with the people, the mail and the bad luck around it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import time
from base64 import b64decode, b64encode, encodebytes
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from e2e.forked import Warm
from mailcounsel.crypto import openpgp, sealing
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.crypto.sealing import ReaderKey
from mailcounsel.service.operations.people import statement_of
from parts.gpg_homes import Gpg
from servers import sink, tools

PROGRAM = [sys.executable, "-m", "mailcounsel"]
INBOX = "letters@example.org"
SOCKETS = shutil.ignore_patterns("S.*", "*.sock", "lock", ".#*")  # what is not worth copying

CONFIG = """
[centre]
name = "House of Letters"
sender_name = "House of Letters"
time_zone = "UTC"
languages = ["en", "id"]
state_dir = "state"

[emergency]
en = "If it cannot wait: call 119."
id = "Kalau tidak bisa menunggu: telepon 119."

[hours]
quiet = "{quiet}"

[limits]
hold_seconds = 0
automatic_per_sender_day = 50

[smarthost]
host = "127.0.0.1"
port = {smarthost}
tls = "none"
timeout_seconds = 20

[smtp]
port = {smtp}

[[inbox]]
address = "letters@example.org"
queue = "letters"
{inbox}

[[person]]
name = "wulan"
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


UNDER_WAY = """
SELECT (SELECT count(*) FROM inbox WHERE state = 'received')
     + (SELECT count(*) FROM outgoing WHERE state IN ('ready', 'held', 'handing-over'))
"""


class Refusal(Exception):
    """The service answered with an error."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Gone(Exception):
    """The service does not answer, or died while it did."""


def quiet_hours() -> str:
    """Quiet hours that are far from now, so that a check-in goes out at once."""
    hour = (datetime.now(UTC) + timedelta(hours=12)).hour
    return f"{hour:02}:00-{hour:02}:10"


def mail(sender: str, text: str, *, name: str, subject: str = "letter", answers: str = "") -> bytes:
    """Return a client's plain letter; `answers` is the Message-ID it answers."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = sender, INBOX, subject
    letter["Date"] = format_datetime(datetime.now(UTC))
    letter["Message-ID"] = f"<{name}@client.test>"
    if answers:
        letter["In-Reply-To"] = letter["References"] = answers
    letter.set_content(text)
    return letter.as_bytes()


# -- processes ------------------------------------------------------------------------------------


class Running:
    """Any process, by its id: is it alive, wait, kill."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def is_alive(self) -> bool:
        return not select.select([self._handle], [], [], 0)[0]

    def wait(self) -> None:
        found, _, _ = select.select([self._handle], [], [], tools.PATIENCE)
        assert found, f"process {self.pid} does not end"

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def close(self) -> None:
        os.close(self._handle)


def attach(pid: int, output: Path, *options: str) -> subprocess.Popen[bytes]:
    """Let strace watch a process and all its threads and children from now on."""
    command = [tools.need("strace"), "-f", "-o", str(output), *options, "-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{pid}/status")

    def attached() -> bool:
        if tracer.poll() is not None:
            tools.absent("strace may not watch a process here")
        return f"TracerPid:\t{tracer.pid}\n" in status.read_text()

    tools.until(attached, "strace to attach")
    return tracer


# -- the mail server that takes what the centre sends ---------------------------------------------


class Watched(sink.Sink):
    """A sink that also remembers for whom a letter was announced, taken or not."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.announced: Counter[str] = Counter()
        self._blows: dict[str, Callable[[], object]] = {}

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.announced[address] += 1
        self._strike("RCPT")
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self._strike("text")
        answer = await super().handle_DATA(server, session, envelope)
        self._strike("answer")
        return answer

    def strike(self, moment: str, blow: Callable[[], object]) -> None:
        """Do something at the next such moment: RCPT, text (before it is kept), answer (after)."""
        self._blows[moment] = blow

    def _strike(self, moment: str) -> None:
        self._blows.pop(moment, lambda: None)()

    def names(self) -> list[str]:
        """Return the Message-ID of every letter taken."""
        return [header(taken.content, "Message-ID") for taken in self.letters]

    def for_(self, address: str) -> list[sink.Taken]:
        """Return the letters taken for an address."""
        return [taken for taken in self.letters if taken.recipients == (address,)]


def header(raw: bytes, name: str) -> str:
    """Return a header of a letter, "" when it has none."""
    import email.policy

    return str(email.message_from_bytes(raw, policy=email.policy.default).get(name, "")).strip()


# -- the centre -----------------------------------------------------------------------------------


class Centre:
    """A centre in a folder of its own; `process` is the service, while there is one."""

    def __init__(self, folder: Path, smarthost: int, *, inbox: str = "", more: str = "") -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "config.toml"
        self.log = folder / "log"
        self.smtp_port = tools.free_port()
        self.keys: dict[str, ReaderKey] = {}
        self.running: Running | None = None
        self._starts = 0  # how often it said that it was ready, before it was started last
        self.process: subprocess.Popen[bytes] | None = None
        self.tracer: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700, exist_ok=True)
        self.configure(smarthost, inbox=inbox, more=more)

    def configure(self, smarthost: int, *, inbox: str = "", more: str = "") -> None:
        """Write config.toml."""
        facts = {"smtp": self.smtp_port, "smarthost": smarthost, "quiet": quiet_hours()}
        text = CONFIG.format(**facts, inbox=inbox, uid=os.getuid()) + more
        self.config.write_text(text)
        self.config.chmod(0o600)

    def make_keys(self) -> None:
        """Make what `mailcounsel init` makes."""
        self.state.mkdir(mode=0o700)
        ServiceKeyring.create(self.state / "keyring.json")
        made = openpgp.make_centre(self.state / "gnupg", "House of Letters", INBOX)
        (self.state / "centre.fingerprint").write_text(made)

    def copied_from(self, other: Centre) -> Centre:
        """Take over the state and the people of a centre that is not running."""
        shutil.copytree(other.state, self.state, ignore=SOCKETS)
        self.keys = other.keys
        return self

    @property
    def store(self) -> Path:
        return self.state / "mailcounsel.db"

    # -- the process

    def start(self, *wrap: str, env: dict[str, str] | None = None) -> None:
        """Start the service as a program, behind `wrap` if given, and wait until it answers."""
        self.spawn(*wrap, env=env)
        self.wait_until_ready()

    def spawn(self, *wrap: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start the service as a program and leave it to itself."""
        self._starts = self.words().count("Ready: ")
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [*wrap, *PROGRAM, "--config", str(self.config), "--debug", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=os.environ | (env or {}),
                start_new_session=True,
            )
        self.running = Running(process.pid)
        self.process = process
        return process

    def run(self, *command: str, env: dict[str, str] | None = None) -> tuple[int, str]:
        """Run one command of the program to its end; return its exit code and what it said."""
        done = subprocess.run(
            [*PROGRAM, "--config", str(self.config), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=os.environ | (env or {}),
            timeout=tools.PATIENCE,
            check=False,
            text=True,
        )
        return done.returncode, done.stdout.strip()

    def start_warm(self, warm: Warm, *strace: str, ready: bool = True) -> None:
        """Start the service by fork, and watched by strace if options for it are given."""
        self._starts = self.words().count("Ready: ")
        words = ("--config", str(self.config), "--debug", "serve")
        child = warm.serve(words, cwd=self.folder, env=os.environ, log=self.log, waits=True)
        self.running = Running(child.pid)
        self.tracer = attach(child.pid, self.folder / "trace", *strace) if strace else None
        warm.go(child)
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the service says that it is ready, without asking it anything."""
        tools.until(self._is_ready, "the service to be ready")

    def _is_ready(self) -> bool:
        if not self.is_alive():
            raise Gone(self.words()[-2000:])
        return self.words().count("Ready: ") > self._starts

    def is_alive(self) -> bool:
        return self.running is not None and self.running.is_alive()

    def kill(self) -> None:
        """End the service as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the service politely."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self.running is None:
            return
        self.running.signal(number)
        try:
            self.running.wait()
        except AssertionError:
            self.running.kill()
            raise
        finally:
            self.running.close()
            self.running = None
            self._end_tracing()
            if self.process:
                self._end_group(self.process, number)
                self.process = None

    def _end_group(self, process: subprocess.Popen[bytes], number: int) -> None:
        """Reach the service behind a program that started it and passes no signal on."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(tools.PATIENCE)
        deadline = time.monotonic() + tools.PATIENCE
        with contextlib.suppress(ProcessLookupError):
            while True:
                late = time.monotonic() > deadline
                os.killpg(process.pid, signal.SIGKILL if late else 0)
                time.sleep(0.02)

    def _end_tracing(self) -> None:
        """Let strace go; the centre's gpg-agent may outlive the service."""
        if self.tracer:
            self.tracer.terminate()
            self.tracer.wait(tools.PATIENCE)
            self.tracer = None

    def words(self) -> str:
        """Return what the service has said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # -- its people

    def call(self, person: str, method: str, /, **parameters: Any) -> Any:
        """Ask the service for something. Raises: Refusal, Gone."""
        params = parameters if method == "hello" else {**parameters, "as": person}
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            with socket.socket(socket.AF_UNIX) as end:
                end.settimeout(tools.PATIENCE)
                end.connect(str(self.state / "control.sock"))
                end.sendall(line.encode() + b"\n")
                answer = end.makefile("rb").readline()
        except OSError as fault:
            raise Gone from fault
        if not answer:
            raise Gone
        said = json.loads(answer)
        if "error" in said:
            raise Refusal(said["error"]["message"], said["error"]["data"]["exit_code"])
        return said["result"]

    def enrol(self, *names: str) -> None:
        """Invite people and enrol them with keys of their own."""
        for name in names:
            code = self.call("sari", "person.invite", person=name)["code"]
            own = openpgp.Personal(self.folder / f"gpg-{name}")
            fingerprint = own.make_key(name, f"{name}@example.org")
            key = self.keys[name] = ReaderKey.new()
            statement = statement_of(name, key.public, key.verify_key)
            self.call(
                name,
                "person.enrol",
                code=code,
                public_key=b64(key.public),
                verify_key=b64(key.verify_key),
                certificate=b64(own.export(fingerprint)),
                statement=statement.decode(),
                signature=b64(own.sign(statement, fingerprint)),
            )

    def begin_reply(self, person: str, case: str, text: str, *, plain: str = "") -> dict[str, str]:
        """Begin a reply and sign it, as the person's own process does."""
        begun = self.call(person, "reply.begin", case=case)
        said = {**begun, "subject": "An answer for you", "text": text, "plain": plain}
        statement = json.dumps(said)
        signature = self.keys[person].sign(statement.encode())
        return {"statement": statement, "signature": b64(signature)}

    def reply(self, person: str, case: str, text: str, *, plain: str = "") -> Any:
        return self.call(
            person, "reply.approve", **self.begin_reply(person, case, text, plain=plain)
        )

    def read(self, person: str, case: str) -> list[dict[str, Any]]:
        """Open a case's entries as a reader's own process does, oldest first."""
        shown = self.call(person, "case.show", case=case)
        private, opened = self.keys[person].private, {}
        for copy in shown["keys"]:
            place = (copy["case"], copy["epoch"], copy["purpose"])
            context = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
            opened[place] = sealing.open_with(private, b64decode(copy["sealed"]), context)
        entries = []
        for entry in shown["entries"]:
            key = opened[entry["case"], entry["epoch"], "content"]
            context = f"letter/{entry['id']}/content"
            content = sealing.open_with(key, b64decode(entry["content"]), context)
            entries.append({**entry, **json.loads(content)})
        return entries

    def cases(self) -> list[str]:
        """Return the open cases, by number."""
        listed = self.call("sari", "queue.list", all=True)["cases"]
        return sorted(case["case"] for case in listed)

    def received(self) -> list[str]:
        """Return the words of every letter in every case."""
        found = [entry for case in self.cases() for entry in self.read("sari", case)]
        return [entry["text"].strip() for entry in found if entry["direction"] == "in"]

    def add_goal(self, person: str, case: str, label: str, detail: str) -> None:
        """Agree a goal, its detail sealed as the person's own process does."""
        shown = self.call(person, "case.show", case=case)
        goal = os.urandom(12).hex()
        copy = next(one for one in shown["keys"] if one["purpose"] == "content")
        context = f"case/{copy['case']}/{copy['epoch']}/content"
        private = sealing.open_with(self.keys[person].private, b64decode(copy["sealed"]), context)
        public = sealing.Pair.of(private).public
        sealed = sealing.seal_to(public, detail.encode(), f"goal/{goal}/detail")
        facts = {"goal": goal, "label": label, "detail": b64(sealed), "every": "week"}
        self.call(person, "goal.add", case=case, epoch=shown["epoch"], at="Mon 09:00", **facts)

    # -- its mail

    def send(self, raw: bytes, sender: str, to: str = INBOX) -> None:
        """Hand over a letter by SMTP; return once it was acknowledged. Raises: Gone."""
        try:
            with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=tools.PATIENCE) as line:
                line.sendmail(sender, [to], raw)
        except (OSError, smtplib.SMTPServerDisconnected) as fault:
            if isinstance(fault, smtplib.SMTPException) and not isinstance(
                fault, smtplib.SMTPServerDisconnected | smtplib.SMTPConnectError
            ):
                raise
            raise Gone from fault

    # -- its balance

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the store, or change it while the service is away."""
        with closing(sqlite3.connect(self.store, timeout=30)) as line, line:
            return line.execute(query, values).fetchall()

    def outbox(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.store, timeout=30)) as line:
            line.row_factory = sqlite3.Row
            return [dict(row) for row in line.execute("SELECT * FROM outgoing ORDER BY created_at")]

    def is_settled(self) -> bool:
        """Tell whether nothing is under way any more. Raises: Gone."""
        if not self.is_alive():
            raise Gone
        return self.sql(UNDER_WAY) == [(0,)]  # one look, since what leaves one table enters another

    def settle(self) -> None:
        try:
            tools.until(self.is_settled, "everything under way to end")
        except BaseException:  # say what was under way, to whoever has to find out why
            print(self.sql("SELECT state, reason, attempts, due_at FROM inbox"))
            print(self.sql("SELECT kind, state, reason, attempts, due_at FROM outgoing"))
            print(self.words()[-3000:])
            raise

    def close(self) -> None:
        """End whatever is left of it."""
        if self.running:
            self.kill()


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def integrity(path: Path) -> list[str]:
    """Return what SQLite finds wrong with a store."""
    with closing(sqlite3.connect(path)) as line:
        wrong = [row[0] for row in line.execute("PRAGMA integrity_check") if row[0] != "ok"]
        return wrong + [str(row) for row in line.execute("PRAGMA foreign_key_check")]


def attempt(work: Callable[[], Any]) -> bool:
    """Do something with a service that may die meanwhile, and tell whether it got done."""
    try:
        work()
    except Gone:
        return False
    return True


def make_acquainted(centre: Centre, server: Watched) -> None:
    """Let a client write and agree to ordinary mail, and a therapist take the case."""
    ani = "ani@client.test"
    centre.send(mail(ani, "I cannot sleep since we moved.", name="first"), ani)
    centre.settle()
    (offer,) = server.for_(ani)
    agreed = mail(ani, "AGREE", name="agree", answers=header(offer.content, "Message-ID"))
    centre.send(agreed, ani)
    centre.settle()
    assert centre.call("wulan", "case.next")["case"] == "C-0001"
    centre.add_goal("wulan", "C-0001", "walk a little", "Half an hour by the river.")


def mailbox(dovecot: Any, user: str, secret: Path) -> str:
    """Return the lines of an inbox whose letters are fetched from a mailbox, then moved."""
    return f"""
after = "move"
after_days = 0
move_to = "Archive"

[inbox.imap]
host = "127.0.0.1"
port = {dovecot.port}
tls = "none"
user = "{user}"
password_file = "{secret}"
folder = "INBOX"
junk_folder = "Junk"
poll_seconds = 1
"""


def locked(gpg: Gpg, key: str, address: str, text: str, *, subject: str = "inside") -> bytes:
    """Return a letter encrypted to the centre and signed, its real subject inside (RFC 3156)."""
    inner = EmailMessage()
    inner["Subject"], inner["From"], inner["To"] = subject, address, INBOX
    inner.set_content(text)
    inner.set_param("protected-headers", "v1")
    signer = ("--local-user", key) if key else ()
    sealed = gpg(
        "--armor", "--recipient", INBOX, *signer, "--encrypt", "--sign", data=inner.as_bytes()
    )
    return envelope(sealed, address, gpg.export(address))


def envelope(sealed: bytes, address: str, certificate: bytes) -> bytes:
    """Return what goes around encrypted bytes on their way, with an Autocrypt header."""
    keydata = encodebytes(certificate).decode().strip().replace("\n", "\n ")
    head = (
        f"From: {address}\nTo: {INBOX}\nSubject: ...\n"
        f"Message-ID: <{os.urandom(8).hex()}.{address}>\n"
        f"Autocrypt: addr={address}; keydata=\n {keydata}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b"\n'
        "\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n"
        "--b\nContent-Type: application/octet-stream\n\n"
    )
    return head.encode() + sealed + b"\n--b--\n"
