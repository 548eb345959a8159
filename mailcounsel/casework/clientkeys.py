"""A client's key, weighed: confirmed by another letter, doubted, or dropped by a person."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import asking, cases, letters, records
from mailcounsel.casework.office import Office
from mailcounsel.trust import pins

DOUBTED = "key-doubted"  # a flag, and what the audit says
CHANGED, LATE = "key-changed", "key-late"  # flags: another key, and a first one after clear mail


def confirm(
    connection: Connection,
    office: Office,
    client_id: str,
    signed_by: Collection[str],
    now: datetime,
) -> None:
    """Keep for good the key that signed a letter something else vouches for as well."""
    if not pins.confirm(connection, office.keyring, client_id, signed_by, now):
        return
    for case in _cases(connection, client_id):
        records.clear_flag(connection, now, case["id"], DOUBTED, "service")
        records.audit(connection, now, "service", "key-confirmed", case["id"])
    letters.release_waiting(connection, office, client_id, now)


def doubt(
    connection: Connection,
    office: Office,
    client_id: str,
    now: datetime,
    *,
    by: str,
    signed_by: Collection[str] = (),
    ref: str = "",
) -> bool:
    """Use a client's key no more that so far only its own signature spoke for, and say so.

    What is frozen to it waits, and the client is asked for a way as if there had been none. True
    where there was such a key.
    """
    if not pins.doubt(connection, office.keyring, client_id, signed_by, now):
        return False
    for case in _cases(connection, client_id):
        records.flag(connection, now, case["id"], DOUBTED, ref)
        records.audit(connection, now, by, DOUBTED, case["id"], ref)
        asking.later(connection, office, case, now)
    return True


def settled(
    connection: Connection,
    case: RowMapping,
    by: str,
    now: datetime,
    kinds: Collection[str] = (CHANGED, DOUBTED, LATE),
) -> None:
    """Clear what is flagged about a client's keys, since a person decided about one."""
    for case_id in cases.family(connection, case):
        for kind in kinds:
            records.clear_flag(connection, now, case_id, kind, by)


def show_doubt(
    connection: Connection, office: Office, case: RowMapping, letter_id: str, now: datetime
) -> None:
    """Show, once more where it was seen, why a client's word for ordinary mail is not enough."""
    if pins.is_doubted(connection, office.keyring, case["client_id"]):
        records.flag(connection, now, case["id"], DOUBTED, letter_id)


def _cases(connection: Connection, client_id: str) -> list[RowMapping]:
    """Return where a client's letters are shown."""
    rows = [cases.main(connection, row["id"]) for row in cases.of_client(connection, client_id)]
    shown = {row["id"]: row for row in rows if row["erased_at"] is None}
    return list(shown.values())
