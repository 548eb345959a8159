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
        name = service.call("case.close", case=case)["case"]
    again = f"A letter from the client opens it again, or: mailcounsel reopen {name}"
    output.say(f"{name} is closed. {again}")
