"""Rounds of letters: counted when they leave, shown when one is full, begun again."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta

import pytest

from mailcounsel import errors
from mailcounsel.casework import rounds
from mailcounsel.crypto import sealing
from mailcounsel.service import work
from mailcounsel.store import models
from mailcounsel.store.columns import new_id

AGREED = {"rhythm": "every week", "exchanges": 2, "text": "on Mondays"}


@pytest.fixture
def ani(house):
    """A client whose case wulan has, who agreed to ordinary mail."""
    house.write("ani@klien.test", "Halo, saya ingin bicara.")
    (first,) = house.sent_to("ani@klien.test")
    house.write("ani@klien.test", "SETUJU", reply_to=first)
    house.send()
    assert house.call("wulan", "case.next")["case"] == "C-0001"
    return "ani@klien.test"


def sealed_note(house, content, case="C-0001", person="wulan"):
    """Return the parameters of a note, sealed as a therapist's own process seals it."""
    shown = house.call(person, "case.show", case=case)
    (copy,) = [one for one in shown["keys"] if one["epoch"] == shown["epoch"]
               and one["case"] == shown["id"] and one["purpose"] == "content"]  # fmt: skip
    from base64 import b64decode

    place = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
    key = sealing.open_with(house.keys[person].private, b64decode(copy["sealed"]), place)
    letter_id = new_id()
    words = json.dumps({"format": 1, **content}).encode()
    sealed = sealing.seal_to(sealing.Pair.of(key).public, words, f"letter/{letter_id}/content")
    note = {"letter": letter_id, "epoch": shown["epoch"], "content": b64encode(sealed).decode()}
    return {"case": case, **note}


def agree(house, exchanges=2, **more):
    note = sealed_note(house, {**AGREED, "exchanges": exchanges})
    house.call("wulan", "case.agree", **note, exchanges=exchanges, **more)


def reply(house, text="Halo lagi."):
    """Write a reply, have it leave, and return it as the client got it."""
    house.reply("wulan", "C-0001", text)
    house.clock.on(minutes=5)
    return next(parcel for parcel in house.send() if parcel.text == text)


def test_a_reply_counts_when_it_has_left_and_not_before(house, ani):
    """A reply that is held, or taken back, is no exchange."""
    agree(house)
    house.reply("wulan", "C-0001", "Halo.")
    assert house.case(1).exchanges == 0
    house.call("wulan", "reply.undo")
    house.clock.on(minutes=5)
    house.send()
    assert house.case(1).exchanges == 0
    reply(house)
    assert house.case(1).exchanges == 1


def test_only_replies_count(house, ani):
    """An acknowledgement or a thank-you is no exchange."""
    assert house.outbox("acknowledgement")[0].state == "sent"
    assert house.case(1).exchanges == 0


def test_what_answers_nothing_counts_for_no_round(house, ani):
    """A meeting is proposed and cancelled: the client's own letters are what a round is about."""
    agree(house)
    for number, act in enumerate(("propose", "cancel")):
        begun = house.call("wulan", "reply.begin", case="C-0001", template="appointment")
        starts_at = house.clock.now() + timedelta(days=3)
        meeting = {"act": act, "number": number, "sequence": number, "room": ""}
        meeting |= {"starts_at": starts_at.isoformat()}
        meeting |= {"ends_at": (starts_at + timedelta(minutes=45)).isoformat()}
        said = {**begun, "subject": "Surat", "text": "Kamis?", "plain": "", "appointment": meeting}
        statement = json.dumps(said)
        signature = b64encode(house.keys["wulan"].sign(statement.encode())).decode()
        house.call("wulan", "appointment.send", statement=statement, signature=signature)
        house.clock.on(minutes=5)
        house.send()
    assert house.case(1).exchanges == 0
    reply(house)
    assert house.case(1).exchanges == 1


def test_a_full_round_puts_the_case_before_its_therapist(house, ani):
    """After as many replies as were agreed the case stands in the queue, with the reason."""
    agree(house)
    reply(house)
    assert rounds.DUE not in house.flags(1)
    reply(house)
    assert house.flags(1).count(rounds.DUE) == 1
    (shown,) = house.call("wulan", "queue.list")["cases"]
    assert shown["waiting_since"] is None
    assert rounds.DUE in shown["flags"]


def test_nothing_is_due_where_nothing_was_agreed(house, ani):
    """Without a contract no round ends."""
    for _ in range(3):
        reply(house)
    assert rounds.DUE not in house.flags(1)
    assert house.case(1).exchanges == 3


def test_an_evaluation_begins_the_next_round(house, ani):
    """Once evaluated the case leaves the queue, and counting begins anew."""
    agree(house)
    reply(house)
    reply(house)
    note = sealed_note(house, {"text": "We looked back."})
    house.call("wulan", "note.add", **note, kind="evaluation")
    assert house.case(1).exchanges == 0
    assert rounds.DUE not in house.flags(1)
    reply(house)
    assert rounds.DUE not in house.flags(1)


