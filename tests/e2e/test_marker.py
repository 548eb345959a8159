"""Nothing anybody wrote can be read in any byte the service writes.

A whole journey is made with words that stand nowhere else in the world, one for each place where
words may stand. Then every file is searched for each of them, as it is and in the disguises words
take in mail: base64, quoted-printable, UTF-16, hexadecimal, compressed. The service is searched
twice: while it runs, with its write-ahead log, and after it has ended.
"""

from __future__ import annotations

import base64
import os
import quopri
import re
import zlib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from e2e import running
from e2e.running import INBOX, Centre
from parts.gpg_homes import Gpg
from servers import tools

STRACE = ("-f", "-D", "--seccomp-bpf", "-yy", "-xx", "-s", "1000000")
WRITES = "write,pwrite64,writev,pwritev"
MEMORY = "/dev/shm/mailcounsel-"  # never on a disk; the runtime directory of this test is


def word(place: str) -> str:
    """Return a word for a place, found nowhere else."""
    return f"zq{place}x7kw"


# -- the search -----------------------------------------------------------------------------------


def disguises(marker: str) -> Iterator[bytes]:
    """Yield the forms in which a word can stand in bytes, all in lower case but base64."""
    plain = marker.encode()
    yield plain
    yield marker.encode("utf-16-le")
    yield marker.encode("utf-16-be")
    yield plain.hex().encode()
    yield quopri.encodestring(plain)


