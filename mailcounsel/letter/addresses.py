"""Read addresses: tolerant for those a letter is for, strict for the one it is from.

A sender is an identity only when the From field can be understood in a single way by everyone.
Every construction with which programs have been brought to disagree (groups, routes, comments
inside an address, quoted or encoded local parts, two fields) makes it nobody's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import idna

from mailcounsel.letter import charsets, headers


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a letter says it is from.

    `doubt` is "" or a code: no-sender, several-from, several-addresses, group, route, comment,
    encoded, control, not-an-address; with an address, only name-shows-another-address.
    """

    address: str | None
    name: str
    doubt: str


@dataclass(slots=True)
class _Mailbox:
    words: list[str] = field(default_factory=list)
    angle: list[str] | None = None
    is_open: bool = False  # inside the angle brackets
    comment: str = ""
    oddity: str = ""

    @property
    def spec(self) -> str:
        return "".join(self.words if self.angle is None else self.angle).strip()

    @property
    def name(self) -> str:
        if self.angle is None:
            return self.comment.strip()
        words = (headers.unquoted(word) if word[:1] == '"' else word for word in self.words)
        return "".join(words).strip()


_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|[(<>,;:]|\s+|[^\s"(<>,;:]+', re.DOTALL)
_COMMENT_EDGE = re.compile(r"\\.?|[()]", re.DOTALL)
_MOST_ADDRESSES = 1_000


def _pieces(value: str) -> Iterator[str]:
    """Yield quoted strings, comments (from "(" to its end), specials, blanks and atoms."""
    position = 0
    while match := _PIECE.match(value, position):
        end = match.end()
        if match[0] == "(":
            end = _comment_end(value, end)
        yield value[position:end]
        position = end


def _comment_end(value: str, position: int) -> int:
    depth = 1
    for edge in _COMMENT_EDGE.finditer(value, position):
        depth += {"(": 1, ")": -1}.get(edge[0], 0)
        if depth == 0:
            return edge.end()
    return len(value)


def _mailboxes(value: str) -> list[_Mailbox]:
    found: list[_Mailbox] = []
    current, group = _Mailbox(), False
    for piece in _pieces(value):
        if piece in {",", ";"} and not current.is_open:
            found.append(current)
            current = _Mailbox(oddity="group" if group and piece == "," else "")
            group = group and piece == ","
        elif piece == ":" and not current.is_open:
            group, current = True, _Mailbox(oddity="group")
        else:
            _take(current, piece)
        if len(found) >= _MOST_ADDRESSES:
            break
    current.oddity = current.oddity or ("not-an-address" if current.is_open else "")
    found.append(current)
    return [box for box in found if box.spec or box.name or box.oddity]


def _take(box: _Mailbox, piece: str) -> None:
    if piece[0] == "(":
        box.comment = piece[1:].removesuffix(")")
        box.oddity = box.oddity or ("comment" if box.is_open else "")
    elif piece == "<":
        box.oddity = box.oddity or ("" if box.angle is None else "several-addresses")
        box.angle, box.is_open = (box.angle or []), True
    elif piece == ">":
        box.oddity = box.oddity or ("" if box.is_open else "not-an-address")
        box.is_open = False
    elif box.is_open and box.angle is not None:
        box.angle.append(piece)
        box.oddity = box.oddity or ("route" if piece in {",", ":", ";"} else "")
    elif box.angle is not None:
        box.oddity = box.oddity or ("" if piece.isspace() else "not-an-address")
    else:
        if box.comment and not piece.isspace():
            box.oddity = box.oddity or "comment"
        box.words.append(piece)


# RFC 5322 atext and the dot; what lies beyond ASCII is checked on its own.
_LOCAL = re.compile("[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]{1,64}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_ADDRESS = 254


def normal(spec: str) -> str | None:
    """Return an addr-spec in its one written form, or None when it is not plainly one.

    The domain is lower-case and in punycode; the local part is left as it is.
    """
    local, at, domain = spec.partition("@")
    if not at or len(spec) > _LONGEST_ADDRESS or "=?" in local or not _LOCAL.fullmatch(local):
        return None
    if not local.isascii() and not _is_plain_unicode(local):
        return None
    host = _ascii_domain(domain)
    return f"{local}@{host}" if host else None


def compared(address: str) -> str:
    """Return an address as mail systems compare it: A to Z as a to z, the domain as it is sent.

    Beyond ASCII nothing equals anything else: weiß@ and weiss@ are two people.
    """
    written = normal(address.strip()) or address.strip()
    return written.encode().lower().decode()


def _is_plain_unicode(local: str) -> bool:
    return local.isprintable() and unicodedata.normalize("NFKC", local) == local


def _ascii_domain(domain: str) -> str | None:
    wire = domain.lower() if domain.isascii() else _punycode(domain)
    labels = wire.split(".")
    return wire if all(_LABEL.fullmatch(label) for label in labels) else None


def _punycode(domain: str) -> str:
    """Return a domain beyond ASCII as IDNA 2008 writes it, "" where it is not plainly one.

    The rules of 2003, which Python brings along, name another domain for some: strasse.de for
    straße.de. What has to be mapped beyond lower case is left alone, since programs disagree on it.
    """
    domain = unicodedata.normalize("NFC", domain)
    try:
        wire = idna.encode(domain, strict=True, uts46=True, std3_rules=True).decode("ascii")
        return wire if idna.decode(wire) == domain.lower() else ""
    except idna.IDNAError:
        return ""


def recipients(values: Sequence[bytes]) -> tuple[str, ...]:
    """Return every address that can be understood, in order, without doubles."""
    boxes = (box for value in values for box in _mailboxes(headers.plain(value)))
    found = (normal(box.spec) for box in boxes)
    return tuple(dict.fromkeys(address for address in found if address))


_SHORTEST_NAME = 4  # characters: a shorter one stands in too many words


def names(values: Sequence[bytes]) -> tuple[str, ...]:
    """Return the names beside the addresses, in order, without doubles."""
    boxes = (box for value in values for box in _mailboxes(headers.plain(value)))
    found = (headers.decoded(box.name) for box in boxes)
    return tuple(dict.fromkeys(name for name in found if len(name) >= _SHORTEST_NAME))


def sender(values: Sequence[bytes], charset: str = "") -> Sender:
    """Read the From fields of a letter; the address is None unless it is beyond doubt.

    `charset` is that of the letter's words, for a name beyond ASCII that is not encoded.
    """
    if not values:
        return Sender(None, "", "no-sender")
    boxes = _mailboxes(headers.plain(values[0], charset))
    name = headers.decoded(boxes[0].name) if boxes else ""
    doubt = _doubt(values, boxes)
    if doubt:
        return Sender(None, name, doubt)
    spec = boxes[0].spec
    if not spec.isascii() and not charsets.decode(values[0])[1]:
        return Sender(None, name, "encoded")
    address = normal(spec)
    if address is None:
        return Sender(None, name, "encoded" if "=?" in spec else "not-an-address")
    return Sender(address, name, _name_doubt(name, address))


def _doubt(values: Sequence[bytes], boxes: list[_Mailbox]) -> str:
    if len(values) > 1:
        return "several-from"
    if any((byte < 32 and byte != 9) or byte == 127 for byte in values[0]):
        return "control"
    if not boxes:
        return "no-sender"
    if boxes[0].oddity:
        return boxes[0].oddity
    return "several-addresses" if len(boxes) > 1 else ""


_SHOWN_ADDRESS = re.compile(r"[^\s<>@\"'(),;:]{1,64}@[^\s<>@\"'(),;:]{1,190}")


def _name_doubt(name: str, address: str) -> str:
    shown = _SHOWN_ADDRESS.search(unicodedata.normalize("NFKC", name))
    differs = shown is not None and compared(shown[0]) != compared(address)
    return "name-shows-another-address" if differs else ""
