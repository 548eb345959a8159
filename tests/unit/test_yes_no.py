"""A plain yes or no is read only where it can mean nothing else."""

from __future__ import annotations

import pytest

from mailcounsel.practice import yes_no

YES = (
    "ya",
    "Ya.",
    "YA!",
    "iya bisa",
    "Bisa kak, terima kasih",
    "bisa",
    "Baik, saya hadir",
    "oke sip",
    "Ya, waktunya cocok. Terima kasih.",
    "boleh",
    "yes",
    "Yes please",
    "OK, that works for me",
    "Sure, thanks!",
    "Yes, I can make it",
    "Fine",
)
NO = (
    "tidak",
    "Tidak bisa, maaf",
    "maaf saya nggak bisa",
    "gak bisa hari itu",
    "tdk",
    "Maaf bu, tidak bisa jam itu",
    "no",
    "No, sorry",
    "Sorry, I can't make it then",
    "I cannot come",
    "No thanks",
)
UNREAD = (
    "",
    "   ",
    "tidak apa-apa",
    "no problem",
    "tidak masalah",
    "bisa nggak?",
    "bisa tidak jam itu",
    "boleh tidak",
    "tidak bisa tidak",
    "ya tapi lebih siang",
    "ya, tidak",
    "belum tahu",
    "yes but later",
    "I am not sure",
    "ya, tapi saya takut",
    "ok, jam 4",
    "bisa lain hari",
    "terima kasih",
    "thank you",
    "can we talk",
    "saya ingin mati saja",
    "yes " * 60,
    "👍",
)


@pytest.mark.parametrize("words", YES)
def test_a_plain_yes(words):
    """A yes among nothing but courtesy is a yes."""
    assert yes_no.read(words) is True


@pytest.mark.parametrize("words", NO)
def test_a_plain_no(words):
    """A no among nothing but courtesy is a no."""
    assert yes_no.read(words) is False


@pytest.mark.parametrize("words", UNREAD)
def test_everything_else_is_for_a_person(words):
    """A word more, a question, both at once: nothing is read."""
    assert yes_no.read(words) is None
