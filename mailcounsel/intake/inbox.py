"""Keep a letter the moment it arrives, and hand it out to be worked on.

Both ways in, SMTP and IMAP, call `keep`: when its future is done the letter is on disk, and only
then may anybody say `250` or touch a mailbox. Each time a letter is seen is a line of the ledger
(`Sighting`), and every line ends in one inbox row, which ends in one state:

    received ──claim──▶ worked on ──▶ case, discarded, own-loop
       ▲                    │
       └── failed (1, 5 min)┴──▶ quarantine (third failure; sealed; `retry` starts afresh)

An attempt is counted before the work begins, so that a letter that kills the process counts too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, delete, exists, func, select, update

from mailcounsel import errors
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.intake import slices
from mailcounsel.intake.envelope import Envelope as Envelope
from mailcounsel.store import models, statements
from mailcounsel.store.columns import database_now, new_id
from mailcounsel.store.engine import Store
from mailcounsel.store.ready import Ready

inboxes = models.table(models.Inbox)
sightings = models.table(models.Sighting)
mailboxes = models.table(models.Mailbox)

Settled = Literal["case", "quarantine", "discarded", "own-loop"]

SETTLED: tuple[Settled, ...] = ("case", "discarded", "own-loop")
"""The states after which the copy in the mailbox is no longer needed."""

SMTP = "smtp"  # the account of sightings by SMTP
LEASE_SECONDS = 300  # longer than gpg's timeouts for the letters of one claim together
HELD_AT_ONCE = 1_000_000  # bytes of letters claimed together, and of one that is larger by itself
HEAVY = 500_000  # bytes beyond which a letter may take a second or ten; it has a way of its own
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5))
ATTEMPTS = len(BACK_OFF) + 1

_RECEIVED = inboxes.c.state == "received"
_SIZE = func.length(inboxes.c.raw)
_NEW = _RECEIVED & (inboxes.c.attempts == 0)
_NEW_LIGHT = statements.Queue(inboxes, _NEW & (_SIZE <= HEAVY), counting=True, size=_SIZE)
_NEW_HEAVY = statements.Queue(inboxes, _NEW & (_SIZE > HEAVY), counting=True)
_TRIED = statements.Queue(inboxes, _RECEIVED & (inboxes.c.attempts > 0), counting=True)
_KILLED = Ready(
    update(inboxes)
    .where(_RECEIVED, inboxes.c.attempts >= ATTEMPTS, inboxes.c.lease_until < database_now())
    .values(state="quarantine", reason="killed", lease_until=0)
)


@dataclass(frozen=True, slots=True)
class Sighted:
    """Where a letter was seen. Two that are equal are one sighting."""

    account: str  # "smtp", or the keyed hash of an IMAP account, in hexadecimal
    folder: str
    uidvalidity: int
    uid: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The inbox row a sighting ended in, and whether it was made for it."""

    inbox_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Received:
    """A letter handed out to be worked on. In memory only."""

    inbox_id: str
    fence: int
    attempts: int  # this one included
    received_at: datetime
    envelope: Envelope = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A letter that waits for a person."""

    inbox_id: str
    received_at: datetime
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The ledger beside the letters."""

    sightings: int
    letters: Mapping[str, int]  # by state
    lost: int  # sightings that end in no letter, and letters nobody saw


# -- keeping --------------------------------------------------------------------------------------


def handed_over() -> Sighted:
    """Return the sighting of a letter handed over by SMTP, where each hand-over is its own."""
    return Sighted(SMTP, "", 0, new_id())


def keep(
    store: Store,
    keyring: ServiceKeyring,
    raw: bytes,
    envelope: Envelope,
    sighted: Sighted,
    now: datetime,
    *,
    too_large: bool = False,
) -> Future[Kept]:
    """Seal a letter and write it down; the future is done once that is durable.

    The same sighting again, or the same letter by another way, gives the row that is there. On
    PostgreSQL the write happens in the calling thread. Raises, through the future: DiskFull,
    StoreUnavailable; then nothing is kept.
    """
    row = _row(keyring, raw, envelope, now, too_large=too_large)
    return store.submit(lambda connection: _keep(connection, row, sighted, now))


