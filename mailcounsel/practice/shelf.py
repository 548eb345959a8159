"""Which questionnaires a centre has: those that come with the program, and its own.

Its own stand in folders, one file for a name and language: `NAME.LANGUAGE.toml`. A file of the
centre's own never replaces one that comes with the program.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from mailcounsel import errors
from mailcounsel.practice import instruments
from mailcounsel.practice.instruments import Measure


@dataclass(frozen=True, slots=True)
class Stub:
    """A questionnaire that is not included: what licence it needs, and where that is had."""

    name: str
    title: str
    licence: str
    where: str


@cache
def included() -> tuple[Measure, ...]:
    """Return the questionnaires that come with the program, by name and language."""
    folder = resources.files("mailcounsel.practice.measures")
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return tuple(
        instruments.read(folder.joinpath(name).read_text("utf-8"), name)
        for name in files
        if name != "stubs.toml"
    )


@cache
def stubs() -> tuple[Stub, ...]:
    """Return what is not included, in the order of the file."""
    source = resources.files("mailcounsel.practice.measures").joinpath("stubs.toml")
    return tuple(Stub(**one) for one in tomllib.loads(source.read_text("utf-8"))["stub"])


def every(folders: Iterable[Path]) -> tuple[Measure, ...]:
    """Return all questionnaires: those included, then the centre's own.

    A file that cannot be read or is broken is left out, since one bad file never stops the
    others; `faults` names it.
    """
    known = {(one.name, one.language): one for one in included()}
    for file in _files(folders):
        try:
            measure = _own(file)
        except errors.Refused:
            continue
        known.setdefault((measure.name, measure.language), measure)
    return tuple(known.values())


def own_texts(folders: Iterable[Path]) -> list[str]:
    """Return the texts of the centre's own files that can be used."""
    texts = []
    for file in _files(folders):
        try:
            _own(file)
            texts.append(file.read_text("utf-8"))
        except (OSError, errors.Refused):
            continue
    return texts


def faults(folders: Iterable[Path]) -> tuple[str, ...]:
    """Return one sentence for each of the centre's own files that cannot be used."""
    found = []
    for file in _files(folders):
        try:
            _own(file)
        except errors.Refused as fault:
            found.append(str(fault))
    return tuple(found)


def find(name: str, language: str, folders: Sequence[Path]) -> Measure:
    """Return a questionnaire by name and language.

    Raises: NotFound, with what there is, or with what licence to get and where.
    """
    wanted = name.casefold()
    texts = [one for one in every(folders) if one.name == wanted]
    found = [one for one in texts if one.language == language]
    if found:
        return found[0]
    if texts:
        have = ", ".join(sorted(one.language for one in texts))
        raise errors.NotFound(
            f"{texts[0].title} has no text in the language {language!r} here, only in {have}. An "
            "official text you may use can be added: mailcounsel measure import FILE.toml"
        )
    raise errors.NotFound(_why_not(wanted))


def _why_not(name: str) -> str:
    for stub in stubs():
        if stub.name == name:
            return (
                f"{stub.title} is not included. {stub.licence} Ask: {stub.where} Then: "
                "mailcounsel measure import FILE.toml"
            )
    return f"There is no questionnaire {name!r}. `mailcounsel measure list` shows what there is."


def add(text: str, folder: Path) -> Measure:
    """Check a questionnaire and keep it in a folder, in place of an earlier one of the centre's.

    Raises: Refused when it is not complete, or would replace one that comes with the program.
    """
    measure = instruments.read(text, "The file")
    if (measure.name, measure.language) in {(one.name, one.language) for one in included()}:
        raise errors.Refused(
            f"{measure.title} in the language {measure.language!r} comes with the program and is "
            "not replaced. Give yours another name."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{measure.name}.{measure.language}.toml"
    fresh = target.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    fresh.replace(target)
    return measure


def _files(folders: Iterable[Path]) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.glob("*.toml"))]


def _own(file: Path) -> Measure:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeError) as fault:
        raise errors.Refused(f"{file.name} cannot be read as text.") from fault
    return instruments.read(text, file.name)
