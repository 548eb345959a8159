"""One letter's whole way, step by step, on both databases."""

from __future__ import annotations

from mailcounsel.store import models


def test_a_letter_becomes_a_case_that_a_therapist_reads(house):
    """A stranger's letter is a new case in the queue, readable with the therapist's key."""
    row = house.write("ani@klien.test", "Halo, saya susah tidur sejak pindah rumah.")
    assert row.state == "case"
    listed = house.call("wulan", "queue.list")["cases"]
    assert [case["case"] for case in listed] == ["C-0001"]
    assert "susah tidur" in house.read("wulan", "C-0001")[0]["text"]


def test_the_acknowledgement_offers_ordinary_mail(house):
    """The first answer is content-free, carries the token, and offers one word."""
    house.write("ani@klien.test", "Halo, saya susah tidur sejak pindah rumah.")
    (sent,) = house.outbox("acknowledgement")
    assert sent.parcel.to_address == "ani@klien.test"
    assert "SETUJU" in sent.parcel.text
    assert "tidur" not in sent.parcel.text


def test_the_word_lets_the_waiting_reply_go(house):
    """A reply waits while there is no way; the client's one word sends it on, unrewritten."""
    house.write("ani@klien.test", "Halo, saya susah tidur sejak pindah rumah.")
    assert house.reply("wulan", "C-0001", "Coba bernapas pelan.")["state"] == "waiting"
    assert len(house.outbox("notice")) == 1
    offer = house.outbox("acknowledgement")[0].parcel
    house.write("ani@klien.test", "SETUJU", reply_to=offer)
    (reply,) = house.outbox("reply")
    assert (reply.state, reply.parcel.channel) == ("ready", "plain")
    assert reply.parcel.text == "Coba bernapas pelan."
    assert len(house.rows(models.Case)) == 1


def test_a_client_is_never_told_a_day_that_has_passed(house):
    """Who still waits after the promised day is told a new one, not the old one again."""
    house.write("ani@klien.test", "Halo, saya susah tidur sejak pindah rumah.")
    offer = house.outbox("acknowledgement")[0].parcel
    house.clock.on(days=21)
    house.write("ani@klien.test", "Apakah surat saya sampai?", reply_to=offer)
    (again,) = house.outbox("acknowledgement-again")
    assert "Desember 2026" in again.parcel.text
    assert "November 2026" not in again.parcel.text
