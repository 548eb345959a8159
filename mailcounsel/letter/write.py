"""Build the bytes of a letter that leaves: CRLF, lines within 998 bytes, no header but ours.

The bytes are put together here, not by `email.message`: assigning a header there first decodes
encoded words in the value, which has let newlines through (CVE-2024-6923), and it re-encodes
an Autocrypt field until nobody can read it. What is needed is small.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Literal

from mailcounsel import errors
from mailcounsel.letter import addresses, attachments

OUTER_SUBJECT = "[...]"  # RFC 9788 §3.2.1
WITHOUT_ATTACHMENTS = 20_000  # bytes of a letter on the wire

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The headers of a letter; `message_id` and `references` without angle brackets.

    `references` run from the oldest to the nearest. `extra` are further fields of ours.
    """

    from_name: str
    from_address: str
    to_address: str
    subject: str
    date: datetime  # aware
    message_id: str
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    auto_submitted: Literal["auto-replied", "auto-generated"] | None = None
    extra: tuple[tuple[str, str], ...] = ()


def payload(letter: Outgoing, text: str, files: Sequence[attachments.Attachment] = ()) -> bytes:
    """Build the MIME entity that is encrypted: the real headers are protected inside.

    Its root is multipart/mixed because some programs look for protected headers only there;
    `hp` is RFC 9788, `protected-headers` the older form of it.

    Raises:
        Refused: a header or an address is not fit to be sent.
    """
    fields = _fields(letter)
    fields += [("HP-Outer", f"{name}: {value}") for name, value in _outer_fields(letter)]
    return _mixed(fields, _parts(text, files), '; hp="cipher"; protected-headers="v1"')


def encrypted_mail(letter: Outgoing, armoured: bytes, autocrypt: bytes = b"") -> bytes:
    """Build the mail around an encrypted payload (RFC 3156 §4), its own headers neutral.

    *autocrypt* is a complete raw field (folded, ending in CRLF) or nothing.

    Raises:
        Refused: a header or an address is not fit to be sent.
    """
    boundary = _boundary()
    kind = (
        "Content-Type: multipart/encrypted;\r\n"
        f' protocol="application/pgp-encrypted";\r\n boundary="{boundary}"\r\n\r\n'
    )
    version = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
    message = b"Content-Type: application/octet-stream\r\n\r\n" + _crlf(armoured)
    head = _raw_field(autocrypt) + _header(_outer_fields(letter)) + b"MIME-Version: 1.0\r\n"
    return head + kind.encode() + _between(boundary, [version, message])


def plain_mail(
    letter: Outgoing,
    text: str,
    files: Sequence[attachments.Attachment] = (),
    autocrypt: bytes = b"",
) -> bytes:
    """Build an ordinary mail.

    Raises:
        Refused: a header or an address is not fit to be sent.
    """
    fields = _fields(letter)
    parts = _parts(text, files)
    head = _raw_field(autocrypt)
    if len(parts) == 1:
        return head + _header(fields) + b"MIME-Version: 1.0\r\n" + parts[0]
    return head + _mixed([*fields, ("MIME-Version", "1.0")], parts)


def check_size(raw: bytes, limit: int = WITHOUT_ATTACHMENTS) -> None:
    """Refuse a mail that is larger than a chat program or a slow line takes at once.

    Raises:
        OverBudget: it has more than *limit* bytes.
    """
    if len(raw) > limit:
        raise errors.OverBudget(f"The letter is longer than {limit // 1000} kB. Shorten it.")


# -- header -------------------------------------------------------------------------------------

