"""Mailboxes: found on a real Dovecot, and on a scripted server for what Dovecot never does."""

from __future__ import annotations

import base64
import contextlib
import logging
import shutil
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
import trustme
from sqlalchemy import select

from mailcounsel import config, errors
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.intake import imap, inbox, ledger, watcher
from mailcounsel.store import schema
from mailcounsel.store.engine import Store

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PATIENCE = 60


def letter(name, words="Halo."):
    return (
        f"Message-ID: <{name}@client.test>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\n"
        f"From: embun@client.test\r\nTo: letters@example.org\r\nSubject: {name}\r\n\r\n{words}\r\n"
    ).encode()


class Centre:
    """A store, a clock, and as many watchers as a test wants."""

    def __init__(self, tmp_path):
        self.tmp_path = tmp_path
        self.store = Store(f"sqlite:///{tmp_path / 'store.db'}")
        schema.upgrade(self.store)
        self.keyring = ServiceKeyring.create(tmp_path / "keyring.json")
        self.time = NOW
        self.clock = SimpleNamespace(now=lambda: self.time)
        self.woken = threading.Event()
        self.watchers: list[watcher.Watcher] = []
        self.size_bytes = 10_240_000

    def inbox(self, host, port, user="letters", password="loopback only", **settings):
        secret = self.tmp_path / f"password-{uuid4().hex}"
        secret.write_text(password)
        secret.chmod(0o600)
        account = {
            **dict(host=host, port=port, user=user, tls="none", password_file=secret),
            **settings.pop("imap", {}),
        }
        facts = {"address": "letters@example.org", "queue": "letters", "after_days": 0, **settings}
        return config.Inbox.model_validate({**facts, "imap": account})

    def watch(self, watched):
        one = watcher.Watcher(
            watched,
            store=self.store,
            keyring=self.keyring,
            clock=self.clock,
            ours=lambda address: address.lower().endswith("@example.org"),
            size_bytes=self.size_bytes,
            kept=self.woken.set,
        )
        self.watchers.append(one)
        one.start()
        return one

    def close(self):
        for one in self.watchers:
            one.stop(PATIENCE)
        self.store.close()

    def claim(self):
        later = self.time + timedelta(days=9999)
        found = inbox.claim(self.store, self.keyring, later, 99)
        found += inbox.claim_heavy(self.store, self.keyring, later)
        return {received.raw: received for received in found}

    def settle(self, state="case"):
        for received in self.claim().values():
            settled = partial(inbox.settle, received=received, state=state)
            assert self.store.write(settled)

    def letters(self):
        return sum(inbox.counts(self.store).letters.values())

    def problem(self):
        reports = ledger.reports(self.store)
        return reports[0].problem if reports else None

    def looked(self):
        return [report.looked_at for report in ledger.reports(self.store) if report.looked_at]

    def servers(self):
        query = select(inbox.sightings.c.server).order_by(inbox.sightings.c.uid)
        return self.store.read(lambda connection: connection.execute(query).scalars().all())


