"""When a check-in is not answered: one gentle letter, then a person sees it, then nothing more.

Half the rhythm after a question, two days at least, the client is reminded once; after the same
time again the case is flagged *silent*. Whatever the client writes meanwhile ends it, and no more
questions go out until they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import cases, errands, hours, letters, records, recurrence, resting
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.casework.resting import REMINDER, SILENT
from mailcounsel.store import models, statements
from mailcounsel.trust import addressbook

REMIND, SHOW = (
    "checkin-silence",
    "checkin-silent",
)  # errands; their `ref` is the letter that asked
PATIENCE = {
    "day": timedelta(days=2),
    "week": timedelta(days=3, hours=12),
    "2 weeks": timedelta(days=7),
    "month": timedelta(days=15),
}
checkins = models.table(models.CheckIn)
goals = models.table(models.Goal)


def watch(connection: Connection, case: RowMapping, outgoing_id: str, rhythms: Sequence[str],
          leaves_at: datetime) -> None:  # fmt: skip
    """See whether a letter that asks is answered in time; `rhythms` are those of its questions."""
    patience = min(PATIENCE[every] for every in rhythms)
    errands.put(connection, case["id"], REMIND, outgoing_id, leaves_at + patience)


def remind(connection: Connection, office: Office, errand: RowMapping, now: datetime) -> None:
    """Write once to a client who has not answered a question (an errand's duty)."""
    case = cases.main(connection, errand["case_id"])
    asked = statements.row(connection, letters.outgoing, errand["ref"])
    patience = _patience(connection, errand["ref"])
    if asked["state"] in {"ready", "held"}:  # it has not left: a question nobody saw
        errands.put(connection, case["id"], REMIND, errand["ref"], now + patience)
        return
    if asked["state"] not in letters.LEFT or not _is_unanswered(connection, case, asked):
        return
    if resting.reason(connection, case) not in {"", SILENT}:
        return
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    awake = hours.quiet_hours(office.config).next_allowed(now, zone)
    if awake > now:
        errands.put(connection, case["id"], REMIND, errand["ref"], awake)
        return
    once = f"{REMINDER}:{errand['ref']}"
    if letters.ask(connection, office, case, Asked(REMINDER, {}, once, is_answer=False), now):
        errands.put(connection, case["id"], SHOW, errand["ref"], now + patience)


def show(connection: Connection, _: Office, errand: RowMapping, now: datetime) -> None:
    """Show to a person, as a flag, that a client is silent (an errand's duty)."""
    case = cases.main(connection, errand["case_id"])
    asked = statements.row(connection, letters.outgoing, errand["ref"])
    if resting.reason(connection, case) == SILENT and _is_unanswered(connection, case, asked):
        records.flag(connection, now, case["id"], SILENT, errand["ref"])
        records.audit(connection, now, "service", "client-silent", case["id"], errand["ref"])


def heard(connection: Connection, case: RowMapping, now: datetime) -> None:
    """End a silence: the client has written. A reminder that has not left never does."""
    letters.take_back(connection, cases.family(connection, case), [REMINDER], "answered")
    records.clear_flag(connection, now, case["id"], SILENT, "client")


def _is_unanswered(connection: Connection, case: RowMapping, asked: RowMapping) -> bool:
    """Tell whether nothing came from the client, and nothing newer was asked, since a letter."""
    family = cases.family(connection, case)
    heard_at = resting.last_heard(connection, family)
    if heard_at is not None and heard_at >= (asked["sent_at"] or asked["created_at"]):
        return False
    return not resting.asked_since(connection, family, asked["created_at"])


def _patience(connection: Connection, outgoing_id: str) -> timedelta:
    """Return how long an answer to a letter may take before the next step."""
    rows = statements.every(connection, checkins, outgoing_id=outgoing_id)
    asked = [statements.row(connection, goals, row["goal_id"]) for row in rows]
    rhythms = [recurrence.parse(goal["every"], goal["at"]).every for goal in asked]
    return min((PATIENCE[every] for every in rhythms), default=PATIENCE["day"])
