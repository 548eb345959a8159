"""`mailcounsel outbox`: letters that leave, wait or are stuck."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from mailcounsel.cli import client, kinds, output


@click.group(invoke_without_command=True)
@output.json_option
@click.pass_context
def outbox(ctx: click.Context, *, as_json: bool) -> None:
    """List letters that leave, wait or are stuck.

    What you may still decide about comes first, then what left in the last two days.

    An *uncertain* letter may or may not have arrived: the line broke while it was handed over.
    Decide with `outbox resend` (it may then arrive twice) or `outbox settle`.

    \b
    Example: mailcounsel outbox
    """
    if ctx.invoked_subcommand:
        return
    with client.connect(ctx.obj) as service:
        answer = service.call("outbox.list")
    output.emit(answer, as_json, lambda: _render(answer))


# What states are called, where their own word would not say it.
STATES = {
    "held": "leaves at",
    "waiting": "waits for the client's choice",
    "handing-over": "is leaving",
    "undone": "taken back",
}


def _render(answer: Mapping[str, Any]) -> str:
    if not answer["letters"]:
        return "The outbox is empty."
    rows = [_row(letter, answer["now"]) for letter in answer["letters"]]
    listed = output.table(rows, ("ID", "CASE", "KIND", "STATE", "WHEN", "WHY"))
    return "\n".join([listed + output.and_more(answer), *_to_do(answer["letters"])])


def _to_do(letters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say what to do about the letters that are stuck, below the list."""
    stuck = [one for one in letters if one["state"] in {"failed", "uncertain"}]
    if not stuck:
        return
    first = output.short(stuck[0]["id"])
    yield f"To send one again: mailcounsel outbox resend {first}"
    yield f"To let it rest, once you have seen it: mailcounsel outbox settle {first}"
    if any(one["reason"] == "address-gone" for one in stuck):
        yield (
            "address-gone means that the client is not written to at that address any more, since "
            "a merge was undone, or another was chosen: nothing goes there. Let it rest, and write "
            "to the client again."
        )
    if any(one["reason"].startswith("RCPT: 5") for one in stuck):
        yield (
            "RCPT: 5… means that the other server knows no such address, or takes nothing for it: "
            "sent again it fails again, and only another letter of the client's brings another way."
        )


def _row(letter: Mapping[str, Any], now: str) -> tuple[str, ...]:
    when = letter["sent_at"] or letter["due_at"]
    return (
        output.short(letter["id"]),
        letter["case"] or "-",
        kinds.of_letter(letter["kind"]),
        _state(letter),
        output.local(when, now),
        letter["reason"],
    )


def _state(letter: Mapping[str, Any]) -> str:
    if letter["state"] == "ready" and letter["reason"]:
        return "tried again at"
    return str(STATES.get(letter["state"], letter["state"]))


@outbox.command()
@click.argument("letter")
@click.pass_obj
def resend(setting: client.Settings, letter: str) -> None:
    """Send an uncertain or failed letter once more.

    \b
    Example: mailcounsel outbox resend 4f09ab
    """
    with client.connect(setting) as service:
        service.call("outbox.resend", id=letter)
    output.say("It is sent once more, with the same Message-ID.")


@outbox.command()
@click.argument("letter")
@click.pass_obj
def settle(setting: client.Settings, letter: str) -> None:
    """Let an uncertain, failed or bounced letter rest: you have seen it.

    \b
    Example: mailcounsel outbox settle 4f09ab
    """
    with client.connect(setting) as service:
        service.call("outbox.settle", id=letter)
    output.say("Settled. It is not tried again.")
