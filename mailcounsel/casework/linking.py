"""Two cases of one client: said by a person, and taken back by one.

A letter without proof opens a case of its own, and a person who is sure links it to the client's.
Two clients who have both been answered are linked by two people only, since each of them may be
somebody who trusted us with something the other must not read. What a link added (an address, a
key) stands in the audit, so that it can be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel import errors
from mailcounsel.casework import cases, clientkeys, keeping, letters, meetings, records
from mailcounsel.casework.office import Office
from mailcounsel.store import models
from mailcounsel.trust import addressbook, pins

audits = models.table(models.Audit)

PROPOSED = "link-proposed"  # a flag; its ref names the other case and who proposed
_ADDRESS, _KEY, _DOUBTED, LINKED, _UNLINKED = (
    "link-brought-address",
    "link-brought-key",
    "link-doubted-key",
    "case-linked",
    "case-unlinked",
)
_NO_STATE = "none"  # a key that was not known before


def link(
    connection: Connection,
    office: Office,
    case: RowMapping,
    into: RowMapping,
    by: str,
    now: datetime,
) -> bool:
    """Say that a case belongs to another one's client. True once it does.

    Its letters are shown there from now on and later ones are placed there; its sender's address
    and proved key count as the client's from now on. Nothing is sealed anew, so whoever links must
    read both. Where both clients have been answered, this only proposes it, and the same by another
    person carries it out. Raises: Conflict for a case that is linked already, or to itself, or that
    has cases linked into it, and for a client who was answered into one who was not.
    """
    linked = case["merged_into"] or into["merged_into"] or len(cases.family(connection, case)) > 1
    if case["id"] == into["id"] or linked:
        message = "Only two different cases can be merged, and each only once."
        raise errors.Conflict(message)
    _check_direction(connection, case, into)
    if _needs_two(connection, case, into) and not _is_second(connection, case, into, by):
        records.flag(connection, now, case["id"], PROPOSED, f"{into['id']}:{by}")
        records.audit(connection, now, by, PROPOSED, case["id"], into["id"])
        return False
    _same_person(connection, office, case, into, by, now)
    merged = update(cases.cases).where(cases.cases.c.id == case["id"])
    connection.execute(merged.values(merged_into=into["id"], waiting_since=None))
    keeping.follow(connection, case, into)
    meetings.go_along(connection, case["id"], into["id"], by, now)
    if case["waiting_since"]:
        cases.letter_waits(connection, office, into, case["waiting_since"])
    if cases.has_open_risk(connection, into):
        letters.take_back_checkins(connection, cases.family(connection, into), "risk")
    cases.raise_priority(connection, into["id"], cases.PRIORITIES[case["priority"]])
    for kind in ("maybe", "maybe-word", PROPOSED, clientkeys.DOUBTED):
        records.clear_flag(connection, now, case["id"], kind, by)
    records.audit(connection, now, by, LINKED, case["id"], into["id"])
    return True


def _check_direction(connection: Connection, case: RowMapping, into: RowMapping) -> None:
    """Refuse to join a client who was answered to one who never was: letters would go to that one.

    Raises: Conflict, with the merge that was meant.
    """
    ours, theirs = into["client_id"], case["client_id"]
    if ours == theirs or _was_answered(connection, ours) or not _was_answered(connection, theirs):
        return
    name, other = (cases.handle(one["number"]) for one in (case, into))
    message = (
        f"The client of {name} was answered, and that of {other} never was: letters would go to "
        f"whoever wrote {other}. Nothing was merged. The other way round: mailcounsel case merge "
        f"{other} {name}"
    )
    raise errors.Conflict(message)


def _needs_two(connection: Connection, case: RowMapping, into: RowMapping) -> bool:
    """Tell whether two clients, and not one and a stranger's first letters, would be joined.

    What two people took apart, as letters of two clients, only two join, answered or not.
    """
    if case["client_id"] == into["client_id"]:
        return False
    if case["split_from"] == into["id"] or into["split_from"] == case["id"]:
        return True
    return all(_was_answered(connection, one["client_id"]) for one in (case, into))


def _was_answered(connection: Connection, client_id: str) -> bool:
    rows = cases.cases
    answered = (rows.c.client_id == client_id) & rows.c.answered_at.is_not(None)
    return connection.execute(select(rows.c.id).where(answered)).first() is not None


def _is_second(connection: Connection, case: RowMapping, into: RowMapping, by: str) -> bool:
    """Tell whether another person has proposed the same."""
    return any(
        other == into["id"] and who != by for other, who in _proposed(connection, [case["id"]])
    )


def _proposed(connection: Connection, case_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return what was proposed for some cases, oldest first: the other case's id, and by whom."""
    standing = records.flags_of(connection, case_ids)
    parts = [flag["ref"].partition(":") for flag in standing if flag["kind"] == PROPOSED]
    return [(other, who) for other, _, who in parts]


