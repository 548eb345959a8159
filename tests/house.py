"""A whole centre without doors, for tests: letters are put in by hand and taken out by hand."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from mailcounsel import config as configuration
from mailcounsel.casework import letters, records
from mailcounsel.casework.office import Office
from mailcounsel.casework.parcels import Parcel
from mailcounsel.crypto import sealing
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.crypto.openpgp import Centre, make_centre
from mailcounsel.crypto.sealing import ReaderKey
from mailcounsel.intake import inbox
from mailcounsel.service import work
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.service.operations import OPERATIONS
from mailcounsel.store import models
from mailcounsel.store.columns import new_id
from mailcounsel.store.engine import Store
from mailcounsel.trust import roster

CONFIG = """
[centre]
name = "Rumah Surat"
sender_name = "Rumah Surat"
time_zone = "Asia/Jakarta"
languages = ["id", "en"]
state_dir = "{state}"

[emergency]
id = "Telepon 112 kapan saja."
en = "Call 112 at any time."

[hours.working]
mon = "09:00-17:00"
tue = "09:00-17:00"
wed = "09:00-17:00"
thu = "09:00-17:00"
fri = "09:00-17:00"

[limits]
automatic_per_sender_day = 5

[smarthost]
host = "127.0.0.1"
port = {smarthost}
tls = "none"

[smtp]
port = 0

[[inbox]]
address = "halo@rumah.test"
queue = "umum"

[[person]]
name = "wulan"
roles = ["therapist"]
uid = 1001
queues = ["umum"]
notify = "wulan@staf.test"

[[person]]
name = "bayu"
roles = ["therapist"]
uid = 1002
queues = ["umum"]

[[person]]
name = "sari"
roles = ["supervisor", "admin"]
uid = 1003