@pytest.fixture
def centre(tmp_path):
    opened = Centre(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def user():
    """An account of one's own on the shared server."""
    return f"u{uuid4().hex[:8]}"


@pytest.fixture
def mailbox(centre, dovecot, user):
    """`mailbox(**settings)`: an inbox of the configuration for one's own account."""

    def make(**settings):
        return centre.inbox(dovecot.host, dovecot.port, user, dovecot.password, **settings)

    return make


# -- finding letters ------------------------------------------------------------------------------


def test_what_is_there_is_found_and_what_comes_wakes(centre, dovecot, mailbox, user, until):
    """Letters already there are kept, and one that comes later is kept long before the poll."""
    first = letter("first", "x" * 2000)
    dovecot.append(user, first)
    centre.watch(mailbox(imap={"poll_seconds": 3600}))
    until(lambda: centre.letters() == 1, "the first letter")
    assert centre.woken.wait(PATIENCE)
    until(centre.looked, "the end of a look")
    for number in range(3):
        dovecot.append(user, letter(f"later-{number}"))
        until(lambda n=number: centre.letters() == 2 + n, "a later letter")
    found = centre.claim()
    assert set(found) == {first, *(letter(f"later-{n}") for n in range(3))}
    assert found[first].envelope == inbox.Envelope("imap", None, ("letters@example.org",))


def test_flags_mean_nothing_and_none_is_set(centre, dovecot, mailbox, user, until):
    """A letter somebody read already is kept all the same, and ours marks none as read."""
    read = dovecot.append(user, letter("read"), flags=[rb"\Seen", rb"\Flagged"])
    unread = dovecot.append(user, letter("unread"))
    centre.watch(mailbox())
    until(lambda: centre.letters() == 2, "both letters")
    assert rb"\Seen" not in dovecot.flags(user, unread)
    assert rb"\Flagged" in dovecot.flags(user, read)


def test_junk_is_read_too_and_shown_as_suspect(centre, dovecot, mailbox, user, until):
    """A letter in Junk is kept, marked suspect."""
    dovecot.append(user, letter("junk"), "Junk")
    dovecot.append(user, letter("good"))
    centre.watch(mailbox())
    until(lambda: centre.letters() == 2, "both letters")
    found = centre.claim()
    assert found[letter("junk")].envelope.suspect
    assert not found[letter("good")].envelope.suspect


def test_a_missing_junk_folder_stops_nothing(centre, dovecot, mailbox, user, until):
    """Where there is no such folder the others are read, and check says so."""
    watched = mailbox(imap={"junk_folder": "Spam Mail"})
    dovecot.append(user, letter("good"))
    centre.watch(watched)
    until(lambda: centre.letters() == 1, "the letter")
    assert watcher.check(watched) == ["junk-missing"]
    assert centre.problem() == ""


def test_the_recipient_is_whom_the_provider_says(centre, dovecot, mailbox, user, until):
    """The header of the configuration counts before To."""
    raw = b"X-Original-To: youth+t0ken@example.org\r\nReturn-Path: <>\r\n" + letter("x")
    dovecot.append(user, raw)
    centre.watch(mailbox(recipient_header="X-Original-To"))
    until(lambda: centre.letters() == 1, "the letter")
    envelope = centre.claim()[raw].envelope
    assert envelope == inbox.Envelope("imap", "", ("youth+t0ken@example.org",))


def test_a_restart_doubles_nothing(centre, dovecot, mailbox, user, until):
    """A watcher that starts again keeps only what came meanwhile."""
    dovecot.append(user, letter("one"))
    first = centre.watch(mailbox())
    until(lambda: centre.letters() == 1, "the first letter")
    first.stop(PATIENCE)
    dovecot.append(user, letter("two"))
    centre.watch(mailbox())
    until(lambda: centre.letters() == 2, "the second letter")
    assert inbox.counts(centre.store) == inbox.Counts(2, {"received": 2}, 0)


def test_a_letter_that_came_by_smtp_is_the_same_letter(centre, dovecot, mailbox, user, until):
    """Handed over and found, with other trace headers: one letter, two lines of the ledger."""
    envelope = inbox.Envelope("smtp", "embun@client.test", ("letters@example.org",))
    raw = letter("both")
    inbox.keep(centre.store, centre.keyring, raw, envelope, inbox.handed_over(), NOW).result()
    dovecot.append(user, b"Received: from somewhere.test\r\n" + raw)
    centre.watch(mailbox())
    until(lambda: inbox.counts(centre.store).sightings == 2, "the second sighting")
    assert centre.letters() == 1


def test_a_renumbered_folder_loses_and_doubles_nothing(centre, dovecot, mailbox, user, until):
    """A folder that is made anew gets another UIDVALIDITY; all letters are looked at again."""
    settings = {"folder": "Work", "junk_folder": False}
    with dovecot.session(user) as client:
        client.create_folder("Work")
    for name in ("one", "two"):
        dovecot.append(user, letter(name), "Work")
    centre.watch(mailbox(imap=settings | {"poll_seconds": 1}))
    until(lambda: centre.letters() == 2, "two letters")
    with dovecot.session(user) as client:
        client.rename_folder("Work", "Old")
        client.create_folder("Work")
        # The server's UIDVALIDITY may go by seconds: make sure that it is another.
        before = client.select_folder("Old")[b"UIDVALIDITY"]
        while client.select_folder("Work")[b"UIDVALIDITY"] == before:
            client.unselect_folder()
            client.delete_folder("Work")
            client.create_folder("Work")
    for name in ("two", "three"):
        dovecot.append(user, letter(name), "Work")
    until(lambda: inbox.counts(centre.store).sightings == 4, "two more sightings")
    assert centre.letters() == 3


def test_a_mailbox_restored_from_a_copy_loses_no_letter(centre, dovecot, mailbox, user, until):
    """The server forgot letters, and gives their UIDs to others: all of it is looked at again."""
    dovecot.append(user, letter("one"))
    place = dovecot.directory / "mail" / user
    subprocess.run(["cp", "-a", place, f"{place}.copy"], check=True)
    for name in ("two", "three", "four"):
        dovecot.append(user, letter(name))
    first = centre.watch(mailbox())
    until(lambda: centre.letters() == 4, "four letters")
    first.stop(PATIENCE)
    shutil.rmtree(place)
    Path(f"{place}.copy").rename(place)
    assert dovecot.append(user, letter("five")) == 2
    second = centre.watch(mailbox())
    until(lambda: centre.letters() == 5, "the letter that got an old number")
    assert inbox.counts(centre.store) == inbox.Counts(6, {"received": 5}, 0)
    second.stop(PATIENCE)
    dovecot.append(user, letter("six"))
    centre.watch(mailbox())
    until(lambda: centre.letters() == 6, "the next letter")
    assert inbox.counts(centre.store).sightings == 7


@pytest.mark.parametrize(
    ("uids", "uidnext", "seen", "anew"),
    [
        ({1, 2}, 3, {1, 2}, False), ({1}, 3, {1, 2}, False), (set(), 1, set(), False),
        (set(), 3, {1, 2}, False), ({1}, 2, {1, 2}, True), (set(), 1, {4}, True),
        ({1, 9}, 2, {1, 2, 9}, False), ({1, 2}, None, {1, 2}, False),
    ],
)  # fmt: skip
def test_only_numbers_to_come_that_were_seen_are_a_sign(uids, uidnext, seen, anew):
    """Letters that were deleted are none, nor a server that says nothing, or what cannot be."""
    assert imap.View(7, frozenset(uids), uidnext, ()).counts_anew(seen) == anew


def test_gaps_and_expunged_letters(centre, dovecot, mailbox, user, until):
    """UIDs with holes, and letters that vanish, do not hold up those that come."""
    uids = [dovecot.append(user, letter(f"n{number}")) for number in range(6)]
    with dovecot.session(user) as client:
        client.select_folder("INBOX")
        client.delete_messages(uids[1:4])
        client.uid_expunge(uids[1:4])
    centre.watch(mailbox())
    until(lambda: centre.letters() == 3, "three letters")
    until(centre.looked, "the end of a look")
    with dovecot.session(user) as client:
        client.select_folder("INBOX")
        client.delete_messages(uids[5:])
        client.uid_expunge(uids[5:])
    dovecot.append(user, letter("last"))
    until(lambda: centre.letters() == 4, "the last letter")


def test_a_letter_beyond_the_limit_is_kept_for_a_person(centre, dovecot, mailbox, user, until):
    """Fetched piece by piece and quarantined whole; the next letter is not held up."""
    centre.size_bytes = 1_000_000
    large = letter("large", "\r\n".join(["y" * 70] * 40_000))
    dovecot.append(user, large)
    dovecot.append(user, letter("small"))
    centre.watch(mailbox())
    until(lambda: centre.letters() == 2, "both letters")
    assert set(centre.claim()) == {letter("small")}
    (waiting,) = inbox.quarantined(centre.store)
    assert waiting.reason == "too-large"
    inbox.retry(centre.store, waiting.inbox_id, NOW)
    assert set(centre.claim()) == {large}


def test_many_letters(centre, dovecot, mailbox, user, until):
    """A mailbox that filled up meanwhile is read in portions, whole."""
    with dovecot.session(user) as client:
        for number in range(130):
            client.append("INBOX", letter(f"n{number}"))
    centre.watch(mailbox())
    until(lambda: centre.letters() == 130, "all letters")
    assert inbox.counts(centre.store) == inbox.Counts(130, {"received": 130}, 0)
    assert watcher.compare(mailbox(), centre.store, centre.keyring) == [
        watcher.Compared("Junk", 0, 0),
        watcher.Compared("INBOX", 130, 0),
    ]


def test_compare_tells_what_was_never_kept(centre, dovecot, mailbox, user):
    """Before any look, every letter of the mailbox is missing from the ledger."""
    dovecot.append(user, letter("one"))
    dovecot.append(user, letter("two"), "Junk")
    found = watcher.compare(mailbox(), centre.store, centre.keyring)
    assert [(one.folder, one.missing) for one in found] == [("Junk", 1), ("INBOX", 1)]


# -- the mailbox, last ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "archived", "word"), [("move", 1, "moved"), ("delete", 0, "deleted")]
)
def test_only_a_settled_letter_leaves_the_mailbox(
    centre, dovecot, mailbox, user, until, after, archived, word
):
    """Moved or deleted once it is safe in its last state, and nothing beside it is touched."""
    dovecot.append(user, letter("settled"))
    centre.watch(mailbox(after=after, imap={"poll_seconds": 1}))
    until(lambda: centre.letters() == 1, "the letter")
    centre.settle()
    other = dovecot.append(user, letter("unsettled"))
    flagged = dovecot.append(user, letter("flagged"), flags=[rb"\Deleted"])
    until(lambda: dovecot.list_uids(user) == [other, flagged], "the settled letter to go")
    until(lambda: centre.servers() == [word, "there", "there"], "the ledger to say so")
    assert len(dovecot.list_uids(user, "Archive")) == archived
    assert inbox.counts(centre.store).letters == {"case": 1, "received": 2}


