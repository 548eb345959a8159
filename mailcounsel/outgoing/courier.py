"""Hand a finished letter to the smarthost. The only file that speaks SMTP to the world.

What became of a letter is one of four things, and each is certain:

- a reply code came back: it was taken (250 to its last dot);
- `TransientDeliveryError`: it was not taken, and may be tried again;
- `PermanentDeliveryError`: it was refused for good;
- `UncertainDelivery`: its text was under way when the line broke. It may have been taken, and
  nobody here can know; it must not be sent again without a person's word.

Of a server's replies only the codes are kept: their words may quote an address or a subject.
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from mailcounsel import errors
from mailcounsel.config import SecretValue, Smarthost
from mailcounsel.config.fields import is_loopback
from mailcounsel.letter import addresses

# Said instead of this machine's name, which is nobody's business (RFC 5321 §4.1.3 allows it).
HELLO = "[127.0.0.1]"
CONNECT_SECONDS = 60
WAITS = 5  # a whole delivery may take this many times the wait for one answer,
LONGEST_SECONDS = 600  # and never longer than this: leases rely on it
LONGEST_LINE = 998  # RFC 5322 §2.1.1, without the line end

_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=\s|\Z)")
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
_LONG_LINE = re.compile(rb"[^\n]{%d}" % (LONGEST_LINE + 2))
# Refusals of us rather than of the letter: an account, a password or TLS is missing (RFC 4954 §6).
_OUR_FAULT = frozenset({502, 503, 504, 530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class _Reply:
    """A server's answer, less its words."""

    step: str
    code: int
    enhanced: str

    def __str__(self) -> str:
        return f"{self.step}: {self.code} {self.enhanced}".rstrip()

    def expect(self, *codes: int) -> None:
        """Go on with one of these codes. Raises: the error that fits any other."""
        if self.code in codes:
            return
        if 500 <= self.code <= 599 and self.code not in _OUR_FAULT:
            raise errors.PermanentDeliveryError(str(self))
        raise errors.TransientDeliveryError(str(self))

    def expect_of_us(self, *codes: int) -> None:
        """Go on with one of these codes; whatever else comes, the letter is not to blame."""
        if self.code not in codes:
            raise errors.TransientDeliveryError(str(self))


def longest_seconds(smarthost: Smarthost) -> int:
    """Return how many seconds a delivery may take at most; a claim's lease must be longer.

    A resolver that hangs, or a host with many dead addresses, can exceed it: harmless, since a
    claim is asked for again just before the text leaves.
    """
    return CONNECT_SECONDS + _whole_seconds(smarthost)


def _whole_seconds(smarthost: Smarthost) -> int:
    return min(WAITS * smarthost.timeout_seconds, LONGEST_SECONDS)


def deliver(
    smarthost: Smarthost,
    secret: SecretValue | None,
    mail_from: str,
    to: str,
    message: bytes,
    *,
    before_data: Callable[[], None],
) -> str:
    """Deliver one message to one address, and return the codes of the answer ("250 2.0.0").

    `mail_from` is "" for the null sender; `message` has CRLF line ends. `before_data` is called
    once the server has agreed to the recipient, right before DATA: what it raises ends the
    delivery with nothing sent.

    Raises: TransientDeliveryError, PermanentDeliveryError, UncertainDelivery.
    """
    sender = _checked(mail_from) if mail_from else ""
    recipient = _checked(to)
    _check_message(message)
    with _conversation(smarthost, secret) as client:
        _envelope(client, sender, recipient, message)
        before_data()
        return _hand_over(client, message)


def check(smarthost: Smarthost) -> list[str]:
    """Log in to the smarthost without sending anything; return what is wrong, a sentence each."""
    try:
        secret = smarthost.secret.read() if smarthost.user and smarthost.secret else None
        with _conversation(smarthost, secret) as client:
            _ask(client, "NOOP").expect_of_us(250)
    except errors.Unavailable as fault:
        return [str(fault)]
    except errors.DeliveryError as fault:
        return [f"The smarthost cannot be used ({fault}). Check [smarthost] in config.toml."]
    return []