def base64_forms(marker: str) -> Iterator[bytes]:
    """Yield what of a word's base64 is the same whatever stands around it, by alignment."""
    for written in (marker, marker.upper(), marker.title()):
        for shift in range(3):
            coded = base64.b64encode(bytes(shift) + written.encode())
            first = -(-shift * 8 // 6)
            yield coded[first : (shift + len(written)) * 8 // 6]


def inflated(data: bytes) -> Iterator[bytes]:
    """Yield what any compressed stream in the data holds: zlib, gzip, deflate."""
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", data):
        yield from _inflate(data[match.start() :], 47)
    for start in range(len(data) if len(data) < 100_000 else 0):
        yield from _inflate(data[start : start + 4096], -15)


def _inflate(data: bytes, window: int) -> Iterator[bytes]:
    try:
        found = zlib.decompressobj(window).decompress(data, 100_000)
    except zlib.error:
        return
    if found:
        yield found


def unfolded(data: bytes) -> bytes:
    """Return the data with lines joined as in base64 and quoted-printable."""
    return re.sub(rb"=?\r?\n[ \t]?", b"", data)


def search(data: bytes, markers: list[str]) -> list[str]:
    """Return the markers that can be read in some bytes."""
    found = []
    forms = [data, unfolded(data), *inflated(data)]
    lower = [form.lower() for form in forms]
    for marker in markers:
        hidden = any(form in text for form in disguises(marker) for text in lower)
        coded = any(form in text for form in base64_forms(marker) for text in forms)
        if hidden or coded:
            found.append(marker)
    return found


@pytest.mark.parametrize(
    "wrap",
    [
        bytes,
        bytes.upper,
        base64.b64encode,
        lambda data: base64.b64encode(b"a" + data),
        lambda data: base64.b64encode(b"ab" + data),
        lambda data: base64.encodebytes(b"-" * 50 + data),
        lambda data: quopri.encodestring(b"-" * 70 + data),
        lambda data: data.decode().encode("utf-16-le"),
        lambda data: data.decode().encode("utf-16-be"),
        lambda data: data.hex().encode(),
        zlib.compress,
        lambda data: zlib.compress(data)[2:],
    ],
)
def test_the_search_finds_a_word_in_every_disguise(wrap):
    """A planted word is found, whatever was done to it; and nothing is found where none is."""
    marker = word("planted")
    hidden = wrap(f"{marker} and ".encode() * 3)
    assert search(os.urandom(500) + hidden + os.urandom(500), [marker, word("absent")]) == [marker]


# -- what was written -----------------------------------------------------------------------------


def files(*roots: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below some folders, by name; the names themselves as well."""
    for root in roots:
        for path in sorted(root.rglob("*")):
            yield f"the name of {path}", str(path.relative_to(root)).encode()
            if path.is_file() and not path.is_symlink():
                yield str(path), path.read_bytes()


_WRITE = re.compile(r"\w+\(\d+<(?P<file>(?:\\x[0-9a-f]{2})+)(?P<data>.*)$")
_BYTES = re.compile(r"(?:\\x[0-9a-f]{2})+")


def _bytes(text: str) -> bytes:
    """Return the bytes strace shows in hexadecimal."""
    return bytes.fromhex("".join(_BYTES.findall(text)).replace("\\x", ""))


def writes(trace: Path) -> dict[str, bytes]:
    """Return all bytes the service and its gpg ever wrote to files on disk, by the file's name."""
    found: dict[str, list[bytes]] = {}
    with trace.open(errors="replace") as lines:
        for line in lines:
            match = _WRITE.search(line)
            if match is None:
                continue
            name = _bytes(match["file"]).decode()
            if name.startswith("/") and not name.startswith(MEMORY) and name != "/dev/null":
                found.setdefault(name, []).append(_bytes(match["data"]))
    return {file: b"".join(parts) for file, parts in found.items()}


# -- the journey ----------------------------------------------------------------------------------


class Ani:
    """A client with a key, who hides the subject inside."""

    address = f"{word('aniaddress')}@{word('anidomain')}.test"

    def __init__(self, home: Path, centre: Path) -> None:
        self.gpg = Gpg(home)
        certificate = Gpg(centre)("--export")
        self.gpg("--import", data=certificate)
        self.key = self.gpg.key(f"{word('aniname')} <{self.address}>")

    def letter(self, subject: str, text: str) -> bytes:
        """Return a letter that is encrypted and signed, its real headers inside."""
        return running.locked(self.gpg, self.key, self.address, text, subject=subject)


BUDI = f"{word('budiaddress')}@client.test"
BROKEN = f"{word('brokenaddress')}@client.test"


def plain_letter() -> bytes:
    letter = EmailMessage()
    letter["From"] = f"{word('budiname')} <{BUDI}>"
    letter["To"], letter["Cc"] = INBOX, f"{word('ccaddress')}@client.test"
    letter["Subject"], letter["Reply-To"] = word("subject"), f"{word('replyto')}@client.test"
    letter["Message-ID"], letter["X-Mailer"] = f"<{word('messageid')}@client.test>", word("mailer")
    letter.set_content(f"{word('body')} {word('body').upper()} I cannot sleep.")
    letter.add_alternative(f"<p>{word('markup')}</p>", subtype="html")
    letter.add_attachment(
        word("attached").encode(), "application", "octet-stream", filename=f"{word('filename')}.doc"
    )
    return letter.as_bytes()


def too_deep() -> bytes:
    """A letter nobody can place: multiparts in multiparts in multiparts."""
    head = f"From: {BROKEN}\nTo: {INBOX}\nSubject: {word('brokensubject')}\n"
    for depth in range(200):
        head += f'Content-Type: multipart/mixed; boundary="b{depth}"\n\n--b{depth}\n'
    return f"{head}\n{word('brokenbody')}\n".encode()


def journey(centre: Centre, server: running.Watched, ani: Ani) -> None:
    """Let everything happen that can happen to words."""
    centre.send(plain_letter(), BUDI)
    centre.settle()
    (offer,) = server.for_(BUDI)
    name = running.header(offer.content, "Message-ID")
    centre.send(running.mail(BUDI, f"AGREE\n\n{word('consent')}", name="yes", answers=name), BUDI)
    centre.send(ani.letter(word("lockedsubject"), word("lockedbody")), ani.address)
    centre.settle()
    cases = centre.cases()
    for _ in cases:
        centre.call("wulan", "case.next")
    for case in cases:
        centre.reply("wulan", case, f"{word('reply')} for you", plain=word("exception"))
        centre.add_goal("wulan", case, word("goal"), word("goaldetail"))
    centre.settle()
    bad_days(centre, server)


def bad_days(centre: Centre, server: running.Watched) -> None:
    """Let things go wrong, with words in every place where a fault could pick them up."""
    server.reject(f"550 5.1.1 {word('refusal')} {BUDI} unknown", at="RCPT")
    centre.reply("wulan", "C-0001", word("refused"))
    centre.settle()
    server.hang_up_after_data(keep=False)
    centre.reply("wulan", "C-0001", word("uncertain"))
    centre.settle()
    centre.send(too_deep(), BROKEN)
    give_up(centre)
    wrong = {"case": "C-0001", "epoch": 1, "letter": word("noteid")}
    for method, more in (
        ("note.add", {"content": word("notbase64") + "a"}),
        ("reply.approve", {"statement": word("statement"), "signature": word("signature")}),
        ("case.show", {"case": word("nocase")}),
        (word("method"), {}),
    ):
        with pytest.raises(running.Refusal):
            centre.call("wulan", method, **{**wrong, **more})
    garbage = f'["{word("nostatement")}"]'
    signature = running.b64(centre.keys["wulan"].sign(garbage.encode()))
    with pytest.raises(running.Refusal):
        centre.call("wulan", "reply.approve", statement=garbage, signature=signature)


def give_up(centre: Centre) -> None:
    """Wait until the letter nobody can place is in quarantine, without the minutes in between."""

    def is_kept() -> bool:
        centre.sql("UPDATE inbox SET due_at = datetime('now', '-1 day') WHERE state = 'received'")
        return centre.sql("SELECT count(*) FROM inbox WHERE state = 'quarantine'") == [(1,)]

    tools.until(is_kept, "the third failure")


ALL = [
    *(word(name) for name in ("aniaddress", "anidomain", "aniname", "lockedsubject")),
    *(word(name) for name in ("lockedbody", "budiaddress", "budiname", "ccaddress")),
    *(word(name) for name in ("subject", "replyto", "messageid", "mailer", "body", "markup")),
    *(word(name) for name in ("attached", "filename", "consent", "reply", "exception", "goal")),
    *(word(name) for name in ("goaldetail", "refusal", "refused", "uncertain", "brokenaddress")),
    *(word(name) for name in ("brokensubject", "brokenbody", "noteid", "notbase64", "statement")),
    *(word(name) for name in ("signature", "nocase", "method", "nostatement")),
]


def test_no_word_of_anybodys_is_in_any_byte_on_disk(need, short_tmp, mailserver, enrolled):
    """Store, log, temporary files and all that gpg writes hold no word a person wrote."""
    need("strace")
    centre = Centre(short_tmp / "centre", mailserver.port).copied_from(enrolled)
    roots, env = places(short_tmp)
    output = short_tmp / "trace"
    try:
        centre.start("strace", *STRACE, "-e", f"trace={WRITES}", "-o", str(output), env=env)
        ani = Ani(short_tmp / "ani", centre.state / "gnupg")
        journey(centre, mailserver, ani)
        check_journey(centre, mailserver, ani)
        running_now = dict(files(centre.folder, *roots))
        assert any(name.endswith(".db-wal") and data for name, data in running_now.items())
        centre.stop()
    finally:
        centre.close()
    afterwards = dict(files(centre.folder, *roots))
    written = writes(output)
    assert {Path(name).name for name in written} >= {"mailcounsel.db-wal", "log"}
    for when, seen in (("now", running_now), ("afterwards", afterwards), ("ever", written)):
        found = {name: search(data, ALL) for name, data in seen.items()}
        assert {name: words for name, words in found.items() if words} == {}, when


def places(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Make every folder a program may write to by custom, and the environment that says so."""
    names = {
        "HOME": "home",
        "TMPDIR": "tmp",
        "XDG_CACHE_HOME": "cache",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state",
        "XDG_RUNTIME_DIR": "run-user",
    }
    roots = {name: folder / where for name, where in names.items()}
    for root in roots.values():
        root.mkdir(mode=0o700)
    return list(roots.values()), {name: str(root) for name, root in roots.items()}


def check_journey(centre: Centre, server: running.Watched, ani: Ani) -> None:
    """Make sure the words went where they should: to their people, and through every fault."""
    cases = {case: centre.read("sari", case) for case in centre.cases()}
    read = " ".join(str(entry) for entries in cases.values() for entry in entries)
    for name in ("body", "lockedbody", "lockedsubject", "reply", "uncertain", "exception"):
        assert word(name) in read, name
    assert len(cases) == 2
    states = {row["state"] for row in centre.outbox()}
    assert states >= {"sent", "failed", "uncertain"}
    assert any(word("reply").encode() in taken.content for taken in server.for_(BUDI))
    locked = [taken.content for taken in server.for_(ani.address)]
    assert any(b"BEGIN PGP MESSAGE" in content for content in locked)
    assert centre.call("sari", "reconcile")["quarantine"] == 1
