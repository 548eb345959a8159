"""News that a mail server tells in one breath with the start of IDLE."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest
import trustme

from mailcounsel import config
from mailcounsel.intake import imap
from servers import tools

NEWS = b"* 2 EXISTS\r\n"


class OneBreath:
    """A server that answers IDLE with its "+" and more, in a single write."""

    def __init__(self, more: bytes, context: ssl.SSLContext | None) -> None:
        self.more, self.context = more, context
        self.came_soon: list[
            bool
        ] = []  # for each IDLE, whether the client ended IDLE before it had to
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        plain, _ = self.listener.accept()
        line = self.context.wrap_socket(plain, server_side=True) if self.context else plain
        with self.listener, line, line.makefile("rwb", buffering=0) as file:
            file.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
            for command in iter(file.readline, b""):
                tag, _, rest = command.strip().partition(b" ")
                if rest == b"CAPABILITY":
                    file.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n")
                if rest == b"IDLE":
                    file.write(b"+ idling\r\n" + self.more)
                    self.came_soon.append(self.hears_done(line, file))
                file.write(tag + b" OK done\r\n")

    def hears_done(self, line, file):
        line.settimeout(tools.PATIENCE / 2)
        try:
            return file.readline() == b"DONE\r\n"
        except TimeoutError:
            return False
        finally:
            line.settimeout(None)


@pytest.fixture
def secured(tmp_path, monkeypatch):
    """A TLS context for a server that the process trusts."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("tls", ["none", "tls"])
def test_news_in_one_breath_with_idle_is_heard(secured, tmp_path, tls):
    """A letter announced together with the "+" of IDLE ends the wait, on either kind of line."""
    server = OneBreath(NEWS, secured if tls == "tls" else None)
    password = tmp_path / "password"
    password.write_text("loopback only\n")
    password.chmod(0o600)
    settings = config.Imap(
        host="127.0.0.1", port=server.port, tls=tls, user="letters", password_file=password
    )
    bell, ring = socket.socketpair()
    with bell, ring, imap.connected(settings) as connection:
        assert connection.listen(tools.PATIENCE, bell)
        ring.send(b"!")
        server.more = b""
        assert not connection.listen(tools.PATIENCE, bell)
    server.thread.join(tools.PATIENCE)
    assert server.came_soon == [True, True]
