"""`mailcounsel assign`: a case goes to a colleague, with its keys."""

from __future__ import annotations

from base64 import b64decode

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.argument("person")
@click.pass_obj
def assign(setting: client.Settings, case: str, person: str) -> None:
    """Give a case to a colleague.

    Your process seals the keys of its letters to them; from then on only they and the supervisor
    can open the case.

    \b
    Example: mailcounsel assign C-0042 wulan
    """
    from mailcounsel.cli import unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        colleague = service.call("case.reader", person=person)
        copies = opened.sealed_copies(b64decode(colleague["public_key"]))
        name = opened.shown["case"]
        service.call("case.give", case=name, person=person, copies=copies)
        service.call("case.assign", case=name, person=person)
    output.say(f"{name} is with {person} now.")