def test_an_ordinary_note_begins_no_round(house, ani):
    """Only an evaluation does."""
    agree(house)
    reply(house)
    house.call("wulan", "note.add", **sealed_note(house, {"text": "a note"}))
    assert house.case(1).exchanges == 1


@pytest.mark.parametrize("exchanges", [0, -1, 51])
def test_a_contract_needs_a_sensible_number(house, ani, exchanges):
    """What cannot be meant is refused, and nothing is kept of it."""
    before = house.case(1).letters
    with pytest.raises(errors.Refused, match="1 to 50"):
        agree(house, exchanges)
    assert house.case(1).letters == before
    assert house.case(1).evaluate_every == 0


def test_the_contract_is_kept_and_only_readers_can_open_it(house, ani):
    """What was agreed is an entry of the case like a note."""
    agree(house)
    (entry,) = [one for one in house.read("wulan", "C-0001") if one["kind"] == "contract"]
    assert entry["rhythm"] == "every week"
    assert entry["direction"] == "note"
    assert house.case(1).evaluate_every == 2


def test_a_reply_of_a_linked_case_counts_for_the_case_it_is_in(house, ani):
    """What left before two cases became one counts in the one that goes on."""
    agree(house)
    house.reply("wulan", "C-0001", "Halo.")
    house.write("ani.lain@klien.test", "Ini saya juga.")
    house.call("wulan", "case.next")
    house.reply("wulan", "C-0002", "Halo lagi.", plain="diminta")
    for person in ("wulan", "sari"):
        house.call(person, "case.link", case="C-0001", into="C-0002")
    house.clock.on(minutes=5)
    house.send()
    assert (house.case(1).exchanges, house.case(2).exchanges) == (0, 2)


def test_the_activities_of_a_reply_are_kept_in_its_entry(house, ani):
    """What a reply was for stands in the case, sealed; what is no activity is left out."""
    begun = house.call("wulan", "reply.begin", case="C-0001")
    said = {**begun, "subject": "Surat", "text": "Halo.", "activities": ["goals", "gossip", 7]}
    statement = json.dumps(said)
    signature = b64encode(house.keys["wulan"].sign(statement.encode())).decode()
    house.call("wulan", "reply.approve", statement=statement, signature=signature)
    (entry,) = [one for one in house.read("wulan", "C-0001") if one["kind"] == "reply"]
    assert entry["activities"] == ["goals"]


# -- the rhythm -----------------------------------------------------------------------------------


def waits_for(house, words="Halo lagi, ini kabar saya."):
    """Let the client answer a reply; return for how long one to that is promised."""
    house.write("ani@klien.test", words, reply_to=reply(house))
    return house.case(1).promised_at - house.clock.now()


def test_a_letter_is_promised_in_the_agreed_rhythm(house, ani):
    """Sixteen hours until there is a contract, then a week, and nobody hears of it meanwhile."""
    assert waits_for(house) < timedelta(days=4)
    agree(house, days=7)
    assert timedelta(days=6, hours=20) < waits_for(house) < timedelta(days=9)
    house.clock.on(days=3)
    work.keep_promises(house.desk)
    assert [row for row in house.rows(models.Promise) if row.answered_at is None] == []
    assert house.outbox("later") == []


def test_what_presses_is_not_put_off_by_a_rhythm(house, ani):
    """A sign of danger is answered as soon as it ever was."""
    agree(house, days=14)
    assert waits_for(house, "Saya ingin mati saja.") < timedelta(days=3)


def test_the_day_a_client_is_told_is_the_one_that_is_promised(house, ani):
    """PROGRESS is seen to in the rhythm as well, and its letter says the same day."""
    agree(house, days=7)
    waits_for(house, "KEMAJUAN")
    (told,) = [one.text for one in house.sent_to(ani) if "perjalanan sejauh ini" in one.text]
    assert house.case(1).promised_at.day == 30  # a Monday, since a week later is a Sunday
    assert "paling lambat Senin, 30 November 2026" in told


@pytest.mark.parametrize("word", ["BANTUAN", "GANTI"])
def test_a_word_that_presses_is_not_put_off_by_a_rhythm(house, ani, word):
    """Who asks for help, or for another counsellor, is promised what they always were."""
    agree(house, days=14)
    assert waits_for(house, word) < timedelta(days=3)
    told = [one.text for one in house.sent_to(ani) if "24 November 2026" in one.text]
    assert len(told) == 1


def test_a_new_contract_without_a_number_of_days_promises_as_the_queue_does(house, ani):
    """The last contract counts, and one that names no days names no promise."""
    agree(house, days=14)
    agree(house)
    assert waits_for(house) < timedelta(days=4)


@pytest.mark.parametrize("days", [-1, 63])
def test_what_is_no_rhythm_is_refused(house, ani, days):
    """Nothing is kept of it."""
    with pytest.raises(errors.Refused, match="rhythm"):
        agree(house, days=days)
    assert house.case(1).rhythm_days == 0
