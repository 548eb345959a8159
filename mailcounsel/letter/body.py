"""Find the words and the files of a letter in its parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mailcounsel.letter import attachments, charsets, headers, mime, report, tags, text

ATTACHED = "attached-text"  # what is shown as the letter was sent as a file, whoever wrote it


@dataclass(slots=True)
class Body:
    """What was found: runs of text, files, parts of a report, and what was odd about them."""

    raw: bytes
    runs: list[tuple[bool, str]] = field(default_factory=list)  # (is HTML, text)
    files: list[attachments.Attachment] = field(default_factory=list)
    pieces: list[report.Piece] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    compared: int = 0  # characters of HTML whose words were compared with those of plain versions

    def text(self) -> tuple[str, bool]:
        """Return the whole text, and whether some of it was HTML.

        A letter without words of its own is the first text that was sent with it to be kept, and
        `ATTACHED` says so.
        """
        runs = self.runs if any(run.strip() for _, run in self.runs) else self._told()
        shown = [self._converted(run) if is_html else run for is_html, run in runs]
        words = "\n\n".join(one.strip("\n") for one in shown if one.strip())
        kept = None if words else next((one for one in self.files if one.words.strip()), None)
        if kept:
            self.problems.append(ATTACHED)
            return kept.words, kept.content_type == "text/html"
        return words, any(is_html for is_html, _ in self.runs)

    def _told(self) -> list[tuple[bool, str]]:
        """Return what a report says to machines, where it says nothing to people."""
        told = (one for one in self.pieces if one.content_type in _REPORT_TYPES)
        return [(False, charsets.with_newlines(charsets.decode(one.data)[0])) for one in told]

    def _converted(self, html: str) -> str:
        words, laid_out = text.html_to_text(html)
        if not laid_out:
            self.problems.append("html-without-layout")
        return words


def data(raw: bytes, part: mime.Part, problems: list[str]) -> bytes:
    """Return the decoded content of a part."""
    encoding = headers.plain(part.raw_field("content-transfer-encoding"))
    decoded, sound = charsets.transfer_decoded(raw[part.body : part.end], encoding)
    if not sound:
        problems.append("transfer-encoding")
    return decoded


def content(raw: bytes, part: mime.Part, problems: list[str]) -> str:
    """Return the text of a text part, its lines ending in newlines."""
    encoded = charsets.unquoted(data(raw, part, problems))
    named = part.params.get("charset", "") or _named_within(part, encoded)
    decoded, sure = charsets.decode(encoded, named)
    if not sure:
        problems.append("charset")
    lines = charsets.with_newlines(decoded)
    if part.params.get("format", "").lower() == "flowed":
        delete_space = part.params.get("delsp", "").lower() == "yes"
        lines = charsets.unflowed(lines, delete_space=delete_space)
    return lines


_META = re.compile(rb"""(?i)<meta[^<>]{0,200}?charset\s*=\s*["']?([\w:.-]{2,40})""")


def _named_within(part: mime.Part, encoded: bytes) -> str:
    """Return the charset a page in HTML names by itself, where its header names none."""
    named = _META.search(encoded[:_BEGINNING]) if part.content_type == "text/html" else None
    return named[1].decode("ascii") if named else ""


_REPORT_TYPES = {
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "message/global-disposition-notification",
    "message/feedback-report",
}
_BEGINNING = 4_000  # bytes of a file that are looked at
_SIGNATURES = {
    "application/pgp-signature",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
}
_INLINE_TEXT = {"text/plain", "text/html", "text/enriched", "text/richtext"}
_WRITTEN = {"text/markdown", "text/x-markdown", "text/x-web-markdown"}  # words as people type them
_FOR_MACHINES = {
    *("text/calendar", "text/x-vcalendar", "text/vcard", "text/x-vcard", "text/directory"),
    *("text/css", "text/javascript", "text/rfc822-headers", "text/x-amp-html", "text/watch-html"),
}
_NO_FILE = re.compile(
    r"(?i)att\d{5}\.(?:txt|html?)"
)  # a text after a picture, as Exchange names it


def collect(part: mime.Part, body: Body) -> None:
    """Add what *part* holds to *body*; nesting is bounded by the budgets it was split with."""
    if part.children:
        _COLLECTORS.get(part.content_type, _all)(part, body)
    else:
        _leaf(part, body)


def _all(part: mime.Part, body: Body) -> None:
    first = part.children[0]
    repeats = _is_marked(part) and _is_marked(first) and _repeats_headers(first, body)
    for child in part.children[1:] if repeats else part.children:
        collect(child, body)


def _is_marked(part: mime.Part) -> bool:
    return part.params.get("protected-headers") == "v1"


