"""`mailcounsel case contract|summary|plan|strength|activity`: what is written into a journey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, journal, output

PAGE = 3_000  # characters; a summary is one page, or nobody corrects it


@click.command()
@click.argument("case")
@click.option("--rhythm", required=True, help='How often letters come: "every week".')
@click.option(
    "--exchanges",
    type=int,
    required=True,
    help="After how many letters of yours you look back together.",
)
@click.option("-m", "--message", default="", help="What else was agreed.")
@click.pass_obj
def contract(
    setting: client.Settings, case: str, *, rhythm: str, exchanges: int, message: str
) -> None:
    """Keep what you agreed with a client.

    Letters that leave are counted from now on. When as many have left as you agreed, the case
    stands in the queue until you evaluate it. From now on the client is promised an answer in the
    agreed rhythm ("every week", "every 10 days", "twice a week"), unless their letter presses.

    \b
    Example: mailcounsel case contract C-0042 --rhythm "every week" --exchanges 6
    """
    from mailcounsel.practice import rhythm as spoken

    opened = _opened(setting, case)
    content = {"text": message, "rhythm": rhythm, "exchanges": exchanges}
    days = spoken.days(rhythm)
    agreed = {"exchanges": exchanges, "days": days}
    journal.keep(setting, opened, "contract", content, method="case.agree", **agreed)
    name = opened.shown["case"]
    letters = "1 letter" if exchanges == 1 else f"{exchanges} letters"
    output.say(f"Agreed in {name}: {rhythm}; you look back together after {letters}.")
    output.say(_promised(days))


def _promised(days: int) -> str:
    if not days:
        return (
            "These words say no number of days, so answers are promised as before. To have the "
            'rhythm promised, write it like "every week" or "every 10 days".'
        )
    return f"From now on letters are promised an answer within {days} day{'s' * (days > 1)}."


@click.command()
@click.argument("case")
@journal.text_options
@click.option("--send", is_flag=True, help="Send it to the client, who corrects it.")
@click.pass_obj
def summary(
    setting: client.Settings,
    case: str,
    *,
    source: IO[str] | None,
    message: str | None,
    send: bool,
) -> None:
    """Write on one page how you understand the problem.

    Your editor opens with the last version. With --send the client gets it as a letter that asks
    what fits and what does not, and you write the next version from their answer.

    \b
    Example: mailcounsel case summary C-0042 --send
    """
    from mailcounsel.cli import reply

    opened, journey = told(setting, case)
    begun = reply.begin(setting, opened) if send else {}
    words = _words(opened, "summary", source, message, _last(journey.summaries))
    if len(words) > PAGE:
        message = f"The summary has {len(words)} characters; one page are {PAGE}. Nothing was kept."
        raise errors.Refused(message)
    said, sent = _send_summary(setting, opened, begun, words) if send else ("", "")
    version = len(journey.summaries) + 1
    content = {"text": words, "version": version, "sent": send}
    journal.keep(setting, opened, "summary", content, reply=sent)
    journal.drop(opened, "summary")
    output.say(f"Version {version} of the summary is kept in {opened.shown['case']}.")
    if said:
        output.say(said)


def _send_summary(
    setting: client.Settings, opened: Any, begun: Mapping[str, Any], words: str
) -> tuple[str, str]:
    from mailcounsel.cli import reply
    from mailcounsel.practice import outlines

    letter = outlines.summary(opened.shown["language"], words)
    return reply.send(setting, opened, begun, letter, "understanding")


@click.command()
@click.argument("case")
@journal.text_options
@click.option("--reason", default="", help="Why the plan changes; the first version needs none.")
@click.pass_obj
def plan(
    setting: client.Settings,
    case: str,
    *,
    source: IO[str] | None,
    message: str | None,
    reason: str,
) -> None:
    """Write the plan, or its next version with the reason of the change.

    Your editor opens with the last version. Earlier versions stay in the case.

    \b
    Example: mailcounsel case plan C-0042 --reason "she sleeps again; now the mornings"
    """
    opened, journey = told(setting, case)
    name, version = opened.shown["case"], len(journey.plans) + 1
    if version > 1 and not reason.strip():
        message = f'Say why the plan changes: mailcounsel case plan {name} --reason "…"'
        raise errors.Refused(message)
    words = _words(opened, "plan", source, message, _last(journey.plans))
    if version > 1 and words == journey.plans[-1].text:
        message = "The plan is the same as before. Nothing was kept."
        raise errors.Refused(message)
    content = {"text": words, "version": version, "reason": reason.strip()}
    journal.keep(setting, opened, "plan", content)
    journal.drop(opened, "plan")
    output.say(f"Version {version} of the plan is kept in {name}.")


@click.command()
@click.argument("case")
@click.argument("words")
@click.pass_obj
def strength(setting: client.Settings, case: str, words: str) -> None:
    """Name a strength of the client, something they are good at.

    \b
    Example: mailcounsel case strength C-0042 "asks for help before it is too late"
    """
    opened = _opened(setting, case)
    journal.keep(setting, opened, "strength", {"text": journal.checked(words, "strength")})
    output.say(f"A strength is named in {opened.shown['case']}.")


@click.command()
@click.argument("case")
@click.argument("name")
@click.argument("words")
@click.pass_obj
def activity(setting: client.Settings, case: str, name: str, words: str) -> None:
    """Write down what happened in one of the seven activities.

    They are introduction, understanding, goals, skills, practice, support and evaluation. A letter
    is given its activity when it is written: reply --activity goals.

    \b
    Example: mailcounsel case activity C-0042 support "Stayed beside her after the bad news."
    """
    (known,) = journal.activities([name])
    opened = _opened(setting, case)
    content = {"activity": known, "text": journal.checked(words, "text")}
    journal.keep(setting, opened, "activity", content)
    output.say(f"Kept in {opened.shown['case']}, {known}.")


def _opened(setting: client.Settings, case: str) -> Any:
    from mailcounsel.cli import unlock

    with client.connect(setting) as service:
        return unlock.open_case(service, case)


def told(setting: client.Settings, case: str) -> tuple[Any, Any]:
    """Open a case in this process; return it and its journey."""
    from mailcounsel.cli import journey_view, unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        return opened, journey_view.opened(service, opened).journey


def _last(versions: Any) -> str:
    return versions[-1].text if versions else ""


def _words(opened: Any, what: str, source: IO[str] | None, message: str | None, start: str) -> str:
    given = journal.given(source, message)
    return journal.checked(
        journal.written(opened, what, start=start) if given is None else given, what
    )
