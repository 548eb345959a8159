"""A word alone is a command; anything unsure is a letter."""

from __future__ import annotations

import pytest

from mailcounsel.casework import commands
from mailcounsel.letter import words


@pytest.mark.parametrize("language", sorted(words.WORDS))
def test_every_word_we_offer_is_read(language: str) -> None:
    """What a letter asks for is understood, as written and as a phone writes it."""
    for name, word in words.WORDS[language].items():
        assert commands.command(word) == name
        assert commands.command(f"\n  {word.lower()}.\n\nTerima kasih") == name
        assert commands.command(f"*{word.capitalize()}* 🙏🏽") == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("berenti", "stop"),
        ("“STOP”", "stop"),
        ("STOP!!", "stop"),
        ("Lanjutkan.", "resume"),
        ("resume", "resume"),
        ("SETUJU ✅", "agree"),
        ("AGREE\n\nSent from my phone", "agree"),
        ("AGREE\r\n", "agree"),
        ("tolong", "help"),
        ("TOLOOOONG!!!", "help"),
        ("help??", "help"),
        ("help 😭", "help"),
        ("heeelp", "help"),
        ("- help", "help"),
        ("SOS", "help"),
        ("Bantuan", "help"),
    ],
)
def test_a_word_alone_on_the_first_line_is_a_command(text: str, expected: str) -> None:
    """Marks, case and what follows on later lines change nothing."""
    assert commands.command(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t\n",
        "please stop",
        "stop please",
        "I do not agree",
        "not agree",
        "tidak setuju",
        "Saya setuju",
        "disagree",
        "agreed",
        "AGREE?",
        "STOP?",
        "STOP 1",
        "❌ SETUJU",
        "AGREE 👎",
        "~AGREE~",
        "-AGREE",
        "!=AGREE",
        "A GREE",
        "setujuu",
        "AGREE\nbut not to the video",
        "AGREE\n?",
        "SETUJU\ntapi jangan lewat email",
        "HAPUS\njangan dulu",
        "ERASE\nor not?",
        "COPY\nbut only of the last letter",
        "AGREE STOP",
        "AGREE/STOP",
        "> STOP",
        "Halo\nSTOP",
        "stopover",
        "help me",
        "tolong saya",
        "please help",
        "helpful",
        "pause for a week",
        "jeda dulu ya",
        "Re: STOP",
    ],
)
def test_anything_else_is_a_letter(text: str) -> None:
    """A sentence, a doubt or a quoted word never commands anything."""
    assert commands.command(text) is None


def test_a_huge_letter_is_read_at_once() -> None:
    """Only the beginning counts."""
    assert commands.command("a" * 5_000_000) is None
    assert commands.command("help" + "!" * 5_000_000) == "help"
