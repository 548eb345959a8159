"""The balance of letters: what came in, where it is, and that nothing was lost."""

from __future__ import annotations

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
    ledger. Exits with 1 when anything was lost.

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
    if found["lost"]:
        lines.append("Letters are missing from the store. Keep the mailboxes as they are, and")
        lines.append("bring back the newest backup beside this store before anything else.")
    return "\n".join(lines)


def _mailbox(one: dict[str, Any]) -> str:
    place = f"{one['inbox']} {one['folder']}".rstrip()
    if one["problem"]:
        return f"{place}: not compared ({one['problem']}); see mailcounsel doctor"
    if one["missing"]:
        return f"{place}: {one['there']} letters, {one['missing']} not fetched yet"
    return f"{place}: {one['there']} letters, all in the ledger"
