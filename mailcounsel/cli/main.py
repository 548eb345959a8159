"""The command line: groups of commands, loaded when they are used, and errors in one sentence.

`--help` and the listing commands must be quick on an old machine, so this file imports click and
nothing else of weight; what a command needs is imported by its own file, or inside it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mailcounsel import errors

SECTIONS = ("Therapists", "Admins", "Anybody")

# name -> (module, object, section, short help); a test compares the help with the command's own.
COMMANDS: dict[str, tuple[str, str, str, str]] = {
    "next": ("next", "next_", "Therapists", "Take the case that needs somebody most, and show it."),
    "queue": ("queue", "queue", "Therapists", "List the cases that wait for you."),
    "show": ("show", "show", "Therapists", "Show a case: letters, notes, goals."),
    "reply": ("reply", "reply", "Therapists", "Write to the client of a case."),
    "undo": ("undo", "undo", "Therapists", "Take back a reply that has not left yet."),
    "outbox": ("outbox", "outbox", "Therapists", "List letters that leave, wait or are stuck."),
    "note": ("note", "note", "Therapists", "Write a note that only the case's readers can open."),
    "goal": ("goal", "goal", "Therapists", "Agree goals and see how they go."),
    "assign": ("assign", "assign", "Therapists", "Give a case to a colleague."),
    "link": ("link", "link", "Therapists", "Say that two cases are the same client's."),
    "risk": ("risk", "risk", "Therapists", "Close a sign of danger with a sentence."),
    "seen": ("seen", "seen", "Therapists", "Clear a flag on a case."),
    "close": ("close", "close", "Therapists", "Close a case."),
    "reopen": ("reopen", "reopen", "Therapists", "Open a closed case again."),
    "enrol": ("enrol", "enrol", "Therapists", "Enrol on this machine with a code."),
    "init": ("init", "init", "Admins", "Set up a centre."),
    "serve": ("serve", "serve", "Admins", "Run the centre."),
    "invite": ("people", "invite", "Admins", "Make a one-time code for a colleague."),
    "config": ("config", "config", "Admins", "Check the configuration."),
    "doctor": ("doctor", "doctor", "Admins", "Test every part, with a fix for each fault."),
    "quarantine": ("quarantine", "quarantine", "Admins", "Letters that could not be placed."),
    "reconcile": ("reconcile", "reconcile", "Admins", "Prove that no letter was lost."),
    "explain": ("explain", "explain", "Anybody", "Say what would happen to a mail file."),
    "demo": ("demo", "demo", "Anybody", "Watch a letter become an answered case."),
    "relay": ("relay", "relay", "Anybody", "Carry commands from another machine (ssh)."),
}


@dataclass(slots=True)
class Setting:
    """What the options before the command said."""

    config: Path | None
    socket: Path | None
    host: str | None
    person: str | None
    debug: bool

    @property
    def config_path(self) -> Path:
        """Return the configuration file to use: the one named, else ./config.toml, else /etc."""
        if self.config:
            return self.config
        here = Path("config.toml")
        return here if here.exists() else Path("/etc/mailcounsel/config.toml")


class Lazy(click.Group):
    """A group that knows its commands by name and loads each when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order they are shown."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"mailcounsel.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the commands in their sections, without loading any."""
        for section in SECTIONS:
            rows = [(name, row[3]) for name, row in COMMANDS.items() if row[2] == section]
            with formatter.section(section):
                formatter.write_dl(rows)


@click.group(
    cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 90}
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="MAILCOUNSEL_CONFIG",
    help="The configuration file.",
)
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    envvar="MAILCOUNSEL_SOCKET",
    help="The service's socket.",
)
@click.option(
    "--host",
    envvar="MAILCOUNSEL_HOST",
    help='The centre\'s machine, as ssh takes it: "user@centre".',
)
@click.option(
    "--as",
    "person",
    envvar="MAILCOUNSEL_AS",
    help="Who you act as, where an account has several people.",
)
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.version_option(package_name="mailcounsel")
@click.pass_context
def cli(ctx: click.Context, **options: Any) -> None:
    """A counselling centre that runs on ordinary email.

    \b
    Example: mailcounsel next
    """
    ctx.obj = Setting(**options)


def main() -> None:
    """Run the command line. Every error of ours becomes one sentence and an exit code."""
    try:
        with cli.make_context("mailcounsel", sys.argv[1:]) as ctx:
            cli.invoke(ctx)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.Abort:
        click.echo("Nothing was changed.", err=True)
        sys.exit(1)
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except errors.MailcounselError as fault:
        _say(fault)
        if "--debug" in sys.argv:
            raise
        sys.exit(fault.exit_code)


def _say(fault: errors.MailcounselError) -> None:
    if "--json" in sys.argv:
        error = {"version": 1, "error": str(fault), "exit_code": fault.exit_code}
        click.echo(json.dumps(error, ensure_ascii=False), err=True)
        return
    click.echo(str(fault), err=True)
