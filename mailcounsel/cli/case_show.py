"""`mailcounsel case show` and `case lint`: a journey at a glance, and what it lacks."""

from __future__ import annotations

from typing import Any

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@output.json_option
@click.pass_obj
def show(setting: client.Settings, case: str, *, as_json: bool) -> None:
    """Show the journey of a case at a glance.

    The seven activities with what happened in each, what was agreed, goals with their line, skills,
    scores, appointments and the plan: one screen. The letters themselves: mailcounsel show.

    \b
    Example: mailcounsel case show C-0042
    """
    from mailcounsel.cli import journey_view, unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        told = journey_view.opened(service, opened)
    data = {
        "case": opened.shown["case"],
        "checkins_rest": opened.shown["checkins_rest"],
        "journey": told.journey.as_json(),
        "appointments": list(told.meetings),
        "lacks": [_finding(one) for one in told.lacks],
    }
    output.emit(data, as_json, lambda: journey_view.page(opened.shown, told))


@click.command()
@click.argument("case", required=False)
@output.json_option
@click.pass_obj
def lint(setting: client.Settings, case: str | None, *, as_json: bool) -> None:
    """Say what a case still lacks, or every open case that you can open.

    A question of the client's that waits for three days; no goal, or no strength named, after four
    letters; no evaluation in thirty days; a skill that nobody told of practising in two weeks. Each
    comes with what to type next.

    \b
    Example: mailcounsel case lint C-0042
    """
    with client.connect(setting) as service:
        names = [case] if case else _open_cases(service)
        found = _linted(service, names)
    cases = [{"case": name, "lacks": [_finding(one) for one in lacks]} for name, lacks in found]
    output.emit({"cases": cases}, as_json, lambda: _findings(found))


def _open_cases(service: client.Service) -> list[str]:
    listed = service.call("queue.list", all=True)["cases"]
    return [one["case"] for one in listed if one["state"] == "open" and one["has_keys"]]


def _linted(service: client.Service, names: list[str]) -> list[tuple[str, Any]]:
    """Open cases one after the other, the reader key once, and say what each lacks."""
    from mailcounsel.cli import journey_view, unlock

    found, key = [], None
    for name in names:
        opened = unlock.open_case(service, name, key)
        key = opened.key
        found.append((opened.shown["case"], journey_view.opened(service, opened).lacks))
    return found


def _finding(one: Any) -> dict[str, str]:
    return {"rule": one.rule, "sentence": one.sentence, "command": one.command}


def _findings(found: list[tuple[str, Any]]) -> str:
    from mailcounsel.cli import journey_view

    lacking = [(name, lacks) for name, lacks in found if lacks]
    if not lacking:
        return "Nothing is missing."
    return "\n\n".join(f"{name}\n{journey_view.findings(lacks)}" for name, lacks in lacking)
