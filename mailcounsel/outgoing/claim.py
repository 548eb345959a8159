"""Send what is due: claim a letter, protect it, hand it over, and report what became of it.

Letters are claimed one by one, so that the lease of each covers its own delivery only. Whatever
happens to one letter ends as one outcome, written down in one transaction; the next letter goes on.

Once the text is on its way (the row says *handing over*, and that is durable), only the courier
knows whether a letter may be sent again. Any other fault after that moment leaves it uncertain.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailcounsel import errors
from mailcounsel.casework import consent, enclosures, letters, parcels, replies, undelivered
from mailcounsel.casework.office import Office
from mailcounsel.casework.parcels import Parcel
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.letter.attachments import Attachment
from mailcounsel.outgoing import courier, protect
from mailcounsel.store.engine import Store
from mailcounsel.trust import addressbook, pins

logger = logging.getLogger(__name__)

# Minutes between tries: soon at first, then every four hours, for two days in all.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, *[240] * 11))
POISON_TRIES = 3  # a fault of ours is not made better by asking again for two days


@dataclass(frozen=True, slots=True)
class Outbox:
    """What sending needs at hand."""

    store: Store
    office: Office
    centre: Centre


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a letter: sent, later, failed, uncertain, waiting or lost; why, as a code."""

    verdict: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.verdict} ({self.reason})" if self.reason else self.verdict


@dataclass(frozen=True, slots=True)
class _Claim:
    """A letter that is ours until its lease ends. `tries` counts this one as well."""

    id: str
    kind: str
    fence: int
    tries: int
    expires_at: datetime | None
    open: Callable[[], Parcel]


class _HandingOver:
    """The step just before DATA: written down durably, or nothing is sent."""

    def __init__(self, store: Store, claim: _Claim) -> None:
        self._store, self._claim = store, claim
        self.done = False

    def __call__(self) -> None:
        """Commit. Raises: Conflict when somebody else holds the letter by now."""
        claim = self._claim
        if not self._store.write(lambda c: letters.handing_over(c, claim.id, claim.fence)):
            raise errors.Conflict
        self.done = True


def send_due(outbox: Outbox, now: datetime, most: int) -> int:
    """Send up to `most` letters that are due, oldest first; return how many were dealt with.

    Raises: TryLater when the store itself fails; no letter is lost or doubled by that.
    """
    for count in range(most):
        claim = _next(outbox, now)
        if claim is None:
            return count
        outcome = _try(outbox, claim, now)
        logger.info("letter %s: %s", claim.id, outcome)
        _report(outbox, claim, outcome, now)
    return most


def sweep(store: Store, now: datetime) -> int:
    """Show to a person every letter whose sender died while handing it over; return how many.

    Such a letter may have been taken. It is never claimed again by itself.
    """
    return store.write(lambda connection: letters.abandoned(connection, now))


