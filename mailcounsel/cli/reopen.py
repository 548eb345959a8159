"""`mailcounsel reopen`: open a closed case again."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.pass_obj
def reopen(setting: client.Settings, case: str) -> None:
    """Open a closed case again.

    Its check-ins go on, unless the client stopped them.

    \b
    Example: mailcounsel reopen C-0042
    """
    from mailcounsel.cli import viewing

    with client.connect(setting) as service:
        name = service.call("case.reopen", case=case)["case"]
        now = service.call("case.show", case=name)
    output.say(f"{name} is open again; {viewing.going_on(now)}.")
