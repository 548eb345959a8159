"""`mailcounsel next`: one case at a time, the one that needs somebody most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from mailcounsel.cli import client, output
from mailcounsel.cli.queue import NOTHING, troubles
from mailcounsel.cli.show import show_case


@click.command("next")
@output.json_option
@output.no_pager_option
@click.pass_obj
def next_(setting: client.Settings, *, as_json: bool, no_pager: bool) -> None:
    """Take the case that needs somebody most, and show it.

    A case nobody has becomes yours: from then on only you and the supervisor can open what comes.
    Danger that nobody has read comes first; where a colleague has its case, the supervisor is shown
    it and it stays with the colleague.

    \b
    Example: mailcounsel next
    """
    with client.connect(setting) as service:
        taken = service.call("case.next")
        for one in taken.get("locked", []):
            output.say(locked(one))
        if taken["case"] is None:
            output.emit(taken, as_json, lambda: troubles(taken) + nothing(taken))
            return
        show_case(service, taken["case"], full=False, as_json=as_json, no_pager=no_pager)
        if not as_json:
            output.say(after(taken))


def nothing(taken: Mapping[str, Any]) -> str:
    """Say that no case was handed out."""
    return "Nothing else waits for you." if taken.get("locked") else NOTHING


def locked(one: Mapping[str, Any]) -> str:
    """Say of danger that nobody has read, and that is shut to whoever asks, what they can do."""
    ask = one["assignee"] or "a colleague who can open it"
    return (
        f"{one['case']} is in danger and unread, and your key does not open it. Ask {ask} now to "
        f"read it: mailcounsel show {one['case']}"
    )


def after(taken: Mapping[str, Any]) -> str:
    """Say below a case whose it is, and what to type next."""
    name = taken["case"]
    answer = f"\nAnswer it: mailcounsel reply {name}"
    if "with" not in taken:
        return answer
    give = f"give it to a colleague: mailcounsel assign {name} NAME"
    return f"\nIt is with {taken['with']}, and stays so.{answer}\nOr {give}"
