"""Errands: what is to be done for a case at a moment, such as a reminder or a warning.

Whoever needs one calls `put`; the service's errand loop calls `run_due`, which hands each due
errand to the function `mailcounsel.casework.duties` names for its kind, in one transaction with
the errand's end. An errand whose function fails is tried three times, then shown to a person.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel import errors
from mailcounsel.casework import records
from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

log = logging.getLogger(__name__)

errands = models.table(models.Errand)

ATTEMPTS = 3
LATER = timedelta(minutes=5)

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
    """Do one errand; what it wrote before it failed is taken back."""
    try:
        with connection.begin_nested():
            duties[errand["kind"]](connection, office, errand, now)
            statements.change(connection, errands, errand["id"], state="done")
    except Exception as fault:  # noqa: BLE001 - one bad errand never stops the others
        log.error("errands: a %s failed: %s", errand["kind"], errors.place_of(fault))
        _failed(connection, errand, now)


def _failed(connection: Connection, errand: RowMapping, now: datetime) -> None:
    attempts = errand["attempts"] + 1
    if attempts < ATTEMPTS:
        due_at = now + LATER
        statements.change(connection, errands, errand["id"], attempts=attempts, due_at=due_at)
        return
    statements.change(connection, errands, errand["id"], attempts=attempts, state="failed")
    records.flag(connection, now, errand["case_id"], "errand-failed", errand["id"])
