"""Why a client is not asked anything now: what they wish, a risk, or that nothing came back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select

from mailcounsel.casework import cases, letters, records
from mailcounsel.trust import addressbook

CHECKIN, REMINDER = "checkin", "checkin-reminder"  # kinds of letter
SILENT = "silent"  # a reason to rest
MOST_UNANSWERED = 2  # questions in a row: a third one would be a heap
FROM_CLIENT = ("letter", "answer", "command")  # kinds of entry a person wrote


def reason(connection: Connection, case: RowMapping) -> str:
    """Return why a main case's client is not asked anything now, "" where they may be.

    One of closed, paused, stopped, risk, silent.
    """
    if case["state"] != "open":
        return "closed"
    wanted = addressbook.facts(connection, case["client_id"]).checkins
    if wanted != "on":
        return wanted
    if cases.has_open_risk(connection, case):
        return "risk"
    return SILENT if _is_silent(connection, cases.family(connection, case)) else ""


def last_heard(connection: Connection, family: Sequence[str]) -> datetime | None:
    """Return when the client last wrote to a case; machines do not count."""
    theirs = (
        records.letters.c.case_id.in_(family)
        & (records.letters.c.direction == "in")
        & records.letters.c.kind.in_(FROM_CLIENT)
    )
    found: datetime | None = connection.execute(
        select(func.max(records.letters.c.at)).where(theirs)
    ).scalar_one()
    return found


def asked_since(connection: Connection, family: Sequence[str], since: datetime) -> bool:
    """Tell whether a question was put into the outbox after a moment."""
    out = letters.outgoing
    newer = out.c.case_id.in_(family) & (out.c.kind == CHECKIN) & (out.c.created_at > since)
    return connection.execute(select(out.c.id).where(newer)).first() is not None


def _is_silent(connection: Connection, family: Sequence[str]) -> bool:
    """Tell whether the client was reminded, or asked twice, and nothing came since."""
    out = letters.outgoing
    since = last_heard(connection, family)
    unanswered = out.c.case_id.in_(family) & out.c.state.not_in(["undone", "failed", "bounced"])
    if since is not None:
        unanswered &= out.c.created_at > since
    sent = select(out.c.kind).where(unanswered, out.c.kind.in_([CHECKIN, REMINDER]))
    kinds = list(connection.execute(sent).scalars())
    return REMINDER in kinds or kinds.count(CHECKIN) >= MOST_UNANSWERED