def proposed_into(
    connection: Connection, office: Office, case: RowMapping, person: str
) -> RowMapping | None:
    """Return the case a colleague proposes to merge this one into, if a person may open it."""
    found = [cases.get(connection, other) for other, _ in _proposed(connection, [case["id"]])]
    return next((one for one in found if cases.may_read(office, one, person)), None)


def _same_person(
    connection: Connection,
    office: Office,
    case: RowMapping,
    into: RowMapping,
    by: str,
    now: datetime,
) -> None:
    """Let a client be known by the address and the key of another case's sender as well.

    A key that differs from one that is pinned already is an alarm, as if it had come by mail.
    """
    client_id, keyring = into["client_id"], office.keyring
    if client_id == case["client_id"]:
        return
    if addressbook.has_address(connection, case["client_id"]):
        address = addressbook.address_of(connection, keyring, case["client_id"])
        first = not addressbook.has_address(connection, client_id)
        row_id = addressbook.add_address(
            connection, keyring, client_id, address, now, written_to=first
        )
        if row_id:
            records.audit(connection, now, by, _ADDRESS, case["id"], row_id)
    _join_keys(connection, office, case, into, by, now)


def _join_keys(
    connection: Connection,
    office: Office,
    case: RowMapping,
    into: RowMapping,
    by: str,
    now: datetime,
) -> None:
    """Let a client be known by the key of another case's sender as well.

    That two cases are one client's does not say whose a key is that only its own signature spoke
    for: where it is not the key of both, it is used in neither until a person accepts it. Doubted
    it is in both: the one client agreed to ordinary mail without it, the other was written to
    locked, and whoever joins them has not said which of the two they want.
    """
    keyring, ours, theirs = office.keyring, into["client_id"], case["client_id"]
    used = [pins.pinned(connection, keyring, client_id) for client_id in (ours, theirs)]
    if len({pin.fingerprint if pin else "" for pin in used}) > 1:
        for client_id in (ours, theirs):
            if clientkeys.doubt(connection, office, client_id, now, by=by):
                records.audit(connection, now, by, _DOUBTED, case["id"], client_id)
                records.flag(connection, now, into["id"], clientkeys.DOUBTED)
    pin = pins.own(connection, keyring, theirs)
    if pin is None:
        return
    known = {one.fingerprint: one.state for one in pins.of_client(connection, keyring, ours)}
    before, sure = known.get(pin.fingerprint, _NO_STATE), pin.state == pins.PINNED
    name, certificate = pin.fingerprint, pin.certificate
    met = pins.meet(
        connection, keyring, ours, name, certificate, proved=sure, vouched=sure, now=now
    )
    if pin.state == pins.DOUBTED and met == pins.SEEN:
        met = pins.DOUBTED
        pins.put_back(connection, keyring, ours, name, met, now)
        records.flag(connection, now, into["id"], clientkeys.DOUBTED)
    if met != before:
        records.audit(connection, now, by, _KEY, case["id"], before)
    if met == pins.ALARM:
        records.flag(connection, now, into["id"], clientkeys.CHANGED, case["id"])


