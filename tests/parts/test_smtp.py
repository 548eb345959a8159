"""The SMTP door, in real conversations with a real store behind it."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme

from mailcounsel import errors
from mailcounsel.config import Limits, Smtp
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.intake import inbox, smtp
from mailcounsel.store import schema
from mailcounsel.store.engine import Store

LETTER = b"Message-ID: <1@client.test>\r\nSubject: Halo\r\n\r\nSaya ingin bercerita.\r\n"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PATIENCE = 60


class Door:
    """A listener in a thread of its own, and the store its letters go to."""

    def __init__(self, tmp_path):
        self.store = Store(f"sqlite:///{tmp_path / 'store.db'}")
        schema.upgrade(self.store)
        self.keyring = ServiceKeyring.create(tmp_path / "keyring.json")
        self.keep = self.keep_for_real
        self.is_ready = True
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.listener: Any = None

    def keep_for_real(self, raw, envelope):
        return inbox.keep(
            self.store, self.keyring, raw, envelope, inbox.handed_over(), datetime.now(UTC)
        )

    def keep_as_told(self, raw, envelope):
        return self.keep(raw, envelope)

    def accepts(self, address):
        local, _, domain = address.lower().rpartition("@")
        names = {"letters@example.org", "closed@example.org"}
        return f"{local.partition('+')[0]}@{domain}" in names

    def can_be_read(self, address):
        return self.is_ready and address != "closed@example.org"

    def start(self, size_bytes=100_000, **settings):
        self.listener = smtp.Listener(
            Smtp(port=0, hostname="centre.test", **settings),
            accepts=self.accepts,
            keep=self.keep_as_told,
            limits=Limits(size_bytes=size_bytes),
            ready=self.can_be_read,
        )
        self.run(self.listener.start())
        return self

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def stop(self):
        if self.listener:
            self.run(self.listener.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        self.store.close()

    def client(self):
        client = smtplib.SMTP("127.0.0.1", self.listener.port, timeout=PATIENCE)
        client.ehlo("client.test")
        return client

    def line(self):
        """A bare connection: its socket, past the greeting and EHLO."""
        line = socket.create_connection(("127.0.0.1", self.listener.port), PATIENCE)
        read_until(line, b"220 ")
        say(line, b"EHLO client.test\r\n", b"250 HELP")
        return line

    def kept(self):
        return {one.raw: one for one in inbox.claim(self.store, self.keyring, far_future(), 99)}


def far_future():
    return datetime(2099, 1, 1, tzinfo=UTC)


def read_until(line, end):
    """Read until a line that begins so, and return all of it."""
    said = b""
    while not any(one.startswith(end) for one in said.split(b"\r\n")[:-1]):
        piece = line.recv(4096)
        if not piece:
            pytest.fail(f"the line ended after {said!r}")
        said += piece
    return said


def say(line, words, end):
    line.sendall(words)
    return read_until(line, end)


def send(client, raw=LETTER, to="letters@example.org", sender="embun@client.test"):
    """Return what each step was answered, up to the first refusal."""
    answers = [client.docmd(f"MAIL FROM:<{sender}>"), client.docmd(f"RCPT TO:<{to}>")]
    if answers[-1][0] == 250:
        answers.append(client.data(raw))
    return answers


@pytest.fixture
def door(tmp_path):
    opened = Door(tmp_path)
    yield opened
    opened.stop()


# -- taking letters -------------------------------------------------------------------------------


def test_a_letter_is_kept_as_it_came(door):
    """What was sent is in the store, byte for byte, with its envelope, when 250 is said."""
    raw = LETTER + b".dots\r\n..\r\n" + bytes(range(128, 256)) + b"\r\n"
    with door.start().client() as client:
        assert send(client, raw)[-1] == (250, b"2.0.0 Kept")
        (received,) = door.kept().values()
    assert received.raw == raw
    assert received.envelope == inbox.Envelope(
        "smtp", "embun@client.test", ("letters@example.org",)
    )


def test_250_is_said_only_after_the_letter_is_durable(door):
    """While the store has not answered, neither have we."""
    writing: Future[inbox.Kept] = Future()
    given = threading.Event()

    def keep(raw, envelope):
        given.set()
        return writing

    door.keep = keep
    line = door.start().line()
    say(line, b"MAIL FROM:<embun@client.test>\r\n", b"250")
    say(line, b"RCPT TO:<letters@example.org>\r\n", b"250")
    say(line, b"DATA\r\n", b"354")
    line.sendall(LETTER + b".\r\n")
    assert given.wait(PATIENCE)
    line.settimeout(0.3)
    with pytest.raises(TimeoutError):
        line.recv(100)
    line.settimeout(PATIENCE)
    writing.set_result(inbox.Kept("x", is_new=True))
    assert read_until(line, b"250 2.0.0").endswith(b"Kept\r\n")
    line.close()


def test_many_letters_on_one_line_and_on_many(door):
    """Eight connections with five letters each: forty letters, none lost, none doubled."""
    door.start()

    def deliver(number):
        with door.client() as client:
            for letter in range(5):
                answers = send(client, LETTER.replace(b"<1@", b"<%d.%d@" % (number, letter)))
                assert answers[-1][0] == 250

    threads = [threading.Thread(target=deliver, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert inbox.counts(door.store) == inbox.Counts(40, {"received": 40}, 0)


def test_a_letter_sent_again_is_the_same_letter(door):
    """A client that did not hear our 250 sends again, and makes no second letter."""
    with door.start().client() as client:
        assert [send(client)[-1][0], send(client)[-1][0]] == [250, 250]
    assert inbox.counts(door.store) == inbox.Counts(2, {"received": 1}, 0)


@pytest.mark.parametrize("sender", ["", "embun@client.test"])
def test_the_null_sender_is_kept_as_such(door, sender):
    """MAIL FROM:<> is a bounce, and stays one."""
    with door.start().client() as client:
        assert send(client, sender=sender)[-1][0] == 250
    (received,) = door.kept().values()
    assert received.envelope.mail_from == sender


def test_international_addresses(door):
    """SMTPUTF8 is offered, and an address outside ASCII arrives as it was written."""
    with door.start().client() as client:
        assert client.has_extn("smtputf8")
        assert client.has_extn("8bitmime")
        client.command_encoding = "utf-8"
        assert client.docmd("MAIL FROM:<añil@client.test> SMTPUTF8")[0] == 250
        assert client.docmd("RCPT TO:<letters@example.org>")[0] == 250
        assert client.data(LETTER)[0] == 250
    (received,) = door.kept().values()
    assert received.envelope.mail_from == "añil@client.test"


def test_bytes_that_are_no_text_do_no_harm(door):
    """An envelope sender that is not UTF-8 is kept as well as it can be."""
    line = door.start().line()
    say(line, b"MAIL FROM:<a\xff@client.test>\r\n", b"250")
    say(line, b"RCPT TO:<letters@example.org>\r\n", b"250")
    say(line, b"DATA\r\n", b"354")
    say(line, LETTER + b".\r\n", b"250 2.0.0")
    line.close()
    (received,) = door.kept().values()
    assert received.envelope.mail_from == "a\N{REPLACEMENT CHARACTER}@client.test"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"x\r\n",
        b".\r\n",
        b".x\r\n..\r\n...\r\n",
        b"a" * 65_534 + b"\r\n.\r\nb\r\n",
        b"a" * 65_533 + b"\r\n" + b"b" * 65_536 + b"\r\n.c\r\n",
        b"\r\n" * 40_000,
        b".\r\n" * 40_000,
        b"\n.\n\r.\r" * 20_000 + b"\r\n",
    ],
)
@pytest.mark.parametrize("in_pieces", [True, False])
def test_dots_and_borders(door, raw, in_pieces):
    """Wherever the pieces of a letter end, it comes out as it went in."""
    given = []

    def keep(raw, envelope):
        given.append(raw)
        done: Future[inbox.Kept] = Future()
        done.set_result(inbox.Kept("x", is_new=True))
        return done

    door.keep = keep
    stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
    line = door.start(size_bytes=1_000_000).line()
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    say(line, b"MAIL FROM:<embun@client.test>\r\n", b"250")
    say(line, b"RCPT TO:<letters@example.org>\r\n", b"250")
    say(line, b"DATA\r\n", b"354")
    cut = len(stuffed) - 3 if in_pieces else len(stuffed)
    line.sendall(stuffed[:cut])
    line.sendall(stuffed[cut:] + b"QUIT\r\n")
    assert b"250 2.0.0" in read_until(line, b"221")
    line.close()
    assert given == [raw]


def test_a_flood_of_line_ends_stays_small(door):
    """Ten million bytes of nothing but line ends take a few times their size, not a hundred."""
    script = (
        "import asyncio, resource, sys; from mailcounsel.intake import smtp\n"
        "async def run():\n"
        "    handler = smtp._Handler(lambda a: True, None, lambda: True)\n"
        "    session = smtp._Session(handler, set(), dict(loop=asyncio.get_running_loop(),\n"
        "        data_size_limit=20_000_000, hostname='x'))\n"
        "    session._reader = asyncio.StreamReader(limit=smtp.LINE_BYTES)\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    session._reader.feed_data(b'\\r\\n' * 5_000_000 + b'.\\r\\n')\n"
        "    assert len(await session._read_letter()) == 10_000_000\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        "asyncio.run(run())\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    assert int(ran.stdout) < 100_000  # kilobytes


# -- refusing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["someone@example.org", "letters@example.com", "letters"])
def test_an_unknown_recipient_is_told_so(door, to):
    """550 5.1.1, at once and for good."""
    with door.start().client() as client:
        code, text = send(client, to=to)[-1]
    assert (code, text[:5]) == (550, b"5.1.1")


@pytest.mark.parametrize("to", ["letters+c0ffee@example.org", "Letters@EXAMPLE.org"])
def test_any_tag_on_a_known_address_is_accepted(door, to):
    """A tag brings an answer back to its case; a stale one must not bounce a letter."""
    with door.start().client() as client:
        assert send(client, to=to)[-1][0] == 250
    (received,) = door.kept().values()
    assert received.envelope.recipients == (to,)


def test_no_letter_before_somebody_can_read_it(door):
    """Until a supervisor is enrolled every recipient is asked to come again, and then taken."""
    door.is_ready = False
    with door.start().client() as client:
        assert send(client)[-1][0] == 451
        client.rset()
        door.is_ready = True
        assert send(client)[-1][0] == 250


def test_one_address_nobody_reads_yet_closes_no_other(door):
    """A letter to two addresses waits for the one whose people are not there, and is kept once."""
    with door.start().client() as client:
        client.mail("embun@client.test")
        assert client.rcpt("closed@example.org")[0] == 451
        assert client.rcpt("letters@example.org")[0] == 250
        assert client.data(LETTER)[0] == 250
    (received,) = door.kept().values()
    assert received.envelope.recipients == ("letters@example.org",)


def test_too_large_by_its_own_word(door):
    """SIZE= beyond the limit is refused before a byte of the letter is sent."""
    with door.start(size_bytes=1000).client() as client:
        assert client.esmtp_features["size"] == "1000"
        code, text = client.docmd("MAIL FROM:<embun@client.test> SIZE=1001")
        assert (code, text[:5]) == (552, b"5.3.4")
        assert client.docmd("MAIL FROM:<embun@client.test> SIZE=1000")[0] == 250


def test_too_large_in_fact(door):
    """A letter beyond the limit is refused whatever it said of itself, and the next one taken."""
    with door.start(size_bytes=1000).client() as client:
        code, text = send(client, LETTER + b"x" * 60 + b"\r\n" * 600)[-1]
        assert (code, text[:5]) == (552, b"5.3.4")
        assert send(client)[-1][0] == 250
    assert list(door.kept()) == [LETTER]


def test_long_lines_are_no_reason_to_refuse(door):
    """Lines beyond the 998 of the standard are common, and a client is not to suffer for them."""
    with door.start().client() as client:
        assert send(client, LETTER + b"x" * 50_000 + b"\r\n")[-1][0] == 250


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (errors.DiskFull(), b"452 4.3.1"),
        (errors.StoreUnavailable(), b"451 4.3.0"),
        (RuntimeError("Embun embun@client.test"), b"451 4.3.0"),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_our_faults_ask_to_come_again(door, caplog, fault, expected, at_once):
    """452 for a full disk, 451 for the rest, with no detail; the next letter is taken."""

    def keep(raw, envelope):
        if at_once:
            raise fault
        failed: Future[inbox.Kept] = Future()
        failed.set_exception(fault)
        return failed

    door.keep = keep
    with door.start().client() as client:
        code, text = send(client)[-1]
        assert (b"%d %s" % (code, text)).startswith(expected)
        assert b"mbun" not in text
        door.keep = door.keep_for_real
        assert [code for code, _ in send(client)] == [250, 250, 250]
    assert "mbun" not in caplog.text


def test_a_full_disk_for_real(door):
    """SQLite says its disk is full: 452, and once there is room the same letter is taken."""
    door.start(size_bytes=10_000_000)
    raw = LETTER + b"y" * 70 + b"\r\n" + b"z\r\n" * 100_000
    with door.store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
    with door.client() as client:
        assert send(client, raw)[-1][0] == 452
        with door.store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert send(client, raw)[-1][0] == 250
    assert list(door.kept()) == [raw]


def test_at_most_a_hundred_recipients(door):
    """The hundred and first recipient is asked to come again; the letter is taken for the rest."""
    with door.start().client() as client:
        client.docmd("MAIL FROM:<embun@client.test>")
        answers = [client.docmd(f"RCPT TO:<letters+{n}@example.org>")[0] for n in range(103)]
        assert answers == [250] * 100 + [452] * 3
        assert client.data(LETTER)[0] == 250


def test_one_connection_too_many_is_sent_away(door, monkeypatch):
    """Beyond the limit a caller hears 421; when another leaves, there is room again."""
    monkeypatch.setattr(smtp, "MOST_CONNECTIONS", 3)
    door.start()
    clients = [door.client() for _ in range(3)]
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        door.client()
    assert refused.value.smtp_code == 421
    clients.pop().quit()

    def again():
        try:
            return door.client()
        except smtplib.SMTPException:
            return None

    deadline = time.monotonic() + PATIENCE
    while (client := again()) is None:
        assert time.monotonic() < deadline
    for one in (client, *clients):
        one.quit()


def test_an_idle_line_is_closed(door, monkeypatch):
    """A caller that says nothing does not keep its place for ever."""
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.2)
    line = door.start().line()
    assert line.recv(100) == b""
    line.close()


def test_nobody_logs_in(door):
    """AUTH is not offered, with TLS or without."""
    with door.start().client() as client:
        assert not client.has_extn("auth")


# -- hostile conversations ------------------------------------------------------------------------

NOT_THE_END = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CR.CR": b"\r.\r",
    "CRLF.LF": b"\r\n.\n",
    "CRLF.CR": b"\r\n.\r",
    "LF.CR": b"\n.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
}


def test_cve_2023_51764_smuggled_as_past_postfix(door):
    """LF.CRLF ended a letter in Postfix."""
    stays_one(door, "LF.CRLF")


def test_cve_2023_51765_smuggled_as_past_sendmail(door):
    """LF.LF ended a letter in Sendmail."""
    stays_one(door, "LF.LF")


def test_cve_2023_51766_smuggled_as_past_exim(door):
    """LF.CRLF ended a letter in Exim where the other side had announced CHUNKING."""
    stays_one(door, "LF.CRLF")


def test_cve_2024_27305_smuggled_as_past_aiosmtpd(door):
    """LF.CRLF ended a letter in the very library that is used here."""
    stays_one(door, "LF.CRLF")


@pytest.mark.parametrize("name", NOT_THE_END)
def test_a_smuggled_second_letter_stays_in_the_first(door, name):
    """Only CRLF.CRLF ends a letter."""
    stays_one(door, name)


def stays_one(door, name):
    """Send two letters with a false end between them, and find one."""
    smuggled = (
        b"MAIL FROM:<admin@example.org>\r\nRCPT TO:<letters@example.org>\r\n"
        b"DATA\r\nMessage-ID: <2@evil.test>\r\n\r\nsmuggled\r\n"
    )
    raw = LETTER.rstrip(b"\r\n") + NOT_THE_END[name] + smuggled
    line = door.start().line()
    say(line, b"MAIL FROM:<embun@client.test>\r\n", b"250")
    say(line, b"RCPT TO:<letters@example.org>\r\n", b"250")
    say(line, b"DATA\r\n", b"354")
    say(line, raw + b".\r\n", b"250 2.0.0")
    say(line, b"QUIT\r\n", b"221")
    line.close()
    (received,) = door.kept().values()
    assert received.envelope.mail_from == "embun@client.test"
    assert b"smuggled" in received.raw


def test_a_client_that_hangs_up_leaves_the_writer_alive(door, until):
    """A line that breaks while the letter is being kept harms neither that letter nor the next."""
    hold, given = threading.Event(), threading.Event()

    def slow(connection):
        assert hold.wait(PATIENCE)

    def keep(raw, envelope):
        writing = door.keep_for_real(raw, envelope)
        given.set()
        return writing

    door.keep = keep
    door.start()
    for number in range(3):
        blocked = door.store.submit(slow)
        given.clear()
        line = door.line()
        say(line, b"MAIL FROM:<embun@client.test>\r\n", b"250")
        say(line, b"RCPT TO:<letters@example.org>\r\n", b"250")
        say(line, b"DATA\r\n", b"354")
        line.sendall(LETTER.replace(b"<1@", b"<%d@" % number) + b".\r\n")
        assert given.wait(PATIENCE)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.close()
        until(lambda: not door.listener._sessions, "the end of the connection")
        hold.set()
        blocked.result(PATIENCE)
        hold.clear()
    hold.set()
    with door.client() as client:
        assert send(client, LETTER.replace(b"<1@", b"<last@"))[-1][0] == 250


@pytest.mark.parametrize(
    "line_sent",
    [
        b"RCPT TO:<" + b"(" * 400 + b"\r\n",
        b"MAIL FROM:<" + b"a" * 400_000 + b"\r\n",
        b"\xff\xfe\r\n",
    ],
)
def test_senseless_commands_end_nothing(door, line_sent):
    """Nested comments, endless lines and bytes that are no text get 4xx or 5xx; we go on."""
    line = door.start().line()
    say(line, b"MAIL FROM:<embun@client.test>\r\n", b"250")
    line.sendall(line_sent)
    while not (answer := line.recv(4096)):
        pytest.fail("the line was closed")
    assert answer[:1] in b"45"
    say(line, b"RSET\r\n", b"250")
    line.close()


def test_addresses_are_never_logged(door, caplog):
    """Not at any level, in any logger: no address, no line of a letter."""
    with caplog.at_level(logging.DEBUG), door.start().client() as client:
        send(client)
        send(client, to="someone@example.org")
        client.docmd("MAIL FROM:<(((>")
    for word in ("embun", "someone", "letters@", "bercerita", "Halo"):
        assert word not in caplog.text


# -- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path):
    """Settings for [smtp] with a certificate, and a client's context that trusts it."""
    ca = trustme.CA()
    issued = ca.issue_cert("localhost", "127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issued.private_key_pem.write_to_path(str(key))
    for pem in issued.cert_chain_pems:
        pem.write_to_path(str(chain), append=True)
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return {"tls_certificate": chain, "tls_key": key}, context


def test_starttls(door, tls):
    """A letter comes by TLS, with a certificate that can be checked."""
    settings, context = tls
    with door.start(**settings).client() as client:
        client._host = "localhost"
        assert client.starttls(context=context)[0] == 220
        client.ehlo("client.test")
        assert not client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert send(client)[-1][0] == 250


def test_tls_can_be_required(door, tls):
    """With require_tls nothing is said outside it, not even whether a recipient is known."""
    settings, context = tls
    with door.start(**settings, require_tls=True).client() as client:
        assert client.docmd("MAIL FROM:<embun@client.test>")[0] == 530
        assert client.docmd("RCPT TO:<letters@example.org>")[0] == 530
        client._host = "localhost"
        client.starttls(context=context)
        client.ehlo("client.test")
        assert send(client)[-1][0] == 250


def test_cve_2024_34083_commands_slipped_in_before_tls_are_forgotten(door, tls):
    """What was pipelined behind STARTTLS in clear is not taken as said within TLS."""
    settings, context = tls
    line = door.start(**settings).line()
    line.sendall(b"STARTTLS\r\nMAIL FROM:<evil@evil.test>\r\n")
    assert read_until(line, b"220") == b"220 Ready to start TLS\r\n"
    try:
        safe = context.wrap_socket(line, server_hostname="localhost")
    except (ssl.SSLError, OSError):
        return  # refused altogether, which is as good
    say(safe, b"EHLO client.test\r\n", b"250 HELP")
    assert say(safe, b"RCPT TO:<letters@example.org>\r\n", b"503")
    safe.close()


def test_a_bad_certificate_is_one_sentence(door, tmp_path):
    """The listener says what is wrong with its TLS files, and does not start."""
    (tmp_path / "bad.pem").write_text("nothing")
    files = {"tls_certificate": tmp_path / "bad.pem", "tls_key": tmp_path / "bad.pem"}
    with pytest.raises(errors.Unavailable, match="certificate"):
        door.start(**files)


def test_a_taken_port_is_one_sentence(door):
    """So it says when something else listens on its port."""
    door.start()
    other = smtp.Listener(
        Smtp(port=door.listener.port),
        accepts=door.accepts,
        keep=door.keep,
        limits=Limits(),
    )
    with pytest.raises(errors.Unavailable, match="port"):
        door.run(other.start())


# -- stopping -------------------------------------------------------------------------------------


def test_stopping_answers_what_is_being_kept(door):
    """A letter that is being kept while we stop is kept, and its sender hears so."""
    writing: Future[inbox.Kept] = Future()
    given = threading.Event()

    def keep(raw, envelope):
        given.set()
        return writing

    door.keep = keep
    line = door.start().line()
    say(line, b"MAIL FROM:<embun@client.test>\r\n", b"250")
    say(line, b"RCPT TO:<letters@example.org>\r\n", b"250")
    say(line, b"DATA\r\n", b"354")
    line.sendall(LETTER + b".\r\n")
    assert given.wait(PATIENCE)
    stopping = asyncio.run_coroutine_threadsafe(door.listener.stop(), door.loop)
    writing.set_result(inbox.Kept("x", is_new=True))
    read_until(line, b"250 2.0.0")
    stopping.result(PATIENCE)
    assert line.recv(100) == b""
    line.close()
