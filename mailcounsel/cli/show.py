"""`mailcounsel show`: a case, opened in the reader's own process."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.option("--full", is_flag=True, help="Fold nothing.")
@click.option("--raw", metavar="N", help="The raw mail of letter N (supervisors).")
@click.option("--save", nargs=2, metavar="N/M FILE", help="Save file M of letter N, from 1.")
@click.option("--as-it-came", is_flag=True, help="Leave place and time in a saved picture.")
@output.json_option
@output.no_pager_option
@click.pass_obj
def show(
    setting: client.Settings,
    case: str,
    *,
    full: bool,
    raw: str | None,
    save: tuple[str, str] | None,
    as_it_came: bool,
    as_json: bool,
    no_pager: bool,
) -> None:
    """Show a case: its letters, notes and goals.

    Quotes and signatures are folded, never cut; --full shows them. Opening a letter with signs of
    danger is the receipt that you read it. A picture is saved without where it was taken.

    Letters of a case that was merged into this one, or split from it and put back, keep the numbers
    they had there and bear its name: C-0051/3, also for --raw and --save.

    \b
    Example: mailcounsel show C-0042
    Example: mailcounsel show C-0042 --save C-0051/3/1 photo.jpg
    """
    with client.connect(setting) as service:
        if raw is not None:
            _print_raw(_raw(service, case, raw))
        elif save:
            _save(service, case, *save, as_it_came=as_it_came)
        else:
            show_case(service, case, full=full, as_json=as_json, no_pager=no_pager)


def show_case(
    service: client.Service, name: str, *, full: bool, as_json: bool, no_pager: bool
) -> None:
    """Open a case, show it, and tell the service which letters were read."""
    from mailcounsel.cli import measuring, unlock, viewing

    case = unlock.open_case(service, name)
    entries = viewing.opened_entries(service, case)
    goals = viewing.opened_goals(case)
    forms = measuring.needed(service, goals)
    entries = viewing.marked(case.shown, entries, goals, forms)
    if as_json:
        hidden = {"keys", "entries", "goals", "checkins"}
        facts = {key: value for key, value in case.shown.items() if key not in hidden}
        output.emit({**facts, "entries": entries, "goals": goals}, as_json=True, render=str)
    else:
        wide = output.width() if sys.stdout.isatty() else None
        shown = viewing.case_text(case.shown, entries, goals, full=full, width=wide, forms=forms)
        output.page(shown, plain=no_pager)
    read = [entry["id"] for entry in entries if "unreadable" not in entry]
    service.call("case.read", case=case.shown["case"], letters=read)


def _entry(case: Any, name: str) -> dict[str, Any]:
    wanted = letter_name(name)
    for entry in case.shown["entries"]:
        if wanted in {entry["name"], f"{case.shown['case']}/{entry['name']}"}:
            return dict(entry)
    message = f"{case.shown['case']} has no letter {name}: `mailcounsel show` says their numbers."
    raise errors.NotFound(message)


def letter_name(typed: str) -> str:
    """Return what a person typed as letters are named: 3, or C-0051/3. Raises: UsageError."""
    found = re.fullmatch(r"(?:c-?)?0*(\d+)/(\d+)|(\d+)", typed.strip(), re.IGNORECASE)
    if found is None:
        message = f"{typed} names no letter. Write its number: 3, or C-0051/3 of a merged case."
        raise click.UsageError(message)
    return found[3] or f"C-{int(found[1]):04d}/{found[2]}"


def _raw(service: client.Service, name: str, number: str) -> bytes:
    from mailcounsel.cli import unlock

    case = unlock.open_case(service, name)
    entry = _entry(case, number)
    sealed = unlock.fetch(service, entry["id"], "source")
    context = f"letter/{entry['id']}/source"
    return case.open_source(entry["case"], entry["epoch"], sealed, context)


def _print_raw(data: bytes) -> None:
    """Print raw mail: byte for byte into a pipe or file, made safe on a terminal."""
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(data)
        return
    from mailcounsel.letter import text

    click.echo(text.terminal_safe(data.decode("utf-8", "replace")))


def _save(service: client.Service, name: str, which: str, target: str, *, as_it_came: bool) -> None:
    from mailcounsel.cli import unlock

    number, _, place = which.rpartition("/")
    if not (number and place.isdecimal()):
        message = f"{which} does not name a file. `mailcounsel show {name}` lists them as 3/1."
        raise click.UsageError(message)
    case = unlock.open_case(service, name)
    entry = _entry(case, number)
    files = unlock.content_of(service, case, entry).get("attachments", [])
    if not 1 <= int(place) <= len(files):
        message = f"Letter {number} has no file {place}. `mailcounsel show {name}` lists them."
        raise errors.NotFound(message)
    part = f"attachment/{int(place) - 1}"
    sealed = unlock.fetch(service, entry["id"], part)
    context = f"letter/{entry['id']}/{part}"
    data = case.open(entry["case"], entry["epoch"], sealed, context)
    saved = data if as_it_came else _cleaned(data)
    write_new(Path(target), saved)
    without = "" if saved == data else " Where and when the picture was taken was left out."
    output.say(f"Saved {target}. It is not encrypted there.{without}")


def _cleaned(data: bytes) -> bytes:
    """Leave out of a picture where it was taken: the client may not know that it stands there."""
    from mailcounsel.letter import pictures

    if not pictures.is_picture(data):
        return data
    cleaned = pictures.without_traces(data)
    if cleaned is None:
        message = (
            "This picture may say where it was taken, and that cannot be taken out of its kind. "
            "To save it all the same, add --as-it-came."
        )
        raise errors.Refused(message)
    return cleaned


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, readable by its owner alone, following no link."""
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(data)
    except FileExistsError as fault:
        message = f"{path} is there already. Choose another name."
        raise errors.Conflict(message) from fault
    except OSError as fault:
        message = f"{path} cannot be written here."
        raise errors.Refused(message) from fault
