"""Read a letter: raw bytes in, a `Letter` of valid text out.

`read` reads what lies open. When that is an encrypted letter and its content has been opened,
`inner` returns the letter that counts: the content, under the headers that were protected
with it (RFC 9788), or under the outer ones where the sender's program protects none.

OpenPGP is recognised only where it covers the whole letter: at the root of the MIME tree, or
as armour in a letter that is nothing but plain text. Encrypted parts deeper inside are files
(Poddebniak et al., "EFAIL", USENIX Security 2018).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from mailcounsel.letter import (
    addresses,
    attachments,
    body,
    charsets,
    enclosed,
    fold,
    headers,
    mime,
    report,
)
from mailcounsel.letter.mime import Budgets as Budgets

# The header was read in lines that our border never saw: it names nobody, whatever stands in it.
BARE_RETURNS = "bare-returns"

ProtectionKind = Literal["none", "encrypted", "signed", "inline-encrypted", "inline-signed"]


@dataclass(frozen=True, slots=True)
class Protection:
    """The OpenPGP layer around a letter.

    `ciphertext` is the OpenPGP message; `signed` the exact bytes a signature covers, lines
    ending in CRLF (for "inline-signed" the clear-signed block); `signature` is detached.
    """

    kind: ProtectionKind = "none"
    ciphertext: bytes = b""
    signed: bytes = b""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Inside:
    """What the headers inside the protection name: who wrote, and to whom (To, then Cc)."""

    sender: str | None = None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that was read. Every text is valid Unicode without NUL; headers have one line.

    `references` run from the oldest to the nearest. `problems` are codes of what was odd:
    no-message-id, no-date, charset, transfer-encoding, no-parts, html-without-layout,
    nested-encryption, smime, smime-encrypted, text-around-armour, inner-sender-differs,
    winmail-not-read, enclosed-letter-not-read, signed-part, bare-returns,
    attached-text.
    """

    headers: tuple[tuple[str, str], ...]  # lower-case name, decoded value, in order
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sender: addresses.Sender
    recipients: tuple[str, ...]  # To, then Cc
    subject: str
    date: datetime | None  # aware, UTC
    text: str
    about: fold.About  # by which a quotation of ours is told
    html_used: bool
    attachments: tuple[attachments.Attachment, ...]
    autocrypt: tuple[str, ...]  # raw values; those protected inside come alone if there are any
    protection: Protection
    report: report.Report | None
    header_protection: Literal["", "hp", "v1"]
    problems: tuple[str, ...]
    inside: Inside = Inside()

    def header(self, name: str) -> str | None:
        """Return the first value of a field, or None."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, the topmost first."""
        key = name.lower()
        return tuple(value for one, value in self.headers if one == key)


def read(raw: bytes, budgets: Budgets) -> Letter:
    """Read a letter as it came.

    Raises:
        OverBudget: it is larger or more deeply nested than the budgets allow.
    """
    lines, root = mime.split(raw, budgets)
    letter = _with_doubt(_letter(lines, root, root), raw, lines)
    return _with_signed_headers(letter, root.children[0]) if _is_signed(root) else letter


def _with_doubt(letter: Letter, raw: bytes, lines: bytes) -> Letter:
    """Say so where the lines that were read are not those that came."""
    return letter if lines == raw else replace(letter, problems=(*letter.problems, BARE_RETURNS))


def inner(decrypted: bytes, outer: Letter, budgets: Budgets) -> Letter:
    """Return the letter that counts, from the decrypted content of *outer*.

    With `hp` on the content every outer field is ignored except those of the transport; with
    `protected-headers="v1"` the inner ones go first; without either the outer ones stand.
    The result's protection is that of the content: a signature inside the encryption.

    Raises:
        OverBudget: the content is larger or more deeply nested than the budgets allow.
    """
    if outer.protection.kind == "inline-encrypted":
        return _inline(decrypted, outer)
    lines, root = mime.split(decrypted, budgets)
    payload = root.children[0] if _is_signed(root) else root
    content = _with_doubt(_letter(lines, root, payload), decrypted, lines)
    if content.header_protection == "hp":
        return _under_own_headers(content, outer)
    if content.header_protection == "v1":
        return _under_both(content, outer)
    return _under_outer(content, outer)


