"""Meetings: proposed in a signed letter with a calendar, answered, moved, cancelled, reminded."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from mailcounsel import errors
from mailcounsel.letter import calendars
from mailcounsel.service import work
from mailcounsel.store import models

ANI = "ani@klien.test"
ROOM = "https://rapat.test/ruang-7f3a"
START = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)  # Thursday, 15:00 in Jakarta


@pytest.fixture
def ready(house):
    """Ani has written and agreed to ordinary mail, and wulan has the case."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=offer)
    house.send()
    house.call("wulan", "case.next")
    return offer


def send(house, act="propose", person="wulan", start=START, key=None, case="C-0001", **changes):
    """Send the letter about a meeting as the command line does."""
    begun = house.call(person, "reply.begin", case=case, template="appointment")
    meeting = {
        "act": act,
        "number": 0 if act == "propose" else 1,
        "sequence": 0,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=45)).isoformat(),
        "room": ROOM,
        **changes,
    }
    said = {**begun, "subject": "Surat untuk Anda", "text": "Kamis pukul 15.", "plain": ""}
    statement = json.dumps({**said, "appointment": meeting})
    signature = (key or house.keys[person]).sign(statement.encode())
    given = {"statement": statement, "signature": b64encode(signature).decode()}
    return house.call(person, "appointment.send", **given)


def delivered(house, *args, **changes):
    """Send the letter, let it leave, and return it as it reached Ani."""
    send(house, *args, **changes)
    house.clock.on(minutes=2)
    (letter,) = house.sent_to(ANI)
    return letter


def row(house):
    (found,) = house.rows(models.Appointment)
    return found


def fields(letter):
    return calendars._fields(letter.calendar.replace("\r\n", "\n"))


def answer(letter, partstat, **changes):
    """Return the calendar file with which a client's program answers an invitation."""
    asked = fields(letter)
    said = {"UID": asked["UID"][1], "SEQUENCE": asked["SEQUENCE"][1], **changes}
    lines = ["BEGIN:VCALENDAR", "METHOD:REPLY", "BEGIN:VEVENT"]
    lines += [f"ATTENDEE;PARTSTAT={partstat}:mailto:{ANI}"]
    lines += [f"{name}:{value}" for name, value in said.items()]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])


def calendar_mail(house, letter, partstat, sender=ANI, headers="", to=None, **changes):
    """Return a calendar program's mail: no references, sent to whom the calendar names."""
    house.posted += 1
    to = to or fields(letter)["ORGANIZER"][1].removeprefix("mailto:")
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: Accepted: Janji temu\r\n{headers}"
    head += f"Message-ID: <c{house.posted}@klien.test>\r\nMIME-Version: 1.0\r\n"
    head += "Date: Sun, 22 Nov 2026 16:00:00 +0700\r\n"
    head += "Content-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\n"
    return (head + answer(letter, partstat, **changes)).encode()


# -- proposed -------------------------------------------------------------------------------------


def test_a_proposal_leaves_with_a_calendar_in_the_letter(house, ready):
    """The client gets words and calendar in one letter; the calendar names the inbox and them."""
    letter = delivered(house)
    found = fields(letter)
    assert letter.method == "REQUEST"
    assert found["METHOD"][1] == "REQUEST"
    assert found["DTSTART"][1] == "20261126T080000Z"
    assert found["LOCATION"][1] == ROOM
    assert found["ORGANIZER"][1] == f"mailto:{letter.from_address}"
    assert found["ATTENDEE"][1] == f"mailto:{ANI}"
    assert row(house).state == "proposed"


def test_the_room_is_sealed(house, ready):
    """Link and words stand in no column that can be read."""
    send(house)
    kept = b"".join(str(value).encode() for value in vars(row(house)).values())
    assert b"rapat" not in kept