def brought_by(connection: Connection, row_id: str) -> RowMapping | None:
    """Return the case whose merge brought an address (its row's id), None where none did."""
    brought = select(audits.c.case_id).where(audits.c.verb == _ADDRESS, audits.c.ref == row_id)
    case_id = connection.execute(brought).scalar()
    return cases.get(connection, case_id) if case_id else None


def unlink(
    connection: Connection, office: Office, case: RowMapping, by: str, now: datetime
) -> RowMapping:
    """Take a link back, with the address and the key it brought; return the case it was in.

    A key that the link made doubted is used as before, unless a letter came meanwhile that doubts
    it as well. What was placed there meanwhile stays there, and a flag tells so: only a reader can
    know whose it is. Raises: Conflict for a case that is not linked.
    """
    if not case["merged_into"]:
        message = f"{cases.handle(case['number'])} is not merged into another case."
        raise errors.Conflict(message)
    into = cases.get(connection, case["merged_into"])
    brought = _brought(connection, case["id"])
    for verb, ref in ((row["verb"], row["ref"]) for row in brought if row["verb"] != _DOUBTED):
        if verb == _ADDRESS:
            addressbook.forget_address(connection, office.keyring, ref)
        elif verb == meetings.BROUGHT:
            meetings.go_back(connection, ref, case["id"])
        else:
            _take_key_back(connection, office, case, into, ref, now)
    alone = update(cases.cases).where(cases.cases.c.id == case["id"])
    connection.execute(alone.values(merged_into=None, version=case["version"] + 1))
    cases.recount_waiting(connection, office, cases.get(connection, case["id"]))
    _use_keys_again(connection, office, brought, (case, into), by, now)
    records.flag(connection, now, into["id"], "unlinked", case["id"])
    records.audit(connection, now, by, _UNLINKED, case["id"], into["id"])
    return into


def _use_keys_again(
    connection: Connection,
    office: Office,
    brought: Sequence[RowMapping],
    joined: Sequence[RowMapping],
    by: str,
    now: datetime,
) -> None:
    """Use the keys again that a link made doubted, and flag the case of one that still is.

    What waits goes on waiting: it may have been written with the other's letters in view.
    """
    for row in (row for row in brought if row["verb"] == _DOUBTED):
        theirs = [one["id"] for one in joined]
        if not _was_heard(connection, theirs, row["at"]):
            pins.use_again(connection, office.keyring, row["ref"], now)
    for case in joined:
        if pins.is_doubted(connection, office.keyring, case["client_id"]):
            records.flag(connection, now, case["id"], clientkeys.DOUBTED)
        else:
            records.clear_flag(connection, now, case["id"], clientkeys.DOUBTED, by)


def _was_heard(connection: Connection, case_ids: Sequence[str], since: datetime) -> bool:
    """Tell whether a letter came since that our token or our border vouches for.

    Had it been signed with the doubted key, that would be pinned by it.
    """
    rows = records.letters
    vouched = rows.c.vouching.in_(["token", "border"]) & (rows.c.direction == "in")
    here = rows.c.case_id.in_(case_ids) & vouched & (rows.c.at > since)
    return connection.execute(select(rows.c.id).where(here)).first() is not None


def _brought(connection: Connection, case_id: str) -> list[RowMapping]:
    """Return the audit of what the latest link of a case brought to the other client or doubted."""
    wanted = audits.c.verb.in_([_ADDRESS, _KEY, _DOUBTED, meetings.BROUGHT, LINKED, _UNLINKED])
    query = select(audits).where(audits.c.case_id == case_id, wanted).order_by(audits.c.id.desc())
    found: list[RowMapping] = []
    for row in connection.execute(query).mappings():
        if row["verb"] == _UNLINKED:
            break
        if row["verb"] != LINKED:
            found.append(row)
    return found


def _take_key_back(
    connection: Connection,
    office: Office,
    case: RowMapping,
    into: RowMapping,
    before: str,
    now: datetime,
) -> None:
    pin = pins.own(connection, office.keyring, case["client_id"])
    if pin is not None:
        state = None if before == _NO_STATE else before
        client_id = into["client_id"]
        pins.put_back(connection, office.keyring, client_id, pin.fingerprint, state, now)
