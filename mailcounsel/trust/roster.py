"""Who may read: the people who enrolled, with the public halves of their reader keys.

An admin invites a person by name; the one-time code is said or shown to them, and is kept here
only as a keyed hash. The person's own process makes the reader key, signs its public halves with
their OpenPGP key, and enrols with the code. The service seals to nobody who is not in here, and
refuses a row whose MAC does not fit.

Who lost their key is invited again: that code lets a new key take the old one's place. What was
sealed to the old key stays shut until a colleague who can open it seals it to the new one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel import errors
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import models, statements

people = models.table(models.Person)
invites = models.table(models.Invite)

INVITE_LASTS = timedelta(days=3)
NOT_VALID = (
    "This code is not valid here: it was mistyped, used, or made in another store. Ask your admin "
    "for a new one: mailcounsel invite NAME."
)
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no letters that look like digits


@dataclass(frozen=True, slots=True)
class Reader:
    """A person who may be sealed to. Both keys are 32 raw bytes."""

    name: str
    public_key: bytes  # X25519
    verify_key: bytes  # Ed25519


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person hands over when they enrol: public halves, and who says so."""

    public_key: bytes
    verify_key: bytes
    certificate: bytes  # OpenPGP, binary
    statement: bytes  # what was signed
    signature: bytes  # detached OpenPGP signature over the statement


def invite(
    connection: Connection,
    keyring: ServiceKeyring,
    name: str,
    now: datetime,
    *,
    again: bool = False,
) -> str:
    """Make a one-time code with which `name` may enrol within three days.

    With `again` the key enrolled then replaces the one they have now.
    Raises: Refused for `again` when they are not enrolled.
    """
    if again:
        reader(connection, keyring, name)
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(3))
    values = {
        "lookup": _code_lookup(keyring, code),
        "person": name,
        "replaces": again,
        "expires_at": now + INVITE_LASTS,
    }
    mac = keyring.row_mac(*_said_by(values))
    statements.add(connection, invites, **values, used_at=None, mac=mac)
    return code


def _said_by(row: Mapping[str, Any] | RowMapping) -> tuple[str, list[bytes]]:
    """Return the place and the fields an invitation's MAC is over."""
    kind = b"again" if row["replaces"] else b"first"
    fields = [row["person"].encode(), kind, row["expires_at"].isoformat().encode()]
    return f"invite/{row['lookup'].hex()}", fields


def _code_lookup(keyring: ServiceKeyring, code: str) -> bytes:
    return keyring.lookup("invite", code.strip().upper().replace(" ", "").encode())


def invited(connection: Connection, keyring: ServiceKeyring, code: str, now: datetime) -> str:
    """Return whom a code was made for. Raises: Refused when it is unknown, used or too old."""
    return str(_invitation(connection, keyring, code, now)["person"])


def replaces(connection: Connection, keyring: ServiceKeyring, code: str, now: datetime) -> bool:
    """Tell whether a code is for a new key in place of a lost one. Raises: as `invited`."""
    return bool(_invitation(connection, keyring, code, now)["replaces"])


def _invitation(
    connection: Connection, keyring: ServiceKeyring, code: str, now: datetime
) -> RowMapping:
    query = select(invites).where(invites.c.lookup == _code_lookup(keyring, code))
    row = connection.execute(query).mappings().first()
    if row is None or row["used_at"] is not None:
        raise errors.Refused(NOT_VALID)
    if row["expires_at"] < now:
        message = "This code is older than three days. Ask your admin for a new one."
        raise errors.Refused(message)
    keyring.check_row_mac(*_said_by(row), row["mac"])
    return row


def enrol(
    connection: Connection,
    keyring: ServiceKeyring,
    code: str,
    enrolment: Enrolment,
    now: datetime,
) -> str:
    """Write a person into the roster, use up the code, and return the person's name.

    A code of an `invite` with `again` replaces the row of somebody who is enrolled already.
    Raises: Refused for a bad code, Conflict when another code's person is enrolled already.
    """
    invitation = _invitation(connection, keyring, code, now)
    name = str(invitation["person"])
    _use_up(connection, invitation["lookup"], now)
    values = _row(keyring, name, enrolment, now)
    fresh = statements.insert_once(connection, people, values)
    if not fresh and not (invitation["replaces"] and _replace(connection, values)):
        message = (
            f"{name} is enrolled already, on another machine or with another key. If that key is "
            f"lost, ask your admin for another code: mailcounsel invite {name} --again."
        )
        raise errors.Conflict(message)
    return name


def _use_up(connection: Connection, lookup: bytes, now: datetime) -> None:
    """Spend a code. Raises: Refused when somebody else was quicker with it."""
    unused = (invites.c.lookup == lookup) & invites.c.used_at.is_(None)
    if connection.execute(update(invites).where(unused).values(used_at=now)).rowcount != 1:
        raise errors.Refused(NOT_VALID)


def _row(keyring: ServiceKeyring, name: str, enrolment: Enrolment, now: datetime) -> dict[str, Any]:
    place = f"person/{name}"
    sealed_certificate = keyring.seal("addressbook", enrolment.certificate, f"{place}/certificate")
    signed = len(enrolment.statement).to_bytes(4) + enrolment.statement + enrolment.signature
    sealed_statement = keyring.seal("addressbook", signed, f"{place}/statement")
    return {
        "name": name,
        "public_key": enrolment.public_key,
        "verify_key": enrolment.verify_key,
        "sealed_certificate": sealed_certificate,
        "sealed_statement": sealed_statement,
        "enrolled_at": now,
        "revoked_at": None,
        "mac": keyring.row_mac(place, [enrolment.public_key, enrolment.verify_key, b"active"]),
    }


def _replace(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Put a new key in the place of an enrolled person's, unless they were revoked meanwhile."""
    theirs = (people.c.name == values["name"]) & people.c.revoked_at.is_(None)
    return connection.execute(update(people).where(theirs).values(**values)).rowcount == 1


def readers(connection: Connection, keyring: ServiceKeyring, names: Iterable[str]) -> list[Reader]:
    """Return those of `names` who are enrolled, in their order, each once.

    Raises: SealBroken when a row of the roster was changed by anyone but us.
    """
    wanted = list(dict.fromkeys(names))
    rows = (statements.one(connection, people, name=name, revoked_at=None) for name in wanted)
    return [_checked(keyring, row) for row in rows if row]


def not_enrolled(
    connection: Connection, keyring: ServiceKeyring, names: Iterable[str]
) -> list[str]:
    """Return those of `names` whom nothing can be sealed to yet, sorted. Raises: as `readers`."""
    wanted = set(names)
    return sorted(wanted - {one.name for one in readers(connection, keyring, wanted)})


def reader(connection: Connection, keyring: ServiceKeyring, name: str) -> Reader:
    """Return one enrolled person. Raises: Refused when they are not enrolled."""
    found = readers(connection, keyring, [name])
    if not found:
        message = f"{name} is not enrolled yet. An admin runs `mailcounsel invite {name}`."
        raise errors.Refused(message)
    return found[0]


def _checked(keyring: ServiceKeyring, row: RowMapping) -> Reader:
    fields = [row["public_key"], row["verify_key"], b"active"]
    keyring.check_row_mac(f"person/{row['name']}", fields, row["mac"])
    return Reader(row["name"], row["public_key"], row["verify_key"])
