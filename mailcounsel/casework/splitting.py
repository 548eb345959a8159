"""Letters of two people, or of two matters, in one case: taken apart by a supervisor.

What is moved is sealed anew, to the other case's own keys, in the process of somebody who can open
all of it: a supervisor, since the raw mail is sealed to supervisors alone. So the readers of the
one case hold no key to what moved, erasing one leaves the other whole, and nothing is in two
places. The pieces are kept beside the letters (`Resealed`) until all are here; then one transaction
puts them in place, and everything that follows a letter goes with it: its Message-ID, so that
answers to it find the new case, its signs of danger, flags and errands.

A therapist's word is a proposal. Across clients it takes two people, whoever begins, and as many to
take it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from mailcounsel import errors
from mailcounsel.casework import cases, keeping, letters, meetings, records, wishes
from mailcounsel.casework.cases import NewCase
from mailcounsel.casework.office import Office
from mailcounsel.crypto import sealing
from mailcounsel.store import models, statements
from mailcounsel.trust import addressbook, casekeys

resealed = models.table(models.Resealed)
errands = models.table(models.Errand)
inboxes = models.table(models.Inbox)
risks = models.table(models.Risk)

PROPOSED = "split-proposed"  # a flag; its ref says who proposed, whose the letters are, and which
REJOIN = "rejoin-proposed"  # a flag; its ref says who wants a split across clients taken back
_SPLIT, REJOINED = "case-split", "case-rejoined"
MOVABLE = frozenset({"letter", "automatic", "command", "note"})


@dataclass(frozen=True, slots=True)
class Wish:
    """Which entries of a case go to a new one; of another client, or of the same.

    `address` is where an other client wrote from, as their letters say; None where they do not.
    """

    numbers: tuple[int, ...]
    other_client: bool = False
    address: str | None = None

    def ref(self, by: str) -> str:
        """Return how a proposal of this stands in a flag."""
        whose = "other" if self.other_client else "same"
        return f"{by}:{whose}:{','.join(map(str, self.numbers))}"


def proposals(connection: Connection, case: RowMapping) -> list[dict[str, Any]]:
    """Return what colleagues proposed for a case, oldest first: by, letters, other_client."""
    standing = records.flags_of(connection, [case["id"]])
    parts = [flag["ref"].split(":") for flag in standing if flag["kind"] == PROPOSED]
    return [
        {
            "by": by,
            "letters": [int(n) for n in numbers.split(",")],
            "other_client": whose == "other",
        }
        for by, whose, numbers in parts
    ]


def begin(
    connection: Connection,
    office: Office,
    case: RowMapping,
    wish: Wish,
    by: str,
    now: datetime,
) -> RowMapping | None:
    """Open the case some entries are to go to, and return it; None where this only proposes it.

    A case that was opened for the same and got nothing yet is taken again. It has the readers the
    other one has. Raises: Conflict for a merged case, Refused for what cannot be moved.
    """
    _wanted(connection, case, wish)
    if not _may_carry_out(connection, office, case, wish, by):
        records.flag(connection, now, case["id"], PROPOSED, wish.ref(by))
        records.audit(connection, now, by, PROPOSED, case["id"])
        return None
    empty = _empty(connection, office, case, wish)
    if empty:
        connection.execute(delete(resealed).where(resealed.c.case_id == empty["id"]))
        return empty
    new = NewCase(
        client_id=_client(connection, office, case, wish, now),
        inbox=letters.inbox_address(office, case),
        queue=case["queue"],
        language=case["language"],
        split_from=case["id"],
        assignee=case["assignee"],
    )
    return cases.get(connection, cases.open_case(connection, office, new, now))


def _wanted(connection: Connection, case: RowMapping, wish: Wish) -> list[RowMapping]:
    """Return the entries that are meant, in the order of their numbers."""
    name = cases.handle(case["number"])
    if case["merged_into"]:
        message = f"{name} is merged into another case. Take it out first: mailcounsel undo {name}"
        raise errors.Conflict(message)
    here = records.letters.c.case_id == case["id"]
    rows = connection.execute(
        select(records.letters).where(here).order_by(records.letters.c.number)
    ).mappings()
    entries = {row["number"]: row for row in rows}
    for number in wish.numbers:
        if number not in entries or entries[number]["kind"] not in MOVABLE:
            message = (
                f"{name} has no letter {number} that can be moved: only letters and notes can."
            )
            raise errors.Refused(message)
        _check_no_wish(connection, entries[number]["id"], f"Letter {number} of {name}")
    left = [row for number, row in entries.items() if number not in wish.numbers]
    if not wish.numbers or not any(row["direction"] == "in" for row in left):
        message = f"Name the letters that go, and leave at least one of the client's in {name}."
        raise errors.Refused(message)
    return [entries[number] for number in sorted(set(wish.numbers))]


def _check_no_wish(connection: Connection, letter_id: str, which: str) -> None:
    """Leave a letter where it is that asks for the file's end: moved, it would end another one."""
    asking = (wishes.wishes.c.letter_id == letter_id) & wishes.wishes.c.state.in_(wishes.OPEN)
    if connection.execute(select(wishes.wishes.c.id).where(asking)).first():
        message = f"{which} asks for a copy or the end of the file. See to that before it is moved."
        raise errors.Refused(message)


