"""`mailcounsel close`: close a case."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.pass_obj
def close(setting: client.Settings, case: str) -> None:
    """Close a case.

    Its check-ins stop. A letter from the client opens it again by itself.

    \b
    Example: mailcounsel close C-0042
    """
    with client.connect(setting) as service:
        service.call("case.close", case=case)
    output.say("Closed. A letter from the client opens it again.")
