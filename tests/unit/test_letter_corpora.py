"""Real messages that nobody here wrote; skipped where MAILCOUNSEL_CORPORA is unset."""

from __future__ import annotations

import email
import os
from pathlib import Path

import pytest

from mailcounsel import errors
from mailcounsel.letter import fold, mime, parse, text

CORPORA = os.environ.get("MAILCOUNSEL_CORPORA", "")
BUDGETS = parse.Budgets()

pytestmark = pytest.mark.skipif(not CORPORA, reason="MAILCOUNSEL_CORPORA is unset")


def messages():
    found = sorted(path for path in Path(CORPORA).rglob("*") if path.is_file())
    for path in found:
        if "msg" in path.relative_to(CORPORA).parts:
            yield path, path.read_bytes()


def test_every_message_is_read():
    """No message crashes, every text is valid, and folding covers it in order."""
    count = refused = 0
    for path, raw in messages():
        count += 1
        try:
            found = parse.read(raw, BUDGETS)
        except errors.OverBudget:
            refused += 1
            continue
        values = [found.text, found.subject, found.sender.name, *(v for _, v in found.headers)]
        for value in values:
            value.encode()
            assert "\0" not in value, path
        assert not any({"\n", "\r"} & set(value) for _, value in found.headers), path
        assert len({one.name.casefold() for one in found.attachments}) == len(found.attachments)
        shown = text.terminal_safe(fold.render(found.text, fold.fold(found.text)))
        assert all(one in "\n\t" or one == "\ufffd" or ord(one) >= 32 for one in shown), path
    assert count > 1_000
    assert refused <= count // 1_000


def leaves(part):
    return sum(map(leaves, part.children)) if part.children else 1


def library_leaves(part):
    inside = part.get_content_maintype() == "multipart" and part.is_multipart()
    return sum(map(library_leaves, part.get_payload())) if inside else 1


def test_structure_agrees_with_the_standard_library():
    """The parts found are those of the standard library in all but one of a thousand messages."""
    count = different = 0
    for _, raw in messages():
        count += 1
        try:
            _, root = mime.split(raw, BUDGETS)
        except errors.OverBudget:
            continue
        different += leaves(root) != library_leaves(email.message_from_bytes(raw))
    assert different <= count // 1_000
