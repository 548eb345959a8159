"""The courier against real servers: what became of a letter is always told truly."""

from __future__ import annotations

import base64
import logging
import socket
import ssl
import threading
import time

import pytest
import trustme

from mailcounsel import errors
from mailcounsel.casework import letters
from mailcounsel.config import SecretValue, Smarthost
from mailcounsel.outgoing import courier
from servers import sink as sink_server

MESSAGE = b"From: <letters@example.org>\r\nSubject: [...]\r\n\r\nHello.\r\n.\r\n..two\r\nEnd.\r\n"
FROM = "letters@example.org"
TO = "wren@client.test"
HOST = "127.0.0.1"


def nothing() -> None:
    """Stand in for the commit before DATA where a test does not look at it."""


def smarthost(port, **more):
    return Smarthost(**{"host": HOST, "port": port, "tls": "none", "timeout_seconds": 30, **more})


def deliver(port, *, sender=FROM, to=TO, message=MESSAGE, before=nothing, secret=None, **more):
    host = smarthost(port, **more)
    return courier.deliver(host, secret, sender, to, message, before_data=before)


class Script:
    """A server that says what it is told, line by line, and remembers what it heard.

    Each answer belongs to one thing the client does: connecting, a command, or the text after
    DATA. None breaks the line instead, "" says nothing until the client gives up.
    """

    USUAL = ("220 script.test", "250 script.test", "250 ok", "250 ok", "354 go on", "250 2.0.0 ok")

    def __init__(self, *answers):
        self.heard: list[bytes] = []
        self._answers = answers
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._listener.close()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _serve(self):
        line, _ = self._listener.accept()
        with line, line.makefile("rb") as reader:
            line.settimeout(60)
            for number, answer in enumerate(self._answers):
                if number and not self._listen(reader, text=self._answers[number - 1]):
                    return
                if answer is None:
                    return
                if answer:
                    line.sendall(answer.encode() + b"\r\n")
            reader.read()

    def _listen(self, reader, text):
        heard = reader.readline()
        if text and text.startswith("354"):
            while heard and not heard.endswith(b"\r\n.\r\n"):
                heard += reader.readline()
        self.heard.append(heard)
        return heard


@pytest.fixture
def script():
    running = []

    def start(*answers):
        running.append(Script(*answers))
        return running[-1]

    yield start
    for server in running:
        server.close()


def usual(place, answer):
    """The usual answers up to a place (0 is the greeting, 5 the text), then this one."""
    return [*Script.USUAL[:place], answer]


# -- delivered -----------------------------------------------------------------------------------


def test_a_letter_arrives_byte_for_byte(sink):
    """What is delivered is what was given, dots at line starts included."""
    assert deliver(sink.port).startswith("250")
    [taken] = sink.wait(1)
    assert (taken.content, taken.sender, taken.recipients) == (MESSAGE, FROM, (TO,))


def test_a_real_smarthost_passes_it_on(sink, start_postfix):
    """Postfix takes the letter and hands on the same text, dots and all."""
    answer = deliver(start_postfix(sink.port).port)
    assert answer == "250 2.0.0"
    [taken] = sink.wait(1)
    assert taken.content.partition(b"\r\n\r\n")[2] == MESSAGE.partition(b"\r\n\r\n")[2]


def test_only_the_codes_of_the_answer_are_kept(script):
    """The server's words, which may quote an address, are not returned."""
    server = script(*usual(5, "250 2.1.5 taken for wren@client.test"))
    assert deliver(server.port) == "250 2.1.5"


def test_the_null_sender_is_sent_as_such(script):
    """An automatic answer has an empty envelope sender, so that it is never answered itself."""
    server = script(*Script.USUAL)
    deliver(server.port, sender="")
    assert server.heard[1].strip() == b"MAIL FROM:<>"


def test_this_machine_is_not_named(script):
    """The greeting holds no host name."""
    server = script(*Script.USUAL)
    deliver(server.port)
    assert server.heard[0].lower().strip() == b"ehlo [127.0.0.1]"


def test_before_data_stands_between_recipient_and_text(script):
    """The commit happens once the recipient is agreed to, and before the word DATA."""
    server = script(*Script.USUAL)
    seen = []
    deliver(server.port, before=lambda: seen.extend(server.heard))
    assert seen[-1].startswith(b"RCPT TO:")
    assert server.heard[3].strip().upper() == b"DATA"


