"""What is said of a command that was not typed whole: what is missing, and what to type."""

from __future__ import annotations

import re

import click

_CASE = re.compile(r"(?i)c-?\d+")


class Noun(click.Group):
    """A group such as `mailcounsel way`, which says what there is where nothing of it was named."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant, or say which there are."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            ctx.fail(self._advice(ctx, args[0]))
        return super().resolve_command(ctx, args)

    def _advice(self, ctx: click.Context, typed: str) -> str:
        there, like = ", ".join(self.commands), example(self)
        if _CASE.fullmatch(typed):
            like = like.replace("C-0042", typed)
            return f"Say what to do with {typed}: {there}. For example: {like}"
        return f"There is no `{ctx.command_path} {typed}`. There are: {there}. For example: {like}"


def example(command: click.Command) -> str:
    """Return the first line to type that a command's help gives."""
    lines = (line.strip() for line in (command.help or "").splitlines())
    found = next((line for line in lines if line.startswith("Example: ")), "")
    return found.removeprefix("Example: ")


def missing(fault: click.MissingParameter) -> str:
    """Return in a sentence what was left out, and what to type."""
    param, ctx = fault.param, fault.ctx
    if param is None or ctx is None:
        return fault.format_message()
    is_option = isinstance(param, click.Option)
    name = param.opts[0] if is_option else param.human_readable_name
    return f"{name} is missing. For example: {example(ctx.command)}"
