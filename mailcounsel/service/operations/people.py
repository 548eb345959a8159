"""People: invited by an admin, enrolled from their own machine."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from sqlalchemy import Connection

from mailcounsel import errors
from mailcounsel.casework import cases, records
from mailcounsel.crypto import openpgp, sealing
from mailcounsel.intake import inbox
from mailcounsel.service.control import Parameters, data, text
from mailcounsel.service.desk import Caller, Desk
from mailcounsel.trust import roster
from mailcounsel.trust.roster import Enrolment, Reader

PRACTICE = """Halo,

ini surat latihan. Kalau Anda bisa membacanya, kunci Anda bekerja.

Hello,

this is a practice letter. If you can read it, your keys work."""


def invite(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Make a one-time code for a person of the configuration; `again` for who lost their key."""
    name, now, again = text(parameters, "person"), desk.now(), parameters.get("again") is True
    person = desk.office.config.person(name)
    if person is None:
        message = f"{name} is not in config.toml. Add a [[person]] first."
        raise errors.NotFound(message)

    def write(connection: Connection) -> dict[str, Any]:
        verb = "invited-again" if again else "invited"
        records.audit(connection, now, caller.person, verb, ref=name)
        code = roster.invite(connection, desk.office.keyring, name, now, again=again)
        missing = roster.not_enrolled(connection, desk.office.keyring, [name])
        return {"person": name, "code": code, "again": again, "enrolled": not missing}

    return desk.store.write(write)


def _own(desk: Desk, caller: Caller, name: str) -> str:
    """Return the name if this account may act as that person. Raises: Refused."""
    if name not in caller.people:
        message = "This code was made for somebody with another account on the centre's machine."
        raise errors.Refused(message)
    return name


def invited(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Say whom a code was made for, so that their key can carry the name."""
    code, now, keyring = text(parameters, "code"), desk.now(), desk.office.keyring
    name = desk.store.read(lambda c: roster.invited(c, keyring, code, now))
    person = desk.office.config.person(_own(desk, caller, name))
    languages = person.languages if person else ()
    language = languages[0] if languages else desk.office.config.centre.language
    notify = person.notify if person else None
    return {
        "person": name,
        "centre": desk.office.config.centre.name,
        "language": language,
        "address": notify,
        "again": desk.store.read(lambda c: roster.replaces(c, keyring, code, now)),
    }


def enrol(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Write a person into the roster. Their OpenPGP key must have signed the statement.

    The statement is the lines `mailcounsel enrolment 1`, name, and the two public keys in
    hexadecimal, so that nobody can enrol a key they do not hold under another's certificate.
    """
    now, code = desk.now(), text(parameters, "code")
    enrolment = Enrolment(
        public_key=data(parameters, "public_key"),
        verify_key=data(parameters, "verify_key"),
        certificate=data(parameters, "certificate"),
        statement=text(parameters, "statement").encode(),
        signature=data(parameters, "signature"),
    )

    def write(connection: Connection) -> str:
        name = roster.invited(connection, desk.office.keyring, code, now)
        _check_statement(_own(desk, caller, name), enrolment)
        again = roster.replaces(connection, desk.office.keyring, code, now)
        records.audit(connection, now, name, "enrolled-again" if again else "enrolled")
        return roster.enrol(connection, desk.office.keyring, code, enrolment, now)

    name = desk.store.write(write)
    inbox.hurry(desk.store, now)  # letters may have waited for somebody to be sealed to
    desk.ring("intake")
    practice = sealing.seal_to(enrolment.public_key, PRACTICE.encode(), f"practice/{name}")
    return {"person": name, "practice": b64encode(practice).decode()}


def keyless(desk: Desk, caller: Caller, parameters: Parameters) -> dict[str, Any]:
    """Return the supervisors of a case who have lost the key to some of its letters.

    With their public keys, to seal copies to. Who reads the case may ask.
    """
    name, keyring = text(parameters, "case"), desk.office.keyring

    def read(connection: Connection) -> list[Reader]:
        case = cases.readable(connection, desk.office, name, caller.person)
        names = [person.name for person in desk.office.config.supervisors(case["queue"])]
        above = roster.readers(connection, keyring, names)
        return [one for one in above if not cases.holds_keys(connection, case, one.name)]

    found = desk.store.read(read)
    keys = [(one.name, b64encode(one.public_key).decode()) for one in found]
    return {"people": [{"person": name, "public_key": key} for name, key in keys]}


def statement_of(name: str, public_key: bytes, verify_key: bytes) -> bytes:
    """Return what a person signs to enrol."""
    return f"mailcounsel enrolment 1\n{name}\n{public_key.hex()}\n{verify_key.hex()}\n".encode()


def _check_statement(name: str, enrolment: Enrolment) -> None:
    wanted = statement_of(name, enrolment.public_key, enrolment.verify_key)
    keys_fit = len(enrolment.public_key) == 32 and len(enrolment.verify_key) == 32
    signed = openpgp.verify_with(enrolment.certificate, enrolment.statement, enrolment.signature)
    if not (keys_fit and enrolment.statement == wanted and signed):
        message = "The signature on this enrolment does not fit. Nothing was changed."
        raise errors.Refused(message)
