"""A therapist's reply: only what an entitled person signed leaves, once, to whom it was meant."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from mailcounsel import errors
from mailcounsel.casework import consent, letters
from mailcounsel.cli import output
from mailcounsel.crypto.sealing import ReaderKey
from mailcounsel.store import models
from mailcounsel.store.columns import database_now
from mailcounsel.trust import pins

ANI = "ani@klien.test"


@pytest.fixture
def ready(house):
    """Ani has written and agreed to ordinary mail."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=offer)
    house.send()
    return offer


def begun(house, person="wulan", **changes):
    ticket = house.call(person, "reply.begin", case="C-0001")
    return {**ticket, "subject": "Surat untuk Anda", "text": "Halo Ani.", **changes}


def approve(house, said, person="wulan", key=None):
    statement = said if isinstance(said, str) else json.dumps(said)
    signature = (key or house.keys[person]).sign(statement.encode())
    given = {"statement": statement, "signature": b64encode(signature).decode()}
    return house.call(person, "reply.approve", **given)


# -- what is refused -----------------------------------------------------------------------------


def test_a_reply_that_leaves_names_those_that_still_wait(house):
    """Whoever writes in clear in an emergency hears of the letter that would come after it."""
    house.write(ANI, "Halo.")
    waiting = house.reply("wulan", "C-0001", "Terima kasih sudah menulis.")
    assert (waiting["state"], waiting["waiting"]) == ("waiting", [])
    leaves = house.reply("wulan", "C-0001", "Anda aman?", plain="bahaya")
    assert (leaves["state"], leaves["waiting"]) == ("held", [waiting["id"]])


def test_a_statement_signed_by_nobody_we_know_is_refused(house, ready):
    """Only the enrolled reader key of the caller counts."""
    with pytest.raises(errors.Refused, match="signature"):
        approve(house, begun(house), key=ReaderKey.new())
    assert house.outbox("reply") == []


def test_words_changed_after_signing_are_refused(house, ready):
    """The signature is over the very words."""
    said = begun(house)
    signature = house.keys["wulan"].sign(json.dumps(said).encode())
    altered = json.dumps({**said, "text": "Kirim uang."})
    given = {"statement": altered, "signature": b64encode(signature).decode()}
    with pytest.raises(errors.Refused, match="signature"):
        house.call("wulan", "reply.approve", **given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recipient", "f" * 24),
        ("case", "f" * 24),
        ("channel", "encrypted"),
        ("fingerprint", "A" * 40),
        ("author", "bayu"),
        ("expires", 4102444800),
        ("version", 3),
        ("newest", "f" * 24),
        ("draft", "e" * 24),
    ],
)
def test_an_altered_ticket_is_refused(house, ready, name, value):
    """To whom, by which way, until when: the centre's MAC is over each of them."""
    said = begun(house)
    said["ticket"][name] = value
    with pytest.raises(errors.Refused, match="begun"):
        approve(house, said)
    assert house.outbox("reply") == []


@pytest.mark.parametrize(
    "statement",
    ["", "x", "[]", "null", '{"text": ""}', '{"text": "a", "subject": 5}', '{"text": "a"}'],
)
def test_a_statement_that_says_nothing_is_refused(house, ready, statement):
    """Garbage that is well signed is garbage still, and is no fault of the service."""
    with pytest.raises(errors.Refused):
        approve(house, statement)


@pytest.mark.parametrize("left_out", ["ticket", "mac"])
def test_a_statement_without_ticket_is_refused(house, ready, left_out):
    """Nothing is guessed that was not said."""
    said = begun(house)
    del said[left_out]
    with pytest.raises(errors.Refused, match="begun"):
        approve(house, said)


def test_anothers_ticket_is_refused(house, ready):
    """Sari may write in this case, but not with Wulan's ticket."""
    with pytest.raises(errors.Refused, match="somebody else"):
        approve(house, begun(house), person="sari")


def test_a_ticket_is_good_for_a_day(house, ready):
    """After that the case may look different: begin again."""
    said = begun(house)
    house.clock.on(hours=24, seconds=1)
    with pytest.raises(errors.Conflict, match="day ago"):
        approve(house, said)


def test_a_reply_is_taken_once(house, ready):
    """The same approval again, after a line broke, doubles nothing."""
    said = begun(house)
    approve(house, said)
    with pytest.raises(errors.Conflict, match="already"):
        approve(house, said)
    assert len(house.outbox("reply")) == 1


