"""The servers that tests stand on are what they claim to be."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import ssl
import threading
from email import message_from_bytes
from pathlib import Path

import imapclient
import psycopg
import pytest
import trustme

from servers import postfix as postfix_server
from servers import postgres as postgres_server
from servers import sink as sink_server
from servers import tools

LETTER = (
    b"From: Rani Contoh <rani+tag@example.org>\r\nTo: centre@counsel.test\r\n"
    b"Subject: Halo\r\nMessage-ID: <token@example.org>\r\n\r\nSelamat pagi.\r\n"
)


def send(port, *, tls=None, login=None):
    with smtplib.SMTP("127.0.0.1", port, timeout=tools.PATIENCE) as client:
        if tls:
            client.starttls(context=tls)
        if login:
            client.login(*login)
        client.sendmail("rani+tag@example.org", ["centre@counsel.test"], LETTER)


def dsn(url):
    return url.replace("postgresql+psycopg", "postgresql")


def test_a_free_port_is_not_one_a_connection_takes():
    """Ports for servers lie outside the range the kernel gives to connections by itself."""
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    given = {tools.free_port() for _ in range(20)}
    assert len(given) > 1
    assert not any(lowest <= port <= highest for port in given)


def test_each_postgres_database_is_new_and_synced(postgres, postgres_url):
    """A database starts empty, on a server that syncs what it commits."""
    other = postgres.create()
    with psycopg.connect(dsn(postgres_url)) as first:
        first.execute("CREATE TABLE letter (id int)")
        first.commit()
        assert first.execute("SHOW fsync").fetchone() == ("on",)
        assert first.execute("SHOW listen_addresses").fetchone() == ("",)
    with psycopg.connect(dsn(postgres.url(other))) as second:
        found = second.execute("SELECT to_regclass('letter')").fetchone()
    postgres.drop(other)
    assert found == (None,)


def test_a_postgres_database_can_be_copied(postgres):
    """A prepared database serves as the template of another."""
    prepared = postgres.create()
    postgres.execute("CREATE TABLE letter (id int)", prepared)
    copy = postgres.create(prepared)
    postgres.execute("INSERT INTO letter VALUES (1)", copy)
    with psycopg.connect(dsn(postgres.url(prepared))) as connection:
        assert connection.execute("SELECT count(*) FROM letter").fetchone() == (0,)
    postgres.drop(copy)
    postgres.drop(prepared)


def test_postgres_leaves_nothing_behind():
    """A stopped server is gone, with its files."""
    server = postgres_server.start()
    server.stop()
    assert server.process.poll() is not None
    assert not server.directory.exists()


def test_dovecot_keeps_what_is_appended(dovecot):
    """A letter is found again byte for byte under the UID it was given, and stays unread."""
    uid = dovecot.append("keeps@counsel.test", LETTER)
    assert dovecot.list_uids("keeps@counsel.test") == [uid]
    assert dovecot.fetch("keeps@counsel.test", uid) == LETTER
    assert b"\\Seen" not in dovecot.flags("keeps@counsel.test", uid)


def test_dovecot_has_the_folders_and_skills_of_a_provider(dovecot):
    """Junk and Archive exist from the start, and MOVE, UIDPLUS and IDLE are there."""
    with dovecot.session("folders@counsel.test") as client:
        names = {name for _flags, _separator, name in client.list_folders()}
        capabilities = set(client.capabilities())
    assert {"INBOX", "Junk", "Archive"} <= names
    assert {b"MOVE", b"UIDPLUS", b"IDLE"} <= capabilities


def test_dovecot_refuses_a_wrong_password(dovecot):
    """Logging in takes the right password."""
    client = imapclient.IMAPClient("127.0.0.1", dovecot.port, ssl=False)
    with client, pytest.raises(imapclient.exceptions.LoginError):
        client.login("wrong@counsel.test", "not this one")


def test_dovecot_speaks_tls_to_who_trusts_it(dovecot):
    """TLS works with the server's own authority, and with no other."""
    trusting = imapclient.IMAPClient(
        "127.0.0.1", dovecot.tls_port, ssl=True, ssl_context=dovecot.context()
    )
    with trusting:
        trusting.login("tls@counsel.test", dovecot.password)
    with pytest.raises(ssl.SSLCertVerificationError):
        imapclient.IMAPClient(
            "127.0.0.1", dovecot.tls_port, ssl=True, ssl_context=ssl.create_default_context()
        )


