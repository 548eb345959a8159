"""Test every part, with a fix for each fault."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output
from mailcounsel.cli.main import Setting

if TYPE_CHECKING:
    from mailcounsel.config import Config

POLL_SECONDS = 0.5


@click.command()
@click.option("--roundtrip", is_flag=True, help="Mail the centre itself and say what survives.")
@click.option("--wait", default=60, show_default=True, help="Seconds until a mail must be back.")
@output.json_option
@click.pass_obj
def doctor(setting: Setting, roundtrip: bool, wait: int, as_json: bool) -> None:
    """Test every part, with a fix for each fault.

    Connects to the mail servers. Finds out more while the service runs. Exits with 1 when
    anything is wrong.

    \b
    Example: mailcounsel doctor --roundtrip
    """
    from mailcounsel import config as configuration
    from mailcounsel.service import checks

    config = configuration.load(setting.config_path)
    found = [{"part": "config", "ok": True, "says": f"{setting.config_path} loads", "fix": ""}]
    found += checks.as_data(checks.of_machine(config))
    found += _of_service(setting, config)
    if roundtrip:
        found += _roundtrips(setting, config, wait)
    output.emit({"findings": found}, as_json, lambda: text(found))
    if not all(one["ok"] for one in found):
        raise SystemExit(1)


def _of_service(setting: Setting, config: Config) -> list[dict[str, Any]]:
    """Ask the running service, or look from outside when there is none."""
    from mailcounsel.service import checks, outside

    try:
        with client.connect(setting) as service:
            inside: list[dict[str, Any]] = service.call("doctor")["findings"]
    except errors.Unavailable as fault:
        stopped = checks.as_data(outside.of_stopped(config, datetime.now(UTC)))
        return [*stopped, _finding("service", str(fault), "mailcounsel serve")]
    return [*inside, _finding("service", "running")]


def _finding(part: str, says: str, fix: str = "") -> dict[str, Any]:
    return {"part": part, "ok": not fix, "says": says, "fix": fix}


# -- there and back -------------------------------------------------------------------------------


def _roundtrips(setting: Setting, config: Config, wait: int) -> list[dict[str, Any]]:
    """Send a mail to each inbox and wait for it to come back, one after the other."""
    addresses = [inbox.address for inbox in config.inboxes]
    try:
        with client.connect(setting) as service:
            return [one for address in addresses for one in _roundtrip(service, address, wait)]
    except errors.Unavailable:
        fix = "Start the service, which receives the mail: mailcounsel serve"
        return [_finding("roundtrip", "needs the running service", fix)]


def _roundtrip(service: client.Service, address: str, wait: int) -> list[dict[str, Any]]:
    part = f"roundtrip {address}"
    try:
        sent = service.call("roundtrip.send", address=address)
    except errors.MailcounselError as fault:
        return [_finding(part, str(fault), "Mend the smarthost first: see its line above.")]
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        looked: dict[str, Any] = service.call(
            "roundtrip.look", address=address, token=sent["token"]
        )
        if looked["back"]:
            findings: list[dict[str, Any]] = looked["findings"]
            return findings
        time.sleep(POLL_SECONDS)
    fix = "See whether it lies in another folder of the mailbox, or wait longer: --wait 300"
    return [_finding(part, f"was taken by the smarthost, and is not back after {wait} s", fix)]


# -- as people read it ----------------------------------------------------------------------------


def text(found: Sequence[Mapping[str, Any]]) -> str:
    """Return a line for each part, and a fix under each fault."""
    lines = []
    for one in found:
        lines.append(f"{'ok ' if one['ok'] else 'bad'}  {one['part']}: {one['says']}")
        if one["fix"]:
            lines.append(f"       fix: {one['fix']}")
    count = sum(not one["ok"] for one in found)
    lines.append("Everything is well." if count == 0 else f"{count} of {len(found)} to mend.")
    return "\n".join(lines)