def test_a_letter_stays_for_its_days(centre, dovecot, mailbox, user, until):
    """Before `after_days` are over the mailbox is left alone; then it is not."""
    dovecot.append(user, letter("one"))
    centre.watch(mailbox(after="delete", after_days=7, imap={"poll_seconds": 1}))
    until(lambda: centre.letters() == 1, "the letter")
    centre.settle("discarded")
    centre.time = NOW + timedelta(days=7, seconds=-1)
    until(lambda: centre.time in centre.looked(), "a look")
    assert dovecot.list_uids(user)
    centre.time = NOW + timedelta(days=7)
    until(lambda: not dovecot.list_uids(user), "the letter to go")


@pytest.mark.parametrize("state", ["quarantine", "received"])
def test_what_a_person_must_see_stays(centre, dovecot, mailbox, user, until, state):
    """A quarantined or unfinished letter is never moved or deleted, however old."""
    dovecot.append(user, letter("one"))
    centre.watch(mailbox(after="delete", imap={"poll_seconds": 1}))
    until(lambda: centre.letters() == 1, "the letter")
    if state == "quarantine":
        centre.settle("quarantine")
    centre.time = NOW + timedelta(days=400)
    until(lambda: centre.time in centre.looked(), "a look")
    assert dovecot.list_uids(user)
    assert centre.servers() == ["there"]


