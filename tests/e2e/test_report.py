"""The page of a case in a real Chromium: it is shown, can be printed, and asks for nothing."""

from __future__ import annotations

import subprocess
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from unit.test_report import page_of

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--virtual-time-budget=3000",),
)


class Trap:
    """A port of this machine, and what was asked of it. A line that asks nothing does not count."""

    def __init__(self) -> None:
        self.knocks: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Answer, self.knocks))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Answer(BaseHTTPRequestHandler):
    """Writes down what is asked, and answers that there is nothing."""

    timeout = 10

    def __init__(self, knocks: list[str], *rest: Any) -> None:
        self.knocks = knocks
        super().__init__(*rest)

    def do_GET(self) -> None:
        self.knocks.append(self.path)
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def trap():
    """A port at which nobody may knock."""
    made = Trap()
    yield made
    made.close()


@pytest.fixture
def chromium(need, tmp_path):
    """`chromium(page, *switches)`: what Chromium says of a page, in a fresh profile."""
    program = need("chromium")

    def run(page: str, *switches: str) -> str:
        file = tmp_path / "page.html"
        file.write_text(page, encoding="utf-8")
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [program, *QUIET, profile, *switches, file.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    return run


def bait(address: str) -> str:
    """Return words that would be a request, wherever they were taken for markup."""
    return (
        f'"><img src="{address}/img"><script>new Image().src="{address}/script"</script>'
        f'<link rel=stylesheet href="{address}/css"><iframe src="{address}/frame"></iframe>'
        f'</style><style>@import "{address}/import";</style>'
    )


def test_a_browser_shows_the_page_and_asks_for_nothing(chromium, trap):
    """Whatever stands in the case is shown as words; nobody anywhere learns that it was opened."""
    shown = chromium(page_of(bait(trap.address), 2), "--dump-dom")
    assert "letter 3 of 6" in shown
    assert "<svg" in shown
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert "<img" not in shown
    assert trap.knocks == []


def test_the_policy_alone_keeps_a_browser_from_asking(chromium, trap):
    """Were a word taken for markup after all, the page's own policy forbids the request."""
    page = page_of("words", 2).replace("<main>", f"<main>{bait(trap.address)}")
    assert "<img" in chromium(page, "--dump-dom")
    assert trap.knocks == []


def test_the_trap_hears_a_browser_that_asks(chromium, trap):
    """Without the policy the same words are heard, so silence means something."""
    chromium(f"<!DOCTYPE html><body>{bait(trap.address)}", "--dump-dom")
    assert len(trap.knocks) >= 3


def test_the_page_can_be_printed(chromium, tmp_path):
    """Chromium makes a PDF of it."""
    target = tmp_path / "page.pdf"
    chromium(page_of("words", 2), f"--print-to-pdf={target}", "--no-pdf-header-footer")
    assert target.read_bytes().startswith(b"%PDF-")
    assert target.stat().st_size > 10_000
