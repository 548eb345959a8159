"""Check-ins: asked once, at a decent hour, only where they help; answers read, or left alone."""

from __future__ import annotations

import json
import threading
from base64 import b64decode, b64encode
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from mailcounsel import errors
from mailcounsel.casework import checkins, goals, questions
from mailcounsel.crypto import sealing
from mailcounsel.practice import names
from mailcounsel.service import work
from mailcounsel.store import models
from mailcounsel.store.columns import new_id
from mailcounsel.store.engine import Store

ANI = "ani@klien.test"
JAKARTA = ZoneInfo("Asia/Jakarta")


@pytest.fixture
def willing(house):
    """Ani agreed to ordinary mail, and to nothing else yet."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=offer)
    house.reply("wulan", "C-0001", "Halo Ani.")
    house.clock.on(minutes=2)
    house.send()
    return offer


@pytest.fixture
def ani(house, willing):
    """Ani agreed to ordinary mail, and to a weekly walk asked about on Mondays at nine."""
    agree(house)
    return willing


def agree(house, label="jalan 30 menit", every="week", at="Mon 09:00", case="C-0001", asks="goal"):
    """Agree a goal as the therapist's own process does."""
    shown, goal_id = house.call("wulan", "case.show", case=case), new_id()
    detail = sealing.seal_to(sealing.new_pair().public, b"{}", f"goal/{goal_id}/detail")
    given = {"goal": goal_id, "label": label, "detail": b64encode(detail).decode(), "asks": asks}
    rhythm = {"epoch": shown["epoch"], "every": every, "at": at}
    return house.call("wulan", "goal.add", case=case, **given, **rhythm)


def send_measure(house, measure="gad-2"):
    """Have a questionnaire sent once as the therapist's own process does."""
    shown, goal_id = house.call("wulan", "case.show", case="C-0001"), new_id()
    detail = sealing.seal_to(sealing.new_pair().public, b"{}", f"goal/{goal_id}/detail")
    given = {"goal": goal_id, "detail": b64encode(detail).decode(), "epoch": shown["epoch"]}
    rhythm = {"measure": measure, "every": "once", "at": ""}
    return house.call("wulan", "measure.send", case="C-0001", **rhythm, **given)


def join(house, address, case):
    """Another client agrees to ordinary mail and to the same weekly walk."""
    house.write(address, "Halo, saya ingin bicara.")
    offer = next(sent for sent in house.send() if sent.to_address == address)
    house.write(address, "SETUJU", reply_to=offer)
    house.reply("wulan", case, "Halo.")
    agree(house, case=case)


def go_to(house, when: datetime) -> None:
    house.clock.on(seconds=(when - house.clock.now()).total_seconds())


def due_of(house, number):
    return next(row.next_due_at for row in house.rows(models.Goal) if row.number == number)


def ask(house):
    now = house.clock.now()
    return house.store.write(lambda c: checkins.ask_due(c, house.office, now))


def asked(house):
    """Let the check-in that is due be asked and sent; return it as the client gets it."""
    goal = house.rows(models.Goal)[0]
    go_to(house, max(goal.next_due_at, house.clock.now()))
    ask(house)
    house.clock.on(hours=1)
    return next(sent for sent in house.send() if "jalan" in sent.text)


def states(house):
    rows = sorted(house.rows(models.CheckIn), key=lambda row: row.due_at)
    return [(row.state, row.reason) for row in rows]


def rating(house, person="wulan"):
    """Open the sealed answers as a reader's own process does."""
    return [content for _, content in opened(house, person)]


def opened(house, person="wulan"):
    """Return each sealed answer, opened, with the id of its goal."""
    shown = house.call(person, "case.show", case="C-0001")
    private, found = house.keys[person].private, []
    for copy in (one for one in shown["keys"] if one["case"] == shown["id"]):
        place = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
        key = sealing.open_with(private, b64decode(copy["sealed"]), place)
        for row in shown["checkins"]:
            if row["answer"] and (copy["epoch"], copy["purpose"]) == (row["epoch"], "content"):
                context = f"checkin/{row['id']}/answer"
                content = sealing.open_with(key, b64decode(row["answer"]), context)
                found.append((row["goal_id"], json.loads(content)))
    return found


# -- asked once ----------------------------------------------------------------------------------


def test_a_question_goes_out_when_it_is_due(house, ani):
    """On Monday at nine, some minutes later at most; content to the client, none in the subject."""
    goal = house.rows(models.Goal)[0]
    assert goal.next_due_at == datetime(2026, 11, 23, 9, 0, tzinfo=JAKARTA)
    go_to(house, goal.next_due_at)
    assert (ask(house), ask(house)) == (1, 0)
    (question,) = house.outbox("checkin")
    late = (question.due_at - goal.next_due_at).total_seconds()
    assert 0 <= late <= checkins.JITTER_MINUTES * 60
    assert "jalan 30 menit" in question.parcel.text
    assert question.parcel.subject == "Surat untuk Anda"
    assert question.parcel.auto_submitted == "auto-generated"


def test_two_clients_are_not_asked_on_the_same_second(house, ani):
    """Jitter spreads the questions of one hour."""
    for number in range(2, 6):
        join(house, f"klien{number}@klien.test", f"C-000{number}")
    go_to(house, house.rows(models.Goal)[0].next_due_at)
    ask(house)
    assert len({row.due_at for row in house.outbox("checkin")}) > 1


