"""`mailcounsel skill`: skills taught by letter, and the practice that came of them."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import click

from mailcounsel.cli import client, nouns, output

LANGUAGE = click.option("--language", help="The language, such as id; else the centre's first.")


@click.group(cls=nouns.Noun)
def skill() -> None:
    """Teach skills by letter and see the practice.

    A skill is a lesson with one exercise for the week and one line to send back. An admin adds one
    as a file: templates/LANGUAGE/skills/NAME.txt in the centre's own folder of templates.

    \b
    Example: mailcounsel skill list
    """


@skill.command("list")
@LANGUAGE
@output.json_option
@click.pass_obj
def list_(setting: client.Settings, *, language: str | None, as_json: bool) -> None:
    """List the skills there are.

    \b
    Example: mailcounsel skill list --language id
    """
    with client.connect(setting) as service:
        answer = service.call("lesson.list", kind="skills", language=language or "")
    rows = [
        (one["name"], one.get("problem") or f"{one['title']}: {one['exercise']}")
        for one in answer["lessons"]
    ]
    none = f"There are no skills in the language {answer['language']}."
    output.emit(
        {"language": answer["language"], "skills": answer["lessons"]},
        as_json,
        lambda: output.table(rows, ("SKILL", "WHAT IT TEACHES")) if rows else none,
    )


@skill.command()
@click.argument("name")
@LANGUAGE
@output.json_option
@click.pass_obj
def show(setting: client.Settings, name: str, *, language: str | None, as_json: bool) -> None:
    """Show a skill as it would be taught.

    \b
    Example: mailcounsel skill show breathing --language id
    """
    from mailcounsel.letter import text

    with client.connect(setting) as service:
        found = service.call("lesson.show", kind="skills", name=name, language=language or "")
    lines = (
        found["title"],
        found["text"],
        f"For the week: {found['exercise']}\nTo send back: {found['answer']}",
    )
    output.emit({"skill": found}, as_json, lambda: text.terminal_safe("\n\n".join(lines)))


@skill.command()
@click.argument("case")
@click.argument("name")
@click.option("--words", default="", help="Your own words above the lesson.")
@click.option("--every", default="week", show_default=True, help="day, week, 2 weeks or month.")
@click.option(
    "--at", default="Sun 17:00", show_default=True, help="When, in the client's time zone."
)
@click.option("--praise", default="", help="What the client is told when they practised.")
@click.option(
    "--plain", metavar="REASON", help="Send it as ordinary mail this once, and record why."
)
@click.option("--dry-run", is_flag=True, help="Print the letter and send nothing.")
@output.json_option
@click.pass_obj
def assign(
    setting: client.Settings,
    case: str,
    name: str,
    *,
    words: str,
    every: str,
    at: str,
    praise: str,
    plain: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send a skill to a client and ask about the practice on its days.

    The lesson leaves like any reply of yours: signed with your reader key, after a minute in which
    `undo` takes it back with everything that belongs to it. The check-in that follows asks how
    often they practised, at the earliest a day later; `goal stop` ends that.

    Two things are words released to the service, which keeps them readable for its automatic
    letters: the exercise, and what you write with --praise. It is sent as you wrote it whenever
    they practised at least once; without it they get neutral thanks.

    \b
    Example: mailcounsel skill assign C-0042 breathing --at "Sun 17:00" --praise "Well done!"
    """
    from mailcounsel.cli import reply, unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        begun = service.call("reply.begin", case=opened.shown["case"], template="lesson")
        where = {"kind": "skills", "language": begun["language"]}
        lesson = service.call("lesson.show", name=name, **where)
        earlier = [one for one in _taught(service, opened) if one["skill"] == name]
    reason = reply.reason_for(opened.shown, begun["ticket"]["channel"], plain)
    facts = {"lesson": lesson["text"], "exercise": lesson["exercise"], "answer": lesson["answer"]}
    signed = reply.statement_of(
        begun, words.strip(), reason, "lesson", facts, activities=["skills"]
    )
    reply.checked(json.loads(signed)["text"])
    if dry_run:
        reply.show(signed)
        return
    request = {
        **reply.signed(opened, signed),
        **_sealed(opened, begun["ticket"]["draft"], lesson),
        "instead_of": [one["practice"] for one in earlier if one["state"] == "active"],
        "every": every,
        "at": at,
        "praise": praise,
    }
    with client.connect(setting) as service:
        sent = service.call("skill.assign", **request)
    answer = {**sent, "case": opened.shown["case"], "channel": begun["ticket"]["channel"]}
    output.emit(answer, as_json, lambda: _assigned(reply.said_of(answer, reason), answer))


