"""Errands: what is to be done for a case at a moment, such as a reminder or a warning.

Whoever needs one calls `put`; the service's errand loop calls `run_due`, which hands each due
errand to the function `mailcounsel.casework.duties` names for its kind, in one transaction with
the errand's end. An errand whose function fails three times is shown to a person, and tried again
every hour until it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel.casework import alone, records
from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

errands = models.table(models.Errand)

FAILED = "errand-failed"  # the flag a person sees
ATTEMPTS = 3  # before it is shown
SOON, LATER = timedelta(minutes=5), timedelta(hours=1)  # until the next try, before and after that

Duty = Callable[[Connection, Office, RowMapping, datetime], None]


def put(connection: Connection, case_id: str, kind: str, ref: str, due_at: datetime) -> bool:
    """Have something done at a moment; False where the same is due at that moment already."""
    row = {"id": new_id(), "case_id": case_id, "kind": kind, "ref": ref, "due_at": due_at}
    return statements.insert_once(connection, errands, {**row, "state": "waiting", "attempts": 0})


def drop(connection: Connection, kind: str, ref: str) -> int:
    """Let what waits of a kind for a ref be. Return how many errands that were."""
    waiting = (errands.c.kind == kind) & (errands.c.ref == ref) & (errands.c.state == "waiting")
    return connection.execute(update(errands).where(waiting).values(state="dropped")).rowcount


def run_due(
    connection: Connection,
    office: Office,
    duties: Mapping[str, Duty],
    now: datetime,
    most: int = 50,
) -> int:
    """Do what is due, the longest due first. Return how many errands were looked at."""
    due = (
        select(errands)
        .where(errands.c.state == "waiting", errands.c.due_at <= now)
        .order_by(errands.c.due_at, errands.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(due).mappings().all()
    for errand in rows:
        _run(connection, office, duties, errand, now)
    return len(rows)


def _run(
    connection: Connection,
    office: Office,
    duties: Mapping[str, Duty],
    errand: RowMapping,
    now: datetime,
) -> None:
    def work() -> None:
        duties[errand["kind"]](connection, office, errand, now)
        statements.change(connection, errands, errand["id"], state="done")

    if not alone.do(connection, f"errands: a {errand['kind']}", work):
        _failed(connection, errand, now)
    elif errand["attempts"] >= ATTEMPTS:
        case_id, ref = errand["case_id"], errand["id"]
        records.clear_flag(connection, now, case_id, FAILED, "service", ref)


def _failed(connection: Connection, errand: RowMapping, now: datetime) -> None:
    """Try again soon, then once an hour: nothing that is owed to a case is dropped by a fault."""
    attempts = errand["attempts"] + 1
    due_at = now + (SOON if attempts < ATTEMPTS else LATER)
    statements.change(connection, errands, errand["id"], attempts=attempts, due_at=due_at)
    if attempts == ATTEMPTS:
        records.flag(connection, now, errand["case_id"], FAILED, errand["id"])
