"""Ten thousand letters with forged senders: how many people who never wrote get mail from us."""

from __future__ import annotations

import time
from concurrent.futures import Future

from sqlalchemy import func, select

from benchmarks import places, report
from mailcounsel.casework import letters
from mailcounsel.intake import inbox
from mailcounsel.service import work

LETTERS = 10_000
TOGETHER = 500


def main() -> None:
    """Print how many letters were answered by themselves, beside how many may be."""
    with places.centre() as place:
        desk = place.desk
        begun = time.perf_counter()
        for start in range(0, LETTERS, TOGETHER):
            kept = [_keep(place, number) for number in range(start, start + TOGETHER)]
            for future in kept:
                future.result()
            while work.place_letters(desk):
                pass
        took = time.perf_counter() - begun
        answers = select(func.count()).where(letters.outgoing.c.automatic.is_(True))
        answered = desk.store.read(lambda c: c.execute(answers).scalar_one())
        most = desk.office.config.limits.automatic_strangers_day
        lost = inbox.counts(desk.store).lost
    figures = {"letters": f"{LETTERS}", "answered": f"{answered}", "lost": f"{lost}"}
    report.show("forged", f"at most {most}, lost 0", **figures, seconds=f"{took:.0f}")


def _keep(place: places.Place, number: int) -> Future[inbox.Kept]:
    sender = f"orang{number}@tempat{number % 2_000}.test"
    raw = (
        f"From: {sender}\r\nTo: halo@rumah.test\r\nMessage-ID: <{number}@palsu.test>\r\n\r\n"
        f"Surat palsu nomor {number}, dan semuanya berbeda sedikit dari yang lain: {number}.\r\n"
    )
    desk = place.desk
    envelope = inbox.Envelope("smtp", sender, ("halo@rumah.test",))
    return inbox.keep(
        desk.store, desk.office.keyring, raw.encode(), envelope, inbox.handed_over(), desk.now()
    )
