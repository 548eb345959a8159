"""What is printed: data on stdout, everything else on stderr; as JSON where it is asked for.

Nothing that reaches a terminal carries an escape, control or bidi character, whoever wrote it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with a version.")
no_pager_option = click.option("--no-pager", is_flag=True, help="Print everything at once.")


def emit(data: Mapping[str, Any], as_json: bool, render: Callable[[], str]) -> None:
    """Print data as JSON with `"version": 1`, or as people read it."""
    if as_json:
        click.echo(json.dumps({"version": 1, **data}, ensure_ascii=False))
    else:
        text = render()
        if text:
            click.echo(text)


def say(text: str) -> None:
    """Tell the person something that is not data."""
    click.echo(text, err=True)


def page(text: str, *, plain: bool = False) -> None:
    """Print a long text, through the person's pager on a terminal.

    The pager gets it through a pipe, so nothing is written to disk.
    """
    command = os.environ.get("MAILCOUNSEL_PAGER") or os.environ.get("PAGER") or "less"
    if plain or not sys.stdout.isatty() or not shutil.which(command.split()[0]):
        click.echo(text)
        return
    environment = {**os.environ, "LESS": "FRSX", "LESSHISTFILE": "-", "LESSSECURE": "1"}
    subprocess.run(command.split(), input=text.encode(), env=environment, check=False)


def local(moment: str | None, now: str | None = None) -> str:
    """Return a moment of the service in this machine's own time, short."""
    if not moment:
        return ""
    when = datetime.fromisoformat(moment).astimezone()
    today = datetime.fromisoformat(now).astimezone() if now else None
    same_day = today is not None and when.date() == today.date()
    return when.strftime("%H:%M" if same_day else "%d %b %H:%M")


def ago(moment: str | None, now: str) -> str:
    """Return how long ago something was: 5 min, 3 h, 2 d."""
    if not moment:
        return ""
    passed = datetime.fromisoformat(now) - datetime.fromisoformat(moment)
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def table(rows: list[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    """Return rows in columns, as wide as they need to be, without trailing blanks."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in [heads, *rows]
    )
    return "\n".join(line.rstrip() for line in lines)
