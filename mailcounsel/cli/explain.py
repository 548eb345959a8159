"""Say what the centre would make of a mail file. Nothing is stored, no service is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mailcounsel.cli import output
from mailcounsel.cli.main import Setting

if TYPE_CHECKING:
    from mailcounsel.config import Config

LABEL = 13  # cells before each value


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="FILE...")
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    metavar="GNUPGHOME",
    help="A gpg home whose keys may decrypt; without it nothing is decrypted.",
)
@output.json_option
@click.pass_obj
def explain(
    setting: Setting, files: tuple[BinaryIO, ...], keys: Path | None, as_json: bool
) -> None:
    """Say what would happen to a mail file.

    Takes each FILE ("-" is standard input) through the steps in this process and stores nothing.
    Uses the configuration's rules if there is one. With --json, one object a line for each file.

    \b
    Example: mailcounsel explain letter.eml
    """
    from mailcounsel.service import explaining

    config = _config(setting)
    with explaining.keys_of(keys) as opened:
        for number, file in enumerate(files):
            found = explaining.explain(file.read(), config, opened, datetime.now(UTC))
            data = {"version": 1, "file": text_safe(file.name), **found}
            if as_json:
                click.echo(json.dumps(data, ensure_ascii=False))
            else:
                click.echo(("\n" if number else "") + text(data))


def _config(setting: Setting) -> Config:
    """Load the configuration: the one named, else the one found, else none."""
    from mailcounsel import config
    from mailcounsel.service import explaining

    if setting.config or setting.config_path.exists():
        return config.load(setting.config_path)
    return explaining.any_config()


def text_safe(name: str) -> str:
    """Return a file's name without anything a terminal would act upon."""
    from mailcounsel.letter import text as letter_text

    return letter_text.one_line(name, 200)


# -- as people read it ----------------------------------------------------------------------------


def text(found: Mapping[str, Any]) -> str:
    """Return what was found, a line each, and the words under them."""
    lines = [f"{found['file']}:"]
    lines += [_line(label, value) for label, value in _facts(found) if value]
    if found.get("text"):
        lines += ["", *(f"    {line}".rstrip() for line in found["text"].split("\n"))]
    return "\n".join(lines)


def _line(label: str, value: str) -> str:
    return f"  {label:<{LABEL}}{value}"


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
        ("vouching", found["vouching"]),
        ("placement", found["placement"]),
        *(("rule", rule) for rule in found["rules"]),
        ("queue", _queue(found)),
        ("answer", _answer(found)),
        ("command", found["command"] or ""),
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
    parts = [found["protection"]]
    parts += [f"headers {found['header_protection']}"] if found["header_protection"] else []
    parts += [f"signed by {one}" for one in found["signed_by"]]
    parts += [f"offers key {one}" for one in found["keys_offered"]]
    return ", ".join(parts)


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