def test_two_services_ask_once(house, ani):
    """Many threads on two stores at the same moment: one question for one goal and due time."""
    go_to(house, house.rows(models.Goal)[0].next_due_at)
    now, faults = house.clock.now(), []
    second = house.store if house.store.is_sqlite else Store(str(house_url(house)))
    start = threading.Barrier(6)

    def work(store):
        start.wait(30)
        try:
            store.write(lambda c: checkins.ask_due(c, house.office, now))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the test names it
            faults.append(fault)

    stores = [house.store, second] * 3
    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if second is not house.store:
        second.close()
    assert faults == []
    assert len(house.outbox("checkin")) == 1
    assert len(house.rows(models.CheckIn)) == 1


def house_url(house):
    return house.store.url.render_as_string(hide_password=False)


def test_a_jump_of_a_year_asks_once(house, ani):
    """After a long pause there is one question, not fifty."""
    house.clock.on(days=365)
    ask(house)
    ask(house)
    assert len(house.outbox("checkin")) == 1
    assert house.rows(models.Goal)[0].next_due_at > house.clock.now()


def test_questions_of_a_clock_that_was_ahead_come_again_in_their_rhythm(house, ani):
    """One came too early, and the next would come in a year; so would a questionnaire."""
    house.clock.on(days=365)
    send_measure(house)
    work.ask_checkins(house.desk)
    agree(house, label="tidur", every="day", at="20:00")
    house.clock.on(days=-365)
    work.sweep(house.desk)
    due = [row.next_due_at for row in house.rows(models.Goal) if row.state == "active"]
    assert len(due) == 2
    assert all(0 < (one - house.clock.now()).days + 1 <= 8 for one in due)


def test_a_questionnaire_of_a_clock_that_was_ahead_goes_out_once(house, ani):
    """It was to be sent at once."""
    house.clock.on(days=365)
    send_measure(house)
    house.clock.on(days=-365)
    work.sweep(house.desk)
    (row,) = [one for one in house.rows(models.Goal) if one.asks == "measure"]
    assert row.next_due_at <= house.clock.now()


def test_a_step_back_of_the_clock_does_not_ask_again(house, ani):
    """(goal, due time) exists once, whatever the clock does."""
    goal = house.rows(models.Goal)[0]
    go_to(house, goal.next_due_at)
    ask(house)
    house.edit(models.Goal, goal.id, next_due_at=goal.next_due_at)
    ask(house)
    assert len(house.outbox("checkin")) == 1


def test_no_question_comes_at_night(house, ani):
    """A question due within the quiet hours waits for the morning, in the client's zone."""
    agree(house, label="malam", every="day", at="23:30")
    goal = next(row for row in house.rows(models.Goal) if row.number == 2)
    go_to(house, goal.next_due_at)
    ask(house)
    local = house.outbox("checkin")[-1].due_at.astimezone(JAKARTA)
    assert 7 <= local.hour < 8


# -- several questions in one letter --------------------------------------------------------------


@pytest.fixture
def four(house, ani):
    """Ani is asked about two goals, her mood and her practice, all on Mondays at nine."""
    agree(house, label="tidur sebelum jam sebelas")
    agree(house, label="mood", asks="mood")
    agree(house, label="napas perut", at="Mon 09:45", asks="practice")
    return asked(house)


def by_name(house):
    """Return each question's state and, where it has one, its number."""
    goals = {row.id: row for row in house.rows(models.Goal)}
    found = {}
    opened = iter(rating(house))
    for row in house.rows(models.CheckIn):
        goal = goals[row.goal_id]
        found[names.of(goal.asks, goal.number)] = row.state
    return found, [{k: v for k, v in one.items() if k != "words"} for one in opened]


def test_what_falls_due_together_is_one_letter(house, four):
    """Four questions within the hour: one letter that names them, and a line to copy."""
    assert len(house.outbox("checkin")) == 1
    rows = house.rows(models.CheckIn)
    assert len({row.outgoing_id for row in rows}) == 1
    assert len(rows) == 4
    assert "    G1  jalan 30 menit\n    G2  tidur sebelum jam sebelas" in four.text
    assert "    latihan  napas perut" in four.text
    assert "    G1 … / G2 … / mood … / latihan …" in four.text
    ask(house)
    assert len(house.outbox("checkin")) == 1


def test_one_line_answers_them_all(house, four):
    """Each question gets its own number; nobody has to act; one letter of thanks."""
    house.write(ANI, "G1 6 / G2 4 / mood 5 / latihan 3x", reply_to=four)
    states_now, numbers = by_name(house)
    assert set(states_now.values()) == {"answered"}
    said = sorted(numbers, key=str)
    assert said == [{"rating": 4}, {"rating": 5}, {"rating": 6}, {"times": 3}]
    assert house.case(1).waiting_since is None
    assert len(house.outbox("checkin-thanks")) == 1


def test_an_answer_above_the_quoted_question_is_read(house, four):
    """What the question says of danger and of help is ours: the numbers above it count."""
    words = "G1 6 / G2 4 / mood 5 / latihan 3x"
    house.write(ANI, house.quoting(words, four), reply_to=four)
    assert set(by_name(house)[0].values()) == {"answered"}
    assert house.case(1).waiting_since is None


def test_danger_typed_into_a_quotation_without_marks_is_read(house, four):
    """Nothing tells there what is quoted: a person reads it, and no machine gives thanks."""
    head = (
        f"Dari: Rumah <{four.from_address}>\nTerkirim: Jumat, 27 November 2026 21.49\n"
        f"Kepada: {ANI}\nPerihal: {four.subject}\n"
    )
    said = f"G1 6 / G2 4 / mood 5 / latihan 3x\n\n{head}\nApa kabar?\n\nAku tidak mau hidup lagi.\n"
    house.write(ANI, said, reply_to=four)
    assert set(by_name(house)[0].values()) == {"unsure"}
    assert house.case(1).waiting_since is not None


