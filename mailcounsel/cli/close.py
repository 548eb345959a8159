"""`mailcounsel close`: close a case."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.option("--reason", help="Why a letter that waits is owed no answer; kept as a note.")
@click.pass_obj
def close(setting: client.Settings, case: str, *, reason: str | None) -> None:
    """Close a case.

    Its check-ins stop. A letter from the client opens it again by itself. Where a letter waits for
    an answer, say why none is owed: the promise is settled then, and counts neither as kept nor,
    unless it was already, as broken.

    \b
    Example: mailcounsel close C-0042
    Example: mailcounsel close C-0042 --reason "wrote that she has found help near her"
    """
    name = _closed(setting, case, reason)
    again = f"A letter from the client opens it again, or: mailcounsel reopen {name}"
    output.say(f"{name} is closed. {again}")


def _closed(setting: client.Settings, case: str, reason: str | None) -> str:
    from mailcounsel.cli import journal, unlock

    if reason is None:
        with client.connect(setting) as service:
            return str(service.call("case.close", case=case)["case"])
    words = journal.checked(reason, "reason")
    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
    content = {"text": f"Closed without an answer: {words}"}
    return str(journal.keep(setting, opened, "note", content, method="case.close")["case"])
