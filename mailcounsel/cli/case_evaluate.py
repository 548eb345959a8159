"""`mailcounsel case evaluate` and `case end`: looking back together, and a good ending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, journal, output

BELOW = """\
What stands below is for you alone. Scores never go to the client.

"""


@click.command()
@click.argument("case")
@journal.text_options
@click.pass_obj
def evaluate(
    setting: client.Settings, case: str, *, source: IO[str] | None, message: str | None
) -> None:
    """Look back together with the client.

    Your editor opens with the outline of a letter that asks the client to check how you see it;
    goals, scores, feedback and plan stand side by side below. The letter leaves as a reply does,
    and the next round of letters begins. Then write the plan's next version, or end well.

    \b
    Example: mailcounsel case evaluate C-0042
    """
    from mailcounsel.cli import reply
    from mailcounsel.practice import outlines

    opened, told = _told(setting, case)
    begun = reply.begin(setting, opened)
    name, language = opened.shown["case"], opened.shown["language"]
    outline = outlines.evaluation(language, told.journey.goals)
    words = _letter(opened, told, "evaluation", outline, journal.given(source, message))
    said, sent = reply.send(setting, opened, begun, words, "evaluation")
    standing = {"text": words, **_standing(told.journey)}
    journal.keep(setting, opened, "evaluation", standing, reply=sent)
    journal.drop(opened, "evaluation")
    output.say(f"Evaluated in {name}; the next round of letters begins.\n{said}")
    output.say(
        f'Then: mailcounsel case plan {name} --reason "…", or a good ending: '
        f"mailcounsel case end {name}"
    )


@click.command()
@click.argument("case")
@journal.text_options
@click.pass_obj
def end(
    setting: client.Settings, case: str, *, source: IO[str] | None, message: str | None
) -> None:
    """End a case well.

    Your editor opens with the outline of a last letter: what was done, what the client can do now,
    early signs and what to do then. The case is closed, and after three months one letter without
    content asks how it is going, unless the client said STOP or writes before.

    \b
    Example: mailcounsel case end C-0042
    """
    from mailcounsel.cli import reply
    from mailcounsel.practice import outlines

    opened, told = _told(setting, case)
    name, language = opened.shown["case"], opened.shown["language"]
    _check_open(opened.shown)
    begun = reply.begin(setting, opened)
    outline = outlines.ending(language, told.journey.goals)
    words = _letter(opened, told, "ending", outline, journal.given(source, message))
    said, sent = reply.send(setting, opened, begun, words, "evaluation")
    content = {"text": words, "ending": True, **_standing(told.journey)}
    ended = journal.keep(setting, opened, "evaluation", content, method="case.end", reply=sent)
    journal.drop(opened, "ending")
    asked = output.local(ended["asked_at"])
    output.say(f"{name} is ended and closed. The client is asked how it is going on {asked}.")
    output.say(said)


def _told(setting: client.Settings, case: str) -> tuple[Any, Any]:
    from mailcounsel.cli import journey_view, unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        return opened, journey_view.opened(service, opened)


def _check_open(case: Mapping[str, Any]) -> None:
    """Refuse an ending before a letter is written, rather than after."""
    if case["state"] != "open":
        message = f"{case['case']} is closed already."
        raise errors.Conflict(message)
    if case["risk"]:
        message = (
            f"{case['case']} has an open sign of danger. Close that first: "
            f'mailcounsel risk close {case["case"]} "…".'
        )
        raise errors.Conflict(message)


def _letter(opened: Any, told: Any, what: str, outline: str, given: str | None) -> str:
    """Return the finished letter. Raises: Refused while it has a gap, which stays a draft."""
    from mailcounsel.cli import journey_view
    from mailcounsel.practice import outlines

    is_typed = given is None
    if given is None:
        below = BELOW + journey_view.page(opened.shown, told) + _feedback(told.entries)
        given = journal.written(opened, what, start=outline, below=below)
    words = journal.checked(given, "letter")
    gaps = outlines.gaps(words)
    if gaps:
        kept = "; what you wrote is kept as a draft" if is_typed else ""
        message = (
            f"The letter still has a gap{_under(gaps[0])}. Nothing was sent{kept}. "
            "Fill the gap, or take it out with its heading."
        )
        raise errors.Refused(message)
    return words


def _under(heading: str) -> str:
    return f" under “{heading}”" if heading else ""


def _feedback(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the client's last letter, which is the feedback at hand."""
    from mailcounsel.cli import viewing

    theirs = [one for one in entries if one["direction"] == "in" and one["kind"] == "letter"]
    if not theirs:
        return ""
    earlier = [one["text"] for one in entries if one["number"] < theirs[-1]["number"]]
    return "\n" + "\n".join(viewing.entry_lines(theirs[-1], earlier, full=False, width=78))


def _standing(journey: Any) -> dict[str, Any]:
    """Return where goals and scores stood on the day of an evaluation."""
    from mailcounsel.practice import names

    rated = [goal for goal in journey.goals if goal.points]
    return {
        "goals": {names.of(names.GOAL, goal.number): goal.points[-1].value for goal in rated},
        "scores": {line.measure: line.points[-1].value for line in journey.scores},
        "plan": len(journey.plans),
    }
