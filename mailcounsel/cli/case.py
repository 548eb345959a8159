"""`mailcounsel case`: what is done with a case as a whole; each command has a file of its own."""

from __future__ import annotations

import click

from mailcounsel.cli import (
    case_client,
    case_copy,
    case_erase,
    case_evaluate,
    case_journey,
    case_merge,
    case_progress,
    case_report,
    case_show,
    case_split,
    nouns,
)


@click.group(cls=nouns.Noun)
def case() -> None:
    """Show, plan and end a case; merge, split, copy, erase.

    \b
    Example: mailcounsel case show C-0042
    """


case.add_command(case_client.client)
case.add_command(case_copy.copy)
case.add_command(case_erase.erase)
case.add_command(case_show.show)
case.add_command(case_show.lint)
case.add_command(case_report.report)
case.add_command(case_progress.progress)
case.add_command(case_journey.contract)
case.add_command(case_journey.summary)
case.add_command(case_journey.plan)
case.add_command(case_journey.strength)
case.add_command(case_journey.activity)
case.add_command(case_evaluate.evaluate)
case.add_command(case_evaluate.end)
case.add_command(case_merge.merge)
case.add_command(case_split.split)
