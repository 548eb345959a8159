"""`mailcounsel link`: two cases are the same client's."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.argument("into")
@click.pass_obj
def link(setting: client.Settings, case: str, into: str) -> None:
    """Say that two cases are the same client's.

    The letters of CASE are shown in INTO from then on, and its sender's address counts as the
    client's. Be sure: it cannot be undone, and later letters from there are placed in INTO.

    \b
    Example: mailcounsel link C-0051 C-0042
    """
    with client.connect(setting) as service:
        service.call("case.link", case=case, into=into)
    output.say(f"Linked. The letters of {case} are in {into} now.")
