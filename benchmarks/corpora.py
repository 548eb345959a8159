"""Real letters nobody here wrote, through all nine steps into both stores: what became of them.

The folder is named by MAILCOUNSEL_CORPORA. Each letter is given the word of our own border for
its sender, as a centre behind a mail server of its own gets it; so who wrote is known, and a letter
that answers an earlier one of the same sender must lie in the same case.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from benchmarks import places, report, steps
from benchmarks.corpus import letters as generated
from mailcounsel import errors
from mailcounsel.crypto import sealing
from mailcounsel.intake import inbox
from mailcounsel.letter import parse
from mailcounsel.service import work
from mailcounsel.store import models
from mailcounsel.trust import casekeys

WAIT = timedelta(hours=1)
BORDER = "mx.rumah.test"
BUDGETS = parse.Budgets()
MAILBOX_LINE = re.compile(rb"\s*(?:>?From [^\n]*\n)?")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter of the corpora as it reaches us."""

    path: Path
    raw: bytes
    sender: str | None
    message_id: str | None
    parents: tuple[str, ...]
    at: datetime
    text: str


def main() -> None:
    """Print what became of the letters, on SQLite and, where it is installed, on PostgreSQL."""
    named = os.environ.get("MAILCOUNSEL_CORPORA")
    if not named:
        print("corpora  not measured, MAILCOUNSEL_CORPORA is unset", file=sys.stderr)
        return
    letters = sorted(found(Path(named)), key=lambda one: (one.at, str(one.path)))
    readable = sum(bool(one.text.strip()) for one in letters)
    report.show("corpora", "none", letters=f"{len(letters)}", with_words=f"{readable}")
    with places.centre() as place:
        show("SQLite", place, letters)
    with postgresql() as url, places.centre(url) as place:
        show("PostgreSQL", place, letters)


def found(folder: Path) -> Iterator[Sent]:
    """Yield the letters below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "msg" in path.relative_to(folder).parts:
            yield sent(path)


def sent(path: Path) -> Sent:
    """Read a letter, and put our border's word on top of it."""
    raw = path.read_bytes()
    try:
        letter = parse.read(raw, BUDGETS)
    except errors.OverBudget:
        return Sent(path, raw, None, None, (), LONG_AGO, "")
    sender = letter.sender.address
    if sender:
        domain = sender.rpartition("@")[2]
        word = f"Authentication-Results: {BORDER}; dmarc=pass header.from={domain}\r\n"
        before = MAILBOX_LINE.match(raw)
        start = before.end() if before else 0
        raw = raw[:start] + word.encode() + raw[start:]
    parents = (*letter.references, *letter.in_reply_to)
    at = letter.date or LONG_AGO
    return Sent(path, raw, sender, letter.message_id, parents, at, letter.text)


@contextmanager
def postgresql() -> Iterator[str]:
    """Give an empty database of a private server."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from servers import postgres

    server = postgres.start()
    try:
        yield server.url(server.create())
    finally:
        server.stop()


def show(engine: str, place: places.Place, letters: list[Sent]) -> None:
    """Place every letter by itself, and print what became of them."""
    steps.run(place.desk, list(generated(steps.WARMING, seed=2)))
    slowest, cases = 0.0, {}
    for one in letters:
        seconds, row = through(place, one)
        slowest = max(slowest, seconds)
        cases[one.path] = row
    counts = inbox.counts(place.desk.store)
    stuck = counts.letters.get("received", 0)
    ends = Counter(row["reason"] for row in cases.values() if row["state"] == "quarantine")
    figures = {"case": str(counts.letters.get("case", 0)), "quarantine": str(dict(ends) or 0)}
    figures |= {"lost": str(counts.lost), "stuck": str(stuck), "slowest": f"{slowest:.2f} s"}
    report.show(engine, "lost 0, stuck 0, 1 s", **figures)
    joined, known = parents(letters, {path: row["case_id"] for path, row in cases.items()})
    mixed = strangers(letters, {path: row["case_id"] for path, row in cases.items()})
    figures = {"parents_known": str(known), "joined": f"{100 * joined / max(1, known):.2f} %"}
    report.show(engine, "99.5 %, 0", **figures, cases_of_two_senders=str(mixed))
    firsts: dict[object, tuple[Sent, dict[str, object]]] = {}
    for one in letters:
        firsts.setdefault(cases[one.path]["id"], (one, cases[one.path]))
    placed = [(one, row) for one, row in firsts.values() if row["state"] == "case"]
    exact = sum(is_exact(place, row, one.raw) for one, row in placed)
    figures = {"exact": f"{exact} of {len(placed)}", "copies": str(len(letters) - len(firsts))}
    report.show(engine, "all exact", **figures)


def through(place: places.Place, one: Sent) -> tuple[float, dict[str, object]]:
    """Keep and place one letter; return how long placing took, and its inbox row."""
    desk = place.desk
    envelope = inbox.Envelope("smtp", one.sender, ("halo@rumah.test",))
    kept = inbox.keep(
        desk.store, desk.office.keyring, one.raw, envelope, inbox.handed_over(), desk.now()
    ).result()
    begun = time.perf_counter()
    while work.place_letters(desk) + work.place_heavy_letter(desk):
        place.clock.ahead += WAIT  # a letter that failed is tried again
    seconds = time.perf_counter() - begun
    rows = models.table(models.Inbox)
    query = select(rows).where(rows.c.id == kept.inbox_id)
    return seconds, dict(desk.store.read(lambda c: c.execute(query).mappings().one()))


def parents(letters: list[Sent], cases: dict[Path, object]) -> tuple[int, int]:
    """Count letters that answer an earlier one of the same sender, and those in its case."""
    by_id: dict[str, list[Sent]] = defaultdict(list)
    joined = known = 0
    for one in letters:
        earlier = [
            parent
            for name in one.parents
            for parent in by_id[name]
            if parent.sender == one.sender and one.sender
        ]
        if earlier and cases[one.path]:
            known += 1
            joined += cases[one.path] in {cases[parent.path] for parent in earlier}
        if one.message_id:
            by_id[one.message_id].append(one)
    return joined, known


def strangers(letters: list[Sent], cases: dict[Path, object]) -> int:
    """Count the cases that hold letters of more than one sender."""
    senders: dict[object, set[str]] = defaultdict(set)
    for one in letters:
        if one.sender and cases[one.path]:
            senders[cases[one.path]].add(one.sender.casefold())
    return sum(len(found) > 1 for found in senders.values())


def is_exact(place: places.Place, row: dict[str, object], raw: bytes) -> bool:
    """Open a letter's raw mail as its supervisor would, and compare it byte for byte."""
    letters, key = models.table(models.Letter), place.keys["sari"]
    if not raw:
        return True  # nothing came, and nothing is kept of it
    query = select(letters).where(letters.c.id == row["letter_id"])
    letter = place.desk.store.read(lambda c: c.execute(query).mappings().one())
    case_id, epoch = letter["case_id"], letter["epoch"]
    copies = place.desk.store.read(lambda c: casekeys.copies_for(c, case_id, "sari"))
    sealed = next(one for at, kind, one in copies if (at, kind) == (epoch, casekeys.SOURCE))
    where = casekeys.place(case_id, epoch, casekeys.SOURCE)
    private = sealing.open_with(key.private, sealed, where)
    return sealing.open_with(private, letter["source"], f"letter/{letter['id']}/source") == raw
