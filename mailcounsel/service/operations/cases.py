"""The queue and a case: listed, taken, shown, handed over, closed, linked."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import (
    case_word,
    caseload,
    cases,
    daytime,
    goals,
    keeping,
    linking,
    records,
    resting,
    risk,
    splitting,
    staff,
    taking,
    undelivered,
)
from mailcounsel.intake import mailboxes, quarantine
from mailcounsel.service.control import Parameters, data, listed, number, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.trust import addressbook, casekeys, roster

INLINE_BYTES = 400_000  # of sealed entries sent with a case; the rest is fetched in pieces


def iso(moment: datetime | None) -> str | None:
    """Return a moment as text, in UTC."""
    return moment.isoformat() if moment else None


def b64(data: bytes | None) -> str | None:
    """Return bytes as text for JSON."""
    return b64encode(data).decode() if data is not None else None


def summaries(
    connection: Connection, desk: Desk, found: Sequence[RowMapping], person: str
) -> list[dict[str, Any]]:
    """Return what a queue shows of some cases: no word of a client's.

    `has_keys` says whether the person holds a key to every letter; without, somebody who does has
    to assign the case to them first.
    """
    families = cases.families(connection, [case["id"] for case in found])
    main = {member: case_id for case_id, members in families.items() for member in members}
    flags: dict[str, list[str]] = {case_id: [] for case_id in families}
    for flag in records.flags_of(connection, list(main)):
        flags[main[flag["case_id"]]].append(flag["kind"])
    risky = {main[row["case_id"]] for row in risk.of_cases(connection, list(main))}
    opened = cases.opened_by(connection, families, person)
    return [
        {
            **_summary(connection, desk, case),
            "risk": case["id"] in risky,
            "flags": list(dict.fromkeys(flags[case["id"]])),
            "has_keys": case["id"] in opened,
            "merge_into": _merge_into(connection, desk, case, person, flags[case["id"]]),
        }
        for case in found
    ]


def _merge_into(
    connection: Connection, desk: Desk, case: RowMapping, person: str, flags: Sequence[str]
) -> str | None:
    """Return which case a colleague proposes to merge one into, where its reader may know."""
    if linking.PROPOSED not in flags:
        return None
    into = linking.proposed_into(connection, desk.office, case, person)
    return cases.handle(into["number"]) if into else None


def _summary(connection: Connection, desk: Desk, case: RowMapping) -> dict[str, Any]:
    maybe = case["maybe_case_id"]
    return {
        "case": cases.handle(case["number"]),
        "queue": case["queue"],
        "state": case["state"],
        "priority": cases.PRIORITIES[case["priority"]],
        "assignee": case["assignee"],
        "language": case["language"],
        "tags": cases.tags_of(desk.office, case),
        "letters": case["letters"],
        "waiting_since": iso(case["waiting_since"]),
        "promised_at": iso(case["promised_at"]),
        "suspect": case["suspect"],
        "maybe_from": cases.handle(cases.get(connection, maybe)["number"]) if maybe else None,
    }


def queue(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """List the cases that wait for the caller, the most urgent and longest waiting first.

    `more` counts those beyond what is listed at once.
    """
    everything = bool(parameters.get("all"))

    def read(connection: Connection) -> dict[str, Any]:
        asked = (connection, desk.office, caller.person)
        found = cases.queue_of(*asked, everything=everything, most=cases.LISTED)
        more = cases.queue_length(*asked, everything=everything) - len(found)
        return {"cases": summaries(connection, desk, found, caller.person), "more": more}

    return {**desk.store.read(read), **_said_with(desk, caller), **troubles(desk, caller)}


def troubles(desk: Desk, caller: Caller) -> dict[str, Any]:
    """Return how many letters cannot leave, and for those in charge how many nobody could read."""
    whose = None if "admin" in caller.roles else caller.person
    unsent = desk.store.read(lambda c: undelivered.tried_in_vain(c, desk.office, whose))
    return {"unsent": unsent, **_unread(desk, caller)}


def _unread(desk: Desk, caller: Caller) -> dict[str, Any]:
    if not staff.IN_CHARGE & set(caller.roles):
        return {}
    found = desk.store.read(quarantine.waiting)
    boxes = mailboxes.silent(desk.store, desk.office, desk.now())
    return {
        "quarantine": found.letters,
        "quarantine_since": iso(found.since),
        "mailboxes": boxes.mailboxes,
        "mailboxes_since": iso(boxes.since),
    }


def take_next(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Give the caller the case that needs somebody most, and say which.

    `with` names the colleague it stays with; `locked` are cases with unread danger that the caller
    may open and holds no key to, and whom each is with.
    """
    now = desk.now()
    taken = desk.store.write(lambda c: taking.take_next(c, desk.office, caller.person, now))
    locked = [
        {"case": cases.handle(one["number"]), "assignee": one["assignee"]} for one in taken.locked
    ]
    case = taken.case
    return {
        "case": cases.handle(case["number"]) if case else None,
        **({"with": case["assignee"]} if case and taken.is_lent else {}),
        **({"locked": locked} if locked else {}),
        **({} if case else troubles(desk, caller)),
    }