def test_what_was_answered_is_kept_and_the_rest_is_shown(house, four):
    """Two certain numbers of four: two are kept, and the therapist reads the letter."""
    house.write(ANI, "G1 6, mood 5, latihan kadang-kadang", reply_to=four)
    assert by_name(house)[0] == {
        "G1": "answered", "G2": "unsure", "M1": "answered", "P1": "unsure",
    }  # fmt: skip
    assert house.case(1).waiting_since is not None
    house.write(ANI, "G2 4, latihan 2x", reply_to=four)
    assert set(by_name(house)[0].values()) == {"answered"}


def test_one_number_for_four_questions_is_nobodys(house, four):
    """It cannot be told which question it answers."""
    house.write(ANI, "6", reply_to=four)
    assert set(by_name(house)[0].values()) == {"unsure"}
    assert rating(house) == []


def test_the_mood_is_asked_about_once(house, ani):
    """A second row would make two questions of one name."""
    agree(house, label="mood", asks="mood")
    with pytest.raises(errors.Refused):
        agree(house, label="mood", asks="mood")


def test_a_link_answers_without_a_reply(house, four):
    """What the link opens, with the numbers filled in, finds its case and its questions."""
    (line,) = [line for line in four.text.splitlines() if line.startswith("mailto:")]
    link = urlsplit(line)
    fields = parse_qs(link.query)
    to, (body,) = unquote(link.path), fields["body"]
    assert body == "G1 = \r\nG2 = \r\nmood = \r\nlatihan = "
    assert fields["subject"] == ["Surat untuk Anda"]
    filled = body
    for number in ("6", "4", "5", "3"):
        filled = filled.replace("= \r", f"= {number}\r", 1) if "= \r" in filled else filled + number
    house.write(ANI, filled, headers={"To": to}, to=to)
    assert set(by_name(house)[0].values()) == {"answered"}


def test_no_link_without_a_tagged_address(house, four):
    """A link to the plain address would open a case of its own."""
    plain = [{"number": 1, "asks": "goal"}]
    assert questions.link("", "x", "en", plain) == ""
    found = questions.link("a&b+tag@x.test", "A b", "en", plain)
    assert found == "mailto:a%26b+tag@x.test?subject=A%20b&body=G1%20%3D%20"


# -- when they rest -------------------------------------------------------------------------------


def danger(house, reply_to):
    house.write(ANI, "Saya ingin mengakhiri hidup saya malam ini.", reply_to=reply_to)


REST = {
    "risk": danger,
    "closed": lambda house, _: house.close("wulan", "C-0001"),
    "paused": lambda house, offer: house.write(ANI, "JEDA", reply_to=offer),
    "stopped": lambda house, offer: house.write(ANI, "BERHENTI", reply_to=offer),
}


@pytest.mark.parametrize("reason", REST)
def test_check_ins_rest(house, ani, reason):
    """With an open risk, a closed case, or the client's wish nothing is asked, and why is kept."""
    REST[reason](house, ani)
    go_to(house, house.rows(models.Goal)[0].next_due_at)
    ask(house)
    assert states(house) == [("skipped", reason)]
    assert house.outbox("checkin") == []


@pytest.mark.parametrize("reason", REST)
def test_a_question_that_has_not_left_is_taken_back(house, ani, reason):
    """Asked for and still in the outbox when things change: the client never gets it."""
    go_to(house, house.rows(models.Goal)[0].next_due_at)
    ask(house)
    REST[reason](house, ani)
    house.clock.on(days=1)
    assert [sent for sent in house.send() if "jalan" in sent.text] == []
    assert states(house) == [("skipped", reason)]
    assert [row.sealed for row in house.outbox("checkin")] == [None]


def test_check_ins_go_on_when_the_client_says_so(house, ani):
    """LANJUT after JEDA."""
    house.write(ANI, "JEDA", reply_to=ani)
    house.write(ANI, "LANJUT", reply_to=ani)
    assert asked(house)


def test_a_forged_stop_stops_nothing(house, ani):
    """Without proof the word is a letter that a person reads."""
    house.write(ANI, "BERHENTI")
    assert asked(house)
    assert house.case(2).waiting_since is not None


def test_a_stopped_goal_is_not_asked_about(house, ani):
    """The therapist ends it."""
    house.call("wulan", "goal.stop", case="C-0001", name="G1")
    house.clock.on(days=30)
    assert ask(house) == 0


def test_a_risk_in_a_linked_case_rests_the_questions(house, ani):
    """Danger in a letter that a person linked to the case counts for the whole of it."""
    house.write("ani@baru.test", "Saya ingin mengakhiri hidup saya malam ini.", reply_to=ani)
    go_to(house, house.rows(models.Goal)[0].next_due_at)
    ask(house)
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert states(house) == [("skipped", "risk")]
    house.clock.on(days=7)
    ask(house)
    assert [state for state, _ in states(house)] == ["skipped", "skipped"]