def test_an_archive_that_is_missing_is_made(centre, dovecot, mailbox, user, until):
    """`move_to` may name a folder that is not there yet."""
    dovecot.append(user, letter("one"))
    centre.watch(mailbox(after="move", move_to="Done & kept", imap={"poll_seconds": 1}))
    until(lambda: centre.letters() == 1, "the letter")
    centre.settle("own-loop")
    until(lambda: not dovecot.list_uids(user), "the letter to go")
    assert len(dovecot.list_uids(user, "Done & kept")) == 1


# -- the line -------------------------------------------------------------------------------------


@pytest.mark.parametrize("protection", ["tls", "starttls"])
def test_the_line_is_protected(centre, dovecot, mailbox, user, until, monkeypatch, protection):
    """With TLS from the start, or by STARTTLS, against a certificate that is checked."""
    port = dovecot.tls_port if protection == "tls" else dovecot.port
    watched = mailbox(imap={"tls": protection, "port": port})
    dovecot.append(user, letter("one"))
    assert watcher.check(watched) == ["tls"]
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.ca_file))
    assert watcher.check(watched) == []
    centre.watch(watched)
    until(lambda: centre.letters() == 1, "the letter")


def test_a_wrong_password_is_one_word(centre, dovecot, mailbox, user, until, caplog):
    """The mailbox shows login-refused, and neither password nor user is logged or raised."""
    watched = centre.inbox(dovecot.host, dovecot.port, user, "quite wrong")
    assert watcher.check(watched) == ["login-refused"]
    with caplog.at_level(logging.DEBUG):
        centre.watch(watched)
        until(lambda: centre.problem() == "login-refused", "the problem")
    for word in (user, "quite wrong", "letters@"):
        assert word not in caplog.text


