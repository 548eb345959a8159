"""Reading beside what others expect of the same letters, where a collection ships expectations.

The folder is named by MAILCOUNSEL_CORPORA. The expectations are Python sources; they are looked
at as trees and never run. A difference is printed by name, so that a person can judge whose it is:
some expect bytes they could not read to be left out, or a sender that is in doubt.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks import expectations, parsers, report
from mailcounsel.letter import fold, parse

BUDGETS = parse.Budgets()
LONG_AGO = 1900  # the year that stands for no date there


def main() -> None:
    """Print how many of each kind of fact are as expected, and name those that are not."""
    named = os.environ.get("MAILCOUNSEL_CORPORA")
    if not named:
        print("reading  not measured, MAILCOUNSEL_CORPORA is unset", file=sys.stderr)
        return
    corpora = Path(named)
    for source, facts in (
        ("imap_tools", headers_and_texts(corpora)),
        ("talon mails", replies(corpora)),
        *((source, found(corpora)) for source, found in (*expectations.SOURCES, *parsers.SOURCES)),
    ):
        compare(source, facts)


def compare(source: str, found: Iterable[expectations.Facts]) -> None:
    """Print a source's row, and name what differs."""
    right, all_of = Counter[str](), Counter[str]()
    for name, facts in found:
        for fact, agrees in facts.items():
            all_of[fact] += 1
            right[fact] += agrees
            if not agrees:
                print(f"reading  differs in {fact}: {name}", file=sys.stderr)
    figures = {fact: f"{right[fact]} of {number}" for fact, number in all_of.items()}
    report.show(f"reading  {source:13}", "judge the rest", **figures)


# -- headers, texts and attachments -------------------------------------------------------------


def headers_and_texts(corpora: Path) -> Iterator[tuple[str, dict[str, bool]]]:
    """Compare each message of imap_tools with what its own tests expect."""
    messages = corpora / "imap_tools" / "msg" / "tests" / "messages"
    expected = corpora / "imap_tools" / "expect" / "tests" / "messages_data"
    for path in sorted(expected.rglob("*.py")):
        name = path.relative_to(expected).with_suffix("")
        found = sorted(messages.glob(f"{name}.*"))
        wanted = _data(path)
        if found and wanted:
            yield str(name), _compared(parse.read(found[0].read_bytes(), BUDGETS), wanted)


def _data(path: Path) -> Mapping[str, ast.expr]:
    """Return the keywords of the call whose value is named DATA."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            return {one.arg: one.value for one in node.value.keywords if one.arg}
    return {}


def _compared(letter: parse.Letter, wanted: Mapping[str, ast.expr]) -> dict[str, bool]:
    text, date = _words(_value(wanted["text"])), _moment(wanted["date"])
    facts = {
        "subject": _words(_value(wanted["subject"])) == _words(letter.subject),
        "from": _same(_value(wanted["from_"]), letter.sender.address),
        "files": _length(wanted["attachments"]) == len(letter.attachments),
    }
    facts |= {"text": text in _words(letter.text)} if text else {}
    return facts | ({"date": date == letter.date} if date else {})


def _same(one: Any, other: str | None) -> bool:
    return str(one or "").casefold() == (other or "").casefold()


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _length(node: ast.expr) -> int:
    return len(node.elts) if isinstance(node, ast.List | ast.Tuple) else 0


def _words(value: Any) -> str:
    return re.sub(r"\s+", " ", str(value or "")).strip()


def _moment(node: ast.expr) -> datetime | None:
    """Return the moment that `datetime.datetime(...)` names, in UTC."""
    if not isinstance(node, ast.Call):
        return None
    numbers = [int(_value(one)) for one in node.args]
    zone = next((one.value for one in node.keywords if one.arg == "tzinfo"), None)
    moment = datetime(*numbers[:6], tzinfo=_zone(zone))  # type: ignore[misc,arg-type] # up to six
    return moment.astimezone(UTC) if moment.year > LONG_AGO else None


def _zone(node: ast.expr | None) -> timezone:
    """Return the zone that `datetime.timezone(datetime.timedelta(...))` names, else UTC."""
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Call):
        span = node.args[0]
        named = {one.arg: _value(one.value) for one in span.keywords if one.arg}
        return timezone(timedelta(*(_value(one) for one in span.args), **named))
    return UTC


# -- what was written now -----------------------------------------------------------------------


def replies(corpora: Path) -> Iterator[tuple[str, dict[str, bool]]]:
    """Compare the new words of talon's replies, each "Hello", with what was written above them."""
    folder = corpora / "talon" / "msg" / "tests" / "fixtures" / "standard_replies"
    for path in sorted(folder.glob("*.eml")):
        letter = parse.read(path.read_bytes(), BUDGETS)
        words = fold.new_words(letter.text, fold.fold(letter.text, (), letter.about))
        yield path.name, {"new words": words == "Hello"}
