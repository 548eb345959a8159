"""Letters a second through all nine steps, beside a hand-written loop and a tracker's gateway."""

from __future__ import annotations

import statistics
import sys
import time

from benchmarks import peer_loop, peer_roundup, places, report
from benchmarks.corpus import Mail, letters
from mailcounsel.intake import inbox
from mailcounsel.service import work
from mailcounsel.service.desk import Desk

LETTERS = 400
WARMING = 20  # letters first, for what a process does once: reading the lexicon, compiling
ROUNDS = 3


def loop(mails: list[Mail]) -> float:
    """Measure the hand-written loop."""
    with places.folder() as folder:
        begun = time.perf_counter()
        peer_loop.run(folder / "loop.db", mails)
        return len(mails) / (time.perf_counter() - begun)


def ours(mails: list[Mail]) -> float:
    """Measure the nine steps over letters that are kept already, acknowledgements queued."""
    with places.centre() as place:
        run(place.desk, list(letters(WARMING, seed=2)))
        return run(place.desk, mails)


def run(desk: Desk, mails: list[Mail]) -> float:
    """Keep letters that are all new, then place them; return letters placed a second."""
    before = inbox.counts(desk.store).letters.get("case", 0)
    kept = [
        inbox.keep(
            desk.store,
            desk.office.keyring,
            mail.raw,
            inbox.Envelope("smtp", mail.sender, ("halo@rumah.test",)),
            inbox.handed_over(),
            desk.now(),
        )
        for mail in mails
    ]
    for future in kept:
        future.result()
    begun = time.perf_counter()
    while work.place_letters(desk):
        pass
    took = time.perf_counter() - begun
    counts = inbox.counts(desk.store)
    assert counts.lost == 0, counts
    assert counts.letters.get("case", 0) == before + len(mails), counts
    return len(mails) / took


def main() -> None:
    """Print the medians and the ratios."""
    mails = list(letters(LETTERS))
    rows = [(loop(mails), ours(mails)) for _ in range(ROUNDS)]
    peer, own = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(b / a for a, b in rows)
    report.show("steps", "0.50", loop=f"{peer:.0f}/s", ours=f"{own:.0f}/s", ratio=f"{ratio:.2f}")
    tracker = peer_roundup.rate(mails[:100])
    if isinstance(tracker, str):
        print(f"steps    roundup: not measured, {tracker}", file=sys.stderr)
        return
    ratio = own / tracker
    report.show(
        "steps", "10", roundup=f"{tracker:.0f}/s", ours=f"{own:.0f}/s", ratio=f"{ratio:.1f}"
    )
