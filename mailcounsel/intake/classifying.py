"""Step *classify*: a letter, or something a machine wrote.

Automatic mail is never answered (RFC 3834 section 2). `Precedence` alone may stop our automatic
answer but hides nothing; `X-Auto-Response-Suppress` asks for no automatic answer and does not
mean that a machine wrote the mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailcounsel.config import Config
from mailcounsel.intake.knowledge import Knowledge
from mailcounsel.letter import dialects
from mailcounsel.letter.parse import Letter
from mailcounsel.letter.report import Report

LETTER = "letter"
BOUNCE = "bounce"
AUTOMATIC = "automatic"
OWN_LOOP = "own-loop"


# Fields of systems that ask a sender to prove that they are a person.
_CHALLENGES = ("x-boxtrapper", "x-tmda-fingerprint", "x-challenge")
# Fields that vacation programs and challenge systems add to what they write.
_MARKS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-vacation",
    *_CHALLENGES,
)
_COMMENT = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Class:
    """What a mail is, why, and whether it may be answered without a person."""

    kind: str
    reason: str = ""
    may_answer: bool = True
    about: str | None = None  # the Message-ID of ours that a report is about


def classify(letter: Letter, mail_from: str | None, known: Knowledge, config: Config) -> Class:
    """Say what a mail is. `mail_from` is the envelope's sender, None where none was told."""
    if _is_our_own(letter, known, config):
        return Class(OWN_LOOP, "own-message-id", may_answer=False)
    is_challenge = any(letter.header(mark) for mark in _CHALLENGES)
    lost = None if is_challenge else dialects.bounce(letter, null_sender=mail_from == "")
    report = letter.report or lost
    if report:
        return _of_report(report)
    reason = _machine(letter, mail_from)
    if reason:
        return Class(AUTOMATIC, reason, may_answer=False)
    reluctant = _prefers_no_answer(letter, config)
    return Class(LETTER, reluctant, may_answer=not reluctant)


def _is_our_own(letter: Letter, known: Knowledge, config: Config) -> bool:
    sender = letter.sender.address
    if not sender or not letter.message_id or config.inbox_for(sender) is None:
        return False
    return known.outgoing_of_message(letter.message_id) is not None


def _of_report(report: Report) -> Class:
    if report.kind == "delivery" and report.failed:
        return Class(BOUNCE, "delivery-failed", may_answer=False, about=report.original_message_id)
    return Class(AUTOMATIC, f"{report.kind}-report", False, report.original_message_id)


def _machine(letter: Letter, mail_from: str | None) -> str:
    submitted = (value.partition(";")[0] for value in letter.all("auto-submitted"))
    if any(_COMMENT.sub("", value).strip().lower() not in {"", "no"} for value in submitted):
        return "auto-submitted"
    if letter.header("list-id") or letter.header("list-post"):
        return "list"
    if mail_from == "" or (letter.header("return-path") or "").strip() == "<>":
        return "null-sender"
    if any(letter.header(mark) for mark in _MARKS):
        return "autoreply-mark"
    if dialects.answers_for_somebody(letter.subject) and _answers_like_a_machine(letter):
        return "autoreply-subject"
    return ""


def _answers_like_a_machine(letter: Letter) -> bool:
    """Tell whether anything beside the subject says so: a subject alone a client may write."""
    asks_for_none = letter.header("x-auto-response-suppress") or letter.header("precedence")
    return bool(asks_for_none)


def _prefers_no_answer(letter: Letter, config: Config) -> str:
    precedence = {value.strip().lower() for value in letter.all("precedence")}
    if precedence & {"bulk", "junk", "list", "auto_reply"}:
        return "precedence"
    if dialects.answers_for_somebody(letter.subject):
        return "autoreply-subject"
    if dialects.wants_no_answer(letter):
        return "no-reply-address"
    if dialects.says_it_is_automatic(letter.text):
        return "autoreply-words"
    suppress = ",".join(letter.all("x-auto-response-suppress")).lower()
    words = {word.strip() for word in suppress.split(",")}
    if words & {"all", "autoreply", "oof"}:
        return "suppressed"
    if any(name.startswith("list-") for name, _ in letter.headers):
        return "list-field"
    sender = letter.sender.address
    return "own-address" if sender and config.inbox_for(sender) else ""