def test_the_sink_keeps_envelope_and_bytes(sink):
    """What was sent is what is kept."""
    send(sink.port)
    [letter] = sink.wait(1)
    assert letter.sender == "rani+tag@example.org"
    assert letter.recipients == ("centre@counsel.test",)
    assert letter.content == LETTER


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", ["451 4.3.0 later", "550 5.1.1 never"])
def test_the_sink_rejects_when_told(sink, command, reply):
    """A refusal is given once, at the command chosen, and the next letter is taken."""
    sink.reject(reply, at=command)
    with pytest.raises(smtplib.SMTPException, match=reply[:3]):
        send(sink.port)
    assert sink.letters == []
    send(sink.port)
    assert len(sink.letters) == 1


@pytest.mark.parametrize("keep", [True, False])
def test_the_sink_hangs_up_after_data(sink, keep):
    """The line breaks after the last byte, whether or not the letter was kept."""
    sink.hang_up_after_data(keep=keep)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        send(sink.port)
    assert sink.attempts == 1
    assert len(sink.letters) == keep


def test_the_sink_holds_letters_until_released(sink):
    """A held letter is given but not kept; released, it is."""
    sink.hold()
    sender = threading.Thread(target=send, args=[sink.port])
    sender.start()
    tools.until(lambda: sink.attempts == 1, "the end of DATA")
    assert sink.letters == []
    sink.release()
    assert len(sink.wait(1)) == 1
    sender.join(tools.PATIENCE)


def test_the_sink_offers_tls_and_login():
    """STARTTLS and AUTH are there when asked for, and kept with the letter."""
    ca = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    ca.issue_cert("127.0.0.1").configure_cert(server)
    ca.configure_trust(client)
    sink = sink_server.start(tls=server, login=True)
    try:
        with pytest.raises(smtplib.SMTPException, match="530"):
            send(sink.port)
        send(sink.port, tls=client, login=("centre", "secret"))
        [letter] = sink.wait(1)
    finally:
        sink.stop()
    assert letter.by_tls
    assert letter.login == "centre"


def test_postfix_hands_letters_on(sink, start_postfix):
    """A letter given to Postfix arrives at the sink as it was."""
    postfix = start_postfix(sink.port)
    send(postfix.port)
    [letter] = sink.wait(1)
    arrived = message_from_bytes(letter.content)
    assert arrived["Message-ID"] == "<token@example.org>"
    assert arrived["From"] == "Rani Contoh <rani+tag@example.org>"
    assert letter.recipients == ("centre@counsel.test",)


def test_postfix_rewrites_like_a_smarthost(sink, start_postfix):
    """From and envelope become the account's address, and the Message-ID Postfix's own."""
    postfix = start_postfix(sink.port, rewrite_from="account@relay.test", rewrite_message_id=True)
    send(postfix.port)
    [letter] = sink.wait(1)
    arrived = message_from_bytes(letter.content)
    assert letter.sender == "account@relay.test"
    assert arrived["From"] == "Rani Contoh <account@relay.test>"
    assert arrived["Message-ID"].endswith("@smarthost.test>")
    assert "token" not in arrived["Message-ID"]


def test_postfix_waits_for_a_server_that_is_down(sink, start_postfix):
    """A letter put off by the next server stays in the queue, and is taken when tried again."""
    sink.reject("451 4.3.0 later")
    postfix = start_postfix(sink.port)
    send(postfix.port)
    tools.until(lambda: "status=deferred" in postfix.log, "the first try")
    assert sink.letters == []

    def taken():
        postfix.try_again()
        return sink.letters

    tools.until(taken, "the next try")
    assert sink.attempts == 2


def test_postfix_leaves_nothing_behind(sink):
    """A stopped Postfix is gone, with all its helpers and its queue."""
    server = postfix_server.start(sink.port)
    send(server.port)
    sink.wait(1)
    own = f"MAIL_CONFIG={server.directory}/etc".encode()
    assert len(processes_with(own)) > 1
    server.stop()
    tools.until(lambda: not processes_with(own), "the end of Postfix's helpers")
    assert not server.directory.exists()


def processes_with(setting):
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if setting in environ.read_bytes():
                found.append(environ)
    return found


def test_servers_do_not_run_as_root(dovecot, postgres):
    """Even where the tests are run by root, a server is an ordinary user's process."""
    for server in (dovecot, postgres):
        assert Path(f"/proc/{server.process.pid}").stat().st_uid == tools.unprivileged().pw_uid != 0


def test_the_sink_runs_in_a_thread_of_its_own(sink):
    """The test's own event loop, if any, is not the sink's."""

    async def own_loop():
        await asyncio.to_thread(send, sink.port)

    asyncio.run(own_loop())
    assert len(sink.letters) == 1
