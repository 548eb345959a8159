"""Mail the centre itself, and see what of a letter survives the way.

`send` gives the smarthost one letter to one of our own addresses, made like those clients get:
token in From and Message-ID, References, Autocrypt. When it comes back, by SMTP or IMAP,
`take` knows it by a keyed mark, ends it as *own loop*, and writes down what survived. `look`
reads that. The mark counts once and for a day, so that nobody can make a client's letter vanish
by copying it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from sqlalchemy import Connection, select

from mailcounsel import errors
from mailcounsel.casework import letters
from mailcounsel.config import Inbox
from mailcounsel.crypto import autocrypt
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.intake import inbox, slices
from mailcounsel.intake.inbox import Received
from mailcounsel.outgoing import courier
from mailcounsel.service import checks
from mailcounsel.service.checks import Finding, bad, good
from mailcounsel.service.desk import Desk
from mailcounsel.store import models, statements

MARK = "X-Mailcounsel-Roundtrip"
GOOD_FOR = timedelta(days=1)
HEAD_BYTES = 64 * 1024
BODY = "This letter tests the way mail takes. It may be deleted."

_MARK = re.compile(rb"([a-z2-7]{26})\.(\d{1,12})\.([0-9a-f]{32})")
_HOST = re.compile(rb"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
_PARTS = ("from", "tag", "message-id", "references", "autocrypt")


@dataclass(frozen=True, slots=True)
class _Test:
    """One letter to ourselves."""

    token: str
    address: str  # the inbox's own
    sender: str  # what stands in From and To: with the tag where the configuration allows one

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def message_id(self) -> str:
        return f"<{self.token}.{self.token.encode().hex()[:16]}@{self.domain}>"

    @property
    def reference(self) -> str:
        return f"<{self.token}.{self.token.encode().hex()[-16:]}@{self.domain}>"


def _test(box: Inbox, token: str) -> _Test:
    local, _, domain = box.address.rpartition("@")
    tagged = box.case_address == "plus"
    return _Test(token, box.address, f"{local}+{token}@{domain}" if tagged else box.address)


# -- there ----------------------------------------------------------------------------------------


def send(desk: Desk, box: Inbox) -> str:
    """Give the smarthost a letter to ourselves and return its token.

    Raises: DeliveryError, Unavailable when it is not taken.
    """
    test = _test(box, letters.new_token())
    smarthost = desk.office.config.smarthost
    secret = smarthost.secret.read() if smarthost.user and smarthost.secret else None
    message = _message(desk, test)
    courier.deliver(smarthost, secret, box.address, test.sender, message, before_data=lambda: None)
    return test.token


def _message(desk: Desk, test: _Test) -> bytes:
    now = desk.now()
    seconds = int(now.timestamp())
    mac = _mac(desk.office.keyring, test.token, seconds)
    head = [
        f"From: <{test.sender}>",
        f"To: <{test.sender}>",
        "Subject: Test",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {test.message_id}",
        f"References: {test.reference}",
        f"{MARK}: {test.token}.{seconds}.{mac}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        BODY,
        "",
    ]
    key = autocrypt.header(test.sender, desk.centre.public_certificate())
    return key + "\r\n".join(head).encode()


def _mac(keyring: ServiceKeyring, token: str, seconds: int) -> str:
    return keyring.lookup("roundtrip", f"{token}.{seconds}".encode()).hex()[:32]


# -- and back -------------------------------------------------------------------------------------


def take(desk: Desk, received: Received) -> bool:
    """End a letter of ours that came back as *own loop*, and tell whether it was one."""
    head, _ = slices.halves(received.raw[:HEAD_BYTES])
    token = _token(desk.office.keyring, head, desk.now())
    config, recipients = desk.office.config, received.envelope.recipients
    box = next((box for box in map(config.inbox_for, recipients) if box), None)
    if token is None or box is None:
        return False
    reason = " ".join([f"roundtrip {token}", *_survived(head, received, _test(box, token))])

    def job(connection: Connection) -> bool:
        once = {"name": f"roundtrip {token}", "value": 1}
        if not statements.insert_once(connection, statements.counters, once):
            return False  # somebody copied the mark onto another letter
        if not inbox.settle(connection, received, "own-loop", reason=reason):
            raise errors.Conflict  # another process has this letter now, and its mark with it
        return True

    return desk.store.write(job)


def _token(keyring: ServiceKeyring, head: bytes, now: datetime) -> str | None:
    """Return the token of a mark that is ours and fresh."""
    for _, value in slices.values(head, MARK):
        found = _MARK.fullmatch(value)
        if found is None:
            continue
        token, seconds = found[1].decode("ascii"), int(found[2])
        age = now.timestamp() - seconds
        if hmac.compare_digest(_mac(keyring, token, seconds), found[3].decode("ascii")):
            return token if -60 <= age <= GOOD_FOR.total_seconds() else None
    return None


def _survived(head: bytes, received: Received, test: _Test) -> Iterator[str]:
    """Yield what came back as it was sent, and who checked it on the way."""
    if _first_address(head, "From") == test.sender:
        yield "from"
    if any(f"+{test.token}@" in address.lower() for address in received.envelope.recipients):
        yield "tag"
    if test.message_id.encode() in dict(slices.values(head, "Message-ID")).values():
        yield "message-id"
    if any(test.reference.encode() in value for _, value in slices.values(head, "References")):
        yield "references"
    if any(
        autocrypt.parse(value.decode("ascii", "replace"), test.sender)
        for _, value in slices.values(head, "Autocrypt")
    ):
        yield "autocrypt"
    for _, value in slices.values(head, "Authentication-Results"):
        if host := _HOST.match(value):
            yield f"authserv={host[0].decode('ascii').lower()}"
        return


def _first_address(head: bytes, name: str) -> str:
    return next(iter(slices.addresses(head, name)), "")


def _row(connection: Connection, token: str) -> str | None:
    rows = models.table(models.Inbox)
    query = select(rows.c.reason).where(
        rows.c.state == "own-loop", rows.c.reason.startswith(f"roundtrip {token}")
    )
    found: str | None = connection.execute(query).scalars().first()
    return found


# -- what it means --------------------------------------------------------------------------------


def look(desk: Desk, box: Inbox, token: str) -> dict[str, Any]:
    """Say whether a letter is back, and what survived of it."""
    reason = desk.store.read(lambda connection: _row(connection, token))
    if reason is None:
        return {"back": False, "findings": []}
    found = _findings(box, set(reason.split()[2:]), desk.office.config.centre.authserv_id)
    return {"back": True, "findings": checks.as_data(list(found))}


def _findings(box: Inbox, survived: set[str], authserv_id: str | None) -> Iterator[Finding]:
    part = f"roundtrip {box.address}"
    kept = [one for one in _PARTS if one in survived]
    lost = [
        one for one in _PARTS if one not in survived and (one, box.case_address) != ("tag", "none")
    ]
    yield good(part, f"came back with {', '.join(kept) or 'nothing as it was'}")
    for one in lost:
        yield bad(part, f"{one} was lost or changed on the way", LOST[one])
    yield from _border(part, survived, authserv_id)


LOST = {
    "from": 'The smarthost rewrites From: allow tagged senders there, or case_address = "none".',
    "tag": "The tag does not arrive: set recipient_header to what the provider writes, or "
    'case_address = "none".',
    "message-id": "The smarthost rewrites Message-ID. Answers are then placed by tag or key alone.",
    "references": "References is dropped on the way. Answers are then placed by tag or key alone.",
    "autocrypt": "Autocrypt is dropped on the way, so programs do not learn our key by themselves.",
}


def _border(part: str, survived: set[str], authserv_id: str | None) -> Iterator[Finding]:
    """Compare who wrote Authentication-Results with whom the configuration believes."""
    seen = next((one[9:] for one in sorted(survived) if one.startswith("authserv=")), None)
    if seen == (authserv_id or "").lower() and seen:
        yield good(part, f"Authentication-Results is written by {seen}, which is believed")
    elif authserv_id:
        says = f"Authentication-Results is written by {seen or 'nobody'}, not by {authserv_id}"
        yield bad(part, says, "Set centre.authserv_id to the name your own border writes.")
    elif seen:
        hint = "set centre.authserv_id to it if it is your own border"
        yield good(part, f"Authentication-Results is written by {seen}; {hint}")


def box_of(desk: Desk, address: str) -> Inbox:
    """Return the inbox of an address. Raises: NotFound."""
    box = desk.office.config.inbox_for(address)
    if box is None:
        message = "There is no such inbox in config.toml."
        raise errors.NotFound(message)
    return box
