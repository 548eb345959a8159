"""A clock that was ahead and was put back: what would wait until that moment comes again.

A machine that starts with a wrong clock writes its moments down until the right time reaches it.
Nobody can tell afterwards what of a year was meant, so only that is brought back which is owed
soon after it is written down: letters to be placed, letters to be sent, answers that a client waits
for, and who is told next of a danger nobody has read. Too early does little harm there; too late
does.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from mailcounsel.casework import cases, errands, ladder, letters
from mailcounsel.casework.office import Office
from mailcounsel.intake import inbox
from mailcounsel.outgoing import claim
from mailcounsel.store import statements

log = logging.getLogger(__name__)

DRIFT = timedelta(minutes=2)  # what clocks may differ by


def bring_back(connection: Connection, office: Office, now: datetime) -> int:
    """Let what waits for a moment of a clock that was ahead be due again. Return how much."""
    found = _letters_in(connection, now) + _letters_out(connection, now)
    found += _steps(connection, now) + _answers(connection, office, now)
    if found:
        log.warning("the clock was put back: %d letters, notes and cases are due again", found)
    return found


def _letters_in(connection: Connection, now: datetime) -> int:
    rows, longest = inbox.inboxes, max(inbox.BACK_OFF) + DRIFT
    late = (rows.c.state == "received") & (rows.c.due_at > now + longest)
    return connection.execute(update(rows).where(late).values(due_at=now)).rowcount


def _letters_out(connection: Connection, now: datetime) -> int:
    """Send what was written while the clock was ahead, and what was to be tried again then."""
    out, longest = letters.outgoing, max(claim.PAUSES) + DRIFT
    written = (out.c.created_at > now + DRIFT) & (out.c.due_at > now)
    tried = (out.c.attempts > 0) & (out.c.due_at > now + longest)
    late = out.c.state.in_(["ready", "held"]) & (written | tried)
    return connection.execute(update(out).where(late).values(due_at=now)).rowcount


def _answers(connection: Connection, office: Office, now: datetime) -> int:
    """Let clients wait from now on, and be promised anew, who wait since a moment to come."""
    rows, ahead = cases.cases, now + DRIFT
    late = (rows.c.waiting_since > ahead) | (rows.c.promised_since > ahead)
    waits = (rows.c.state == "open") & rows.c.waiting_since.is_not(None)
    found = connection.execute(select(rows).where(waits, late)).mappings().all()
    for case in found:
        since = min(case["waiting_since"], now)
        until = cases.answer_by(office, case, case["priority"], now)
        moments = {"waiting_since": since, "promised_since": now, "promised_at": until}
        statements.change(connection, rows, case["id"], **moments)
    return len(found)


def _steps(connection: Connection, now: datetime) -> int:
    """Tell the next person of a danger that was raised while the clock was ahead."""
    rows, risks = errands.errands, ladder.risks
    ahead = risks.c.read_at.is_(None) & (risks.c.opened_at > now + DRIFT)
    raised = update(risks).where(ahead).values(opened_at=now).returning(risks.c.id)
    ids = connection.execute(raised).scalars().all()
    late = (rows.c.kind == ladder.STEP) & (rows.c.state == "waiting") & (rows.c.due_at > now)
    late &= rows.c.ref.in_(ids) | (rows.c.due_at > now + ladder.SLOWLY + DRIFT)
    return connection.execute(update(rows).where(late).values(due_at=now)).rowcount
