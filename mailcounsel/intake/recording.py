"""Steps *seal* and *record*: one transaction for a letter, its case, what follows, the ledger.

Everything a letter causes (a new case, a pinned key, a consent, an acknowledgement, a risk) is
committed together with the letter's own end in the inbox, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, RowMapping

from mailcounsel import errors
from mailcounsel.casework import case_word, cases, letters, records
from mailcounsel.casework.cases import NewCase
from mailcounsel.casework.office import Office
from mailcounsel.casework.records import Entry
from mailcounsel.intake import classifying, following, inbox, origin, pinning, placing
from mailcounsel.intake.following.recorded import Recorded
from mailcounsel.intake.inbox import Received
from mailcounsel.intake.looking import Plan
from mailcounsel.store import statements
from mailcounsel.trust import addressbook

CASE = "case"
OWN_LOOP = "own-loop"
DISCARDED = "discarded"
CHANGED = "changed"  # the case changed since the letter was looked at: place it again
LOST = "lost-claim"  # another process has this letter now


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a letter ended."""

    state: str
    case_id: str | None = None
    letter_id: str | None = None


def record(
    connection: Connection, office: Office, received: Received, plan: Plan, now: datetime
) -> Outcome:
    """Write down a letter and everything it causes; nothing when it must be placed again."""
    if not statements.holds(connection, inbox.inboxes, received.inbox_id, received.fence):
        return Outcome(LOST)
    if plan.kind.kind == classifying.OWN_LOOP:
        return _settle(connection, received, Outcome(OWN_LOOP), plan.kind.reason)
    if plan.placement.why == placing.ERASED and plan.envelope.mail_from == "":
        return _settle(connection, received, Outcome(DISCARDED), plan.placement.why)
    case = _locked(connection, office, plan, now)
    if case is None:
        return Outcome(CHANGED)
    if plan.placement.case is not None:
        case = _in_their_language(connection, office, case, plan)
    if plan.placement.case is None and case["maybe_case_id"]:
        kind = "maybe" if plan.placement.maybe else "maybe-word"
        records.flag(connection, now, case["id"], kind, case["maybe_case_id"])
    came = origin.find(connection, office, plan)
    entry = _entry(received, plan, came.marks)
    letter_id = records.write(connection, office.keyring, case["id"], entry)
    origin.remember(connection, case, came, letter_id, now)
    _remember(connection, office, case, plan, letter_id, now)
    following.up(Recorded(connection, office, case, plan, letter_id, received, now, came.marks))
    records.audit(connection, now, "service", f"letter-{plan.placement.why}", case["id"], letter_id)
    return _settle(connection, received, Outcome(CASE, case["id"], letter_id), plan.placement.why)


def _locked(connection: Connection, office: Office, plan: Plan, now: datetime) -> RowMapping | None:
    """Lock the case the letter was placed in, or open a new one, and return it.

    None where the case is not what it was when the letter was looked at, or the stranger who wrote
    it is known by now.
    """
    placed = plan.placement.case
    if placed is None:
        known = _is_known_by_now(connection, office, plan)
        return None if known else _new(connection, office, plan, now)
    row = cases.get(connection, placed.id, lock=True)
    now_is = (row["version"], row["state"], row["client_id"], row["merged_into"])
    return row if now_is == (placed.version, placed.state, placed.client_id, None) else None


def _is_known_by_now(connection: Connection, office: Office, plan: Plan) -> bool:
    address = plan.opened.letter.sender.address
    if plan.placement.why != "new" or address is None:
        return False
    return bool(addressbook.clients_with(connection, office.keyring, address))


def _settle(connection: Connection, received: Received, outcome: Outcome, reason: str) -> Outcome:
    """End a letter's time in the inbox: its raw bytes are forgotten there."""
    ours = inbox.settle(
        connection,
        received,
        cast("inbox.Settled", outcome.state),
        reason=reason,
        case_id=outcome.case_id,
        letter_id=outcome.letter_id,
    )
    if not ours:
        message = "another process has this letter now"
        raise errors.Conflict(message)
    return outcome


