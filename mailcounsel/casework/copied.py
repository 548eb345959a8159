"""A locked letter that came from two addresses: who sent one may only have passed it on.

A lock says for whom a letter is, and not from whom. Who took a client's letter off the way can send
it in their own name, unread, and would be answered with the client's words. So the same lock from
another address is flagged on both cases. Where nothing inside says who wrote it, no reply leaves
until a person has decided: `seen` ends the flag.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import cases, imprints, records
from mailcounsel.casework.office import Office
from mailcounsel.store import statements
from mailcounsel.trust import addressbook

COPIED, ELSEWHERE = "copied", "copied-elsewhere"  # flags: replies are refused; they are not


@dataclass(frozen=True, slots=True)
class Lock:
    """A locked letter as it is known again, and whom it came from; b"" where it named nobody."""

    lookup: bytes
    sender_lookup: bytes


def lock(office: Office, identity: bytes, sender: str | None) -> Lock:
    """Return by what a locked letter is known again."""
    from_whom = addressbook.lookup(office.keyring, sender) if sender else b""
    return Lock(office.keyring.lookup("lock", identity), from_whom)


def others(connection: Connection, this: Lock) -> list[RowMapping]:
    """Return the letters that came in the same lock from other addresses."""
    theirs, rows = {this.sender_lookup} - {b""}, imprints.known(connection, this.lookup)
    return [row for row in rows if row["sender_lookup"] not in theirs]


def remember(connection: Connection, this: Lock, letter_id: str) -> None:
    """Know a locked letter again from now on."""
    imprints.keep(connection, this.lookup, letter_id, this.sender_lookup)


def show(
    connection: Connection,
    case: RowMapping,
    letter_id: str,
    same: Sequence[RowMapping],
    now: datetime,
    *,
    binds: bool,
) -> None:
    """Flag a case and those where the same lock came before; neither is told of the other.

    `binds` says that the letter names its writer inside. Where a person has decided about a letter
    before, one more copy holds up no replies there.
    """
    before = [(cases.main(connection, row["case_id"]), row["id"]) for row in same]
    is_theirs = {one["id"] for one, _ in before} == {case["id"]}
    kind = ELSEWHERE if binds or is_theirs else COPIED
    for one, ref in [(case, letter_id), *before]:
        if one["erased_at"] is None:
            shown = ELSEWHERE if _is_decided(connection, one, ref) else kind
            records.flag(connection, now, one["id"], shown, ref)
            records.audit(connection, now, "service", shown, one["id"], ref)


def _is_decided(connection: Connection, case: RowMapping, letter_id: str) -> bool:
    rows = statements.every(
        connection, records.flags, case_id=case["id"], kind=COPIED, ref=letter_id
    )
    return any(row["cleared_at"] is not None for row in rows)


def check(connection: Connection, case: RowMapping) -> None:
    """Refuse a reply while nobody has decided who wrote a letter. Raises: Conflict."""
    standing = records.flags_of(connection, cases.family(connection, case))
    if COPIED in {flag["kind"] for flag in standing}:
        name = cases.handle(case["number"])
        message = (
            f"The same locked letter as in {name} came from another address, and nothing inside "
            f"says who wrote it: a reply could reach somebody who never read it. When you are sure "
            f"whose it is: mailcounsel seen {name} {COPIED}. Nothing was sent."
        )
        raise errors.Conflict(message)
