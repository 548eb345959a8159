"""Letters that could not be placed after three attempts. They wait, sealed, for a person."""

from __future__ import annotations

from typing import Any

import click

from mailcounsel.cli import client, nouns, output
from mailcounsel.cli.main import Setting

REASONS = {
    "too-large": "larger than limits.size_bytes",
    "killed": "the service died over it",
    "seal-broken": "its sealed bytes were damaged",
    "OverBudget": "beyond the limits for headers, parts or depth",
}


@click.group(cls=nouns.Noun)
def quarantine() -> None:
    """Letters that could not be placed.

    \b
    Example: mailcounsel quarantine list
    """


@quarantine.command("list")
@output.json_option
@click.pass_obj
def list_(setting: Setting, as_json: bool) -> None:
    """List them, without a word of what they say.

    \b
    Example: mailcounsel quarantine list --json
    """
    with client.connect(setting) as service:
        found = service.call("quarantine.list")
    output.emit(found, as_json, lambda: _text(found["letters"]))


@quarantine.command()
@click.argument("letter_id", metavar="[ID]", default="")
@output.json_option
@click.pass_obj
def retry(setting: Setting, letter_id: str, as_json: bool) -> None:
    """Try one letter again, or all of them.

    \b
    Example: mailcounsel quarantine retry 3f9a12c0
    """
    with client.connect(setting) as service:
        done = service.call("quarantine.retry", id=letter_id)
    output.emit(done, as_json, lambda: _retried(done["retried"]))


def _text(letters: list[dict[str, Any]]) -> str:
    if not letters:
        return "Nothing is in quarantine."
    rows: list[tuple[str, ...]] = [
        (output.short(one["id"]), output.local(one["received_at"]), reason(one["reason"]))
        for one in letters
    ]
    advice = "Mend the cause, then: mailcounsel quarantine retry ID"
    return f"{output.table(rows, ('ID', 'RECEIVED', 'WHY'))}\n{advice}"


def reason(code: str) -> str:
    """Say in words why a letter is in quarantine."""
    return REASONS.get(code, f"failed three times ({code})")


def _retried(count: int) -> str:
    if count == 0:
        return "Nothing is in quarantine."
    letters = "1 letter is" if count == 1 else f"{count} letters are"
    return f"{letters} being tried again. See how it went: mailcounsel quarantine list"