def _row(
    keyring: ServiceKeyring, raw: bytes, envelope: Envelope, now: datetime, *, too_large: bool
) -> dict[str, Any]:
    inbox_id = new_id()
    identity = slices.identity(raw)
    clear = json.dumps(asdict(envelope)).encode()
    return {
        "id": inbox_id,
        "received_at": now,
        "content_lookup": None if identity is None else keyring.lookup("content", identity),
        "state": "quarantine" if too_large else "received",
        "reason": "too-large" if too_large else "",
        "attempts": 0,
        "due_at": now,
        "lease_until": 0,
        "fence": 0,
        "sealed_envelope": keyring.seal("inflight", clear, f"inbox/{inbox_id}/envelope"),
        "raw": keyring.seal("inflight", raw, f"inbox/{inbox_id}/raw"),
    }


def _keep(connection: Connection, row: Mapping[str, Any], sighted: Sighted, now: datetime) -> Kept:
    known = None if sighted.account == SMTP else _seen_before(connection, sighted)
    if known is not None:
        return Kept(known, is_new=False)
    is_new = statements.insert_once(connection, inboxes, row)
    inbox_id: str = row["id"] if is_new else _same_letter(connection, row["content_lookup"])
    line = {**asdict(sighted), "id": new_id(), "inbox_id": inbox_id, "seen_at": now}
    if statements.insert_once(connection, sightings, {**line, "server": "there"}):
        return Kept(inbox_id, is_new)
    # Another process wrote the same sighting at this very moment: its row is the one that counts.
    connection.execute(delete(inboxes).where(inboxes.c.id == row["id"]))
    return Kept(_seen_before(connection, sighted) or inbox_id, is_new=False)


def _seen_before(connection: Connection, sighted: Sighted) -> str | None:
    row = statements.one(connection, sightings, **asdict(sighted))
    return row["inbox_id"] if row else None


def _same_letter(connection: Connection, content_lookup: bytes) -> str:
    row = statements.one(connection, inboxes, content_lookup=content_lookup)
    if row is None:
        raise errors.Conflict
    return str(row["id"])


# -- working --------------------------------------------------------------------------------------


def claim(
    store: Store,
    keyring: ServiceKeyring,
    now: datetime,
    most: int = 4,
    lease_seconds: int = LEASE_SECONDS,
    *,
    tried: bool = True,
) -> list[Received]:
    """Claim letters of up to `HEAVY` bytes that are due, oldest first, and count the attempts.

    A letter that was tried before, of any size, comes alone, so that one that kills the process
    takes nobody with it; once its last attempt did so it goes to quarantine. Such letters are left
    for another time without `tried`, for whoever has something else in work. One that does not
    open counts as failed. Neither stops the others.
    """

    def job(connection: Connection) -> list[RowMapping]:
        _KILLED.run(connection, {})
        alone = tried and _TRIED.claim(connection, now, most=1, lease_seconds=lease_seconds)
        return alone or _NEW_LIGHT.claim(
            connection, now, most=most, lease_seconds=lease_seconds, most_size=HELD_AT_ONCE
        )

    return _all_opened(store, keyring, store.write(job), now)


def claim_heavy(
    store: Store, keyring: ServiceKeyring, now: datetime, lease_seconds: int = LEASE_SECONDS
) -> list[Received]:
    """Claim one new letter of more than `HEAVY` bytes, or none; in all else as `claim`."""

    def job(connection: Connection) -> list[RowMapping]:
        _KILLED.run(connection, {})
        return _NEW_HEAVY.claim(connection, now, most=1, lease_seconds=lease_seconds)

    return _all_opened(store, keyring, store.write(job), now)


def _all_opened(
    store: Store, keyring: ServiceKeyring, rows: Iterable[RowMapping], now: datetime
) -> list[Received]:
    opened = []
    for row in rows:
        try:
            opened.append(_opened(keyring, row))
        except errors.SealBroken:
            failure = _after_failure(row["attempts"], "seal-broken", now)
            _report(store, row["id"], row["fence"], failure)
    return opened


def _opened(keyring: ServiceKeyring, row: RowMapping) -> Received:
    place = f"inbox/{row['id']}"
    facts = json.loads(keyring.open(row["sealed_envelope"], f"{place}/envelope"))
    raw = keyring.open(row["raw"], f"{place}/raw")
    envelope = Envelope(**{**facts, "recipients": tuple(facts["recipients"])})
    return Received(row["id"], row["fence"], row["attempts"], row["received_at"], envelope, raw)


