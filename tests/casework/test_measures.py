"""Questionnaires: sent when somebody reads, read when certain, danger raised whatever else is."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailcounsel import errors
from mailcounsel.casework import checkins, hours
from mailcounsel.config.spans import Days
from mailcounsel.crypto import sealing
from mailcounsel.practice import forms
from mailcounsel.service import work
from mailcounsel.store import models
from mailcounsel.store.columns import new_id

EVE, ANI = "eve@klien.test", "ani@klien.test"
JAKARTA = ZoneInfo("Asia/Jakarta")
WHOLE = "1 0 2 1 0 0 1 2 0"


@pytest.fixture
def eve(house):
    """Eve writes English and agreed to ordinary mail."""
    house.write(EVE, "Hello, I would like to write to somebody about my weeks.")
    (offer,) = house.sent_to(EVE)
    house.write(EVE, "AGREE", reply_to=offer)
    house.reply("wulan", "C-0001", "Hello Eve.")
    house.clock.on(minutes=2)
    house.send()
    return offer


def send(house, measure="phq-9", every="once", at="", case="C-0001"):
    """Have a questionnaire sent as the therapist's own process does."""
    shown, goal_id = house.call("wulan", "case.show", case=case), new_id()
    detail = sealing.seal_to(sealing.new_pair().public, b"{}", f"goal/{goal_id}/detail")
    given = {"goal": goal_id, "detail": b64encode(detail).decode(), "epoch": shown["epoch"]}
    return house.call(
        "wulan", "measure.send", case=case, measure=measure, every=every, at=at, **given
    )


def local(house, hour, day=0):
    """Go to an hour of a Wednesday in Jakarta, or of the days after."""
    when = datetime(2026, 12, 2 + day, hour, tzinfo=JAKARTA)
    house.clock.on(seconds=(when - house.clock.now()).total_seconds())


def ask(house):
    now = house.clock.now()
    return house.store.write(lambda c: checkins.ask_due(c, house.office, now))


def asked(house, **how):
    """Send a questionnaire on a Wednesday at ten, and return it as the client gets it."""
    local(house, 10)
    send(house, **how)
    ask(house)
    return next(one for one in house.sent_to(EVE) if "Reply with one number" in one.text)


def answers(house, person="wulan"):
    """Open the sealed answers as a reader's own process does."""
    shown = house.call(person, "case.show", case="C-0001")
    found = []
    for copy in shown["keys"]:
        place = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
        key = sealing.open_with(house.keys[person].private, b64decode(copy["sealed"]), place)
        for row in shown["checkins"]:
            if row["answer"] and (copy["epoch"], copy["purpose"]) == (row["epoch"], "content"):
                context = f"checkin/{row['id']}/answer"
                found.append(json.loads(sealing.open_with(key, b64decode(row["answer"]), context)))
    return found


def states(house):
    rows = sorted(house.rows(models.CheckIn), key=lambda row: row.due_at)
    return [(row.state, row.reason) for row in rows]


def causes(house):
    return [row.cause for row in house.rows(models.Risk)]


def test_the_letter_holds_the_whole_form(house, eve):
    """Every question, what the numbers mean, and the notice stand in one plain letter."""
    text = asked(house).text
    assert "9. Thoughts that you would be better off dead" in text
    assert "    3 = Nearly every day" in text
    assert "No permission required to reproduce" in text
    assert "STOP" in text
    assert "Call 112" in text


def test_once_at_an_hour_leaves_at_that_hour(house, eve):
    """Nothing leaves before the hour that was named, and then it leaves a single time."""
    local(house, 10)
    sent = send(house, measure="gad-7", at="Thu 11:00")
    assert datetime.fromisoformat(sent["next_due_at"]) == datetime(2026, 12, 3, 4, tzinfo=UTC)
    ask(house)
    assert states(house) == []
    local(house, 11, day=1)
    ask(house)
    local(house, 11, day=8)
    ask(house)
    assert states(house) == [("asked", "")]