def _assigned(said: str, answer: Mapping[str, Any]) -> str:
    asked = f"the first check-in about it goes out {output.soon_after(answer)}"
    return f"{said}\nPractice is {answer['name']}; {asked}."


def _sealed(opened: Any, practice: str, lesson: Mapping[str, Any]) -> dict[str, Any]:
    """Seal the note about a lesson, and the detail of the practice, in this process."""
    note = secrets.token_hex(12)
    kept = {
        "format": 1,
        "skill": lesson["name"],
        "text": lesson["exercise"],
        "title": lesson["title"],
        "assigned": opened.shown["now"],
        "goal": practice,
    }
    detail = {"text": lesson["exercise"], "target": ""}
    return {
        "goal": practice,
        "label": lesson["exercise"],
        "detail": _seal(opened, detail, f"goal/{practice}/detail"),
        "letter": note,
        "content": _seal(opened, kept, f"letter/{note}/content"),
        "epoch": opened.shown["epoch"],
    }


def _seal(opened: Any, content: Mapping[str, Any], context: str) -> str:
    return b64encode(
        opened.seal(json.dumps(content, ensure_ascii=False).encode(), context)
    ).decode()


# -- what came of it ------------------------------------------------------------------------------


@skill.command()
@click.argument("case")
@output.json_option
@click.pass_obj
def log(setting: client.Settings, case: str, *, as_json: bool) -> None:
    """Show which skills a client was taught, and when and how often they practised.

    \b
    Example: mailcounsel skill log C-0042
    """
    from mailcounsel.cli import unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        taught = _taught(service, opened)
    name = opened.shown["case"]
    none = f"No skill was taught yet. Teach one: mailcounsel skill assign {name} breathing"
    output.emit(
        {"case": name, "skills": taught}, as_json, lambda: "\n".join(_lines(taught)) or none
    )


def _taught(service: client.Service, opened: Any) -> list[dict[str, Any]]:
    """Open the notes about skills, each with the practice that was reported, oldest first."""
    from mailcounsel.cli import viewing
    from mailcounsel.practice import skills

    kinds = {"skill", "reply-undone"}
    shown = {**opened.shown, "entries": [e for e in opened.shown["entries"] if e["kind"] in kinds]}
    entries = viewing.opened_entries(service, type(opened)(shown, opened.key, opened.privates))
    return skills.taught(entries, viewing.opened_goals(opened))


def _lines(taught: Sequence[Mapping[str, Any]]) -> list[str]:
    from mailcounsel.cli import viewing

    lines = []
    for one in taught:
        lines.append(
            f"{viewing.safe(one['skill'])}  {output.local(one['assigned'])}  {_state(one)}"
        )
        for answer in one["answers"]:
            when = output.local(answer["answered_at"] or answer["due_at"])
            lines.append(f"    {when}  {_reported(answer)}")
    return lines


def _state(one: Mapping[str, Any]) -> str:
    if one["state"] == "taken back":
        return "taken back, never sent"
    practised = f"practised {_times(one['times'])}"
    if one["state"] != "active":
        return practised
    return f"{practised}; {one['goal']} is asked about every {one['every']}, {one['at']}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _reported(answer: Mapping[str, Any]) -> str:
    if answer["times"] is not None:
        return _times(answer["times"])
    said = {"asked": "no answer yet", "skipped": "not asked"}
    return said.get(answer["state"], "an answer without a clear number: read the letter")
