"""The configuration, looked at without connecting to anything."""

from __future__ import annotations

import click

from mailcounsel.cli import output
from mailcounsel.cli.main import Setting


@click.group()
def config() -> None:
    """Check the configuration.

    \b
    Example: mailcounsel config check
    """


@config.command()
@output.json_option
@click.pass_obj
def check(setting: Setting, as_json: bool) -> None:
    """Read the configuration and name every fault with its line. Connects to nothing.

    \b
    Example: mailcounsel --config /etc/mailcounsel/config.toml config check
    """
    from mailcounsel import config as configuration

    found = configuration.load(setting.config_path)
    counts = {
        "inboxes": len(found.inboxes),
        "queues": len(found.queues),
        "people": len(found.people),
        "rules": len(found.rules),
    }
    data = {"config": str(setting.config_path), **counts}
    output.emit(data, as_json, lambda: f"{setting.config_path.name} is fine: {_listed(counts)}")


def _listed(counts: dict[str, int]) -> str:
    single = {"inboxes": "inbox", "queues": "queue", "people": "person", "rules": "rule"}
    return ", ".join(f"{n} {single[name] if n == 1 else name}" for name, n in counts.items())
