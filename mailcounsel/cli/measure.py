"""`mailcounsel measure`: questionnaires, sent as letters and scored when the answer comes."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

import click

from mailcounsel.cli import client, nouns, output

if TYPE_CHECKING:
    from mailcounsel.practice.instruments import Measure
    from mailcounsel.practice.shelf import Stub


@click.group(cls=nouns.Noun)
def measure() -> None:
    """Send questionnaires and see the scores.

    \b
    Example: mailcounsel measure send C-0042 phq-9 --every "2 weeks" --at "Mon 09:00"
    """


@measure.command("list")
@click.argument("case", required=False)
@output.json_option
@click.pass_obj
def list_(setting: client.Settings, case: str | None, *, as_json: bool) -> None:
    """List the questionnaires there are, or a case's with their scores.

    Scores, bands and reliable change are for you: the client hears what you choose to write.

    \b
    Example: mailcounsel measure list
    Example: mailcounsel measure list C-0042
    """
    with client.connect(setting) as service:
        if case is None:
            _list_all(service, as_json=as_json)
        else:
            _list_case(service, case, as_json=as_json)


def _list_all(service: client.Service, *, as_json: bool) -> None:
    from mailcounsel.cli import measuring
    from mailcounsel.practice import shelf

    faults = service.call("measure.list")["faults"]
    known = list(measuring.known(service).values())
    stubs = [one for one in shelf.stubs() if one.name not in {have.name for have in known}]
    data = {
        "measures": [measuring.described(one) for one in known],
        "not_included": [asdict(one) for one in stubs],
        "faults": faults,
    }
    output.emit(data, as_json, lambda: "\n".join(_all_lines(known, stubs, faults)))


def _all_lines(
    known: Iterable[Measure], stubs: Iterable[Stub], faults: Iterable[str]
) -> Iterator[str]:
    rows = [(one.name, one.language, str(len(one.items)), one.about) for one in known]
    yield output.table(rows, ("NAME", "LANGUAGE", "ITEMS", "ABOUT"))
    yield ""
    yield "Not included. With a licence: mailcounsel measure import FILE.toml"
    for stub in stubs:
        yield f"{stub.name}  {stub.title}. {stub.licence} Ask: {stub.where}"
    for fault in faults:
        yield f"!  {fault}"


def _list_case(service: client.Service, case: str, *, as_json: bool) -> None:
    from mailcounsel.cli import measuring, unlock, viewing

    opened = unlock.open_case(service, case)
    known = measuring.known(service)
    goals = viewing.opened_goals(opened)
    name = opened.shown["case"]
    none = f"No questionnaire was sent yet. Send one: mailcounsel measure send {name} phq-9"
    output.emit(
        {"case": name, "measures": measuring.facts(goals, known)},
        as_json,
        lambda: "\n".join(measuring.lines(goals, known)) or none,
    )


@measure.command()
@click.argument("case")
@click.argument("name")
@click.option("--every", default="once", show_default=True, help="once, week, 2 weeks or month.")
@click.option(
    "--at", default="", help='When, in the client\'s time zone: "Mon 09:00". Once: at once without.'
)
@output.json_option
@click.pass_obj
def send(
    setting: client.Settings, case: str, name: str, *, every: str, at: str, as_json: bool
) -> None:
    """Send a client a questionnaire, once or regularly.

    It goes out in the client's language, and only where there is an official text of it. One that
    asks for danger leaves while somebody is at work to read the answer. `mailcounsel goal stop`
    ends it, by its name: Q1.

    \b
    Example: mailcounsel measure send C-0042 gad-7
    Example: mailcounsel measure send C-0042 phq-9 --every "2 weeks" --at "Mon 09:00"
    """
    from mailcounsel.cli import unlock

    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        goal_id = secrets.token_hex(12)
        detail = json.dumps({"text": name, "target": "", "measure": name.casefold()}).encode()
        answer = service.call(
            "measure.send",
            case=opened.shown["case"],
            goal=goal_id,
            measure=name,
            detail=b64encode(opened.seal(detail, f"goal/{goal_id}/detail")).decode(),
            epoch=opened.shown["epoch"],
            every=every,
            at=at,
        )
    data: dict[str, Any] = {**answer, "case": opened.shown["case"]}
    output.emit(data, as_json, lambda: _sent(data, name))


def _sent(answer: dict[str, Any], name: str) -> str:
    when = output.soon_after(answer)
    return f"{answer['name']} of {answer['case']}: {name} goes out {when}."


@measure.command("import")
@click.argument("file", type=click.File(encoding="utf-8"))
@output.json_option
@click.pass_obj
def import_(setting: client.Settings, file: IO[str], *, as_json: bool) -> None:
    """Check a questionnaire's file and add it to the centre's own (for admins).

    docs/measures.md says how a file looks. `measure list` says which licence others need.

    \b
    Example: mailcounsel measure import who-5.id.toml
    """
    from mailcounsel.practice import instruments

    text = file.read(instruments.LONGEST_FILE + 1)
    instruments.read(text, file.name)  # so that a fault names the file as the person knows it
    with client.connect(setting) as service:
        added = service.call("measure.add", text=text)
    said = f"{added['title']} ({added['name']}, {added['language']}) can be sent now."
    output.emit(added, as_json, lambda: said)
