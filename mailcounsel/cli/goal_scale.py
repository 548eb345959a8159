"""`mailcounsel goal scale` and `rate`: five levels, written before the work, and ratings."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output
from mailcounsel.practice import attainment, names

KIND = "measure"  # of the entry a rating is


@click.command()
@click.argument("case")
@click.argument("name")
@click.option(
    "--level",
    "levels",
    type=(int, str),
    multiple=True,
    metavar="-2..2 TEXT",
    help="What one would see at this level; five times, 0 being what you expect.",
)
@click.option("--weight", type=int, default=1, show_default=True, help="How much it counts, to 10.")
@click.pass_obj
def scale(
    setting: client.Settings,
    case: str,
    name: str,
    *,
    levels: Sequence[tuple[int, str]],
    weight: int,
) -> None:
    """Write the five levels of a goal, before the work begins.

    Write each so that somebody else could see which one is reached. Once a goal was rated its
    levels stay. Only the case's readers can open them.

    \b
    Example: mailcounsel goal scale C-0042 G1 --level -2 "0 walks" --level -1 "1" --level 0 "2" --level 1 "3" --level 2 "4"
    """  # noqa: E501 - an example is one line to type
    which, written = named(case, name), attainment.scale(levels, weight)
    with client.connect(setting) as service:
        opened, goal = _goal(service, case, which)
        if _ratings(service, opened, goal):
            message = f"{which} was rated already, so its levels stay. Agree a new goal instead."
            raise errors.Refused(message)
        _describe(service, opened, goal, which, {"scale": written})
    output.say(f"{which} of {opened.shown['case']} has its five levels.")


@click.command(context_settings={"ignore_unknown_options": True})  # -1 is a level, no option
@click.argument("case")
@click.argument("name")
@click.argument("level")
@click.pass_obj
def rate(setting: client.Settings, case: str, name: str, level: str) -> None:
    """Say which level of its scale a goal has reached: -2, -1, 0, +1 or +2.

    \b
    Example: mailcounsel goal rate C-0042 G1 +1
    """
    which, reached = named(case, name), attainment.level(level)
    with client.connect(setting) as service:
        opened, goal = _goal(service, case, which)
        if not goal.get("scale"):
            message = (
                f"{which} has no levels yet. Write them: mailcounsel goal scale {case} {which} …"
            )
            raise errors.Refused(message)
        words = goal["scale"]["levels"][str(reached)]
        content = {
            "format": 1,
            "text": f"{which} at {attainment.signed(reached)}: {words}",
            "goal": goal["id"],
            "level": reached,
        }
        _keep(service, opened, content)
    stands = attainment.signed(reached) if reached else "0, as you expected when it was agreed"
    output.say(f"{which} of {opened.shown['case']} stands at {stands}.")


def named(case: str, written: str) -> str:
    """Return a name as it is kept: "G1" of "g1", or of "1". Raises: UsageError."""
    found = names.read(written)
    if found is None:
        message = f"{written} is no name such as G1. `mailcounsel goal list {case}` shows them."
        raise click.UsageError(message)
    return names.of(*found)


def _goal(service: client.Service, case: str, name: str) -> tuple[Any, dict[str, Any]]:
    """Open a case, and the goal of it that is meant. Raises: NotFound, Refused."""
    from mailcounsel.cli import unlock, viewing

    opened = unlock.open_case(service, case)
    for goal in viewing.opened_goals(opened):
        is_here = goal["case"] == opened.shown["id"]
        if is_here and goal["asks"] == names.GOAL and names.of(names.GOAL, goal["number"]) == name:
            if "unreadable" in goal:
                raise errors.Refused(goal["unreadable"])
            return opened, goal
    raise errors.NotFound(f"{opened.shown['case']} has no goal {name}.")


def _ratings(service: client.Service, opened: Any, goal: dict[str, Any]) -> list[dict[str, Any]]:
    from mailcounsel.cli import viewing

    (rated,) = attainment.rated([goal], viewing.opened_entries(service, opened, kind=KIND))
    found: list[dict[str, Any]] = rated["levels"]
    return found


def _describe(
    service: client.Service, opened: Any, goal: dict[str, Any], name: str, more: dict[str, Any]
) -> None:
    """Seal a goal's detail anew, with more in it."""
    kept = ("text", "target", "baseline", "review", "scale")
    detail = {key: goal[key] for key in kept if key in goal} | more
    plain = json.dumps(detail, ensure_ascii=False).encode()
    sealed = opened.seal(plain, f"goal/{goal['id']}/detail")
    service.call(
        "goal.describe",
        case=opened.shown["case"],
        name=name,
        detail=b64encode(sealed).decode(),
        epoch=opened.shown["epoch"],
    )


def _keep(service: client.Service, opened: Any, content: dict[str, Any]) -> None:
    letter_id = secrets.token_hex(12)
    plain = json.dumps(content, ensure_ascii=False).encode()
    service.call(
        "note.add",
        case=opened.shown["case"],
        letter=letter_id,
        epoch=opened.shown["epoch"],
        content=b64encode(opened.seal(plain, f"letter/{letter_id}/content")).decode(),
        kind=KIND,
    )
