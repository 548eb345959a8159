"""What the loops do: place letters, send letters, ask check-ins. Plain, called in threads."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mailcounsel import errors
from mailcounsel.casework import absence, checkins, duties, errands, keeping
from mailcounsel.intake import inbox, mailboxes, opening, pipeline, quarantine, recording
from mailcounsel.intake.inbox import Received
from mailcounsel.outgoing import claim
from mailcounsel.service import clockback, roundtrip, watermark
from mailcounsel.service.desk import Desk

log = logging.getLogger(__name__)
T = TypeVar("T")

AT_ONCE = 16  # letters sent before other work has its turn
TOGETHER = 16  # letters placed in one go: on SQLite they share the syncs of the disk
SIDE_BY_SIDE = 4  # letters that wait for gpg or for a database server at the same time


def place_letters(desk: Desk) -> int:
    """Take the letters that are due through the nine steps, but the heavy ones.

    Those that have to wait for another process go side by side in threads. The others are looked
    at one after the other and recorded together: threads would only wait for each other. Return
    how many there were.
    """
    _put_back(desk)
    may_try_again = desk.apart.acquire(blocking=False)
    try:
        return _place_claimed(desk, tried=may_try_again)
    finally:
        if may_try_again:
            desk.apart.release()


def _place_claimed(desk: Desk, *, tried: bool) -> int:
    is_alone = desk.store.is_sqlite  # else a lease must outlast all that is claimed with it
    most = TOGETHER if is_alone else SIDE_BY_SIDE
    letters = inbox.claim(desk.store, desk.office.keyring, desk.now(), most, tried=tried)
    waiting = [one for one in letters if not is_alone or opening.may_need_gpg(one.raw)]
    others = [one for one in letters if one not in waiting]
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="intake") as pool:
        placed = [pool.submit(place_together, desk, [one]) for one in waiting]
        place_together(desk, others)
    for one in placed:
        one.result()
    if letters:
        desk.ring("outbox")
    return len(letters)


def place_heavy_letter(desk: Desk) -> int:
    """Take one heavy letter through the nine steps, if one is due. Return how many there were.

    It goes beside the others, so that nobody waits for ten megabytes made to be slow; but beside
    none that was tried before: that might take it with it.
    """
    with desk.apart:
        letters = inbox.claim_heavy(desk.store, desk.office.keyring, desk.now())
        place_together(desk, letters)
    if letters:
        desk.ring("outbox")
    return len(letters)


def place_together(desk: Desk, letters: Sequence[Received]) -> None:
    """Take letters through the nine steps; what goes wrong with one stops no other.

    Looking ends before recording begins: beside each other, two threads of Python take longer.
    """
    now = desk.now()
    looked = [(one, _attempt(desk, one, functools.partial(_look, desk, one))) for one in letters]
    begun = [(one, passage, passage.record(now)) for one, passage in looked if passage]
    for one, passage, recorded in begun:
        outcome = _attempt(desk, one, functools.partial(passage.finish, recorded, now))
        if outcome and outcome.state == recording.CHANGED:
            inbox.failed(desk.store, one, "case-keeps-changing", now)


def _look(desk: Desk, received: Received) -> pipeline.Passage | None:
    """Look at a letter; None for one of our own that only measured the way."""
    if roundtrip.take(desk, received):
        return None
    return pipeline.Passage(desk.store, desk.office, desk.centre, received)


def _attempt(desk: Desk, received: Received, step: Callable[[], T]) -> T | None:
    """Do a part of the work on a letter, and write down what goes wrong with it.

    A fault of ours (no gpg, no supervisor, store away) is passing and does not count as an attempt.
    """
    try:
        return step()
    except (errors.TryLater, errors.Unavailable) as fault:
        log.warning("intake: %s", fault)
        desk.owed.append(received)
        with contextlib.suppress(errors.TryLater):  # the next round puts it back, once it can
            _put_back(desk)
    except Exception as fault:  # noqa: BLE001 - poison: three attempts, then quarantine
        log.error("intake: a letter failed: %s", errors.place_of(fault))
        inbox.failed(desk.store, received, type(fault).__name__, desk.now())
    return None


def _put_back(desk: Desk) -> None:
    """Let letters wait that met a fault of ours; those the store was away for, once it is back.

    Left to its lease a letter would wait longer, and count an attempt that was none of its own.
    Raises: TryLater while the store is away.
    """
    while True:
        try:
            received = desk.owed.popleft()  # the loop for heavy letters may take the last one
        except IndexError:
            return
        try:
            inbox.postponed(desk.store, received, desk.now())
        except errors.TryLater:
            desk.owed.append(received)
            raise


def send_letters(desk: Desk) -> int:
    """Send the letters that are due. Return how many there were."""
    return claim.send_due(claim.Outbox(desk.store, desk.office, desk.centre), desk.now(), AT_ONCE)


def sweep(desk: Desk) -> int:
    """Show to a person what died while it was handed over, and note how far the store has come.

    What waits for a moment of a clock that was ahead is due again.
    """
    now = desk.now()
    desk.store.write(lambda c: clockback.bring_back(c, desk.office, now))
    found = claim.sweep(desk.store, now)
    watermark.note(desk.office.config, desk.store)
    return found


def tell_of_quarantine(desk: Desk) -> int:
    """Tell the staff of letters nobody could read. Nothing more is there until the next minute."""
    if quarantine.tell(desk.store, desk.office, desk.now()):
        desk.ring("outbox")
    return 0


def tell_of_mailboxes(desk: Desk) -> int:
    """Tell the staff of mailboxes nobody can read. Nothing more is there until the next minute."""
    if mailboxes.tell(desk.store, desk.office, desk.now()):
        desk.ring("outbox")
    return 0


def keep_promises(desk: Desk) -> int:
    """See to the promises that come near. Nothing more is there to do until the next minute."""
    now = desk.now()
    desk.store.write(lambda c: absence.look(c, desk.office, now))
    if desk.store.write(lambda c: keeping.look(c, desk.office, now)):
        desk.ring("outbox")
    return 0


def ask_checkins(desk: Desk) -> int:
    """Ask about the goals that are due. Return how many there were."""
    now = desk.now()
    asked = desk.store.write(lambda c: checkins.ask_due(c, desk.office, now))
    if asked:
        desk.ring("outbox")
    return asked


def run_errands(desk: Desk) -> int:
    """Do the errands that are due. Return how many there were."""
    now = desk.now()
    done = desk.store.write(lambda c: errands.run_due(c, desk.office, duties.DUTIES, now))
    if done:
        desk.ring("outbox")
    return done
