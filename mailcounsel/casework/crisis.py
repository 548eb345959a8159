"""The calm note that says at once where help is near, when a client writes of danger.

It is the same for everybody in a country: it weighs nothing, says nothing of the letter, and
promises only that a person will read. Where the centre has no directory, or nothing in it is
fresh, the emergency text of the configuration stands in it alone.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import letters
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.letter import countries
from mailcounsel.practice import directory
from mailcounsel.trust import addressbook

NOTE = "crisis"


def offer(
    connection: Connection,
    office: Office,
    case: RowMapping,
    letter_id: str,
    now: datetime,
    stranger: str | None = None,
) -> None:
    """Send the note for a letter: once for it, and to one address so often a day at most.

    It leaves at night, too, and counts against no cap of ordinary answers. `stranger` are the
    words of a letter nobody vouches for; such notes have a number a day of their own.
    """
    queue = office.config.queue(case["queue"])
    most = queue.risk.notes_per_day if queue else 2
    facts = {"help_near": help_near(office, connection, case, now)}
    once = f"{NOTE}:{letter_id}"
    asked = Asked(NOTE, facts, once, stranger=stranger, is_urgent=True, most_urgent=most)
    letters.ask(connection, office, case, asked, now)


def help_near(office: Office, connection: Connection, case: RowMapping, now: datetime) -> str:
    """Return the places near a case's client, written down in the case's language, or ""."""
    path = office.config.centre.crisis_directory
    if path is None:
        return ""
    zone = addressbook.facts(connection, case["client_id"]).time_zone
    at_home = office.config.centre.time_zone
    country = countries.of_zone(zone) or countries.of_zone(at_home) or ""
    today = now.astimezone(ZoneInfo(at_home)).date()
    entries = directory.read(path).entries
    chosen = directory.choose(entries, country, case["language"], today)
    return directory.written(chosen, case["language"])
