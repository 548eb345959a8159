"""What kinds of entry and letter are called, the same in a case and in the outbox."""

from __future__ import annotations

# A letter, a reply and a note need no word more in a case.
PLAIN = frozenset({"letter", "reply", "note"})
WORDS = {
    "reply-undone": "taken back, never sent",
    "evaluation-undone": "evaluation, taken back with its letter",
    "summary-undone": "summary, its letter taken back",
    "acknowledgement-again": "acknowledgement",
    "not-opened": "asked to write again",
    "later": "word that it takes longer",
    "later-again": "word that it takes longer still",
    "notice": "note without content",
    "crisis": "note about help nearby",
    "help": "note about help nearby",
    "hour": "another hour for check-ins",
    "key": "which way letters go",
    "paused": "check-ins pause",
    "resumed": "check-ins go on",
    "stopped": "check-ins stopped",
    "checkin": "check-in",
    "measure": "questionnaire",
    "measure-rest": "asked once for what was left open",
    "lesson": "skill",
    "checkin-reminder": "check-in reminder",
    "checkin-thanks": "check-in thanks",
    "practice-thanks": "practice thanks",
    "consent-reminder": "asked once more for the word",
    "consent-thanks": "thanks for the word",
    "consent-word": "which word was meant",
    "appointment-reminder": "appointment reminder",
    "appointment-confirmed": "appointment confirmed",
    "appointment-cancelled": "appointment cancelled",
    "progress": "word that their progress will come",
    "copy": "copy of the file",
    "copy-notice": "notice: a copy was asked for",
    "erase-notice": "notice: the end of the file was asked for",
    "erased": "the file was erased",
    "staff-notice": "note to staff",
    "staff-risk": "urgent note to staff",
    "staff-mailbox": "note to staff about a mailbox",
    "staff-quarantine": "note to staff about quarantine",
    "staff-silence": "urgent note to staff",
    "staff-locked": "urgent note to staff",
    "staff-appointment": "appointment note to staff",
    "automatic": "automatic mail",
    "bounce": "came back undelivered",
}


def of_letter(kind: str) -> str:
    """Return what a kind of letter is called."""
    return WORDS.get(kind, kind)


def of_entry(kind: str) -> str:
    """Return what is said of an entry beside its author; "" where that says enough."""
    return "" if kind in PLAIN else of_letter(kind)
