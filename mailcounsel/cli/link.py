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

    The letters of CASE are shown in INTO from then on, its sender's address counts as the
    client's, and later letters from there are placed in INTO. Where both have been answered, a
    second person has to type the same. `mailcounsel undo CASE` takes it back.

    \b
    Example: mailcounsel link C-0051 C-0042
    """
    with client.connect(setting) as service:
        answer = service.call("case.link", case=case, into=into)
    if answer["linked"]:
        output.say(f"Linked. The letters of {case} are in {into} now.")
        return
    output.say(
        "Both are clients you have answered, so this needs a second person who reads both. They "
        f"type: mailcounsel link {case} {into}"
    )
