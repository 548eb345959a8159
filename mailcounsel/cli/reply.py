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
FRAME = """\
A greeting above your words and an ending with your name are added to the letter.
To see it whole: mailcounsel reply {case} --dry-run

"""
SHOWN_BELOW = 6  # entries of the case, below what is being written


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
def reply(
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
    from mailcounsel.cli import unlock

    # The conversation is closed while the person writes: a connection need not last an hour.
    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        begun = service.call("reply.begin", case=opened.shown["case"])
        below = _below(service, opened) if source is None and message is None else ""
    reason = _reason(opened.shown, begun["ticket"]["channel"], plain)
    if below:
        words = _checked(_written(opened, below))
    else:
        words = _checked((message if source is None else source.read()) or "")
    statement = _statement(begun, words, reason)
    if dry_run:
        _show(statement)
        return
    approved = _approve(setting, opened, statement)
    if below:
        _drop_draft(opened)
    answer = {**approved, "case": opened.shown["case"], "channel": begun["ticket"]["channel"]}
    output.emit(answer, as_json, lambda: _said(answer, reason))


def _reason(case: Mapping[str, Any], channel: str, plain: str | None) -> str:
    """Return why a letter goes in clear, asking first on a raised case without a way."""
    if plain is not None:
        if not plain.strip():
            message = f'Say why: mailcounsel reply {case["case"]} --plain "reason"'
            raise errors.Refused(message)
        return plain.strip()
    if channel != "none" or not case["risk"]:
        return ""
    output.say(
        f"{case['case']} shows signs of danger, and the client has not chosen yet how to get "
        "letters."
    )
    if not sys.stdin.isatty():
        output.say('To send it at once as ordinary mail: --plain "reason". Otherwise it waits.')
        return ""
    answer: str = click.prompt(
        "Send it at once as ordinary mail? Write why, or just Enter to let it wait",
        default="",
        show_default=False,
        err=True,
    )
    return answer.strip()


def _below(service: client.Service, opened: Any) -> str:
    from mailcounsel.cli import viewing

    entries = viewing.opened_entries(service, opened)
    goals = viewing.opened_goals(opened)
    shown = viewing.case_text(opened.shown, entries, goals, newest=SHOWN_BELOW)
    return FRAME.format(case=opened.shown["case"]) + shown


def _written(opened: Any, below: str) -> str:
    """Let the person write, from their draft if there is one; keep what they wrote as the draft."""
    from mailcounsel.cli import drafts, editor

    person, case = opened.shown["person"], opened.shown["case"]

    def keep(words: str) -> None:
        drafts.keep(opened.key, person, case, words)

    words = editor.edit(drafts.load(opened.key, person, case), keep=keep, below=below)
    if words:
        keep(words)
    else:
        drafts.drop(person, case)
    return words


def _checked(words: str) -> str:
    words = words.strip()
    if not words:
        message = "The letter is empty. Nothing was sent."
        raise errors.Refused(message)
    if len(words) > LONGEST:
        message = (
            f"The letter has {len(words)} characters; {LONGEST} is the most a phone can take. "
            "Nothing was sent; send it in two."
        )
        raise errors.Refused(message)
    return words


def _statement(begun: Mapping[str, Any], words: str, reason: str) -> str:
    """Render the letter and return what is signed: the ticket and the finished words."""
    from mailcounsel.letter import templates

    facts, language = {**begun["facts"], "text": words}, begun["language"]
    own = begun.get("template")  # the admin's own version
    if own is None:
        mail = templates.render(language, "reply", facts)
    else:
        mail = templates.render_text(own, language, "reply", facts)
    said = {
        "ticket": begun["ticket"],
        "mac": begun["mac"],
        "subject": mail.subject,
        "text": mail.body,
        "words": words,
        "plain": reason,
    }
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def _show(statement: str) -> None:
    from mailcounsel.letter import text

    click.echo(text.terminal_safe(json.loads(statement)["text"]))


def _approve(setting: client.Settings, opened: Any, statement: str) -> dict[str, Any]:
    signature = b64encode(opened.key.sign(statement.encode())).decode()
    with client.connect(setting) as service:
        return service.call("reply.approve", statement=statement, signature=signature)


def _drop_draft(opened: Any) -> None:
    from mailcounsel.cli import drafts

    drafts.drop(opened.shown["person"], opened.shown["case"])


def _said(answer: Mapping[str, Any], reason: str) -> str:
    name, back = answer["case"], f"To take it back: mailcounsel undo {output.short(answer['id'])}"
    if answer["state"] == "waiting":
        return (
            f"Your reply to {name} waits: the client has not chosen yet how to get letters.\n"
            "They get a note without content now, and your words leave once they answer it.\n"
            f"{back}"
        )
    ways = {
        "encrypted": "encrypted and signed",
        "plain": "as ordinary mail, as the client agreed",
    }
    how = "as ordinary mail, by your decision" if reason else ways[answer["channel"]]
    when = output.local(answer["leaves_at"], answer["leaves_at"])
    return f"Your reply to {name} leaves at {when}, {how}.\n{back}"