def test_goals_of_merged_cases_have_names_of_their_own(house, ani):
    """Both were G1; each number goes to the goal it was written for."""
    join(house, "budi@klien.test", "C-0002")
    for person in ("wulan", "sari"):
        house.call(person, "case.link", case="C-0002", into="C-0001")
    question = asked(house)
    assert "G1 … / G2 …" in question.text
    house.write(ANI, "G1 6 / G2 4", reply_to=question)
    assert [state for state, _ in states(house)] == ["answered", "answered"]
    first, second = sorted(house.rows(models.Goal), key=lambda row: row.id)
    given = {row.goal_id: row for row in house.rows(models.CheckIn)}
    asked_of = [{"id": row.id, "number": 1, "asks": "goal"} for row in (second, first)]
    assert [one.name for one in questions.named(asked_of)] == ["G2", "G1"]
    answered = [{"goal_id": row.id, "number": 1, "asks": "goal"} for row in (first, second)]
    assert [one.name for one in questions.named(answered)] == ["G1", "G2"]
    assert set(given) == {first.id, second.id}


# -- each kind counts for itself ------------------------------------------------------------------


def numbered(house):
    """Return the names of what a case is asked about, each with its state, in their order."""
    rows = sorted(house.rows(models.Goal), key=lambda row: (row.created_at, row.id))
    return {names.of(row.asks, row.number): row.state for row in rows}


@pytest.mark.parametrize("words", ["G1 4", "g1 4, mood 6"])
def test_a_goal_is_the_first_whatever_was_asked_before(house, willing, words):
    """Two questionnaires and the mood came first; the client's only goal is G1 all the same."""
    send_measure(house, "gad-2")
    send_measure(house, "gad-7")
    agree(house, label="mood", asks="mood")
    house.clock.on(minutes=1)
    assert agree(house)["name"] == "G1"
    question = next(sent for sent in asked_letters(house) if "jalan 30" in sent.text)
    assert "    G1  jalan 30 menit" in question.text
    assert "    mood … / G1 …" in question.text
    house.write(ANI, words, reply_to=question)
    walk = next(row.id for row in house.rows(models.Goal) if row.asks == "goal")
    assert {goal: content.get("rating") for goal, content in opened(house)}[walk] == 4


def asked_letters(house):
    """Let the goals fall due, and return every letter that left."""
    due = max(row.next_due_at for row in house.rows(models.Goal))
    go_to(house, due)
    ask(house)
    house.clock.on(minutes=30)
    return house.send()


def test_a_name_stops_what_it_names(house, willing):
    """G1 is the goal and never a questionnaire; Q1 is the questionnaire, and P1 the practice."""
    send_measure(house)
    agree(house, label="napas perut", asks="practice")
    agree(house)
    assert numbered(house) == {"Q1": "active", "P1": "active", "G1": "active"}
    for name, states_then in (
        ("G1", {"Q1": "active", "P1": "active", "G1": "stopped"}),
        ("Q1", {"Q1": "stopped", "P1": "active", "G1": "stopped"}),
        ("P1", {"Q1": "stopped", "P1": "stopped", "G1": "stopped"}),
    ):
        house.call("wulan", "goal.stop", case="C-0001", name=name)
        assert numbered(house) == states_then
    for name in ("G2", "Q2", "1x", "", "G0", "Z1"):
        with pytest.raises(errors.NotFound):
            house.call("wulan", "goal.stop", case="C-0001", name=name)


def test_what_was_stopped_keeps_its_name(house, ani):
    """A number never comes to stand under another goal."""
    house.call("wulan", "goal.stop", case="C-0001", name="G1")
    assert agree(house, label="tidur")["name"] == "G2"


def test_a_goal_of_an_older_store_keeps_its_number(house, ani):
    """It was agreed as the second of everything: its letters and their answers go on by G2."""
    house.store.write(lambda c: c.execute(update(goals.goals).values(number=2)))
    agree(house, label="mood", asks="mood")
    question = asked(house)
    assert "    G2 … / mood …" in question.text
    assert agree(house, label="tidur", at="Fri 09:00")["name"] == "G3"
    house.write(ANI, "G2 5, mood 6", reply_to=question)
    walk = next(row.id for row in house.rows(models.Goal) if row.number == 2)
    assert {goal: content["rating"] for goal, content in opened(house)}[walk] == 5


def test_two_practices_of_a_letter_have_names_of_their_own(house, willing):
    """Neither takes a goal's name: each answer goes where it was meant to go."""
    for label in ("napas perut", "jalan pelan"):
        agree(house, label=label, asks="practice")
        house.clock.on(minutes=1)
    agree(house)
    question = asked(house)
    assert "    P1 … / P2 … / G1 …" in question.text
    house.write(ANI, "G1 6 / P1 3x / P2 0x", reply_to=question)
    states_now, numbers = by_name(house)
    assert states_now == {"P1": "answered", "P2": "answered", "G1": "answered"}
    assert sorted(numbers, key=str) == [{"rating": 6}, {"times": 0}, {"times": 3}]


def test_bare_numbers_go_in_the_order_of_the_letter(house, ani):
    """What was agreed first stands first in the letter, in whichever of two cases it was."""
    house.clock.on(minutes=1)
    agree(house, label="tidur")
    house.clock.on(minutes=1)
    join(house, "budi@klien.test", "C-0002")
    for person in ("wulan", "sari"):
        house.call(person, "case.link", case="C-0002", into="C-0001")
    question = asked(house)
    house.write(ANI, "6\n4\n5", reply_to=question)
    given = {goal: content["rating"] for goal, content in opened(house)}
    rows = sorted(house.rows(models.Goal), key=lambda row: row.created_at)
    assert [given[row.id] for row in rows] == [6, 4, 5]


# -- questions of several letters -----------------------------------------------------------------


