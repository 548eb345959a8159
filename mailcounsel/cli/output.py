"""What is printed: data on stdout, everything else on stderr; as JSON where it is asked for.

Nothing that reaches a terminal carries an escape, control or bidi character, whoever wrote it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with a version.")
no_pager_option = click.option("--no-pager", is_flag=True, help="Print everything at once.")

SHORT = 6  # characters of an id that are shown
NARROWEST = 40  # columns; below that a line is cut by the terminal, not by us


def emit(data: Mapping[str, Any], as_json: bool, render: Callable[[], str]) -> None:
    """Print data as JSON with `"version": 1`, or as people read it."""
    if as_json:
        click.echo(as_line({"version": 1, **data}))
    else:
        text = render()
        if text:
            click.echo(text)


def as_line(data: Any) -> str:
    """Return data as one line of JSON, with every character a terminal may act upon escaped.

    Letters stay as they are, so that people can read it too.
    """
    line = json.dumps(data, ensure_ascii=False)
    if line.isascii() and "\x7f" not in line:
        return line
    return "".join(map(_escaped, line))


def _escaped(character: str) -> str:
    # Printable is what Unicode calls neither control, format, separator nor unassigned.
    return character if character.isprintable() else json.dumps(character)[1:-1]


def short(name: str) -> str:
    """Return what people call a letter in the outbox or in quarantine: the end of its id.

    The beginning is the time and much the same for all; any end that fits one letter is taken.
    """
    return name[-SHORT:]


def say(text: str) -> None:
    """Tell the person something that is not data."""
    click.echo(plain(text), err=True)


def plain(text: str) -> str:
    """Return a message without what a terminal acts upon or does not show.

    It may echo what somebody typed or pasted: a file's name, a case that is none.
    """
    return "".join(one for one in text if one.isprintable() or one in "\n\t")


def width() -> int:
    """Return how many columns a person sees; 80 where nobody can tell."""
    import shutil

    return max(NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def page(text: str, *, plain: bool = False) -> None:
    """Print a long text, through the person's pager on a terminal.

    The pager gets it through a pipe and is told to keep no history, so nothing is written to disk.
    """
    command = [] if plain or not sys.stdout.isatty() else _pager()
    if not command:
        click.echo(text)
        return
    import subprocess

    from mailcounsel.cli import interrupts

    secure = {"LESS": "F", "LESSHISTFILE": "-", "LESSSECURE": "1", "LESSCHARSET": "utf-8"}
    environment = {**os.environ, **secure}
    with interrupts.hosting() as guest:
        guest.program = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
        guest.program.communicate(text.encode() + b"\n")


def _pager() -> list[str]:
    """Return the person's pager, or nothing when they want none or it is not here."""
    import shlex
    import shutil

    named = os.environ.get("MAILCOUNSEL_PAGER", os.environ.get("PAGER", "less"))
    words = shlex.split(named)
    return words if words and shutil.which(words[0]) else []


def local(moment: str | None, now: str | None = None) -> str:
    """Return a moment of the service in this machine's own time, short."""
    if not moment:
        return ""
    when = datetime.fromisoformat(moment).astimezone()
    today = datetime.fromisoformat(now).astimezone() if now else None
    same_day = today is not None and when.date() == today.date()
    return when.strftime("%H:%M" if same_day else "%d %b %H:%M")


def away_from(answer: Mapping[str, Any], moment: str) -> tuple[str, str]:
    """Return the name of this machine's zone, and the moment at the centre, where they differ."""
    here = datetime.fromisoformat(moment).astimezone()
    zone = answer.get("centre_zone")
    at_centre = here.astimezone(ZoneInfo(zone)) if zone else here
    if at_centre.utcoffset() == here.utcoffset():
        return "", ""
    return f" {here:%Z}", f" ({at_centre:%d %b %H:%M} {zone})"


def soon_after(answer: Mapping[str, Any]) -> str:
    """Return when a letter leaves on the client's clock: not in quiet hours, nor to the minute."""
    zone = answer["time_zone"]
    when = datetime.fromisoformat(answer["leaves_at"]).astimezone(ZoneInfo(zone))
    return f"on {when:%a %d %b %H:%M} ({zone}), or soon after"


def ago(moment: str | None, now: str) -> str:
    """Return how long ago something was: 5 min, 3 h, 2 d."""
    if not moment:
        return ""
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(moment)
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    """Return rows in columns, as wide as they need to be, without trailing blanks.

    On a terminal the last column is folded to the width there is.
    """
    if sys.stdout.isatty():
        return _folded_table(rows, heads)
    cells = [heads, *(tuple(map(_cell, row)) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    lines = (
        "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)) for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def and_more(answer: Mapping[str, Any]) -> str:
    """Return the line below a list that was cut short, "" where all of it is shown."""
    return f"\nand {answer['more']} more" if answer.get("more") else ""


def _cell(words: str) -> str:
    return "".join(one if one.isprintable() else " " for one in words)


def _folded_table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    """Return the table as rich lays it out, which counts wide characters and folds long cells."""
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    laid_out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        laid_out.add_column(Text(head), no_wrap=place < len(heads) - 1, overflow="fold")
    for row in rows:
        laid_out.add_row(*(Text(_cell(words)) for words in row))
    console = Console(file=io.StringIO(), width=width(), color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(laid_out)
    return "\n".join(line.rstrip() for line in captured.get().rstrip().split("\n"))
