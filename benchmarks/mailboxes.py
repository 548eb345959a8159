"""The same real letters out of a mailbox: appended to a private Dovecot, found by the watcher.

The folder is named by MAILCOUNSEL_CORPORA. What counts as a letter's bytes is what the mailbox
itself gives when it is asked apart from the watcher: an IMAP server may write line ends its own
way, and takes no letter without a byte.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imapclient
from sqlalchemy import select

from benchmarks import corpora, places, report, steps
from benchmarks.corpus import letters as generated
from mailcounsel import config
from mailcounsel.intake import inbox, watcher
from mailcounsel.service import work
from mailcounsel.store import models

USER = "halo"
ADDRESS = "halo@rumah.test"
AT_A_TIME = 100  # letters asked for in one command
MOST_SECONDS = 600  # for the watcher to find them all
OVER = 1.0  # seconds a letter may take

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Appended:
    """A letter as the mailbox has it."""

    letter: corpora.Sent
    uid: int
    raw: bytes


def main() -> None:
    """Print what became of the letters, on SQLite and, where it is installed, on PostgreSQL."""
    named = os.environ.get("MAILCOUNSEL_CORPORA")
    if not named:
        print("mailboxes  not measured, MAILCOUNSEL_CORPORA is unset", file=sys.stderr)
        return
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from servers import dovecot

    letters = sorted(corpora.found(Path(named)), key=lambda one: (one.at, str(one.path)))
    server = dovecot.start()
    try:
        there, refused = append(server, letters)
        same = sum(one.raw == with_crlf(one.letter.raw) for one in there)
        figures = {"letters": str(len(letters)), "appended": str(len(there))}
        figures |= {"but_for_line_ends_alike": str(same), "refused": str(dict(refused) or 0)}
        report.show("imap", "none", **figures)
        with places.centre() as place:
            show("SQLite", place, server, there)
        with corpora.postgresql() as url, places.centre(url) as place:
            show("PostgreSQL", place, server, there)
    finally:
        server.stop()


def with_crlf(raw: bytes) -> bytes:
    """Return a letter with the line ends of IMAP."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def append(server: Any, letters: list[corpora.Sent]) -> tuple[list[Appended], Counter[str]]:
    """Put letters into the mailbox, and read them back; count by reason what it refuses."""
    refused: Counter[str] = Counter()
    by_uid: dict[int, corpora.Sent] = {}
    with server.session(USER) as client:
        for one in letters:
            try:
                answer: bytes = client.append("INBOX", one.raw)
            except imapclient.exceptions.IMAPClientError as fault:
                refused[str(fault).partition(":")[2].strip()[:40] or "refused"] += 1
                with suppress(imapclient.exceptions.IMAPClientError):
                    client.noop()
                continue
            by_uid[int(answer.split(b"APPENDUID ", 1)[1].split()[1].rstrip(b"]"))] = one
        client.select_folder("INBOX", readonly=True)
        uids = sorted(by_uid)
        raws: dict[int, bytes] = {}
        for start in range(0, len(uids), AT_A_TIME):
            answers = client.fetch(uids[start : start + AT_A_TIME], ["BODY.PEEK[]"])
            raws |= {uid: bytes(found[b"BODY[]"]) for uid, found in answers.items()}
    return [Appended(by_uid[uid], uid, raws[uid]) for uid in uids], refused