def test_only_what_is_signed_is_proposed(house, ready):
    """A letter that somebody else signed makes no appointment."""
    with pytest.raises(errors.Refused, match="signature"):
        send(house, key=house.keys["bayu"])
    assert house.rows(models.Appointment) == []
    assert {one.kind for one in house.rows(models.Errand)} == {"consent-reminder"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": datetime(2026, 11, 22, 8, 0, tzinfo=UTC)},
        {"ends_at": START.isoformat()},
        {"ends_at": (START + timedelta(days=1)).isoformat()},
        {"starts_at": "2026-11-26T15:00:00"},
        {"starts_at": "someday"},
        {"room": "http://rapat.test/x"},
        {"room": "https://rapat.test/a b"},
        {"room": "https://rapat.test/\r\nX:1"},
        {"act": "dance"},
    ],
)
def test_what_cannot_be_is_refused(house, ready, wrong):
    """An hour that has passed or has no end, a link that is none: nothing is sent."""
    with pytest.raises(errors.Refused):
        send(house, **wrong)
    assert house.outbox("reply") == []


def test_a_colleague_without_the_case_cannot_propose(house, ready):
    """Only who may open the case meets its client."""
    with pytest.raises(errors.NotFound):
        send(house, person="bayu")


# -- answered -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("partstat", "state"), [("ACCEPTED", "accepted"), ("DECLINED", "declined")]
)
def test_a_calendars_answer_is_kept(house, ready, partstat, state):
    """METHOD:REPLY without any reference finds its case by the id of the invitation."""
    letter = delivered(house)
    house.receive(calendar_mail(house, letter, partstat, to="halo@rumah.test"))
    assert row(house).state == state
    assert (house.case(1).waiting_since is None) == (state == "accepted")
    assert len(house.rows(models.Case)) == 1


def test_a_calendars_answer_counts_though_a_program_sent_it(house, ready):
    """Some calendars mark their answers as automatic; a refusal still reaches a person."""
    letter = delivered(house)
    headers = "Auto-Submitted: auto-generated\r\n"
    house.receive(calendar_mail(house, letter, "DECLINED", headers=headers))
    assert row(house).state == "declined"
    assert house.case(1).waiting_since is not None


@pytest.mark.parametrize(
    ("words", "state", "waits"),
    [
        ("ya", "accepted", False),
        ("Yes, thank you", "accepted", False),
        ("tidak bisa, maaf", "declined", True),
        ("no", "declined", True),
        ("tidak apa-apa", "proposed", True),
        ("Ya, tapi saya takut.", "proposed", True),
        ("ya, tapi saya ingin mati", "proposed", True),
    ],
)
def test_plain_words_are_read_or_left_to_a_person(house, ready, words, state, waits):
    """A plain yes needs nobody; a no and everything unclear wait for the therapist."""
    letter = delivered(house)
    house.write(ANI, words, reply_to=letter)
    assert row(house).state == state
    assert (house.case(1).waiting_since is not None) == waits


def test_a_yes_above_the_quoted_invitation_is_read(house, ready):
    """What the invitation says of danger and of help is ours: the yes above it counts."""
    letter = delivered(house)
    house.write(ANI, house.quoting("ya", letter), reply_to=letter)
    assert row(house).state == "accepted"


@pytest.mark.parametrize(
    "mark",
    [
        {"headers": {"Auto-Submitted": "auto-generated"}},
        {"headers": {"List-Id": "<a.b>"}},
        {"mail_from": ""},
    ],
)
def test_a_yes_that_a_machine_may_have_written_is_left_to_a_person(house, ready, mark):
    """A gateway's receipt brings our token back as well, and may begin with any word."""
    letter = delivered(house)
    house.write(ANI, "ya", reply_to=letter, **mark)
    assert row(house).state == "proposed"
    assert house.case(1).waiting_since is not None


def test_a_yes_to_another_letter_is_no_answer(house, ready):
    """Only an answer to the very letter that proposed the hour counts."""
    delivered(house)
    house.reply("wulan", "C-0001", "Bagaimana kabar?")
    house.clock.on(minutes=2)
    (other,) = house.sent_to(ANI)
    house.write(ANI, "ya", reply_to=other)
    assert row(house).state == "proposed"


