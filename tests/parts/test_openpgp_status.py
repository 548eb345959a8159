"""What gpg's status lines prove, and what they do not."""

from __future__ import annotations

import pytest

from mailcounsel.crypto import status

OWN = "A" * 40
GOOD = ("GOODSIG", "AAAAAAAAAAAAAAAA Pat")
VALID = ("VALIDSIG", f"{OWN} 2026-01-01 1 0 4 0 22 10 00 {OWN}")
NEW = ("NEWSIG", "")
OPENED = [
    ("BEGIN_DECRYPTION", ""),
    ("PLAINTEXT", "62 1 "),
    ("DECRYPTION_OKAY", ""),
    ("END_DECRYPTION", ""),
]


def test_a_signature_needs_both_good_and_valid():
    """One of the two lines alone, or twice, proves nothing."""
    assert status.signatures([NEW, GOOD, VALID]) == (status.Signature(OWN, valid=True, known=True),)
    for lines in ([NEW, VALID], [NEW, GOOD, GOOD, VALID], [NEW, GOOD, VALID, VALID]):
        assert [one.valid for one in status.signatures(lines)] == [False]
    assert status.signatures([NEW, GOOD]) == ()
    assert status.signatures([GOOD, VALID]) == ()


@pytest.mark.parametrize("spoil", ["EXPKEYSIG", "REVKEYSIG", "EXPSIG", "BADSIG", "ERRSIG"])
def test_any_doubt_spoils_a_signature(spoil):
    """Whatever else is said of it, and in whatever order."""
    doubt = (spoil, "AAAAAAAAAAAAAAAA 22 10 00 1 4 -")
    for lines in ([NEW, GOOD, VALID, doubt], [NEW, doubt, GOOD, VALID]):
        assert not any(one.valid for one in status.signatures(lines))


@pytest.mark.parametrize("kind", ["02", "10", "13", "1F", "40"])
def test_only_a_signature_over_a_document_counts(kind):
    """A certification, a timestamp or a standalone signature says nothing about a letter."""
    lines = [NEW, GOOD, ("VALIDSIG", VALID[1].replace(" 00 ", f" {kind} "))]
    assert [one.valid for one in status.signatures(lines)] == [False]


def test_a_signatures_good_word_does_not_reach_the_next():
    """Each stands by its own lines."""
    lines = [NEW, GOOD, VALID, NEW, ("BADSIG", "BBBBBBBBBBBBBBBB Max")]
    assert [one.valid for one in status.signatures(lines)] == [True, False]
    assert [one.valid for one in status.signatures([NEW, GOOD, NEW, VALID])] == [False]


def test_an_opened_message_is_whole():
    """Each step once, and nothing gone wrong."""
    assert status.opened_whole(OPENED)
    for step in OPENED:
        assert not status.opened_whole([line for line in OPENED if line != step])
        assert not status.opened_whole([*OPENED, step])
    for wrong in ("DECRYPTION_FAILED", "BADMDC", "UNEXPECTED", "NODATA", "FAILURE"):
        assert not status.opened_whole([*OPENED, (wrong, "")])


def test_only_what_was_said_inside_counts():
    """Signatures before or behind the decryption are a wrapper's."""
    around = [NEW, GOOD, VALID]
    assert status.inside([*around, *OPENED, *around]) == OPENED[:2]
    assert status.inside(around) == []


def test_lines_end_where_gpg_ends_them():
    """At b"\\n" alone; what has no prefix is no status."""
    raw = [
        b"gpg: talk\n",
        b"[GNUPG:] GOODSIG A \xc3\x85\x1c\x0b[GNUPG:] X\r\n",
        b"[GNUPG:] NEWSIG\n",
    ]
    assert status.lines(raw) == [
        ("GOODSIG", "A \xc3\x85\x1c\x0b[GNUPG:] X\r"),
        ("NEWSIG", ""),
    ]
