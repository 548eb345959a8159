"""`mailcounsel case report`: a case on one page, to print or to talk about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mailcounsel.cli import client, output

if TYPE_CHECKING:
    from mailcounsel.practice.instruments import Measure
    from mailcounsel.practice.pictures import Band


@click.command()
@click.argument("case")
@click.argument("file")
@click.pass_obj
def report(setting: client.Settings, case: str, file: str) -> None:
    """Write a case on one page that any browser shows and prints.

    Goals and scores as lines over time, with bands and events; the plan and its versions. The file
    asks nothing of anywhere, and only you can read it; it is not encrypted, so delete it after use.

    \b
    Example: mailcounsel case report C-0042 c-0042.html
    """
    from pathlib import Path

    from mailcounsel.cli import journey_view, show, unlock
    from mailcounsel.practice import attainment
    from mailcounsel.practice import report as pages

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        told = journey_view.opened(service, opened)
    bands = {name: _bands(form) for name, form in told.forms.items()}
    rated = attainment.rated(told.goals, told.entries)
    page = pages.page(opened.shown["case"], told.journey, bands, rated)
    show.write_new(Path(file), page.encode())
    output.say(f"Wrote {file}. It is not encrypted there; delete it when you are done.")


def _bands(form: Measure) -> list[Band]:
    """Return the bands of a questionnaire, each up to where the next begins, or none at all."""
    from mailcounsel.practice import pictures, scores

    if not form.bands:
        return []
    ends = [band.at for band in form.bands[1:]] + [scores.extremes(form)[1]]
    return [
        pictures.Band(band.name, band.at, end) for band, end in zip(form.bands, ends, strict=True)
    ]
