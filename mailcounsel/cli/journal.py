"""What a therapist writes into a case: taken from an editor or a file, sealed, and kept."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import IO, Any, TypeVar

import click

from mailcounsel import errors
from mailcounsel.cli import client

Command = TypeVar("Command", bound=Callable[..., Any])


def text_options(command: Command) -> Command:
    """Let a command take its text from a file or from its line; without either an editor opens."""
    from_file = click.option(
        "--file",
        "source",
        type=click.File(encoding="utf-8"),
        help="Take the text from a file; - is standard input.",
    )
    return from_file(click.option("-m", "--message", help="The text itself.")(command))


def given(source: IO[str] | None, message: str | None) -> str | None:
    """Return the text a command was given, None where it is to be written in the editor."""
    return message if source is None else source.read()


def activities(names: Sequence[str], template: str | None = None) -> tuple[str, ...]:
    """Return activities by their names; where none is named, what a template suggests.

    Raises: UsageError for a name that is none.
    """
    from mailcounsel.practice.journey import suggested
    from mailcounsel.practice.milestones import ACTIVITIES

    if not names and template:
        return suggested(template)
    for name in names:
        if name not in ACTIVITIES:
            message = f"{name} is no activity. There are: {', '.join(ACTIVITIES)}."
            raise click.UsageError(message)
    return tuple(dict.fromkeys(names))


def written(opened: Any, draft: str, *, start: str = "", below: str = "") -> str:
    """Let the person write; what they save is kept as a draft until `drop` is called.

    `start` stands in the editor where there is no draft yet, `below` under the scissors line.
    """
    from mailcounsel.cli import drafts, editor

    person, name = opened.shown["person"], f"{opened.shown['case']}.{draft}"

    def keep_draft(words: str) -> None:
        drafts.keep(opened.key, person, name, words)

    begun = drafts.load(opened.key, person, name) or start
    words = editor.edit(begun, keep=keep_draft, below=below)
    if words:
        keep_draft(words)
    return words


def drop(opened: Any, draft: str) -> None:
    """Forget a draft, since its words are kept or sent."""
    from mailcounsel.cli import drafts

    drafts.drop(opened.shown["person"], f"{opened.shown['case']}.{draft}")


def checked(words: str, what: str) -> str:
    """Return words without blank ends. Raises: Refused where there are none."""
    words = words.strip()
    if not words:
        message = f"The {what} is empty. Nothing was kept."
        raise errors.Refused(message)
    return words


def keep(
    setting: client.Settings,
    opened: Any,
    kind: str,
    content: dict[str, Any],
    *,
    method: str = "note.add",
    **more: Any,
) -> dict[str, Any]:
    """Seal something to the case's readers and keep it as an entry of a kind.

    Raises: Conflict when the case was given to somebody else meanwhile.
    """
    letter_id = secrets.token_hex(12)
    plain = json.dumps({"format": 1, **content}, ensure_ascii=False).encode()
    sealed = opened.seal(plain, f"letter/{letter_id}/content")
    named = {"kind": kind} if method == "note.add" else {}
    with client.connect(setting) as service:
        return service.call(
            method,
            case=opened.shown["case"],
            letter=letter_id,
            epoch=opened.shown["epoch"],
            content=b64encode(sealed).decode(),
            **named,
            **more,
        )
