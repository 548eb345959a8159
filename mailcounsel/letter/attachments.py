"""What comes with a letter: names made safe, bytes as they are, nothing ever unpacked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from mailcounsel.letter import text


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a letter; the name is safe for any file system.

    `words` are those of a text, as they would be read in the letter itself.
    """

    name: str
    content_type: str
    data: bytes
    words: str = ""


_FORBIDDEN = re.compile('[<>:"|?*\x00-\x1f\x7f-\x9f\ufffd]')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)")
_LONGEST_STEM = 100
_LONGEST_ENDING = 12
_ENDINGS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "message/rfc822": ".eml",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
    "application/pgp-keys": ".asc",
    "application/ms-tnef": ".dat",
}


def safe_name(name: str, content_type: str) -> str:
    """Return a name without folders, controls and devices; "file" when nothing is left."""
    last = re.split(r"[/\\]", text.terminal_safe(name).replace("\n", " "))[-1]
    last = unicodedata.normalize("NFC", _FORBIDDEN.sub("_", last))
    last = _DEVICES.sub(r"_\1", " ".join(last.split()).strip(" ."))
    stem, dot, ending = last.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        stem, ending = last, ""
    stem = _within(stem or "file", _LONGEST_STEM)
    return f"{stem}.{ending}" if ending else stem + _ENDINGS.get(content_type, "")


def _within(stem: str, most_bytes: int) -> str:
    """Cut to a number of UTF-8 bytes: file systems count those."""
    return stem.encode()[: 2 * most_bytes].decode("utf-8", "ignore")[:most_bytes].rstrip()


def distinct(found: list[Attachment]) -> tuple[Attachment, ...]:
    """Give every attachment a name of its own, also where upper and lower case are one."""
    seen: dict[str, int] = {}
    out = []
    for one in found:
        key = one.name.casefold()
        name = one.name
        while key in seen:
            seen[key] += 1
            stem, dot, ending = one.name.rpartition(".")
            name = f"{stem} ({seen[key]}){dot}{ending}" if dot else f"{one.name} ({seen[key]})"
            key = name.casefold() if name.casefold() not in seen else key
        seen[key] = 1
        out.append(replace(one, name=name))
    return tuple(out)