@pytest.fixture
def apart(house, ani):
    """Ani is asked about her walk on Mondays and about her practice on Tuesdays; both wait."""
    agree(house, label="napas perut", at="Tue 09:00", asks="practice")
    walk = asked(house)
    return walk, asked_next(house)


def asked_next(house):
    """Let what is due next be asked and sent; return it as the client gets it."""
    go_to(house, min(row.next_due_at for row in house.rows(models.Goal)))
    ask(house)
    house.clock.on(hours=1)
    (question,) = house.send()
    return question


@pytest.mark.parametrize("which", [0, 1])
def test_an_answer_may_name_what_another_letter_asked(house, apart, which):
    """A number that a client gave a name is kept, whichever of the letters they answered."""
    house.write(ANI, "G1 6, latihan 3x", reply_to=apart[which])
    assert by_name(house)[0] == {"G1": "answered", "P1": "answered"}
    assert sorted(by_name(house)[1], key=str) == [{"rating": 6}, {"times": 3}]
    assert house.case(1).waiting_since is None
    assert len(house.outbox("checkin-thanks")) == 1


def test_names_tell_what_is_answered_where_no_letter_is(house, apart, willing):
    """In a letter that answers neither of two that wait, each number needs its name."""
    house.write(ANI, "3", reply_to=willing)
    assert by_name(house)[0] == {"G1": "asked", "P1": "asked"}
    house.write(ANI, "G1 6\nlatihan 3x", reply_to=willing)
    assert by_name(house)[0] == {"G1": "answered", "P1": "answered"}


def test_a_number_without_a_name_answers_its_own_letter_alone(house, apart):
    """The other letter goes on waiting; nothing about it is unsure."""
    house.write(ANI, "3x, enak", reply_to=apart[1])
    assert by_name(house)[0] == {"G1": "asked", "P1": "answered"}
    house.write(ANI, "latihan sudah, jalan 5", reply_to=apart[0])
    assert by_name(house)[0]["P1"] == "answered"


def test_a_named_number_behind_a_bare_one_is_left_to_a_person(house, apart):
    """The bare one answers its letter; whether the other is meant as well, a person sees."""
    house.write(ANI, "7\nlatihan 3x", reply_to=apart[0])
    assert by_name(house)[0] == {"G1": "answered", "P1": "asked"}
    assert house.case(1).waiting_since is not None


def test_a_number_for_a_goal_that_does_not_wait_is_read_by_a_person(house, apart):
    """It may be better than the one that was kept, or meant for another: no machine thanks."""
    house.write(ANI, "5", reply_to=apart[0])
    house.write(ANI, "G1 6, latihan 3x", reply_to=apart[1])
    assert by_name(house)[0] == {"G1": "answered", "P1": "answered"}
    assert sorted(by_name(house)[1], key=str) == [{"rating": 5}, {"times": 3}]
    assert house.case(1).waiting_since is not None
    assert len(house.outbox("checkin-thanks")) == 1


def test_a_number_goes_to_no_question_of_last_week(house, ani, willing):
    """Once a question was answered, what went unanswered before stays so."""
    agree(house, label="napas perut", at="Tue 09:00", asks="practice")
    asked(house)
    house.write(ANI, "3x", reply_to=asked_next(house))
    house.send()
    house.write(ANI, "5", reply_to=asked_next(house))
    house.send()
    house.write(ANI, "G1 6, latihan 3x", reply_to=asked_next(house))
    numbers = sorted(by_name(house)[1], key=str)
    assert numbers == [{"rating": 5}, {"times": 3}, {"times": 3}]
    assert states(house)[0] == ("asked", "")


def test_a_name_two_letters_share_is_no_name_for_a_third(house, ani, willing):
    """Each of two practices was "latihan" in its letter: elsewhere the word tells neither."""
    agree(house, label="napas perut", at="Tue 09:00", asks="practice")
    agree(house, label="jalan pelan", at="Wed 09:00", asks="practice")
    asked(house), asked_next(house)
    house.write(ANI, "MULAI", reply_to=willing)  # who is silent is asked no third time
    house.send()
    asked_next(house)
    house.write(ANI, "G1 6, latihan 3x", reply_to=willing)
    assert by_name(house)[0] == {"G1": "answered", "P1": "asked", "P2": "asked"}
    assert house.case(1).waiting_since is not None


# -- silence --------------------------------------------------------------------------------------


def pass_time(house, **time):
    """Let time pass by the hour, with all that the service does meanwhile; return what left."""
    left, until = [], house.clock.now() + timedelta(**time)
    while house.clock.now() < until:
        house.clock.on(hours=1)
        work.ask_checkins(house.desk)
        work.run_errands(house.desk)
        left += [(sent, house.clock.now()) for sent in house.send()]
    return left


def kinds_sent(house, *kinds):
    rows = [row for row in house.outbox() if row.kind in kinds and row.state == "sent"]
    return Counter(row.kind for row in rows)


def test_a_silence_is_met_once_and_then_shown(house, ani):
    """After half the rhythm one gentle letter; after as long again a flag; then nothing."""
    asked(house)
    pass_time(house, days=3)
    assert kinds_sent(house, "checkin-reminder") == {}
    pass_time(house, days=1)
    assert kinds_sent(house, "checkin-reminder") == {"checkin-reminder": 1}
    assert "silent" not in house.flags(1)
    pass_time(house, days=4)
    assert "silent" in house.flags(1)
    assert [one["case"] for one in house.call("wulan", "queue.list")["cases"]] == ["C-0001"]
    pass_time(house, days=30)
    assert kinds_sent(house, "checkin", "checkin-reminder") == {"checkin": 1, "checkin-reminder": 1}
    assert states(house)[-1] == ("skipped", "silent")


