"""`mailcounsel assign`: a case goes to a colleague, with its keys."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.argument("person")
@click.pass_obj
def assign(setting: client.Settings, case: str, person: str) -> None:
    """Give a case to a colleague.

    Your process seals the keys of its letters to them; from then on only they and the supervisor
    can open the case. Whoever of the two lost their key and enrolled again can open it again then,
    also when you name whom it is with already.

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
        restored = _restore(service, opened)
        doubts = service.call("case.assign", case=name, person=person)["doubts"]
    output.say(f"{name} is with {person} now.")
    for doubt in doubts:
        output.say(doubt)
    for supervisor in restored:
        output.say(
            f"{supervisor} can open its letters again, with the new key. The raw mail of earlier "
            "letters stays shut: nobody but supervisors ever had a key to it."
        )


def _restore(service: client.Service, opened: Any) -> list[str]:
    """Seal the keys of a case to supervisors who enrolled again, and return their names."""
    if not opened.shown["has_keys"]:
        return []
    name = opened.shown["case"]
    lost = service.call("case.keyless", case=name)["people"]
    for one in lost:
        copies = opened.sealed_copies(b64decode(one["public_key"]))
        service.call("case.give", case=name, person=one["person"], copies=copies)
    return [str(one["person"]) for one in lost]
