"""What raises a case again without a word of danger: silence, a goal's text, a bounce."""

from __future__ import annotations

from base64 import b64encode

from mailcounsel.casework import duties, errands
from mailcounsel.store import models

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."


def later(house, hours):
    house.clock.on(hours=hours)
    now = house.clock.now()
    house.store.write(lambda c: errands.run_due(c, house.office, duties.DUTIES, now))


def in_danger(house):
    """Let a client write of danger, and a therapist read it. Return the mail they can answer."""
    house.write(ANI, DANGER)
    offer, *_ = house.sent_to(ANI)
    entries = house.read("wulan", "C-0001")
    house.call("wulan", "case.read", case="C-0001", letters=[one["id"] for one in entries])
    return offer


def causes(house):
    return sorted(risk.cause for risk in house.rows(models.Risk))


def close(house):
    standing = house.call("wulan", "case.show", case="C-0001")["risks"]
    given = {risk["id"]: b64encode(b"sealed").decode() for risk in standing}
    house.call("wulan", "risk.close", case="C-0001", sentences=given)


def test_silence_after_an_answered_danger_raises_again(house):
    """Two days without a word: a person decides what to do, and has to read that it is so."""
    in_danger(house)
    house.reply("wulan", "C-0001", "Saya di sini.", plain="darurat")
    later(house, 47)
    assert causes(house) == ["words"]
    later(house, 1)
    assert causes(house) == ["silence", "words"]
    assert "silent-after-danger" in house.flags(1)
    assert house.case(1).priority == 3
    unread = [risk for risk in house.rows(models.Risk) if risk.read_at is None]
    assert [risk.cause for risk in unread] == ["silence"]
    entries = house.read("wulan", "C-0001")
    house.call("wulan", "case.read", case="C-0001", letters=[one["id"] for one in entries])
    assert all(risk.read_by == "wulan" for risk in house.rows(models.Risk))


def test_what_may_be_a_machines_answer_ends_no_silence(house):
    """It waits for a person, and the clock goes on: a program answers for whoever is gone, too."""
    offer = in_danger(house)
    house.reply("wulan", "C-0001", "Saya di sini.", plain="darurat")
    house.write(ANI, "Surat Anda sudah masuk.", reply_to=offer, mail_from="")
    assert house.case(1).waiting_since is not None
    later(house, 49)
    assert causes(house) == ["silence", "words"]


def test_a_client_who_writes_is_not_silent(house):
    """Any letter with their proof stops the clock."""
    offer = in_danger(house)
    house.reply("wulan", "C-0001", "Saya di sini.", plain="darurat")
    house.write(ANI, "Terima kasih, saya sudah di rumah kakak.", reply_to=offer)
    later(house, 100)
    assert causes(house) == ["words"]


def test_a_letter_that_proves_nothing_does_not_end_the_silence(house):
    """Somebody else may be writing."""
    in_danger(house)
    house.reply("wulan", "C-0001", "Saya di sini.", plain="darurat")
    house.write(ANI, "Ia baik-baik saja.")
    later(house, 48)
    assert "silence" in causes(house)


def test_a_danger_that_a_person_closed_waits_for_nobody(house):
    """They know more than the clock."""
    in_danger(house)
    house.reply("wulan", "C-0001", "Saya di sini.", plain="darurat")
    close(house)
    later(house, 100)
    assert causes(house) == ["words"]


def test_a_reply_without_danger_starts_no_clock(house):
    """Clients may take their time."""
    house.write(ANI, "Halo, saya ingin bercerita.")
    house.reply("wulan", "C-0001", "Silakan.", plain="darurat")
    later(house, 100)
    assert causes(house) == []


def test_a_goal_that_shows_danger_raises_the_case(house):
    """Its text is a client's, too; whoever wrote it down has read it, and nobody is woken."""
    house.write(ANI, "Halo, saya ingin bercerita.")
    epoch = house.call("wulan", "case.show", case="C-0001")["epoch"]
    goal = {"case": "C-0001", "detail": b64encode(b"x").decode(), "epoch": epoch}
    rhythm = {"every": "week", "at": "Mon 09:00"}
    calm = house.call("wulan", "goal.add", goal="a" * 24, label="jalan pagi", **goal, **rhythm)
    words = "tidak bunuh diri sebelum lulus"
    raised = house.call("wulan", "goal.add", goal="b" * 24, label=words, **goal, **rhythm)
    assert (calm["danger"], raised["danger"]) == (False, True)
    (risk,) = house.rows(models.Risk)
    assert (risk.cause, risk.read_by, risk.closed_at) == ("goal", "wulan", None)
    assert house.case(1).priority == 3


def test_a_bounced_answer_in_danger_alarms(house):
    """The client got nothing: everybody hears of it, and the ladder begins again."""
    in_danger(house)
    house.reply("wulan", "C-0001", "Saya di sini.", plain="darurat")
    house.clock.on(minutes=2)
    (reply,) = house.sent_to(ANI)
    house.receive(house.bounce(reply.message_id), mail_from="")
    (raised,) = [risk for risk in house.rows(models.Risk) if risk.cause == "bounced"]
    assert raised.read_at is None
    assert house.case(1).priority == 3
    waiting = [row for row in house.rows(models.Errand) if row.ref == raised.id]
    assert [(row.kind, row.state) for row in waiting] == [("risk-step", "waiting")]


def test_a_bounced_answer_without_danger_raises_no_risk(house):
    """It is loud, and no more than that."""
    house.write(ANI, "Halo, saya ingin bercerita.")
    house.send()
    house.reply("wulan", "C-0001", "Silakan.", plain="darurat")
    house.clock.on(minutes=2)
    (reply,) = house.sent_to(ANI)
    house.receive(house.bounce(reply.message_id), mail_from="")
    assert causes(house) == []