def readable(
    connection: Connection, desk: Desk, caller: Caller, parameters: Parameters
) -> RowMapping:
    """Return the case a request names, if the caller may open it."""
    return cases.readable(connection, desk.office, text(parameters, "case"), caller.person)


def show(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return a case as its reader's process needs it: sealed entries, the caller's key copies."""

    def read(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        family = cases.family(connection, case)
        entries = records.of_case(connection, family)
        agreed = goals.of_cases(connection, family)
        asked = goals.answers_of(connection, [goal["id"] for goal in agreed])
        return {
            **summaries(connection, desk, [case], caller.person)[0],
            "id": case["id"],
            "epoch": case["epoch"],
            "exchanges": case["exchanges"],
            "evaluate_every": case["evaluate_every"],
            "created_at": iso(case["created_at"]),
            "word": case_word.of(desk.office.keyring, case),
            "keys": _keys(connection, family, caller.person),
            "entries": _entries(entries, _linked(connection, case, family)),
            "goals": [_goal(goal) for goal in agreed],
            "checkins": [_checkin(row) for row in asked],
            "checkins_rest": resting.reason(connection, case) or None,
            "risks": [_risk(row) for row in risk.of_cases(connection, family)],
        }

    return {**desk.store.read(read), **_said_with(desk, caller)}


def _said_with(desk: Desk, caller: Caller) -> dict[str, Any]:
    """Return what goes with every answer about cases: when it is, where, and who asked."""
    zone = desk.office.config.centre.time_zone
    return {"now": iso(desk.now()), "centre_zone": zone, "person": caller.person}


def _keys(connection: Connection, family: Sequence[str], person: str) -> list[dict[str, Any]]:
    return [
        {"case": case_id, "epoch": epoch, "purpose": purpose, "sealed": b64(sealed)}
        for case_id in family
        for epoch, purpose, sealed in casekeys.copies_for(connection, case_id, person)
    ]


def _linked(connection: Connection, case: RowMapping, family: Sequence[str]) -> dict[str, str]:
    """Return what people call the cases linked into a case, by id."""
    others = [cases.get(connection, one) for one in family if one != case["id"]]
    return {row["id"]: cases.handle(row["number"]) for row in others}


def _entries(rows: Sequence[RowMapping], linked: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the entries; the newest come with their sealed content as long as there is room.

    `name` tells them apart: the number, behind the name of a linked case where it is one of its.
    """
    room = INLINE_BYTES
    shown: list[dict[str, Any]] = []
    for row in reversed(rows):
        fits = len(row["content"]) <= room
        room -= len(row["content"]) if fits else 0
        before = f"{linked[row['case_id']]}/" if row["case_id"] in linked else ""
        name = f"{before}{row['number']}"
        shown.append({**_entry(row, row["content"] if fits else None), "name": name})
    return shown[::-1]


def _entry(row: RowMapping, content: bytes | None) -> dict[str, Any]:
    names = ("id", "number", "epoch", "direction", "kind", "vouching", "suspect", "author")
    return {
        **{name: row[name] for name in names},
        "case": row["case_id"],
        "at": iso(row["at"]),
        "content": b64(content),
    }


def _goal(row: RowMapping) -> dict[str, Any]:
    names = ("id", "number", "asks", "epoch", "every", "at", "state")
    return {
        **{name: row[name] for name in names},
        "case": row["case_id"],
        "detail": b64(row["detail"]),
        "created_at": iso(row["created_at"]),
        "next_due_at": iso(row["next_due_at"]),
    }


def _checkin(row: RowMapping) -> dict[str, Any]:
    names = ("id", "goal_id", "state", "reason", "epoch")
    return {
        **{name: row[name] for name in names},
        "due_at": iso(row["due_at"]),
        "answered_at": iso(row["answered_at"]),
        "letter": row["letter_id"],
        "answer": b64(row["answer"]),
    }


def _risk(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "letter": row["letter_id"],
        "cause": row["cause"],
        "opened_at": iso(row["opened_at"]),
        "read_by": row["read_by"],
    }


def mark_read(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Write down that the caller opened letters of a case."""
    wanted = [str(name) for name in listed(parameters, "letters")]
    now = desk.now()

    def write(connection: Connection) -> None:
        case = readable(connection, desk, caller, parameters)
        entries = records.of_case(connection, cases.family(connection, case))
        known = [row["id"] for row in entries if row["id"] in wanted]
        risk.mark_read(connection, case["id"], known, caller.person, now)

    desk.store.write(write)
    return {}


def reader(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return the public key of an enrolled colleague, to seal copies of a case's keys to."""
    name = text(parameters, "person")
    found = desk.store.read(lambda c: roster.reader(c, desk.office.keyring, name))
    return {"person": found.name, "public_key": b64(found.public_key)}


def give_keys(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Keep copies of a case's keys that the caller sealed for a colleague."""
    to = text(parameters, "person")

    def write(connection: Connection) -> None:
        case = readable(connection, desk, caller, parameters)
        roster.reader(connection, desk.office.keyring, to)
        family = cases.family(connection, case)
        for copy in listed(parameters, "copies"):
            if text(copy, "case") in family and text(copy, "purpose") == casekeys.CONTENT:
                epoch, sealed = number(copy, "epoch"), data(copy, "sealed")
                casekeys.add_copy(
                    connection, text(copy, "case"), epoch, casekeys.CONTENT, to, sealed
                )

    desk.store.write(write)
    return {}


def assign(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Give a case to a colleague who has copies of its keys; say what speaks against them.

    Whoever did not have it until now is what a client who asked for another counsellor waited for,
    and a case whose therapist is away.
    """
    to, now = text(parameters, "person"), desk.now()
    today = now.astimezone(ZoneInfo(desk.office.config.centre.time_zone)).date()

    def write(connection: Connection) -> list[str]:
        case = readable(connection, desk, caller, parameters)
        cases.hand_over_family(connection, desk.office, case, to, now, by=caller.person)
        if to != case["assignee"]:
            for kind in ("asks-counsellor", staff.AWAY):
                _clear(connection, cases.family(connection, case), kind, caller.person, now)
        return caseload.doubts(connection, desk.office, case, to, today)

    return {"doubts": desk.store.write(write)}


def client(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Set the `language` and the `time_zone` of a case's client, where given; return both."""
    now, office = desk.now(), desk.office
    language, zone = text(parameters, "language", ""), text(parameters, "time_zone", "")

    def write(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        if language:
            case = cases.speak(connection, office, case, language)
        if zone:
            daytime.live_in(connection, case, zone, now)
        if language or zone:
            records.audit(connection, now, caller.person, "client-set", case["id"])
        found = addressbook.facts(connection, case["client_id"])
        name = cases.handle(case["number"])
        return {"case": name, "language": case["language"], "time_zone": found.time_zone}

    return desk.store.write(write)


def reopen(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Open a closed case again."""
    now = desk.now()

    def write(connection: Connection) -> str:
        case = readable(connection, desk, caller, parameters)
        cases.reopen(connection, desk.office, case, caller.person, now)
        if case["state"] == "closed":
            keeping.owed_again(connection, cases.get(connection, case["id"]))
        return cases.handle(case["number"])

    return {"case": desk.store.write(write)}


def link(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say that a case belongs to the client of another one. The caller must read both.

    `linked` is false where a second person has to say the same.
    """
    now = desk.now()

    def write(connection: Connection) -> bool:
        case = readable(connection, desk, caller, parameters)
        into = readable(connection, desk, caller, {"case": text(parameters, "into")})
        return linking.link(connection, desk.office, case, into, caller.person, now)

    return {"linked": desk.store.write(write)}


def unlink(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Take a link or a split back. The caller must read both cases.

    `was_in` names the case it was linked into, or `is_in` the one it was split from; `goes_to`
    names that where a second person has to say the same.
    """
    now = desk.now()

    def write(connection: Connection) -> dict[str, Any]:
        case = readable(connection, desk, caller, parameters)
        undone = (connection, desk.office, case, caller.person, now)
        if case["merged_into"]:
            into, what = linking.unlink(*undone), "was_in"
        else:
            into, is_done = splitting.rejoin(*undone)
            what = "is_in" if is_done else "goes_to"
        readable(connection, desk, caller, {"case": cases.handle(into["number"])})
        return {what: cases.handle(into["number"])}

    return desk.store.write(write)


def _clear(
    connection: Connection, family: Sequence[str], kind: str, by: str, now: datetime
) -> None:
    for case_id in family:
        records.clear_flag(connection, now, case_id, kind, by)


def clear_flag(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Clear a kind of flag on a case, since the caller has seen it."""
    now, kind = desk.now(), text(parameters, "kind")

    def write(connection: Connection) -> str:
        case = readable(connection, desk, caller, parameters)
        family, name = cases.family(connection, case), cases.handle(case["number"])
        if kind not in {flag["kind"] for flag in records.flags_of(connection, family)}:
            message = f"{name} is not flagged {kind}. What it is: mailcounsel show {name}"
            raise errors.NotFound(message)
        _clear(connection, family, kind, caller.person, now)
        records.audit(connection, now, caller.person, f"flag-cleared-{kind}", case["id"])
        return name

    return {"case": desk.store.write(write)}


def close_risk(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Close the open signs of danger of a case, each with the caller's sealed sentence."""
    now = desk.now()
    given = parameters.get("sentences", {})
    sentences = {name: data(given, name) for name in (given if isinstance(given, dict) else {})}

    def write(connection: Connection) -> int:
        case = readable(connection, desk, caller, parameters)
        return risk.close(connection, case, caller.person, sentences, now)

    return {"closed": desk.store.write(write)}
