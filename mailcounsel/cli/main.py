"""The command line: groups of commands, loaded when they are used, and errors in one sentence.

`--help` and the listing commands must be quick on an old machine, so this file imports click and
nothing else of weight; what a command needs is imported by its own file, or inside it.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from pathlib import Path

DAY, WORK, CARE = "Every day", "The work with a client", "Looking after a case"
CENTRE, ANYBODY = "Running the centre", "Anybody"
SECTIONS = (DAY, WORK, CARE, CENTRE, ANYBODY)

# name -> (module, object, section, short help); a test compares the help with the command's own.
COMMANDS: dict[str, tuple[str, str, str, str]] = {
    "next": ("next", "next_", DAY, "Take the case that needs somebody most, and show it."),
    "queue": ("queue", "queue", DAY, "List the cases that wait for you."),
    "show": ("show", "show", DAY, "Show a case: its letters, notes and goals."),
    "reply": ("reply", "reply", DAY, "Write to the client of a case."),
    "undo": ("undo", "undo", DAY, "Take back a reply in time, a merge or a split."),
    "outbox": ("outbox", "outbox", DAY, "List letters that leave, wait or are stuck."),
    "case": ("case", "case", WORK, "Show, plan and end a case; merge, split, copy, erase."),
    "introduce": ("introduce", "introduce", WORK, "Tell a client who you are."),
    "note": ("note", "note", WORK, "Write a note that only the case's readers can open."),
    "goal": ("goal", "goal", WORK, "Agree goals and see how they go."),
    "skill": ("skill", "skill", WORK, "Teach skills by letter and see the practice."),
    "measure": ("measure", "measure", WORK, "Send questionnaires and see the scores."),
    "appointment": ("appointment", "appointment", WORK, "Meet a client by video or telephone."),
    "assign": ("assign", "assign", CARE, "Give a case to a colleague."),
    "risk": ("risk", "risk", CARE, "Close a sign of danger with a sentence."),
    "way": ("way", "way", CARE, "See and decide how letters reach a client."),
    "seen": ("seen", "seen", CARE, "Clear a flag on a case that you have looked at."),
    "close": ("close", "close", CARE, "Close a case."),
    "reopen": ("reopen", "reopen", CARE, "Open a closed case again."),
    "init": ("init", "init", CENTRE, "Set up a centre."),
    "serve": ("serve", "serve", CENTRE, "Run the centre."),
    "invite": ("people", "invite", CENTRE, "Make a one-time code for a colleague."),
    "config": ("config", "config", CENTRE, "Check the configuration."),
    "doctor": ("doctor", "doctor", CENTRE, "Test every part, with a fix for each fault."),
    "rules": ("rules", "rules", CENTRE, "Try and check the rules that sort letters."),
    "quarantine": ("quarantine", "quarantine", CENTRE, "Letters that could not be placed."),
    "reconcile": ("reconcile", "reconcile", CENTRE, "Prove that no letter was lost."),
    "centre": ("centre", "centre", CENTRE, "See how the centre is doing, in numbers."),
    "key": ("key", "key", CENTRE, "Hand out the centre's own key."),
    "enrol": ("enrol", "enrol", ANYBODY, "Enrol on this machine with a code from your admin."),
    "explain": ("explain", "explain", ANYBODY, "Say what would happen to a mail file."),
    "demo": ("demo", "demo", ANYBODY, "Watch a letter become an answered case."),
    "relay": ("relay", "relay", ANYBODY, "Carry commands from another machine (ssh)."),
}


class Setting:
    """What the options before the command said.

    Written by hand, since the modules that would write it cost more than the rest of this file.
    """

    __slots__ = ("config_name", "debug", "host", "person", "socket_name")

    def __init__(
        self,
        config: str | None = None,
        socket: str | None = None,
        host: str | None = None,
        person: str | None = None,
        debug: bool = False,
    ) -> None:
        self.config_name = config
        self.socket_name = socket
        self.host = host
        self.person = person
        self.debug = debug

    @property
    def config(self) -> Path | None:
        """Return the configuration file that was named."""
        from pathlib import Path

        return Path(self.config_name) if self.config_name else None

    @property
    def socket(self) -> Path | None:
        """Return the socket that was named."""
        from pathlib import Path

        return Path(self.socket_name) if self.socket_name else None

    @property
    def config_path(self) -> Path:
        """Return the configuration file to use: the one named, else ./config.toml, else /etc."""
        from pathlib import Path

        return Path(self.config_file)

    @property
    def config_file(self) -> str:
        """Return the same as text."""
        here = "config.toml" if os.path.exists("config.toml") else "/etc/mailcounsel/config.toml"  # noqa: PTH110 - see above
        return self.config_name or here


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant, and offer the nearest where there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]}?" if near else " `mailcounsel --help` lists them."
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

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
    metavar="FILE",
    envvar="MAILCOUNSEL_CONFIG",
    help="The configuration file.",
)
@click.option(
    "--socket",
    metavar="FILE",
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
def cli(ctx: click.Context, /, **options: Any) -> None:
    """A counselling centre that runs on ordinary email.

    \b
    Example: mailcounsel next
    """
    ctx.obj = Setting(**options)


def main() -> None:
    """Run the command line. Every error of ours becomes one sentence and an exit code."""
    if not all(map(_is_text, sys.argv)):
        _leave("An argument is no text in UTF-8. Type it again, or give the text with --file.", 2)
    try:
        with cli.make_context("mailcounsel", sys.argv[1:]) as ctx:
            cli.invoke(ctx)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except click.MissingParameter as fault:
        from mailcounsel.cli import nouns

        _leave(nouns.missing(fault), fault.exit_code)
    except click.ClickException as fault:
        if "--json" in sys.argv:
            _leave(fault.format_message(), fault.exit_code)
        _leave(_shown(fault), fault.exit_code)
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001
        _leave(*_sentence(fault))


def _sentence(fault: BaseException) -> tuple[str, int]:
    """Return what to say of a fault, and the exit code."""
    from mailcounsel import errors

    match fault:
        case errors.MailcounselError():
            return str(fault), fault.exit_code
        case click.Abort():
            return "Nothing was changed.", 1
        case KeyboardInterrupt():
            return "Stopped.", 130
        case OSError(errno=int(number)) if fault.filename:
            return f"{os.fsdecode(fault.filename)} cannot be used: {os.strerror(number)}.", 1
        case OSError(errno=errno.ENOSPC):
            return "The disk is full. Free some space, and type it again.", 1
        case UnicodeError():
            return "Something that was given is no text in UTF-8.", 1
    # The text of a foreign error may quote a letter, so only its kind is said.
    return f"mailcounsel failed ({type(fault).__name__}). To see where: add --debug.", 1


def _is_text(word: str) -> bool:
    """Tell whether an argument was text: bytes that are none come as half surrogate pairs."""
    return not any("\ud800" <= one <= "\udfff" for one in word)


def _shown(fault: click.ClickException) -> str:
    """Return what click shows of a fault: usage, and what is wrong."""
    import io

    shown = io.StringIO()
    fault.show(file=shown)
    return shown.getvalue().rstrip("\n")


def _leave(message: str, exit_code: int) -> NoReturn:
    """Say in a sentence what went wrong, or as JSON where that is asked for, and end."""
    if "--json" in sys.argv:
        import json

        error = {"version": 1, "error": message, "exit_code": exit_code}
        click.echo(json.dumps(error), err=True)
    else:
        from mailcounsel.cli import output

        output.say(message)
    if "--debug" in sys.argv and sys.exc_info()[0]:
        raise  # noqa: PLE0704 - called from an except clause
    sys.exit(exit_code)
