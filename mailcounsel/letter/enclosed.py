"""Read what is enclosed in a letter: forwarded letters, calendars, winmail.dat, smime.p7m.

Somebody else's letter is often why a client writes, and some programs wrap a client's own words
in a file. The files themselves stay as they came; nothing here decrypts, unpacks or fetches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcounsel import errors
from mailcounsel.letter import body, calendars, cms, headers, mime, tnef
from mailcounsel.letter.attachments import Attachment, safe_name

_LETTERS = {"message/rfc822", "message/global"}
_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
_SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_MOST_LETTERS = 20  # read in one letter; the files of the others are there
_DEEPEST = 3  # a letter in a letter in a letter
_BUDGETS = mime.Budgets(parts=100, depth=20)


def opened(found: body.Body) -> list[str]:
    """Return the words of what is enclosed, and add files that are wrapped to the others."""
    for file in [one for one in found.files if _is_tnef(one)]:
        _open_tnef(file, found)
    for file in [one for one in found.files if _is_wrapped(one)][:_MOST_LETTERS]:
        _unwrap(file, found)
    return list(_words(found.files, _DEEPEST, found.problems))


def _words(files: Sequence[Attachment], deep: int, problems: list[str]) -> Iterator[str]:
    letters = [one for one in files if one.content_type in _LETTERS][:_MOST_LETTERS]
    for file in letters if deep else ():
        try:
            yield _forwarded(file.data, deep - 1, problems)
        except errors.OverBudget:
            problems.append("enclosed-letter-not-read")
    for file in files:
        if file.content_type in calendars.TYPES:
            yield calendars.described(file.data)


def _forwarded(raw: bytes, deep: int, problems: list[str]) -> str:
    """Return a letter in a letter as mail programs show one they forward."""
    raw, root = mime.split(raw, _BUDGETS)
    inside = body.Body(raw)
    body.collect(root, inside)
    words, _ = inside.text()
    problems += [one for one in inside.problems if one != body.ATTACHED]
    lines = ["---------- Forwarded message ----------"]
    for label, name in (("From", "from"), ("Date", "date"), ("Subject", "subject"), ("To", "to")):
        value = headers.decoded(root.raw_field(name))
        lines += [f"{label}: {value}"] if value else []
    return "\n".join([*lines, "", words, *_words(inside.files, deep, problems)]).rstrip("\n")


def _is_tnef(file: Attachment) -> bool:
    return file.content_type in _TNEF or file.name.lower() == "winmail.dat"


def _open_tnef(file: Attachment, found: body.Body) -> None:
    inside = tnef.read(file.data)
    if inside is None:
        found.problems.append("winmail-not-read")
        return
    if inside.text and not any(run.strip() for _, run in found.runs):
        found.runs.append((False, inside.text))
    for name, data in inside.files:
        kind = "application/octet-stream"
        found.files.append(Attachment(safe_name(name, kind), kind, data))


def _is_wrapped(file: Attachment) -> bool:
    return file.content_type in _SMIME or file.name.lower().endswith(".p7m")


def _unwrap(file: Attachment, found: body.Body) -> None:
    """Read the letter that its own signature wraps; an encrypted one stays a file."""
    content = cms.signed_content(file.data)
    if content is None:
        return
    try:
        raw, root = mime.split(content, _BUDGETS)
    except errors.OverBudget:
        found.problems.append("enclosed-letter-not-read")
        return
    inside = body.Body(raw, problems=found.problems)
    body.collect(root, inside)
    found.runs += inside.runs
    found.files += inside.files
