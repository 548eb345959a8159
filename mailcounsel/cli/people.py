"""The people who work here: invited by an admin."""

from __future__ import annotations

from typing import Any

import click

from mailcounsel.cli import client, output
from mailcounsel.cli.main import Setting


@click.command()
@click.argument("name")
@click.option("--again", is_flag=True, help="Let a new key replace the one they lost.")
@output.json_option
@click.pass_obj
def invite(setting: Setting, name: str, *, again: bool, as_json: bool) -> None:
    """Make a one-time code for a colleague.

    NAME is the short name of a [[person]] in config.toml. Say the code to them or show it; it is
    good for three days and is shown only now. Whoever lost their reader key is invited with
    --again: cases they had open again once a colleague assigns them.

    \b
    Example: mailcounsel invite bima
    """
    with client.connect(setting) as service:
        made = service.call("person.invite", person=name, again=again)
    output.emit(made, as_json, lambda: _text(made, made["person"], made["code"], again=again))


def _text(made: dict[str, Any], name: str, code: str, *, again: bool) -> str:
    said = f"The code for {name}, good for three days: {code}\nThey type: mailcounsel enrol {code}"
    if again:
        said += (
            f"\nIt makes {name} a new key in place of the lost one; what is locked for them then, "
            f"a colleague opens with: mailcounsel assign CASE {name}"
        )
    elif made["enrolled"]:
        said += (
            f"\n{name} is enrolled already, and this code replaces no key. Where theirs is lost: "
            f"mailcounsel invite {name} --again"
        )
    return said