def test_two_who_answer_at_once_hear_of_each_other(house, ready):
    """The second is told, once; what they write after that leaves."""
    said = begun(house)
    house.reply("sari", "C-0001", "Halo dari Sari.")
    with pytest.raises(errors.Conflict, match="sari answered C-0001 while you wrote"):
        approve(house, said)
    assert len(house.outbox("reply")) == 1
    approve(house, begun(house))
    assert len(house.outbox("reply")) == 2


def test_ones_own_reply_and_one_taken_back_stop_nothing(house, ready):
    """Two letters in a row are one's own matter, and what was undone answers nobody."""
    said = begun(house)
    house.reply("wulan", "C-0001", "Satu hal dulu.")
    taken = house.reply("sari", "C-0001", "Halo dari Sari.")
    house.call("sari", "reply.undo", id=taken["id"])
    approve(house, said)
    assert [row.state for row in house.outbox("reply")] == ["held", "undone", "held"]


def test_a_key_that_was_proved_while_writing_stops_the_reply(house, ready):
    """What was meant for ordinary mail does not leave once there is a key, nor silently change."""
    said = begun(house)
    client_id, keyring, now = house.case(1).client_id, house.office.keyring, house.clock.now()
    fingerprint = "A" * 40
    house.store.write(
        lambda c: pins.meet(
            c, keyring, client_id, fingerprint, b"x", proved=True, vouched=True, now=now
        )
    )
    with pytest.raises(errors.Conflict, match="way"):
        approve(house, said)
    assert house.outbox("reply") == []


def test_consent_taken_back_while_writing_stops_the_reply(house, ready):
    """The way is looked at again when the reply is approved."""
    said = begun(house)
    client_id, keyring, now = house.case(1).client_id, house.office.keyring, house.clock.now()
    house.store.write(lambda c: consent.withdraw(c, keyring, client_id, now))
    with pytest.raises(errors.Conflict):
        approve(house, said)


def test_who_lost_the_case_while_writing_is_refused(house, ready):
    """Bayu began; Wulan took the case; Bayu's reply does not leave."""
    said = begun(house, "bayu")
    house.call("wulan", "case.next")
    with pytest.raises(errors.NotFound):
        approve(house, said, person="bayu")


def test_who_may_not_read_may_not_begin(house, ready):
    """A taken case is its therapist's and the supervisor's."""
    house.call("wulan", "case.next")
    with pytest.raises(errors.NotFound, match="not among"):
        house.call("bayu", "reply.begin", case="C-0001")


@pytest.mark.parametrize("plain", ["", "Ani memintanya"])
def test_a_reply_that_would_not_fit_is_refused_at_once(house, plain):
    """20 kB on the wire is said when it is approved, not a minute later."""
    house.write(ANI, "Halo.")
    with pytest.raises(errors.OverBudget, match="20 kB"):
        approve(house, begun(house, text="kata " * 4000, plain=plain))
    assert house.outbox("reply") == []
    assert approve(house, begun(house, text="kata " * 1500, plain=plain))["state"]


# -- undo ----------------------------------------------------------------------------------------


def test_undo_in_time_takes_the_reply_back(house, ready):
    """Nothing leaves, the words are gone from the outbox, and the case waits again."""
    waited = house.case(1).waiting_since
    approve(house, begun(house))
    assert house.case(1).waiting_since is None
    answer = house.call("wulan", "reply.undo")
    assert answer["case"] == "C-0001"
    house.clock.on(hours=1)
    assert house.send() == []
    (row,) = house.outbox("reply")
    assert (row.state, row.sealed) == ("undone", None)
    case = house.case(1)
    assert (case.waiting_since, case.promised_at is not None) == (waited, True)
    assert [e["kind"] for e in house.read("wulan", "C-0001")][-1] == "reply-undone"


def test_undo_twice_is_refused(house, ready):
    """The second time there is nothing to take back."""
    approve(house, begun(house))
    house.call("wulan", "reply.undo")
    with pytest.raises(errors.Conflict, match="any more: it was taken back before"):
        house.call("wulan", "reply.undo")


def test_undo_too_late_is_refused(house, ready):
    """What has left has left."""
    approve(house, begun(house))
    house.clock.on(minutes=2)
    assert len(house.send()) == 1
    with pytest.raises(errors.Conflict, match="any more: it has left"):
        house.call("wulan", "reply.undo")


def test_undo_loses_against_a_sender_that_holds_the_letter(house, ready):
    """Claimed and not yet handed over: the sender goes first."""
    approve(house, begun(house))
    now = house.clock.on(minutes=2)
    house.store.write(lambda c: letters.due(c, now, 1))
    with pytest.raises(errors.Conflict, match="any more: it is leaving now"):
        house.call("wulan", "reply.undo")


