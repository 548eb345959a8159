"""The balance of letters: what came in, where it is, and that nothing was lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from mailcounsel.cli import client, output
from mailcounsel.cli.main import Setting


@click.command()
@output.json_option
@click.pass_obj
def reconcile(setting: Setting, as_json: bool) -> None:
    """Prove that no letter was lost.

    Counts every letter that was seen by where it ended, and compares the mailboxes with the
    ledger. Exits with 1 when anything was lost. What was kept after a copy that was brought back
    is in neither; where that is known it is said.

    \b
    Example: mailcounsel reconcile
    """
    with client.connect(setting) as service:
        found = service.call("reconcile")
    output.emit(found, as_json, lambda: text(found))
    if found["lost"]:
        raise SystemExit(1)


def text(found: dict[str, Any]) -> str:
    """Return the balance as people read it."""
    parts = [f"{found[name]} {name}" for name in ("case", "quarantine", "discarded")]
    parts += [f"{found['own-loop']} own loop"] if found["own-loop"] else []
    parts += [f"{found['received']} still waiting"] if found["received"] else []
    lines = [f"in {found['in']} = {' + '.join(parts)}, lost {found['lost']}"]
    lines += [_mailbox(one) for one in found.get("mailboxes", [])]
    lines += [_return(one) for one in found.get("returns", [])]
    if found["lost"]:
        lines.append("Letters are missing from the store. Keep the mailboxes as they are, and")
        lines.append("bring back the newest copy beside this store first: see docs/backup.md.")
    return "\n".join(lines)


def _return(one: dict[str, Any]) -> str:
    """Say what this balance cannot know: a store from a copy never saw what came after it."""
    letters = "1 letter" if one["gone"] == 1 else f"{one['gone']} letters"
    day = datetime.fromisoformat(one["at"]).astimezone(UTC)
    return (
        f"On {day:%d %b %Y %H:%M} UTC this store was an older copy: at least {letters} kept after "
        "it are not in this balance, unless they came again. See docs/backup.md"
    )


def _mailbox(one: dict[str, Any]) -> str:
    place = f"{one['inbox']} {one['folder']}".rstrip()
    if one["problem"]:
        return f"{place}: not compared ({one['problem']}); see mailcounsel doctor"
    if one["missing"]:
        return f"{place}: {one['there']} letters, {one['missing']} not fetched yet"
    return f"{place}: {one['there']} letters, all in the ledger"