@pytest.mark.parametrize("password", ['with "quotes" and \\', "sandi-rahasia-né"])
def test_odd_passwords_are_sent_as_they_are(centre, password):
    """Quotes are escaped, and what LOGIN cannot carry goes by AUTHENTICATE PLAIN."""
    said: list[bytes] = []
    with Scripted(said) as server:
        watched = centre.inbox(server.host, server.port, "letters", password)
        assert watcher.check(watched) == ["folder-missing", "junk-missing"]
    quoted = password.replace("\\", r"\\").replace('"', r"\"")
    login = [line for line in said if b"LOGIN" in line or b"\0" in line]
    expected = f'LOGIN letters "{quoted}"' if password.isascii() else f"\0letters\0{password}"
    assert login[0].endswith(expected.encode())


def test_a_token_goes_by_xoauth2(centre):
    """A token_command makes the login an XOAUTH2 one."""
    said: list[bytes] = []
    with Scripted(said) as server:
        imap_settings = {"password_file": None, "token_command": ["echo", "t0ken"]}
        watched = centre.inbox(server.host, server.port, "letters", imap=imap_settings)
        assert "login-refused" not in watcher.check(watched)
    assert b"user=letters\x01auth=Bearer t0ken\x01\x01" in said


def test_no_secret_is_one_word(centre, dovecot, mailbox):
    """A password file that is gone is said in one word."""
    watched = mailbox()
    watched.imap.password_file.unlink()
    assert watcher.check(watched) == ["secret"]


