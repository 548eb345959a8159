"""The people who work here: invited by an admin."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output
from mailcounsel.cli.main import Setting


@click.command()
@click.argument("name")
@output.json_option
@click.pass_obj
def invite(setting: Setting, name: str, as_json: bool) -> None:
    """Make a one-time code for a colleague.

    NAME is the short name of a [[person]] in config.toml. Say the code to them or show it; it is
    good for three days and is shown only now.

    \b
    Example: mailcounsel invite bima
    """
    with client.connect(setting) as service:
        made = service.call("person.invite", person=name)
    output.emit(made, as_json, lambda: _text(made["person"], made["code"]))


def _text(name: str, code: str) -> str:
    return f"The code for {name}, good for three days: {code}\nThey type: mailcounsel enrol {code}"
