"""Say in words what a calendar entry says (RFC 5545): an invitation, an answer, a cancellation.

Only what a reader needs is read, line by line; repeats, alarms and zones are left to calendars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailcounsel.letter import charsets
from mailcounsel.letter.attachments import Attachment

TYPES = frozenset({"text/calendar", "application/ics"})
_MOST = 100_000  # bytes
_DIGITS = 9
_UNFOLD = re.compile(r"\n[ \t]")
# Every alternative excludes the other's first character and gives nothing back: linear time.
_LINE = re.compile(r'([A-Za-z-]{1,40})((?:;(?:[^:"\n]|"[^"\n]*")*+)?):(.*)')
_ESCAPED = re.compile(r"\\([nN,;\\])")
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_PARTSTAT = re.compile(r"PARTSTAT=([A-Za-z-]{1,20})", re.IGNORECASE)
_TZID = re.compile(r'TZID="?([^";:]{1,60})', re.IGNORECASE)
_METHODS = {
    "REQUEST": "invitation",
    "PUBLISH": "entry",
    "REPLY": "answer",
    "CANCEL": "cancellation",
    "COUNTER": "proposal of another time",
}


def described(data: bytes) -> str:
    """Return the entry of a calendar file as a few lines of text."""
    text, _ = charsets.decode(data[:_MOST])
    found = _fields(charsets.with_newlines(text))
    method = found.get("METHOD", ("", ""))[1].upper()
    answer = _PARTSTAT.search(found.get("ATTENDEE", ("", ""))[0]) if method == "REPLY" else None
    what = _METHODS.get(method, "entry") + (f", {answer[1].lower()}" if answer else "")
    lines = [f"[Calendar: {what}]", found.get("SUMMARY", ("", ""))[1]]
    if "DTSTART" in found:
        lines.append(f"Start: {_moment(*found['DTSTART'])}")
    for label, name in (("Where", "LOCATION"), ("Note", "COMMENT"), ("About", "DESCRIPTION")):
        if found.get(name, ("", ""))[1]:
            lines.append(f"{label}: {found[name][1]}")
    return "\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class Reply:
    """A calendar's answer to an invitation (RFC 5546 section 3.2.3). `partstat` in capitals."""

    uid: str
    partstat: str  # ACCEPTED, DECLINED, TENTATIVE, …
    sequence: int  # of the invitation it answers
    comment: str = ""


def reply(data: bytes) -> Reply | None:
    """Return the answer a calendar file holds, or None where it holds none."""
    text, _ = charsets.decode(data[:_MOST])
    found = _fields(charsets.with_newlines(text))
    said = _PARTSTAT.search(found.get("ATTENDEE", ("", ""))[0])
    uid, number = found.get("UID", ("", ""))[1], found.get("SEQUENCE", ("", "0"))[1]
    if found.get("METHOD", ("", ""))[1].upper() != "REPLY" or not said or not uid:
        return None
    sequence = int(number) if number.isdecimal() and len(number) < _DIGITS else 0
    return Reply(uid, said[1].upper(), sequence, found.get("COMMENT", ("", ""))[1])


def replies(files: Iterable[Attachment]) -> list[Reply]:
    """Return the answers of calendars among the files of a letter, in their order."""
    found = [reply(file.data) for file in files if file.content_type in TYPES]
    return [one for one in found if one is not None]


def _fields(text: str) -> dict[str, tuple[str, str]]:
    """Return (parameters, value) of each field, the first of each name, of the first entry."""
    found: dict[str, tuple[str, str]] = {}
    in_zone = False
    for line in _UNFOLD.sub("", text).split("\n"):
        match = _LINE.match(line)
        if match is None:
            continue
        name, parameters, value = match[1].upper(), match[2], match[3].strip()
        if name in {"BEGIN", "END"} and value.upper() == "VTIMEZONE":
            in_zone = name == "BEGIN"
        elif not in_zone:
            found.setdefault(name, (parameters, _ESCAPED.sub(_unescaped, value)))
    return found


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] in "nN" else match[1]


def _moment(parameters: str, value: str) -> str:
    match = _MOMENT.match(value)
    if match is None:
        return value
    day = "-".join(match.group(1, 2, 3))
    if not match[4]:
        return day
    zone = _TZID.search(parameters)
    place = " UTC" if match[6] else f" ({zone[1]})" if zone else ""
    return f"{day} {match[4]}:{match[5]}{place}"
