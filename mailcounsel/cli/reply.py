"""`mailcounsel reply`: written, rendered and signed in the therapist's own process."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Mapping
from typing import IO, Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output

LONGEST = 12_000  # characters; the whole mail must stay below 20 kB when it is encrypted


@click.command()
@click.argument("case")
@click.option(
    "--file",
    "source",
    type=click.File(encoding="utf-8"),
    help="Take the text from a file; - is standard input.",
)
@click.option("-m", "--message", help="The text itself, for a short letter.")
@click.option(
    "--plain", metavar="REASON", help="Send it as ordinary mail this once, and record why."
)
@click.option("--dry-run", is_flag=True, help="Print the letter and send nothing.")
@output.json_option
@click.pass_obj
def reply(  # noqa: PLR0913 - one parameter an option
    setting: client.Settings,
    case: str,
    *,
    source: IO[str] | None,
    message: str | None,
    plain: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write to the client of a case.

    Your editor opens with the client's letters below; what you write is rendered, signed with your
    reader key, and leaves after a minute in which `undo` takes it back. The service encrypts it.

    \b
    Example: mailcounsel reply C-0042
    """
    from mailcounsel.cli import drafts, unlock  # noqa: PLC0415 - only where a case is opened

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        name, person = opened.shown["case"], opened.shown["person"]
        begun = service.call("reply.begin", case=name)
        reason = _reason(opened.shown, begun["ticket"]["channel"], plain)
        words = _words(service, opened, source, message)
        statement = _statement(begun, words, reason)
        if dry_run:
            click.echo(json.loads(statement)["text"])
            return
        drafts.keep(opened.key, person, name, words)
        signature = opened.key.sign(statement.encode())
        approved = service.call(
            "reply.approve", statement=statement, signature=b64encode(signature).decode()
        )
        drafts.drop(person, name)
    answer = {**approved, "case": name, "channel": begun["ticket"]["channel"]}
    output.emit(answer, as_json, lambda: _said(answer, reason))


def _reason(case: Mapping[str, Any], channel: str, plain: str | None) -> str:
    """Return why a letter goes in clear, asking first on a raised case without a way."""
    if plain is not None:
        if not plain.strip():
            message = 'Say why: mailcounsel reply CASE --plain "reason".'
            raise errors.Refused(message)
        return plain.strip()
    if channel != "none" or not case["risk"]:
        return ""
    output.say(
        f"{case['case']} shows signs of danger, and the client has no way to get a locked letter yet."
    )
    if not sys.stdin.isatty():
        output.say('To send it at once as ordinary mail: --plain "reason". Otherwise it waits.')
        return ""
    answer: str = click.prompt(
        "Send it at once as ordinary mail? Write why, or just Enter to let it wait",
        default="",
        show_default=False,
    )
    return answer.strip()


def _words(
    service: client.Service, opened: Any, source: IO[str] | None, message: str | None
) -> str:
    from mailcounsel.cli import drafts, editor, viewing  # noqa: PLC0415 - only where a case is opened

    if source is not None or message is not None:
        words = (message if source is None else source.read()) or ""
    else:
        name, person = opened.shown["case"], opened.shown["person"]
        entries = viewing.opened_entries(service, opened)
        below = viewing.case_text(opened.shown, entries[-6:], viewing.opened_goals(opened))
        words = editor.edit(drafts.load(opened.key, person, name), below=below)
    if not words.strip():
        message = "The letter is empty. Nothing was sent."
        raise errors.Refused(message)
    if len(words) > LONGEST:
        message = f"The letter has {len(words)} characters; {LONGEST} is the most a phone can take. Send it in two."
        raise errors.Refused(message)
    return words.strip()


def _statement(begun: Mapping[str, Any], words: str, reason: str) -> str:
    """Render the letter and return what is signed: the ticket and the finished words."""
    from mailcounsel.letter import templates  # noqa: PLC0415 - jinja takes a moment to load

    mail = templates.render(begun["language"], "reply", {**begun["facts"], "text": words})
    said = {
        "ticket": begun["ticket"],
        "mac": begun["mac"],
        "subject": mail.subject,
        "text": mail.body,
        "words": words,
        "plain": reason,
    }
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def _said(answer: Mapping[str, Any], reason: str) -> str:
    back = f"Take it back: mailcounsel undo {answer['id'][:6]}"
    if answer["state"] == "waiting":
        return (
            f"Your reply to {answer['case']} waits: the client has not chosen a way to get letters yet.\n"
            f"They get a note without content, and your words leave once they answer. {back}"
        )
    how = (
        "as ordinary mail, by your decision"
        if reason
        else {
            "encrypted": "encrypted and signed",
            "plain": "as ordinary mail, as the client agreed",
        }[answer["channel"]]
    )
    return f"Your reply to {answer['case']} leaves at {output.local(answer['leaves_at'], answer['leaves_at'])}, {how}. {back}"