def test_the_hour_that_is_announced_is_one_it_can_leave_at(house, eve):
    """An hour at night is told as the first one that is not, with the client's zone."""
    local(house, 10)
    sent = send(house, measure="gad-7", every="week", at="Wed 23:00")
    assert sent["time_zone"] == "Asia/Jakarta"
    leaves_at = datetime.fromisoformat(sent["leaves_at"]).astimezone(JAKARTA)
    assert leaves_at.day == 3
    assert 5 <= leaves_at.hour <= 9


def test_an_answer_is_scored_and_sealed(house, eve):
    """A whole answer is kept with its items and its score, and only the readers can open it."""
    house.write(EVE, WHOLE, reply_to=asked(house))
    (kept,) = answers(house)
    assert kept["items"] == [1, 0, 2, 1, 0, 0, 1, 2, 0]
    assert kept["score"] == 7
    assert (kept["measure"], kept["language"]) == ("phq-9", "en")
    assert states(house) == [("answered", "")]
    assert causes(house) == []


def test_the_client_is_thanked_in_words_without_a_band(house, eve):
    """What the client gets holds neither the score nor a word of what it may mean."""
    house.write(EVE, "3 3 3 3 3 3 3 3 0", reply_to=asked(house))
    (thanks,) = house.sent_to(EVE)
    assert "24" not in thanks.text
    for word in ("severe", "moderate", "mild", "depress", "score", "PHQ"):
        assert word not in thanks.text


def test_a_danger_names_its_cause_and_letter(house, eve):
    """Whoever opens the case is told that an answer raised it, and which letter that was."""
    house.write(EVE, "1 2 1 0 1 1 0 0 1", reply_to=asked(house))
    shown = house.call("wulan", "case.show", case="C-0001")
    ((risk,), (answer,)) = shown["risks"], shown["checkins"]
    assert risk["cause"] == "answer"
    assert risk["letter"] == answer["letter"]


def test_nobody_has_to_act_on_a_plain_answer(house, eve):
    """An answer with nothing else in it makes the case wait for nobody."""
    house.write(EVE, WHOLE, reply_to=asked(house))
    assert house.case(1).waiting_since is None


def test_other_words_are_read_by_a_person(house, eve):
    """Words beside the numbers wait for the therapist, and the numbers are kept."""
    house.write(EVE, f"{WHOLE}\nMy brother came to stay.", reply_to=asked(house))
    assert answers(house)[0]["score"] == 7
    assert house.case(1).waiting_since is not None


@pytest.mark.parametrize("words", ["1 0 2 1 0 0 1 2 1", "9: 1", "9: several days", "9: maybe"])
def test_the_ninth_question_goes_to_the_risk_lane(house, eve, words):
    """Anything above zero raises the case at once, whatever the other items are."""
    house.write(EVE, words, reply_to=asked(house))
    assert causes(house) == ["answer"]
    assert house.case(1).priority == 3
    assert house.case(1).waiting_since is not None
    assert "checkin-thanks" not in [row.kind for row in house.outbox()]


def test_a_ninth_answer_is_promised_no_day(house, eve):
    """The note with help is the answer; a day beside it would sound as if it could wait."""
    question = asked(house)
    house.write(EVE, "1 2 1 0 1 1 0 0 1", reply_to=question)
    assert house.outbox("acknowledgement-again") == []
    assert len(house.outbox("crisis")) == 1
    assert house.case(1).waiting_since is not None


def test_a_zero_clears_nothing(house, eve):
    """A zero in the ninth question leaves an open sign of danger open."""
    form = asked(house)
    house.write(EVE, "I want to kill myself.", reply_to=eve)
    assert causes(house) == ["words"]
    house.write(EVE, WHOLE, reply_to=form)
    shown = house.call("wulan", "case.show", case="C-0001")
    assert shown["risk"] is True
    assert house.case(1).priority == 3


def test_a_machines_numbers_are_no_score_and_may_show_danger(house, eve):
    """A phone or gateway may mark a client's own answer: a person reads it, in the risk lane."""
    letter = asked(house)
    headers = {"Auto-Submitted": "auto-generated"}
    house.write(EVE, WHOLE, reply_to=letter, headers=headers)
    assert answers(house) == []
    assert house.case(1).waiting_since is not None
    house.write(EVE, "1 0 2 1 0 0 1 2 1", reply_to=letter, headers=headers)
    assert answers(house) == []
    assert [row.cause for row in house.rows(models.Risk)] == ["answer"]


