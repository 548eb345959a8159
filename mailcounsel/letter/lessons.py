"""Texts a therapist sends by name: skills (`skills/<name>.txt`) and ready letters (`letters/`).

They stand beside the templates, `templates/<language>/skills/breathing.txt`, and are plain words:
nothing in them is filled in, so nothing in them can break. Whatever lies in the folders is found;
the admin's own folder of templates is looked at first, so a new skill is a file and no code.

    Title: Slow breathing
    Exercise: breathe slowly for 5 minutes, twice a day
    Answer: practice 3x

    When we are tense, our breath becomes quick and shallow …
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from mailcounsel import errors
from mailcounsel.letter import templates

SKILLS = "skills"
LETTERS = "letters"
# The lines above the words of each kind of text, all of them required, and none besides.
HEADS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {SKILLS: ("Title", "Exercise", "Answer"), LETTERS: ("Title",)}
)
LONGEST = 4_000  # characters of a text; with greeting and end it still fits on a phone
LONGEST_HEAD = 80  # characters of a line above it: an exercise is the label of a check-in
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text as it stands in its file. `exercise` and `answer` are "" for a ready letter."""

    name: str
    language: str
    title: str
    text: str
    exercise: str = ""
    answer: str = ""


def names(kind: str, language: str, override: Path | None = None) -> tuple[str, ...]:
    """Return the names of what there is of a kind in a language, in alphabetical order."""
    found = {
        path.stem
        for folder in templates.folders(override)
        for path in (folder / language / kind).glob("*.txt")
        if _NAME.fullmatch(path.stem)
    }
    return tuple(sorted(found))


def load(kind: str, name: str, language: str, override: Path | None = None) -> Lesson:
    """Return a text by its name. Raises: NotFound; TemplateError where the file is broken."""
    if not _NAME.fullmatch(name) or not language.isalnum():
        raise errors.NotFound(_unknown(kind, name))
    for folder in templates.folders(override):
        try:
            source = (folder / language / kind / f"{name}.txt").read_text("utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeError) as fault:
            message = f"{language}/{kind}/{name}.txt cannot be read."
            raise errors.TemplateError(message) from fault
        return parse(kind, name, language, source.replace("\r\n", "\n"))
    raise errors.NotFound(_unknown(kind, name, language))


def parse(kind: str, name: str, language: str, source: str) -> Lesson:
    """Read the file of a text. Raises: TemplateError, which names the file and what is wrong."""
    label = f"{language}/{kind}/{name}.txt"
    head, _, words = source.partition("\n\n")
    fields = dict(_fields(head, label))
    if tuple(fields) != HEADS[kind]:
        wanted = ", ".join(HEADS[kind])
        raise errors.TemplateError(f"{label} begins with other lines than {wanted}.")
    text = words.strip()
    if not text or len(text) > LONGEST:
        raise errors.TemplateError(f"{label} needs words below its head, at most {LONGEST}.")
    rest = {one.lower(): value for one, value in fields.items()}
    return Lesson(name, language, text=text, **rest)


def check(languages: tuple[str, ...], override: Path | None = None) -> tuple[str, ...]:
    """Return one line for each text in these languages that is broken."""
    problems = []
    for kind in HEADS:
        for language in languages:
            for name in names(kind, language, override):
                try:
                    load(kind, name, language, override)
                except errors.TemplateError as fault:
                    problems.append(str(fault))
    return tuple(problems)


def _fields(head: str, label: str) -> Iterator[tuple[str, str]]:
    for line in head.split("\n"):
        name, colon, value = line.partition(":")
        value = " ".join(value.split())
        if not colon or not value or len(value) > LONGEST_HEAD:
            raise errors.TemplateError(
                f"{label} has a line in its head that is no `Name: words` of at most "
                f"{LONGEST_HEAD} characters."
            )
        yield name, value


def _unknown(kind: str, name: str, language: str = "") -> str:
    what, shows = {
        SKILLS: ("skill", "mailcounsel skill list"),
        LETTERS: ("ready letter", "mailcounsel reply --help"),
    }[kind]
    where = f" in the language {language}" if language else ""
    return f"There is no {what} {name!r}{where}. `{shows}` shows what there is."