def settle(
    connection: Connection,
    received: Received,
    state: Settled,
    *,
    reason: str = "",
    case_id: str | None = None,
    letter_id: str | None = None,
) -> bool:
    """Give a claimed letter its last state within a transaction, and forget what was in flight.

    False when the claim was lost: then nothing else of the transaction may stand either. In
    quarantine the letter stays, sealed.
    """
    values: dict[str, Any] = {"state": state, "reason": reason, "lease_until": 0}
    if state != "quarantine":
        values |= {"raw": None, "sealed_envelope": b"", "case_id": case_id, "letter_id": letter_id}
    return statements.fenced_update(connection, inboxes, received.inbox_id, received.fence, values)


def failed(store: Store, received: Received, reason: str, now: datetime) -> bool:
    """Count a failure: wait and try again, or quarantine after the third.

    `reason` is a code. False when the claim was lost, and nothing changed.
    """
    values = _after_failure(received.attempts, reason, now)
    return _report(store, received.inbox_id, received.fence, values)


def postponed(
    store: Store, received: Received, now: datetime, wait: timedelta = timedelta(seconds=30)
) -> bool:
    """Put a letter back because of a fault of ours, which does not count as an attempt."""
    values = {"attempts": received.attempts - 1, "due_at": now + wait}
    return _report(store, received.inbox_id, received.fence, values)


def hurry(store: Store, now: datetime) -> None:
    """Make the letters that wait for something of ours due at once; failed ones keep their wait."""

    def job(connection: Connection) -> None:
        waiting = (inboxes.c.state == "received", inboxes.c.attempts == 0)
        connection.execute(update(inboxes).where(*waiting).values(due_at=now))

    store.write(job)


def _after_failure(attempts: int, reason: str, now: datetime) -> dict[str, Any]:
    if attempts >= ATTEMPTS:
        return {"reason": reason, "state": "quarantine"}
    return {"reason": reason, "due_at": now + BACK_OFF[attempts - 1]}


def _report(store: Store, inbox_id: str, fence: int, values: Mapping[str, Any]) -> bool:
    ended = {**values, "lease_until": 0}
    return store.write(
        lambda connection: statements.fenced_update(connection, inboxes, inbox_id, fence, ended)
    )


def free_leases(store: Store) -> None:
    """Free what a killed process held. Only for a store that no other process can be using."""

    def job(connection: Connection) -> None:
        for rows in (inboxes, mailboxes):
            held = update(rows).where(rows.c.lease_until > 0)
            connection.execute(held.values(lease_until=0, fence=rows.c.fence + 1))

    store.write(job)


# -- looking --------------------------------------------------------------------------------------


def retry(store: Store, inbox_id: str, now: datetime) -> None:
    """Take a letter out of quarantine and start afresh.

    Raises: NotFound; Conflict when it is not in quarantine.
    """

    def job(connection: Connection) -> None:
        here = inboxes.c.id == inbox_id
        afresh = {"state": "received", "reason": "", "attempts": 0, "due_at": now}
        afresh |= {"noticed_at": None}
        change = update(inboxes).where(here, inboxes.c.state == "quarantine").values(afresh)
        if connection.execute(change).rowcount == 0:
            known = connection.execute(select(inboxes.c.id).where(here)).first()
            raise errors.Conflict if known else errors.NotFound

    store.write(job)


def quarantined(store: Store) -> list[Quarantined]:
    """Return the letters in quarantine, oldest first."""
    columns = (inboxes.c.id, inboxes.c.received_at, inboxes.c.reason, inboxes.c.attempts)
    query = select(*columns).where(inboxes.c.state == "quarantine").order_by(*columns[1::-1])
    return store.read(lambda connection: [Quarantined(*row) for row in connection.execute(query)])


def counts(store: Store) -> Counts:
    """Count the ledger's lines and the letters by state, in one look."""
    return store.read(_counts)


def _counts(connection: Connection) -> Counts:
    by_state = select(inboxes.c.state, func.count()).group_by(inboxes.c.state)
    letters = {str(state): int(number) for state, number in connection.execute(by_state)}
    seen = select(func.count()).select_from(sightings)
    nowhere = seen.where(~exists().where(inboxes.c.id == sightings.c.inbox_id))
    unseen = select(func.count()).select_from(inboxes)
    unseen = unseen.where(~exists().where(sightings.c.inbox_id == inboxes.c.id))
    lost = [int(connection.execute(query).scalar_one()) for query in (nowhere, unseen)]
    return Counts(int(connection.execute(seen).scalar_one()), letters, sum(lost))
