"""`mailcounsel seen`: a person has seen what a flag says."""

from __future__ import annotations

import click

from mailcounsel.cli import client, output, viewing

# These end when what they ask for is done, and not by looking.
UNTIL_DONE = {
    *("waiting", "uncertain", "failed", "link-proposed", "split-proposed", "rejoin-proposed"),
    "evaluation-due",
}
KINDS = sorted(set(viewing.FLAGS) - UNTIL_DONE)


@click.command()
@click.argument("case")
@click.argument("flag", metavar="FLAG", type=click.Choice(KINDS))
@click.pass_obj
def seen(setting: client.Settings, case: str, flag: str) -> None:
    """Clear a flag on a case that you have looked at.

    `queue` shows the flags of each case by name. Those that wait for something to be done end when
    it is done.

    \b
    Example: mailcounsel seen C-0042 bounced
    """
    with client.connect(setting) as service:
        name = service.call("case.clear", case=case, kind=flag)["case"]
    output.say(f"Cleared. {name} is not flagged {flag} any more.")
