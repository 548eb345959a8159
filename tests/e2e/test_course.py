"""Twelve weeks with three clients, through real mail, with a clock that is moved.

What each of them read and wrote stands in tests/course/golden, to be read aloud. Where a text was
changed on purpose, write those files again, and read them before they are kept:

    WRITE_GOLDEN=1 .venv/bin/python -m pytest tests/e2e/test_course.py
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from course import rain, rowan, sekar
from course.correspondents import ZONE, Correspondent
from course.scenes import DAYS, Scene, play
from course.world import QUIET_FROM, QUIET_UNTIL, World, opened
from e2e.test_marker import base64_forms, files
from mailcounsel.store import models
from parts.gpg_homes import stop_agents

FIRST_DAY = datetime(2026, 11, 30, tzinfo=ZONE).astimezone(UTC)
GOLDEN = Path(__file__).parents[1] / "course" / "golden"
OWN = {  # words that belong to one client alone
    "sekar": ("jalan kaki", "kakak"),
    "rowan": ("Rowan", "choir", "bakery"),
    "somebody": ("tetangga", "puskesmas", "obat itu"),
}
SEVEN = ["introduction", "understanding", "goals", "skills", "practice", "support", "evaluation"]


_LOG = re.compile(r"\.db-wal$|/pg_wal/\w{24}$")  # what either engine has written last


class Played:
    """A course that was played to its end, with what was seen on the last day of week twelve."""

    def __init__(self, world: World, database: Path | None) -> None:
        self.world = world
        state = world.desk.office.config.centre.state_dir
        self.kept = [state, *([database] if database else [])]  # where all that is kept lies
        place = world.place
        self.sekar = self._add("Sekar", "sekar@example.org")
        self.rowan = self._add("Rowan", "rowan@example.org", home=place / "rowan")
        self.nobody = self._add("Somebody", "hujan77@example.org", signs_as="")
        self.journeys: dict[str, Any] = {}
        self.lacks: list[dict[str, Any]] = []

    def _add(self, name, address, **more):
        client = Correspondent(name, address, self.world.centre, FIRST_DAY, **more)
        return self.world.add(client)

    def look(self, world: World, _client: Correspondent) -> None:
        """Look at the journeys, and at what they lack."""
        for name in (sekar.CASE, rowan.CASE):
            self.journeys[name] = json.loads(world.type("wulan", "case", "show", name, "--json"))
        self.lacks = json.loads(world.type("wulan", "case", "lint", "--json"))["cases"]

    def play(self) -> None:
        """Play the three stories beside each other."""
        look = (Scene("12 Sun 20:30", self.look),)
        stories = [
            (self.sekar, (*sekar.STORY, *look)),
            (self.rowan, rowan.STORY),
            (self.nobody, rain.STORY),
        ]
        play(self.world, FIRST_DAY, stories)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def course(request):
    """The course, played once on each of the two engines."""
    place = Path(tempfile.mkdtemp(prefix="mc-", dir="/tmp"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        stack.callback(stop_agents, place)
        store, database = "", None
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres")
            name = server.create()
            stack.callback(server.drop, name)
            store, database = server.url(name), server.directory
        world = stack.enter_context(opened(place, FIRST_DAY + timedelta(hours=8), store))
        played = Played(world, database)
        played.play()
        yield played


def between(client: Correspondent, first: str, last: str) -> list[str]:
    """Return the texts of the letters a client got between two moments."""
    start, end = (Scene(when, lambda *_: None).moment(FIRST_DAY) for when in (first, last))
    return [one.text for one in client.letters if start <= one.at < end]


@pytest.mark.parametrize("name", ["sekar", "rowan", "somebody"])
def test_the_letters_read_as_they_did(course, name):
    """Every letter a client got, in order, is word for word the one somebody has read aloud."""
    (client,) = [one for one in course.world.clients if one.name.lower() == name]
    page, golden = client.page(), GOLDEN / f"{name}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8")


def test_nothing_was_lost(course):
    """Every letter the clients wrote ended in a case; none waits, none is in quarantine."""
    written = sum(one.shown is None for client in course.world.clients for one in client.turns)
    balance = course.world.balance()
    assert balance["in"] == balance["case"] == written
    assert balance["lost"] == balance["quarantine"] == balance["received"] == 0


def test_no_word_of_the_course_is_in_any_byte_of_the_centre(course):
    """Letters, goals, praise, plans, skills, meetings, answers, addresses: all are sealed."""
    clients = course.world.clients
    written = [one.text for client in clients for one in client.turns if one.shown is None]
    spoken = [text.strip().splitlines()[0] for text in (*course.world.typed, *written)]
    markers = {text for text in spoken if text.count(" ") > 1 and not text.startswith("/")}
    markers |= {client.address for client in clients}
    assert len(markers) > 100
    seen = dict(files(*course.kept))
    assert any(data and _LOG.search(name) for name, data in seen.items())
    unlike = {data.rstrip(b"\0") + b"\0": name for name, data in seen.items()}
    assert any(_readable(data, {"wulan"}) for data in unlike)  # which the store does keep in clear
    told = {name: found for data, name in unlike.items() if (found := _readable(data, markers))}
    assert told == {}


def _readable(data: bytes, markers: set[str]) -> set[str]:
    """Return the markers that stand in some bytes: in any case, in UTF-16, or in base64."""
    lower = data.lower()
    forms = {one: [one.lower().encode(), one.encode("utf-16-le").lower()] for one in markers}
    plain = {one for one, ways in forms.items() if any(way in lower for way in ways)}
    coded = {one for one in markers if any(form in data for form in base64_forms(one))}
    return plain | coded


def test_the_search_for_words_finds_one(course):
    """A sealed store keeps silent because it is sealed, and not because nobody listens."""
    told = "Dulu jalan sore dan napas pelan; sesudah itu pikiran malam."
    for hidden in (told.encode(), told.upper().encode(), base64.b64encode(b"a" + told.encode())):
        assert _readable(b"..." + hidden, {told, "Nobody wrote this."}) == {told}


def test_no_letter_was_sent_twice(course):
    """What the store calls sent is what the clients and the staff got, each once."""
    out = models.table(models.Outgoing)
    rows = course.world.desk.store.read(lambda c: c.execute(select(out.c.state)).scalars().all())
    mails = [message_from_bytes(one.content) for one in course.world.post.letters]
    assert len({mail["Message-ID"] for mail in mails}) == len(mails)
    assert rows.count("sent") == len(mails)
    assert set(rows) == {"sent", "undone"}


def test_every_letter_went_to_one_address_and_to_its_client(course):
    """One recipient each; what belongs to one client stands in nobody else's letters."""
    for taken in course.world.post.letters:
        assert len(taken.recipients) == 1
    for client, other in itertools.permutations(course.world.clients, 2):
        read = "\n".join(one.text for one in client.letters)
        assert not [word for word in OWN[other.name.lower()] if word in read]