def test_a_reminder_comes_by_day(house, ani):
    """Half a week after nine in the morning is nine in the evening: it waits for the morning."""
    asked(house)
    ((_, at),) = pass_time(house, days=4)
    assert 7 <= at.astimezone(JAKARTA).hour < 21


@pytest.mark.parametrize("words", ["7", "Minggu ini saya tidak ingin menilai.", "JEDA", "BERHENTI"])
def test_no_reminder_after_an_answer_came(house, ani, words):
    """A number, a letter or a word: whatever the client wrote, they were not silent."""
    question = asked(house)
    pass_time(house, days=1)
    house.write(ANI, words, reply_to=question)
    pass_time(house, days=5)
    assert kinds_sent(house, "checkin-reminder") == {}
    assert "silent" not in house.flags(1)


@pytest.mark.parametrize("reason", REST)
def test_no_reminder_while_check_ins_rest(house, ani, reason):
    """An open risk, a closed case, the client's wish."""
    asked(house)
    REST[reason](house, ani)
    pass_time(house, days=10)
    assert kinds_sent(house, "checkin-reminder") == {}
    assert "silent" not in house.flags(1)


def test_whatever_the_client_writes_ends_a_silence(house, ani):
    """The flag goes, and the next question comes on its day."""
    question = asked(house)
    pass_time(house, days=10)
    assert "silent" in house.flags(1)
    house.write(ANI, "Maaf baru membalas.", reply_to=question)
    assert "silent" not in house.flags(1)
    pass_time(house, days=7)
    assert kinds_sent(house, "checkin") == {"checkin": 2}


def test_who_always_answers_late_is_asked_all(house, ani):
    """What was due on a day they were silent on comes along with the next question, once."""
    agree(house, label="tidur", at="Fri 09:00")
    question = asked(house)
    pass_time(house, days=4)  # Friday: reminded the evening before, and silent
    assert states(house)[-1] == ("skipped", "silent")
    house.write(ANI, "7", reply_to=question)
    *_, (letter, _) = pass_time(house, days=3)
    assert "jalan 30" in letter.text
    assert "tidur" in letter.text
    house.write(ANI, "G1 6 / G2 4", reply_to=letter)
    assert [state for state, _ in states(house)] == ["answered"] * 3
    *_, (letter, _) = pass_time(house, days=4)
    assert "jalan 30" not in letter.text
    assert "tidur" in letter.text


def test_a_questionnaire_waits_for_who_is_silent(house, ani):
    """It is not left out: once they have written, it comes."""
    question = asked(house)
    pass_time(house, days=5)
    send_measure(house)
    pass_time(house, days=10)
    assert kinds_sent(house, "measure") == {}
    house.write(ANI, "7", reply_to=question)
    pass_time(house, days=4)
    assert kinds_sent(house, "measure") == {"measure": 1}


def test_an_answer_to_the_reminder_answers_the_question(house, ani):
    """Of two questions that wait it is the one the reminder was about."""
    agree(house, label="tidur", at="Tue 13:00")
    asked(house)
    sent = pass_time(house, days=6)
    assert kinds_sent(house, "checkin", "checkin-reminder") == {"checkin": 2, "checkin-reminder": 1}
    reminder, _ = sent[-1]
    house.write(ANI, "7", reply_to=reminder)
    assert rating(house) == [{"rating": 7, "words": "7"}]
    assert states(house) == [("asked", ""), ("answered", "")]


def test_daily_questions_never_pile_up(house, ani):
    """Two without an answer, one reminder, and no third question."""
    house.call("wulan", "goal.stop", case="C-0001", name="G1")
    agree(house, label="jalan 30 menit", every="day", at="09:00")
    pass_time(house, days=20)
    assert kinds_sent(house, "checkin", "checkin-reminder") == {"checkin": 2, "checkin-reminder": 1}
    assert "silent" in house.flags(1)


def test_an_answer_overtakes_a_reminder_in_the_outbox(house, ani):
    """The reminder was asked for and has not left: it never does."""
    question = asked(house)
    house.clock.on(days=4)
    work.run_errands(house.desk)
    assert [row.state for row in house.outbox("checkin-reminder")] == ["ready"]
    house.write(ANI, "7", reply_to=question)
    assert [row.state for row in house.outbox("checkin-reminder")] == ["undone"]


# -- morning or evening ---------------------------------------------------------------------------


def local_due(house):
    return house.rows(models.Goal)[0].next_due_at.astimezone(JAKARTA)


def test_a_client_chooses_the_evening(house, ani):
    """One word by mail moves the hour, not the day; the client is told the hour."""
    house.write(ANI, "MALAM", reply_to=ani)
    due = local_due(house)
    assert (due.weekday(), due.hour, due.minute) == (0, 19, 0)
    (told,) = house.outbox("hour")
    assert "19.00" in told.parcel.text
    house.write(ANI, "morning", reply_to=ani)
    assert (local_due(house).hour, house.rows(models.Goal)[0].at) == (8, "Mon 08:00")


@pytest.mark.parametrize("words", ["Pagi,\n\nsaya mau cerita.", "Malam\nAni", "selamat pagi"])
def test_a_greeting_moves_nothing(house, ani, words):
    """Many a letter begins with the time of day; the word counts alone."""
    house.write(ANI, words, reply_to=ani)
    assert local_due(house).hour == 9
    assert house.case(1).waiting_since is not None


