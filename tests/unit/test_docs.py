"""The pages for people: what they say to type exists, and what they say to send is read."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path

import click
import pytest

from mailcounsel.casework import commands
from mailcounsel.cli import main, seen, viewing
from mailcounsel.letter import words
from mailcounsel.practice import profile

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted({*DOCS.glob("*.md"), *ROOT.glob("*.md")} - {DOCS / "commands.md"})
LANGUAGES = {"en": "", "id": ".id"}
BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)


def text(name, language):
    return (DOCS / f"{name}{LANGUAGES[language]}.md").read_text("utf-8")


def typed(page):
    """Return every command a page names: in backquotes, or on a line of a block."""
    told = page.read_text("utf-8")
    blocks = "\n".join(BLOCK.findall(told))
    in_blocks = re.findall(r"(?m)(?:^\s*(?:\$ )?|: )mailcounsel (\S.*)$", blocks)
    in_words = re.findall(r"`mailcounsel ([^`\n]+)`", BLOCK.sub("", told))
    return in_blocks + in_words


def parsed(line):
    """Read a command as the program does, down to its options; nothing is run."""
    rest = shlex.split(re.sub(r"[⟨>|#].*", "", line), comments=False)
    context = click.Context(main.cli, info_name="mailcounsel", help_option_names=["-h", "--help"])
    _, rest, _ = main.cli.make_parser(context).parse_args(rest)
    command: click.Command = main.cli
    while isinstance(command, click.Group) and rest:
        found = command.get_command(context, rest[0])
        assert found is not None or getattr(command, "invoke_without_command", False), line
        if found is None:
            break
        context, command, rest = click.Context(found, parent=context), found, rest[1:]
    command.make_parser(context).parse_args(rest)
    return command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page):
    """Each command is there, with the options it is shown with."""
    for line in typed(page):
        try:
            parsed(line)
        except (click.UsageError, ValueError) as fault:
            raise AssertionError(f"{page.name}: mailcounsel {line}: {fault}") from fault


def test_a_wrong_option_is_found():
    """The check itself can fail."""
    with pytest.raises(click.NoSuchOption):
        parsed('skill assign C-0042 breathing -m "x"')
    with pytest.raises(AssertionError):
        parsed("goal adopt C-0042")


def test_the_pages_name_commands_enough_to_be_checked():
    """The page for therapists names most of what they type, in both languages."""
    for ending in LANGUAGES.values():
        lines = typed(DOCS / f"for-therapists{ending}.md")
        assert len({" ".join(line.split()[:2]) for line in lines}) >= 25


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_clients_are_told_are_the_words_that_are_read(language):
    """The table has every word of the language; no other word stands in capitals; all are read."""
    page = text("for-clients", language)
    rows = re.findall(r"(?m)^\| ([A-Z, ]+) \|", page)
    told = [word for row in rows for word in row.split(", ")]
    assert sorted(told) == sorted(words.WORDS[language].values())
    assert set(re.findall(r"\b[A-Z]{4,}\b", page)) <= set(told)
    for meaning, word in words.WORDS[language].items():
        assert commands.command(word) == meaning


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letters_on_the_page_are_the_letters_that_leave(language):
    """Each sentence shown stands in a template; those with a day or a number of their own aside."""
    files = (ROOT / "templates" / language).glob("*.txt")
    sources = [re.sub(r"{%.*?%}", "", file.read_text("utf-8")) for file in files]
    ours = " ".join(" ".join(sources).split())
    shown = " ".join(" ".join(BLOCK.findall(text("for-clients", language))).split())
    sentences = [one.strip() for one in re.split(r"(?<=[.:?])\s|…", shown)]
    checked = [one for one in sentences if one and not re.search(r"\d|/", one)]
    assert len(checked) >= 10
    assert [one for one in checked if one not in ours] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_profile_on_the_page_introduces_somebody(language):
    """What is shown can be copied and used, in both languages of clients."""
    (shown,) = re.findall(r"```toml\n(.*?)```", text("for-therapists", language), re.DOTALL)
    for client in LANGUAGES:
        assert profile.parse(shown, client, date(2026, 11, 26)).about


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_flag_is_explained(language):
    """The table names each flag that `show` can tell of, and none that is not."""
    table = text("for-therapists", language).rpartition("\n## ")[2]
    named = [flag for row in re.findall(r"(?m)^\| (`.*?`) \|", table) for flag in row.split(", ")]
    assert sorted(named) == sorted(f"`{flag}`" for flag in viewing.FLAGS)
    assert set(seen.KINDS) <= set(viewing.FLAGS)