# -- one letter ---------------------------------------------------------------------------------

_MOST_REFERENCES = 100


def _letter(raw: bytes, root: mime.Part, payload: mime.Part) -> Letter:
    """Read the tree at *root*, with the headers that stand on *payload*."""
    found = body.Body(raw)
    protection = _protection(raw, root, found.problems)
    if protection.kind != "encrypted":
        body.collect(root, found)
    enclosed_words = enclosed.opened(found)
    words, html_used = found.text()
    words = "\n\n".join(part for part in (words, *enclosed_words) if part)
    fields, charset = payload.fields, _charset(payload)
    own_id = _message_id(fields)
    moment = next((headers.date(value) for value in _raw(fields, "date")), None)
    found.problems += ["no-message-id"] * (own_id is None) + ["no-date"] * (moment is None)
    return Letter(
        headers=tuple((name, headers.decoded(value)) for name, value in fields),
        message_id=own_id,
        in_reply_to=_ids(fields, "in-reply-to", own_id),
        references=_ids(fields, "references", own_id),
        sender=addresses.sender(_raw(fields, "from"), charset),
        recipients=addresses.recipients([*_raw(fields, "to"), *_raw(fields, "cc")]),
        subject=_subject(fields, charset),
        date=moment,
        text=words,
        about=_about(fields, charset, own_id),
        html_used=html_used,
        attachments=attachments.distinct(found.files),
        autocrypt=tuple(headers.plain(value) for value in _raw(fields, "autocrypt")),
        protection=protection,
        report=report.find(found.pieces),
        header_protection=_header_protection(payload),
        problems=tuple(dict.fromkeys(found.problems)),
    )


def _with_signed_headers(letter: Letter, covered: mime.Part) -> Letter:
    """Return a signed letter with what the headers under the signature name."""
    if not _header_protection(covered):
        return letter
    fields, charset = covered.fields, _charset(covered)
    sender = addresses.sender(_raw(fields, "from"), charset).address
    to = addresses.recipients([*_raw(fields, "to"), *_raw(fields, "cc")])
    differs = ("inner-sender-differs",) if sender not in {None, letter.sender.address} else ()
    return replace(letter, inside=Inside(sender, to), problems=(*letter.problems, *differs))


Fields = tuple[tuple[str, bytes], ...]


def _about(fields: Fields, charset: str, own_id: str | None) -> fold.About:
    """Say whom a letter is to and from, and whether it answers one."""
    to = [*_raw(fields, "to"), *_raw(fields, "cc")]
    answers = bool(_ids(fields, "in-reply-to", own_id) or _ids(fields, "references", own_id))
    sender = addresses.sender(_raw(fields, "from"), charset)
    own = [sender.address] if sender.address and answers else []
    names = [*addresses.recipients(to), *addresses.names(to), *own]
    is_new = not answers and _ANSWERING.search(_subject(fields, charset)) is None
    return fold.About(tuple(one.casefold() for one in names), sender.name, answers, is_new)


_ANSWERING = re.compile(
    r"(?i)(?:^|\]\s*)(?:re|aw|antw|sv|bls|balas|rv|r|res|odp|回复|回覆|答复)(?:\[\d+\])?\s?[:：]"
)


def _subject(fields: Fields, charset: str) -> str:
    return next((headers.decoded(value, charset) for value in _raw(fields, "subject")), "")


def _charset(part: mime.Part) -> str:
    """Return the charset of the first words, "" where they name none."""
    while part.children:
        part = part.children[0]
    return part.params.get("charset", "")


def _raw(fields: Fields, name: str) -> list[bytes]:
    return [value for one, value in fields if one == name]


def _message_id(fields: Fields) -> str | None:
    return next((headers.message_id(value) for value in _raw(fields, "message-id")), None)


