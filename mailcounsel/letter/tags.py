"""Take the words out of HTML by looking at tags only.

It builds no tree, so neither depth nor broken nesting can cost it time or words. Layout is
poor: it is the measure against which the better converter is checked, and what is shown where
that one fails.
"""

from __future__ import annotations

import re
from html import unescape

_TAG = re.compile(r"<!--|<([/!?]?)([A-Za-z][A-Za-z0-9:-]{0,40})?")
_BLOCKS = frozenset(
    {"article", "blockquote", "br", "dd", "div", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
    | {"li", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
_UNSEEN = frozenset({"script", "style", "title", "head", "template", "noscript", "svg"})
_HUGE_NUMBER = re.compile(r"&#[xX]?[0-9A-Fa-f]{8,}")
_BLANKS = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n\s*\n\s*")
_ATTRIBUTE = re.compile(r"""[^"'>]*(?:"[^"]*"|'[^']*'|>)""")


def entities(text: str) -> str:
    """Read character references; absurdly long numbers become U+FFFD."""
    return unescape(_HUGE_NUMBER.sub("\ufffd", text))


# Beyond this size, every tag becomes a blank.
_MOST_CHARS = 1_000_000
_MOST_ENTITIES = 100_000
_ANY_TAG = re.compile(r"<[!/A-Za-z][^<>]*>?")


def _roughly(html: str) -> str:
    text = _ANY_TAG.sub(" ", html)
    return entities(text) if text.count("&") <= _MOST_ENTITIES else text


def words(html: str) -> str:
    """Return the text of *html*, one line a block, without scripts, styles and comments."""
    if len(html) > _MOST_CHARS:
        return _roughly(html)
    out: list[str] = []
    unclosed: set[str] = set()
    position, length = 0, len(html)
    while position < length:
        start = html.find("<", position)
        if start < 0:
            start = length
        out.append(html[position:start].replace("\n", " "))
        if start == length:
            break
        position, mark = _after_tag(html, start, unclosed)
        out.append(mark)
    text = _BLANKS.sub(" ", entities("".join(out)))
    return _EMPTY_LINES.sub("\n\n", text.replace(" \n", "\n").replace("\n ", "\n")).strip()


def _after_tag(html: str, start: int, unclosed: set[str]) -> tuple[int, str]:
    """Return where the text goes on after the tag at *start*, and what stands for the tag.

    *unclosed* collects the names whose closing tag was looked for in vain, so that it is
    looked for once.
    """
    match = _TAG.match(html, start)
    if match is None:
        return start + 1, "<"
    if match[0] == "<!--":
        end = html.find("-->", start + 2)
        return (len(html) if end < 0 else end + 3), ""
    name = (match[2] or "").lower()
    if not name and not match[1]:
        return start + 1, "<"
    end = _tag_end(html, match.end())
    if name in _UNSEEN - unclosed and not match[1] and html[end - 2 : end] != "/>":
        return _after_unseen(html, name, end, unclosed), ""
    return end, "\n" if name in _BLOCKS else ""


def _tag_end(html: str, position: int) -> int:
    """Return the place after the `>` that closes a tag, not one inside a quoted attribute."""
    while match := _ATTRIBUTE.match(html, position):
        position = match.end()
        if html[position - 1] == ">":
            return position
    end = html.find(">", position)
    return len(html) if end < 0 else end + 1


def _after_unseen(html: str, name: str, position: int, unclosed: set[str]) -> int:
    """Skip to the closing tag; without one only the opening tag is skipped."""
    close = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(html, position)
    if close is None:
        unclosed.add(name)
        return len(html) if name in {"script", "style"} else position
    return close.end()
