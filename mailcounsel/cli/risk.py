"""`mailcounsel risk`: a sign of danger is closed by a person, with a sentence."""

from __future__ import annotations

from base64 import b64encode

import click

from mailcounsel import errors
from mailcounsel.cli import client, nouns, output


@click.group(cls=nouns.Noun)
def risk() -> None:
    """Close a sign of danger with a sentence.

    \b
    Example: mailcounsel risk close C-0042 "Talked with her sister; safe tonight, plan agreed."
    """


@risk.command()
@click.argument("case")
@click.argument("sentence")
@click.pass_obj
def close(setting: client.Settings, case: str, sentence: str) -> None:
    """Say why the danger is over. The sentence is sealed to the case's readers.

    \b
    Example: mailcounsel risk close C-0042 "Talked with her sister; safe tonight, plan agreed."
    """
    from mailcounsel.cli import unlock, viewing

    if not sentence.strip():
        message = "Say in a sentence why the danger is over."
        raise errors.Refused(message)
    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        sealed = {
            one["id"]: b64encode(
                opened.seal(sentence.encode(), f"risk/{one['id']}/sentence")
            ).decode()
            for one in opened.shown["risks"]
        }
        service.call("risk.close", case=opened.shown["case"], sentences=sealed)
        now = service.call("case.show", case=opened.shown["case"])
    output.say(f"The danger in {now['case']} is closed; {viewing.going_on(now)}.")
