"""`mailcounsel demo`: watch a letter become an answered case, or play the client yourself."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from mailcounsel import errors
from mailcounsel.cli import output


@click.group(invoke_without_command=True)
@click.option("--stay", is_flag=True, help="Keep the centre open afterwards, to play with.")
@click.option("--keep", is_flag=True, help="Leave its files behind, and say where.")
@click.pass_context
def demo(ctx: click.Context, *, stay: bool, keep: bool) -> None:
    """Watch a letter become an answered case.

    A small centre opens in a temporary place on this machine. Invented clients write to it, and
    the real commands answer them. Nothing is sent anywhere, and nothing is left behind.

    \b
    Example: mailcounsel demo --stay
    """
    if ctx.invoked_subcommand is None:
        from mailcounsel.demo import story

        raise SystemExit(story.play(keep=keep, stay=stay))


@demo.command()
@click.argument("text", required=False)
@click.option("--as", "client", default="melati", show_default=True, help="Who writes.")
@output.json_option
def write(text: str | None, client: str, *, as_json: bool) -> None:
    """Write to the centre as a client.

    It answers the latest letter they got. Without TEXT it is read from standard input, or
    written in your editor. A name nobody has used yet is a new client.

    \b
    Example: mailcounsel demo write --as melati "Halo, ini saya."
    """
    from mailcounsel.demo import staying

    words = _words(text)
    answer = staying.ask("write", client=client, text=words)
    output.emit(answer, as_json, lambda: _written(answer))


def _words(text: str | None) -> str:
    from mailcounsel.cli import editor

    if text is None:
        text = editor.edit("", keep=lambda _: None) if sys.stdin.isatty() else sys.stdin.read()
    if not text.strip():
        message = "The letter is empty. Nothing was sent."
        raise errors.Refused(message)
    return text.strip()


def _written(answer: Mapping[str, Any]) -> str:
    return f"{answer['now']}: {answer['client']}'s letter has arrived. See: mailcounsel queue"


@demo.command()
@click.argument("client")
@output.json_option
@output.no_pager_option
def inbox(client: str, *, as_json: bool, no_pager: bool) -> None:
    """Show what a client's mail program shows, decrypted with their own key.

    \b
    Example: mailcounsel demo inbox melati
    """
    from mailcounsel.demo import staying

    answer = staying.ask("inbox", client=client)
    if as_json:
        output.emit(answer, as_json, str)
    else:
        output.page("\n".join(_shown(answer)), plain=no_pager)


def _shown(answer: Mapping[str, Any]) -> Iterator[str]:
    from mailcounsel.letter import text

    if not answer["letters"]:
        yield f"{answer['client']} has no letters yet."
    for number, letter in enumerate(answer["letters"], 1):
        how = "encrypted, signed by the centre" if letter["signed"] else "not encrypted"
        yield f"── {number}. From: {text.one_line(letter['from'], 60)}  ({how}) " + "─" * 10
        yield f"   Subject: {text.one_line(letter['subject'], 72)}\n"
        yield text.terminal_safe(letter["text"]).strip() + "\n"


@demo.command()
@click.option(
    "--days", type=click.IntRange(1, 366), default=1, show_default=True, help="How many days."
)
@output.json_option
def tomorrow(*, days: int, as_json: bool) -> None:
    """Let a day go by at the centre, or several.

    \b
    Example: mailcounsel demo tomorrow --days 7
    """
    from mailcounsel.demo import staying

    answer = staying.ask("tomorrow", days=days)
    output.emit(answer, as_json, lambda: f"It is {answer['now']} at the centre now.")


@demo.command()
def env() -> None:
    """Print what makes the other commands speak to the demonstration.

    \b
    Example: eval "$(mailcounsel demo env)"
    """
    from mailcounsel.demo import staying

    for name, value in staying.ask("hello")["environment"].items():
        click.echo(f"export {name}={shlex.quote(value)}")
    folder, is_path, _ = staying.program().rpartition("/")
    if is_path:
        click.echo(f'export PATH={shlex.quote(folder)}:"$PATH"')


@demo.command()
def stop() -> None:
    """Close a demonstration that stays.

    \b
    Example: mailcounsel demo stop
    """
    from mailcounsel.demo import staying

    staying.ask("stop")
    output.say("The centre closes.")