def test_a_stranger_answers_nothing(house, ready):
    """Another address with the id of the invitation is no proof."""
    letter = delivered(house)
    house.receive(calendar_mail(house, letter, "DECLINED", sender="lain@klien.test"))
    house.write("lain@klien.test", "tidak", reply_to=letter)
    assert row(house).state == "proposed"


def test_an_answer_to_the_old_hour_is_left_to_a_person(house, ready):
    """After a move, a yes from before it says nothing about the new hour."""
    old = delivered(house)
    delivered(house, "move", start=START + timedelta(days=1), sequence=1)
    house.receive(calendar_mail(house, old, "ACCEPTED"))
    house.write(ANI, "ya", reply_to=old)
    assert row(house).state == "moved"
    assert house.case(1).waiting_since is not None


def test_a_comment_is_read_by_a_person(house, ready):
    """An accepted invitation with a word beside it waits for the therapist."""
    letter = delivered(house)
    house.receive(calendar_mail(house, letter, "ACCEPTED", COMMENT="agak telat"))
    assert row(house).state == "accepted"
    assert house.case(1).waiting_since is not None


def test_junk_and_danger_answer_nothing(house, ready):
    """A letter from the Junk folder, and one with a sign of danger, are for a person first."""
    letter = delivered(house)
    house.receive(calendar_mail(house, letter, "ACCEPTED"), suspect=True)
    assert row(house).state == "proposed"
    house.receive(calendar_mail(house, letter, "DECLINED", COMMENT="saya ingin mati saja"))
    assert row(house).state == "proposed"
    assert house.case(1).waiting_since is not None


def test_the_therapist_is_told_what_the_client_answered(house, ready):
    """An answer stands in the queue and is told without content; the other one takes its place."""
    letter = delivered(house)
    house.clock.on(hours=2)
    told = len(house.outbox("staff-notice"))
    house.receive(calendar_mail(house, letter, "ACCEPTED"))
    assert house.flags(1) == ["appointment-accepted"]
    (seen,) = house.call("wulan", "queue.list")["cases"]
    assert (seen["flags"], seen["waiting_since"]) == (["appointment-accepted"], None)
    assert len(house.outbox("staff-notice")) == told + 1
    house.receive(calendar_mail(house, letter, "DECLINED"))
    assert house.flags(1) == ["appointment-declined"]


def test_an_answer_that_was_seen_is_not_shown_again(house, ready):
    """A calendar that says the same twice raises no flag a person has cleared."""
    letter = delivered(house)
    house.receive(calendar_mail(house, letter, "ACCEPTED"))
    house.call("wulan", "case.clear", case="C-0001", kind="appointment-accepted")
    house.receive(calendar_mail(house, letter, "ACCEPTED", COMMENT="jadi"))
    assert house.flags(1) == []


@pytest.mark.parametrize("act", ["move", "cancel"])
def test_an_answer_to_an_hour_that_is_none_any_more_is_not_shown(house, ready, act):
    """Whoever moves or cancels a meeting has seen what was answered."""
    letter = delivered(house)
    house.receive(calendar_mail(house, letter, "DECLINED"))
    send(house, act, start=START + timedelta(days=1), sequence=1)
    assert house.flags(1) == []


def test_a_meeting_that_is_over_shows_no_answer(house, ready):
    """When it has been, nobody needs to know any more that they would come."""
    letter = delivered(house)
    house.receive(calendar_mail(house, letter, "ACCEPTED"))
    reminded(house, START + timedelta(hours=3))
    assert (row(house).state, house.flags(1)) == ("past", [])


# -- moved and cancelled --------------------------------------------------------------------------


