"""The rate of the nine steps with 50,000 letters in the store, beside the rate of an empty one."""

from __future__ import annotations

import os
import sys

from benchmarks import places, report, steps
from benchmarks.corpus import letters

FILLED = 50_000
SAMPLE = 400


def main(filled: int = FILLED) -> None:
    """Fill a store through the same nine steps, measuring at its beginning and its end.

    A smaller number for a quick look stands in MAILCOUNSEL_BENCH_LETTERS.
    """
    filled = int(os.environ.get("MAILCOUNSEL_BENCH_LETTERS", filled))
    with places.centre() as place:
        mails = list(letters(filled + SAMPLE))
        steps.run(place.desk, mails[:SAMPLE])  # warm
        early = steps.run(place.desk, mails[SAMPLE : 2 * SAMPLE])
        for start in range(2 * SAMPLE, filled, 2000):
            rate = steps.run(place.desk, mails[start : min(start + 2000, filled)])
            print(f"growth   {start}: {rate:.0f}/s", file=sys.stderr, flush=True)
        late = steps.run(place.desk, mails[-SAMPLE:])
    figures = {"at_1k": f"{early:.0f}/s", f"at_{filled // 1000}k": f"{late:.0f}/s"}
    report.show("growth", "0.85", **figures, ratio=f"{late / early:.2f}")
