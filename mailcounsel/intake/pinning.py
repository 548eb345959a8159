"""What a letter says of its sender's keys: those it brings, and the one that signed it or not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import clientkeys, consent, letters, parcels, records
from mailcounsel.casework.office import Office
from mailcounsel.intake.looking import Plan
from mailcounsel.intake.opening import Offered
from mailcounsel.trust import addressbook, pins


def remember(
    connection: Connection,
    office: Office,
    case: RowMapping,
    plan: Plan,
    letter_id: str,
    now: datetime,
) -> None:
    """Remember a letter's keys, for the client who is proved to have written it or is new."""
    vouched_for = _weigh(connection, office, plan, letter_id, now)
    is_theirs = plan.placement.case is None or plan.vouched.is_proved
    was_plain = bool(plan.opened.offered) and _is_plain(connection, office, case)
    states = set()
    for offered in plan.opened.offered if is_theirs and not plan.envelope.suspect else ():
        if not offered.usable and not _is_known(connection, office, case, offered):
            continue
        state = pins.meet(
            connection,
            office.keyring,
            case["client_id"],
            offered.fingerprint,
            offered.certificate,
            proved=offered.fingerprint in plan.opened.signed_by,
            vouched=case["client_id"] in vouched_for,
            now=now,
        )
        states.add(state)
    if pins.ALARM in states:
        records.flag(connection, now, case["id"], clientkeys.CHANGED, letter_id)
    if not states.isdisjoint(pins.USED):
        if was_plain:  # who cannot read locked mail finds out by the next letter only
            records.flag(connection, now, case["id"], clientkeys.LATE, letter_id)
        letters.release_waiting(connection, office, case["client_id"], now)


def _is_plain(connection: Connection, office: Office, case: RowMapping) -> bool:
    """Tell whether letters went to a client in ordinary mail, until the one that is looked at."""
    return consent.way(connection, office.keyring, case["client_id"]).channel == parcels.PLAIN


def _weigh(
    connection: Connection, office: Office, plan: Plan, letter_id: str, now: datetime
) -> list[str]:
    """Return the clients our token or border vouches for, once their keys are weighed by that.

    Who signed it is who writes from there; a key that signed its first letter only, and not this
    one, may be anybody's who wrote in their name.
    """
    address = plan.opened.letter.sender.address
    if not plan.vouched.at_address or address is None:
        return []
    signed_by = plan.opened.signed_by
    found = addressbook.clients_with(connection, office.keyring, address)
    if plan.vouched.is_proved:  # others may write from the same address
        found = [client_id for client_id in found if client_id in plan.vouched.client_ids]
    for client_id in found:
        if not plan.envelope.suspect:
            clientkeys.confirm(connection, office, client_id, signed_by, now)
        clientkeys.doubt(
            connection, office, client_id, now, by="service", signed_by=signed_by, ref=letter_id
        )
    return found


def _is_known(connection: Connection, office: Office, case: RowMapping, offered: Offered) -> bool:
    """Tell whether a client's certificate was met before: its end is worth knowing as well."""
    known = pins.of_client(connection, office.keyring, case["client_id"])
    return offered.fingerprint in {pin.fingerprint for pin in known}
