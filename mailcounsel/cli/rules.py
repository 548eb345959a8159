"""The admin's rules: tried on a file, looked at as a whole, and played again with others."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mailcounsel import errors
from mailcounsel.cli import client, nouns, output
from mailcounsel.cli.main import Setting

if TYPE_CHECKING:
    from mailcounsel.cli import unlock
    from mailcounsel.config import Config
    from mailcounsel.service import rulebook

LETTERS = {"letter", "answer", "command"}  # kinds of entry that rules sorted


@click.group(cls=nouns.Noun)
def rules() -> None:
    """Try and check the rules that sort letters.

    \b
    Example: mailcounsel rules lint
    """


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="FILE...")
@output.json_option
@click.pass_obj
def explain(setting: Setting, files: tuple[BinaryIO, ...], *, as_json: bool) -> None:
    """Say which rules a mail file meets, and why the others do not hold.

    \b
    Example: mailcounsel rules explain letter.eml
    """
    from mailcounsel.service import explaining

    config = _config(setting)
    wanted = ("kind", "rules", "queue", "priority", "tags", "acknowledgement", "problems")
    for file in files:
        found = explaining.explain(file.read(), config, [], datetime.now(UTC))
        data = {"file": file.name, **{key: found[key] for key in wanted}}
        output.emit(data, as_json, lambda data=data: _explained(data))  # type: ignore[misc] # bound


def _explained(data: Mapping[str, Any]) -> str:
    from mailcounsel.letter import text

    lines = [f"{text.one_line(data['file'], 200)}: {data['kind']}"]
    lines += [f"  {line}" for line in data["rules"] or ["(there are no rules)"]]
    if data["queue"]:
        tags = f", tags {' '.join(data['tags'])}" if data["tags"] else ""
        lines.append(f"  goes to {data['queue']}, priority {data['priority']}{tags}")
    return "\n".join([*lines, *(f"  {problem}" for problem in data["problems"])])


@rules.command()
@output.json_option
@click.pass_obj
def lint(setting: Setting, *, as_json: bool) -> None:
    """Name rules that no letter reaches, effects that are lost, and queues nobody works.

    Ends with 1 where there is something to mend.

    \b
    Example: mailcounsel rules lint
    """
    from mailcounsel.service import rulebook

    config = _config(setting)
    found = rulebook.lint(config)
    many = len(config.rules)
    fine = f"{many} rule{'s' * (many != 1)}, and nothing to mend."
    data = {"rules": len(config.rules), "problems": found}
    output.emit(data, as_json, lambda: "\n".join(found) or fine)
    if found:
        raise SystemExit(1)


@rules.command()
@click.option("--last", type=click.IntRange(1, 10_000), default=500, show_default=True,
              help="How many letters, the newest first.")  # fmt: skip
@click.option("--with", "other", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="The configuration whose rules are tried.")  # fmt: skip
@output.json_option
@click.pass_obj
def replay(setting: Setting, *, last: int, other: Path, as_json: bool) -> None:
    """Say which letters other rules would have sorted elsewhere. Nothing is changed.

    Opens the cases you can open, here, and tries the rules of the configuration and of FILE on
    their letters. Senders and headers are known to supervisors alone: where a rule asks for them,
    a letter you cannot see them of is counted apart.

    \b
    Example: mailcounsel rules replay --last 500 --with new.toml
    """
    from mailcounsel import config
    from mailcounsel.service import rulebook

    now, tried = _config(setting), config.load(other)
    with client.connect(setting) as service:
        letters, shut = _opened(service, last, with_raw=rulebook.needs_source(now, tried))
    found = {**rulebook.replay(letters, now, tried), "shut": shut}
    output.emit(found, as_json, lambda: _replayed(found))


def _opened(
    service: client.Service, last: int, *, with_raw: bool
) -> tuple[list[rulebook.Sorted], int]:
    """Open the newest letters this reader has keys to, and count those without."""
    from mailcounsel.cli import unlock, viewing

    found: list[tuple[dict[str, Any], unlock.OpenCase]] = []
    for row in service.call("queue.list", all=True)["cases"]:
        case = unlock.open_case(service, row["case"])
        entries = viewing.opened_entries(service, case)
        found += [(one, case) for one in entries if one["direction"] == "in"]
    letters = [(one, case) for one, case in found if one["kind"] in LETTERS]
    letters.sort(key=lambda letter: str(letter[0]["at"]), reverse=True)
    newest = letters[:last]
    opened = [(one, case) for one, case in newest if not one.get("unreadable")]
    sort = [_sorted(service, one, case, with_raw=with_raw) for one, case in opened]
    return sort, len(newest) - len(opened)


def _sorted(
    service: client.Service, entry: Mapping[str, Any], case: unlock.OpenCase, *, with_raw: bool
) -> rulebook.Sorted:
    from mailcounsel.service import rulebook

    raw = _raw(service, entry, case) if with_raw else None
    at = datetime.fromisoformat(entry["at"])
    words = (entry["subject"], entry["text"])
    return rulebook.Sorted(case.shown["case"], entry["number"], at, *words, raw)


def _raw(service: client.Service, entry: Mapping[str, Any], case: unlock.OpenCase) -> bytes | None:
    """Open the raw mail of a letter, which only supervisors can."""
    from mailcounsel.cli import unlock

    with contextlib.suppress(errors.Refused, errors.NotFound, errors.SealBroken):
        sealed = unlock.fetch(service, entry["id"], "source")
        context = f"letter/{entry['id']}/source"
        return case.open_source(entry["case"], entry["epoch"], sealed, context)
    return None


def _replayed(found: Mapping[str, Any]) -> str:
    lines = [
        f"{one['case']} letter {one['number']}: {one['before']} -> {one['after']}"
        for one in found["moved"]
    ]
    lines.append(
        f"{found['looked_at']} letters looked at, {len(found['moved'])} would be sorted otherwise."
    )
    if found["unknown"]:
        lines.append(
            f"{found['unknown']} not compared: a rule asks for what supervisors alone see."
        )
    if found["shut"]:
        lines.append(f"{found['shut']} not compared: you have no key to them.")
    return "\n".join(lines)


def _config(setting: Setting) -> Config:
    from mailcounsel import config

    return config.load(setting.config_path)
