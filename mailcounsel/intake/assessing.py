"""Step *assess*: language, signs of danger, and a word that asks for something.

Signs of danger are looked for in the whole text, and in texts that are attached, and can only
raise. A command counts only in what the client wrote now, neither in what they quote nor in what is
attached: as a word of its own, or as people say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailcounsel.casework import commands, danger, spoken
from mailcounsel.letter import body, case_words, fold, language
from mailcounsel.letter.parse import Letter

AGREE = "agree"
HELP = "help"


@dataclass(frozen=True, slots=True)
class InFile:
    """Signs of danger in a text that is attached: the file's name, and their kinds."""

    name: str
    kinds: tuple[str, ...]
    is_fresh: bool  # not all of them are quoted


@dataclass(frozen=True, slots=True)
class Assessed:
    """What was seen in a letter's words. `new_words` leaves quotes and signatures out."""

    language: str | None
    new_words: str
    command: str | None
    signs: tuple[danger.Sign, ...]
    case_word: case_words.Places | None = None  # three words as a case may be named by
    in_files: tuple[InFile, ...] = ()
    is_spoken: bool = False  # the command is no word alone, but said as people say it
    is_in_unmarked: bool = False  # a sign stands in a quotation, on a line without its mark

    @property
    def says_more(self) -> bool:
        """Tell whether there is more to read than the one word of a command."""
        lines = [line for line in self.new_words.splitlines() if line.strip()]
        return len(lines) > 1 and not self.is_spoken  # all of that belongs to the word

    @property
    def is_danger(self) -> bool:
        """Tell whether anything here must be read by a named person soon."""
        return bool(self.signs or self.in_files)

    @property
    def is_fresh_danger(self) -> bool:
        """Tell whether the client wrote it now, rather than quoting an earlier letter."""
        own = any(not sign.quoted for sign in self.signs)
        return own or any(file.is_fresh for file in self.in_files)

    @property
    def may_be_fresh_danger(self) -> bool:
        """Tell whether the client wrote it now, or may have: into a quotation without marks.

        Who wrote what there cannot be told, so a person reads the letter before it is filed.
        """
        return self.is_fresh_danger or self.is_in_unmarked

    @property
    def is_plain_danger(self) -> bool:
        """Tell whether the client says so now, and does not deny it in the same breath.

        What is attached may be another's words, and says nothing of it.
        """
        return any(not sign.quoted and not sign.negated for sign in self.signs)


def assess(letter: Letter, languages: tuple[str, ...]) -> Assessed:
    """Look at a letter's words. The subject counts as part of them."""
    text = f"{letter.subject}\n\n{letter.text}"
    start = len(letter.subject) + 2
    spans = fold.fold(letter.text, (), letter.about)
    quoted = [(begin + start, end + start) for begin, end in _quotes(spans)]
    new_words = fold.new_words(letter.text, spans)
    alone = _command(letter.subject, new_words)
    signs = _signs(text, start, quoted)
    return Assessed(
        language=language.guess(new_words or letter.text.strip() or letter.subject, languages),
        new_words=new_words,
        command=_meant(letter, alone or spoken.command(new_words)),
        signs=signs,
        case_word=case_words.find(text),
        in_files=tuple(_in_files(letter)),
        is_spoken=alone is None,
        is_in_unmarked=any(one.quoted and not _is_marked(text, one) for one in signs),
    )


def _signs(text: str, start: int, quoted: Sequence[tuple[int, int]]) -> tuple[danger.Sign, ...]:
    """Look for danger in a subject and the text that begins at `start`; a hint lies in one."""
    said = danger.signs(text, quoted)
    hinted = danger.hints(text, [*quoted, (start, start)], said)
    return tuple(sorted([*said, *hinted], key=lambda sign: sign.start))


def _is_marked(text: str, sign: danger.Sign) -> bool:
    """Tell whether the line of a sign begins with the mark of what is quoted."""
    return text.startswith(">", text.rfind("\n", 0, sign.start) + 1)


def _quotes(spans: Sequence[fold.Span]) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in spans if span.kind == "quote"]


_MOST_ATTACHED = 1_000_000  # characters of attached texts that are looked at


def _in_files(letter: Letter) -> Iterator[InFile]:
    """Look at texts that are attached, but for one that is shown as the letter."""
    left = _MOST_ATTACHED
    for file in letter.attachments:
        words = file.words[:left]
        left -= len(words)
        if not words or words in letter.text:
            continue
        signs = danger.signs(words, _quotes(fold.fold(words, (), letter.about)))
        if signs:
            kinds = tuple(sorted({sign.kind for sign in signs}))
            yield InFile(file.name, kinds, any(not sign.quoted for sign in signs))


def _meant(letter: Letter, command: str | None) -> str | None:
    """Take no command from a file that is shown as the letter, for want of words; but for help."""
    return None if body.ATTACHED in letter.problems and command != HELP else command


def _command(subject: str, new_words: str) -> str | None:
    """Return the command of a letter; one in the subject counts for a letter without words.

    A call for help counts wherever it stands.
    """
    in_subject = commands.command(subject)
    if new_words.strip() and in_subject != HELP:
        in_subject = None
    return commands.command(new_words) or in_subject