def test_danger_in_words_bends_no_number(house, eve):
    """A sign of danger beside the numbers raises the case; the numbers are kept as they stand."""
    house.write(EVE, f"{WHOLE}\nI want to kill myself.", reply_to=asked(house))
    assert answers(house)[0]["score"] == 7
    assert causes(house) == ["words"]
    assert house.case(1).waiting_since is not None


def test_the_quoted_question_raises_nothing(house, eve):
    """The words of the ninth question in a quote are ours, and no sign."""
    form = asked(house)
    quote = "\n".join(f"> {line}" for line in form.text.splitlines())
    house.write(EVE, f"{WHOLE}\n\n{quote}", reply_to=form)
    assert causes(house) == []
    assert answers(house)[0]["score"] == 7


def test_the_question_quoted_without_marks_raises_nothing(house, eve):
    """A program that sends our letter back without marks adds neither an answer nor a sign."""
    form = asked(house)
    house.write(EVE, f"{WHOLE}\n\n{form.text}", reply_to=form)
    assert causes(house) == []
    assert answers(house)[0]["score"] == 7


def test_a_sign_beside_the_quoted_question_is_the_clients(house, eve):
    """A line of the client's own that says such words is raised, whatever is quoted with it."""
    form = asked(house)
    more = "I think I would be better off dead."
    house.write(EVE, f"{WHOLE}\n\n{form.text}\n{more}", reply_to=form)
    assert causes(house) == ["words"]


def test_danger_in_the_subject_keeps_the_letter_a_letter(house, eve):
    """A sign of danger above mere numbers is a letter for a person, not a filed answer."""
    form = asked(house)
    house.write(EVE, WHOLE, reply_to=form, headers={"Subject": "I want to kill myself"})
    assert causes(house) == ["words"]
    assert [row.kind for row in house.rows(models.Letter) if row.direction == "in"][-1] == "letter"


def test_a_gap_is_no_zero(house, eve):
    """With an item left out there are items and no score."""
    house.write(EVE, "1 0 2 1 0 0 1 - 0", reply_to=asked(house))
    (kept,) = answers(house)
    assert kept["items"][7] is None
    assert kept["score"] is None
    assert states(house)[0] == ("unsure", "gap")


GAPS = "1: 1, 2: 0, 4: 1, 5: 0, 6: 0, 8: 2, 9: 0"
NO_NINTH = "1: 1, 2: 0, 3: 2, 4: 1, 5: 0, 6: 0, 7: 1, 8: 2"


def open_form(house, words=GAPS, hour=10):
    """Let the client leave two answers out; return the letter that asks for them."""
    form = asked(house)
    local(house, hour)
    house.write(EVE, words, reply_to=form)
    return next((one for one in house.sent_to(EVE) if "Not answered yet" in one.text), None)


def whole(house):
    """Return the answers as the reader's process puts them together."""
    shown = house.call("wulan", "case.show", case="C-0001")
    rows = [row for row in shown["checkins"] if row["answer"]]
    opened = answers(house)
    return forms.completed([{**row, **one} for row, one in zip(rows, opened, strict=True)])


def test_what_was_left_open_is_asked_for_once_and_nobody_waits(house, eve):
    """By number, in one plain line; the client may leave it at that."""
    rest = open_form(house)
    assert "number 3 and 7. One line is enough" in rest.text
    assert "3: …, 7: …" in rest.text
    assert house.case(1).waiting_since is None
    assert states(house) == [("unsure", "gap"), ("asked", "rest")]


def test_what_was_left_out_with_a_hyphen_is_not_asked_about_again(house, eve):
    """The letter invited it: the client is thanked at once, and a person sees which it was."""
    assert open_form(house, "1 0 - 1 0 0 1 2 -") is None
    assert house.outbox("measure-rest") == []
    assert len(house.outbox("checkin-thanks")) == 1
    assert house.flags(1) == ["form-gap"]
    assert house.case(1).waiting_since is None
    (kept,) = answers(house)
    assert [at for at, value in enumerate(kept["items"], 1) if value is None] == [3, 9]