def _may_carry_out(
    connection: Connection, office: Office, case: RowMapping, wish: Wish, by: str
) -> bool:
    if by not in {person.name for person in office.config.supervisors(case["queue"])}:
        return False
    return not wish.other_client or _is_second(connection, case, wish, by)


def _is_second(connection: Connection, case: RowMapping, wish: Wish, by: str) -> bool:
    """Tell whether somebody else has proposed the same."""
    return any(
        one["by"] != by and one["letters"] == list(wish.numbers) and one["other_client"]
        for one in proposals(connection, case)
    )


def _client(
    connection: Connection, office: Office, case: RowMapping, wish: Wish, now: datetime
) -> str:
    """Return whose the letters are: the one other client known by their address, else a new one."""
    keyring, theirs = office.keyring, case["client_id"]
    if not wish.other_client:
        return str(theirs)
    if wish.address:
        known = addressbook.clients_with(connection, keyring, wish.address)
        others = [client_id for client_id in known if client_id != theirs]
        if len(others) == 1:
            return others[0]
    facts = addressbook.facts(connection, theirs)
    spoken = {"language": facts.language, "time_zone": facts.time_zone}
    return addressbook.add_client(connection, keyring, wish.address, **spoken, now=now)


def _empty(
    connection: Connection, office: Office, case: RowMapping, wish: Wish
) -> RowMapping | None:
    """Return a case that was opened for the same client and got nothing, since somebody stopped."""
    rows = statements.every(connection, cases.cases, "number", split_from=case["id"], letters=0)
    return next((row for row in rows if _is_whose(connection, office, case, wish, row)), None)


def _is_whose(
    connection: Connection, office: Office, case: RowMapping, wish: Wish, row: RowMapping
) -> bool:
    if not wish.other_client or row["client_id"] == case["client_id"]:
        return bool(wish.other_client == (row["client_id"] != case["client_id"]))
    if not wish.address:
        return not addressbook.has_address(connection, row["client_id"])
    known = addressbook.clients_with(connection, office.keyring, wish.address)
    return row["client_id"] in known


def targets(connection: Connection, office: Office, into: RowMapping) -> dict[str, bytes]:
    """Return the public keys of a case, by purpose, for what is moved there to be sealed to."""
    return casekeys.publics(connection, office.keyring, into["id"], into["epoch"])


def parts(
    connection: Connection, case: RowMapping, wish: Wish
) -> list[tuple[RowMapping, dict[str, bytes]]]:
    """Return each entry that is meant with its sealed parts by name, as they are now."""
    return [(row, _parts(connection, row)) for row in _wanted(connection, case, wish)]


def _parts(connection: Connection, row: RowMapping) -> dict[str, bytes]:
    files = statements.every(connection, records.attachments, "number", letter_id=row["id"])
    sealed = {"content": row["content"], "source": row["source"]}
    sealed |= {f"attachment/{file['number']}": file["content"] for file in files}
    return {name: bytes(value) for name, value in sealed.items() if value is not None}


def keep_piece(
    connection: Connection, into: RowMapping, letter_id: str, part: str, start: int, data: bytes
) -> None:
    """Keep a piece of an entry that was sealed anew. A piece sent twice is kept once.

    Raises: Conflict for a case that is not waiting for any.
    """
    _check_waits(into)
    row = {"case_id": into["id"], "letter_id": letter_id, "part": part, "start": start}
    connection.execute(delete(resealed).where(*(resealed.c[k] == v for k, v in row.items())))
    statements.add(connection, resealed, **row, content=data)


