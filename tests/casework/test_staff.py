"""Notes to the centre's own people: content-free, once an hour, at once when it is urgent."""

from __future__ import annotations

from mailcounsel.casework import duties, errands, letters, records, staff
from mailcounsel.cli import queue
from mailcounsel.config import Person
from mailcounsel.store import models

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."


def notes(house):
    """Return the notes that have not been replaced by another, each with whom it goes to."""
    rows = house.outbox("staff-notice")
    return [(row.parcel.to_address, row.parcel) for row in rows if row.parcel]


def staff_mail(house):
    """Take what is due, and return to whom of the centre's own people something went."""
    return [one.to_address for one in house.send() if one.to_address.endswith("@staf.test")]


def test_a_note_holds_nothing_of_a_letter(house):
    """No name, address, subject, word or case: how many wait, how many are urgent."""
    house.write("Quokka <ani@klien.test>", "wombat", headers={"Subject": "bilby"})
    ((to, note),) = notes(house)
    assert to == "wulan@staf.test"
    shown = (note.subject + note.text).lower()
    assert not any(word in shown for word in ("quokka", "wombat", "bilby", "klien", "c-0001"))
    assert note.auto_submitted == "auto-generated"


def test_ordinary_letters_are_told_of_once_an_hour(house):
    """Twenty letters in an hour are one note."""
    house.write("a@klien.test", "Halo.")
    assert staff_mail(house) == ["wulan@staf.test"]
    for number in range(5):
        house.write(f"a{number}@klien.test", "Halo.")
    assert staff_mail(house) == []
    house.clock.on(hours=1)
    house.write(ANI, "Halo.")
    assert staff_mail(house) == ["wulan@staf.test"]


def test_further_letters_of_the_hour_count_no_queue(house, monkeypatch):
    """In a flood each letter would count all that came before it, for a note nobody gets."""
    counted, count = [], staff._waiting

    def counting(*given):
        counted.append(given)
        return count(*given)

    monkeypatch.setattr(staff, "_waiting", counting)
    house.write(ANI, "Halo.")
    before = len(counted)
    assert before > 0
    for number in range(3):
        house.write(f"orang{number}@klien.test", "Halo, saya ingin bercerita.")
    assert len(counted) == before


def test_danger_is_told_of_at_once(house):
    """Within the same hour, and each time."""
    house.write(ANI, "Halo.")
    staff_mail(house)
    for number in range(2):
        house.write(f"a{number}@klien.test", DANGER)
        assert staff_mail(house) == ["wulan@staf.test"]


def test_a_call_for_help_is_told_of_at_once(house):
    """As danger is."""
    house.write(ANI, "Halo.")
    staff_mail(house)
    house.write("b@klien.test", "BANTUAN")
    assert staff_mail(house) == ["wulan@staf.test"]


def notify(house, *names):
    """Give people an address for notes."""
    for name in names:
        object.__setattr__(house.office.config.person(name), "notify", f"{name}@staf.test")


def test_a_taken_case_is_told_of_to_its_therapist(house):
    """The others have no part in it; the supervisor hears of danger."""
    notify(house, "bayu", "sari")
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.call("bayu", "case.next")
    house.clock.on(hours=1)
    house.send()
    house.write(ANI, "Lagi.", reply_to=offer)
    waiting = [to for to, _ in ((row.parcel.to_address, row) for row in open_notes(house))]
    assert waiting == ["bayu@staf.test"]
    house.send()
    house.write(ANI, DANGER, reply_to=offer)
    assert sorted(row.parcel.to_address for row in open_notes(house)) == [
        "bayu@staf.test",
        "sari@staf.test",
    ]


def open_notes(house):
    return [row for row in house.outbox("staff-notice") if row.parcel]


def test_a_therapist_of_another_queue_hears_of_a_case_they_were_given(house):
    """Assigned by the supervisor, outside their own queues."""
    bayu = house.office.config.person("bayu")
    assert isinstance(bayu, Person)
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.call("bayu", "case.next")
    object.__setattr__(bayu, "queues", ())
    notify(house, "bayu")
    house.clock.on(hours=1)
    house.send()
    house.write(ANI, "Lagi.", reply_to=offer)
    assert [row.parcel.to_address for row in open_notes(house)] == ["bayu@staf.test"]


def test_what_happens_together_is_told_in_one_note(house):
    """A letter of danger waits and is urgent: that is one thing to hear of."""
    house.write(ANI, DANGER)
    ((_, note),) = notes(house)
    assert "Mendesak: 1\nMenunggu balasan: 1\n" in note.text


def test_the_urgent_note_wins(house):
    """An ordinary one that would leave beside it says less, whichever was written first."""
    house.write(ANI, DANGER)
    staff_mail(house)
    house.clock.on(minutes=30)
    notify(house, "sari")
    house.write("b@klien.test", "BANTUAN")
    errands_due(house)
    house.write("c@klien.test", "BANTUAN")
    mine = [one for one in house.send() if one.to_address == "sari@staf.test"]
    assert [one.subject for one in mine] == ["Mendesak: mohon dibaca sekarang"]


def errands_due(house):
    now = house.clock.now()
    house.store.write(lambda c: errands.run_due(c, house.office, duties.DUTIES, now))


def test_a_note_counts_letters_and_other_things_apart(house):
    """A flag on a case that was answered is no new letter."""
    house.write(ANI, "Halo.")
    house.reply("wulan", "C-0001", "Halo Ani.", plain="uji")
    case_id, now = house.case(1).id, house.clock.now()
    house.store.write(lambda c: records.flag(c, now, case_id, "evaluation-due"))
    house.clock.on(hours=1)
    house.send()
    house.write("budi@klien.test", "Halo.")
    ((_, note),) = notes(house)
    assert "Menunggu balasan: 1\nJuga perlu dilihat: 1\n" in note.text


def test_a_note_on_its_way_is_not_taken_back(house):
    """What the mail server may have by now stays as it is; the next one is another."""
    house.write(ANI, "Halo.")
    now = house.clock.now()
    house.store.write(lambda c: letters.due(c, now, 9))
    house.write("b@klien.test", DANGER)
    assert len(notes(house)) == 2


def test_letters_that_cannot_leave_stand_above_the_queue(house):
    """The smarthost is down: whoever waits for an answer to be read should know that none left."""
    house.write(ANI, "Halo.")
    house.call("wulan", "case.next")
    assert queue.troubles(house.call("wulan", "queue.list")) == ""
    (row,) = [one for one in house.outbox() if one.state == "ready" and one.case_id]
    house.edit(models.Outgoing, row.id, attempts=2)
    assert queue.troubles(house.call("wulan", "queue.list")) == ""
    house.edit(models.Outgoing, row.id, attempts=3)
    said = "1 letter could not leave, tried again and again. Which, and why: mailcounsel outbox"
    line = f"!! {said}\n"
    for person, seen in (("wulan", line), ("sari", line), ("bayu", "")):
        assert queue.troubles(house.call(person, "queue.list")) == seen