def test_beside_a_hyphen_only_what_was_forgotten_is_asked_for(house, eve):
    """One item was refused, another one has no answer at all."""
    rest = open_form(house, "1: 1, 2: 0, 3: -, 4: 1, 5: 0, 6: 0, 7: 1, 9: 0")
    assert "Not answered yet: number 8." in rest.text


@pytest.mark.parametrize("words", ["- - - - - 1 1 1 1", "1 0 - 1 0 0 1 2 -\n\nWhy do you ask?"])
def test_mostly_hyphens_or_words_beside_them_go_to_a_person(house, eve, words):
    """That is no answer to be filed with a word of thanks."""
    house.write(EVE, words, reply_to=asked(house))
    assert house.case(1).waiting_since is not None
    assert house.outbox("checkin-thanks") == house.outbox("measure-rest") == []


@pytest.mark.parametrize("words", ["3: 2, 7: 1", "2 1", "3. 2\n7. 1"])
def test_what_completes_a_form_gives_its_score(house, eve, words):
    """By number or in their order: one form, one score, and what was open at first."""
    house.write(EVE, words, reply_to=open_form(house))
    (form,) = whole(house)
    assert (form["items"], form["score"]) == ([1, 0, 2, 1, 0, 0, 1, 2, 0], 7)
    assert form["was_open"] == [3, 7]
    assert states(house) == [("answered", ""), ("answered", "rest")]
    assert house.case(1).waiting_since is None
    assert len(house.outbox("checkin-thanks")) == 1


def gap_is_shown(house, days):
    house.clock.on(days=days)
    work.run_errands(house.desk)
    return "form-gap" in house.flags(1)


def test_a_rest_that_never_comes_is_shown_to_a_person(house, eve):
    """What was left open may be what matters most: after four days somebody sees that it is."""
    rest = open_form(house)
    assert not gap_is_shown(house, 3)
    assert gap_is_shown(house, 2)
    assert [one["case"] for one in house.call("wulan", "queue.list")["cases"]] == ["C-0001"]
    house.write(EVE, "3: 2, 7: 1", reply_to=rest)
    assert "form-gap" not in house.flags(1)


def test_a_completed_form_is_not_shown(house, eve):
    """The rest came in time."""
    house.write(EVE, "3: 2, 7: 1", reply_to=open_form(house))
    assert not gap_is_shown(house, 5)


def test_a_form_that_came_again_whole_is_not_shown(house, eve):
    """The second letter answers the form itself, and what was shown is settled."""
    form = asked(house)
    house.write(EVE, GAPS, reply_to=form)
    assert gap_is_shown(house, 5)
    house.write(EVE, WHOLE, reply_to=form)
    assert not gap_is_shown(house, 5)


@pytest.mark.parametrize("words", ["3: 2", "later please", "3: 9, 7: 1", "2 1 0"])
def test_a_rest_that_is_not_clear_is_left_to_a_person(house, eve, words):
    """It is asked for once only, so what is not certain now is read."""
    house.write(EVE, words, reply_to=open_form(house))
    assert states(house)[0] == ("unsure", "gap")
    assert house.case(1).waiting_since is not None
    assert len(house.outbox("measure-rest")) == 1


def test_danger_in_the_rest_goes_to_the_risk_lane(house, eve):
    """The ninth question left open at first is raised when it comes, above zero."""
    rest = open_form(house, NO_NINTH)
    assert "number 9." in rest.text
    house.write(EVE, "9: 1", reply_to=rest)
    assert causes(house) == ["answer"]
    (form,) = whole(house)
    assert form["score"] == 8


def test_an_item_that_asks_for_danger_is_not_asked_for_at_night(house, eve):
    """What is left open of such a form goes out when somebody reads the answer."""
    assert open_form(house, NO_NINTH, hour=21) is None
    (row,) = house.outbox("measure-rest")
    assert row.due_at.astimezone(JAKARTA).hour >= 8
    assert row.expires_at is not None


def test_a_form_sent_again_whole_is_not_added_to(house, eve):
    """The whole form counts; a rest that comes after it changes nothing."""
    form = asked(house)
    house.write(EVE, GAPS, reply_to=form)
    rest = next(one for one in house.sent_to(EVE) if "Not answered yet" in one.text)
    house.write(EVE, WHOLE, reply_to=form)
    house.write(EVE, "3: 3, 7: 3", reply_to=rest)
    assert [one["score"] for one in whole(house)] == [7]