def _check_waits(into: RowMapping) -> None:
    if not into["split_from"] or into["letters"]:
        message = "This case was not opened to move letters into. Nothing was changed."
        raise errors.Conflict(message)


def finish(
    connection: Connection,
    office: Office,
    into: RowMapping,
    wish: Wish,
    thread: Sequence[str],
    by: str,
    now: datetime,
) -> None:
    """Move the entries with all that follows them, once every part of them is here.

    `thread` are the Message-IDs of the moved letters, which the next mail there refers to.
    Raises: Conflict where a part is missing or is not sealed to the new case; Refused for a person
    who may not carry this out.
    """
    _check_waits(into)
    case = cases.get(connection, into["split_from"], lock=True)
    is_other = into["client_id"] != case["client_id"]
    if is_other != wish.other_client or not _may_carry_out(connection, office, case, wish, by):
        message = "Nothing was moved: this needs a supervisor, and across clients a second person."
        raise errors.Refused(message)
    moved = parts(connection, case, wish)
    keys = targets(connection, office, into)
    for row, sealed in moved:
        new = {name: _put_together(connection, into, row, name) for name in sealed}
        _check_sealed(sealed, new, keys)
        _move(connection, into, row, new)
    ids = [row["id"] for row, _ in moved]
    _take_along(connection, case, into, ids)
    _rethread(connection, office, case, into, ids, thread)
    _settle(connection, office, case, into)
    connection.execute(delete(resealed).where(resealed.c.case_id == into["id"]))
    for one in proposals(connection, case):
        if one["letters"] == list(wish.numbers):
            ref = wish.ref(one["by"])
            records.clear_flag(connection, now, case["id"], PROPOSED, by, ref)
    for letter_id in ids:
        records.audit(connection, now, by, "letter-moved", into["id"], letter_id)
    records.audit(connection, now, by, _SPLIT, case["id"], into["id"])


def _put_together(connection: Connection, into: RowMapping, row: RowMapping, part: str) -> bytes:
    named = {"case_id": into["id"], "letter_id": row["id"], "part": part}
    pieces = statements.every(connection, resealed, "start", **named)
    return b"".join(bytes(piece["content"]) for piece in pieces)


def _check_sealed(
    old: Mapping[str, bytes], new: Mapping[str, bytes], keys: Mapping[str, bytes]
) -> None:
    """Take only what is sealed to the new case and as long as before: the same words, then."""
    for name, sealed in new.items():
        key = keys[casekeys.SOURCE if name == "source" else casekeys.CONTENT]
        fits = len(sealed) == len(old[name])
        if not fits or sealing.sealed_under(sealed) != sealing.key_id(key):
            message = "Not every part of the letters arrived. Nothing was moved; type it again."
            raise errors.Conflict(message)


def _move(
    connection: Connection, into: RowMapping, row: RowMapping, new: Mapping[str, bytes]
) -> None:
    number = records.next_place(connection, into["id"])
    values = {"case_id": into["id"], "number": number, "epoch": into["epoch"]}
    kept = {"content": new["content"], "source": new.get("source")}
    statements.change(connection, records.letters, row["id"], **values, **kept)
    files = records.attachments
    for name, sealed in new.items():
        kind, _, place = name.partition("/")
        if kind == "attachment":
            one = (files.c.letter_id == row["id"]) & (files.c.number == int(place))
            connection.execute(update(files).where(one).values(content=sealed))


def _take_along(
    connection: Connection, case: RowMapping, into: RowMapping, ids: Sequence[str]
) -> None:
    """Let everything that names the letters name the new case: ids, dangers, flags, errands."""
    here = {"case_id": into["id"]}
    followers = (
        (letters.message_ids, letters.message_ids.c.letter_id, None),
        (inboxes, inboxes.c.letter_id, None),
        (risks, risks.c.letter_id, risks.c.closed_at.is_(None)),
        (records.flags, records.flags.c.ref, records.flags.c.cleared_at.is_(None)),
        (errands, errands.c.ref, errands.c.state == "waiting"),
    )
    for table, column, only in followers:
        theirs = (table.c.case_id == case["id"]) & column.in_(ids)
        change = update(table).where(theirs if only is None else theirs & only)
        connection.execute(change.values(**here))
    if cases.has_open_risk(connection, into):
        cases.raise_priority(connection, into["id"], "urgent")


