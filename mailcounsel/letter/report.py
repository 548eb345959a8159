"""Read what machines say about our letters: RFC 3464, RFC 8098, RFC 5965.

A report proves nothing by itself: anybody can write one. It says which letter it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mailcounsel import errors
from mailcounsel.letter import headers, mime

Kind = Literal["delivery", "disposition", "abuse"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a delivery report, a read receipt or an abuse report says.

    `recipients` are the addresses it names as failed; `returned_headers` those of the letter
    it returns (lower-case name, decoded value); `original` the returned letter or its headers
    as they came.
    """

    kind: Kind
    failed: bool
    original_message_id: str | None
    status: str  # RFC 3463 ("5.1.1"), or "" when it is not told
    recipients: tuple[str, ...] = ()
    returned_headers: tuple[tuple[str, str], ...] = ()
    original: bytes = b""


_KINDS: dict[str, Kind] = {
    "message/delivery-status": "delivery",
    "message/global-delivery-status": "delivery",
    "message/disposition-notification": "disposition",
    "message/global-disposition-notification": "disposition",
    "message/feedback-report": "abuse",
}
RETURNED = {
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
}
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ID_FIELDS = ("original-message-id", "x-original-message-id")
_RETURNED_BUDGETS = mime.Budgets(parts=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """A decoded part of a letter, as reports are read from it."""

    content_type: str
    data: bytes


def find(pieces: list[Piece]) -> Report | None:
    """Return the report the pieces of a letter make up, or None when there is none."""
    kind, told = _told(pieces)
    if kind is None:
        return None
    original = next((piece.data for piece in pieces if piece.content_type in RETURNED), b"")
    sent_back = returned(original)
    status, failed, recipients = _outcome(told)
    return Report(
        kind=kind,
        failed=kind == "delivery" and failed,
        original_message_id=_original_id(told, sent_back),
        status=status,
        recipients=recipients,
        returned_headers=tuple((name, headers.decoded(value)) for name, value in sent_back),
        original=original,
    )


def _told(pieces: list[Piece]) -> tuple[Kind | None, list[tuple[str, str]]]:
    """Return the first kind of report there is, and the fields of all its pieces."""
    kind = next((_KINDS[one.content_type] for one in pieces if one.content_type in _KINDS), None)
    theirs = (one for one in pieces if kind and _KINDS.get(one.content_type) == kind)
    return kind, [found for piece in theirs for found in _fields(piece.data)]


def _fields(data: bytes) -> list[tuple[str, str]]:
    """Read groups of fields separated by blank lines as one list."""
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", data[:100_000])
    found = []
    for line in unfolded.splitlines():
        name, colon, value = line.partition(b":")
        if colon:
            found.append((headers.plain(name).lower(), headers.plain(value)))
    return found


def returned(original: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the raw fields of a mail, or of its headers, that was sent back."""
    try:
        return mime.split(original[:200_000], _RETURNED_BUDGETS)[1].fields
    except errors.OverBudget:  # its one part was multipart: the header alone is wanted
        header = re.split(rb"\r?\n\r?\n", original[:100_000], maxsplit=1)[0]
        only = re.sub(rb"(?im)^content-type:", b"x-content-type:", header)
    try:
        return mime.split(only, _RETURNED_BUDGETS)[1].fields
    except errors.OverBudget:
        return ()


def _outcome(told: list[tuple[str, str]]) -> tuple[str, bool, tuple[str, ...]]:
    """Return the first status, whether anybody was not reached, and who was not."""
    failed, status, recipients, last = False, "", [], ""
    for name, value in told:
        if name in {"final-recipient", "original-recipient"}:
            last = value.partition(";")[2].strip() or value
        elif name == "action" and value.lower().startswith("failed"):
            failed = True
            recipients.append(last)
        elif name == "status" and not status:
            match = _STATUS.search(value)
            status = match[0] if match else ""
    return status, failed or status.startswith("5"), tuple(filter(None, recipients))


def _original_id(
    told: list[tuple[str, str]], sent_back: tuple[tuple[str, bytes], ...]
) -> str | None:
    for name, value in told:
        if name in _ID_FIELDS:
            return headers.message_id(value.encode())
    own = (value for name, value in sent_back if name == "message-id")
    return next((headers.message_id(value) for value in own), None)
