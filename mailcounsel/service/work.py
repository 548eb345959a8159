"""What the loops do: place letters, send letters, ask check-ins. Plain, called in threads."""

from __future__ import annotations

import functools
import logging
from concurrent.futures import ThreadPoolExecutor

from mailcounsel import errors
from mailcounsel.casework import checkins
from mailcounsel.intake import inbox, pipeline, recording
from mailcounsel.intake.inbox import Received
from mailcounsel.outgoing import claim
from mailcounsel.service import roundtrip
from mailcounsel.service.desk import Desk

log = logging.getLogger(__name__)

AT_ONCE = 16  # letters sent before other work has its turn
SIDE_BY_SIDE = 4  # letters placed together: they share syncs, and gpg keeps nobody waiting


def place_letters(desk: Desk) -> int:
    """Take the letters that are due through the nine steps. Return how many there were."""
    letters = inbox.claim(desk.store, desk.office.keyring, desk.now(), SIDE_BY_SIDE)
    if len(letters) > 1:
        with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="intake") as pool:
            list(pool.map(functools.partial(place_letter, desk), letters))
    else:
        for received in letters:
            place_letter(desk, received)
    if letters:
        desk.ring("outbox")
    return len(letters)


def place_letter(desk: Desk, received: Received) -> None:
    """Take one letter through the nine steps; what goes wrong with it stops nobody else's.

    A fault of ours (no gpg, no supervisor, store away) is passing and does not count as an attempt.
    """
    try:
        if roundtrip.take(desk, received):
            return
        outcome = pipeline.process(desk.store, desk.office, desk.centre, received, desk.now())
        if outcome.state == recording.CHANGED:
            inbox.failed(desk.store, received, "case-keeps-changing", desk.now())
    except (errors.TryLater, errors.Unavailable) as fault:
        log.warning("intake: %s", fault)
        inbox.postponed(desk.store, received, desk.now())
    except Exception as fault:  # noqa: BLE001 - poison: three attempts, then quarantine
        log.error("intake: a letter failed: %s", errors.place_of(fault))
        inbox.failed(desk.store, received, type(fault).__name__, desk.now())


def send_letters(desk: Desk) -> int:
    """Send the letters that are due. Return how many there were."""
    return claim.send_due(claim.Outbox(desk.store, desk.office, desk.centre), desk.now(), AT_ONCE)


def sweep(desk: Desk) -> int:
    """Show to a person what died while it was handed over."""
    return claim.sweep(desk.store, desk.now())


def ask_checkins(desk: Desk) -> int:
    """Ask about the goals that are due. Return how many there were."""
    now = desk.now()
    asked = desk.store.write(lambda c: checkins.ask_due(c, desk.office, now))
    if asked:
        desk.ring("outbox")
    return asked
