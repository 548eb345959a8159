"""`mailcounsel link`: two cases are the same client's."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.argument("into")
@click.pass_obj
def link(setting: client.Settings, case: str, into: str) -> None:
    """Say that CASE is from the client of INTO.

    Its letters are shown in INTO from then on, and its sender's address counts as the client's.
    Be sure: whoever wrote it gets no answer of INTO, but their later letters are placed there.

    \b
    Example: mailcounsel link C-0051 C-0042
    """
    with client.connect(setting) as service:
        service.call("case.link", case=case, into=into)
    output.say(f"Linked. Its letters are in {into} now.")
