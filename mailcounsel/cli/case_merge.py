"""`mailcounsel case merge`: two cases are the same client's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from mailcounsel.cli import client, output, way


@click.command()
@click.argument("case")
@click.argument("into")
@output.json_option
@click.pass_obj
def merge(setting: client.Settings, case: str, into: str, *, as_json: bool) -> None:
    """Say that two cases are the same client's.

    The letters of CASE are shown in INTO from then on, its sender's address counts as the
    client's, and later letters from there are placed in INTO. Where both have been answered, a
    second person has to type the same. `mailcounsel undo CASE` takes it back.

    \b
    Example: mailcounsel case merge C-0051 C-0042
    """
    with client.connect(setting) as service:
        answer = service.call("case.link", case=case, into=into)
        known = service.call("way.show", case=into) if answer["linked"] else {}
    names = ("addresses", "channel")
    ways: dict[str, Any] = {name: known[name] for name in names if name in known}
    output.emit(
        {"addresses": [], **answer, "case": case, "into": into, **ways},
        as_json,
        lambda: "\n".join(_said(case, into, known)),
    )


def _goes_on(into: str, known: Mapping[str, Any]) -> list[str]:
    """Say where letters to the client go on to, since a merge by itself turns none."""
    goes = [one["number"] for one in known["addresses"] if one["written_to"]]
    if not goes or len(known["addresses"]) == 1:
        return []
    return [f"Letters go on to address {goes[0]} of the client:", *way.addressed(into, known)]


def _said(case: str, into: str, known: Mapping[str, Any]) -> list[str]:
    if not known:
        need = "Both are clients you have answered, so this needs a second person who reads both."
        return [f"{need} They type: mailcounsel case merge {case} {into}"]
    merged = f"Merged. The letters of {case} are in {into} now."
    return [merged, way.said(into, known), *_goes_on(into, known)]