def _checked(address: str) -> str:
    """Return an address in its wire form. Nothing else is ever written into a command."""
    plain = addresses.normal(address)
    if plain is None:
        raise errors.PermanentDeliveryError("address: not a plain mail address")
    return plain


def _check_message(message: bytes) -> None:
    """Refuse what servers split or read differently (SMTP smuggling, CVE-2023-51764)."""
    if _BARE_LINE_END.search(message) or not message.endswith(b"\r\n"):
        raise errors.PermanentDeliveryError("message: a bare line end or NUL")
    if _LONG_LINE.search(message):
        raise errors.PermanentDeliveryError("message: a line is too long")


# -- the line ------------------------------------------------------------------------------------


@contextmanager
def _conversation(smarthost: Smarthost, secret: SecretValue | None) -> Iterator[smtplib.SMTP]:
    """Open a line to the smarthost, protected and logged in as configured; close it whatever comes.

    The whole of it is bound in time: a server that sends a byte now and then would get past the
    time-out for each answer.
    """
    if smarthost.tls == "none" and not is_loopback(smarthost.host):
        raise errors.TransientDeliveryError("TLS: needed for a host that is not this machine")
    client = smtplib.SMTP(local_hostname=HELLO)
    client.sock = _connect(smarthost)
    watch = threading.Timer(_whole_seconds(smarthost), _cut, (client,))
    watch.daemon = True
    watch.start()
    try:
        _greet(client, smarthost)
        if smarthost.user and secret:
            _log_in(client, smarthost.user, secret)
        yield client
        with suppress(smtplib.SMTPException, OSError):
            client.putcmd("QUIT")  # its answer changes nothing, and waiting would delay the news
    finally:
        watch.cancel()
        client.close()


def _connect(smarthost: Smarthost) -> socket.socket:
    place = (smarthost.host, smarthost.port)
    try:
        line = socket.create_connection(place, min(smarthost.timeout_seconds, CONNECT_SECONDS))
    except OSError as fault:
        raise errors.TransientDeliveryError(f"connect: {_why(fault)}") from fault
    line.settimeout(smarthost.timeout_seconds)
    return _wrapped(line, smarthost.host) if smarthost.tls == "tls" else line


def _wrapped(line: socket.socket, host: str) -> socket.socket:
    """Return the line under TLS, the server's name proved by a certificate the system trusts."""
    try:
        return ssl.create_default_context().wrap_socket(line, server_hostname=host)
    except (OSError, ValueError) as fault:
        line.close()
        raise errors.TransientDeliveryError(f"TLS: {_why(fault)}") from fault


def _cut(client: smtplib.SMTP) -> None:
    """Break the line under whoever waits on it."""
    if client.sock is not None:
        with suppress(OSError):
            # Not SSLSocket.shutdown, which would leave the socket speaking in clear.
            socket.socket.shutdown(client.sock, socket.SHUT_RDWR)


def _greet(client: smtplib.SMTP, smarthost: Smarthost) -> None:
    _reply(client, "greeting").expect_of_us(220)
    _hello(client)
    if smarthost.tls == "starttls":
        _start_tls(client, smarthost.host)


def _hello(client: smtplib.SMTP) -> None:
    with _translated("EHLO"):
        code, _ = client.ehlo()
    _Reply("EHLO", code, "").expect_of_us(250)


def _start_tls(client: smtplib.SMTP, host: str) -> None:
    """Protect the line, or raise: a server that offers no TLS is never spoken to in clear."""
    if not client.has_extn("starttls"):
        raise errors.TransientDeliveryError("STARTTLS: not offered")
    _ask(client, "STARTTLS").expect_of_us(220)
    if client.sock is None:  # cut off by the watch meanwhile
        raise errors.TransientDeliveryError("STARTTLS: no answer in time")
    client.sock = _wrapped(client.sock, host)
    client.file = None  # with whatever was slipped in before the TLS began (RFC 3207 §5)
    _hello(client)


