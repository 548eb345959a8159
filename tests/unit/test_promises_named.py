"""The page of promises names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named() -> list[tuple[str, str]]:
    """Return (file, test) pairs in the order the page names them."""
    page = (ROOT / "docs" / "promises.md").read_text()
    found, file = [], ""
    for name in re.findall(r"`(tests/[\w/]+\.py|test_\w+)`", page):
        if name.startswith("tests/"):
            file = name
        else:
            found.append((file, name))
    return found


def test_every_promise_has_tests():
    """All nine promises are on the page, each with at least two tests."""
    page = (ROOT / "docs" / "promises.md").read_text()
    promises = re.split(r"^\d\. ", page, flags=re.MULTILINE)[1:]
    assert [len(re.findall(r"`test_\w+`", text)) >= 2 for text in promises] == [True] * 9


def test_every_named_test_is_there():
    """A promise never rests on a test that was renamed or removed."""
    missing = [pair for pair in named() if f"def {pair[1]}(" not in (ROOT / pair[0]).read_text()]
    assert missing == []