def show(engine: str, place: places.Place, server: Any, there: list[Appended]) -> None:
    """Let the watcher find the letters, place them, and print what became of them."""
    steps.run(place.desk, list(generated(steps.WARMING, seed=2)))
    before = inbox.counts(place.desk.store)
    watched = mailbox(place, server)
    finding = find(place, watched, before.sightings + len(there))
    slowest, over, placing = place_all(place)
    rows = by_uid(place)
    counts = inbox.counts(place.desk.store)
    ends = Counter(row["reason"] for row in rows.values() if row["state"] == "quarantine")
    stuck = counts.letters.get("received", 0)
    cases = counts.letters.get("case", 0) - before.letters.get("case", 0)
    figures = {"seen": str(counts.sightings - before.sightings), "case": str(cases)}
    figures |= {"quarantine": str(dict(ends) or 0), "lost": str(counts.lost), "stuck": str(stuck)}
    report.show(engine, "lost 0, stuck 0", **figures)
    figures = {"found_in": f"{finding:.0f} s", "placed_in": f"{placing:.0f} s"}
    figures |= {"slowest_go": f"{slowest:.2f} s", "goes_over_1_s": str(over)}
    report.show(engine, "0 over 1 s", **figures)
    folders = watcher.compare(watched, place.desk.store, place.desk.office.keyring)
    balance = {one.folder: f"{one.there} there, {one.missing} missing" for one in folders}
    report.show(engine, "0 missing", **{name: told for name, told in balance.items() if name})
    firsts: dict[object, Appended] = {}  # of two that are one letter, the first is kept
    for one in there:
        if one.uid in rows:
            firsts.setdefault(rows[one.uid]["id"], one)
    placed = [one for one in firsts.values() if rows[one.uid]["state"] == "case"]
    exact = sum(corpora.is_exact(place, rows[one.uid], one.raw) for one in placed)
    figures = {"exact": f"{exact} of {len(placed)}", "copies": str(len(there) - len(firsts))}
    report.show(engine, "all exact", **figures)
    sent_to = {one.letter.path: rows[one.uid]["case_id"] for one in there if one.uid in rows}
    letters = [one.letter for one in there if one.uid in rows]
    joined, known = corpora.parents(letters, sent_to)
    figures = {"parents_known": str(known), "joined": f"{100 * joined / max(1, known):.2f} %"}
    mixed = corpora.strangers(letters, sent_to)
    report.show(engine, "99.5 %, 0", **figures, cases_of_two_senders=str(mixed))


def mailbox(place: places.Place, server: Any) -> config.Inbox:
    """Return an inbox of the configuration for the mailbox."""
    secret = place.folder / "password"
    secret.write_text(server.password)
    secret.chmod(0o600)
    account = {"host": server.host, "port": server.port, "user": USER, "tls": "none"}
    facts = {"address": ADDRESS, "queue": "umum", "after_days": 0}
    return config.Inbox.model_validate({**facts, "imap": {**account, "password_file": secret}})


def find(place: places.Place, watched: config.Inbox, sightings: int) -> float:
    """Run the watcher until so many sightings stand in the ledger; return the seconds."""
    desk = place.desk
    begun = time.perf_counter()
    watching = watcher.Watcher(
        watched,
        store=desk.store,
        keyring=desk.office.keyring,
        clock=desk.clock,
        ours=lambda address: address.lower().endswith("@rumah.test"),
        size_bytes=desk.office.config.limits.size_bytes,
    )
    watching.start()
    try:
        while inbox.counts(desk.store).sightings < sightings:
            if time.perf_counter() - begun > MOST_SECONDS:
                print("imap     the watcher did not find them all", file=sys.stderr)
                break
            time.sleep(0.5)
    finally:
        watching.stop()
    return time.perf_counter() - begun


def place_all(place: places.Place) -> tuple[float, int, float]:
    """Place all that waits; return the slowest go (of at most 16 letters), how many took more
    than a second, and the seconds in all.
    """
    slowest, over, whole = 0.0, 0, 0.0
    while True:
        begun = time.perf_counter()
        number = work.place_letters(place.desk) + work.place_heavy_letter(place.desk)
        took = time.perf_counter() - begun
        whole += took
        if not number and not inbox.counts(place.desk.store).letters.get("received", 0):
            return slowest, over, whole
        if not number:
            place.clock.ahead += corpora.WAIT  # what failed is tried again
        slowest, over = max(slowest, took), over + (took > OVER)


def by_uid(place: places.Place) -> dict[int, Row]:
    """Return the inbox row of every letter of the mailbox, by its UID."""
    seen, rows = models.table(models.Sighting), models.table(models.Inbox)
    query = (
        select(seen.c.uid, rows)
        .select_from(seen.join(rows, rows.c.id == seen.c.inbox_id))
        .where(seen.c.account != "smtp")
    )
    found = place.desk.store.read(lambda c: c.execute(query).mappings().all())
    return {int(row["uid"]): dict(row) for row in found}
