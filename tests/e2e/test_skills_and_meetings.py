"""Skills and meetings by the installed program: real commands, real mail, a client's calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from e2e.clients import read
from e2e.staffroom import Staffroom

ANI = "ani@mail.test"
ROOM = "https://meet.example.org/quiet-room-7f3a"
GARDENING = (
    "Title: Gardening\nExercise: water one plant a day\nAnswer: practice 3x\n\n"
    "Go outside for a while and look at what grows.\n"
)


@pytest.fixture(scope="module")
def room():
    """A centre whose replies leave after a second, and a client who agreed to ordinary mail."""
    made = Staffroom()
    try:
        made.open("sari", "wulan").restart(hold=1)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def case(room):
    """The case of a client who wrote and answered the offer with one word."""
    name = room.write(ANI, "Hello, I worry a lot.")
    offer = read(room.mail_for(ANI, 1)[0])
    room.post(answering(room, offer, "AGREE"), ANI)
    room.mail_for(ANI, 2)
    return name


def answering(room: Staffroom, letter: EmailMessage, words: str) -> EmailMessage:
    """Return a client's answer to a letter of ours, as a mail program writes it."""
    answer = room.letter(ANI, words, subject=f"Re: {letter['Subject']}")
    del answer["To"]
    answer["To"] = letter["From"]
    answer["In-Reply-To"] = answer["References"] = letter["Message-ID"]
    return answer


def newest(room: Staffroom, number: int) -> EmailMessage:
    """Wait for so many letters to the client, and return the last."""
    return read(room.mail_for(ANI, number)[-1])


def body(letter: EmailMessage) -> str:
    """Return a letter's words, with the line ends of a mail program."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_skill_an_admin_added_is_taught_and_logged(room, case):
    """A file in the centre's own folder is a skill; teaching it sends, notes and asks."""
    own = room.folder / "templates" / "en" / "skills"
    own.mkdir(parents=True, exist_ok=True)
    (own / "gardening.txt").write_text(GARDENING)
    listed = room.run("sari", "skill", "list").stdout
    assert "gardening" in listed
    assert "breathing" in listed
    assert "Go outside" in room.run("sari", "skill", "show", "gardening").stdout
    shown = room.run("sari", "skill", "show", "breathing", "--language", "id").stdout
    assert shown.startswith("Napas pelan")
    before = len(room.mail_for(ANI, 1))
    words = ("--words", "This one suits you, I think.", "--praise", "Well done.")
    said = room.run("sari", "skill", "assign", case, "gardening", *words).stdout
    assert "Practice is P1; the first check-in about it goes out on" in said
    assert ", or soon after." in said
    text = body(newest(room, before + 1))
    assert text.index("This one suits you") < text.index("Go outside") < text.index("water one")
    assert "practice 3x" in text
    (found,) = room.json("sari", "skill", "log", case)["skills"]
    assert (found["skill"], found["goal"], found["times"]) == ("gardening", "P1", 0)
    assert "gardening" in room.run("sari", "skill", "log", case).stdout
    again = room.run("sari", "skill", "assign", case, "gardening").stdout
    assert "Practice is P2" in again
    taught = room.json("sari", "skill", "log", case)["skills"]
    assert [(one["goal"], one["state"]) for one in taught] == [("P1", "stopped"), ("P2", "active")]
    newest(room, before + 2)
    unknown = room.run("sari", "skill", "assign", case, "flying", expect=3)
    assert "no skill 'flying'" in unknown.stderr


def test_a_ready_letter_goes_below_ones_own_words(room, case):
    """A safe address in three steps, in the client's language, is one option of `reply`."""
    before = len(room.mail_for(ANI, 1))
    room.run("sari", "reply", case, "--template", "safe-address", "-m", "You asked for this.")
    text = body(newest(room, before + 1))
    assert text.index("You asked for this.") < text.index("Step 1:") < text.index("Step 3:")


def test_a_meeting_is_proposed_answered_moved_and_cancelled(room, case):
    """The letter says it in words and carries the calendar; YES and a calendar's answer count."""
    before = len(room.mail_for(ANI, 1))
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d")
    asking = ("appointment", "propose", case, "--start", f"{day} 15:00", "--room", ROOM)
    seen = room.run("sari", *asking, "--dry-run").stdout
    assert ROOM in seen
    assert "15:00 (Coordinated Universal Time)" in seen
    assert "A1 is proposed" in room.run("sari", *asking, "--minutes", "45").stdout
    again = room.run("sari", *asking, "--dry-run")
    assert f"it overlaps A1 of {case}" in again.stderr
    letter = newest(room, before + 1)
    assert ROOM in body(letter)
    (calendar,) = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    assert calendar.get_param("method") == "REQUEST"
    room.post(answering(room, letter, "YES"), ANI)
    assert state(room, case) == "accepted"
    assert ROOM in body(newest(room, before + 2))  # confirmed
    room.run("sari", "appointment", "move", case, "A1", "--start", f"{day} 16:30")
    moved = newest(room, before + 3)
    assert "16:30" in body(moved)
    assert "15:00" in body(moved)
    room.post(calendar_answer(room, moved, "DECLINED"), ANI)
    assert state(room, case) == "declined"
    kept = room.run("sari", "appointment", "accept", case, "A1").stdout
    assert f"A1 of {case} is accepted" in kept
    assert "The client gets a short confirmation." in kept
    assert "16:30" in body(newest(room, before + 5))  # the refusal was acknowledged
    declined = room.run("sari", "appointment", "decline", case, "A1").stdout
    assert f"A1 of {case} is declined" in declined
    room.run("sari", "appointment", "cancel", case, "A1", "--words", "Then next week.")
    gone = newest(room, before + 6)
    (calendar,) = [part for part in gone.walk() if part.get_content_type() == "text/calendar"]
    assert calendar.get_param("method") == "CANCEL"
    assert state(room, case) == "cancelled"
    assert case in room.run("sari", "appointment", "list").stdout
    wrong = room.run("sari", "appointment", "cancel", case, "A7", expect=3)
    assert "has no appointment A7" in wrong.stderr
    usage = room.run("sari", "appointment", "propose", case, "--start", "x", expect=2)
    assert "--room LINK, or --telephone" in usage.stderr


def state(room: Staffroom, case: str) -> str:
    """Return the state of the case's one appointment."""
    (found,) = room.json("sari", "appointment", "list", case)["appointments"]
    return str(found["state"])


def calendar_answer(room: Staffroom, letter: EmailMessage, partstat: str) -> EmailMessage:
    """Return what a calendar program sends back: no words, no references."""
    (asked,) = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    lines = str(asked.get_content()).replace("\r\n ", "").splitlines()
    kept = [line for line in lines if line.startswith(("UID:", "SEQUENCE:", "ORGANIZER"))]
    organiser = next(line for line in kept if line.startswith("ORGANIZER")).rpartition("mailto:")[2]
    text = "\r\n".join(
        [
            *("BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REPLY", "BEGIN:VEVENT"),
            *(*kept, f"ATTENDEE;PARTSTAT={partstat}:mailto:{ANI}"),
            *("END:VEVENT", "END:VCALENDAR", ""),
        ]
    )
    answer = room.letter(ANI, "", subject=f"{partstat.title()}: Appointment")
    del answer["To"]
    answer["To"] = organiser
    answer.set_content(text, subtype="calendar", params={"method": "REPLY"})
    return answer