def test_a_move_keeps_the_id_and_counts_up(house, ready):
    """The same UID with the next SEQUENCE replaces the entry in the client's calendar."""
    first = delivered(house)
    moved = delivered(house, "move", start=START + timedelta(days=1), sequence=1)
    assert fields(moved)["UID"] == fields(first)["UID"]
    assert fields(moved)["SEQUENCE"][1] == "1"
    assert fields(moved)["DTSTART"][1] == "20261127T080000Z"
    assert (row(house).state, row(house).sequence) == ("moved", 1)


def test_a_cancellation_takes_it_out_of_the_calendar(house, ready):
    """METHOD:CANCEL for the same UID, and nobody is reminded any more."""
    first = delivered(house)
    gone = delivered(house, "cancel", sequence=1)
    assert (gone.method, fields(gone)["STATUS"][1]) == ("CANCEL", "CANCELLED")
    assert fields(gone)["UID"] == fields(first)["UID"]
    assert row(house).state == "cancelled"
    assert reminded(house, START - timedelta(hours=24)) == []


def test_two_changes_at_once_are_one(house, ready):
    """Who changes an appointment that changed meanwhile is told so."""
    delivered(house)
    send(house, "move", start=START + timedelta(days=1), sequence=1)
    with pytest.raises(errors.Conflict):
        send(house, "cancel", sequence=1)
    with pytest.raises(errors.NotFound):
        send(house, "cancel", number=2, sequence=1)


def test_taking_the_letter_back_takes_the_appointment_back(house, ready):
    """A proposal that never left is none; a move that never left moved nothing."""
    send(house)
    house.call("wulan", "reply.undo", id="")
    assert row(house).state == "cancelled"


def test_taking_a_move_back_leaves_the_old_hour(house, ready):
    """The client still knows the old hour, so that is the hour, and the next change counts on."""
    delivered(house)
    send(house, "move", start=START + timedelta(days=1), sequence=1)
    house.call("wulan", "reply.undo", id="")
    assert (row(house).state, row(house).starts_at) == ("proposed", START)
    moved = delivered(house, "move", start=START + timedelta(days=2), sequence=2)
    assert fields(moved)["SEQUENCE"][1] == "2"


def test_taking_a_move_back_leaves_the_old_room_and_its_reminders(house, ready):
    """She is reminded of the hour she knows, a yes to the first letter counts, in the old room."""
    letter = delivered(house)
    for sequence in (1, 2):
        elsewhere = {"start": START + timedelta(days=1), "room": "https://lain.test/b"}
        send(house, "move", sequence=sequence, **elsewhere)
        house.call("wulan", "reply.undo", id="")
    house.write(ANI, "ya", reply_to=letter)
    assert row(house).state == "accepted"
    (confirmed,) = house.outbox("appointment-confirmed")
    assert ROOM in confirmed.parcel.text
    house.send()
    assert len(reminded(house, START - timedelta(days=1))) == 1


# -- reminded -------------------------------------------------------------------------------------


def reminded(house, at):
    """Go on to a moment, run the errands, and return the reminders that went to Ani."""
    house.clock.on(seconds=(at - house.clock.now()).total_seconds())
    work.run_errands(house.desk)
    return [one for one in house.sent_to(ANI) if "Kamis" in one.text or "Jumat" in one.text]


def test_both_are_reminded_a_day_and_an_hour_before(house, ready):
    """The hour in the client's zone, once each; the therapist hears of it without a name."""
    delivered(house)
    (first,) = reminded(house, START - timedelta(hours=24))
    assert "Kamis, 26 November 2026, pukul 15.00 (Waktu Indonesia Barat)" in first.text
    assert ROOM not in first.text
    assert reminded(house, START - timedelta(hours=2)) == []
    assert len(reminded(house, START - timedelta(hours=1))) == 1
    assert len(house.outbox("staff-appointment")) == 2


def test_a_reminder_waits_for_the_end_of_the_night(house, ready):
    """What would come at night comes in the morning, or not at all where that is too late."""
    early = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)  # half past seven in Jakarta, quiet until 7
    delivered(house, start=early)
    assert reminded(house, early - timedelta(hours=1)) == []  # half past six
    assert len(reminded(house, early - timedelta(minutes=30))) == 1


