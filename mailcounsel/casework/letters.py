"""Letters on their way out: asked for by template and facts, approved, held, sent, or shown.

    asked ──▶ ready ─┐                       ┌─▶ sent ──▶ bounced
                     ├─▶ handing-over ───────┼─▶ ready again (back-off), failed
    approved ▶ held ─┘    (committed just    └─▶ uncertain: shown to a person, never tried again
        │   ▲              before DATA)          by itself
        │   └── a way appears (key pinned, consent given)
        ├─▶ waiting
        └─▶ undone      (a check-in nobody should get any more ends here as well)

Whoever wants a mail sent calls `ask`; `mailcounsel.outgoing` claims, protects and sends, and
reports back here. The Message-ID is fixed when the row is made, and a row is committed as
*handing over* just before DATA: one that is found dead in that state may have been sent, so a
person decides about it (design, promise 6).
"""

from __future__ import annotations

import json
import re
import secrets
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, select, update

from mailcounsel.casework import caps, consent, enclosures, parcels, records, rounds
from mailcounsel.casework.office import Office
from mailcounsel.casework.parcels import Parcel
from mailcounsel.letter import templates, words
from mailcounsel.store import models, statements
from mailcounsel.store.columns import database_now, new_id
from mailcounsel.store.ready import Ready, among
from mailcounsel.trust import addressbook

outgoing = models.table(models.Outgoing)
cases = models.table(models.Case)
checkins = models.table(models.CheckIn)
message_ids = models.table(models.MessageId)

_SENDABLE_ID = re.compile(r"[!-;=?-~]{1,300}")  # what `letter.write` lets into a header

# The states of a letter that is not here any more, as far as anybody can tell.
LEFT = ("sent", "uncertain", "handing-over", "settled")
LEASE_SECONDS = 900  # longer than gpg's and the smarthost's timeouts together
DAY = timedelta(days=1)

_OF_ADDRESS = select(func.count()).where(
    outgoing.c.to_lookup == bindparam("to"),
    outgoing.c.automatic.is_(True),
    outgoing.c.created_at > bindparam("since", type_=outgoing.c.created_at.type),
)
_AUTOMATIC = Ready(_OF_ADDRESS)
_OF_CLIENT = Ready(
    _OF_ADDRESS.where(
        outgoing.c.case_id.in_(select(cases.c.id).where(cases.c.client_id == bindparam("client")))
    )
)

_TO_COME = Ready(
    select(outgoing.c.id)
    .where(outgoing.c.case_id == bindparam("case"), outgoing.c.kind == bindparam("kind"))
    .where(among(outgoing.c.state, "ready", "waiting"))
)

_ONCE = Ready(select(outgoing.c.id).where(outgoing.c.once == bindparam("once")))

_DUE = statements.Queue(outgoing, among(outgoing.c.state, "ready", "held"))