def _ids(fields: Fields, name: str, own_id: str | None) -> tuple[str, ...]:
    """Return the letters a field names, without this one; of too many, the nearest."""
    named = (one for value in _raw(fields, name) for one in headers.message_ids(value))
    others = tuple(dict.fromkeys(one for one in named if one != own_id))
    return others[-_MOST_REFERENCES:]


def _header_protection(payload: mime.Part) -> Literal["", "hp", "v1"]:
    if payload.params.get("hp", "").lower() in {"cipher", "clear"}:
        return "hp"
    return "v1" if payload.params.get("protected-headers", "").lower() == "v1" else ""


# -- protection ---------------------------------------------------------------------------------

_ARMOUR = re.compile(rb"^-----BEGIN PGP MESSAGE-----[ \t]*\r?$", re.MULTILINE)
_ANY_ARMOUR = b"-----BEGIN PGP "
_ARMOUR_END = b"-----END PGP MESSAGE-----"
_CLEAR_SIGNED = re.compile(rb"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\r?$", re.MULTILINE)
_CLEAR_SIGNED_END = b"-----END PGP SIGNATURE-----"
_SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_SMIME_CLOSED = ("enveloped", "authenveloped")
_BARE_LINE_END = re.compile(rb"\r\n|\r|\n")


def _protection(raw: bytes, root: mime.Part, problems: list[str]) -> Protection:
    if _is_encrypted(root):
        return Protection("encrypted", ciphertext=body.data(raw, _not_empty(root)[-1], problems))
    if _is_signed(root):
        covered, signature = root.children
        signed = _BARE_LINE_END.sub(b"\r\n", raw[covered.start : covered.end])
        return Protection("signed", signed=signed, signature=body.data(raw, signature, problems))
    if root.content_type in _SMIME or (root.children and _is_smime_signed(root)):
        problems.append("smime")
        is_closed = root.params.get("smime-type", "").lower().startswith(_SMIME_CLOSED)
        problems += ["smime-encrypted"] * is_closed
    plain = root
    if root.content_type == "multipart/alternative" and root.children:
        plain = root.children[0]  # a browser's extension encrypts what it finds in both versions
    if plain.content_type == "text/plain":
        return _inline_protection(body.data(raw, plain, []), problems)
    if _has_signed_part(root):
        problems.append("signed-part")
    return Protection()


def _is_encrypted(root: mime.Part) -> bool:
    """Whether the whole letter is encrypted (RFC 3156 §4).

    Also where a server has changed the root to multipart/mixed and put empty texts around the
    two parts, as Exchange does.
    """
    return root.content_type in {"multipart/encrypted", "multipart/mixed"} and [
        part.content_type for part in _not_empty(root)
    ] == ["application/pgp-encrypted", "application/octet-stream"]


_EMPTY_TEXT = 8  # bytes: some line ends


def _not_empty(root: mime.Part) -> list[mime.Part]:
    return [
        part
        for part in root.children
        if part.content_type != "text/plain" or part.end - part.body > _EMPTY_TEXT
    ]


def _is_signed(root: mime.Part) -> bool:
    kinds = [part.content_type for part in root.children]
    is_pair = root.content_type == "multipart/signed" and len(kinds) == 2
    return is_pair and kinds[1] == "application/pgp-signature"


def _has_signed_part(part: mime.Part) -> bool:
    """Whether a signature covers something within the letter, which vouches for none of it."""
    return any(_is_signed(child) or _has_signed_part(child) for child in part.children)


def _is_smime_signed(root: mime.Part) -> bool:
    return "pkcs7-signature" in root.children[-1].content_type


def _inline_protection(data: bytes, problems: list[str]) -> Protection:
    block = _block(data, _ARMOUR, _ARMOUR_END)
    if block:
        if data.strip() != block:
            problems.append("text-around-armour")
        return Protection("inline-encrypted", ciphertext=block)
    block = _block(data, _CLEAR_SIGNED, _CLEAR_SIGNED_END)
    if block:
        if data.strip() != block:
            problems.append("text-around-armour")
        return Protection("inline-signed", signed=block)
    return Protection()