def test_a_forged_word_moves_nothing(house, ani):
    """Without proof it is a letter that a person reads."""
    house.write(ANI, "MALAM")
    assert local_due(house).hour == 9


def test_nobody_is_asked_twice_on_the_day_the_hour_changes(house, ani):
    """Asked at nine, moved to seven in the evening: the next question is a week later."""
    question = asked(house)
    house.write(ANI, "MALAM", reply_to=question)
    assert local_due(house).date() == date(2026, 11, 30)


def test_a_client_lives_by_a_clock_of_their_own(house, ani):
    """Hours agreed are hours of their zone, also those that were agreed before it was known."""
    told = house.call("wulan", "case.client", case="C-0001")
    assert (told["language"], told["time_zone"]) == ("id", "Asia/Jakarta")
    zone = "America/Toronto"
    assert house.call("wulan", "case.client", case="C-0001", time_zone=zone)["time_zone"] == zone
    (goal,) = house.rows(models.Goal)
    local = goal.next_due_at.astimezone(ZoneInfo(zone))
    assert (local.weekday(), local.hour) == (0, 9)


@pytest.mark.parametrize(
    ("given", "says"),
    [({"language": "fr"}, "no letters in 'fr'"), ({"time_zone": "Mars/X"}, "no time zone")],
)
def test_a_client_lives_and_speaks_nowhere_unknown(house, ani, given, says):
    """What there is none of is refused in a sentence, and changes nothing."""
    with pytest.raises(errors.Refused, match=says):
        house.call("wulan", "case.client", case="C-0001", **given)
    told = house.call("wulan", "case.client", case="C-0001")
    assert (told["language"], told["time_zone"]) == ("id", "Asia/Jakarta")


def test_a_therapist_changes_the_rhythm(house, ani):
    """Every, at, or both; what is not there, or cannot be read, is refused."""
    given = {"case": "C-0001", "name": "G1"}
    house.call("wulan", "goal.change", **given, at="Fri 18:30")
    due = local_due(house)
    assert (due.weekday(), due.hour, due.minute) == (4, 18, 30)
    house.call("wulan", "goal.change", **given, every="day", at="07:30")
    assert local_due(house).hour == 7
    with pytest.raises(errors.Refused):
        house.call("wulan", "goal.change", **given, at="noon")
    with pytest.raises(errors.NotFound):
        house.call("wulan", "goal.change", case="C-0001", name="G9", at="08:00")


# -- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["7", "7/10, dua kali jalan kaki", "tujuh"])
def test_an_answer_becomes_a_sealed_rating(house, ani, words):
    """Number and words are kept under the case's key; nobody has to act, the client is thanked."""
    question = asked(house)
    house.write(ANI, words, reply_to=question)
    assert rating(house) == [{"rating": 7, "words": words}]
    assert states(house) == [("answered", "")]
    assert house.case(1).waiting_since is None
    assert len(house.outbox("checkin-thanks")) == 1
    row = house.rows(models.CheckIn)[0]
    assert b"jalan" not in row.answer


def test_a_rating_is_readable_with_the_case_key_alone(house, ani):
    """Not by the service, and not by somebody whose copy was destroyed."""
    question = asked(house)
    house.write(ANI, "7", reply_to=question)
    assert rating(house, "sari") == [{"rating": 7, "words": "7"}]
    row = house.rows(models.CheckIn)[0]
    with pytest.raises(Exception, match="does not open"):
        house.office.keyring.open(row.answer, f"checkin/{row.id}/answer")


def test_what_is_unsure_goes_to_the_therapist(house, ani):
    """No number is guessed; the letter waits."""
    question = asked(house)
    house.write(ANI, "Antara 6 dan 8, tergantung harinya.", reply_to=question)
    assert rating(house) == []
    assert states(house)[0][0] == "unsure"
    assert house.case(1).waiting_since is not None
    assert house.outbox("checkin-thanks") == []


def test_an_unsure_answer_can_be_put_right(house, ani):
    """The client's second answer to the same question counts."""
    question = asked(house)
    house.write(ANI, "Hmm, antara 6 dan 8.", reply_to=question)
    house.write(ANI, "7", reply_to=question)
    assert rating(house) == [{"rating": 7, "words": "7"}]


def test_a_letter_about_something_else_leaves_the_question_open(house, ani):
    """Not every letter of that week is an answer."""
    question = asked(house)
    house.write(ANI, "Bolehkah saya pindah hari?", reply_to=ani)
    assert states(house) == [("asked", "")]
    house.write(ANI, "7", reply_to=question)
    assert states(house) == [("answered", "")]


def test_danger_in_an_answer_is_a_risk_and_no_rating(house, ani):
    """ "2, saya ingin mati": a person reads it now."""
    question = asked(house)
    house.write(ANI, "2, saya ingin mati saja.", reply_to=question)
    assert states(house) == [("unsure", "danger")]
    assert len(house.rows(models.Risk)) == 1
    assert house.case(1).waiting_since is not None