def test_a_commit_that_fails_sends_nothing(sink):
    """What before_data raises comes through, and no text leaves."""

    def lost():
        raise errors.Conflict

    with pytest.raises(errors.Conflict):
        deliver(sink.port, before=lost)
    assert sink.attempts == 0


def test_an_international_address_asks_for_smtputf8(sink):
    """SMTPUTF8 is used for an address that needs it."""
    deliver(sink.port, to="søren@client.test")
    assert sink.wait(1)[0].recipients == ("søren@client.test",)


def test_smtputf8_is_not_asked_for_in_vain(script):
    """An ordinary address needs no extension."""
    server = script(
        *usual(1, "250-script.test\r\n250-SIZE 90000\r\n250 SMTPUTF8"), *Script.USUAL[2:]
    )
    deliver(server.port)
    assert server.heard[1].strip() == f"MAIL FROM:<{FROM}> SIZE={len(MESSAGE)}".encode()


def test_an_international_address_is_refused_where_no_server_can_take_it(script):
    """Without SMTPUTF8 such an address is a permanent refusal, before MAIL."""
    server = script(*Script.USUAL)
    with pytest.raises(errors.PermanentDeliveryError, match="SMTPUTF8"):
        deliver(server.port, to="søren@client.test")
    server.close()
    assert not any(line.startswith(b"MAIL") for line in server.heard)


# -- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("451 4.3.0 not now", errors.TransientDeliveryError),
        ("421 4.3.2 closing", errors.TransientDeliveryError),
        ("550 5.7.1 never", errors.PermanentDeliveryError),
    ],
)
def test_a_refusal_is_as_lasting_as_its_code(sink, command, answer, kind):
    """At each command 4xx means later and 5xx never; with an answer nothing is uncertain."""
    sink.reject(answer, at=command)
    with pytest.raises(kind, match=answer[:9].replace(".", r"\.")):
        deliver(sink.port)
    assert sink.letters == []


@pytest.mark.parametrize("answer", ["450 4.2.0 no", "550 5.3.0 no"])
def test_a_refusal_of_the_word_data_is_certain(script, answer):
    """Refused before the text was asked for, a letter was not taken."""
    server = script(*usual(4, answer))
    kind = errors.PermanentDeliveryError if answer[0] == "5" else errors.TransientDeliveryError
    with pytest.raises(kind, match="DATA"):
        deliver(server.port)