def test_a_form_hardly_begun_is_not_asked_for(house, eve):
    """Four of nine answers are no form with a gap; a person looks."""
    assert open_form(house, "1 0 2 1") is None
    assert house.case(1).waiting_since is not None


def test_what_is_unsure_is_left_to_a_person(house, eve):
    """A doubtful item gives no score, and its reason is kept sealed."""
    house.write(EVE, "1 0 2 1 0 0 1 7 0", reply_to=asked(house))
    (kept,) = answers(house)
    assert kept["score"] is None
    assert kept["doubts"] == {"8": "out of range"}
    assert states(house) == [("unsure", "out of range")]


def test_a_second_answer_mends_what_was_unsure(house, eve):
    """Who left something out may send the whole again."""
    form = asked(house)
    house.write(EVE, "1 0 2 1", reply_to=form)
    house.write(EVE, WHOLE, reply_to=form)
    assert states(house) == [("answered", "")]
    assert answers(house)[0]["score"] == 7


def test_a_second_answer_changes_nothing_but_may_show_danger(house, eve):
    """After an answer there is no other one; a danger in it is raised all the same."""
    form = asked(house)
    house.write(EVE, WHOLE, reply_to=form)
    house.write(EVE, "1 0 2 1 0 0 1 2 3", reply_to=form)
    assert [kept["score"] for kept in answers(house)] == [7]
    assert causes(house) == ["answer"]


def test_a_late_answer_changes_nothing_but_may_show_danger(house, eve):
    """After two weeks an answer belongs to no form; a danger in it is raised all the same."""
    form = asked(house)
    house.clock.on(days=15)
    house.write(EVE, "9: 2", reply_to=form)
    assert answers(house) == []
    assert causes(house) == ["answer"]


def test_an_answer_without_a_reference_counts_when_it_is_whole(house, eve):
    """A letter that refers to nothing answers the only form there is, if it answers all of it."""
    form = asked(house)
    headers = {"In-Reply-To": "", "References": ""}
    house.write(EVE, "I slept badly.", reply_to=form, headers=headers)
    assert states(house) == [("asked", "")]
    house.write(EVE, WHOLE, reply_to=form, headers=headers)
    assert states(house) == [("answered", "")]


def test_a_stranger_answers_nothing(house, eve):
    """Without proof of who wrote it a letter answers no form and raises none of its items."""
    form = asked(house)
    house.write("eve@elsewhere.test", "1 0 2 1 0 0 1 2 3", headers={"In-Reply-To": "<x@y.test>"})
    assert states(house) == [("asked", "")]
    assert form.to_address == EVE


@pytest.mark.parametrize(("hour", "sent"), [(8, 9), (9, 9), (14, 14), (15, 33), (22, 33), (3, 9)])
def test_nothing_with_danger_goes_out_into_hours_nobody_reads(house, eve, hour, sent):
    """PHQ-9 leaves within working hours, with two of them left to answer in, or it waits."""
    local(house, hour)
    send(house)
    left = None
    for _ in range(40):
        ask(house)
        if house.outbox("measure"):
            left = house.clock.now().astimezone(JAKARTA)
            break
        house.clock.on(minutes=60)
    assert left is not None
    start = datetime(2026, 12, 2, tzinfo=JAKARTA)
    assert (left - start) == timedelta(hours=sent)


def test_a_form_that_could_not_leave_in_time_does_not_leave_later(house, eve):
    """When the mail server is away until evening, a form with danger stays here."""
    local(house, 14)
    send(house)
    ask(house)
    (row,) = house.outbox("measure")
    assert row.expires_at == datetime(2026, 12, 2, 15, tzinfo=JAKARTA).astimezone(UTC)


def test_a_form_without_danger_may_go_out_in_the_evening(house, eve):
    """GAD-7 holds no such item, and keeps to quiet hours only."""
    local(house, 18)
    send(house, "gad-7")
    ask(house)
    (row,) = house.outbox("measure")
    assert row.expires_at is None
    assert [one.to_address for one in house.send()] == [EVE]


