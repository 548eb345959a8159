"""The configuration, looked at without connecting to anything."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from mailcounsel import errors
from mailcounsel.cli import client, nouns, output
from mailcounsel.cli.main import Setting

if TYPE_CHECKING:
    from mailcounsel.config import Config


@click.group(cls=nouns.Noun)
def config() -> None:
    """Check the configuration.

    \b
    Example: mailcounsel config check
    """


@config.command()
@output.json_option
@click.pass_obj
def check(setting: Setting, as_json: bool) -> None:
    """Read the configuration and name every fault with its line.

    Connects to no server. Where the service runs on this machine it is asked whether it works by
    this file, and who has to enrol before a queue is open.

    \b
    Example: mailcounsel --config /etc/mailcounsel/config.toml config check
    """
    from mailcounsel import config as configuration
    from mailcounsel.config import wording

    found = configuration.load(setting.config_path)
    counts = {
        "inboxes": len(found.inboxes),
        "queues": len(found.queues),
        "people": len(found.people),
        "rules": len(found.rules),
    }
    unused, untold, said = _unused(found), found.untold(), _running(found)
    data = {"config": str(setting.config_path), **counts, "untold": untold}
    warned = [f"But: {wording.untold(untold)}. {wording.NOTIFY}"] if untold else []
    shown = [f"{setting.config_path.name} is fine: {_listed(counts)}", *warned, *unused, *said]
    data |= {"crisis_directory": unused, "service": said}
    output.emit(data, as_json, lambda: "\n".join(shown))


def _running(found: Config) -> list[str]:
    """Return what the running service says of this file; nothing where none answers for it."""
    try:
        with client.connect(Setting(socket=str(found.centre.socket))) as service:
            standing = service.call("config.standing")
    except errors.MailcounselError:
        return []
    if Path(standing["config"]).resolve() != found.path.resolve():
        return []
    return [*_in_force(standing), *standing["warnings"]]


def _in_force(standing: dict[str, Any]) -> list[str]:
    if standing["in_force"]:
        return []
    verb, other = "reload", f"kill -HUP {standing['pid']}"
    if standing["restart"]:
        verb, other = "restart", "stop `mailcounsel serve` and start it again"
    what = f", and {' and '.join(standing['restart'])} changed" if standing["restart"] else ""
    said = f"The running service still works by the file as it was{what}."
    return [f"{said} Next: sudo systemctl {verb} mailcounsel (without systemd: {other})"]


def _unused(found: Config) -> list[str]:
    """Return what of the crisis directory is not used, and how to mend that."""
    from mailcounsel.practice import directory

    path = found.centre.crisis_directory
    if path is None:
        return []
    if not path.is_file():
        problem = errors.Problem(str(path), "centre.crisis_directory", "there is no such file")
        raise errors.ConfigError([problem])
    today = datetime.now(ZoneInfo(found.centre.time_zone)).date()
    faults = list(directory.faults(path, today))
    fix = (
        f"Fix: try each number, then write the day into {path.name} as verified_on, and take "
        "`example = true` out of what is no example any more."
    )
    return [*faults, fix] if faults else []


def _listed(counts: dict[str, int]) -> str:
    single = {"inboxes": "inbox", "queues": "queue", "people": "person", "rules": "rule"}
    return ", ".join(f"{n} {single[name] if n == 1 else name}" for name, n in counts.items())
