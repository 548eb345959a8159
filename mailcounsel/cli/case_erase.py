"""`mailcounsel case erase`: the end of a client's file, which nobody can take back."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.argument("reason")
@click.option("--yes", is_flag=True, help="Ask nothing, for scripts.")
@output.json_option
@click.pass_obj
def erase(setting: client.Settings, case: str, reason: str, *, yes: bool, as_json: bool) -> None:
    """Erase a case for ever, and tell the client.

    Every copy of its keys is destroyed, and with them its letters, files, notes, goals and answers;
    the client's address, key and consent go too, unless they have another case. Nobody can take it
    back. What was asked for without a signature, or signed by a new key, waits for seven days, in
    which the client can say no. Where the client asked for nothing, or another sender's
    case was merged into theirs, it takes two people, one of them the case's therapist or
    supervisor: the first proposes it, and the case is erased once the other types the same. REASON
    is kept, so write none of the client's words in it.

    \b
    Example: mailcounsel case erase C-0042 "The client asked for it, signed."
    """
    with client.connect(setting) as service:
        ahead = service.call("case.erasing", case=case)
    if not yes:
        _confirm(ahead)
    with client.connect(setting) as service:
        answer = service.call("case.erase", case=ahead["case"], reason=reason)
    if answer["erased"]:
        _drop_drafts(answer["person"], ahead["cases"])
    output.emit(answer, as_json, lambda: _said(answer))


def _confirm(ahead: Mapping[str, Any]) -> None:
    """Say what cannot be undone, and go on only for somebody who types the case's number."""
    name = ahead["case"]
    for line in _warning(ahead):
        output.say(line)
    if not sys.stdin.isatty():
        message = f"Nothing was erased. To erase {name} without being asked, add --yes."
        raise errors.Refused(message)
    typed: str = click.prompt(f"Type {name} to erase it", default="", show_default=False, err=True)
    if typed.strip().upper() != name:
        message = "Nothing was erased."
        raise errors.Refused(message)


def _warning(ahead: Mapping[str, Any]) -> list[str]:
    names = " and ".join(ahead["cases"])
    two = (
        ["The client did not ask for it: it is only proposed until a colleague types the same."]
        if ahead["needs_second"]
        else []
    )
    told = (
        "The client gets a last letter that says so."
        if ahead["has_address"]
        else "The client left no address, so nobody can be told."
    )
    stay = [f"The client's other cases stay: {', '.join(ahead['stay'])}."] if ahead["stay"] else []
    return [
        f"This erases {names} for ever: {ahead['entries']} entries, with files, notes and goals.",
        "Nobody can open them again, no colleague and no admin. A copy: mailcounsel case copy.",
        *stay,
        *two,
        told,
    ]


def _drop_drafts(person: str, names: list[str]) -> None:
    """Take away what this person was writing in these cases, on their own machine."""
    from mailcounsel.cli import drafts

    for name in names:
        drafts.drop(person, name)
        drafts.drop(person, f"{name}.note")


def _said(answer: Mapping[str, Any]) -> str:
    if not answer["erased"]:
        return (
            f"Proposed: the client of {answer['case']} did not ask for it, so it is erased once a "
            "colleague who can open it, its therapist or supervisor, types the same. Where you are "
            f"both of these: mailcounsel assign {answer['case']} NAME first."
        )
    lines = [f"{answer['case']} is erased. Nobody can open it any more."]
    lines += ["The client's last letter leaves now."] if answer["receipt"] else []
    lines.append("Copies at mail providers and in older backups are out of reach: see SECURITY.md.")
    if not answer["sqlite"]:
        lines.append("PostgreSQL overwrites the old bytes by and by; an admin: VACUUM FULL.")
    if not answer["journal_empty"]:
        lines.append("The database's journal was in use; a restart of the service empties it.")
    return "\n".join(lines)
