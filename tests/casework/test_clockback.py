"""A clock that was a year ahead is put back: nothing that is owed soon waits for that year."""

from __future__ import annotations

import pytest

from mailcounsel.service import work
from mailcounsel.store import models

ANI = "ani@klien.test"
DANGER = "Aku mau bunuh diri malam ini."


@pytest.fixture
def ahead(house):
    """A centre whose clock is a year ahead; `put_back()` sets it right, and a minute passes."""
    house.clock.on(days=365)

    def put_back():
        house.clock.on(days=-365, minutes=1)
        work.sweep(house.desk)

    house.put_back = put_back
    return house


def test_a_letter_kept_then_is_placed_now(ahead):
    """It was kept, and its sender had the 250."""
    ahead.keep(ahead.mail(ANI, DANGER))
    ahead.put_back()
    assert ahead.place() == 1
    assert ahead.case(1).state == "open"


def test_a_danger_raised_then_climbs_the_ladder_now(ahead):
    """Somebody is told of it every half hour, until it is read; the first note leaves as well."""
    ahead.write(ANI, DANGER)
    assert ahead.call("wulan", "case.next")["case"] == "C-0001"
    ahead.put_back()
    assert "crisis" in [row.kind for row in ahead.outbox() if row.due_at <= ahead.clock.now()]
    for _ in range(3):
        work.run_errands(ahead.desk)
        ahead.clock.on(minutes=31)
    (risk,) = ahead.rows(models.Risk)
    assert risk.step == 3


def test_a_reply_approved_then_leaves_now(ahead):
    """So does one that was to be tried again."""
    ahead.write(ANI, "Halo.")
    assert ahead.call("wulan", "case.next")["case"] == "C-0001"
    ahead.reply("wulan", "C-0001", "Jawaban.", plain="setuju lewat telepon")
    ahead.reply("wulan", "C-0001", "Satu lagi.", plain="setuju lewat telepon")
    first, _ = ahead.outbox("reply")
    ahead.edit(models.Outgoing, first.id, state="ready", attempts=2)
    ahead.put_back()
    assert [row.kind for row in ahead.outbox() if row.due_at > ahead.clock.now()] == []
    sent = " ".join(parcel.text for parcel in ahead.sent_to(ANI))
    assert "Jawaban." in sent
    assert "Satu lagi." in sent


def test_what_waits_for_a_right_moment_goes_on_waiting(house):
    """Without such a clock nothing leaves early: neither a held reply nor the next step."""
    house.write(ANI, DANGER)
    assert house.call("wulan", "case.next")["case"] == "C-0001"
    house.reply("wulan", "C-0001", "Jawaban.", plain="setuju lewat telepon")
    due = [row.due_at for row in (*house.outbox(), *house.rows(models.Errand))]
    work.sweep(house.desk)
    assert [row.due_at for row in (*house.outbox(), *house.rows(models.Errand))] == due


def test_who_waits_for_an_answer_since_then_waits_from_now_on(ahead):
    """They would stand last in the queue, with a promise of next year."""
    ahead.write(ANI, "Halo.")
    promised = ahead.case(1).promised_at
    ahead.put_back()
    case, now = ahead.case(1), ahead.clock.now()
    assert case.waiting_since == now
    assert now < case.promised_at < promised
    assert (case.promised_at - now).days < 10
    work.sweep(ahead.desk)
    assert ahead.case(1).promised_at == case.promised_at


def test_a_promise_that_was_moved_then_is_made_anew(ahead):
    """The letter came while the clock was right; it waits since that day."""
    ahead.put_back()
    ahead.write(ANI, "Halo.")
    began = ahead.case(1).waiting_since
    ahead.clock.on(days=365)
    work.keep_promises(ahead.desk)
    ahead.put_back()
    case = ahead.case(1)
    assert case.waiting_since == began
    assert (case.promised_at - ahead.clock.now()).days < 10
