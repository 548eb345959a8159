"""Who may read: the people who enrolled, with the public halves of their reader keys.

An admin invites a person by name; the one-time code is said or shown to them, and is kept here
only as a keyed hash. The person's own process makes the reader key, signs its public halves with
their OpenPGP key, and enrols with the code. The service seals to nobody who is not in here, and
refuses a row whose MAC does not fit.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel import errors
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.store import models, statements

people = models.table(models.Person)
invites = models.table(models.Invite)

INVITE_LASTS = timedelta(days=3)
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


def invite(connection: Connection, keyring: ServiceKeyring, name: str, now: datetime) -> str:
    """Make a one-time code with which `name` may enrol within three days."""
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(3))
    statements.add(
        connection,
        invites,
        lookup=_code_lookup(keyring, code),
        person=name,
        expires_at=now + INVITE_LASTS,
        used_at=None,
    )
    return code


def _code_lookup(keyring: ServiceKeyring, code: str) -> bytes:
    return keyring.lookup("invite", code.strip().upper().replace(" ", "").encode())


def invited(connection: Connection, keyring: ServiceKeyring, code: str, now: datetime) -> str:
    """Return whom a code was made for. Raises: Refused when it is unknown, used or too old."""
    query = select(invites).where(invites.c.lookup == _code_lookup(keyring, code))
    row = connection.execute(query).mappings().first()
    if row is None or row["used_at"] is not None:
        message = "This code is not valid. Ask your admin for a new one: mailcounsel invite NAME."
        raise errors.Refused(message)
    if row["expires_at"] < now:
        message = "This code is older than three days. Ask your admin for a new one."
        raise errors.Refused(message)
    return str(row["person"])


def enrol(
    connection: Connection,
    keyring: ServiceKeyring,
    code: str,
    enrolment: Enrolment,
    now: datetime,
) -> str:
    """Write a person into the roster, use up the code, and return the person's name.

    Raises: Refused for a bad code, Conflict when the person is enrolled already.
    """
    name = invited(connection, keyring, code, now)
    place = f"person/{name}"
    sealed_certificate = keyring.seal("addressbook", enrolment.certificate, f"{place}/certificate")
    signed = len(enrolment.statement).to_bytes(4) + enrolment.statement + enrolment.signature
    sealed_statement = keyring.seal("addressbook", signed, f"{place}/statement")
    values = {
        "name": name,
        "public_key": enrolment.public_key,
        "verify_key": enrolment.verify_key,
        "sealed_certificate": sealed_certificate,
        "sealed_statement": sealed_statement,
        "enrolled_at": now,
        "revoked_at": None,
        "mac": keyring.row_mac(place, [enrolment.public_key, enrolment.verify_key, b"active"]),
    }
    if not statements.insert_once(connection, people, values):
        message = f"{name} is enrolled already, on another machine or with another key."
        raise errors.Conflict(message)
    used = update(invites).where(invites.c.lookup == _code_lookup(keyring, code))
    connection.execute(used.values(used_at=now))
    return name


def readers(connection: Connection, keyring: ServiceKeyring, names: Iterable[str]) -> list[Reader]:
    """Return those of `names` who are enrolled, in their order, each once.

    Raises: SealBroken when a row of the roster was changed by anyone but us.
    """
    wanted = list(dict.fromkeys(names))
    rows = (statements.one(connection, people, name=name, revoked_at=None) for name in wanted)
    return [_checked(keyring, row) for row in rows if row]


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