def _block(data: bytes, begin: re.Pattern[bytes], end: bytes) -> bytes:
    start = begin.search(data) if _ANY_ARMOUR in data else None
    if start is None:
        return b""
    stop = data.find(end, start.end())
    return data[start.start() : stop + len(end)] if stop >= 0 else b""


# -- the letter inside --------------------------------------------------------------------------

_TRANSPORT = {
    "authentication-results",
    "delivered-to",
    "dkim-signature",
    "envelope-to",
    "received",
    "received-spf",
    "return-path",
    "x-envelope-to",
    "x-original-to",
}


def _under_own_headers(content: Letter, outer: Letter) -> Letter:
    return replace(
        content,
        headers=(*_of_sender(content), *_of_transport(outer)),
        message_id=content.message_id or outer.message_id,
        date=content.date or outer.date,
        about=_both(content.about, outer.about),
        autocrypt=content.autocrypt or outer.autocrypt,
        problems=_problems(content, outer),
        inside=_inside(content),
    )


def _inside(content: Letter) -> Inside:
    return Inside(content.sender.address, content.recipients)


def _is_of_transport(name: str) -> bool:
    return name in _TRANSPORT or name.startswith("arc-")


def _of_transport(outer: Letter) -> tuple[tuple[str, str], ...]:
    return tuple(one for one in outer.headers if _is_of_transport(one[0]))


def _of_sender(content: Letter) -> tuple[tuple[str, str], ...]:
    """Return the fields inside, without what only mail servers on the way may say."""
    return tuple(one for one in content.headers if not _is_of_transport(one[0]))


def _under_both(content: Letter, outer: Letter) -> Letter:
    """Take each field from inside where it is there, from outside where it is not."""
    theirs = _of_sender(content)
    inside = {name for name, _ in theirs}
    others = tuple(one for one in outer.headers if one[0] not in inside)
    return replace(
        content,
        headers=(*theirs, *others),
        message_id=content.message_id or outer.message_id,
        in_reply_to=content.in_reply_to if "in-reply-to" in inside else outer.in_reply_to,
        references=content.references if "references" in inside else outer.references,
        sender=content.sender if "from" in inside else outer.sender,
        recipients=content.recipients if inside & {"to", "cc"} else outer.recipients,
        subject=content.subject if "subject" in inside else outer.subject,
        date=content.date or outer.date,
        about=_both(content.about, outer.about),
        autocrypt=content.autocrypt or outer.autocrypt,
        problems=_problems(content, outer),
        inside=_inside(content),
    )


def _both(inside: fold.About, outside: fold.About) -> fold.About:
    names = tuple(dict.fromkeys((*inside.names, *outside.names)))
    sender, answers = inside.sender or outside.sender, inside.answers or outside.answers
    return fold.About(names, sender, answers, inside.is_new and outside.is_new)


def _under_outer(content: Letter, outer: Letter) -> Letter:
    return replace(
        outer,
        text=content.text,
        html_used=content.html_used,
        attachments=content.attachments,
        autocrypt=content.autocrypt or outer.autocrypt,
        protection=content.protection,
        report=content.report,
        problems=tuple(dict.fromkeys((*outer.problems, *_of_body(content)))),
    )


def _of_body(content: Letter) -> tuple[str, ...]:
    return tuple(one for one in content.problems if one not in {"no-message-id", "no-date"})


def _problems(content: Letter, outer: Letter) -> tuple[str, ...]:
    """Say so when the outside names another sender: what vouches for one is not for the other."""
    found = list(_of_body(content))
    if content.message_id is None and outer.message_id is None:
        found.append("no-message-id")
    inside, outside = content.sender.address, outer.sender.address
    if inside is not None and inside != outside:
        found.append("inner-sender-differs")
    if BARE_RETURNS in outer.problems:
        found.append(BARE_RETURNS)
    return tuple(dict.fromkeys(found))


def _inline(decrypted: bytes, outer: Letter) -> Letter:
    words, sure = charsets.decode(decrypted)
    problems = outer.problems if sure else (*outer.problems, "charset")
    return replace(
        outer,
        text=charsets.with_newlines(words).strip("\n"),
        html_used=False,
        protection=Protection(),
        problems=problems,
    )
