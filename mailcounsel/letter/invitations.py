"""Write a calendar entry for a meeting: RFC 5545 (iCalendar), RFC 5546 (iTIP), RFC 6047 (by mail).

Times are in UTC, which every calendar shows in its owner's own zone, so no zone has to be
described. Calendars are copied to telephones and companies, so an entry says when and where and
nothing else: its title is the same for everybody, and no alarm of ours rings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from mailcounsel.letter.attachments import Attachment

REQUEST, CANCEL = "REQUEST", "CANCEL"
TITLES: Mapping[str, str] = MappingProxyType({"id": "Janji temu", "en": "Appointment"})
TELEPHONE: Mapping[str, str] = MappingProxyType({"id": "Telepon", "en": "Telephone"})

_OCTETS: Final = 75  # of a line without its end, RFC 5545 section 3.1
_ESCAPED: Final = MappingProxyType({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
_UNWRITABLE: Final = re.compile('["\x00-\x08\x0a-\x1f\x7f]')  # in a parameter, section 3.2


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting as an invitation tells it. Moments are aware; addresses are bare.

    `uid` stays the same for one meeting, `sequence` grows with each change (section 3.8.7.4);
    `room` is a link, or "" for a telephone call.
    """

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    written_at: datetime
    organiser: str
    organiser_name: str
    guest: str
    room: str = ""
    language: str = "en"


def calendar(meeting: Meeting, method: str) -> str:
    """Return the calendar that invites to a meeting (`REQUEST`) or calls it off (`CANCEL`)."""
    status = "CANCELLED" if method == CANCEL else "CONFIRMED"
    title = TITLES.get(meeting.language, TITLES["en"])
    where = meeting.room or TELEPHONE.get(meeting.language, TELEPHONE["en"])
    name = f';CN="{_parameter(meeting.organiser_name)}"' if meeting.organiser_name else ""
    needs = "CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE"
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//mailcounsel//appointments//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{_text(meeting.uid)}",
        f"SEQUENCE:{meeting.sequence}",
        f"DTSTAMP:{_utc(meeting.written_at)}",
        f"DTSTART:{_utc(meeting.starts_at)}",
        f"DTEND:{_utc(meeting.ends_at)}",
        f"SUMMARY:{_text(title)}",
        f"LOCATION:{_text(where)}",
        f"STATUS:{status}",
        "CLASS:PRIVATE",
        "TRANSP:OPAQUE",
        f"ORGANIZER{name}:mailto:{_address(meeting.organiser)}",
        f"ATTENDEE;{needs}:mailto:{_address(meeting.guest)}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(folded(line) for line in lines)


def enclosed(text: str, method: str) -> Attachment:
    """Return a calendar as the part of a mail that programs know as an invitation (RFC 6047)."""
    kind = f"text/calendar; method={method}; charset=utf-8"
    return Attachment("invite.ics", kind, text.encode())


def folded(line: str) -> str:
    """Return one content line with its end, folded between characters at 75 octets."""
    pieces, piece, room = [], "", _OCTETS
    for character in line:
        size = len(character.encode())
        if len(piece.encode()) + size > room:
            pieces.append(piece)
            piece, room = "", _OCTETS - 1  # the blank that marks a folded line
        piece += character
    return "\r\n ".join([*pieces, piece]) + "\r\n"


def _text(value: str) -> str:
    """Escape a value of type TEXT (section 3.3.11)."""
    plain = value.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(one for one in plain if one == "\n" or one.isprintable())
    return "".join(_ESCAPED.get(one, one) for one in kept)


def _parameter(value: str) -> str:
    return _UNWRITABLE.sub("", value)


def _address(value: str) -> str:
    """Return an address as a mailto URI takes it; what would end the line is left out."""
    return "".join(one for one in value if one.isprintable() and not one.isspace())


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