[[queue]]
name = "umum"
supervisor = "sari"
{more}
"""


def write_config(folder: Path, *, smarthost: int = 2599, more: str = "") -> Path:
    """Write a configuration a test centre runs with, and return its path."""
    path = folder / "config.toml"
    path.write_text(CONFIG.format(state=folder / "state", smarthost=smarthost, more=more))
    return path


@dataclass
class House:
    """A centre with a store, keys and people, driven step by step."""

    folder: Path
    store: Store
    clock: Any
    centre: Centre
    office: Office
    keys: dict[str, ReaderKey] = field(default_factory=dict)
    posted: int = 0

    @property
    def desk(self) -> Desk:
        return Desk(self.office, self.store, self.clock, self.centre, lambda name: None)

    def enrol(self, *names: str) -> None:
        """Write people into the roster with fresh reader keys."""
        for name in names:
            key = self.keys[name] = ReaderKey.new()
            now = self.clock.now()

            def job(
                connection: Connection,
                name: str = name,
                key: ReaderKey = key,
                now: datetime = now,
            ) -> None:
                code = roster.invite(connection, self.office.keyring, name, now)
                paper = roster.Enrolment(key.public, key.verify_key, b"", b"", b"")
                roster.enrol(connection, self.office.keyring, code, paper, now)

            self.store.write(job)

    def call(self, person: str, method: str, /, **parameters: Any) -> dict[str, Any]:
        """Carry out an operation of the control socket as a person."""
        found = self.office.config.person(person)
        assert found is not None
        assert found.uid is not None
        caller = Caller(found.uid, (person,), person, tuple(found.roles))
        answer = OPERATIONS[method].run(self.desk, caller, parameters)
        as_read: dict[str, Any] = json.loads(json.dumps(answer))
        return as_read

    def keep(
        self,
        raw: bytes,
        *,
        to: str = "halo@rumah.test",
        mail_from: str | None = "x@y.test",
        suspect: bool = False,
    ) -> str:
        """Keep a letter without looking at it. Return its inbox id."""
        envelope = inbox.Envelope("smtp", mail_from, (to,), suspect)
        sighted, keyring = inbox.handed_over(), self.office.keyring
        future = inbox.keep(self.store, keyring, raw, envelope, sighted, self.clock.now())
        return future.result().inbox_id

    def place(self) -> int:
        """Take what is due through the nine steps. Return how many letters that were."""
        return work.place_letters(self.desk) + work.place_heavy_letter(self.desk)

    def receive(self, raw: bytes, **more: Any) -> SimpleNamespace:
        """Keep a letter and take it through the nine steps. Return its inbox row."""
        return self.again(self.keep(raw, **more))

    def again(self, kept: str) -> SimpleNamespace:
        """Take what is due through the nine steps. Return the inbox row of one letter."""
        self.place()
        rows = models.table(models.Inbox)
        query = select(rows).where(rows.c.id == kept)
        return self.store.read(lambda c: SimpleNamespace(**c.execute(query).mappings().one()))

    def write(
        self,
        sender: str,
        text: str,
        *,
        reply_to: Parcel | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> SimpleNamespace:
        """Write a plain letter as a client would and receive it."""
        raw = self.mail(sender, text, reply_to=reply_to, headers=headers)
        return self.receive(raw, **more)

    def mail(
        self,
        sender: str,
        text: str,
        *,
        reply_to: Parcel | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """Return a plain letter; `reply_to` is the mail it answers."""
        self.posted += 1
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, reply_to.from_address if reply_to else "halo@rumah.test"
        mail["Subject"] = f"Re: {reply_to.subject}" if reply_to else "surat"
        mail["Date"] = format_datetime(self.clock.now())
        mail["Message-ID"] = f"<{self.posted}.{sender.rsplit(maxsplit=1)[-1].strip('<>')}>"
        if reply_to:
            mail["In-Reply-To"] = mail["References"] = f"<{reply_to.message_id}>"
        for name, value in (headers or {}).items():
            del mail[name]
            if value:
                mail[name] = value
        mail.set_content(text)
        return mail.as_bytes()

    def quoting(self, words: str, parcel: Parcel) -> str:
        """Return an answer as a mail program makes it: the words, and the whole letter below.

        That letter named a place to turn to, whose name says what it is for.
        """
        lines = [*parcel.text.splitlines(), "Kalau terpikir bunuh diri: telepon 119."]
        quoted = "\n".join(f"> {line}".rstrip() for line in lines)
        return f"{words}\n\nPada Jum, 27 Nov 2026 pukul 21.49 Rumah menulis:\n\n{quoted}\n"

    def outbox(self, kind: str | None = None) -> list[SimpleNamespace]:
        """Return the outgoing letters, oldest first, each with its opened `parcel` if there."""
        out = letters.outgoing
        query = select(out).order_by(out.c.created_at, out.c.id)
        rows = self.store.read(lambda c: c.execute(query).mappings().all())
        return [
            SimpleNamespace(**row, parcel=self._parcel(row))
            for row in rows
            if kind in {None, row["kind"]}
        ]

    def _parcel(self, row: Any) -> Parcel | None:
        return letters.open_parcel(self.office, row) if row["sealed"] else None

    def bounce(self, message_id: str, text: str = "It could not be delivered.") -> bytes:
        """Return a mail server's report (RFC 3464) about one of our letters."""
        self.posted += 1
        lines = [
            "From: MAILER-DAEMON@relay.test",
            "To: halo@rumah.test",
            "Subject: Undelivered Mail Returned to Sender",
            f"Message-ID: <{self.posted}@relay.test>",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="r"',
            *("", "--r", "Content-Type: text/plain", "", text, ""),
            *("--r", "Content-Type: message/delivery-status", ""),
            *("Reporting-MTA: dns; relay.test", ""),
            *("Final-Recipient: rfc822; ani@klien.test", "Action: failed", "Status: 5.1.1", ""),
            *("--r", "Content-Type: text/rfc822-headers", ""),
            *(f"Message-ID: <{message_id}>", "Subject: Surat untuk Anda", ""),
            "--r--",
        ]
        return "\r\n".join(lines).encode()

    def send(self, *, most: int = 100) -> list[Parcel]:
        """Take what is due as the smarthost does, and return it, oldest first."""
        now = self.clock.now()
        taken = []
        for row in self.store.write(lambda c: letters.due(c, now, most)):
            taken.append(letters.open_parcel(self.office, row))
            claim = {"outgoing_id": row["id"], "fence": row["fence"]}
            self.store.write(partial(letters.handing_over, **claim))
            self.store.write(partial(letters.sent, **claim, now=now))
        return taken

    def sent_to(self, address: str) -> list[Parcel]:
        """Take what is due, and return what went to one address."""
        return [parcel for parcel in self.send() if parcel.to_address == address]

    def flags(self, number: int) -> list[str]:
        """Return the kinds of the standing flags of a case."""
        rows = self.store.read(lambda c: records.flags_of(c, [self.case(number).id]))
        return [row["kind"] for row in rows]

    def audited(self) -> list[str]:
        """Return what happened, as codes in order."""
        return [row.verb for row in sorted(self.rows(models.Audit), key=lambda row: row.id)]

    def states(self) -> list[str]:
        """Return the states of the letters in the inbox."""
        return [row.state for row in self.rows(models.Inbox)]

    def edit(self, model: Any, row_id: str, **values: Any) -> None:
        """Change a row as somebody with the database in their hands would."""
        rows = models.table(model)
        change = update(rows).where(rows.c.id == row_id).values(**values)
        self.store.write(lambda c: c.execute(change).rowcount)

    def case(self, number: int) -> SimpleNamespace:
        """Return a case's row by its number."""
        rows = models.table(models.Case)
        query = select(rows).where(rows.c.number == number)
        return self.store.read(lambda c: SimpleNamespace(**c.execute(query).mappings().one()))

    def rows(self, model: Any) -> list[SimpleNamespace]:
        """Return every row of a table, by primary key: a database gives them in any order."""
        found = models.table(model)
        query = select(found).order_by(*found.primary_key)
        return self.store.read(
            lambda c: [SimpleNamespace(**row) for row in c.execute(query).mappings()]
        )

    def multiply(self, number: int, times: int) -> None:
        """Let a case, and the first danger in it, stand there so many times more."""
        one = vars(self.case(number)) | {"word_lookup": None}
        dangers = [vars(risk) for risk in self.rows(models.Risk) if risk.case_id == one["id"]]
        copies = [
            {**one, "id": f"{more:032x}", "number": 1_000 + more, "token_lookup": b"%032d" % more}
            for more in range(times)
        ]

        def add(connection: Connection) -> None:
            connection.execute(insert(models.table(models.Case)), copies)
            for danger in dangers[:1]:
                more = [{**danger, "id": copy["id"], "case_id": copy["id"]} for copy in copies]
                connection.execute(insert(models.table(models.Risk)), more)

        self.store.write(add)

    def reply(self, person: str, case: str, text: str, *, plain: str = "") -> dict[str, Any]:
        """Reply as a therapist's own process does: begin, sign, approve."""
        begun = self.call(person, "reply.begin", case=case)
        statement = json.dumps(
            {**begun, "subject": "Surat untuk Anda", "text": text, "plain": plain}
        )
        signature = self.keys[person].sign(statement.encode())
        return self.call(
            person, "reply.approve", statement=statement, signature=b64encode(signature).decode()
        )

    def close(self, person: str, case: str) -> dict[str, Any]:
        """Close a case with a reason, which stands in for one sealed in a therapist's process."""
        epoch = self.call(person, "case.show", case=case)["epoch"]
        why = {"letter": new_id(), "epoch": epoch, "content": b64encode(b"sealed").decode()}
        return self.call(person, "case.close", case=case, **why)

    def read(self, person: str, case: str) -> list[dict[str, Any]]:
        """Open a case's entries as a reader's own process does, oldest first."""
        shown = self.call(person, "case.show", case=case)
        private = self.keys[person].private
        opened = {}
        for copy in shown["keys"]:
            context = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
            place = (copy["case"], copy["epoch"], copy["purpose"])
            opened[place] = sealing.open_with(private, b64decode(copy["sealed"]), context)
        entries = []
        for entry in shown["entries"]:
            key = opened[(entry["case"], entry["epoch"], "content")]
            content = sealing.open_with(
                key, b64decode(entry["content"]), f"letter/{entry['id']}/content"
            )
            entries.append({**entry, **json.loads(content)})
        return entries

    def look(self, person: str, case: str) -> list[dict[str, Any]]:
        """Open a case's entries and tell the service so, as `show` does."""
        entries = self.read(person, case)
        self.call(person, "case.read", case=case, letters=[one["id"] for one in entries])
        return entries


def make_key(home: Path) -> Centre:
    """Make the centre's OpenPGP key in a home, and open it."""
    return Centre(home, make_centre(home, "Rumah Surat", "halo@rumah.test"))


def build(
    folder: Path,
    store: Store,
    clock: Any,
    centre: Centre,
    *,
    more: str = "",
    smarthost: int = 2599,
) -> House:
    """Build a centre: configuration, keyring, OpenPGP key; nobody is enrolled yet."""
    config = configuration.load(write_config(folder, more=more, smarthost=smarthost))
    office = Office(config, ServiceKeyring.create(folder / "house-keyring.json"))
    return House(folder, store, clock, centre, office)