def test_when_everybody_is_away_it_waits(house, eve):
    """A day on which nobody of the queue is there is no day for such a form."""
    away = (Days(date(2026, 12, 2), date(2026, 12, 3)),)
    config = house.office.config
    people = tuple(one.model_copy(update={"absent": away}) for one in config.people)
    config = config.model_copy(update={"people": people})
    found = hours.reading_time(config, "umum", datetime(2026, 12, 2, 3, tzinfo=UTC), JAKARTA)
    assert found is not None
    assert found[0] == datetime(2026, 12, 4, 9, tzinfo=JAKARTA)


def test_where_nobody_could_read_in_time_it_is_refused(house, eve):
    """A client whose day never meets the centre's is not sent a form with danger."""
    (client,) = house.rows(models.Client)
    house.edit(models.Client, client.id, time_zone="America/New_York")
    with pytest.raises(errors.Refused, match="fall into their night, by the clock of America/New"):
        send(house)
    assert send(house, "gad-7")["number"] == 1


def test_it_comes_again(house, eve):
    """A questionnaire agreed every two weeks is asked every two weeks, once each."""
    local(house, 10)
    send(house, "gad-7", every="2 weeks", at="Mon 09:00")
    due = house.rows(models.Goal)[0].next_due_at
    for _ in range(3):
        house.clock.on(seconds=(due - house.clock.now()).total_seconds())
        ask(house)
        ask(house)
        due += timedelta(days=14)
    assert len(house.outbox("measure")) == 3


def test_once_is_once(house, eve):
    """A form sent once is not asked again, and can be sent anew."""
    form = asked(house)
    house.clock.on(days=30)
    ask(house)
    assert len(house.outbox("measure")) == 1
    assert form.subject
    assert send(house)["number"] == 2


def test_the_same_form_is_not_asked_twice_at_a_time(house, eve):
    """A client who is asked a form regularly is not asked it by a second row."""
    send(house, "gad-7", every="week", at="Mon 09:00")
    with pytest.raises(errors.Conflict, match="already"):
        send(house, "gad-7")


def test_it_rests_while_a_risk_is_open(house, eve):
    """No form goes out while a sign of danger is open, and one on its way is taken back."""
    local(house, 10)
    send(house, "gad-7")
    ask(house)
    house.write(EVE, "I want to kill myself.", reply_to=eve)
    assert [row.sealed for row in house.outbox("measure")] == [None]
    send(house, "gad-7")
    ask(house)
    assert states(house)[-1] == ("skipped", "risk")


def test_a_client_who_stopped_is_not_asked(house, eve):
    """STOP ends forms as it ends check-ins."""
    house.write(EVE, "STOP", reply_to=eve)
    local(house, 10)
    send(house, "gad-7")
    ask(house)
    assert house.outbox("measure") == []
    assert states(house) == [("skipped", "stopped")]


def test_a_client_of_another_language_is_not_sent_a_foreign_text(house):
    """A form that is here in English only is not sent to who writes Indonesian."""
    house.call("sari", "measure.add", text=FORM)
    house.write(ANI, "Halo, saya ingin bercerita tentang minggu ini.")
    with pytest.raises(errors.NotFound, match="no text in the language 'id'"):
        send(house, "own")