def test_nobody_is_woken_for_an_appointment_at_dawn(house, ready):
    """Both reminders of a meeting at five in the morning would be at night: a day before only."""
    dawn = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
    delivered(house, start=dawn)
    assert len(reminded(house, datetime(2026, 11, 25, 0, 0, tzinfo=UTC))) == 1
    assert reminded(house, dawn - timedelta(hours=1)) == []
    assert reminded(house, dawn - timedelta(minutes=1)) == []


@pytest.mark.parametrize("words", ["tidak", "BERHENTI"])
def test_who_declined_or_wants_no_reminders_gets_none(house, ready, words):
    """A meeting that will not be, or a client who said STOP: no reminder."""
    letter = delivered(house)
    house.write(ANI, words, reply_to=letter)
    house.send()
    assert reminded(house, START - timedelta(hours=24)) == []


def test_the_old_hour_of_a_moved_meeting_reminds_nobody(house, ready):
    """Only the hour that stands is reminded of."""
    delivered(house)
    delivered(house, "move", start=START + timedelta(days=1), sequence=1)
    assert reminded(house, START - timedelta(hours=24)) == []
    (one,) = reminded(house, START)
    assert "Jumat, 27 November 2026" in one.text


def test_a_letter_that_has_not_left_reminds_of_nothing(house):
    """A client without a way has not heard of the meeting, and is not reminded of it."""
    house.write(ANI, "Halo.")
    house.send()
    house.call("wulan", "case.next")
    assert send(house)["state"] == "waiting"
    house.clock.on(minutes=2)
    house.send()
    assert reminded(house, START - timedelta(hours=24)) == []


def test_a_letter_that_came_back_reminds_of_nothing(house, ready):
    """Where the invitation bounced, the client does not know of the meeting."""
    delivered(house)
    house.edit(models.Outgoing, house.outbox("reply")[0].id, state="bounced")
    assert reminded(house, START - timedelta(hours=24)) == []
    assert len(house.outbox("staff-appointment")) == 1


def test_reminders_are_not_sent_late(house, ready):
    """A service that was down for hours says nothing about what is over."""
    delivered(house)
    assert reminded(house, START + timedelta(hours=3)) == []
    assert row(house).state == "past"


@pytest.mark.parametrize("late", [timedelta(hours=20), timedelta(hours=1), timedelta(minutes=20)])
def test_a_late_reminder_goes_out_while_it_is_of_use(house, ready, late):
    """The service was away when it was due: the hour is still to come, so it is told, once."""
    delivered(house)
    assert len(reminded(house, START - late)) == 1
    assert len(house.outbox("staff-appointment")) == 1
    assert reminded(house, START - late + timedelta(minutes=1)) == []


def test_a_late_reminder_waits_for_the_end_of_the_night(house, ready):
    """Nobody is woken by what is late anyway."""
    delivered(house)
    night = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)  # one in the morning in Jakarta
    assert reminded(house, night) == []
    assert len(reminded(house, datetime(2026, 11, 26, 0, 0, tzinfo=UTC))) == 1


def test_a_meeting_of_today_is_reminded_of_once(house, ready):
    """A day before it nobody had written of it yet."""
    delivered(house, start=house.clock.now() + timedelta(hours=3))
    begins = row(house).starts_at
    house.clock.on(minutes=1)
    work.run_errands(house.desk)
    assert house.outbox("appointment-reminder") == []
    house.clock.on(seconds=(begins - timedelta(hours=1) - house.clock.now()).total_seconds())
    work.run_errands(house.desk)
    assert len(house.outbox("appointment-reminder")) == 1


# -- confirmed, or answered by a person ------------------------------------------------------------


