"""Say what the centre would make of a mail file. Nothing is stored, no service is needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mailcounsel.cli import output
from mailcounsel.cli.main import Setting

if TYPE_CHECKING:
    from mailcounsel.config import Config

LABEL = 14  # cells before each value
LINE_CELLS = 200

VOUCHING = {
    "signed": "proved by the signature of a client's pinned key",
    "token": "our own token came back, from the client's address",
    "border": "our own mail server vouches for the sender's domain",
    "nothing": "nothing proves who wrote this",
}
PLACEMENT = {
    "new": "a case of its own",
    "maybe": "a case of its own, marked with the one it may belong to",
    "report": "the case of the letter it reports on",
    "token": "the case its token names",
    "references": "the case it answers",
    "only-open-case": "the client's one open case",
    "known-client": "a new case of a known client",
    "several-clients": "a case of its own, since several clients could have written it",
}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="FILE...")
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    metavar="GNUPGHOME",
    help="A gpg home whose keys may decrypt; without it nothing is decrypted.",
)
@click.option(
    "--questions",
    metavar="NAMES",
    help='Read it as the answer to these: "goal", or "G1,G2,mood,practice".',
)
@output.json_option
@click.pass_obj
def explain(
    setting: Setting,
    files: tuple[BinaryIO, ...],
    *,
    keys: Path | None,
    questions: str | None,
    as_json: bool,
) -> None:
    """Say what would happen to a mail file.

    Takes each FILE ("-" is standard input) through the steps in this process and stores nothing.
    Uses the configuration's rules if there is one. With --json, one object a line for each file.

    \b
    Example: mailcounsel explain letter.eml
    Example: mailcounsel explain --questions G1,mood,practice answer.eml
    """
    from mailcounsel.crypto import cores
    from mailcounsel.practice import answers
    from mailcounsel.service import explaining

    cores.forbid()
    asked = answers.questions_of(questions) if questions else []
    config = _config(setting)
    with explaining.keys_of(keys, config) as opened:
        for number, file in enumerate(files):
            found = explaining.explain(file.read(), config, opened, datetime.now(UTC), asked)
            data = {"version": 1, "file": file.name, **found}
            shown = output.as_line(data) if as_json else ("\n" if number else "") + text(data)
            click.echo(shown)


def _config(setting: Setting) -> Config:
    """Load the configuration: the one named, else the one found, else none."""
    from mailcounsel import config
    from mailcounsel.service import explaining

    if setting.config or setting.config_path.exists():
        return config.load(setting.config_path)
    return explaining.any_config()


# -- as people read it ----------------------------------------------------------------------------


def text(found: Mapping[str, Any]) -> str:
    """Return what was found, a line each, and the words under them."""
    from mailcounsel.letter import text as letter_text

    lines = [f"{letter_text.one_line(found['file'], LINE_CELLS)}:"]
    lines += [_line(label, value) for label, value in _facts(found) if value]
    if found["text"]:
        lines += ["", *(f"    {line}".rstrip() for line in _words(found).split("\n"))]
    return "\n".join(lines)


def _line(label: str, value: str) -> str:
    from mailcounsel.letter import text as letter_text

    return f"  {label:<{LABEL}}{letter_text.one_line(value, LINE_CELLS)}"


def _words(found: Mapping[str, Any]) -> str:
    """Return the letter's words with what is folded as one line each, safe for a terminal."""
    from mailcounsel.letter import fold
    from mailcounsel.letter import text as letter_text

    spans = [fold.Span(**span) for span in found["folded"]]
    return letter_text.terminal_safe(fold.render(found["text"], spans)).strip("\n")


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    kind = found["kind"] + (f" ({found['why']})" if found["why"] else "")
    if found["kind"] == "quarantine":
        return [("kind", kind), *_ends(found)]
    return [
        ("kind", kind),
        ("from", _sender(found)),
        ("subject", found["subject"]),
        ("date", found["date"] or "none that can be read"),
        ("language", found["language"] or "not sure"),
        ("attachments", _attachments(found)),
        ("protection", _protection(found)),
        ("who wrote it", VOUCHING[found["vouching"]]),
        ("goes to", PLACEMENT[found["placement"]]),
        *(("rule", rule) for rule in found["rules"]),
        ("queue", _queue(found)),
        ("answer", _answer(found)),
        ("command", found["command"] or ""),
        ("answers", ", ".join(f"{name} {said}" for name, said in found["answers"].items())),
        *(("risk", _risk(one)) for one in found["risk"]),
        *_ends(found),
    ]


def _ends(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    problems = [("problem", problem) for problem in found["problems"]]
    return [*problems, ("seconds", f"{found['seconds']:.3f}")]


def _sender(found: Mapping[str, Any]) -> str:
    words = [found["from_name"], f"<{found['from']}>" if found["from"] else "nobody to be sure of"]
    doubt = f"(doubt: {found['from_doubt']})" if found["from_doubt"] else ""
    return " ".join(word for word in (*words, doubt) if word)


def _attachments(found: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{one['name']} ({one['type']}, {one['size']} bytes)" for one in found["attachments"]
    )


def _protection(found: Mapping[str, Any]) -> str:
    about = found["protection"]
    parts = []
    if about["encrypted"]:
        parts += ["encrypted" if about["opened"] else "encrypted and closed"]
    parts += [f"signed by {one} over the {about['over']} letter" for one in about["by"]]
    if about["signed"] and not about["by"]:
        parts += ["a signature nobody here can check"]
    parts += ["its headers are protected"] if about["headers"] else []
    parts += [f"offers key {one}" for one in about["keys"]]
    return ", ".join(parts) or "none"


def _queue(found: Mapping[str, Any]) -> str:
    tags = f", tags {' '.join(found['tags'])}" if found["tags"] else ""
    return f"{found['queue']}, priority {found['priority']}{tags}"


def _answer(found: Mapping[str, Any]) -> str:
    if not found["may_answer"]:
        return "no automatic answer"
    return found["acknowledgement"] or "acknowledgement"


def _risk(sign: Mapping[str, Any]) -> str:
    marks = [name for name in ("quoted", "negated") if sign[name]]
    return f"{sign['kind']} ({', '.join([sign['rule'], *marks])})"
