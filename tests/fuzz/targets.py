"""What is fed with bent inputs, and what must hold whatever they are.

Each target takes bytes and raises AssertionError, or anything else that a real letter, server or
client could then make the service stumble over. The errors a part is meant to raise are expected.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path

from mailcounsel import config, errors
from mailcounsel.crypto import status
from mailcounsel.intake import assessing, classifying, imap, inbox, opening, smtp, vouching
from mailcounsel.intake.knowledge import NoKnowledge
from mailcounsel.letter import addresses, calendars, cms, fold, headers, parse, pictures, text, tnef
from mailcounsel.service import explaining

Target = Callable[[bytes], None]

BUDGETS = parse.Budgets(size=10_000_000)
CONFIG = explaining.any_config()
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]")
_TOKEN = re.compile(r"[a-z2-7]{26}")
PATIENCE = 20.0  # seconds for one conversation


def is_clean(words: str) -> bool:
    """Tell whether a store and a database take this text."""
    words.encode("utf-8")  # no lone surrogate
    return "\0" not in words


def message(data: bytes) -> None:
    """A letter is read, assessed and classified, or is beyond the limits."""
    try:
        letter = parse.read(data, BUDGETS)
    except errors.OverBudget:
        return
    assert is_clean(letter.text)
    assert all(is_clean(value) and "\n" not in value for _, value in letter.headers)
    assert "\n" not in letter.subject
    for file in letter.attachments:
        assert file.name
        assert not set(file.name) & set("/\\\0\n\r")
    assessing.assess(letter, ("id", "en"))
    classifying.classify(letter, "", NoKnowledge(), CONFIG)
    vouching.vouch(opening.Opened(letter), (), NoKnowledge(), "mx.rumah.test")


def address(data: bytes) -> None:
    """A sender is one plain address or nobody; recipients are plain ones."""
    found = addresses.sender([data])
    for one in filter(None, (found.address, *addresses.recipients([data]))):
        assert one.count("@") == 1
        assert one.isprintable()
        assert not set(one) & set(' <>",;:()')
    assert is_clean(found.name)
    headers.content_type(data)
    headers.date(data)
    headers.message_ids(data)
    assert is_clean(headers.decoded(data))


def folds(data: bytes) -> None:
    """Spans lie in order within the text, and nothing of it is lost."""
    words = data.decode("utf-8", "replace")
    earlier, _, rest = words.partition("\x00")
    spans = fold.fold(rest, [earlier])
    position = 0
    for span in spans:
        assert position <= span.start < span.end <= len(rest)
        position = span.end
    fold.render(rest, spans)
    fold.new_words(rest, spans)


def token(data: bytes) -> None:
    """What is taken for a token of ours has the shape of one."""
    words = data.decode("utf-8", "replace").replace("\n", " ")
    raw = f"From: a@x.test\nTo: {words}\nReferences: {words}\n\nx".encode("utf-8", "replace")
    with contextlib.suppress(errors.OverBudget):
        letter = parse.read(raw, BUDGETS)
        for found in vouching.tokens(letter, (words,)):
            assert _TOKEN.fullmatch(found)


def gpg(data: bytes) -> None:
    """Whatever stands on the status channel, only a whole good signature is valid."""
    found = status.lines(data.split(b"\n"))
    status.opened_whole(found)
    for one in status.signatures(status.inside(found)) + status.signatures(found):
        if one.valid:
            assert re.fullmatch(r"[0-9A-F]{40}", one.fingerprint), one.fingerprint


def terminal(data: bytes) -> None:
    """Nothing a terminal acts upon comes through, and a line keeps its width."""
    words = data.decode("utf-8", "replace")
    assert not _CONTROL.search(text.terminal_safe(words))
    line = text.one_line(words, 40)
    assert "\n" not in line
    assert not _CONTROL.search(line)
    text.html_to_text(words)


def files(data: bytes) -> None:
    """Enclosed files of any kind are read or left, and never an error."""
    tnef.read(data)
    assert len(cms.signed_content(data) or b"") <= len(data)
    assert is_clean(calendars.described(data))
    cleaned = pictures.without_traces(data)
    assert cleaned is None or pictures.without_traces(cleaned) == cleaned


# -- over a line --------------------------------------------------------------------------------


@contextlib.contextmanager
def smtp_dialogue() -> Iterator[Target]:
    """A client says anything at all to the listener: it answers with codes, and keeps no half."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    kept: list[bytes] = []

    def keep(raw: bytes, envelope: inbox.Envelope) -> Future[inbox.Kept]:
        kept.append(raw)
        done: Future[inbox.Kept] = Future()
        done.set_result(inbox.Kept("id", is_new=True))
        return done

    listener = smtp.Listener(
        config.Smtp(port=0, hostname="centre.test"),
        accepts=lambda one: one == "letters@example.org",
        keep=keep,
        limits=config.Limits(size_bytes=100_000),
    )
    asyncio.run_coroutine_threadsafe(listener.start(), loop).result(PATIENCE)

    def talk(data: bytes) -> None:
        kept.clear()
        said = b""
        line = socket.create_connection(("127.0.0.1", listener.port), PATIENCE)
        with contextlib.suppress(OSError), line:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            while piece := line.recv(65536):
                said += piece
        lines = said.split(b"\r\n")[:-1]
        assert all(re.match(rb"[2-5]\d\d[ -]", one) for one in lines), said
        assert len(kept) <= sum(one.startswith(b"354") for one in lines)

    try:
        yield talk
    finally:
        asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@contextlib.contextmanager
