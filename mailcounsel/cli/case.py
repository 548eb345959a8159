"""`mailcounsel case`: what is done with a case as a whole; each command has a file of its own."""

from __future__ import annotations

import click

from mailcounsel.cli import case_copy, case_erase, case_merge, case_split


@click.group()
def case() -> None:
    """Work on a case as a whole.

    \b
    Example: mailcounsel case merge C-0051 C-0042
    """


case.add_command(case_copy.copy)
case.add_command(case_erase.erase)
case.add_command(case_merge.merge)
case.add_command(case_split.split)
