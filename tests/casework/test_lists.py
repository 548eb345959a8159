"""Lists that are cut short say so, and keep what matters most."""

from __future__ import annotations

import pytest

from mailcounsel.casework import cases
from mailcounsel.cli import outbox, queue
from mailcounsel.service.operations import letters

DANGER = "Saya ingin mati malam ini."


@pytest.fixture
def short(monkeypatch):
    """Lists of three."""
    monkeypatch.setattr(cases, "LISTED", 3)
    monkeypatch.setattr(letters, "LISTED", 3)


def write(house, count: int) -> None:
    for number in range(count):
        house.clock.on(minutes=1)
        house.write(f"a{house.posted}@klien.test", f"Halo, ini surat nomor {number}.")


def listed(house, person: str, **asked: bool) -> list[str]:
    return [case["case"] for case in house.call(person, "queue.list", **asked)["cases"]]


def test_a_long_queue_says_how_many_more_there_are(house, short):
    """The most urgent are shown, however late they came; the others are counted."""
    write(house, 4)
    house.write("citra@klien.test", DANGER)
    answer = house.call("sari", "queue.list")
    assert listed(house, "sari") == ["C-0005", "C-0001", "C-0002"]
    assert answer["more"] == 2
    assert queue._render(answer).endswith("\nand 2 more")
    assert house.call("sari", "queue.list", all=True)["more"] == 2


def test_a_queue_shown_whole_says_nothing_of_more(house):
    """No line, and a zero."""
    write(house, 2)
    answer = house.call("sari", "queue.list")
    assert answer["more"] == 0
    assert "more" not in queue._render(answer)


def test_what_waits_comes_before_what_does_not(house, short):
    """On either database a closed or answered case never takes the place of one that waits."""
    write(house, 4)
    for case in ("C-0001", "C-0002"):
        house.close("sari", case)
    assert listed(house, "sari", all=True) == ["C-0003", "C-0004", "C-0001"]


def test_next_finds_a_case_behind_hundreds_of_others(house, short):
    """Cases in languages she does not counsel in do not hide the one she can take."""
    object.__setattr__(house.office.config.person("bayu"), "languages", ("en",))
    write(house, 3)
    house.clock.on(minutes=1)
    house.write("citra@klien.test", "Hello, I would like to tell you about my school and my home.")
    assert house.case(4).language == "en"
    assert house.call("bayu", "case.next")["case"] == "C-0004"


def test_the_outbox_keeps_what_is_not_settled(house, short):
    """A reply that is held comes before what leaves by itself, that before what left."""
    write(house, 2)
    house.reply("sari", "C-0001", "Halo.", plain="darurat")
    house.send()
    house.clock.on(minutes=-1)  # still held
    write(house, 2)
    answer = house.call("sari", "outbox.list")
    assert [row["state"] for row in answer["letters"]] == ["held", "ready", "ready"]
    assert [row["case"] for row in answer["letters"]] == ["C-0001", "C-0004", "C-0003"]
    assert answer["more"] == 2
    assert outbox._render(answer).endswith("\nand 2 more")


def test_what_others_may_see_takes_no_place_in_the_outbox(house, short):
    """The limit counts the letters a person may see, not those of everybody."""
    write(house, 4)
    house.call("wulan", "case.next")
    answer = house.call("bayu", "outbox.list")
    assert [row["case"] for row in answer["letters"]] == ["C-0004", "C-0003", "C-0002"]
    assert answer["more"] == 0