@pytest.fixture
def ani(house):
    """Ani writes Indonesian and agreed to ordinary mail."""
    house.write(ANI, "Halo, saya ingin bercerita.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=offer)
    house.reply("wulan", "C-0001", "Halo Ani.")
    house.clock.on(minutes=2)
    house.send()
    return offer


def asked_ani(house, measure):
    local(house, 10)
    send(house, measure)
    ask(house)
    (form,) = house.sent_to(ANI)
    return form


def test_the_own_feedback_is_there_in_indonesian(house, ani):
    """The form of our own speaks the client's language."""
    house.write(ANI, "sebagian besar benar\n" * 4, reply_to=asked_ani(house, "feedback"))
    assert answers(house)[0]["score"] == 12


@pytest.mark.parametrize(
    ("words", "score"),
    [
        (WHOLE, 7),
        ("1: beberapa hari\n2: tidak\n3: lebih dari separuh waktu", None),
        ("beberapa hari, tidak pernah, hampir setiap hari, 0, 0, 0, 0, 0, 0", 4),
    ],
)
def test_the_indonesian_form_is_read(house, ani, words, score):
    """By number or in the words of the form, and thanked for in Indonesian."""
    form = asked_ani(house, "phq-9")
    assert "1. Kurang berminat atau bergairah dalam melakukan apapun" in form.text
    house.write(ANI, words, reply_to=form)
    assert answers(house)[0]["score"] == score


def test_the_ninth_question_in_indonesian_goes_to_the_risk_lane(house, ani):
    """Its answer above zero is raised; its own words in a quote are not."""
    form = asked_ani(house, "phq-9")
    house.write(ANI, f"{WHOLE}\n\n{form.text}", reply_to=form)
    assert causes(house) == []
    house.write(ANI, "1 0 2 1 0 0 1 2 1", reply_to=form)
    assert causes(house) == ["answer"]


FORM = """
name = "own"
title = "Own"
language = "en"
version = "1"
source = "x"
licence = "ours"
question = "How was it?"
items = ["One thing", "Another thing"]
[[option]]
value = 0
words = "bad"
[[option]]
value = 1
words = "good"
[score]
method = "sum"
better = "higher"
missing = 0
missing_source = "x"
"""


def test_a_doubtful_item_is_never_given_the_mean(house, eve):
    """A rule for missing items fills gaps, and never an answer that was not understood."""
    house.call("sari", "measure.add", text=FORM.replace("missing = 0", "missing = 1"))
    form = asked(house, measure="own")
    house.write(EVE, "1 7", reply_to=form)
    assert answers(house)[0]["score"] is None
    house.write(EVE, "1 -", reply_to=form)
    assert answers(house)[0]["score"] == 2


def test_an_admin_adds_a_form_and_it_is_sent(house, eve):
    """An imported questionnaire is listed and sent like one that is included."""
    house.call("sari", "measure.add", text=FORM)
    assert house.call("wulan", "measure.list")["own"] == [FORM]
    house.write(EVE, "1 0", reply_to=asked(house, measure="own"))
    assert answers(house)[0]["score"] == 1


def test_a_form_that_is_gone_is_shown_to_a_person(house, eve):
    """When its file is not there any more, nothing is sent and the case says so."""
    house.call("sari", "measure.add", text=FORM)
    local(house, 10)
    send(house, "own")
    (house.office.config.centre.state_dir / "measures" / "own.en.toml").unlink()
    ask(house)
    assert states(house) == [("skipped", "no-form")]
    assert "no-form" in house.flags(1)


def test_no_score_stands_readable_in_a_row(house, eve):
    """What the store keeps readable of an answer is its state and a code."""
    house.write(EVE, "3 3 3 3 3 3 3 3 0", reply_to=asked(house))
    (row,) = house.rows(models.CheckIn)
    readable = {name: value for name, value in vars(row).items() if name != "answer"}
    assert "24" not in {str(value) for value in readable.values()}
    assert (row.state, row.reason) == ("answered", "")


def test_a_goal_is_described_anew(house, eve):
    """A therapist's process may seal a goal's detail anew: its scale, written before the work."""
    shown, goal_id = house.call("wulan", "case.show", case="C-0001"), new_id()
    sealed = b64encode(sealing.seal_to(sealing.new_pair().public, b"{}", "x")).decode()
    add = {"goal": goal_id, "label": "walk", "detail": sealed, "epoch": shown["epoch"]}
    house.call("wulan", "goal.add", case="C-0001", every="week", at="Mon 09:00", **add)
    fresh = b64encode(sealing.seal_to(sealing.new_pair().public, b"{1}", "x")).decode()
    told = {"name": "G1", "detail": fresh, "epoch": shown["epoch"]}
    house.call("wulan", "goal.describe", case="C-0001", **told)
    (goal,) = house.call("wulan", "case.show", case="C-0001")["goals"]
    assert goal["detail"] == fresh
    with pytest.raises(errors.NotFound):
        house.call("wulan", "goal.describe", case="C-0001", **{**told, "name": "G9"})
    with pytest.raises(errors.Conflict):
        house.call("wulan", "goal.describe", case="C-0001", **{**told, "epoch": 99})