def pause_after(tries: int) -> timedelta | None:
    """Return how long a letter rests after so many tries, or None once it is given up."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None


def _next(outbox: Outbox, now: datetime) -> _Claim | None:
    rows = outbox.store.write(lambda connection: letters.due(connection, now, 1))
    for row in rows:
        parcel = _opener(outbox.office, row["id"], row["sealed"])
        return _Claim(
            row["id"], row["kind"], row["fence"], row["attempts"] + 1, row["expires_at"], parcel
        )
    return None


def _opener(office: Office, outgoing_id: str, sealed: bytes) -> Callable[[], Parcel]:
    return lambda: parcels.unseal(office.keyring, outgoing_id, sealed)


# -- one letter ----------------------------------------------------------------------------------


def _try(outbox: Outbox, claim: _Claim, now: datetime) -> Outcome:
    """Deliver one letter, and say what became of it whatever happens."""
    if claim.expires_at and claim.expires_at <= now:
        return Outcome("failed", "expired")
    handing_over = _HandingOver(outbox.store, claim)
    try:
        _deliver(outbox, claim, now, handing_over)
    except errors.MailcounselError as fault:
        return _last_chance(claim, judge(fault, sending=handing_over.done))
    except Exception as fault:  # noqa: BLE001 - one bad letter never stops the others
        logger.error("letter %s: %s", claim.id, errors.place_of(fault))
        code = f"fault-{_code(fault)}"
        if handing_over.done:
            return Outcome("uncertain", code)
        return Outcome("later" if claim.tries < POISON_TRIES else "failed", code)
    return Outcome("sent")


def _deliver(outbox: Outbox, claim: _Claim, now: datetime, before_data: Callable[[], None]) -> None:
    parcel, certificate = _with_key(outbox, claim.kind, claim.open())
    _check_address(outbox, parcel)
    message = protect.build(
        parcel, outbox.centre, certificate, now, _files(outbox, claim.id, parcel)
    )
    smarthost = outbox.office.config.smarthost
    secret = smarthost.secret.read() if smarthost.secret else None
    sender = protect.envelope_sender(parcel)
    courier.deliver(smarthost, secret, sender, parcel.to_address, message, before_data=before_data)


def _check_address(outbox: Outbox, parcel: Parcel) -> None:
    """Refuse an address that the client was written to at approval and is not now.

    A merge was undone, or a person turned the client's letters to another address: somebody else
    may read the mail at this one. What is refused so is shown to a person, whose client has no
    answer. Raises: AddressGone.
    """
    client, keyring, to = parcel.client_id, outbox.office.keyring, parcel.to_address
    if client is None:
        return
    if not outbox.store.read(lambda c: addressbook.is_written_to(c, keyring, client, to)):
        raise errors.AddressGone


def _files(outbox: Outbox, outgoing_id: str, parcel: Parcel) -> tuple[Attachment, ...]:
    """Return the files that go with a letter. Raises: SealBroken where one is missing."""
    if not parcel.files:
        return ()
    office, named = outbox.office, parcel.files
    return outbox.store.read(lambda c: enclosures.of_letter(c, office, outgoing_id, named))


def _with_key(outbox: Outbox, kind: str, parcel: Parcel) -> tuple[Parcel, bytes | None]:
    """Return a letter with the certificate it goes to, where it goes to one.

    Address and key were frozen at approval and stay. What was approved while there was no way, or
    goes in clear because the client agreed to that, takes the way there is by now: none once the
    yes was taken back, a key once one came. Nor is a note without content ever sent weaker than to
    the key at hand.

    Raises: NoUsableKey when there is still no way, or none any more.
    """
    client, keyring = parcel.client_id, outbox.office.keyring
    if client is None:
        return parcel, bytes.fromhex(parcel.certificate) or None
    pin = outbox.store.read(lambda connection: pins.pinned(connection, keyring, client))
    if parcel.channel == parcels.NONE or _rests_on_consent(kind, parcel):
        way = outbox.store.read(lambda connection: consent.way(connection, keyring, client))
        if way.channel == parcels.NONE:
            raise errors.NoUsableKey
        parcel = replace(parcel, channel=way.channel, fingerprint=way.fingerprint)
    elif parcel.channel == parcels.PLAIN and parcel.author is None and pin:
        parcel = replace(parcel, channel=parcels.ENCRYPTED, fingerprint=pin.fingerprint)
    return parcel, pin.certificate if pin and pin.fingerprint == parcel.fingerprint else None


def _rests_on_consent(kind: str, parcel: Parcel) -> bool:
    """Tell whether words go in clear by the client's yes, and not by what a person decided."""
    if parcel.channel != parcels.PLAIN or kind in letters.CONTENT_FREE:
        return False
    return not (parcel.statement and replies.is_sent_plainly(json.loads(parcel.statement)))


def judge(fault: errors.MailcounselError, *, sending: bool) -> Outcome:
    """Decide what a fault means for a letter; `sending` says that it was being handed over."""
    if isinstance(fault, errors.DeliveryError):
        return Outcome(_delivery_verdict(fault), str(fault))
    if sending:  # the text may have left, and this is not the courier's word about it
        return Outcome("uncertain", _code(fault))
    if isinstance(fault, errors.Conflict):
        return Outcome("lost")
    if isinstance(fault, errors.NoUsableKey | errors.BadKey):
        return Outcome("waiting", _code(fault))
    if isinstance(fault, errors.SealBroken | errors.OverBudget | errors.Refused):
        return Outcome("failed", _code(fault))
    return Outcome("later", _code(fault))


def _last_chance(claim: _Claim, outcome: Outcome) -> Outcome:
    """Let a letter fail rather than wait for a way, where its client was forgotten meanwhile."""
    if outcome.verdict == "waiting" and claim.open().client_id is None:
        return Outcome("failed", outcome.reason)
    return outcome


def _delivery_verdict(fault: errors.DeliveryError) -> str:
    if isinstance(fault, errors.TransientDeliveryError):
        return "later"
    return "failed" if isinstance(fault, errors.PermanentDeliveryError) else "uncertain"


def _report(outbox: Outbox, claim: _Claim, outcome: Outcome, now: datetime) -> None:
    """Write down what became of a letter; nothing, if it is somebody else's by now."""
    name, fence, reason = claim.id, claim.fence, outcome.reason
    pause = pause_after(claim.tries)
    write = outbox.store.write
    match outcome.verdict:
        case "sent":
            told = write(lambda c: letters.sent(c, name, fence, now))
        case "later" if pause:
            told = write(lambda c: letters.postpone(c, name, fence, now + pause, reason))
        case "later" | "failed":
            office = outbox.office
            told = write(lambda c: undelivered.failed(c, office, name, fence, now, reason))
        case "uncertain":
            told = write(lambda c: letters.uncertain(c, name, fence, now, reason))
        case "waiting":
            told = write(lambda c: letters.back_to_waiting(c, name, fence, now, reason))
        case _:
            told = False
    if not told:
        logger.warning("letter %s: somebody else holds it by now", name)


def _code(fault: Exception) -> str:
    """Return an error's class as a code: NoUsableKey is no-usable-key."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(fault).__name__).lower()