def _log_in(client: smtplib.SMTP, user: str, secret: SecretValue) -> None:
    offered = client.esmtp_features.get("auth", "").upper().split()
    if secret.kind == "token":
        reply = _auth(client, "XOAUTH2", f"user={user}\1auth=Bearer {secret.value}\1\1")
    elif "PLAIN" in offered or "LOGIN" not in offered:
        reply = _auth(client, "PLAIN", f"\0{user}\0{secret.value}")
    else:
        reply = _auth(client, "LOGIN", user, secret.value)
    reply.expect_of_us(235)


def _auth(client: smtplib.SMTP, mechanism: str, first: str, *more: str) -> _Reply:
    """Speak RFC 4954; a challenge nobody has an answer to is answered with an empty line."""
    reply = _ask(client, "AUTH", f"{mechanism} {_base64(first)}")
    answers = [*more, ""]
    while reply.code == 334 and answers:
        reply = _ask(client, _base64(answers.pop(0)), step="AUTH")
    return reply


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


# -- the letter ----------------------------------------------------------------------------------


def _envelope(client: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> None:
    options = _mail_options(client, sender + recipient, message)
    _ask(client, "MAIL", f"FROM:<{sender}>{options}").expect(250)
    _ask(client, "RCPT", f"TO:<{recipient}>").expect(250, 251)


def _mail_options(client: smtplib.SMTP, both: str, message: bytes) -> str:
    options = f" SIZE={len(message)}" if client.has_extn("size") else ""
    if not message.isascii():
        options += _extension(client, "8BITMIME", " BODY=8BITMIME")
    if not both.isascii():
        options += _extension(client, "SMTPUTF8", " SMTPUTF8")
        client.command_encoding = "utf-8"
    return options


def _extension(client: smtplib.SMTP, name: str, option: str) -> str:
    if not client.has_extn(name.lower()):
        raise errors.PermanentDeliveryError(f"{name}: not offered")
    return option


def _hand_over(client: smtplib.SMTP, message: bytes) -> str:
    """Give the text away. From its first byte on, only an answer makes the outcome certain."""
    _ask(client, "DATA").expect(354)
    try:
        client.send(_dotted(message) + b".\r\n")
        reply = _reply(client, "text")
    except (smtplib.SMTPException, OSError, errors.DeliveryError) as fault:
        raise errors.UncertainDelivery("text: the line broke before the answer") from fault
    if 200 <= reply.code <= 299:
        return f"{reply.code} {reply.enhanced}".rstrip()
    if not 400 <= reply.code <= 599:
        raise errors.UncertainDelivery(f"text: an answer that is none ({reply.code})")
    kind = errors.PermanentDeliveryError if reply.code >= 500 else errors.TransientDeliveryError
    raise kind(str(reply))  # certain, since answered


def _dotted(message: bytes) -> bytes:
    """Double the dot at the start of a line (RFC 5321 §4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", message)


# -- one question, one answer --------------------------------------------------------------------


def _ask(client: smtplib.SMTP, command: str, argument: str = "", *, step: str = "") -> _Reply:
    with _translated(step or command):
        client.putcmd(command, argument)
    return _reply(client, step or command)


def _reply(client: smtplib.SMTP, step: str) -> _Reply:
    with _translated(step):
        code, words = client.getreply()
    found = _ENHANCED.match(words)
    return _Reply(step, code, found[0].decode("ascii") if found else "")


@contextmanager
def _translated(step: str) -> Iterator[None]:
    """Turn trouble with the line into our error: until the text goes out, nothing is lost."""
    try:
        yield
    except (smtplib.SMTPException, OSError) as fault:
        raise errors.TransientDeliveryError(f"{step}: {_why(fault)}") from fault


def _why(fault: Exception) -> str:
    """Say what happened to a line in words of our own."""
    known: tuple[tuple[type[Exception], str], ...] = (
        (ssl.SSLCertVerificationError, "the server's certificate is not trusted"),
        (ssl.SSLError, "no common ground with the server"),
        (socket.gaierror, "the host is not known"),
        (TimeoutError, "no answer in time"),
        (ConnectionRefusedError, "refused"),
    )
    # smtplib turns every trouble with a socket into its own "disconnected".
    cause = fault.__context__ if isinstance(fault, smtplib.SMTPServerDisconnected) else fault
    return next((words for kind, words in known if isinstance(cause, kind)), "the line broke")