def imap_answers() -> Iterator[Target]:
    """A server answers anything at all: what comes of it is a view, a letter, or one word."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        secret = Path(folder) / "secret"
        secret.write_text("s")
        settings = config.Imap.model_validate(
            {
                "host": "127.0.0.1",
                "port": server.getsockname()[1],
                "tls": "none",
                "user": "u",
                "password_file": str(secret),
            },
            context={"path": Path(folder) / "c.toml", "folder": Path(folder)},
        )

        def talk(data: bytes) -> None:
            thread = threading.Thread(target=_answer, args=(server, data), daemon=True)
            thread.start()
            with contextlib.suppress(errors.MailboxError), imap.connected(settings) as line:
                seen = line.view("INBOX")
                assert all(isinstance(uid, int) for uid in seen.uids)
                line.sizes(list(seen.uids)[:10] or [1])
                letters = line.letters(list(seen.uids)[:10] or [1])
                assert all(one is None or isinstance(one, bytes) for one in letters.values())
            thread.join(PATIENCE)
            assert not thread.is_alive()

        yield talk


def _answer(server: socket.socket, data: bytes) -> None:
    """Say one piece of the input for each line that is heard, and what ends a command."""
    pieces = data.split(b"\0")
    server.settimeout(PATIENCE)
    with contextlib.suppress(OSError), server.accept()[0] as line, line.makefile("rwb") as file:
        line.settimeout(PATIENCE)
        file.write(b"* OK ready\r\n")
        file.flush()
        for number, heard in enumerate(file):
            tag = heard.split(b" ", 1)[0]
            usual = b"* CAPABILITY IMAP4rev1\r\n" if b"CAPABILITY" in heard else b""
            said = pieces[number] if number < len(pieces) else b""
            file.write(usual + said + b"\r\n" * bool(said) + tag + b" OK done\r\n")
            file.flush()
            if b"LOGOUT" in heard or number > 20:
                return


PLAIN: Mapping[str, Target] = {
    "message": message,
    "addresses": address,
    "fold": folds,
    "token": token,
    "status": gpg,
    "terminal": terminal,
    "files": files,
}
SPOKEN: Mapping[str, Callable[[], contextlib.AbstractContextManager[Target]]] = {
    "smtp": smtp_dialogue,
    "imap": imap_answers,
}
