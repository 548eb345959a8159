"""`mailcounsel seen`: a person has seen what a flag says."""

from __future__ import annotations

import difflib
from typing import Any

import click

from mailcounsel.cli import client, output, viewing

# These end when what they ask for is done, and not by looking.
UNTIL_DONE = {
    *("waiting", "uncertain", "failed", "link-proposed", "split-proposed", "rejoin-proposed"),
    "evaluation-due",
}
KINDS = sorted(set(viewing.FLAGS) - UNTIL_DONE)


class Flag(click.Choice[str]):
    """A flag that ends by looking; of another word it is said what ends it, or what is meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the flag."""
        case = ctx.params.get("case", "CASE") if ctx else "CASE"
        if value in UNTIL_DONE:
            ends = viewing.FLAGS[value].format_map({"case": case, "merge_into": "CASE"})
            self.fail(f"{value} ends when that is done, and not by looking: {ends}", param, ctx)
        if value not in KINDS:
            near = difflib.get_close_matches(str(value), KINDS, 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            message = f"There is no flag {value}.{meant} Its flags: mailcounsel show {case}"
            self.fail(message, param, ctx)
        return str(value)


@click.command()
@click.argument("case")
@click.argument("flag", metavar="FLAG", type=Flag(KINDS))
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
