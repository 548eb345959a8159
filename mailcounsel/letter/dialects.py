"""Recognise what machines write without saying so: the dialects of mail servers, and answers.

Mail servers that never read RFC 3464 tell of a lost mail in a sentence of their own. The sentences
are data, in `machines.toml`. A sentence alone is never enough, since a client can write any of
them: the sender must be a server's as well.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources

from mailcounsel.letter import headers, report
from mailcounsel.letter.parse import Letter
from mailcounsel.letter.report import Report

_OPENING = 3_000  # characters of a text in which a server says what happened
_QUOTED = 200_000  # characters of a text in which it may quote the mail it means
_STATUS = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b")
_MESSAGE_ID = re.compile(r"(?im)^[>\s]*message-id:\s*(<[^<>\s]{1,900}>)")
_FAILED = "x-failed-recipients"
_NULL_SENDERS = ("return-path", "x-envelope-from", "envelope-from")


def bounce(letter: Letter, *, null_sender: bool) -> Report | None:
    """Return what a mail server says of a lost or delayed mail in words of its own.

    `null_sender` says that the envelope named nobody, as servers do for what they write.
    """
    if not is_from_a_server(letter, null_sender=null_sender):
        return None
    subject, opening = letter.subject.casefold(), letter.text[:_OPENING].casefold()
    is_delayed = _fits("delay", subject, opening)
    if not is_delayed and not _fits("bounce", subject, opening):
        return None
    status = _STATUS.search(opening)
    files = letter.attachments
    original = next((one.data for one in files if one.content_type in report.RETURNED), b"")
    sent_back = report.returned(original)
    return Report(
        kind="delivery",
        failed=not is_delayed,
        original_message_id=_original_id(letter, sent_back),
        status=status[0] if status else "",
        recipients=tuple(
            address.strip() for value in letter.all(_FAILED) for address in value.split(",")
        ),
        returned_headers=tuple((name, headers.decoded(value)) for name, value in sent_back),
        original=original,
    )


def answers_for_somebody(subject: str) -> bool:
    """Tell whether a subject begins as programs begin theirs when they answer for somebody away."""
    folded = _ANSWER.sub("", subject.casefold().strip())
    is_away = folded.startswith("auto: ") and "out of the office" in folded  # as Notes says it
    return is_away or folded.startswith(tuple(_known()["autoreply"]["subjects"]))


def says_it_is_automatic(text: str) -> bool:
    """Tell whether the first lines say that a program wrote them."""
    opening = text[:_FIRST_LINES].casefold()
    return any(phrase in opening for phrase in _known()["autoreply"]["opening"])


_FIRST_LINES = 300  # characters
_ANSWER = re.compile(r"^(?:(?:re|bls|balas):\s*)*\[")  # "[Auto-Reply] Re: …"
_NO_REPLY = re.compile(r"(?:no|do-?not|jangan)[._-]?(?:reply|balas)\b.*")


def wants_no_answer(letter: Letter) -> bool:
    """Tell whether the address says that nobody reads there, and the letter names no other."""
    local = (letter.sender.address or "").partition("@")[0]
    return _NO_REPLY.fullmatch(local) is not None and not letter.header("reply-to")


def is_from_a_server(letter: Letter, *, null_sender: bool) -> bool:
    """Tell whether a mail server wrote a mail: it named no sender, or one of its own."""
    sender = (letter.sender.address or "").casefold()
    names = _known()["bounce"]["senders"]
    is_server = any(re.match(rf"{re.escape(name)}(?![a-z])", sender) for name in names)
    return null_sender or is_server or bool(letter.header(_FAILED))


def reports_on_a_domain(letter: Letter) -> bool:
    """Tell whether this is what receivers count of a domain's mail, in a file for machines.

    The subject and the file's name are those of RFC 7489 §7.2.1.1 and RFC 8460 §5.1; who sends
    such reports seldom says that a program wrote them.
    """
    if "report-type=tlsrpt" in (letter.header("content-type") or "").replace('"', "").casefold():
        return True
    has_count = any(_COUNT.fullmatch(one.name) for one in letter.attachments)
    return has_count and "report domain:" in letter.subject.casefold()


_COUNT = re.compile(r"(?i)[\w.-]+![\w.-]+!\d{1,12}!\d{1,12}(?:![\w-]+)?\.(?:xml(?:\.gz)?|zip)")


def has_null_sender(letter: Letter) -> bool:
    """Tell whether the header says that the envelope named nobody."""
    return any((letter.header(name) or "").strip() == "<>" for name in _NULL_SENDERS)


def _fits(kind: str, subject: str, opening: str) -> bool:
    said = _known()[kind]
    return any(phrase in subject for phrase in said["subjects"]) or any(
        phrase in opening for phrase in said["opening"]
    )


def _original_id(letter: Letter, sent_back: tuple[tuple[str, bytes], ...]) -> str | None:
    """Return which mail is meant: as it was sent back, as it is quoted, or as it is answered."""
    own = next((value for name, value in sent_back if name == "message-id"), None)
    if own is not None:
        return headers.message_id(own)
    quoted = _MESSAGE_ID.search(letter.text[:_QUOTED])
    if quoted:
        return headers.message_id(quoted[1].encode())
    named = (*letter.references, *letter.in_reply_to)
    return named[-1] if named else None


@functools.cache
def _known() -> Mapping[str, Mapping[str, Sequence[str]]]:
    source = resources.files("mailcounsel.letter").joinpath("machines.toml")
    found: dict[str, dict[str, list[str]]] = tomllib.loads(source.read_text("utf-8"))
    return found
