"""Silence after a letter with danger was answered: a person is told, and decides.

An approved reply in a case with an open risk starts a clock; a letter with the client's proof stops
it. When it runs out while the risk is still open, that raises a risk of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from mailcounsel.casework import cases, errands, letters, records, risk
from mailcounsel.casework.office import Office
from mailcounsel.store.ready import Ready

KIND = "risk-silence"  # of its errands; their ref is the outgoing reply

_DROP = Ready(
    update(errands.errands)
    .where(errands.errands.c.kind == KIND, errands.errands.c.case_id == bindparam("case"))
    .where(errands.errands.c.state == "waiting")
    .values(state="dropped")
)


def watch(
    connection: Connection, office: Office, case: RowMapping, outgoing_id: str, now: datetime
) -> None:
    """Begin to wait for a word after a reply, where danger is open; a later reply begins anew."""
    if not cases.has_open_risk(connection, case):
        return
    heard(connection, cases.family(connection, case))
    queue = office.config.queue(case["queue"])
    hours = queue.risk.silence_hours if queue else 48
    errands.put(connection, case["id"], KIND, outgoing_id, now + timedelta(hours=hours))


def heard(connection: Connection, case_ids: list[str]) -> None:
    """Stop waiting: the client wrote."""
    for case_id in case_ids:
        _DROP.run(connection, {"case": case_id})


def over(connection: Connection, office: Office, errand: RowMapping, now: datetime) -> None:
    """Raise the silence, unless a person closed the danger; the duty of `risk-silence`."""
    case = cases.main(connection, errand["case_id"])
    if not cases.has_open_risk(connection, case):
        return
    out = letters.outgoing
    row = connection.execute(select(out).where(out.c.id == errand["ref"])).mappings().one()
    if row["state"] == "undone":
        return  # it never left, and the case waits for another
    risk.raise_risk(connection, office, case["id"], row["letter_id"], now, cause="silence")
    records.flag(connection, now, case["id"], "silent-after-danger", row["letter_id"])