_NAME = re.compile(r"[!-9;-~]{1,76}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ID = re.compile(r"[!-;=?-~]{1,300}")
_MOST_REFERENCES = 20


def _fields(letter: Outgoing) -> Fields:
    fields: Fields = [
        ("From", _mailbox(letter.from_name, letter.from_address)),
        ("To", _address(letter.to_address)),
        ("Subject", letter.subject),
        *_threading(letter),
    ]
    return fields + [(name, value) for name, value in letter.extra if _is_own(name)]


def _outer_fields(letter: Outgoing) -> Fields:
    """The headers that everyone on the way can read."""
    return [
        ("From", _address(letter.from_address)),
        ("To", _address(letter.to_address)),
        ("Subject", OUTER_SUBJECT),
        *_threading(letter),
    ]


def _threading(letter: Outgoing) -> Fields:
    if letter.date.tzinfo is None:
        raise errors.Refused("The date of a letter needs a time zone.")
    fields: Fields = [
        ("Date", format_datetime(letter.date)),
        ("Message-ID", _bracketed(letter.message_id)),
    ]
    if letter.in_reply_to:
        fields.append(("In-Reply-To", _bracketed(letter.in_reply_to)))
    named = [one for one in letter.references if _ID.fullmatch(one)]
    if named:
        nearest = named[-_MOST_REFERENCES:]
        fields.append(("References", " ".join(_bracketed(one) for one in nearest)))
    if letter.auto_submitted:
        fields.append(("Auto-Submitted", letter.auto_submitted))  # RFC 3834 §5
    return fields


def _is_own(name: str) -> bool:
    """Whether a further field may be added: not one that is set here already."""
    ours = {"from", "to", "cc", "bcc", "subject", "date", "message-id", "sender", "reply-to"}
    if name.lower() in ours or name.lower().startswith(("content-", "mime-")):
        raise errors.Refused("This header is set by the letter itself.")
    return True


def _bracketed(message_id: str) -> str:
    if not _ID.fullmatch(message_id):
        raise errors.Refused("A Message-ID holds a character that cannot be sent.")
    return f"<{message_id}>"


def _address(address: str) -> str:
    """Check an address as strictly as it is read: what comes out is what went in."""
    normal = addresses.normal(address)
    if normal is None or normal.encode().lower() != address.encode().lower():
        raise errors.Refused("This is not an address a letter can be sent to.")
    return normal


def _mailbox(name: str, address: str) -> str:
    if not name:
        return _address(address)
    phrase = name if re.fullmatch(r"[A-Za-z0-9 ]+", name) else _phrase(name)
    return f"{phrase} <{_address(address)}>"


def _phrase(name: str) -> str:
    _check_value(name)
    if name.isascii() and "=?" not in name:
        return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return _encoded(name)


# Made of parts that are encoded already; addresses beyond ASCII stay UTF-8 (RFC 6532).
_STRUCTURED = {"From", "To", "HP-Outer"}


def _header(fields: Fields) -> bytes:
    return "".join(_field(name, value) for name, value in fields).encode("utf-8")


def _field(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        raise errors.Refused("A header's name holds a character that cannot be sent.")
    _check_value(value)
    if name not in _STRUCTURED and ("=?" in value or not value.isascii()):
        value = _encoded(value)
    return _folded(f"{name}: {value}")


def _check_value(value: str) -> None:
    if _CONTROL.search(value):
        raise errors.Refused("A header holds a control character.")


_ENCODED_BYTES = 42  # of UTF-8 in one encoded word, within its 75 characters


def _encoded(value: str) -> str:
    """Write text as encoded words (RFC 2047), none of which cuts a letter in two."""
    words, piece = [], b""
    for letter in value:
        if len(piece) + len(letter.encode()) > _ENCODED_BYTES:
            words.append(piece)
            piece = b""
        piece += letter.encode()
    words.append(piece)
    return " ".join(f"=?utf-8?b?{base64.b64encode(one).decode()}?=" for one in words)


_LINE = 76
_LONGEST_LINE = 998  # RFC 5322 §2.1.1


def _folded(line: str) -> str:
    lines, current = [], ""
    for word in re.findall(r" *[^ ]+ *$| *[^ ]+", line) or [line]:
        if current and len(current) + len(word) > _LINE and word.startswith(" "):
            lines.append(current)
            current = ""
        current += word
    lines.append(current)
    if any(len(one.encode()) > _LONGEST_LINE for one in lines):
        raise errors.Refused("A header is longer than a line of mail can be.")
    return "\r\n".join(lines) + "\r\n"


_RAW_FIELD = re.compile(rb"[!-9;-~]+:[ -~]*\r\n(?:[ \t][ -~]*\r\n)*")


def _raw_field(field: bytes) -> bytes:
    if field and not _RAW_FIELD.fullmatch(field):
        raise errors.Refused("This is not one complete header field.")
    return field


# -- body ---------------------------------------------------------------------------------------


def _boundary() -> str:
    """A line that occurs in no text: "=_" is in no quoted-printable and no base64 (RFC 2045)."""
    return f"=_{secrets.token_hex(12)}"


def _between(boundary: str, parts: list[bytes]) -> bytes:
    mark = boundary.encode()
    body = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts)
    return body + b"--" + mark + b"--\r\n"


def _mixed(fields: Fields, parts: list[bytes], parameters: str = "") -> bytes:
    boundary = _boundary()
    kind = f'Content-Type: multipart/mixed; boundary="{boundary}"{parameters}'
    return _header(fields) + _folded(kind).encode() + b"\r\n" + _between(boundary, parts)


def _parts(text: str, files: Sequence[attachments.Attachment]) -> list[bytes]:
    return [_text_part(text), *(_file_part(one) for one in files)]


def _text_part(text: str) -> bytes:
    """Write text as quoted-printable, or as base64 where that is shorter."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    data = lines.encode("utf-8", "replace")
    quoted = _quoted_printable(data)
    in_base64 = _base64(data.replace(b"\n", b"\r\n"))
    is_quoted = len(quoted) <= len(in_base64)
    encoding = b"quoted-printable" if is_quoted else b"base64"
    return (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: "
        + encoding
        + b"\r\n\r\n"
        + (quoted if is_quoted else in_base64)
    )


def _quoted_printable(data: bytes) -> bytes:
    """Encode text; a line that begins with "From " is kept from becoming ">From "."""
    encoded = binascii.b2a_qp(data, istext=True)
    encoded = re.sub(rb"(?m)^From ", b"=46rom ", encoded)
    return _crlf(encoded)


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _crlf(data: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\r\n", data)


_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
_INVITATION = re.compile(r"text/calendar; method=[A-Z]{1,20}; charset=utf-8")


def _file_part(file: attachments.Attachment) -> bytes:
    if _INVITATION.fullmatch(file.content_type):
        return _invitation_part(file)
    name = attachments.safe_name(file.name, file.content_type)
    kind = file.content_type.lower()
    if not _TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
    return (
        head.encode()
        + b"Content-Disposition: attachment;\r\n"
        + _file_name(name)
        + b"\r\n"
        + _base64(file.data)
    )


def _invitation_part(file: attachments.Attachment) -> bytes:
    """Write a calendar so that programs offer to answer it (RFC 6047 section 2.4).

    It has no disposition: some programs take what is attached for a file and nothing else.
    """
    head = f'Content-Type: {file.content_type};\r\n name="{file.name}"\r\n'
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + _base64(file.data)


def _file_name(name: str) -> bytes:
    """Write a file name as RFC 2231 parameters, in pieces that fit on a line."""
    if name.isascii() and '"' not in name and "\\" not in name and len(name) < _ENCODED_BYTES:
        return f' filename="{name}"\r\n'.encode()
    coded = [
        letter
        if letter.isascii() and letter.isalnum()
        else "".join(f"%{byte:02X}" for byte in letter.encode())
        for letter in name
    ]
    pieces, piece = [], "utf-8''"
    for one in coded:
        if len(piece) + len(one) > _ENCODED_BYTES + 8:
            pieces.append(piece)
            piece = ""
        piece += one
    pieces.append(piece)
    lines = [f" filename*{number}*={text}" for number, text in enumerate(pieces)]
    return (";\r\n".join(lines) + "\r\n").encode()
