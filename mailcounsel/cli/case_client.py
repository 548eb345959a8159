"""`mailcounsel case client`: the language a client is written to in, and the clock they live by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from mailcounsel.cli import client as service_of
from mailcounsel.cli import output

LANGUAGES = {"id": "Indonesian (id)", "en": "English (en)"}


@click.command("client")
@click.argument("case")
@click.option("--language", help="The language our own words to them are in: id, en, …")
@click.option("--time-zone", help="Where they live, as an IANA name: Asia/Makassar, Europe/Berlin.")
@output.json_option
@click.pass_obj
def client(
    setting: service_of.Settings,
    case: str,
    *,
    language: str | None,
    time_zone: str | None,
    as_json: bool,
) -> None:
    """Show or set which language a client reads, and by which clock they live.

    A new client is given the centre's time zone. Theirs decides when check-ins come, what night is,
    which hours their letters name, and of which country help is. The language follows by itself
    what they write in, once a letter leaves no doubt.

    \b
    Example: mailcounsel case client C-0042 --time-zone America/Toronto
    """
    given = {"language": language, "time_zone": time_zone}
    with service_of.connect(setting) as service:
        asked = {name: value for name, value in given.items() if value}
        answer = service.call("case.client", case=case, **asked)
    output.emit(answer, as_json, lambda: _told(answer))


def _told(answer: Mapping[str, Any]) -> str:
    language = LANGUAGES.get(answer["language"], answer["language"])
    return (
        f"The client of {answer['case']} is written to in {language} and lives by the clock of "
        f"{answer['time_zone']}."
    )
