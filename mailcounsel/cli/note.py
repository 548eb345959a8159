"""`mailcounsel note`: a note, sealed in its author's own process."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from typing import IO, Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output


@click.command()
@click.argument("case")
@click.option(
    "--file",
    "source",
    type=click.File(encoding="utf-8"),
    help="Take the text from a file; - is standard input.",
)
@click.option("-m", "--message", help="The text itself.")
@click.pass_obj
def note(
    setting: client.Settings, case: str, *, source: IO[str] | None, message: str | None
) -> None:
    """Write a note that only the case's readers can open.

    \b
    Example: mailcounsel note C-0042 -m "Asked about sleep; sister moves in next week."
    """
    from mailcounsel.cli import drafts, unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
    person, draft = opened.shown["person"], f"{opened.shown['case']}.note"
    given = message if source is None else source.read()
    words = (_written(opened, person, draft) if given is None else given).strip()
    if not words:
        message = "The note is empty. Nothing was kept."
        raise errors.Refused(message)
    _keep(setting, opened, words)
    if given is None:
        drafts.drop(person, draft)
    output.say(f"Noted in {opened.shown['case']}.")


def _written(opened: Any, person: str, draft: str) -> str:
    from mailcounsel.cli import drafts, editor

    def keep(words: str) -> None:
        drafts.keep(opened.key, person, draft, words)

    words = editor.edit(drafts.load(opened.key, person, draft), keep=keep)
    if words:
        keep(words)
    return words


def _keep(setting: client.Settings, opened: Any, words: str) -> None:
    letter_id = secrets.token_hex(12)
    content = json.dumps({"format": 1, "text": words}, ensure_ascii=False).encode()
    sealed = opened.seal(content, f"letter/{letter_id}/content")
    with client.connect(setting) as service:
        service.call(
            "note.add",
            case=opened.shown["case"],
            letter=letter_id,
            epoch=opened.shown["epoch"],
            content=b64encode(sealed).decode(),
        )