def test_two_open_questions_are_told_apart_by_what_is_answered(house, ani):
    """Each answer belongs to the letter it replies to; a bare number belongs to neither."""
    agree(house, label="tidur", at="Mon 13:00")
    go_to(house, due_of(house, 1))
    ask(house)
    go_to(house, due_of(house, 2))
    ask(house)
    house.clock.on(hours=1)
    sent = {word: one for one in house.send() for word in ("jalan", "tidur") if word in one.text}
    house.write(ANI, "5", reply_to=ani)
    assert {state for state, _ in states(house)} == {"asked"}
    house.write(ANI, "4", reply_to=sent["tidur"])
    house.write(ANI, "8", reply_to=sent["jalan"])
    labels = {goal.id: goal.number for goal in house.rows(models.Goal)}
    numbers = {labels[row.goal_id]: row.state for row in house.rows(models.CheckIn)}
    assert numbers == {1: "answered", 2: "answered"}
    assert sorted(found["rating"] for found in rating(house)) == [4, 8]


def test_an_answer_from_elsewhere_is_no_rating(house, ani):
    """A stranger with our Message-ID rates nothing."""
    question = asked(house)
    house.write("mal@jahat.test", "1", reply_to=question)
    assert states(house) == [("asked", "")]


def test_an_answer_from_junk_waits_for_a_person(house, ani):
    """Suspect letters set nothing in motion by themselves."""
    question = asked(house)
    house.write(ANI, "7", reply_to=question, suspect=True)
    assert states(house) == [("asked", "")]
    assert "suspect" in house.flags(1)


def test_a_long_answer_is_rated_and_read(house, ani):
    """Who writes a page beside the number wants to be read."""
    question = asked(house)
    words = "7/10\n\n" + "Minggu ini berat sekali bagi saya dan keluarga. " * 6
    house.write(ANI, words, reply_to=question)
    assert states(house) == [("answered", "")]
    assert house.case(1).waiting_since is not None


TOLD = [
    "3. Ayah saya meninggal kemarin dan pekerjaan saya hilang, saya tidak berhenti menangis.",
    "7. Apakah saya boleh berhenti minum obat?",
    "5, tolong telepon saya",
]
LOST_HEART = [
    "0",
    "nol kak",
    "0 lah kak, udah gak ada gunanya",
    "3. Percuma saja.",
    "2, capek kak",
    "4. I feel empty.",
    "3, there is no point",
]


@pytest.mark.parametrize("words", TOLD + LOST_HEART)
def test_words_beside_a_number_are_read(house, ani, words):
    """A story, a question, a rating of nought or a lost heart is kept; no machine gives thanks."""
    question = asked(house)
    house.write(ANI, words, reply_to=question)
    assert states(house) == [("answered", "")]
    assert house.case(1).waiting_since is not None
    assert house.outbox("checkin-thanks") == []
    assert house.outbox("acknowledgement-again") != []


def test_no_practice_is_not_the_lowest_rating(house, four):
    """Who did not get round to it is thanked as before."""
    house.write(ANI, "G1 6 / G2 4 / mood 5 / latihan 0x", reply_to=four)
    assert house.case(1).waiting_since is None
    assert len(house.outbox("checkin-thanks")) == 1


def test_a_mood_of_nought_among_other_numbers_is_read(house, four):
    """Four certain numbers, and one says that it is as heavy as can be: a person reads them."""
    house.write(ANI, "G1 6 / G2 4 / mood 0 / latihan 3x", reply_to=four)
    assert {state for state, _ in states(house)} == {"answered"}
    assert house.case(1).waiting_since is not None
    assert house.outbox("checkin-thanks") == []


@pytest.mark.parametrize("words", ["7", "7/10, dua kali jalan kaki minggu ini", "6. Lumayan, kak"])
def test_a_few_words_beside_a_number_need_nobody(house, ani, words):
    """They are kept with the number, and the client is thanked."""
    question = asked(house)
    house.write(ANI, words, reply_to=question)
    assert house.case(1).waiting_since is None
    assert len(house.outbox("checkin-thanks")) == 1


def test_a_clock_in_another_zone_is_the_same_moment(house, ani):
    """Times in the store are UTC."""
    assert house.rows(models.Goal)[0].next_due_at.tzinfo == UTC


def test_a_goal_that_does_not_open_stops_no_other(house):
    """A damaged label: the other client is asked all the same, and a person sees the case."""
    for number, address in enumerate((ANI, "budi@klien.test"), 1):
        house.write(address, "Halo.")
        offer = next(sent for sent in house.send() if sent.to_address == address)
        house.write(address, "SETUJU", reply_to=offer)
        house.send()
        agree(house, case=f"C-{number:04d}", every="day", at="09:00")
    (damaged, _) = sorted(house.rows(models.Goal), key=lambda row: row.case_id != house.case(1).id)
    house.edit(models.Goal, damaged.id, label=b"\x00" * 40)
    house.clock.on(days=1)
    for _ in range(3):
        work.ask_checkins(house.desk)
    assert [row.case_id for row in house.outbox("checkin")] == [house.case(2).id]
    assert house.flags(1) == ["errand-failed"]


@pytest.mark.parametrize(
    "mark",
    [
        {"headers": {"Auto-Submitted": "auto-generated"}},
        {"headers": {"List-Id": "<a.b>"}},
        {"mail_from": ""},
    ],
)
def test_a_machines_number_is_no_answer(house, ani, mark):
    """It is shown to a person, and the question stays open for the client's own answer."""
    house.clock.on(days=8)
    work.ask_checkins(house.desk)
    house.clock.on(hours=1)
    question = house.sent_to(ANI)[-1]
    house.write(ANI, "7", reply_to=question, **mark)
    assert [row.state for row in house.rows(models.CheckIn)] == ["asked"]
    assert house.case(1).waiting_since is not None
    house.write(ANI, "3", reply_to=question)
    assert [row.state for row in house.rows(models.CheckIn)] == ["answered"]
