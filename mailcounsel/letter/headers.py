"""Read header fields: encoded words, parameters, Message-IDs, dates. All of it in linear time.

Python's own decoders accept any length and take quadratic time on some values, and its
structured headers raise on others; these never raise and never look at a byte twice.
"""

from __future__ import annotations

import binascii
import itertools
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from mailcounsel.letter import charsets

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")


def plain(value: bytes, charset: str = "") -> str:
    """Return a raw field value as one line of text, encoded words left as they are.

    `charset` is that of the letter's words: programs that write headers without saying in which
    charset take the same one.
    """
    if value.isascii():
        text = value.decode("ascii")
        if text.isprintable():
            return text.strip()
    text, _ = charsets.decode(value, charset)
    return _CONTROL.sub(" ", text).strip()


def decoded(value: bytes | str, charset: str = "") -> str:
    """Return a field value as one line of text with its encoded words read (RFC 2047)."""
    text = plain(value, charset) if isinstance(value, bytes) else value
    if "=?" not in text:
        return text
    text = "".join(_pieces(text))
    return charsets.clean(_CONTROL.sub(" ", text)).strip()


def _pieces(text: str) -> list[str]:
    """Join neighbours of one charset before decoding: some programs cut inside a letter."""
    out: list[str] = []
    pending, charset, position = b"", "", 0
    for match in _WORD.finditer(text):
        between = text[position : match.start()]
        name = match[1].partition("*")[0].lower()
        if pending and (between.strip() or name != charset):
            out.append(charsets.decode(pending, charset)[0])
            pending = b""
        if between.strip() or not position:
            out.append(between)
        pending += _word_bytes(match[2], match[3])
        charset, position = name, match.end()
    if pending:
        out.append(charsets.decode(pending, charset)[0])
    out.append(text[position:])
    return out


def _word_bytes(encoding: str, data: str) -> bytes:
    raw = data.encode("utf-8", "replace")
    if encoding in "bB":
        return charsets.from_base64(raw)[0]
    return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)


# A parameter: a name, and a quoted or bare value. Every alternative excludes the others'
# first character, so nothing is ever tried twice.
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"?|[^;]*))?', re.DOTALL)
_TYPE = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]{1,127}/[!#$%&'*+.0-9A-Z^_`a-z{|}~-]{1,127}")
_EXTENDED = re.compile(r"([^*]{1,60})\*(?:(\d{1,3})(\*?))?")
_MOST_PARAMETERS = 1_000


def content_type(value: bytes, default: str = "text/plain") -> tuple[str, dict[str, str]]:
    """Return the lower-case media type and its parameters; *default* where it makes no sense."""
    text = plain(value)
    kind = text.partition(";")[0].partition("(")[0].strip()
    if not _TYPE.fullmatch(kind):
        kind = default
    return kind.lower(), parameters(text)


def disposition(value: bytes) -> tuple[str, dict[str, str]]:
    """Return the lower-case disposition ("inline", "attachment", "") and its parameters."""
    text = plain(value)
    return text.partition(";")[0].strip().lower(), parameters(text)


def parameters(text: str) -> dict[str, str]:
    """Return the parameters of a field, those of RFC 2231 put together, the first one winning."""
    simple: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in itertools.islice(_PARAMETER.finditer(text), _MOST_PARAMETERS):
        name, value = match[1].lower(), unquoted(match[2] or "")
        extended = _EXTENDED.fullmatch(name)
        if extended is None:
            simple.setdefault(name, value)
        else:
            number = int(extended[2] or 0)
            encoded = extended[2] is None or extended[3] == "*"
            pieces.setdefault(extended[1], {}).setdefault(number, (value, encoded))
    return simple | {name: _joined(found) for name, found in pieces.items()}


def unquoted(value: str) -> str:
    """Return a quoted string without its marks and escapes (RFC 5322 §3.2.4)."""
    value = value.strip()
    if not value.startswith('"'):
        return value
    value = value[1:-1] if value.endswith('"') and len(value) > 1 else value[1:]
    return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """Put the pieces of one parameter together (RFC 2231 §3, §4)."""
    charset, out = "", []
    for number in sorted(pieces):
        value, encoded = pieces[number]
        if encoded and number == min(pieces) and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        out.append(unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace"))
    return _CONTROL.sub(" ", charsets.decode(b"".join(out), charset)[0])


_LONGEST_ID = 998  # a line of mail (RFC 5322 §2.1.1)
_BRACKETED = re.compile(r"<([^<>]+)>")
_SPACE = re.compile(r"\s+")


def message_id(value: bytes) -> str | None:
    """Return a Message-ID without its brackets, or None; unusual forms are tolerated."""
    found = message_ids(value)
    if found:
        return found[0]
    bare = _SPACE.sub("", plain(value)).strip("<>")
    return bare[:_LONGEST_ID] or None


def message_ids(value: bytes) -> tuple[str, ...]:
    """Return the Message-IDs of a field in their order, without brackets and without doubles."""
    text = plain(value)
    found = _BRACKETED.findall(text) or [word for word in text.split() if "@" in word]
    short = (_SPACE.sub("", one).strip("<>,;") for one in found)
    return tuple(dict.fromkeys(one[:_LONGEST_ID] for one in short if one))


_LEAP_SECOND = re.compile(r"(:\d\d):60\b")  # RFC 5322 §3.3; no clock here has one


def date(value: bytes) -> datetime | None:
    """Return the moment a Date field names, aware, in UTC, or None when it names none."""
    text = _LEAP_SECOND.sub(r"\1:59", plain(value)[:200])
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000": a time in UTC, whose place is not told
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
