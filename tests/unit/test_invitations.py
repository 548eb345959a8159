"""Calendars we write are read by others as they were meant, and others' answers by us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailcounsel.letter import calendars, invitations, templates, write
from mailcounsel.letter.parse import Budgets, read

START = datetime(2026, 12, 3, 8, 0, tzinfo=UTC)
ROOM = "https://rapat.test/ruang-tenang-7f3a9c2b4d5e6f708192a3b4c5d6e7f8?sandi=satu,dua;tiga"


def meeting(**changes):
    facts = {
        "uid": "a" * 26 + ".0123456789abcdef@rumah.test",
        "sequence": 2,
        "starts_at": START,
        "ends_at": START + timedelta(minutes=45),
        "written_at": START - timedelta(days=7),
        "organiser": "halo@rumah.test",
        "organiser_name": 'Rumah "Surat"; Ülkü\r\nX-EVIL:1',
        "guest": "ani@klien.test",
        "room": ROOM,
        "language": "id",
    }
    return invitations.Meeting(**{**facts, **changes})


def lines(text):
    """Unfold as RFC 5545 section 3.1 says."""
    return text.replace("\r\n ", "").split("\r\n")


def test_an_invitation_says_what_a_calendar_needs():
    """UID, times in UTC, sequence, organiser and guest, and METHOD:REQUEST."""
    found = lines(invitations.calendar(meeting(), invitations.REQUEST))
    assert found[0] == "BEGIN:VCALENDAR"
    assert found[-2:] == ["END:VCALENDAR", ""]
    assert "METHOD:REQUEST" in found
    assert "DTSTART:20261203T080000Z" in found
    assert "DTEND:20261203T084500Z" in found
    assert "SEQUENCE:2" in found
    assert "STATUS:CONFIRMED" in found
    assert any(
        one.startswith("ORGANIZER") and one.endswith(":mailto:halo@rumah.test") for one in found
    )
    assert any(
        one.startswith("ATTENDEE") and one.endswith(":mailto:ani@klien.test") for one in found
    )


def test_a_cancellation_says_so_twice():
    """METHOD:CANCEL for those who read mail, STATUS:CANCELLED for those who keep the entry."""
    found = lines(invitations.calendar(meeting(), invitations.CANCEL))
    assert {"METHOD:CANCEL", "STATUS:CANCELLED"} <= set(found)


def test_a_line_is_folded_at_75_octets_between_letters():
    """No line is longer, none cuts a letter in two, and unfolding gives back what was folded."""
    line = "SUMMARY:" + "ë" * 100 + "語" * 60 + "x" * 80
    made = invitations.folded(line)
    assert made.endswith("\r\n")
    assert all(len(one.encode()) <= 75 for one in made.split("\r\n"))
    assert made.replace("\r\n ", "") == line + "\r\n"
    whole = invitations.calendar(meeting(), invitations.REQUEST)
    assert max(len(one.encode()) for one in whole.split("\r\n")) <= 75


def test_nothing_ends_a_line_but_us():
    """A name, an address or a link can add no line of its own."""
    evil = {"guest": "ani@klien.test\r\nX-EVIL:1", "room": "https://a.test/\nX-EVIL:1\r\nX-EVIL:2"}
    text = invitations.calendar(meeting(**evil), invitations.REQUEST)
    assert "\nX-EVIL" not in text.replace("\r\n ", "")
    assert "\r" not in text.replace("\r\n", "")
    assert "\n" not in text.replace("\r\n", "")


def test_commas_and_semicolons_are_escaped():
    """Section 3.3.11: a link comes out of the calendar as it went in."""
    text = invitations.calendar(meeting(), invitations.REQUEST)
    assert r"sandi=satu\,dua\;tiga" in text.replace("\r\n ", "")
    assert f"Where: {ROOM}" in calendars.described(text.encode())


@pytest.mark.parametrize("language", ["id", "en", "xx"])
def test_the_title_is_neutral(language):
    """A calendar on a wall says that there is an appointment, and nothing of what it is about."""
    found = lines(invitations.calendar(meeting(language=language, room=""), invitations.REQUEST))
    title = next(one for one in found if one.startswith("SUMMARY"))
    assert title in {"SUMMARY:Janji temu", "SUMMARY:Appointment"}
    assert "DESCRIPTION" not in "".join(found)
    assert "VALARM" not in "".join(found)


@pytest.mark.parametrize("method", [invitations.REQUEST, invitations.CANCEL])
@pytest.mark.parametrize("encrypted", [False, True])
def test_the_mail_carries_it_as_an_invitation(method, encrypted):
    """RFC 6047: text/calendar with the method, beside the words, inside the encryption."""
    file = invitations.enclosed(invitations.calendar(meeting(), method), method)
    letter = write.Outgoing(
        from_name="Rumah",
        from_address="halo@rumah.test",
        to_address="ani@klien.test",
        subject="Surat untuk Anda",
        date=START,
        message_id="x@rumah.test",
    )
    build = write.payload if encrypted else write.plain_mail
    raw = build(letter, "Kata.", [file])
    assert f"Content-Type: text/calendar; method={method}; charset=utf-8".encode() in raw
    again = read(raw, Budgets())
    assert again.text.startswith("Kata.")
    (kept,) = [one for one in again.attachments if one.content_type == "text/calendar"]
    assert kept.data.decode() == invitations.calendar(meeting(), method)


def answer(partstat="ACCEPTED", *more, method="REPLY", sequence="SEQUENCE:2"):
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            f"METHOD:{method}",
            "BEGIN:VTIMEZONE",
            "TZID:Asia/Jakarta",
            "END:VTIMEZONE",
            "BEGIN:VEVENT",
            f'ATTENDEE;CN="Ani; A";PARTSTAT={partstat};RSVP=',
            " TRUE:mailto:ani@klien.test",
            "UID:abc@rumah.test",
            sequence,
            *more,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    ).encode()


@pytest.mark.parametrize("partstat", ["ACCEPTED", "DECLINED", "TENTATIVE"])
def test_a_calendars_answer_is_read(partstat):
    """Who answers what to which invitation, folded lines and all."""
    assert calendars.reply(answer(partstat)) == calendars.Reply("abc@rumah.test", partstat, 2)


def test_a_comment_comes_with_it():
    """A word beside the answer is there for a person."""
    found = calendars.reply(answer("ACCEPTED", r"COMMENT:Maaf\, agak telat"))
    assert found is not None
    assert found.comment == "Maaf, agak telat"


@pytest.mark.parametrize(
    "data",
    [
        answer(method="REQUEST"),
        answer(method="COUNTER"),
        b"",
        b"METHOD:REPLY\r\n",
        answer().replace(b"UID:abc@rumah.test", b"X:1"),
        answer().replace(b"PARTSTAT=ACCEPTED;", b""),
    ],
)
def test_what_is_no_answer_is_none(data):
    """An invitation of theirs, another time proposed, a broken file: nothing is read of it."""
    assert calendars.reply(data) is None


@pytest.mark.parametrize("line", ["SEQUENCE:x", "SEQUENCE:-1", "SEQUENCE:" + "9" * 5000, "X:1"])
def test_a_strange_sequence_is_the_first(line):
    """A number that is none counts as 0, the one every invitation begins with."""
    found = calendars.reply(answer(sequence=line))
    assert found is not None
    assert found.sequence == 0


@pytest.mark.parametrize(
    ("zone", "language", "spoken"),
    [
        ("Asia/Jakarta", "id", "Kamis, 3 Desember 2026, pukul 15.00 (Waktu Indonesia Barat)"),
        ("Asia/Jayapura", "id", "Kamis, 3 Desember 2026, pukul 17.00 (Waktu Indonesia Timur)"),
        ("Europe/London", "en", "Thursday, 3 December 2026, 08:00 (Greenwich Mean Time)"),
        ("UTC", "en", "Thursday, 3 December 2026, 08:00 (Coordinated Universal Time)"),
    ],
)
def test_an_hour_is_said_on_the_readers_clock(zone, language, spoken):
    """Day, hour and the name of the clock, in the reader's own words."""
    assert templates.hour(START.astimezone(ZoneInfo(zone)), language) == spoken


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("text", ["", "Own words."])
@pytest.mark.parametrize("before", ["", "EARLIER"])
@pytest.mark.parametrize("room", ["", ROOM])
def test_the_letter_is_whole_in_every_situation(language, text, before, room):
    """New or moved, video or telephone, with words or without: no hole, and the hour stands out."""
    facts: dict[str, str | int | bool] = {"minutes": 45, "when": "HOUR"}
    facts |= {"subject": "S", "sign_off": "W", "emergency": "112"}
    facts |= {"text": text, "before": before, "room": room}
    body = templates.render(language, "appointment", facts).body
    assert "\n\n\n" not in body
    assert "\n    HOUR\n" in body
    assert all(one in body for one in (text, before, room, "45"))
    assert ("video" in body) == bool(room)
    cancelled = templates.render(language, "appointment-cancelled", facts).body
    assert "\n\n\n" not in cancelled
