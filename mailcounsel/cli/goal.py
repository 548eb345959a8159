"""`mailcounsel goal`: goals agreed with a client, and how they go."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from datetime import datetime

import click

from mailcounsel.cli import client, goal_scale, nouns, output


@click.group(cls=nouns.Noun)
def goal() -> None:
    """Agree goals and see how they go.

    \b
    Example: mailcounsel goal add C-0042 "walk 30 minutes" --every week --at "Mon 09:00"
    """


@goal.command()
@click.argument("case")
@click.argument("text", default="")
@click.option(
    "--asks",
    type=click.Choice(["goal", "mood", "practice"]),
    default="goal",
    show_default=True,
    help="How a goal goes, how the client feels (0 to 10), or how often they practised TEXT.",
)
@click.option("--target", default="", help="How one can tell that it is reached.")
@click.option("--baseline", type=click.IntRange(0, 10), help="Where the client starts, 0 to 10.")
@click.option(
    "--review",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day to look at the goal again, such as 2027-01-15.",
)
@click.option("--every", default="week", show_default=True, help="day, week, 2 weeks or month.")
@click.option(
    "--at", default="Mon 09:00", show_default=True, help="When, in the client's time zone."
)
@output.json_option
@click.pass_obj
def add(
    setting: client.Settings,
    case: str,
    text: str,
    *,
    asks: str,
    target: str,
    baseline: int | None,
    review: datetime | None,
    every: str,
    at: str,
    as_json: bool,
) -> None:
    """Agree a goal and ask about it on its days.

    TEXT stands in the check-ins the client gets, so write it as you agreed it with them. The
    service keeps it readable for that; the target only the case's readers can open.

    Questions of one case that fall due within the hour go out in one letter.

    \b
    Example: mailcounsel goal add C-0042 "walk" --target "4 times a week" --at "Mon 09:00"
    Example: mailcounsel goal add C-0042 --asks mood --every day --at 19:00
    """
    from mailcounsel.cli import unlock, viewing

    text = text or (asks if asks == "mood" else "")
    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        goal_id = secrets.token_hex(12)
        about = {"text": text, "target": target, "baseline": baseline}
        about["review"] = review.date().isoformat() if review else None
        detail = json.dumps(about, ensure_ascii=False).encode()
        sealed = opened.seal(detail, f"goal/{goal_id}/detail")
        answer = service.call(
            "goal.add",
            case=opened.shown["case"],
            goal=goal_id,
            label=text,
            detail=b64encode(sealed).decode(),
            epoch=opened.shown["epoch"],
            every=every,
            at=at,
            asks=asks,
        )
    name = opened.shown["case"]
    output.emit(
        {**answer, "case": name},
        as_json,
        lambda: (
            f"{answer['name']} agreed in {name}. The first check-in goes "
            f"out {output.soon_after(answer)}."
        ),
    )
    for line in viewing.resting({**opened.shown, "goals": [{"state": "active"}]}):
        click.echo(line, err=True)
    if answer["danger"]:
        click.echo(
            f"This text shows signs of danger, so {name} is urgent now, and its check-ins rest. "
            f'When it is over: mailcounsel risk close {name} "why"',
            err=True,
        )


@goal.command("list")
@click.argument("case")
@output.json_option
@click.pass_obj
def list_(setting: client.Settings, case: str, *, as_json: bool) -> None:
    """List a case's goals with the answers to their check-ins, their scales and ratings.

    \b
    Example: mailcounsel goal list C-0042
    """
    from mailcounsel.cli import measuring, unlock, viewing
    from mailcounsel.practice import attainment

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        ratings = viewing.opened_entries(service, opened, kind=goal_scale.KIND)
        forms = measuring.needed(service, opened.shown["goals"])
    goals = attainment.rated(viewing.opened_goals(opened), ratings)
    found = attainment.together(goals)
    none = f'No goal is agreed yet. Agree one: mailcounsel goal add {opened.shown["case"]} "…"'
    listed = [*viewing.goal_lines(goals), *measuring.lines(goals, forms)] or [none]
    output.emit(
        {
            "case": opened.shown["case"],
            "checkins_rest": opened.shown["checkins_rest"],
            "goals": goals,
            "together": {"t_score": found[0], "goals": found[1]} if found else None,
        },
        as_json,
        lambda: "\n".join([*viewing.resting(opened.shown), *listed]),
    )


@goal.command()
@click.argument("case")
@click.argument("name")
@click.option("--every", help="day, week, 2 weeks or month; as it was if left out.")
@click.option("--at", help='When, in the client\'s time zone: "Mon 19:00". As it was if left out.')
@click.pass_obj
def change(
    setting: client.Settings, case: str, name: str, *, every: str | None, at: str | None
) -> None:
    """Ask about a goal in another rhythm.

    A client can choose the morning or the evening by a word of their own; this is for all the rest.

    \b
    Example: mailcounsel goal change C-0042 G1 --at "Fri 19:00"
    """
    which = goal_scale.named(case, name)
    given = {key: value for key, value in (("every", every), ("at", at)) if value}
    if not given:
        raise click.UsageError('Say what to change: --every week, or --at "Mon 19:00".')
    with client.connect(setting) as service:
        answer = service.call("goal.change", case=case, name=which, **given)
    output.say(f"{which} of {answer['case']} is asked about next {output.soon_after(answer)}.")


@goal.command()
@click.argument("case")
@click.argument("name")
@click.pass_obj
def stop(setting: client.Settings, case: str, name: str) -> None:
    """Ask about a goal no longer, or send a questionnaire no more.

    Each kind counts for itself: G1 is a goal, Q1 a questionnaire, P1 a practice, M1 the mood, as
    `goal list` names them.

    \b
    Example: mailcounsel goal stop C-0042 G1
    Example: mailcounsel goal stop C-0042 Q1
    """
    which = goal_scale.named(case, name)
    with client.connect(setting) as service:
        answer = service.call("goal.stop", case=case, name=which)
    output.say(f"{which} of {answer['case']} is not asked about any more.")


goal.add_command(goal_scale.scale)
goal.add_command(goal_scale.rate)
