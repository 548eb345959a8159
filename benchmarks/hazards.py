"""Letters made to stop a reader: what each costs, and how long good letters wait beside them.

Each is explained in a process of its own, where its memory can be told from that of others; then
all are put among good letters before a running service. `explain` is measured as people type it.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from benchmarks import places, report
from mailcounsel import config as configuration
from mailcounsel.intake import inbox
from mailcounsel.service import explaining
from mailcounsel.store import models

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SIZE = 10_000_000
PRINTABLE = [*range(32, 127), *range(160, 256)]  # of ISO 8859-1
GOOD = 60
MOST_SECONDS = 120  # for a good letter to be placed
SETTLED = {"case", "quarantine", "discarded", "own-loop"}
FROM = b"From: a@b.test\r\nTo: halo@rumah.test\r\n"


def nested(depth: int, inner: bytes = b"x") -> bytes:
    """Return multiparts within multiparts."""
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(depth)
    )
    return FROM + head + b"\r\n" + inner


def plain(body: bytes) -> bytes:
    """Return a letter of one text."""
    return FROM + b"Subject: x\r\n\r\n" + body


@functools.cache
def hazards() -> dict[str, bytes]:
    """Return the letters, by what is odd about them: those of known parsers' worst cases first."""
    dice = random.Random(1)
    return {
        "10,000 semicolons": FROM + b"Content-Type: text/plain" + b";" * 10_000 + b"\r\n\r\nx",
        "50,000 semicolons": FROM + b"Content-Type: text/plain" + b";" * 50_000 + b"\r\n\r\nx",
        "50,000 dots in From": b"From: a" + b"." * 50_000 + b"\r\n\r\nx",
        "20,000 addresses": b"To: " + b"a@b.test, " * 20_000 + b"\r\n\r\nx",
        "20,000 encoded words": FROM + b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\r\n\r\nx",
        "50,000 words": FROM + b"Subject: " + "é ".encode() * 50_000 + b"\r\n\r\nx",
        "900 comments": b"From: " + b"(" * 900 + b")" * 900 + b" a@b.test\r\n\r\nx",
        "1,000 multiparts": nested(1_000),
        "300 multiparts": nested(300),
        "99 multiparts": nested(99),
        "1,000 letters": FROM + b"Content-Type: message/rfc822\r\n\r\n" * 1_000,
        "2 MB of References": FROM + b"References: " + b"<a@b> " * 330_000 + b"\r\n\r\nx",
        "200,000 parts": nested(1, b"\r\n--b0\r\n\r\n" * 200_000),
        "100,000 headers": b"A: b\r\n" * 100_000 + b"\r\nx",
        "20,000 pieces of a name": FROM
        + b"Content-Type: a/b"
        + b"".join(b"; filename*%d=a" % n for n in range(20_000))
        + b"\r\n\r\nx",
        "Message-ID of brackets": FROM + b"Message-ID: " + b"<" * 2_000 + b"\r\n\r\nx",
        "10 MB of newlines": plain(b"\n" * SIZE),
        "10 MB of CR LF": plain(b"\r\n" * (SIZE // 2)),
        "10 MB of one letter": plain(b"a" * SIZE),
        "10 MB of words": plain(b"saya susah tidur karena mati lampu\r\n" * (SIZE // 36)),
        "10 MB of base64 as text": plain(base64.encodebytes(dice.randbytes(SIZE * 3 // 4))),
        "10 MB of random letters": plain(bytes(dice.choices(PRINTABLE, k=SIZE))),
        "10 MB of marks": plain(b"> a\r\n" * (SIZE // 5)),
        "10 MB of HTML": FROM + b"Content-Type: text/html\r\n\r\n" + b"<p>aku</p>\r\n" * 830_000,
        "10 MB of open tags": FROM + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 2_000_000,
        "a 7 MB file": nested(
            1,
            b"\r\nhalo\r\n--b0\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64"
            b"\r\n\r\n" + base64.encodebytes(dice.randbytes(7_000_000)) + b"\r\n--b0--\r\n",
        ),
    }


def main() -> None:
    """Print the cost of each letter, the waiting of good ones, and how quickly explain answers.

    Where other work shares the machine, the seconds of a processor are the figure to look at.
    """
    settings = configuration.load(_named())
    explaining.explain(plain(b"Halo, saya mau bunuh diri."), settings, (), NOW)
    html = FROM + b"Content-Type: text/html\r\n\r\n<p>halo</p>"
    explaining.explain(html, settings, (), NOW)
    for name, raw in hazards().items():
        cost = _apart(functools.partial(_explained, raw, settings))
        figures = {"seconds": f"{cost.seconds:.2f}", "of_CPU": f"{cost.of_cpu:.2f}"}
        figures |= {"added": f"{cost.added:.0f} MiB", "peak": f"{cost.peak:.0f} MiB"}
        report.show("hazards", "1 s, 128 MiB added", **{name: cost.said}, **figures)
    _among_good_letters()
    _typed()


def _named() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mc-"))
    path = folder / "config.toml"
    path.write_text(places.CONFIG.format(state=folder / "state", uid=os.getuid()))
    return path


# -- what each costs ----------------------------------------------------------------------------


def _explained(raw: bytes, settings: configuration.Config) -> str:
    found = explaining.explain(raw, settings, (), NOW)
    return str(found["kind"])


class Cost(NamedTuple):
    """What something took: seconds, seconds of a processor, MiB; and what it said."""

    seconds: float
    of_cpu: float
    peak: float
    added: float
    said: str


def _apart(work: Callable[[], str]) -> Cost:
    """Do something in a process of its own, and tell what it took.

    The process is a copy of this one, so that what a running service has loaded is loaded.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        before = _peak_anew()
        begun, of_cpu = time.perf_counter(), time.process_time()
        said = work()
        took, of_cpu = time.perf_counter() - begun, time.process_time() - of_cpu
        peak = _memory("VmHWM")
        os.write(writing, json.dumps([took, of_cpu, peak, peak - before, said]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return Cost(*json.loads(told))


def _peak_anew() -> float:
    """Forget the highest memory so far; return what is in use, in MiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


# -- how long good letters wait -----------------------------------------------------------------


def _among_good_letters() -> None:
    with places.serving() as (_, running), running() as service:
        settled: dict[str, float] = {}
        stop = threading.Event()
        watching = threading.Thread(target=_watch, args=(service.desk, settled, stop))
        watching.start()
        kept = _keep_all(service)
        waits = _waits(kept, settled)
        stop.set()
        watching.join()
        lost = inbox.counts(service.desk.store).lost
    worst = max(waits) if waits else float("nan")
    figures = {"good_letters": str(GOOD), "placed": str(len(waits)), "among": str(len(hazards()))}
    report.show("hazards", "10 s, lost 0", **figures, longest_wait=f"{worst:.1f} s", lost=f"{lost}")


def _keep_all(service: Any) -> dict[str, float]:
    """Hand over the hazards, the costliest last, with good letters between; times of the good."""
    times: dict[str, float] = {}
    letters = list(hazards().values())
    for number in range(GOOD):
        if number < len(letters):
            _keep(service, letters[number], "mal@jahat.test")
        sender = f"k{number}@klien{number}.test"
        raw = f"From: {sender}\r\nTo: halo@rumah.test\r\nMessage-ID: <{number}@k.test>\r\n\r\nHalo."
        times[_keep(service, raw.encode(), sender)] = time.perf_counter()
    return times


def _keep(service: Any, raw: bytes, sender: str) -> str:
    desk = service.desk
    envelope = inbox.Envelope("smtp", sender, ("halo@rumah.test",))
    args = (desk.store, desk.office.keyring, raw, envelope, inbox.handed_over(), desk.now())
    kept = inbox.keep(*args).result()
    desk.ring("intake")
    return kept.inbox_id


def _watch(desk: Any, settled: dict[str, float], stop: threading.Event) -> None:
    rows = models.table(models.Inbox)
    query = select(rows.c.id, rows.c.state)
    while not stop.is_set():
        found = desk.store.read(lambda c: c.execute(query).all())
        now = time.perf_counter()
        for row in found:
            if row.state in SETTLED:
                settled.setdefault(row.id, now)
        time.sleep(0.05)


def _waits(kept: dict[str, float], settled: dict[str, float]) -> list[float]:
    begun = time.perf_counter()
    while not kept.keys() <= settled.keys() and time.perf_counter() - begun < MOST_SECONDS:
        time.sleep(0.1)
    return [settled[name] - at for name, at in kept.items() if name in settled]


# -- explain, as it is typed --------------------------------------------------------------------


def _typed() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mc-"))
    home = folder / "home"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-gen-key", "ani@klien.test", "default", "default"], check=True)
    encrypt = [*gpg, "--trust-model", "always", "--armor", "--encrypt", "-r", "ani@klien.test"]
    bomb = subprocess.run(encrypt, input=bytes(500_000_000), capture_output=True, check=True).stdout
    letters = {
        "10 MB of newlines": (hazards()["10 MB of newlines"], ()),
        "1,000 multiparts": (hazards()["1,000 multiparts"], ()),
        "1,000 parts": (nested(1, b"\r\n--b0\r\n\r\n" * 999), ()),
        "a bomb, closed": (plain(bomb), ()),
        "a bomb, opened": (plain(bomb), ("--keys", str(home))),
        "a small letter": (plain(b"halo"), ()),
    }
    path = folder / "letter.eml"
    for name, (raw, options) in letters.items():
        path.write_bytes(raw)
        command = [sys.executable, "-m", "mailcounsel", "explain", "--json", str(path), *options]
        begun, before = time.perf_counter(), _of_children()
        said = subprocess.run(command, capture_output=True, check=False)
        took, of_cpu = time.perf_counter() - begun, _of_children() - before
        kind = json.loads(said.stdout)["kind"] if said.stdout else f"exit {said.returncode}"
        figures = {"seconds": f"{took:.2f}", "of_CPU": f"{of_cpu:.2f}"}
        report.show("explain", "1 s, start included", **{name: kind}, **figures)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
