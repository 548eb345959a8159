"""Split a message into its parts, in one pass over the raw bytes and within budgets.

Python's own parser goes through a message line by line and holds every line as an object;
its structured headers need quadratic time. Here the only thing looked at in a body is a line
beginning with `--`, in a dictionary of the boundaries that are open at that point, so the time
is linear whatever the nesting. Parts are offsets into the raw bytes, and a signed part can be
taken exactly as it came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailcounsel import errors
from mailcounsel.letter import headers


@dataclass(frozen=True, slots=True)
class Budgets:
    """The largest letter that is read; beyond it `errors.OverBudget` is raised.

    The defaults are those of Postfix: message_size_limit, header_size_limit,
    mime_nesting_limit, mime_boundary_length_limit.
    """

    size: int = 10_240_000  # bytes of the whole message
    header_bytes: int = 102_400  # bytes of one header block
    headers: int = 1_000  # fields of one header block
    parts: int = 1_000
    depth: int = 100
    boundary: int = 2_048  # bytes


# More lines beginning with "--" than this are no letter, and would cost a second to look at.
_MOST_DASHED_LINES = 200_000


@dataclass(slots=True)
class Part:
    """One MIME entity, as offsets into the raw bytes."""

    fields: tuple[tuple[str, bytes], ...]  # lower-case name, raw unfolded value
    start: int  # of the header block
    body: int  # first byte after the blank line
    end: int
    content_type: str = "text/plain"
    params: dict[str, str] = field(default_factory=dict)
    children: list[Part] = field(default_factory=list)

    def raw_field(self, name: str) -> bytes:
        """Return the raw value of the first field of this name, or nothing."""
        return next((value for key, value in self.fields if key == name), b"")

    @property
    def is_multipart(self) -> bool:
        """Whether the part names itself multipart and parts were found in it."""
        return bool(self.children)


_FIELD = re.compile(rb"([!-9;-~]{1,256})[ \t]*:")
_BLANKS = re.compile(rb"[ \t\r\n]*")
_DASHED = re.compile(rb"^--([^\r\n]*)", re.MULTILINE)


def split(raw: bytes, budgets: Budgets) -> tuple[bytes, Part]:
    """Return the bytes the offsets refer to, and the root part.

    The bytes are *raw* itself, unless lines of its header end in bare CR: such a header is read so
    that no word of the letter is lost, and proves nothing (`parse.BARE_RETURNS`).

    Raises:
        OverBudget: the message is larger or more deeply nested than the budgets allow.
    """
    if len(raw) > budgets.size:
        raise errors.OverBudget("The letter has more bytes than the limits allow.")
    raw = _with_line_ends(raw)
    return raw, _Splitter(raw, budgets).run()


_HEAD_END = re.compile(rb"\n\r?\n")
_BARE = re.compile(rb"\r(?!\n)")
_BARE_END = re.compile(rb"(?<!\r)\r{2,}+(?!\n)")
_OF_A_BORDER = re.compile(rb"^(?=authentication-results[ \t]*:)", re.MULTILINE | re.IGNORECASE)


def _with_line_ends(raw: bytes) -> bytes:
    """Return a letter with LF for each bare CR, where its header would not end otherwise.

    Our border read no such line as one: a field of its own that begins behind a bare CR was written
    by the sender, and is none.
    """
    if b"\n" not in raw:
        return raw.replace(b"\r", b"\n")
    first = _first_field(raw)
    end = _HEAD_END.search(raw, first)
    if not _BARE_END.search(raw, first, end.start() if end else len(raw)):
        return raw
    bare = _BARE.search(raw, first)
    start = bare.start() if bare else len(raw)
    rest = raw[start:].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head, blank, words = rest.partition(b"\n\n")
    return raw[:start] + _OF_A_BORDER.sub(b"X-Not-", head) + blank + words


class _Splitter:
    """The parts that are open, from the root to the one being read, and their boundaries."""

    def __init__(self, raw: bytes, budgets: Budgets) -> None:
        self.raw = raw
        self.budgets = budgets
        self.count = 0
        self.open: list[Part] = []
        self.boundaries: dict[bytes, list[int]] = {}  # boundary -> places in self.open

    def run(self) -> Part:
        root = self._begin(_first_field(self.raw))
        dashed = _DASHED.finditer(self.raw, root.body) if self.boundaries else ()
        for match in dashed:
            if not self.boundaries:
                break
            line = match.group(1).rstrip(b" \t")
            if line in self.boundaries:
                place = self.boundaries[line][-1]
                self._finish_after(place, match.start())
                self._begin(_after_line(self.raw, match.end()))
            elif line[-2:] == b"--" and line[:-2] in self.boundaries:
                place = self.boundaries[line[:-2]][-1]
                self._finish_after(place, match.start())
                self._forget(line[:-2], place)
        self._finish_after(-1, len(self.raw), trim=False)
        return root

    def _check_dashes(self) -> None:
        if self.raw.count(b"\n--") > _MOST_DASHED_LINES:
            raise errors.OverBudget("The letter has more dashed lines than the limits allow.")

    def _begin(self, start: int) -> Part:
        self.count += 1
        if self.count > self.budgets.parts:
            raise errors.OverBudget("The letter has more parts than the limits allow.")
        fields, body = _header_block(self.raw, start, self.budgets, is_root=not self.open)
        part = Part(fields, start, body, len(self.raw))
        part.content_type, part.params = headers.content_type(
            part.raw_field("content-type"), default=self._default_type()
        )
        if self.open:
            self.open[-1].children.append(part)
        self.open.append(part)
        if part.content_type.startswith("multipart/"):
            self._expect(part)
        return part

    def _default_type(self) -> str:
        inside_digest = self.open and self.open[-1].content_type == "multipart/digest"
        return "message/rfc822" if inside_digest else "text/plain"

    def _expect(self, part: Part) -> None:
        if len(self.open) == 1:
            self._check_dashes()
        boundary = part.params.get("boundary", "").encode("utf-8", "replace").rstrip()
        if len(boundary) > self.budgets.boundary:
            raise errors.OverBudget("The letter has a longer boundary than the limits allow.")
        if len(self.open) > self.budgets.depth:
            raise errors.OverBudget("The letter is more deeply nested than the limits allow.")
        if boundary:
            self.boundaries.setdefault(boundary, []).append(len(self.open) - 1)

    def _forget(self, boundary: bytes, place: int) -> None:
        places = self.boundaries.get(boundary, [])
        if places and places[-1] == place:
            places.pop()
            if not places:
                del self.boundaries[boundary]

    def _finish_after(self, place: int, end: int, *, trim: bool = True) -> None:
        """Close every part opened after *place*; the line end before a boundary is its own."""
        if trim:
            end -= self.raw[end - 1 : end] == b"\n"
            end -= self.raw[end - 1 : end] == b"\r"
        while len(self.open) > place + 1:
            part = self.open.pop()
            part.end = max(end, part.start)
            part.body = min(part.body, part.end)
            boundary = part.params.get("boundary", "").encode("utf-8", "replace").rstrip()
            self._forget(boundary, len(self.open))


def _first_field(raw: bytes) -> int:
    """Skip blank lines and the `From ` line of a mailbox file."""
    match = _BLANKS.match(raw)
    start = match.end() if match else 0
    if raw.startswith((b"From ", b">From "), start):
        return _after_line(raw, start)
    return start


def _after_line(raw: bytes, position: int) -> int:
    end = raw.find(b"\n", position)
    return len(raw) if end < 0 else end + 1


_NEEDED = re.compile(rb"^(from|content-type)[ \t]*:", re.MULTILINE | re.IGNORECASE)
# What may be gone on with. Never a word of our own border: a sender would finish its sentence.
_GOES_ON = {"subject", "to", "cc", "references", "in-reply-to", "content-type"}
_END_OF_BLOCK = re.compile(rb"^\r?$", re.MULTILINE)


def _last_needed(
    raw: bytes, position: int, fields: list[tuple[str, bytes]], budgets: Budgets
) -> int:
    """Return where the last field stands that the header lacks so far, else *position*."""
    limit = position + budgets.header_bytes
    blank = _END_OF_BLOCK.search(raw, position, limit)
    there = {name.encode() for name, _ in fields}
    found = _NEEDED.finditer(raw, position, blank.start() if blank else position)
    needed = [one.start() for one in found if one[1].lower() not in there]
    return max(needed, default=position)


def _header_block(
    raw: bytes, start: int, budgets: Budgets, *, is_root: bool
) -> tuple[tuple[tuple[str, bytes], ...], int]:
    """Read fields until a blank line, a boundary, or a line that is no field.

    Some gateways take the blanks off a letter's folded lines. Such a line is no end where the block
    still holds one of `_NEEDED` that has not been there yet, or a Content-Type waits for its
    parameters: that letter does not begin here.
    """
    fields: list[tuple[str, bytes]] = []
    position = start
    lost: int | None = None  # up to where folded lines may lack their blanks
    while position < len(raw):
        if raw.startswith((b"\n", b"\r\n"), position):
            return tuple(fields), _after_line(raw, position)
        if raw.startswith(b"--", position):
            break
        match = _FIELD.match(raw, position)
        if match:
            position = _add_field(raw, start, match, fields, budgets)
            continue
        if lost is None:
            may_be = is_root and bool(fields)
            lost = _last_needed(raw, position, fields, budgets) if may_be else position
        if position >= lost and not _is_owed(fields):
            break
        position = _go_on(raw, position, fields)
    return tuple(fields), position


def _add_field(
    raw: bytes,
    start: int,
    match: re.Match[bytes],
    fields: list[tuple[str, bytes]],
    budgets: Budgets,
) -> int:
    """Add a field with its folded lines, and return where the next line begins."""
    end = _after_line(raw, match.end())
    while raw[end : end + 1] in {b" ", b"\t"}:  # folded
        end = _after_line(raw, end)
        if end - start > budgets.header_bytes:
            break
    if end - start > budgets.header_bytes or len(fields) >= budgets.headers:
        raise errors.OverBudget("The letter has more header than the limits allow.")
    value = raw[match.end() : end].strip()
    if b"\n" in value:  # unfold; a bare CR stays, for `addresses.sender` to see
        value = value.replace(b"\r\n", b"").replace(b"\n", b"").replace(b"\t", b" ")
    fields.append((match.group(1).decode("ascii").lower(), value))
    return end


def _is_owed(fields: list[tuple[str, bytes]]) -> bool:
    """Tell whether a Content-Type waits for its parameters."""
    return bool(fields) and fields[-1][0] == "content-type" and fields[-1][1].endswith(b";")


def _go_on(raw: bytes, position: int, fields: list[tuple[str, bytes]]) -> int:
    """Take a line as the folded end of the last field; return where the next line begins."""
    end = _after_line(raw, position)
    name, value = fields[-1]
    if name in _GOES_ON:
        fields[-1] = (name, value + b" " + raw[position:end].strip())
    return end
