"""`mailcounsel queue`: the cases that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from mailcounsel.cli import client, output

NOTHING = "Nothing waits for you. `mailcounsel queue --all` lists every case you can open."


@click.command()
@click.option(
    "--all", "everything", is_flag=True, help="Also cases that do not wait, and closed ones."
)
@output.json_option
@click.pass_obj
def queue(setting: client.Settings, *, everything: bool, as_json: bool) -> None:
    """List the cases that wait for you.

    The most urgent come first, then those that wait longest. No word of a letter is shown here.

    \b
    Example: mailcounsel queue
    """
    with client.connect(setting) as service:
        answer = service.call("queue.list", all=everything)
    output.emit(answer, as_json, lambda: _render(answer))


def troubles(answer: Mapping[str, Any]) -> str:
    """Return the lines above a queue that tell of letters that cannot leave or be read.

    Of what nobody could read the service says nothing to whoever can do nothing about it.
    """
    lines = (_unsent(answer), _letters(answer), _mailboxes(answer))
    return "".join(f"!! {line}\n" for line in lines if line)


def _unsent(answer: Mapping[str, Any]) -> str:
    count = answer.get("unsent", 0)
    letters = "1 letter" if count == 1 else f"{count} letters"
    more = "Which, and why: mailcounsel outbox"
    return f"{letters} could not leave, tried again and again. {more}" if count else ""


def _letters(answer: Mapping[str, Any]) -> str:
    count = answer.get("quarantine", 0)
    since = output.local(answer.get("quarantine_since"), answer.get("now"))
    letters = "1 letter" if count == 1 else f"{count} letters"
    more = "An admin sees which: mailcounsel quarantine list"
    return f"{letters} nobody could read, since {since}. {more}" if count else ""


def _mailboxes(answer: Mapping[str, Any]) -> str:
    count = answer.get("mailboxes", 0)
    since = output.local(answer.get("mailboxes_since"), answer.get("now"))
    which = "1 mailbox" if count == 1 else f"{count} mailboxes"
    when = f", since {since}" if since else ""
    more = "An admin sees what is wrong: mailcounsel doctor"
    return f"No letters come from {which}{when}. {more}" if count else ""


def _render(answer: Mapping[str, Any]) -> str:
    return troubles(answer) + _table(answer) + output.and_more(answer)


def _table(answer: Mapping[str, Any]) -> str:
    cases = answer["cases"]
    if not cases:
        return NOTHING
    rows = [_row(case, answer["now"]) for case in cases]
    zone, _ = output.away_from(answer, answer["now"])
    heads = ("CASE", "WAITS", f"PROMISED{zone}", "PRIORITY", "WITH", "LANG", "")
    return output.table(rows, heads)


def _row(case: Mapping[str, Any], now: str) -> tuple[str, ...]:
    marks = ["DANGER"] if case["risk"] else []
    marks += [] if case.get("has_keys", True) else ["locked for you"]
    marks += [flag for flag in case["flags"] if flag not in {"maybe", "maybe-word"}]
    marks += [f"maybe {case['maybe_from']}"] if "maybe" in case["flags"] else []
    marks += (
        [f"maybe {case['maybe_from']}, named its word"] if "maybe-word" in case["flags"] else []
    )
    marks += case["tags"]
    marks += ["closed"] if case["state"] == "closed" else []
    return (
        case["case"],
        output.ago(case["waiting_since"], now) or "-",
        output.local(case["promised_at"], now) or "-",
        case["priority"],
        case["assignee"] or "-",
        case["language"],
        ", ".join(marks),
    )
