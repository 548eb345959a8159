"""The words a client can send back alone: agree, stop, pause, resume, help, and what they may ask.

A command changes what the service does in somebody's life, so it is read only when the first
line holds that word and nothing else, or where a short letter plainly says it as people do
(`casework.spoken`). Whatever is unsure is a letter, which a person reads. A cry for help is the
exception, since reading one too many costs nothing.
"""

from __future__ import annotations

import re
from typing import Final, Literal, cast

from mailcounsel.letter import words

Command = Literal[
    "agree", "stop", "pause", "resume", "help", "key", "counsellor", "progress", "copy", "erase",
    "morning", "evening",
]  # fmt: skip
_GREETINGS: Final = frozenset({"morning", "evening"})  # "Pagi," begins many a letter
_THANKS: Final = frozenset({"terima kasih", "makasih", "thanks", "thank you"})

# Never an alias for "agree": consent is the one word that was asked for, or a person decides.
_ALIASES: Final[dict[str, Command]] = {
    "berenti": "stop",
    "brenti": "stop",
    "lanjutkan": "resume",
    "resume": "resume",
    "tolong": "help",
    "bantu": "help",
    "sos": "help",
    "ganti konselor": "counsellor",
    "change counsellor": "counsellor",
    "another counsellor": "counsellor",
    "copy of my file": "copy",
    "salinan berkas": "copy",
    "erase my file": "erase",
    "hapus berkas": "erase",
    "kunci saya": "key",
    "my key": "key",
}
_WORDS: Final[dict[str, Command]] = _ALIASES | {
    word.casefold(): cast("Command", command)
    for language in words.WORDS.values()
    for command, word in language.items()
}
_HELP: Final = frozenset(
    re.sub(r"(.)\1+", r"\1", word) for word, command in _WORDS.items() if command == "help"
)

# What may stand around the word: marks that add no meaning, a bow, a thumb up, a tick, and the
# invisible selectors (colour of skin, form) that phones put behind them.
_ORNAMENTS: Final = (
    " \t.,!:*_\"'()[]“”‘’«»\u00a0\u200b\ufeff"
    "🙏👍✅✔\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
)

# "AGREE" and on the next line "but not to ..." is not an agreement; nor is "ERASE, but not ..." a
# word alone.
_WEIGHTY: Final = frozenset({"agree", "copy", "erase"})
_TAKES_BACK: Final = frozenset((
    "tidak", "tak", "nggak", "gak", "ga", "enggak", "bukan", "belum", "jangan", "tapi", "tetapi",
    "namun", "atau", "kalau", "jika", "asal", "not", "no", "don't", "dont", "never", "but", "or",
    "if", "unless", "except", "only",
))  # fmt: skip


def command(new_words: str) -> Command | None:
    """Read the command of a letter's new words (quotes already left out), or None.

    Both languages are always read, in any case and with any of the usual marks around the word.
    """
    lines = [stripped for line in new_words.split("\n", 200)[:200] if (stripped := line.strip())]
    if not lines or lines[0].startswith(">"):
        return None
    if _cries_for_help(lines[0]):
        return "help"
    found = _WORDS.get(lines[0].strip(_ORNAMENTS).casefold())
    if found in _GREETINGS and not _only_thanks(lines[1:]):
        return None
    return None if found in _WEIGHTY and _is_taken_back(lines[1:2]) else found


def _only_thanks(lines: list[str]) -> bool:
    return all(line.strip(_ORNAMENTS).casefold() in _THANKS for line in lines)


def _cries_for_help(line: str) -> bool:
    """Tell whether the line's only word is help, whatever marks and repeats it carries."""
    letters = re.findall(r"[^\W_]+", line[:200].casefold())
    return len(letters) == 1 and re.sub(r"(.)\1+", r"\1", letters[0]) in _HELP


def _is_taken_back(next_line: list[str]) -> bool:
    first = next_line[0].casefold().split() if next_line else []
    return bool(first) and (first[0].strip(_ORNAMENTS + "?") in _TAKES_BACK | {""})
