"""`centre report` as the supervisor and the admin type it: numbers, a page, and nobody in them."""

from __future__ import annotations

import os
import sqlite3

import pytest

from e2e.staffroom import Staffroom

ADMIN = """
[[person]]
name = "teknisi"
roles = ["admin"]
uid = {uid}
"""


@pytest.fixture(scope="module")
def room():
    """A centre with six cases, one of them in danger and unread."""
    made = Staffroom()
    try:
        with made.config.open("a") as file:
            file.write(ADMIN.format(uid=os.getuid()))
        made.open("sari", "wulan")
        for number in range(5):
            made.write(f"client{number}@mail.test", f"Hello, I am number {number} who writes.")
        made.write("client9@mail.test", "I want to kill myself tonight.")
        yield made
    finally:
        made.close()


def test_a_supervisor_reads_one_screen(room):
    """Six cases are told, the one in danger is not, and no client or therapist is named."""
    page = room.run("sari", "centre", "report").stdout
    assert len(page.splitlines()) <= 40
    assert "cases that wait              6, the longest for" in page
    assert "danger that nobody has read  fewer than 5: mailcounsel queue" in page
    assert "letters in quarantine        none" in page
    assert "6, too few of some kind to be told apart" in page
    for name in ("wulan", "sari", "C-0", "client", "number"):
        assert name not in page.replace("A number below", "").replace("closed", "")


def test_reporting_reads_no_letter(room):
    """Counting is no receipt: the danger is as unread as before."""
    room.run("sari", "centre", "report")
    assert room.json("sari", "centre", "report")["danger"]["none_unread"] is False


def test_the_report_as_a_page_is_only_ours_to_read(room):
    """A new file without scripts; one that is there already is left alone."""
    room.run("sari", "centre", "report", "--html", "centre.html")
    file = room.home("sari") / "centre.html"
    page = file.read_text()
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<h2>Open cases</h2>" in page
    assert file.stat().st_mode & 0o777 == 0o600
    room.run("sari", "centre", "report", "--html", "centre.html", expect=4)
    assert file.read_text() == page


def test_an_admin_gets_counters_and_a_sentence(room):
    """Whoever opens no case is told that outcomes are left out."""
    page = room.run("teknisi", "centre", "report").stdout
    assert "all queues" in page
    assert "an admin opens no case" in page
    assert room.json("teknisi", "centre", "report")["outcomes"] is None


@pytest.fixture(scope="module")
def scaled(room):
    """Five of the cases have a goal with a scale that was rated."""
    levels = [word for level in range(-2, 3) for word in ("--level", str(level), f"{level} walks")]
    for number in range(1, 6):
        case = f"C-{number:04d}"
        room.run("sari", "goal", "add", case, "walk")
        room.run("sari", "goal", "scale", case, "G1", *levels)
        room.run("sari", "goal", "rate", case, "G1", "+1")


@pytest.mark.usefixtures("scaled")
def test_outcomes_come_from_the_opened_cases(room):
    """What was rated in five cases is counted where they open; that all are alike is not told."""
    found = room.json("sari", "centre", "report")["outcomes"]
    assert found["all_opened"]
    assert found["goal_attainment"] == {
        "total": 5,
        "parts": [{"of": ["above 50", "50", "below 50"], "number": 5}],
    }


@pytest.mark.usefixtures("scaled")
def test_a_case_that_does_not_open_stops_no_other(room):
    """One letter was damaged on the disk: its case is left out, which is said, and five remain."""
    with sqlite3.connect(room.folder / "state" / "mailcounsel.db", timeout=30) as store:
        first = "SELECT id FROM letter ORDER BY at, id LIMIT 1"
        store.execute(f"UPDATE letter SET content = X'00' WHERE id = ({first})")
    store.close()
    page = room.run("sari", "centre", "report").stdout
    assert "some cases did not open with your key" in page
    assert "5, too few of some kind to be told apart" in page


def test_a_therapist_is_told_who_may(room):
    """The refusal names the roles."""
    said = room.run("wulan", "centre", "report", expect=1).stderr
    assert "admin or supervisor" in said