# Templates that say nothing about anybody: they may go in clear where there is no key yet.
CONTENT_FREE = frozenset(
    {
        "acknowledgement",
        "acknowledgement-again",
        "not-opened",
        "consent-reminder",
        "consent-thanks",
        "consent-word",
        "notice",
        "checkin-thanks",
        "follow-up",
        "stopped",
        "paused",
        "resumed",
        "hour",
        "help",
        "later",
        "later-again",
        "request",
        "progress",
        "copy-notice",
        "erase-notice",
        "erased",
        "key",
        "crisis",
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A templated letter somebody wants sent. `once` names what it exists once for."""

    template: str
    facts: Mapping[str, Any]
    once: str
    is_answer: bool = True  # to a mail that just came (auto-replied), else auto-generated
    stranger: str | None = None  # the words it answers, where nobody vouches for who wrote them
    is_urgent: bool = False  # where help is: ordinary answers neither use it up nor are used up
    most_urgent: int | None = None  # a day, to one address; None: as many as ordinary answers
    due_at: datetime | None = None
    expires_at: datetime | None = None  # after that it is not sent any more


def new_token() -> str:
    """Return 128 random bits as 26 characters of base32, in lower case."""
    return b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def common_facts(office: Office, language: str) -> dict[str, Any]:
    """Return the facts every template may use."""
    spoken = {f"{meaning}_word": word for meaning, word in words.WORDS[language].items()}
    return {
        **spoken,
        "subject": templates.subject(language),
        "emergency": office.config.emergency.text(language).strip(),
        "sign_off": office.config.centre.sender_name,
        "about": office.config.about.text(language),
    }


def ask(
    connection: Connection, office: Office, case: RowMapping, asked: Asked, now: datetime
) -> str | None:
    """Put a templated letter to a case's client into the outbox and return its id.

    Returns None, and says why in the audit, when it exists already, when the client got enough
    automatic mail for a day, or when it has content and there is no way to send it.
    """
    to = addressbook.find_address(connection, office.keyring, case["client_id"])
    way = consent.way(connection, office.keyring, case["client_id"])
    refusal = _refusal(connection, office, case, asked, to, way, now)
    if refusal or to is None:
        records.audit(connection, now, "service", f"not-sent-{refusal}", case["id"], asked.template)
        return None
    mail = _rendered(office, case["language"], asked, way)
    if way.channel == parcels.NONE:
        way = consent.Way(parcels.PLAIN)
    parcel = replace(
        address_parcel(office, case, way, to),
        subject=mail.subject,
        text=mail.body,
        auto_submitted="auto-replied" if asked.is_answer else "auto-generated",
    )
    return post(connection, office, case, parcel, kind=asked.template, now=now, asked=asked)


def _rendered(office: Office, language: str, asked: Asked, way: consent.Way) -> templates.Mail:
    facts = {
        **common_facts(office, language),
        "offer_plain": way.channel == parcels.NONE,
        **asked.facts,
    }
    return templates.render(
        language, asked.template, facts, override=office.config.centre.templates
    )


def _refusal(
    connection: Connection,
    office: Office,
    case: RowMapping,
    asked: Asked,
    to: str | None,
    way: consent.Way,
    now: datetime,
) -> str:
    if to is None:
        return "no-address"
    if exists(connection, asked.once):
        return "twice"
    if way.channel == parcels.NONE and asked.template not in CONTENT_FREE:
        return "no-way"
    if _had_enough(connection, office, case, asked, to, now):
        return "capped"
    if asked.stranger is not None:
        cap = caps.reached(connection, office, to, asked.stranger, now, is_urgent=asked.is_urgent)
        return f"capped-{cap}" if cap else ""
    return ""


def _had_enough(
    connection: Connection, office: Office, case: RowMapping, asked: Asked, to: str, now: datetime
) -> bool:
    """Tell whether an address got as many answers in a day as it may.

    Where somebody vouches for who wrote, those of the same client's cases count alone: letters
    forged in their name open others.
    """
    key = addressbook.lookup(office.keyring, to)
    most = office.config.limits.automatic_per_sender_day
    if asked.is_urgent:
        is_proved = asked.stranger is None
        count = caps.urgent(connection, office, key, asked.template, now, is_proved=is_proved)
        return count > (most if asked.most_urgent is None else asked.most_urgent)
    whose = case["client_id"] if asked.stranger is None else None
    return _is_ordinary(asked) and automatic_since(connection, key, now - DAY, whose) >= most


def _is_ordinary(asked: Asked) -> bool:
    return asked.is_answer and not asked.is_urgent


def exists(connection: Connection, once: str) -> bool:
    """Tell whether a letter that exists once was asked for already."""
    return bool(_ONCE.scalar(connection, {"once": once}))


def automatic_since(
    connection: Connection, to_lookup: bytes, since: datetime, client_id: str | None = None
) -> int:
    """Count the automatic answers to an address since a moment (RFC 3834 section 2).

    With a client, those about that client's letters alone.
    """
    asked: dict[str, Any] = {"to": to_lookup, "since": since}
    if client_id is None:
        return int(_AUTOMATIC.scalar(connection, asked))
    return int(_OF_CLIENT.scalar(connection, asked | {"client": client_id}))


def address_parcel(office: Office, case: RowMapping, way: consent.Way, to: str) -> Parcel:
    """Return an empty parcel to a case's client, with its thread and a new Message-ID."""
    address = inbox_address(office, case)
    inbox = office.config.inbox_for(address)
    token = _token(office, case)
    domain = address.rpartition("@")[2]
    thread = read_thread(office, case)
    return Parcel(
        to_address=to,
        from_address=tagged_address(office, case, way) or address,
        from_name=office.config.sender_name(inbox) if inbox else office.config.centre.sender_name,
        subject=templates.subject(case["language"]),
        text="",
        message_id=f"{token}.{secrets.token_hex(8)}@{domain}",
        channel=way.channel,
        fingerprint=way.fingerprint,
        in_reply_to=thread[-1] if thread else None,
        references=tuple(thread),
        client_id=case["client_id"],
    )


def tagged_address(office: Office, case: RowMapping, way: consent.Way) -> str:
    """Return the address that brings a letter back to its case by itself, "" where there is none.

    There is none for a client with a key, whose program would not find ours by it.
    """
    address = inbox_address(office, case)
    inbox = office.config.inbox_for(address)
    if inbox is None or inbox.case_address != "plus" or way.channel == parcels.ENCRYPTED:
        return ""
    local, _, domain = address.rpartition("@")
    return f"{local}+{_token(office, case)}@{domain}"


def _token(office: Office, case: RowMapping) -> str:
    return office.keyring.open(case["sealed_token"], f"case/{case['id']}/token").decode()


def inbox_address(office: Office, case: RowMapping) -> str:
    """Return the inbox address a case is answered from."""
    return office.keyring.open(case["sealed_inbox"], f"case/{case['id']}/inbox").decode()


def read_thread(office: Office, case: RowMapping) -> list[str]:
    """Return the Message-IDs the next mail of a case refers to, oldest first."""
    if not case["sealed_thread"]:
        return []
    opened = office.keyring.open(case["sealed_thread"], f"case/{case['id']}/thread")
    return [str(message_id) for message_id in json.loads(opened)]


def extend_thread(
    connection: Connection, office: Office, case: RowMapping, message_id: str | None
) -> None:
    """Remember a letter's Message-ID, so that mail programs show the conversation as one."""
    if not message_id or not _SENDABLE_ID.fullmatch(message_id):
        return  # an id nobody can send back would stop every answer to it
    thread = [known for known in read_thread(office, case) if known != message_id]
    keep_thread(connection, office, case, [*thread[:1], *thread[1:][-3:], message_id])


def keep_thread(
    connection: Connection, office: Office, case: RowMapping, thread: Sequence[str]
) -> None:
    """Keep which Message-IDs the next mail of a case refers to, oldest first."""
    kept = json.dumps(list(thread)).encode()
    sealed = office.keyring.seal("addressbook", kept, f"case/{case['id']}/thread")
    statements.change(connection, cases, case["id"], sealed_thread=sealed)


def post(
    connection: Connection,
    office: Office,
    case: RowMapping,
    parcel: Parcel,
    *,
    kind: str,
    now: datetime,
    asked: Asked | None = None,
    state: str = "ready",
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    content: Mapping[str, Any] | None = None,
) -> str:
    """Put a parcel into the outbox and a sealed copy into the case. Return its outgoing id."""
    outgoing_id = new_id()
    copy = {"subject": parcel.subject, "text": parcel.text, "channel": parcel.channel}
    entry = records.Entry("out", kind, now, {**copy, **(content or {})}, author=parcel.author)
    letter_id = records.write(connection, office.keyring, case["id"], entry)
    statements.add(
        connection,
        outgoing,
        id=outgoing_id,
        case_id=case["id"],
        letter_id=letter_id,
        kind=kind,
        state=state,
        reason="",
        author=parcel.author,
        once=asked.once if asked else None,
        to_lookup=addressbook.lookup(office.keyring, parcel.to_address),
        automatic=_is_ordinary(asked) if asked else False,
        created_at=now,
        due_at=due_at or (asked.due_at if asked else None) or now,
        expires_at=expires_at or (asked.expires_at if asked else None),
        sealed=parcels.seal(office.keyring, outgoing_id, parcel),
    )
    name_message(connection, office, case["id"], parcel.message_id, letter_id, outgoing_id)
    return outgoing_id


def name_message(
    connection: Connection,
    office: Office,
    case_id: str,
    message_id: str,
    letter_id: str | None = None,
    outgoing_id: str | None = None,
) -> None:
    """Remember, hashed, that a Message-ID belongs to a case."""
    statements.add(
        connection,
        message_ids,
        id=new_id(),
        lookup=office.keyring.lookup("message-id", message_id.encode()),
        case_id=case_id,
        letter_id=letter_id,
        outgoing_id=outgoing_id,
    )


def due(connection: Connection, now: datetime, most: int) -> list[RowMapping]:
    """Claim letters that are due, oldest first, each with its fence."""
    return _DUE.claim(connection, now, most=most, lease_seconds=LEASE_SECONDS)


def handing_over(connection: Connection, outgoing_id: str, fence: int) -> bool:
    """Write down that the letter is given to the mail server now.

    False when the claim was lost, or a person or a bounce settled the letter meanwhile.
    """
    ours = (outgoing.c.id == outgoing_id) & (outgoing.c.fence == fence)
    change = update(outgoing).where(ours, outgoing.c.state.in_(["ready", "held"]))
    return connection.execute(change.values(state="handing-over")).rowcount == 1


def sent(connection: Connection, outgoing_id: str, fence: int, now: datetime) -> bool:
    """Write down that the mail server took the letter, and forget its words and address."""
    rounds.count(connection, outgoing_id, fence, now)
    values = {"state": "sent", "reason": "", "sealed": None, "sent_at": now, "lease_until": 0}
    ours = _settle(connection, outgoing_id, fence, values)
    if ours:
        enclosures.forget(connection, outgoing_id)
    return ours


def postpone(
    connection: Connection, outgoing_id: str, fence: int, due_at: datetime, reason: str
) -> bool:
    """Count a try and try again at a later moment. `reason` is a code."""
    ours = (outgoing.c.id == outgoing_id) & (outgoing.c.fence == fence)
    later = (
        update(outgoing)
        .where(ours)
        .values(
            state="ready",
            reason=reason,
            due_at=due_at,
            lease_until=0,
            attempts=outgoing.c.attempts + 1,
        )
    )
    return connection.execute(later).rowcount == 1


def failed(
    connection: Connection, outgoing_id: str, fence: int, now: datetime, reason: str
) -> bool:
    """Give up on a letter and show it to a person. Its sealed words stay until they decide."""
    return _show(connection, outgoing_id, fence, now, "failed", reason)


def uncertain(
    connection: Connection, outgoing_id: str, fence: int, now: datetime, reason: str
) -> bool:
    """Show a letter to a person that may or may not have been taken."""
    return _show(connection, outgoing_id, fence, now, "uncertain", reason)


def back_to_waiting(
    connection: Connection, outgoing_id: str, fence: int, now: datetime, reason: str
) -> bool:
    """Let a letter wait for a way again, since its key cannot be used; a person is shown why."""
    return _show(connection, outgoing_id, fence, now, "waiting", reason)


def _show(
    connection: Connection, outgoing_id: str, fence: int, now: datetime, state: str, reason: str
) -> bool:
    values = {"state": state, "reason": reason, "lease_until": 0}
    if not _settle(connection, outgoing_id, fence, values):
        return False
    row = connection.execute(select(outgoing).where(outgoing.c.id == outgoing_id)).mappings().one()
    if row["case_id"]:
        records.flag(connection, now, row["case_id"], state, outgoing_id)
        records.audit(connection, now, "service", f"letter-{state}", row["case_id"], outgoing_id)
    return True


def _settle(
    connection: Connection, outgoing_id: str, fence: int, values: Mapping[str, Any]
) -> bool:
    return statements.fenced_update(connection, outgoing, outgoing_id, fence, values)


def abandoned(connection: Connection, now: datetime) -> int:
    """Show to a person every letter whose sender died while handing it over. Return how many."""
    dead = select(outgoing.c.id, outgoing.c.fence).where(
        outgoing.c.state == "handing-over", outgoing.c.lease_until < database_now()
    )
    rows = connection.execute(dead.with_for_update(skip_locked=True)).all()
    return sum(uncertain(connection, row.id, row.fence, now, "interrupted") for row in rows)


def free_leases(connection: Connection, now: datetime) -> int:
    """Free what a killed process held. Only for a store that no other process can be using.

    What was being handed over is shown to a person; return how many letters that were.
    """
    held = outgoing.c.lease_until > 0
    connection.execute(
        update(outgoing).where(held).values(lease_until=0, fence=outgoing.c.fence + 1)
    )
    return abandoned(connection, now)


def take_back_checkins(connection: Connection, case_ids: Sequence[str], reason: str) -> int:
    """Take back the check-ins of some cases that have not left yet. Return how many."""
    return take_back(connection, case_ids, ["checkin", "checkin-reminder", "measure"], reason)


def take_back(
    connection: Connection, case_ids: Sequence[str], kinds: Sequence[str], reason: str
) -> int:
    """Take back the automatic letters of some kinds that have not left yet. Return how many."""
    asked_for = ({"case": case_id, "kind": kind} for case_id in case_ids for kind in kinds)
    if not any(_TO_COME.rows(connection, one) for one in asked_for):
        return 0  # nearly always, and every letter of a client asks
    resting = (
        outgoing.c.case_id.in_(case_ids)
        & outgoing.c.kind.in_(kinds)
        & outgoing.c.state.in_(["ready", "waiting"])
        & (outgoing.c.lease_until < database_now())
    )
    values = {"state": "undone", "reason": reason, "sealed": None}
    taken = update(outgoing).where(resting).values(fence=outgoing.c.fence + 1, **values)
    ids = connection.execute(taken.returning(outgoing.c.id)).scalars().all()
    asked = checkins.c.outgoing_id.in_(ids) & (checkins.c.state == "asked")
    connection.execute(update(checkins).where(asked).values(state="skipped", reason=reason))
    return len(ids)


def waiting(connection: Connection, case_ids: Sequence[str]) -> list[str]:
    """Return the ids of some cases' replies that wait for a way, oldest first."""
    theirs = outgoing.c.case_id.in_(case_ids) & (outgoing.c.kind == "reply")
    query = select(outgoing.c.id).where(theirs, outgoing.c.state == "waiting")
    return list(connection.execute(query.order_by(outgoing.c.id)).scalars())


def to_others(connection: Connection, case_ids: Sequence[str], to_lookup: bytes) -> list[str]:
    """Return the ids of some cases' replies that have not left, to another address than one."""
    here = outgoing.c.case_id.in_(case_ids) & (outgoing.c.to_lookup != to_lookup)
    still = (outgoing.c.kind == "reply") & outgoing.c.state.in_(["held", "waiting"])
    query = select(outgoing.c.id).where(here, still)
    return list(connection.execute(query.order_by(outgoing.c.id)).scalars())


def open_parcel(office: Office, row: RowMapping) -> Parcel:
    """Open the words and address of an outgoing letter. Raises: SealBroken."""
    return parcels.unseal(office.keyring, row["id"], row["sealed"])


def release_waiting(connection: Connection, office: Office, client_id: str, now: datetime) -> int:
    """Send on the letters that waited for a way to this client, unrewritten. Return how many."""
    way = consent.way(connection, office.keyring, client_id)
    if way.channel == parcels.NONE:
        return 0
    of_client = select(cases.c.id).where(cases.c.client_id == client_id)
    query = select(outgoing).where(outgoing.c.state == "waiting", outgoing.c.case_id.in_(of_client))
    rows = connection.execute(query.with_for_update()).mappings().all()
    return sum(_release(connection, office, row, way, now) for row in rows)


def _release(
    connection: Connection, office: Office, row: RowMapping, way: consent.Way, now: datetime
) -> bool:
    parcel = open_parcel(office, row)
    if parcel.fingerprint and parcel.fingerprint != way.fingerprint:
        return False  # frozen to a key that is no longer the client's: a person decides
    case = statements.row(connection, cases, row["case_id"])
    client_id, to = case["client_id"], parcel.to_address
    if not addressbook.is_written_to(connection, office.keyring, client_id, to):
        return False  # frozen to an address they are written to no more: a person decides
    ready = replace(parcel, channel=way.channel, fingerprint=way.fingerprint)
    values = {
        "state": "ready",
        "reason": "",
        "due_at": now,
        "sealed": parcels.seal(office.keyring, row["id"], ready),
    }
    connection.execute(update(outgoing).where(outgoing.c.id == row["id"]).values(**values))
    records.clear_flag(connection, now, row["case_id"], "waiting", "service", row["id"])
    records.audit(connection, now, "service", "letter-released", row["case_id"], row["id"])
    return True