def test_undo_takes_a_letter_from_a_sender_that_died(house, ready):
    """A lease that ran out holds nothing; should the sender wake up, it can send no more."""
    approve(house, begun(house))
    now = house.clock.on(minutes=2)
    (row,) = house.store.write(lambda c: letters.due(c, now, 1))
    house.edit(models.Outgoing, row["id"], lease_until=database_now() - 1)
    house.call("wulan", "reply.undo")
    assert not house.store.write(lambda c: letters.handing_over(c, row["id"], row["fence"]))


def test_nobody_undoes_anothers_reply(house, ready):
    """Authorship is the author's."""
    approved = approve(house, begun(house))
    with pytest.raises(errors.NotFound):
        house.call("sari", "reply.undo", id=approved["id"])
    with pytest.raises(errors.NotFound):
        house.call("wulan", "reply.undo", id="%")


def test_undoing_the_second_of_two_replies_leaves_the_first(house, ready):
    """The case was answered by the first: it does not wait again."""
    approve(house, begun(house))
    house.clock.on(minutes=2)
    house.send()
    approve(house, begun(house))
    house.call("wulan", "reply.undo")
    assert house.case(1).waiting_since is None


def test_a_reply_that_waited_for_a_way_can_be_taken_back(house):
    """Waiting is not leaving."""
    house.write(ANI, "Halo.")
    approve(house, begun(house))
    house.call("wulan", "reply.undo")
    assert house.flags(1) == []
    assert house.outbox("reply")[0].state == "undone"


def test_two_replies_that_wait_are_one_flag_to_look_at(house):
    """What has to be decided is the same, however many letters wait for it."""
    house.write(ANI, "Halo.")
    for words in ("Terima kasih.", "Satu hal lagi."):
        house.reply("wulan", "C-0001", words)
    (case,) = house.call("wulan", "queue.list")["cases"]
    assert case["flags"] == ["waiting"]


# -- trying again ---------------------------------------------------------------------------------


def test_tries_are_counted_and_a_person_resets_them(house, ready):
    """Each failed try counts once; `resend` begins anew with the same Message-ID."""
    approve(house, begun(house))
    now = house.clock.on(minutes=2)
    (row,) = house.store.write(lambda c: letters.due(c, now, 1))
    fence = row["fence"]
    house.store.write(lambda c: letters.handing_over(c, row["id"], fence))
    house.store.write(lambda c: letters.postpone(c, row["id"], fence, now, "busy"))
    assert house.outbox("reply")[0].attempts == 1
    (row,) = house.store.write(lambda c: letters.due(c, now, 1))
    house.store.write(lambda c: letters.failed(c, row["id"], row["fence"], now, "refused"))
    house.call("wulan", "outbox.resend", id=row["id"])
    again = house.outbox("reply")[0]
    assert (again.state, again.attempts) == ("ready", 0)


@pytest.mark.parametrize("state", ["undone", "bounced", "uncertain", "sent"])
def test_a_letter_settled_meanwhile_is_not_handed_over(house, ready, state):
    """Between the claim and DATA the state is asked again."""
    approve(house, begun(house))
    now = house.clock.on(minutes=2)
    (row,) = house.store.write(lambda c: letters.due(c, now, 1))
    house.edit(models.Outgoing, row["id"], state=state)
    assert not house.store.write(lambda c: letters.handing_over(c, row["id"], row["fence"]))


def test_replies_of_one_moment_are_told_apart_by_the_name_shown(house):
    """Ids begin with the time, so people are shown their end; that names one reply."""
    for sender in ("ani@klien.test", "budi@klien.test"):
        house.write(sender, "Halo.")
    first, second = (house.reply("sari", case, "Halo.")["id"] for case in ("C-0001", "C-0002"))
    assert output.short(first) != output.short(second)
    assert house.call("sari", "reply.undo", id=output.short(first))["id"] == first
    states = {row.id: row.state for row in house.outbox("reply")}
    assert (states[first], states[second] == "undone") == ("undone", False)


def test_undo_brings_back_how_the_case_stood(house):
    """Its priority, and the day that was promised."""
    house.write("ani@klien.test", "BANTUAN")
    before = house.case(1)
    assert before.priority == 2
    house.reply("wulan", "C-0001", "Halo Ani.")
    assert house.case(1).priority == 1
    house.clock.on(minutes=1)
    house.call("wulan", "reply.undo")
    after = house.case(1)
    names = ("priority", "promised_at", "promised_since", "waiting_since")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]