@pytest.mark.parametrize("answer", ["554 5.3.2 no mail here", "421 busy"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_server_that_does_not_greet_is_tried_again(script, place, answer):
    """Before MAIL every refusal is about us, not about the letter: it stays in the outbox."""
    with pytest.raises(errors.TransientDeliveryError):
        deliver(script(*usual(place, answer)).port)


def test_a_missing_login_is_not_the_letters_fault(script):
    """530 to MAIL means the account is missing: the letter is tried again once that is mended."""
    with pytest.raises(errors.TransientDeliveryError, match="530"):
        deliver(script(*usual(2, "530 5.7.0 log in first")).port)


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("answer", [None, "no such thing"], ids=["hang-up", "garbled"])
def test_trouble_before_the_text_is_passing(script, place, answer):
    """As long as no text was sent, a broken line loses nothing and doubles nothing."""
    with pytest.raises(errors.TransientDeliveryError):
        deliver(script(*usual(place, answer)).port)


def test_a_server_that_is_not_there_is_tried_again():
    """A refused connection is passing."""
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.TransientDeliveryError, match="connect: refused"):
        deliver(port)


# -- uncertain -----------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [True, False])
def test_a_line_broken_after_the_text_is_uncertain(sink, keep):
    """Taken or not, without an answer nobody can know."""
    sink.hang_up_after_data(keep=keep)
    with pytest.raises(errors.UncertainDelivery):
        deliver(sink.port)


@pytest.mark.parametrize("answer", [None, "what?", "354 go on", "199 hm"])
def test_no_real_answer_to_the_text_is_uncertain(script, answer):
    """A hang-up, noise, or a code that settles nothing."""
    with pytest.raises(errors.UncertainDelivery):
        deliver(script(*usual(5, answer)).port)


def test_silence_after_the_text_is_uncertain(script):
    """A server that takes the text and never answers leaves it open."""
    with pytest.raises(errors.UncertainDelivery):
        deliver(script(*usual(5, "")).port, timeout_seconds=1)


def test_silence_before_the_text_is_passing(script):
    """A server that never answers MAIL has been given nothing."""
    with pytest.raises(errors.TransientDeliveryError, match="no answer in time"):
        deliver(script(*usual(2, "")).port, timeout_seconds=1)


def test_a_slow_server_is_waited_for(sink):
    """An answer that takes its time is an answer."""
    sink.be_slow(1.5)
    assert deliver(sink.port).startswith("250")


def test_a_server_that_drips_is_cut_off():
    """Single bytes, each within the time-out, do not hold a delivery for ever."""
    stop = threading.Event()

    def drip(listener):
        line, _ = listener.accept()
        with line:
            while not stop.wait(0.2):
                try:
                    line.sendall(b"2")
                except OSError:
                    return

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(errors.TransientDeliveryError):
            deliver(listener.getsockname()[1], timeout_seconds=1)
        assert time.monotonic() - begun >= 1  # the time-out for one answer did not end it
        stop.set()
        thread.join(30)


# -- what may be written into the line -----------------------------------------------------------

EVIL = [
    "a@b.test>\r\nRCPT TO:<spy@evil.test",
    "a@b.test\r\nDATA",
    "a@b.test\nx",
    "a@b.test\0",
    "a b@c.test",
    "a@b.test x",
    "a@b.test>",
    "<a@b.test",
    '"a b"@c.test',
    "a@b@c.test",
    "a",
    "@c.test",
    "a@",
    "",
    "a@b.test, d@e.test",
    "x" * 65 + "@c.test",
    "a@" + "x." * 130 + "test",
    "a@\u2028b.test",
]


@pytest.mark.parametrize("address", EVIL)
def test_an_address_that_is_more_than_one_never_reaches_a_socket(monkeypatch, address):
    """Line ends, NUL, blanks, brackets and lists are refused before a connection is made."""

    def no_connection(*args, **kwargs):
        pytest.fail("a connection was made")

    monkeypatch.setattr(socket, "create_connection", no_connection)
    with pytest.raises(errors.PermanentDeliveryError) as caught:
        deliver(9, to=address)
    assert "test" not in str(caught.value)
    if address:
        with pytest.raises(errors.PermanentDeliveryError):
            deliver(9, sender=address)


SMUGGLED = ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\n.\r", "\r.\r\n", "\r\n\0.\r\n"]


@pytest.mark.parametrize("ending", SMUGGLED)
def test_nothing_that_some_server_takes_for_an_end_leaves(sink, ending):
    """SMTP smuggling: a text with a bare CR, LF or NUL is refused, not mended."""
    text = f"Subject: x\r\n\r\nbefore{ending}MAIL FROM:<spy@evil.test>\r\n".encode()
    with pytest.raises(errors.PermanentDeliveryError):
        deliver(sink.port, message=text)
    assert sink.attempts == 0


def test_the_one_true_ending_is_doubled(sink):
    """A line with only a dot stays text."""
    text = b"Subject: x\r\n\r\nbefore\r\n.\r\nMAIL FROM:<spy@evil.test>\r\n"
    deliver(sink.port, message=text)
    [taken] = sink.wait(1)
    assert taken.content == text


@pytest.mark.parametrize("text", [b"x" * 999 + b"\r\n", b"no end", b""])
def test_a_text_no_server_must_take_does_not_leave(text):
    """A line over 998 bytes or a missing last line end is a permanent refusal."""
    with pytest.raises(errors.PermanentDeliveryError):
        deliver(9, message=text)


def test_the_longest_line_allowed_leaves(sink):
    """998 bytes is a line."""
    deliver(sink.port, message=b"x" * 998 + b"\r\n")
    assert len(sink.wait(1)[0].content) == 1000


def test_no_word_of_the_letter_or_the_server_is_kept(sink, caplog):
    """Refusals that quote address and subject leave no trace of them, in errors or logs."""
    caplog.set_level(logging.DEBUG)
    sink.reject("550 5.1.1 <wren@client.test>: Hello is not known here", at="RCPT")
    with pytest.raises(errors.PermanentDeliveryError) as caught:
        deliver(sink.port)
    fault = caught.value
    said = str(fault) + repr(fault) + repr(fault.__cause__) + repr(fault.__context__)
    said += "".join(r.getMessage() for r in caplog.records if r.name.startswith("mailcounsel"))
    assert str(fault) == "RCPT: 550 5.1.1"
    assert "wren" not in said
    assert "Hello" not in said


# -- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    """The system trusts the test's authority."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def server_context(authority, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def tls_sink(authority):
    running = []

    def start(name=HOST, *, login=False):
        running.append(sink_server.start(tls=server_context(authority, name), login=login))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.mark.usefixtures("trusted")
def test_starttls_protects_the_letter(tls_sink):
    """With starttls the letter travels under TLS."""
    server = tls_sink()
    deliver(server.port, tls="starttls")
    assert server.wait(1)[0].by_tls


def test_an_unknown_authority_is_refused(tls_sink):
    """A certificate nobody vouches for ends the delivery with nothing sent."""
    server = tls_sink()
    with pytest.raises(errors.TransientDeliveryError, match="TLS: the server's certificate"):
        deliver(server.port, tls="starttls")
    assert server.attempts == 0


@pytest.mark.usefixtures("trusted")
def test_another_servers_certificate_is_refused(tls_sink):
    """The name in the certificate has to be the smarthost's."""
    server = tls_sink("elsewhere.test")
    with pytest.raises(errors.TransientDeliveryError, match="TLS: the server's certificate"):
        deliver(server.port, tls="starttls")
    assert server.attempts == 0


def test_a_server_without_starttls_gets_nothing(sink):
    """A stripped STARTTLS never means clear text."""
    with pytest.raises(errors.TransientDeliveryError, match="STARTTLS: not offered"):
        deliver(sink.port, tls="starttls")
    assert sink.attempts == 0


@pytest.mark.parametrize("answer", ["454 4.7.0 not now", "501 what", "250 sure"])
def test_a_refused_starttls_gets_nothing(script, answer):
    """Only 220 starts TLS; anything else ends the delivery."""
    server = script(*usual(1, "250-script.test\r\n250 STARTTLS"), answer)
    with pytest.raises(errors.TransientDeliveryError, match="STARTTLS"):
        deliver(server.port, tls="starttls")
    server.close()
    assert not any(line.startswith(b"MAIL") for line in server.heard)


@pytest.mark.usefixtures("trusted")
def test_answers_slipped_in_before_tls_count_for_nothing(authority):
    """Plain text behind the 220 of STARTTLS is never read as an answer under TLS."""
    context = server_context(authority, HOST)
    heard = []

    def serve(listener):
        line, _ = listener.accept()
        line.settimeout(30)
        line.sendall(b"220 hello\r\n")
        line.recv(1000)
        line.sendall(b"250-hello\r\n250 STARTTLS\r\n")
        line.recv(1000)
        line.sendall(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n235 yes\r\n250 ok\r\n250 ok\r\n")
        try:
            with context.wrap_socket(line, server_side=True) as safe:
                heard.append(safe.recv(1000))
                safe.sendall(b"554 go away\r\n")
        except OSError:
            line.close()

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(errors.TransientDeliveryError):
            deliver(listener.getsockname()[1], tls="starttls")
        thread.join(30)
    assert b"MAIL" not in b"".join(heard)


@pytest.mark.usefixtures("trusted")
def test_tls_from_the_first_byte(authority):
    """With tls nothing is said in clear, the greeting included."""
    context = server_context(authority, HOST)
    heard = []

    def serve(listener):
        line, _ = listener.accept()
        with context.wrap_socket(line, server_side=True) as safe, safe.makefile("rb") as reader:
            for answer in Script.USUAL:
                safe.sendall(answer.encode() + b"\r\n")
                heard.append(reader.readline())
                while answer.startswith("354") and heard[-1] != b".\r\n":
                    heard.append(reader.readline())

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        assert deliver(listener.getsockname()[1], tls="tls") == "250 2.0.0"
        thread.join(30)
    assert heard[0].startswith(b"ehlo")


def test_tls_to_a_server_that_speaks_in_clear_gets_nothing(sink):
    """A server without TLS is not spoken to when TLS is asked for."""
    with pytest.raises(errors.TransientDeliveryError, match="TLS"):
        deliver(sink.port, tls="tls")
    assert sink.attempts == 0


def test_no_clear_text_leaves_this_machine(monkeypatch):
    """tls = "none" is for loopback, whatever a configuration got past its checks."""
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("connected"))
    with pytest.raises(errors.TransientDeliveryError, match="TLS"):
        deliver(25, host="mail.example.org")


# -- logging in ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # of the test's server
@pytest.mark.usefixtures("trusted")
def test_a_password_logs_in(tls_sink):
    """AUTH happens under TLS, before MAIL."""
    server = tls_sink(login=True)
    secret = SecretValue("password", "pässword")
    deliver(server.port, tls="starttls", user="centre", secret=secret)
    [taken] = server.wait(1)
    assert (taken.login, taken.by_tls) == ("centre", True)


def auth_script(offered, *answers):
    """A server that offers these ways to log in, gives these answers, and then the usual ones."""
    return [*usual(1, f"250-script.test\r\n250 AUTH {offered}"), *answers, *Script.USUAL[2:]]


def test_login_is_spoken_where_plain_is_not(script):
    """Old servers that only know LOGIN are logged in to."""
    server = script(*auth_script("LOGIN", "334 UGFzc3dvcmQ6", "235 2.7.0 ok"))
    deliver(server.port, user="centre", secret=SecretValue("password", "open sesame"))
    words = [base64.b64decode(server.heard[1].split()[2]), base64.b64decode(server.heard[2])]
    assert words == [b"centre", b"open sesame"]


def test_a_token_is_spoken_as_xoauth2(script):
    """An OAuth token goes by XOAUTH2, in the one form providers read."""
    server = script(*auth_script("PLAIN XOAUTH2", "235 2.7.0 ok"))
    deliver(server.port, user="c@example.org", secret=SecretValue("token", "ya29.abc"))
    _, mechanism, first = server.heard[1].split()
    assert mechanism == b"XOAUTH2"
    assert base64.b64decode(first) == b"user=c@example.org\x01auth=Bearer ya29.abc\x01\x01"


def test_a_refused_token_ends_cleanly(script):
    """The challenge that explains the refusal is answered with an empty line, then 535 counts."""
    server = script(
        *usual(1, "250-x\r\n250 AUTH XOAUTH2"), "334 eyJzdGF0dXMiOiI0MDAifQ==", "535 5.7.8 no"
    )
    with pytest.raises(errors.TransientDeliveryError, match=r"AUTH: 535 5\.7\.8"):
        deliver(server.port, user="c@example.org", secret=SecretValue("token", "stale"))
    assert server.heard[2] == b"\r\n"


def test_a_wrong_password_keeps_letters(script):
    """A refused login is passing: the letters wait until the password is right again."""
    server = script(*usual(1, "250-x\r\n250 AUTH PLAIN"), "535 5.7.8 wrong password for centre")
    with pytest.raises(errors.TransientDeliveryError) as caught:
        deliver(server.port, user="centre", secret=SecretValue("password", "s3cret-marker"))
    assert str(caught.value) == "AUTH: 535 5.7.8"


# -- doctor --------------------------------------------------------------------------------------


def test_check_finds_nothing_wrong_with_a_good_server(sink):
    """The doctor's look sends no letter."""
    assert courier.check(smarthost(sink.port)) == []
    assert sink.attempts == 0


def test_check_tells_what_is_wrong(sink):
    """One sentence, with what to do."""
    [line] = courier.check(smarthost(sink.port, tls="starttls"))
    assert "STARTTLS: not offered" in line
    assert "config.toml" in line


def test_check_tells_of_a_secret_that_cannot_be_had(sink, tmp_path):
    """A missing password file is told without its path."""
    missing = tmp_path / "nowhere"
    [line] = courier.check(smarthost(sink.port, user="centre", password_file=missing))
    assert "password_file" in line
    assert "nowhere" not in line


@pytest.mark.parametrize("timeout", [1, 60, 10_000_000])
def test_no_delivery_outlasts_its_lease(timeout):
    """Whatever time-out is configured, the claim still holds when the delivery ends."""
    secret, gpg = 20, 120  # seconds for a password command, and for gpg with room to spare
    longest = courier.longest_seconds(smarthost(25, timeout_seconds=timeout)) + secret + gpg
    assert longest < letters.LEASE_SECONDS
