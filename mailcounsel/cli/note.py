"""`mailcounsel note`: a note, sealed in its author's own process."""

from __future__ import annotations

from typing import IO

import click

from mailcounsel.cli import client, journal, output


@click.command()
@click.argument("case")
@journal.text_options
@click.pass_obj
def note(
    setting: client.Settings, case: str, *, source: IO[str] | None, message: str | None
) -> None:
    """Write a note that only the case's readers can open.

    \b
    Example: mailcounsel note C-0042 -m "Asked about sleep; sister moves in next week."
    """
    from mailcounsel.cli import unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
    given = journal.given(source, message)
    words = journal.checked(journal.written(opened, "note") if given is None else given, "note")
    journal.keep(setting, opened, "note", {"text": words})
    if given is None:
        journal.drop(opened, "note")
    output.say(f"Noted in {opened.shown['case']}.")
