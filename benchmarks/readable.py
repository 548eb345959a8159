"""How many real letters can be read by a person, and why each of the others cannot.

The folder is named by MAILCOUNSEL_CORPORA. What a letter holds is found out apart from our own
reader, with the standard library alone. A text counts as readable when nothing of it was
replaced, nothing looks like bytes read in a wrong charset or left encoded, no markup is left of
HTML, and every visible word of the HTML it was taken from is there.
"""

from __future__ import annotations

import email
import email.message
import html.parser
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import report
from mailcounsel import errors
from mailcounsel.letter import parse

BUDGETS = parse.Budgets()
FEWEST_KEPT = 0.98  # of the visible words of HTML
AIM = 99.9  # per cent

# UTF-8 read as Latin-1 or windows-1252: a letter of two or three bytes shows as one of these.
_WRONG_CHARSET = re.compile(
    '[ÃÂ][\x80-\xbf¡-¿€ŠŒŽšœžŸƒˆ˜–—‘’‚“”„†‡•…‰‹›™]|â€[\x80-\x9fœ™˜”“¦¢"]|ï»¿|Ð[°-¿]Ð|à¸'
)
_MARKUP = re.compile(
    r"(?i)</?(?:html|body|div|span|font|table|tbody|tr|td|p|br|style|a)\b[^<>\n]*>"
)
_ENCODED = re.compile(r"(?:=[0-9A-F]{2}){3}|[^=\s]=\n[^\n]*[^=\s]=\n|=\?[\w-]+\?[bBqQ]\?[^?\s]+\?=")
_BASE64 = re.compile(r"(?:^[A-Za-z0-9+/]{60,76}\n){4}", re.MULTILINE)
# The source of another letter, as a bounce quotes it: shown as it stands there.
_SOURCE = re.compile(r"(?im)^(?:mime-version|content-type|message-id): .*\Z", re.DOTALL)
_ARMOUR = re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "us-ascii": "utf-8", "big5": "cp950"}
_WORD = re.compile(r"[^\W_]+")


def main() -> None:
    """Print how many letters can be read, and name each of the others with the reason."""
    named = os.environ.get("MAILCOUNSEL_CORPORA")
    if not named:
        print("readable  not measured, MAILCOUNSEL_CORPORA is unset", file=sys.stderr)
        return
    corpora, all_of, readable = Path(named), 0, 0
    reasons: Counter[str] = Counter()
    for path in sorted(corpora.rglob("*")):
        if not path.is_file() or "msg" not in path.relative_to(corpora).parts:
            continue
        found = doubts(path.read_bytes())
        all_of, readable = all_of + 1, readable + (not found)
        reasons.update(found[:1])
        if found:
            print(f"readable  {path.relative_to(corpora)}: {', '.join(found)}", file=sys.stderr)
    share = 100 * readable / max(1, all_of)
    figures = {"letters": str(all_of), "readable": f"{readable} ({share:.2f} %)"}
    report.show("readable", f"{AIM} %", **figures, others=str(dict(reasons) or 0))


def doubts(raw: bytes) -> list[str]:
    """Return the reasons for which a person could not read all of a letter, none where one can."""
    try:
        letter = parse.read(raw, BUDGETS)
    except errors.OverBudget:
        return ["over a budget"]
    if letter.protection.kind.endswith("encrypted"):
        return []  # read once it is opened; `reading` looks at those that can be
    text = _ARMOUR.sub("", letter.text)
    own = _SOURCE.sub("", text)
    shown = f"{letter.subject}\n{letter.sender.name}\n{own}"
    library = email.message_from_bytes(raw)
    return [
        *["replaced characters"] * ("\ufffd" in shown and b"\xef\xbf\xbd" not in raw),
        *["a wrong charset"] * _is_misread(f"{letter.subject}\n{letter.sender.name}", own, library),
        *["left encoded"] * bool(_ENCODED.search(shown) or _BASE64.search(own)),
        *["markup"] * (letter.html_used and bool(_MARKUP.search(own))),
        *_lost_words(letter, library),
        *["no words"] * (not letter.text.strip() and _has_words(library)),
    ]


def _is_misread(heads: str, own: str, library: email.message.Message) -> bool:
    in_text = _WRONG_CHARSET.search(own) and not _is_as_written(library)
    return bool(_WRONG_CHARSET.search(heads) or in_text)


def _is_as_written(library: email.message.Message) -> bool:
    """Tell whether no text of a letter can be UTF-8 that was read as something else.

    Such a text is valid UTF-8 beyond ASCII under another name. What looks like it without being so
    was put there by the writer, as the noise of advertisements.
    """
    for part in library.walk():
        data = part.get_payload(decode=True)
        charset = str(part.get_content_charset() or "us-ascii").lower()
        if part.get_content_maintype() != "text" or not isinstance(data, bytes) or data.isascii():
            continue
        if charset not in {"utf-8", "utf8"} and _is_utf_8(data):
            return False
    return True


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lost_words(letter: parse.Letter, library: email.message.Message) -> list[str]:
    """Tell of visible words of the HTML that are not in the text."""
    if not letter.html_used:
        return []
    there = Counter(_WORD.findall(letter.text.casefold()))
    wanted: Counter[str] = Counter()
    for html_text in _texts(library, "text/html"):
        wanted |= Counter(_WORD.findall(_visible(html_text).casefold()))
    missing = sum((wanted - there).values())
    all_of = sum(wanted.values())
    # Of an alternative's two versions the plain one may have been read.
    return ["lost words"] * (all_of > 0 and missing > (1 - FEWEST_KEPT) * all_of)


def _has_words(library: email.message.Message) -> bool:
    plain = any(one.strip() for one in _texts(library, "text/plain"))
    return plain or any(_visible(one).strip() for one in _texts(library, "text/html"))


def _texts(library: email.message.Message, kind: str) -> Iterator[str]:
    """Yield the texts of a kind, but for those that are files, or of letters within the letter."""
    if library.get_content_type().startswith("message/"):
        return
    if library.is_multipart():
        for child in library.get_payload():
            if isinstance(child, email.message.Message):
                yield from _texts(child, kind)
        return
    disposition = str(library.get("content-disposition", "")).strip().lower()
    if library.get_content_type() != kind or disposition.startswith("attachment"):
        return
    data = library.get_payload(decode=True)
    if not isinstance(data, bytes):
        return
    is_file = library.get_filename() is not None and b"\0" in data  # a picture that is called text
    if not is_file:
        charset = str(library.get_content_charset() or "utf-8").lower()
        yield _decoded(data, _WIDER.get(charset, charset))


def _decoded(data: bytes, charset: str) -> str:
    """Read a text as what it is called, else as UTF-8 where it is that, else what can be read."""
    try:
        return data.decode(charset)
    except LookupError:
        return data.decode("latin-1")
    except UnicodeDecodeError:
        return data.decode() if _is_utf_8(data) else data.decode(charset, "ignore")


class _Visible(html.parser.HTMLParser):
    """Collects what a reader would see."""

    unseen = ("script", "style", "title", "head", "noscript", "template")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin what is not seen."""
        if not self._unseen and tag in self.unseen[:3]:
            self._unseen = tag
        self.words.append(" " if tag in {"br", "p", "div", "td", "tr", "li"} else "")

    def handle_endtag(self, tag: str) -> None:
        """End what is not seen."""
        if tag == self._unseen:
            self._unseen = ""

    def handle_data(self, data: str) -> None:
        """Keep what is seen."""
        if not self._unseen:
            self.words.append(data)


def _visible(source: str) -> str:
    reader = _Visible()
    reader.feed(source)
    return "".join(reader.words)