def test_nobody_there_is_one_word(centre, until):
    """An address nobody listens on is unreachable, and is tried again until somebody does."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        watched = centre.inbox("127.0.0.1", port)
        assert watcher.check(watched) == ["unreachable"]
        centre.watch(watched)
        until(lambda: centre.problem() == "unreachable", "the problem")
    with Scripted(port=port) as server:
        server.letters[1] = letter("one")
        until(lambda: centre.letters() == 1, "the letter")
        until(lambda: centre.problem() == "", "the problem to go")


def test_a_folder_that_is_missing_is_one_word(centre, mailbox, until):
    """A misspelt folder is said by check, and by the watcher."""
    watched = mailbox(imap={"folder": "INBOKS"})
    assert watcher.check(watched) == ["folder-missing"]
    centre.watch(watched)
    until(lambda: centre.problem() == "folder-missing", "the problem")


def test_one_watcher_an_account(centre, dovecot, mailbox, user, until):
    """A second process waits; when the first lets go, it takes over."""
    first = centre.watch(mailbox())
    until(centre.looked, "the first look")
    account = ledger.account_of(centre.keyring, user, dovecot.host)
    assert ledger.hold(centre.store, account, "another") is None
    first.stop(PATIENCE)
    assert ledger.hold(centre.store, account, "another") is not None


def test_stopping_is_prompt(centre, mailbox, until):
    """A watcher that listens for letters stops when told, long before its poll."""
    one = centre.watch(mailbox(imap={"poll_seconds": 3600}))
    until(centre.looked, "the first look")
    one.stop(PATIENCE)
    assert not one._thread.is_alive()
    one.stop()


def test_a_full_disk_loses_nothing(centre, dovecot, mailbox, user, until):
    """While nothing can be written the mailbox is left alone; once there is room all is kept."""
    centre.watch(mailbox(imap={"poll_seconds": 1}))
    until(centre.looked, "the first look")
    with centre.store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
    large = letter("large", "z\r\n" * 200_000)
    dovecot.append(user, large)
    until(lambda: centre.problem() == "store", "the problem")
    assert centre.letters() == 0
    with centre.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    until(lambda: centre.letters() == 1, "the letter")
    assert set(centre.claim()) == {large}


def test_a_server_that_restarts(centre, tmp_path, until):
    """A line that breaks is made anew, and what came meanwhile is found."""
    with Scripted() as server:
        server.letters[1] = letter("one")
        centre.watch(centre.inbox(server.host, server.port))
        until(lambda: centre.letters() == 1, "the first letter")
        port = server.port
    with Scripted(port=port) as server:
        server.letters |= {1: letter("one"), 2: letter("two")}
        until(lambda: centre.letters() == 2, "the second letter")


# -- what Dovecot never does ----------------------------------------------------------------------


class Scripted:
    """A small IMAP server that can be told to misbehave."""

    host = "127.0.0.1"

    context: ssl.SSLContext
    has_folders = False

    def __init__(self, said=None, port=0, capabilities="IMAP4rev1 IDLE", greeting="* OK ready"):
        self.said = [] if said is None else said
        self.capabilities = capabilities
        self.greeting = greeting
        self.letters: dict[int, bytes] = {}
        self.broken: dict[int, bytes] = {}  # UID: what is said instead of the letter
        self.uidvalidity = 7
        self.split = threading.Event()
        self.idling = threading.Event()
        self.lines: list[socket.socket] = []
        self.listener = socket.create_server((self.host, port))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        for one in (self.listener, *self.lines):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self.threads:
            thread.join(PATIENCE)

    def accept(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            self.lines.append(line)
            self.threads.append(threading.Thread(target=self.serve, args=(line,), daemon=True))
            self.threads[-1].start()

    def serve(self, line, greeting=None):
        with contextlib.suppress(OSError, ValueError), line, line.makefile("rwb") as file:
            self.say(file, self.greeting if greeting is None else greeting)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return None  # the other end hung up within a line
                self.said.append(raw.rstrip(b"\r\n"))
                tag, _, rest = raw.decode("latin-1").strip().partition(" ")
                if rest == "STARTTLS":
                    return self.starttls(line, file, tag)
                self.obey(file, tag, rest.upper(), rest)
                if rest == "LOGOUT":
                    return None
        return None

    def say(self, file, *lines):
        for one in lines:
            file.write(one if isinstance(one, bytes) else f"{one}\r\n".encode("latin-1"))
        file.flush()

    def obey(self, file, tag, command, asked):
        verb = command.removeprefix("UID ").split()[0]
        if verb == "AUTHENTICATE":
            self.say(file, "+ ")
            self.said.append(base64.b64decode(file.readline()))
        elif verb in {"SELECT", "EXAMINE"}:
            self.say(
                file,
                f"* {len(self.letters)} EXISTS",
                f"* OK [UIDVALIDITY {self.uidvalidity}] ok",
                f"* OK [UIDNEXT {max(self.letters, default=0) + 1}] ok",
            )
        elif verb == "FETCH":
            self.fetch(file, asked.split()[2], command)
        elif verb == "IDLE":
            self.idle(file)
        else:
            found = " ".join(map(str, self.letters))
            answers = {
                "CAPABILITY": [f"* CAPABILITY {self.capabilities}"],
                "SEARCH": [f"* SEARCH {found}"],
                "LIST": ['* LIST () "/" INBOX'] * self.has_folders,
                "LOGOUT": ["* BYE"],
            }
            self.say(file, *answers.get(verb, []))
        self.say(file, f"{tag} OK done")

    def fetch(self, file, uids, command):
        for uid in (int(one) for one in uids.split(",")):
            raw = self.letters.get(uid)
            if raw is None:
                continue
            if "RFC822.SIZE" in command:
                self.say(file, f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(raw)})")
            elif uid in self.broken:
                self.say(file, self.broken[uid])
            else:
                head = f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode()
                self.say(file, head + raw + b")\r\n")

    def idle(self, file):
        self.say(file, "+ idling")
        self.idling.set()
        if self.split.is_set():
            self.say(file, b"* 5 FETCH (FL")
            threading.Event().wait(0.2)
            self.say(file, b"AGS (\\Seen))\r\n", f"* {len(self.letters)} EXISTS")
        assert file.readline().strip() in {b"DONE", b""}  # nothing: the other end hung up

    def starttls(self, line, file, tag):
        # With what a thief on the line adds in the same packet, before TLS begins.
        self.say(file, f"{tag} OK begin\r\n* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n".encode())
        return self.serve(self.context.wrap_socket(line, server_side=True), b"")


def test_a_line_that_comes_in_two_pieces(centre, until):
    """A split line while we listen costs nothing, and the letter it announced is found."""
    with Scripted() as server:
        server.split.set()
        watched = centre.inbox(server.host, server.port, imap={"poll_seconds": 3600})
        centre.watch(watched)
        assert server.idling.wait(PATIENCE)
        server.letters[1] = letter("one")
        until(lambda: centre.letters() == 1, "the letter")
        assert len(server.lines) == 1
        assert centre.problem() == ""


NONSENSE = {
    "not a fetch": b"* 2 FETCH nonsense ((((\r\n",
    "no body": b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n",
    "NIL": b"* 2 FETCH (UID 2 BODY[] NIL)\r\n",
    "uneven": b"* 2 FETCH (UID)\r\n",
    "a refusal": b"* NO cannot read\r\n",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_one_bad_letter_stops_no_other(centre, until, monkeypatch, name):
    """A letter the server cannot give is tried alone, then waits; the others are kept."""
    monkeypatch.setattr(watcher, "LONGEST_BACK_OFF", 0.05)
    with Scripted() as server:
        server.letters |= {uid: letter(f"n{uid}") for uid in range(1, 5)}
        server.broken[2] = NONSENSE[name]
        centre.watch(centre.inbox(server.host, server.port, imap={"poll_seconds": 1}))
        until(lambda: centre.letters() == 3, "the other letters")
        until(lambda: centre.problem() == "letter-unreadable", "the problem")
        server.letters[9] = letter("n9")
        until(lambda: centre.letters() == 4, "a letter that comes later")
        assert set(centre.claim()) == {letter(f"n{uid}") for uid in (1, 3, 4, 9)}


def test_a_letter_that_ends_the_line_stops_no_other(centre, until, monkeypatch):
    """A server that hangs up on one letter is asked for the others first."""
    monkeypatch.setattr(watcher, "LONGEST_BACK_OFF", 0.05)
    monkeypatch.setattr(watcher, "AGAIN_SECONDS", 0.05)
    with Scripted() as server:
        server.letters |= {uid: letter(f"n{uid}") for uid in range(1, 4)}
        server.broken[2] = b"* BYE\r\n"
        centre.watch(centre.inbox(server.host, server.port, imap={"poll_seconds": 1}))
        until(lambda: centre.letters() == 2, "the other letters")
        del server.broken[2]
        until(lambda: centre.letters() == 3, "the letter, once the server can give it")


def test_without_idle_it_looks_now_and_then(centre, until):
    """A server without IDLE is looked at every `poll_seconds`."""
    with Scripted(capabilities="IMAP4rev1") as server:
        centre.watch(centre.inbox(server.host, server.port, imap={"poll_seconds": 1}))
        until(centre.looked, "the first look")
        server.letters[1] = letter("one")
        until(lambda: centre.letters() == 1, "the letter")
        assert b"IDLE" not in b" ".join(server.said)


@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_server_that_cannot_do_it_safely_is_left_alone(centre, until, after):
    """Without MOVE or UIDPLUS nothing is moved or deleted, a person is told, letters come."""
    with Scripted() as server:
        server.letters[1] = letter("one")
        watched = centre.inbox(server.host, server.port, after=after, imap={"poll_seconds": 1})
        centre.watch(watched)
        until(lambda: centre.letters() == 1, "the letter")
        centre.settle()
        until(lambda: centre.problem() == "server-cannot", "the problem")
        server.letters[2] = letter("two")
        until(lambda: centre.letters() == 2, "the second letter")
        said = b" ".join(server.said).upper()
        assert b"STORE" not in said
        assert b"EXPUNGE" not in said
        assert b" SELECT" not in said


def test_a_server_that_logs_us_in_by_itself_is_refused(centre):
    """PREAUTH would let whoever sits on the line talk us out of STARTTLS."""
    with Scripted(greeting="* PREAUTH hello", capabilities="IMAP4rev1 STARTTLS") as server:
        watched = centre.inbox(server.host, server.port, imap={"tls": "starttls"})
        assert watcher.check(watched) == ["tls"]
        assert not any(b"LOGIN" in line for line in server.said)


def test_a_server_that_hides_starttls_is_refused(centre):
    """No STARTTLS, no login: the password never goes in clear."""
    with Scripted(capabilities="IMAP4rev1") as server:
        watched = centre.inbox(server.host, server.port, imap={"tls": "starttls"})
        assert watcher.check(watched) == ["tls"]
        assert not any(b"LOGIN" in line for line in server.said)


def test_cve_2021_33515_words_slipped_in_before_tls_are_forgotten(centre, monkeypatch, tmp_path):
    """What follows the consent to STARTTLS in clear is never believed."""
    with Scripted(capabilities="IMAP4rev1 STARTTLS") as server:
        server.context = certified("127.0.0.1", tmp_path, monkeypatch)
        server.has_folders = True
        settings = {"tls": "starttls"}
        watched = centre.inbox(server.host, server.port, imap=settings, after="delete")
        assert watcher.check(watched) == ["server-cannot"]
        assert any(b"LOGIN" in line for line in server.said)


def certified(name, tmp_path, monkeypatch):
    """A server's context with a certificate for this name, by an authority we trust."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