def _rethread(
    connection: Connection,
    office: Office,
    case: RowMapping,
    into: RowMapping,
    ids: Sequence[str],
    thread: Sequence[str],
) -> None:
    """Take the letters' Message-IDs out of one thread and put them into the other."""
    rows = letters.message_ids
    query = select(rows.c.lookup).where(rows.c.letter_id.in_(ids))
    known = {bytes(found) for found in connection.execute(query).scalars()}

    def is_moved(message_id: str) -> bool:
        return office.keyring.lookup("message-id", message_id.encode()) in known

    stays = [one for one in letters.read_thread(office, case) if not is_moved(one)]
    letters.keep_thread(connection, office, case, stays)
    for message_id in filter(is_moved, thread):
        letters.extend_thread(connection, office, cases.get(connection, into["id"]), message_id)


def _settle(connection: Connection, office: Office, case: RowMapping, into: RowMapping) -> None:
    """Count anew what waits in both; a letter being placed just now is placed again."""
    for one in (case, into):
        changed = update(cases.cases).where(cases.cases.c.id == one["id"])
        connection.execute(changed.values(version=cases.cases.c.version + 1))
        cases.recount_waiting(connection, office, cases.get(connection, one["id"]))


def rejoin(
    connection: Connection, office: Office, case: RowMapping, by: str, now: datetime
) -> tuple[RowMapping, bool]:
    """Take a split back: the case is shown in the one it came from, and is its client's again.

    Nothing is sealed anew. An address that came with the split is forgotten. Return the case it
    came from, and whether it is shown there: across clients the first only proposes it, and the
    same by another person carries it out. Raises: Conflict for a case that was not split, or
    across clients once something was written in it: then two people merge it.
    """
    name = cases.handle(case["number"])
    if not case["split_from"] or not case["letters"]:
        message = f"{name} is neither merged into another case nor split from one."
        raise errors.Conflict(message)
    if len(cases.family(connection, case)) > 1:
        message = f"Another case is merged into {name}. Take that out first."
        raise errors.Conflict(message)
    into = cases.main(connection, case["split_from"])
    if case["client_id"] != into["client_id"]:
        _check_untouched(connection, case, into)
        if not _is_second_to_rejoin(connection, case, by):
            records.flag(connection, now, case["id"], REJOIN, by)
            records.audit(connection, now, by, REJOIN, case["id"], into["id"])
            return into, False
        _forget_client(connection, case)
    values = {"merged_into": into["id"], "client_id": into["client_id"], "waiting_since": None}
    changed = update(cases.cases).where(cases.cases.c.id == case["id"])
    connection.execute(changed.values(**values, version=case["version"] + 1))
    keeping.follow(connection, case, into)
    meetings.go_along(connection, case["id"], into["id"], by, now)
    if case["waiting_since"]:
        cases.letter_waits(connection, office, into, case["waiting_since"])
    if cases.has_open_risk(connection, into):
        letters.take_back_checkins(connection, cases.family(connection, into), "risk")
    cases.raise_priority(connection, into["id"], cases.PRIORITIES[case["priority"]])
    records.clear_flag(connection, now, case["id"], REJOIN, by)
    records.audit(connection, now, by, REJOINED, case["id"], into["id"])
    return into, True


def _is_second_to_rejoin(connection: Connection, case: RowMapping, by: str) -> bool:
    standing = records.flags_of(connection, [case["id"]])
    return any(flag["kind"] == REJOIN and flag["ref"] != by for flag in standing)


def _check_untouched(connection: Connection, case: RowMapping, into: RowMapping) -> None:
    moved = select(func.count()).where(
        records.audits.c.case_id == case["id"], records.audits.c.verb == "letter-moved"
    )
    if connection.execute(moved).scalar_one() != case["letters"]:
        here, there = cases.handle(case["number"]), cases.handle(into["number"])
        message = (
            f"Something was written in {here} since. If it is all one person's after all, two "
            f"people say so: mailcounsel case merge {here} {there}"
        )
        raise errors.Conflict(message)


def _forget_client(connection: Connection, case: RowMapping) -> None:
    """Forget how a client was known who was written down for this case alone."""
    if len(cases.of_client(connection, case["client_id"])) == 1:
        addressbook.forget_addresses(connection, case["client_id"])