def test_a_yes_is_confirmed_with_the_hour_and_the_room(house, ready):
    """Once for an hour, however often they say so; a no gets none."""
    letter = delivered(house)
    house.write(ANI, "tidak", reply_to=letter)
    assert house.outbox("appointment-confirmed") == []
    house.write(ANI, "ya", reply_to=letter)
    house.write(ANI, "ya", reply_to=letter)
    (told,) = house.outbox("appointment-confirmed")
    assert "Kamis, 26 November 2026, pukul 15.00 (Waktu Indonesia Barat)" in told.parcel.text
    assert ROOM in told.parcel.text


def test_a_calendars_answer_needs_no_confirmation(house, ready):
    """The program shows it already."""
    letter = delivered(house)
    house.receive(calendar_mail(house, letter, "ACCEPTED"))
    assert row(house).state == "accepted"
    assert house.outbox("appointment-confirmed") == []


@pytest.mark.parametrize(("yes", "state"), [(True, "accepted"), (False, "declined")])
def test_a_person_keeps_what_a_client_said_in_their_own_words(house, ready, yes, state):
    """The audit says who read it; a yes is confirmed to the client."""
    letter = delivered(house)
    house.write(ANI, "ya bisa kak jam 4 sore", reply_to=letter)
    assert row(house).state == "proposed"
    kept = house.call("wulan", "appointment.answer", case="C-0001", number=1, yes=yes)
    assert (kept["appointment"], kept["confirmed"]) == (state, yes)
    assert row(house).state == state
    assert len(house.outbox("appointment-confirmed")) == yes
    assert f"appointment-{state}-by-person" in house.audited()


def test_only_a_meeting_to_come_is_answered(house, ready):
    """One that is over, or that nobody proposed, is not."""
    delivered(house)
    with pytest.raises(errors.NotFound, match="no appointment A2"):
        house.call("wulan", "appointment.answer", case="C-0001", number=2, yes=True)
    house.clock.on(days=30)
    with pytest.raises(errors.NotFound, match="no appointment A1 to come"):
        house.call("wulan", "appointment.answer", case="C-0001", number=1, yes=True)


def test_no_day_for_an_answer_is_named_beside_a_meeting(house, ready):
    """The letter is here; the day its answer is promised for may lie behind the meeting."""
    letter = delivered(house)
    house.write(ANI, "Besok saya kerja, bagaimana kalau Sabtu jam 10?", reply_to=letter)
    (told,) = house.outbox("acknowledgement-again")
    assert "paling lambat" not in told.parcel.text
    house.clock.on(days=1)
    house.write(ANI, "Saya susah tidur.", reply_to=ready)
    assert "paling lambat" in house.outbox("acknowledgement-again")[-1].parcel.text


def said_yes_to_a_moved_hour(house):
    """Ani agreed to Thursday; wulan moves it to Friday and, by telephone, hears a yes to that."""
    letter = delivered(house)
    house.write(ANI, "Ya", reply_to=letter)
    house.send()
    moved = send(house, "move", start=START + timedelta(days=1), sequence=1)
    said = house.call("wulan", "appointment.answer", case="C-0001", number=1, yes=True)
    assert said["confirmed"]
    return moved


def test_an_hour_is_confirmed_after_the_letter_about_it(house, ready):
    """While that letter is held the confirmation waits, and leaves once."""
    said_yes_to_a_moved_hour(house)
    assert len(house.outbox("appointment-confirmed")) == 1  # Thursday's
    house.clock.on(seconds=70)
    work.run_errands(house.desk)
    assert len(house.outbox("appointment-confirmed")) == 1
    house.send()
    for _ in range(3):
        house.clock.on(minutes=2)
        work.run_errands(house.desk)
    assert len(house.outbox("appointment-confirmed")) == 2


def test_a_moved_hour_that_is_taken_back_is_not_confirmed(house, ready):
    """Thursday stands again, and nothing says Friday to her."""
    moved = said_yes_to_a_moved_hour(house)
    house.call("wulan", "reply.undo", id=moved["id"])
    house.clock.on(minutes=5)
    work.run_errands(house.desk)
    assert house.sent_to(ANI) == []
    assert row(house).starts_at == START
    assert len(house.outbox("appointment-confirmed")) == 1