def test_a_certificate_for_another_name_is_refused(centre, dovecot, mailbox, monkeypatch, tmp_path):
    """A certificate by an authority we trust, but for another host, is no protection."""
    context = certified("elsewhere.test", tmp_path, monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Thread(target=_shake_hands, args=(listener, context))
        done.start()
        watched = mailbox(imap={"tls": "tls", "port": listener.getsockname()[1]})
        assert watcher.check(watched) == ["tls"]
        done.join(PATIENCE)


def _shake_hands(listener, context):
    line, _ = listener.accept()
    try:
        context.wrap_socket(line, server_side=True).close()
    except OSError:
        line.close()


def test_letters_are_never_logged(centre, dovecot, mailbox, user, until, caplog):
    """Not at any level, in any logger: no word, no address, no password."""
    with caplog.at_level(logging.DEBUG):
        dovecot.append(user, letter("one", "Saya ingin bercerita."))
        caplog.clear()
        one = centre.watch(mailbox())
        until(lambda: centre.letters() == 1, "the letter")
        one.stop(PATIENCE)
    for word in ("bercerita", "embun", "letters@", dovecot.password, user):
        assert word not in caplog.text


# -- small parts ----------------------------------------------------------------------------------


def test_portions_fit_in_memory():
    """No portion is larger than allowed unless one letter is, and order and number stay."""
    sizes = {1: 10, 2: 3_999_990, 3: 1, 4: 9_000_000, 5: 5, **dict.fromkeys(range(6, 120), 1)}
    found = list(watcher.portions(sizes))
    assert {uid: size for portion in found for uid, size in portion.items()} == sizes
    assert [uid for portion in found for uid in portion] == list(sizes)
    for portion in found:
        assert len(portion) == 1 or sum(portion.values()) <= watcher.FETCH_BYTES
        assert len(portion) <= watcher.FETCH_LETTERS


def test_a_bad_letter_waits_and_is_tried_again():
    """Three failures, an hour's rest, one more try; a success forgets everything."""
    bad, folder = watcher.Bad(), ledger.Folder("a", "INBOX", 1)
    for now in (0.0, 1.0):
        bad.count(folder, [2], now)
        assert bad.sorted(folder, [1, 2], now) == ([1], [2], [])
    bad.count(folder, [2], 2.0)
    assert bad.sorted(folder, [1, 2], 3.0) == ([1], [], [2])
    assert bad.sorted(folder, [1, 2], 2.0 + watcher.AGAIN_SECONDS) == ([1], [2], [])
    bad.forget(folder, [2])
    assert bad.sorted(folder, [1, 2], 3.0) == ([1, 2], [], [])


def test_an_inbox_without_a_mailbox_is_refused():
    """An inbox that gets its letters by SMTP alone has nothing to watch."""
    with pytest.raises(errors.Refused):
        watcher.check(config.Inbox(address="letters@example.org", queue="letters"))


def test_errors_hold_one_word(monkeypatch):
    """Whatever the server says stays out of our errors."""
    assert str(errors.MailboxError("tls")) == "tls"
    assert imap._code_of(RuntimeError("embun@client.test")) == "protocol"
