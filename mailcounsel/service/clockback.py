"""A clock that was ahead and was put back: what would wait until that moment comes again.

A machine that starts with a wrong clock writes its moments down until the right time reaches it.
Nobody can tell afterwards what of a year was meant, so only that is brought back which is owed
soon after it is written down: letters to be placed, letters to be sent, answers that a client waits
for, questions that come again, and who is told next of a danger nobody has read. Too early does
little harm there; too late does.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from mailcounsel.casework import cases, errands, goals, ladder, letters, measures, recurrence
from mailcounsel.casework.office import Office
from mailcounsel.intake import inbox
from mailcounsel.outgoing import claim
from mailcounsel.store import statements
from mailcounsel.trust import addressbook

log = logging.getLogger(__name__)

DRIFT = timedelta(minutes=2)  # what clocks may differ by
NO_RHYTHM = timedelta(days=100)  # a month, twice, and a questionnaire that waits for its readers


def bring_back(connection: Connection, office: Office, now: datetime) -> int:
    """Let what waits for a moment of a clock that was ahead be due again. Return how much."""
    found = _letters_in(connection, now) + _letters_out(connection, now)
    found += _steps(connection, now) + _answers(connection, office, now)
    found += _questions(connection, now)
    if found:
        log.warning("the clock was put back: %d letters, cases and questions are due again", found)
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


def _questions(connection: Connection, now: datetime) -> int:
    """Ask again in their rhythm what no rhythm would ask so late."""
    rows = goals.goals
    late = (rows.c.state == "active") & (rows.c.next_due_at > now + NO_RHYTHM)
    found = connection.execute(select(rows).where(late)).mappings().all()
    for goal in found:
        client = cases.get(connection, goal["case_id"])["client_id"]
        zone = ZoneInfo(addressbook.facts(connection, client).time_zone)
        due_at = _next_due(goal["every"], goal["at"], now, zone)
        statements.change(connection, rows, goal["id"], next_due_at=due_at)
    return len(found)


def _next_due(every: str, at: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when a question is due next; one that is asked once, at once if at no hour."""
    if every != measures.ONCE:
        return recurrence.next_due(now, recurrence.parse(every, at), zone)
    return recurrence.next_due(now, recurrence.parse_once(at), zone) if at else now


def _steps(connection: Connection, now: datetime) -> int:
    """Tell the next person of a danger that was raised while the clock was ahead."""
    rows, risks = errands.errands, ladder.risks
    ahead = risks.c.read_at.is_(None) & (risks.c.opened_at > now + DRIFT)
    raised = update(risks).where(ahead).values(opened_at=now).returning(risks.c.id)
    ids = connection.execute(raised).scalars().all()
    late = (rows.c.kind == ladder.STEP) & (rows.c.state == "waiting") & (rows.c.due_at > now)
    late &= rows.c.ref.in_(ids) | (rows.c.due_at > now + ladder.SLOWLY + DRIFT)
    return connection.execute(update(rows).where(late).values(due_at=now)).rowcount