def test_a_confirmation_that_has_not_left_is_taken_back_too(house, ready):
    """The letter was on its way and came to wait for a way again, where it is taken back."""
    moved = said_yes_to_a_moved_hour(house)
    house.edit(models.Outgoing, moved["id"], state="handing-over")
    house.call("wulan", "appointment.answer", case="C-0001", number=1, yes=True)
    house.edit(models.Outgoing, moved["id"], state="waiting")
    assert [one.state for one in house.outbox("appointment-confirmed")] == ["sent", "ready"]
    house.call("wulan", "reply.undo", id=moved["id"])
    assert [one.state for one in house.outbox("appointment-confirmed")] == ["sent", "undone"]
    assert house.sent_to(ANI) == []


# -- listed ---------------------------------------------------------------------------------------


def test_the_list_shows_what_is_to_come_to_those_who_may_see(house, ready):
    """The therapist of the case sees hour and link, a colleague sees nothing."""
    delivered(house)
    (found,) = house.call("wulan", "appointment.list")["appointments"]
    assert (found["case"], found["number"], found["room"]) == ("C-0001", 1, ROOM)
    assert found["time_zone"] == "Asia/Jakarta"
    assert house.call("bayu", "appointment.list")["appointments"] == []
    with pytest.raises(errors.NotFound):
        house.call("bayu", "appointment.list", case="C-0001")


# -- in merged cases ------------------------------------------------------------------------------


@pytest.fixture
def merged(house, ready):
    """Both cases of a client have an appointment, and one is merged into the other."""
    letter = delivered(house)
    house.write("lain@klien.test", "Halo, ini Ani juga.")
    house.reply("wulan", "C-0002", "Halo.", plain="uji")
    house.clock.on(minutes=2)
    send(house, case="C-0002", start=START + timedelta(days=1))
    for person in ("sari", "wulan"):
        done = house.call(person, "case.link", case="C-0002", into="C-0001")
    assert done == {"linked": True}
    return letter


def listed(house, case):
    found = house.call("wulan", "appointment.list", case=case)["appointments"]
    return [(one["case"], one["number"], one["starts_at"][:10]) for one in found]


def test_a_proposal_is_taken_back_after_a_merge(house, merged):
    """The letter was written in the other case; its meeting is none any more all the same."""
    house.call("wulan", "reply.undo", id="")
    found = house.call("wulan", "appointment.list", case="C-0001")["appointments"]
    assert [one["state"] for one in found] == ["proposed", "cancelled"]


def test_appointments_go_with_a_merged_case(house, merged):
    """Each has a number of its own there, and is moved like any other."""
    house.clock.on(minutes=2)
    house.send()
    assert listed(house, "C-0001") == [("C-0001", 1, "2026-11-26"), ("C-0001", 2, "2026-11-27")]
    send(house, "move", start=START + timedelta(days=3), number=2, sequence=1)
    assert listed(house, "C-0001")[1] == ("C-0001", 2, "2026-11-29")
    house.call("wulan", "reply.undo", id="")
    assert listed(house, "C-0001")[1] == ("C-0001", 2, "2026-11-27")


def test_appointments_go_back_with_their_case(house, merged):
    """When the merge is taken back each case has its own again, with what is due of it."""
    house.call("sari", "case.unlink", case="C-0002")
    assert listed(house, "C-0001") == [("C-0001", 1, "2026-11-26")]
    assert listed(house, "C-0002") == [("C-0002", 1, "2026-11-27")]
    case_of = {row.id: row.case_id for row in house.rows(models.Appointment)}
    due = [row for row in house.rows(models.Errand) if row.ref in case_of]
    assert due
    assert all(row.case_id == case_of[row.ref] for row in due)
