"""`mailcounsel next`: one case at a time, the one that needs somebody most."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output
from mailcounsel.cli.queue import NOTHING, unread
from mailcounsel.cli.show import show_case


@click.command("next")
@output.json_option
@output.no_pager_option
@click.pass_obj
def next_(setting: client.Settings, *, as_json: bool, no_pager: bool) -> None:
    """Take the case that needs somebody most, and show it.

    A case nobody has becomes yours: from then on only you and the supervisor can open what comes.

    \b
    Example: mailcounsel next
    """
    with client.connect(setting) as service:
        taken = service.call("case.next")
        if taken["case"] is None:
            output.emit(taken, as_json, lambda: unread(taken) + NOTHING)
            return
        show_case(service, taken["case"], full=False, as_json=as_json, no_pager=no_pager)
        if not as_json:
            output.say(f"\nAnswer it: mailcounsel reply {taken['case']}")