_FIELD_LINE = re.compile(r"[A-Za-z-]{1,40}: |[ \t]+\S")


def _repeats_headers(part: mime.Part, body: Body) -> bool:
    """Whether a part only repeats protected headers for programs that cannot read them."""
    if part.children or not part.content_type.startswith("text/"):
        return False
    return _are_fields(content(body.raw, part, body.problems))


def _are_fields(lines: str) -> bool:
    return all(_FIELD_LINE.match(line) for line in lines.strip("\n").split("\n"))


def _encrypted(part: mime.Part, body: Body) -> None:
    body.problems.append("nested-encryption")
    for child in part.children:
        _file(child, body)


def _report(part: mime.Part, body: Body) -> None:
    """Read the first text, and keep the other parts for `report.find`."""
    for child in part.children:
        if not child.children and child.content_type in _INLINE_TEXT and not body.runs:
            _leaf(child, body)
        elif child.children:
            collect(child, body)
        else:
            body.pieces.append(_piece(child, body))


def _piece(part: mime.Part, body: Body) -> report.Piece:
    return report.Piece(part.content_type, data(body.raw, part, body.problems))


_MOST_COMPARED = 200_000  # characters of HTML in one letter; beyond, only much more counts
_MUCH_MORE = 5  # times
_STUB_CHARS = 300
_STUB = re.compile(r"(?i)\b(?:html|mime)\b|^\[cid:[^\]]*\]$")
_WORD = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_CELL_END = re.compile(r"(?i)</t[dh]>")
_LINK = re.compile(r"https?://\S+|<[^<>\s]*>")
# The plain version of Samsung's program, which joins all lines into one.
_JAMMED = re.compile(r"\S-{8} [^-\n]{5,40} -{8}[^\s-]")


def _alternative(part: mime.Part, body: Body) -> None:
    """Read the plain version, or the HTML one where there is no real plain one.

    No words of either are lost: where the HTML says all of the plain one and more, it is read
    alone; else its lines that say more are read as well.
    """
    versions = []
    for child in part.children:
        version = Body(body.raw, problems=body.problems, compared=body.compared)
        collect(child, version)
        body.compared = version.compared
        versions.append(version)
        body.files += version.files
        body.pieces += version.pieces
    plain = next((one for one in versions if _words(one, html=False)), None)
    rich = next((one for one in versions if _words(one, html=True)), None)
    for chosen in _chosen(plain, rich, body):
        body.runs += chosen.runs


def _words(version: Body, *, html: bool) -> bool:
    return any(is_html == html and run.strip() for is_html, run in version.runs)


def _chosen(plain: Body | None, rich: Body | None, body: Body) -> list[Body]:
    if plain is None or rich is None:
        return [one for one in (plain, rich) if one is not None]
    words = " ".join(run for is_html, run in plain.runs if not is_html).strip()
    if _JAMMED.search(words):
        return [rich]
    html = "\n".join(run for is_html, run in rich.runs if is_html)
    body.compared += len(html)
    if body.compared <= _MOST_COMPARED:
        return _compared(plain, rich, words, tags.words(_CELL_END.sub(r" \g<0>", html)))
    is_stub = len(words) < _STUB_CHARS and len(tags.words(html)) > _MUCH_MORE * len(words)
    return [rich] if is_stub else [plain]


def _compared(plain: Body, rich: Body, words: str, visible: str) -> list[Body]:
    told, shown = Counter(_told(words)), Counter(_told(visible))
    if not shown:
        return [plain]
    is_within = "".join(words.split()) in "".join(visible.split())
    missing = 0 if is_within else (told - shown).total()
    differs = 2 * missing > told.total()
    if differs and _STUB.search(words):
        return [rich]
    more = _more(words, visible, shown - told)
    if not more:
        return [plain]
    if differs:
        return [rich, plain]
    return [Body(plain.raw, [(False, more)]), plain] if missing else [rich]


def _more(words: str, visible: str, others: Counter[str]) -> str:
    """Return the sentences of the HTML version that stand nowhere in the plain one.

    One other word within a sentence is how two versions differ that say the same.
    """
    said, found = f" {' '.join(_told(words))} ", []
    for sentence in _SENTENCE_END.split(visible):
        told = _told(sentence)
        new = [word for word in told if word in others]
        is_other = len(new) > 1 or (told and new == told)
        if is_other and not all(map(str.isdigit, new)) and f" {' '.join(told)} " not in said:
            found.append(sentence.strip())
    return "\n".join(found)


def _told(words: str) -> list[str]:
    """Return the words, links aside: in HTML they stand behind others."""
    return _WORD.findall(_LINK.sub("", words).casefold())