def test_nothing_came_at_night_but_help(course):
    """Between nine and seven only the note with help came, and the therapist's own letter."""
    late = [
        (client.name, one.text)
        for client in course.world.clients
        for one in client.letters
        if not QUIET_UNTIL <= one.at.astimezone(ZONE).hour < QUIET_FROM
    ]
    assert {name for name, _ in late} == {"Somebody"}
    note, reply = [text for _, text in late]
    assert "Telepon Teduh" in note
    assert "berikan obat itu kepada seseorang" in reply


def test_locked_stays_locked(course):
    """Whoever wrote locked got every letter locked and signed."""
    assert all(one.shown.was_locked and one.shown.is_signed for one in course.rowan.letters)


def test_letters_came_in_the_order_they_were_written(course):
    """The therapist's letters reached each client in the order she wrote them."""
    for client in course.world.clients:
        at = -1
        for words in client.told:
            assert (at := client.page().find(words, at + 1)) >= 0, words


def test_nobody_is_asked_for_numbers_while_in_danger(course):
    """From the letter of danger until a person closed the risk no check-in came; afterwards one."""
    assert not [text for text in between(course.nobody, "7 Fri 22:00", "9 Mon 09:05")
                if "suasana hati" in text]  # fmt: skip
    assert [text for text in between(course.nobody, "9 Thu 00:00", "9 Fri 00:00")
            if "suasana hati" in text]  # fmt: skip


def test_only_the_one_in_danger_was_raised(course):
    """A zero at item 9 raises nothing; one risk was raised, and a person closed it."""
    risks = models.table(models.Risk)
    rows = course.world.desk.store.read(lambda c: c.execute(select(risks)).mappings().all())
    assert {row["closed_by"] for row in rows} == {"wulan"}
    assert {row["cause"] for row in rows} <= {"words", "silence"}
    cases = course.world.type("sari", "queue", "--all", "--json")
    assert "DANGER" not in cases


def test_a_paused_client_is_left_alone(course):
    """While Rowan paused no check-in and no questionnaire came."""
    texts = between(course.rowan, "6 Tue 18:01", "8 Sun 18:00")
    assert not [text for text in texts if "mood" in text or "Over the last 2 weeks" in text]


def test_silence_is_met_gently_and_once(course):
    """A week without an answer brings one letter that asks for nothing, and no other question."""
    texts = between(course.sekar, "6 Mon 00:00", "7 Tue 19:50")
    assert ["Tidak apa-apa." in text for text in texts].count(True) == 1
    assert ["Balas dengan angka" in text for text in texts].count(True) == 1
    assert not [text for text in texts if "Berapa kali" in text]


def test_all_seven_activities_stand_in_the_journey(course):
    """Both full courses show the seven, and the plan's second version with its reason."""
    for shown in course.journeys.values():
        journey = shown["journey"]
        done = [one["name"] for one in journey["activities"] if one["steps"]]
        assert done == SEVEN
        assert journey["plans"][-1]["version"] == 2
        assert journey["plans"][-1]["reason"]


def test_nothing_is_missing_at_the_end(course):
    """`case lint` finds nothing that the open cases lack."""
    assert [one for one in course.lacks if one["lacks"]] == []


def test_three_months_after_a_good_ending_one_letter_asks(course):
    """The client whose case ended well is asked once how it is going."""
    later = [one for one in course.sekar.letters if one.at > FIRST_DAY + timedelta(weeks=13)]
    assert "Bagaimana kabar Anda sekarang?" in later[0].text
    assert DAYS[later[0].at.astimezone(ZONE).weekday()] == "Wed"
    assert len(later) == 2  # and the acknowledgement of the answer
