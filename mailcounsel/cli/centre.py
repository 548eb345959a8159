"""`mailcounsel centre report`: the centre in numbers, without anybody in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from mailcounsel.cli import client, nouns, output

if TYPE_CHECKING:
    from mailcounsel.practice.centre import Forms, Outcomes, Tally


@click.group(cls=nouns.Noun)
def centre() -> None:
    """See how the centre is doing, in numbers.

    \b
    Example: mailcounsel centre report
    """


@centre.command()
@click.option("--days", default=90, show_default=True, help="How many days to look back.")
@click.option("--html", "file", metavar="FILE", help="Write it to a new file as a page instead.")
@output.json_option
@click.pass_obj
def report(setting: client.Settings, *, days: int, file: str | None, as_json: bool) -> None:
    """Report promises, waiting, caseload and outcomes, and never a person.

    Supervisors get the numbers of their queues, with what became of the cases: each is opened here,
    one after the other, and forgotten. Admins get all queues, without outcomes, since they open no
    case. Numbers below 5 are not told, and cannot be worked out from the others.

    \b
    Example: mailcounsel centre report --days 28
    """
    with client.connect(setting) as service:
        counted = service.call("centre.report", days=days)
        outcomes = _outcomes(service, days, counted["person"]) if counted["opens_cases"] else None
    found = {**counted, "outcomes": outcomes.as_json() if outcomes else None}
    if file is None:
        output.emit(found, as_json, lambda: _page(found, outcomes))
        return
    _write(file, found, outcomes)
    output.emit({"file": file}, as_json, lambda: f"Wrote {file}.")


def _write(file: str, found: dict[str, Any], outcomes: Outcomes | None) -> None:
    from pathlib import Path

    from mailcounsel.cli import centre_view, show
    from mailcounsel.practice import report as pages

    parts = centre_view.sections(found, outcomes)
    page = pages.of_numbers(centre_view.title(found), centre_view.LEGEND, parts)
    show.write_new(Path(file), page.encode())


def _page(found: dict[str, Any], outcomes: Outcomes | None) -> str:
    from mailcounsel.cli import centre_view

    return centre_view.page(found, outcomes)


def _outcomes(service: client.Service, days: int, person: str) -> Outcomes:
    """Open the reader's cases one after the other, and keep nothing of them but counts."""
    from mailcounsel.cli import measuring, unlock
    from mailcounsel.practice.centre import Tally

    tally, key, forms = Tally(), None, measuring.known(service)
    for name in _names(service, days):
        key = key or unlock.reader_key(person)
        _count(service, name, key, forms, tally)
    return tally.tables()


def _names(service: client.Service, days: int) -> Iterator[str]:
    after: int | None = 0
    while after is not None:
        found = service.call("centre.cases", days=days, after=after)
        yield from found["cases"]
        after = found["after"]


def _count(service: client.Service, name: str, key: Any, forms: Forms, tally: Tally) -> None:
    """Add what became of a case, or that not all of it opened."""
    from mailcounsel import errors
    from mailcounsel.cli import journey_view, unlock
    from mailcounsel.practice import centre as outcomes

    try:
        opened = unlock.open_case(service, name, key)
        told = journey_view.opened(service, opened)
    except (errors.SealBroken, errors.Refused, errors.NotFound):
        tally.shut += 1
        return
    if any("unreadable" in one for one in (*told.entries, *told.goals)):
        tally.shut += 1
        return
    tally.add(outcomes.outcome(opened.shown, told.journey, told.entries, told.goals, forms))
