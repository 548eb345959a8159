"""Step *classify*: a letter, or something a machine wrote.

Automatic mail is never answered (RFC 3834 section 2). `Precedence` alone may stop our automatic
answer but hides nothing; `X-Auto-Response-Suppress` asks for no automatic answer and does not
mean that a machine wrote the mail. Where a client is proved to have written it, neither does a
list on its way, an empty sender or `auto-generated`: phones, schools and gateways add them.
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
_WHOLE_REPORTS = ("multipart/report", "message/")  # how a letter begins that is nothing else
# Reasons that stop our answer, and hide nothing a client is proved to have written.
_SOFT = {"auto-submitted", "list", "null-sender"}
_REPORT = "-report"  # how the reasons of what reports on a mail end
_COMMENT = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Class:
    """What a mail is, why, and whether it may be answered without a person."""

    kind: str
    reason: str = ""
    may_answer: bool = True
    about: str | None = None  # the Message-ID of ours that a report is about

    @property
    def may_be_machine(self) -> bool:
        """Tell whether a letter bears a mark of machines: it shows no life of who sent it."""
        return self.kind != LETTER or self.reason in _SOFT

    @property
    def is_report(self) -> bool:
        """Tell whether a program reports on a mail, with whatever words of that mail."""
        return self.kind == BOUNCE or self.reason.endswith(_REPORT)


def classify(
    letter: Letter,
    mail_from: str | None,
    known: Knowledge,
    config: Config,
    *,
    is_proved: bool = False,
) -> Class:
    """Say what a mail is. `mail_from` is the envelope's sender, None where none was told.

    `is_proved` says that a client is proved to have written it, or their program.
    """
    if _is_our_own(letter, known, config):
        return Class(OWN_LOOP, "own-message-id", may_answer=False)
    report = _reported(letter, mail_from, is_proved=is_proved)
    if report:
        return _of_report(report)
    reason = _machine(letter, mail_from, config)
    if reason and not (is_proved and reason in _SOFT and not _answers_by_itself(letter, reason)):
        return Class(AUTOMATIC, reason, may_answer=False)
    if reason:
        return Class(LETTER, reason, may_answer=False)
    reluctant = _prefers_no_answer(letter, config)
    return Class(LETTER, reluctant, may_answer=not reluctant)


def _reported(letter: Letter, mail_from: str | None, *, is_proved: bool) -> Report | None:
    """Return what a program reports on a mail. Whoever passes on a report writes a letter."""
    # A client writes from an address of their own: without a sender it says nothing of a server.
    null_sender = not is_proved and (mail_from == "" or dialects.has_null_sender(letter))
    is_whole = (letter.header("content-type") or "").lower().startswith(_WHOLE_REPORTS)
    if letter.report and (is_whole or dialects.is_from_a_server(letter, null_sender=null_sender)):
        return letter.report
    if any(letter.header(mark) for mark in _CHALLENGES):
        return None
    return dialects.bounce(letter, null_sender=null_sender)


def _is_our_own(letter: Letter, known: Knowledge, config: Config) -> bool:
    sender = letter.sender.address
    if not sender or not letter.message_id or config.inbox_for(sender) is None:
        return False
    return known.outgoing_of_message(letter.message_id) is not None


def _of_report(report: Report) -> Class:
    if report.kind == "delivery" and report.failed:
        return Class(BOUNCE, "delivery-failed", may_answer=False, about=report.original_message_id)
    return Class(AUTOMATIC, f"{report.kind}{_REPORT}", False, report.original_message_id)


def _machine(letter: Letter, mail_from: str | None, config: Config) -> str:
    if _submitted(letter) - {"", "no"}:
        return "auto-submitted"
    if (letter.header("list-id") or letter.header("list-post")) and not _is_our_list(
        letter, config
    ):
        return "list"
    if mail_from == "" or (letter.header("return-path") or "").strip() == "<>":
        return "null-sender"
    if any(letter.header(mark) for mark in _MARKS):
        return "autoreply-mark"
    if dialects.reports_on_a_domain(letter):
        return f"domain{_REPORT}"
    if dialects.answers_for_somebody(letter.subject) and _answers_like_a_machine(letter):
        return "autoreply-subject"
    return ""


def _is_our_list(letter: Letter, config: Config) -> bool:
    """Tell whether the list is an inbox of ours: many centres read a group's address.

    `List-Post` has its address (RFC 2369), `List-Id` the same with a dot (RFC 2919).
    """
    posted = " ".join(letter.all("list-post"))
    named = " ".join(letter.all("list-id")).rpartition("<")[2].partition(">")[0].strip()
    dots = (match.start() for match in re.finditer(r"\.", named))
    places = [*_MAILTO.findall(posted), *(f"{named[:dot]}@{named[dot + 1 :]}" for dot in dots)]
    return any(config.inbox_for(place.lower()) is not None for place in places)


_MAILTO = re.compile(r"(?i)<mailto:([^<>?\s]{1,254})")


def _submitted(letter: Letter) -> set[str]:
    values = (value.partition(";")[0] for value in letter.all("auto-submitted"))
    return {_COMMENT.sub("", value).strip().lower() for value in values}


def _answers_by_itself(letter: Letter, reason: str) -> bool:
    """Tell whether a vacation program or its like surely wrote what a soft reason stands for.

    A list brings no vacation notes, so that words and subjects say nothing there.
    """
    if "auto-replied" in _submitted(letter) or any(letter.header(mark) for mark in _MARKS):
        return True
    says_so = dialects.answers_for_somebody(letter.subject) or dialects.says_it_is_automatic(
        letter.text
    )
    return reason != "list" and (says_so or _answers_like_a_machine(letter))


def _answers_like_a_machine(letter: Letter) -> bool:
    """Tell whether anything beside the subject says so: a subject alone a client may write."""
    asks_for_none = letter.header("x-auto-response-suppress") or letter.header("precedence")
    return bool(asks_for_none)


def _prefers_no_answer(letter: Letter, config: Config) -> str:
    is_our_list = _is_our_list(letter, config)
    precedence = {value.strip().lower() for value in letter.all("precedence")}
    if precedence & {"bulk", "junk", "list", "auto_reply"} - ({"list"} if is_our_list else set()):
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
    if any(name.startswith("list-") for name, _ in letter.headers) and not is_our_list:
        return "list-field"
    sender = letter.sender.address
    return "own-address" if sender and config.inbox_for(sender) else ""