def _new(connection: Connection, office: Office, plan: Plan, now: datetime) -> RowMapping:
    language = plan.assessed.language or office.config.language(plan.inbox)
    client_id = plan.placement.client_id or _new_client(connection, office, plan, language, now)
    new = NewCase(
        client_id=client_id,
        inbox=plan.inbox.address,
        queue=plan.decision.queue,
        language=language,
        priority="low" if plan.kind.kind != classifying.LETTER else plan.decision.priority,
        tags=plan.decision.tags,
        suspect=plan.envelope.suspect,
        maybe_case_id=_maybe(connection, office, plan, now),
    )
    return cases.get(connection, cases.open_case(connection, office, new, now))


FEWEST_WORDS = 4  # of a letter that shows which language its client writes in now


def _in_their_language(
    connection: Connection, office: Office, case: RowMapping, plan: Plan
) -> RowMapping:
    """Let our letters follow the language a client writes in, where that is beyond doubt."""
    language, words = plan.assessed.language, plan.assessed.new_words.split()
    is_theirs = plan.kind.kind == classifying.LETTER and not plan.envelope.suspect
    if not is_theirs or language in {None, case["language"]} or len(words) < FEWEST_WORDS:
        return case
    return cases.speak(connection, office, case, str(language))


def _maybe(connection: Connection, office: Office, plan: Plan, now: datetime) -> str | None:
    """Return the case a new one may belong to: the one placing found, else the one it names."""
    if plan.placement.maybe:
        return plan.placement.maybe.id
    word = plan.assessed.case_word
    if word is None or not plan.names_a_case:
        return None
    return case_word.proposal(connection, office, word, now)


def _new_client(
    connection: Connection, office: Office, plan: Plan, language: str, now: datetime
) -> str:
    return addressbook.add_client(
        connection,
        office.keyring,
        plan.opened.letter.sender.address,
        language=language,
        time_zone=office.config.centre.time_zone,
        now=now,
    )


def _entry(received: Received, plan: Plan, marks: tuple[str, ...]) -> Entry:
    letter = plan.opened.letter
    kinds = {classifying.BOUNCE: "bounce", classifying.AUTOMATIC: "automatic"}
    content = {
        "subject": letter.subject,
        "text": letter.text,
        "html_used": letter.html_used,
        "message_id": letter.message_id,
        "date": letter.date.isoformat() if letter.date else None,
        "encrypted": plan.opened.was_encrypted,
        "sender_doubt": letter.sender.doubt,
        "about": list(letter.about),
        "problems": [*plan.opened.problems, *marks],
        "signs": [[sign.kind, sign.start, sign.end] for sign in plan.assessed.signs],
        "signs_in_files": [[file.name, list(file.kinds)] for file in plan.assessed.in_files],
        "attachments": [
            {"name": one.name, "type": one.content_type, "size": len(one.data)}
            for one in letter.attachments
        ],
    }
    return Entry(
        direction="in",
        kind=kinds.get(plan.kind.kind, "letter"),
        at=received.received_at,
        content=content,
        vouching=plan.vouched.kind,
        suspect=plan.envelope.suspect,
        attachments=[one.data for one in letter.attachments],
        source=received.raw,
    )


def _remember(
    connection: Connection,
    office: Office,
    case: RowMapping,
    plan: Plan,
    letter_id: str,
    now: datetime,
) -> None:
    """Remember what the letter showed: its id, for the thread, and its sender's keys."""
    letter = plan.opened.letter
    if letter.message_id:
        letters.name_message(connection, office, case["id"], letter.message_id, letter_id)
    if plan.kind.kind != classifying.LETTER:
        return
    letters.extend_thread(connection, office, case, letter.message_id)
    pinning.remember(connection, office, case, plan, letter_id, now)