def test_undo_takes_back_one_reply_after_another(house):
    """The latest that has not left, until none is there."""
    house.write("ani@klien.test", "Halo.")
    ids = [house.reply("wulan", "C-0001", text)["id"] for text in ("Satu.", "Dua.")]
    undone = [house.call("wulan", "reply.undo")["id"] for _ in ids]
    assert undone == ids[::-1]
    with pytest.raises(errors.Conflict):
        house.call("wulan", "reply.undo")


def test_a_case_of_which_both_replies_are_taken_back_waits_as_before(house):
    """In whichever order; and where the later one goes first, no promise counts as kept."""
    for order in (slice(None, None, -1), slice(None)):
        sender = f"k{order.step}@klien.test"
        house.write(sender, "Halo.")
        number = len(house.rows(models.Case))
        before = house.case(number)
        ids = []
        for words in ("Satu.", "Dua."):
            house.clock.on(seconds=1)
            ids.append(house.reply("wulan", f"C-{number:04d}", words)["id"])
        first, second = ids[order]
        house.call("wulan", "reply.undo", id=first)
        house.call("wulan", "reply.undo", id=second)
        after = house.case(number)
        assert (after.waiting_since, after.priority) == (before.waiting_since, before.priority)
    later_first, _ = house.rows(models.Promise)
    assert later_first.answered_at is None


def test_the_older_of_two_taken_back_changes_nothing(house):
    """The case is answered by the later one, and presses no more for it."""
    house.write("ani@klien.test", "BANTUAN")
    older = house.reply("wulan", "C-0001", "Satu.")["id"]
    house.clock.on(seconds=1)
    house.reply("wulan", "C-0001", "Dua.")
    house.call("wulan", "reply.undo", id=older)
    case = house.case(1)
    assert (case.waiting_since, case.priority) == (None, 1)


def test_a_note_that_never_came_is_no_reason_for_silence(house):
    """The client of a second waiting reply was told nothing yet, and is told now."""
    house.write("ani@klien.test", "Halo.")
    house.reply("wulan", "C-0001", "Satu.")
    (notice,) = house.outbox("notice")
    house.edit(models.Outgoing, notice.id, state="bounced")
    house.reply("wulan", "C-0001", "Dua.")
    assert len(house.outbox("notice")) == 2


def test_replies_that_wait_are_announced_once_a_day(house):
    """A second note in the same hour would say the same."""
    house.write("ani@klien.test", "Halo.")
    for text in ("Satu.", "Dua.", "Tiga."):
        house.reply("wulan", "C-0001", text)
    assert len(house.outbox("notice")) == 1
    house.clock.on(days=1, minutes=1)
    house.reply("wulan", "C-0001", "Empat.")
    assert len(house.outbox("notice")) == 2


def test_undo_lets_a_case_wait_again_that_waited_for_a_bounce(house):
    """No letter of theirs is unanswered, and yet they never got the answer."""
    house.write("ani@klien.test", "Halo.")
    (offer,) = house.sent_to("ani@klien.test")
    house.write("ani@klien.test", "SETUJU", reply_to=offer)
    house.reply("wulan", "C-0001", "Halo Ani.")
    house.clock.on(minutes=5)
    sent = house.sent_to("ani@klien.test")[-1]
    house.receive(house.bounce(sent.message_id), mail_from="")
    waits = house.case(1).waiting_since
    assert waits is not None
    house.reply("wulan", "C-0001", "Sekali lagi.")
    assert house.case(1).waiting_since is None
    house.call("wulan", "reply.undo")
    assert house.case(1).waiting_since == waits


def test_a_reply_in_a_case_nobody_has_says_so(house):
    """Writing takes no case from the colleagues; who it would be given to is named."""
    house.write(ANI, "Halo.")
    assert house.reply("wulan", "C-0001", "Halo.", plain="diminta")["unassigned"] == "wulan"
    assert house.case(1).assignee is None
    house.write(ANI, "Halo lagi.", reply_to=house.outbox("acknowledgement")[0].parcel)
    house.call("wulan", "case.next")
    assert house.reply("wulan", "C-0001", "Halo lagi.", plain="diminta")["unassigned"] == ""


def test_a_second_reply_that_waits_says_that_no_note_goes(house):
    """One note goes for both within a day."""
    house.write(ANI, "Halo.")
    assert house.reply("wulan", "C-0001", "Halo.")["noticed"] is True
    assert house.reply("wulan", "C-0001", "Halo lagi.")["noticed"] is False
    assert len(house.outbox("notice")) == 1
