"""`mailcounsel introduce`: a therapist says who they are, from their own profile."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output

SOON = timedelta(days=30)  # before a licence expires


@click.command()
@click.argument("case")
@click.option("-m", "--message", default="", help="Your own words, above the introduction.")
@click.option("--profile", type=click.Path(dir_okay=False), help="Another file than your profile.")
@click.option(
    "--plain", metavar="REASON", help="Send it as ordinary mail this once, and record why."
)
@click.option("--dry-run", is_flag=True, help="Print the letter and send nothing.")
@output.json_option
@click.pass_obj
def introduce(
    setting: client.Settings,
    case: str,
    *,
    message: str,
    profile: str | None,
    plain: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Tell a client who you are.

    The letter is made from your profile, ~/.config/mailcounsel/profile.toml: name, training,
    licence and its end, languages, and a few words about you. docs/for-therapists.md shows one. A
    licence that has expired introduces nobody.

    \b
    Example: mailcounsel introduce C-0042 -m "Thank you for your letter."
    """
    from mailcounsel.cli import reply, unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        begun = service.call("reply.begin", case=opened.shown["case"], template="introduction")
    facts = _facts(profile, begun["language"], opened.shown["now"])
    reason = reply.reason_for(opened.shown, begun["ticket"]["channel"], plain)
    statement = reply.statement_of(
        begun, message.strip(), reason, "introduction", facts, activities=["introduction"]
    )
    if dry_run:
        reply.show(statement)
        return
    with client.connect(setting) as service:
        sent = service.call("reply.approve", **reply.signed(opened, statement))
    answer = {**sent, "case": opened.shown["case"], "channel": begun["ticket"]["channel"]}
    output.emit(answer, as_json, lambda: reply.said_of(answer, reason))


def _facts(named: str | None, language: str, now: str) -> dict[str, Any]:
    """Read the profile for a language, warn of a licence that ends soon, and return the facts."""
    from datetime import datetime

    from mailcounsel.letter import templates
    from mailcounsel.practice import profile

    path = Path(named) if named else _usual()
    today = datetime.fromisoformat(now).astimezone().date()
    try:
        found = profile.parse(path.read_text(encoding="utf-8"), language, today)
    except (OSError, UnicodeError) as fault:
        message = f"There is no profile in {path}. docs/for-therapists.md shows one."
        raise errors.NotFound(message) from fault
    except errors.Refused as fault:
        message = f"{fault} Mend it in {path}."
        raise errors.Refused(message) from fault
    ends = found.licence_expires
    if ends and ends - today < SOON:
        output.say(f"Your licence ends on {ends.isoformat()}; renew it in {path} in time.")
    return {
        "name": found.name,
        "training": found.training,
        "languages": found.languages,
        "licence": found.licence,
        "licence_until": templates.date_alone(ends, language) if found.licence and ends else "",
        "about_me": found.about,
    }


def _usual() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    return Path(base) / "mailcounsel" / "profile.toml"
