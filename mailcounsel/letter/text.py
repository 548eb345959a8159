"""Make text fit to be read: HTML turned into text, and text made safe for a terminal.

Nothing remote is ever fetched: images and styles of a letter in HTML are not looked at.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter

from mailcounsel.letter import charsets, tags

log = logging.getLogger(__name__)

# Beyond these the converter with layout is slow, or returns nothing without saying so.
_LAYOUT_MOST_CHARS = 300_000
_LAYOUT_MOST_TAGS = 20_000
_LAYOUT_MOST_OPEN = 200
_MOST_TAGS = 300_000  # a long thread has ten thousand; with more, nobody's quotation can be told
_OPENING = re.compile(r"<[A-Za-z]")
_CLOSING = re.compile(r"</[A-Za-z]")
_VOID = re.compile(r"(?i)<(?:br|img|hr|meta|link|input|col|area|base|wbr|p|li|td|tr|th|o:p)\b")
# Tags of a plain form: what is left of a letter without them holds at least its visible words.
_MARKUP = re.compile(r"""</?[A-Za-z](?:[^<>"']|"[^"<>]*"|'[^'<>]*')*+>""")
_END = re.compile(r"(?i)</(?:body|html)\s*>")
_EMPTY_LINES = re.compile(r"\n[ \t]*\n[ \t\n]*\n")


def html_to_text(html: str) -> tuple[str, bool]:
    """Return the text of *html*, and whether its layout was kept.

    The result of the converter with layout counts only when it holds nearly all of the visible
    characters; on deep nesting it returns nothing at all. It leaves out what stands behind the end
    of the document, where servers and some programs add lines: so no document ends for it.
    """
    html = _END.sub("", charsets.clean(html).translate(_NO_BOUNDS))
    html = _with_bounds(_IMAGE.sub(r" \1 ", _NAMED_BOUND.sub("\ufffd", html)))
    if _is_modest(html):
        laid_out = _with_layout(html)
        if _is_whole(laid_out, html):
            return _tidy(_marked(laid_out)), True
    return _tidy(_marked(tags.words(html))), False


# A picture that stands for a sign, as programs send a face.
_IMAGE = re.compile(
    r"""(?i)<img\b[^<>]{0,2000}?\balt=["']([^"'<>\w\s\x00-\x7f]{1,12})["'][^<>]*>"""
)
# Where a quotation begins and ends, as lines no letter has: they are no characters at all.
_BEGUN, _ENDED = "\ufdd0", "\ufdd1"
# The same of a box in which a program quotes without marks.
_BOX_BEGUN, _BOX_ENDED = "\ufdd2", "\ufdd3"
_NO_BOUNDS = str.maketrans("", "", f"{_BEGUN}{_ENDED}{_BOX_BEGUN}{_BOX_ENDED}")
_NAMED_BOUND = re.compile(r"(?i)&#(?:0*6497[6-9]|x0*fdd[0-3])(?!\w);?")  # by their numbers
_BLOCK = re.compile(r"""(?i)<(/?)(blockquote|div)\b((?:[^<>"']|"[^"<>]*"|'[^'<>]*')*+)>""")
_CITES = re.compile(
    r"""(?i)\btype=["']?cite|\bcite=["']?mid:|border-left(?:-width)?:\s*[1-9]|\b(?:class|id)=["']"""
    r"""[^"']*(?<![\w-])(?:gmail_quote|protonmail_quote|moz-|yahoo_quoted|blockquote_zmail|tutanota_)"""
)
_BOX = re.compile(r"""(?i)\bname=["']quote["']|\bclass=["'][^"']*(?<![\w-])yahoo_quoted""")


def _with_bounds(html: str) -> str:
    """Mark the bounds of what a program quoted; a plain block is how people indent their words.

    A block that is never closed ends with the one around it, as browsers read it. Of more tags than
    any letter has, none is marked.
    """
    if html.count("<") > _MOST_TAGS or not (_CITES.search(html) or _BOX.search(html)):
        return html
    opened: list[tuple[str, str]] = []  # the name of a block, what stands at its end
    unclosed: Counter[str] = Counter()

    def bounded(match: re.Match[str]) -> str:
        name = match[2].lower()
        if not match[1]:
            begun, ended = _bounds_of(name, match[3])
            opened.append((name, ended))
            unclosed[name] += 1
            return match[0] + begun
        bounds, last = [], ""
        while unclosed[name] and last != name:
            last, ended = opened.pop()
            unclosed[last] -= 1
            bounds.append(ended)
        return "".join([*bounds, match[0]])

    return _BLOCK.sub(bounded, html)


def _bounds_of(name: str, attributes: str) -> tuple[str, str]:
    if name == "blockquote" and _CITES.search(attributes):
        return f"<div>{_BEGUN}</div>", f"<div>{_ENDED}</div>"
    if name == "div" and _BOX.search(attributes):
        return f"<div>{_BOX_BEGUN}</div>", f"<div>{_BOX_ENDED}</div>"
    return "", ""


def _with_boxes(text: str) -> str:
    """Take a box for a quotation where words stand below it, which its heading would fold.

    Else it stays without marks, as its program writes it: answers may have been typed into it.
    """
    below = text.rpartition(_BOX_ENDED)[2].translate(_NO_BOUNDS)
    is_bound = _BOX_ENDED in text and below.strip()
    begun, ended = (_BEGUN, _ENDED) if is_bound else ("", "")
    return text.replace(_BOX_BEGUN, begun).replace(_BOX_ENDED, ended)


def _marked(text: str) -> str:
    """Put "> " before the lines between bounds, as the plain version of a letter has it."""
    shown, depth = [], 0
    for piece in _BOUND.split(_with_boxes(text)):
        if piece in (_BEGUN, _ENDED):
            shown.append("\n")
            depth = max(0, depth + (1 if piece == _BEGUN else -1))
        elif depth:
            shown.append(_quoted(piece.strip("\n"), min(depth, _DEEPEST)))
        else:
            shown.append(piece)
    return "".join(shown)


def _quoted(text: str, depth: int) -> str:
    marks = ">" * depth
    lines = (f"{marks} {line.strip()}".rstrip() for line in text.split("\n"))
    return "\n".join(lines) if text.strip() else ""


_BOUND = re.compile(f"({_BEGUN}|{_ENDED})")
_DEEPEST = 5  # marks before a line


def _is_whole(laid_out: str, html: str) -> bool:
    kept = _visible(laid_out)
    # That nothing is missing takes less work to see than to count what there is.
    return _is_most(kept, _MARKUP.sub("", html)) or _is_most(kept, tags.words(html))


def _is_most(kept: int, text: str) -> bool:
    """Whether so many visible characters are 19 of 20, the others being what HTML may hide."""
    return 20 * kept >= 19 * _visible(text)


def _is_modest(html: str) -> bool:
    if len(html) > _LAYOUT_MOST_CHARS:
        return False
    opened = len(_OPENING.findall(html))
    never_closed = opened - len(_CLOSING.findall(html)) - len(_VOID.findall(html))
    return opened <= _LAYOUT_MOST_TAGS and never_closed <= _LAYOUT_MOST_OPEN


def _with_layout(html: str) -> str:
    # Imported here: the command line reads this file, and few of its commands meet HTML.
    from inscriptis import get_text  # noqa: PLC0415
    from inscriptis.css_profiles import CSS_PROFILES  # noqa: PLC0415
    from inscriptis.model.config import ParserConfig  # noqa: PLC0415

    try:
        return str(get_text(html, ParserConfig(css=CSS_PROFILES["strict"])))
    except Exception as fault:  # noqa: BLE001  (whatever it is, the words are in the other text)
        log.info("letter: HTML without layout: %s", type(fault).__name__)
        return ""


def _visible(text: str) -> int:
    return len("".join(text.split()))


def _tidy(text: str) -> str:
    text = charsets.with_newlines(charsets.clean(text)).replace("\xa0", " ")
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", lines).strip("\n")


# Everything that can move a cursor, hide a letter or turn the direction of reading.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def terminal_safe(text: str) -> str:
    """Return *text* with nothing in it that a terminal would act upon or not show.

    Control characters other than newline and tab become U+FFFD; bidi controls and zero-width
    characters are dropped.
    """
    text = charsets.with_newlines(_CONTROLS.sub(_shown_control, charsets.clean(text)))
    return _HIDDEN.sub("", text)


def _shown_control(match: re.Match[str]) -> str:
    return match[0] if match[0] in "\r\x0b\x0c\x1c\x1d\x1e\x85" else "\ufffd"


def one_line(text: str, width: int) -> str:
    """Return *text* safe, on one line, cut with "…" to *width* terminal cells."""
    line = " ".join(terminal_safe(text[: 8 * width + 100]).split())
    if _cells(line) <= width:
        return line
    kept, used = [], 1
    for character in line:
        used += _cells(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def _cells(text: str) -> int:
    """Count the terminal cells: two for wide characters, none for combining ones."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return len(text) + wide - sum(unicodedata.combining(one) > 0 for one in text)