def _related(part: mime.Part, body: Body) -> None:
    start = part.params.get("start", "").strip("<>")
    first = next((one for one in part.children if start and _content_id(one) == start), None)
    first = first or part.children[0]
    collect(first, body)
    # A phone's picture message begins with a plan of slides, and its words are the other parts.
    is_plan = not first.children and first.content_type not in _INLINE_TEXT
    for child in part.children:
        if child is not first and is_plan and child.content_type in _INLINE_TEXT:
            _words_of_slide(child, body)
        elif child is not first:
            _file(child, body)


def _words_of_slide(part: mime.Part, body: Body) -> None:
    """Read a named text, unless it was sent to be kept."""
    if _presented(part)[0] == "attachment":
        _file(part, body)
    else:
        words = content(body.raw, part, body.problems)
        body.runs.append((part.content_type != "text/plain", words))


def _content_id(part: mime.Part) -> str:
    return headers.plain(part.raw_field("content-id")).strip("<>")


def _signed(part: mime.Part, body: Body) -> None:
    collect(part.children[0], body)
    for child in part.children[1:]:
        if child.content_type not in _SIGNATURES:
            collect(child, body)


def _leaf(part: mime.Part, body: Body) -> None:
    kind, name = _presented(part)
    if part.content_type in _REPORT_TYPES:
        body.pieces.append(_piece(part, body))
    elif part.content_type.startswith("multipart/"):
        body.problems.append("no-parts")
        body.runs.append((False, content(body.raw, part, body.problems)))
    elif name and part.content_type == "text/plain" and _is_binary(part, body):
        _file(part, body)
    elif _is_to_be_read(part, kind, name, body):
        words = content(body.raw, part, body.problems)
        if part.params.get("hp-legacy-display") == "1" and part.content_type == "text/plain":
            shown, _, rest = words.partition("\n\n")
            words = rest if _are_fields(shown) else words
        is_html = part.content_type in _INLINE_TEXT and part.content_type != "text/plain"
        body.runs.append((is_html, words))
    else:
        _file(part, body)


def _is_to_be_read(part: mime.Part, kind: str, name: str, body: Body) -> bool:
    if kind == "attachment":
        return False
    if part.content_type in _WRITTEN:
        return not name
    has_file_name = bool(name) and _NO_FILE.fullmatch(name) is None
    return part.content_type in _INLINE_TEXT and not (has_file_name and body.runs)


def _is_binary(part: mime.Part, body: Body) -> bool:
    """Whether a file that calls itself text is none: texts hold no NUL, but for UTF-16 and -32."""
    wide = (charsets.codec(part.params.get("charset", "")) or "").startswith(("utf_16", "utf_32"))
    return not wide and b"\0" in data(body.raw, part, [])[:_BEGINNING]


def _presented(part: mime.Part) -> tuple[str, str]:
    kind, parameters = headers.disposition(part.raw_field("content-disposition"))
    return kind, headers.decoded(parameters.get("filename") or part.params.get("name", ""))


def _file(part: mime.Part, body: Body) -> None:
    """Keep a part as a file; one that holds parts is kept as it came."""
    name = attachments.safe_name(_presented(part)[1], part.content_type)
    is_tree = bool(part.children)
    kept = body.raw[part.start : part.end] if is_tree else data(body.raw, part, body.problems)
    words = "" if is_tree else _words_of_file(part, body)
    body.files.append(attachments.Attachment(name, part.content_type, kept, words))


def _may_be_words(part: mime.Part) -> bool:
    """Tell whether a part is a text: of an unknown kind too (RFC 2046 §4.1.4), and by its name.

    Many programs send every file as application/octet-stream.
    """
    if part.content_type == "application/octet-stream":
        return _presented(part)[1].lower().endswith((".txt", ".md"))
    return part.content_type.startswith("text/") and part.content_type not in _FOR_MACHINES


def _words_of_file(part: mime.Part, body: Body) -> str:
    """Return the words of a text that was sent to be kept, "" of anything else."""
    if not _may_be_words(part) or _is_binary(part, body):
        return ""
    words = content(body.raw, part, [])
    if part.content_type in _INLINE_TEXT - {"text/plain"}:
        words = text.html_to_text(words)[0]
    return "" if words.lstrip().startswith("-----BEGIN PGP") else words.strip("\n")


_COLLECTORS: Mapping[str, Callable[[mime.Part, Body], None]] = {
    "multipart/alternative": _alternative,
    "multipart/related": _related,
    "multipart/signed": _signed,
    "multipart/report": _report,
    "multipart/encrypted": _encrypted,
}
