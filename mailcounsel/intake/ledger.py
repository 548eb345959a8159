"""The ledger of IMAP accounts: who looks after which, what was seen where, what may go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.intake.inbox import SETTLED, inboxes, mailboxes, sightings
from mailcounsel.store import statements
from mailcounsel.store.columns import database_now
from mailcounsel.store.engine import Store

LEASE_SECONDS = 60  # a dead process's mailbox is taken over after this


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of an account, in one incarnation (RFC 3501 section 2.3.1.1)."""

    account: str
    name: str
    uidvalidity: int


@dataclass(frozen=True, slots=True)
class Report:
    """How looking after an account last went; `problem` is a code, "" when all is well."""

    account: str
    looked_at: datetime | None
    problem: str


def account_of(keyring: ServiceKeyring, user: str, host: str) -> str:
    """Return the name an IMAP account has in the store: a keyed hash, in hexadecimal."""
    return keyring.lookup("account", f"{user}\0{host.lower()}".encode()).hex()


# -- who looks after it ---------------------------------------------------------------------------


def hold(store: Store, account: str, worker: str) -> int | None:
    """Take an account that nobody else holds, and return the fence, or None."""

    def job(connection: Connection) -> int | None:
        new = {"account": account, "lease_until": 0, "fence": 0, "worker": "", "problem": ""}
        statements.insert_once(connection, mailboxes, new)
        free = (mailboxes.c.lease_until < database_now()) | (mailboxes.c.worker == worker)
        take = update(mailboxes).where(mailboxes.c.account == account, free)
        fence = connection.execute(
            take.values(
                lease_until=database_now() + LEASE_SECONDS,
                fence=mailboxes.c.fence + 1,
                worker=worker,
            ).returning(mailboxes.c.fence)
        ).scalar_one_or_none()
        return None if fence is None else int(fence)

    return store.write(job)


def renew(
    store: Store,
    account: str,
    fence: int,
    *,
    looked_at: datetime | None = None,
    problem: str | None = None,
) -> bool:
    """Hold an account longer and note how it goes; False when somebody else took it."""
    values: dict[str, Any] = {"lease_until": database_now() + LEASE_SECONDS}
    if looked_at is not None:
        values["looked_at"] = looked_at
    if problem is not None:
        values["problem"] = problem
    return _change(store, account, fence, values)


def release(store: Store, account: str, fence: int) -> None:
    """Let go of an account, so that another process may take it at once."""
    _change(store, account, fence, {"lease_until": 0, "worker": ""})


def _change(store: Store, account: str, fence: int, values: dict[str, Any]) -> bool:
    mine = (mailboxes.c.account == account, mailboxes.c.fence == fence)
    change = update(mailboxes).where(*mine).values(values)
    return store.write(lambda connection: connection.execute(change).rowcount == 1)


def reports(store: Store) -> list[Report]:
    """Return how each account last went."""
    query = select(mailboxes.c.account, mailboxes.c.looked_at, mailboxes.c.problem)
    return store.read(lambda connection: [Report(*row) for row in connection.execute(query)])


# -- what was seen --------------------------------------------------------------------------------


def seen(store: Store, folder: Folder) -> set[int]:
    """Return the UIDs of a folder that the ledger holds."""
    query = select(sightings.c.uid).where(*_lines(folder))
    return store.read(lambda connection: {int(uid) for uid in connection.execute(query).scalars()})


def set_apart(store: Store, folder: Folder, now: datetime) -> None:
    """Keep what was seen in a folder, but under a UIDVALIDITY no server has (RFC 3501 §2.3.1.1)."""
    change = update(sightings).where(*_lines(folder)).values(uidvalidity=-int(now.timestamp()))
    store.write(lambda connection: connection.execute(change).rowcount)


def ripe(store: Store, folder: Folder, seen_before: datetime, most: int) -> list[int]:
    """Return UIDs, lowest first, whose letter is safe in its last state and was seen long ago."""
    joined = sightings.join(inboxes, inboxes.c.id == sightings.c.inbox_id)
    query = (
        select(sightings.c.uid)
        .select_from(joined)
        .where(*_lines(folder), sightings.c.server == "there", sightings.c.seen_at <= seen_before)
        .where(inboxes.c.state.in_(SETTLED))
        .order_by(sightings.c.seen_at, sightings.c.uid)
        .limit(most)
    )
    return store.read(
        lambda connection: sorted(int(uid) for uid in connection.execute(query).scalars())
    )


def note(store: Store, folder: Folder, uids: Collection[int], word: str) -> None:
    """Write down what became of letters in the mailbox: moved, deleted or gone."""
    if not uids:
        return
    lines = (*_lines(folder), sightings.c.uid.in_([str(uid) for uid in uids]))
    change = update(sightings).where(*lines).values(server=word)
    store.write(lambda connection: connection.execute(change).rowcount)


def _lines(folder: Folder) -> tuple[Any, ...]:
    return (
        sightings.c.account == folder.account,
        sightings.c.folder == folder.name,
        sightings.c.uidvalidity == folder.uidvalidity,
    )
