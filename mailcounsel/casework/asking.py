"""Asking once more how a client wants our letters, and then leaving it to a person.

A day after the first answer a client who has not chosen is asked once more, if somebody vouches for
who wrote or a person here has answered already: a forged letter earns its victim no second mail.
After another day a person sees that nothing came.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, func, select

from mailcounsel.casework import cases, consent, errands, hours, letters, parcels, records
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.store import statements
from mailcounsel.trust import addressbook, pins

REMIND, DECIDE = "consent-reminder", "consent-decision"  # kinds of errand
WAIT = timedelta(days=1)
UNDECIDED = "no-consent"  # the flag a person sees


def later(connection: Connection, office: Office, case: RowMapping, now: datetime) -> None:
    """See after a day whether a client has chosen. Nothing where there is a way already.

    For a new client, and again when a reply waits: who is answered late is certain only then.
    """
    if _has_chosen(connection, office, case):
        return
    due_at = _awake(connection, office, case, now)
    errands.put(connection, case["id"], REMIND, case["client_id"], due_at)


def _awake(connection: Connection, office: Office, case: RowMapping, since: datetime) -> datetime:
    """Return the moment a day later, or the end of the client's night."""
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    return hours.quiet_hours(office.config).next_allowed(since + WAIT, zone)


def noticed_at(connection: Connection, case: RowMapping) -> datetime | None:
    """Return when the client was last told that a letter waits for their choice."""
    out = letters.outgoing
    family = cases.family(connection, case)
    reached = out.c.state.not_in(["failed", "bounced", "undone"])
    query = select(func.max(out.c.created_at)).where(out.c.kind == "notice", reached)
    return connection.execute(query.where(out.c.case_id.in_(family))).scalar()


def is_announced(connection: Connection, case: RowMapping) -> bool:
    """Tell whether a client was told that a letter waits, and no reply has left since."""
    since = noticed_at(connection, case)
    if since is None:
        return False
    out = letters.outgoing
    ours = out.c.case_id.in_(cases.family(connection, case)) & (out.c.kind == "reply")
    left = ours & out.c.state.in_(letters.LEFT) & (out.c.sent_at >= since)
    return connection.execute(select(out.c.id).where(left)).first() is None


def remind(connection: Connection, office: Office, errand: RowMapping, now: datetime) -> None:
    """Ask a client once more, where it is certain enough that it is they who wrote.

    While a key of theirs is doubted a person decides, and their word would not count.
    """
    case = cases.main(connection, errand["case_id"])
    if pins.is_doubted(connection, office.keyring, case["client_id"]):
        return
    if _is_over(connection, office, case) or not is_certain(connection, case):
        return
    since = noticed_at(connection, case)
    is_asked = since is not None and since > now - WAIT  # that notice asked the same
    is_danger = cases.has_open_risk(connection, case)  # other words are needed first
    if is_asked or is_danger:
        again = _awake(connection, office, case, since if since and is_asked else now)
        errands.put(connection, case["id"], REMIND, errand["ref"], again)
        return
    asked = Asked(REMIND, {}, once=f"{REMIND}:{case['client_id']}", is_answer=False)
    letters.ask(connection, office, case, asked, now)
    errands.put(connection, case["id"], DECIDE, case["client_id"], now + WAIT)


def leave_to_person(
    connection: Connection, office: Office, errand: RowMapping, now: datetime
) -> None:
    """Show to a person that a client was asked twice and has not chosen."""
    case = cases.main(connection, errand["case_id"])
    if not _is_over(connection, office, case):
        records.flag(connection, now, case["id"], UNDECIDED)


def _has_chosen(connection: Connection, office: Office, case: RowMapping) -> bool:
    way = consent.way(connection, office.keyring, case["client_id"])
    return way.channel != parcels.NONE


def _is_over(connection: Connection, office: Office, case: RowMapping) -> bool:
    return case["state"] != "open" or _has_chosen(connection, office, case)


def is_certain(connection: Connection, case: RowMapping) -> bool:
    """Tell whether somebody vouches for who wrote, or a person here has answered."""
    entries = statements.every(
        connection, records.letters, "number", case_id=case["id"], kind="letter"
    )
    vouched = any(one["vouching"] not in {"", "nothing"} for one in entries)
    return vouched or case["answered_at"] is not None
