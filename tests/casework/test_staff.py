"""Notes to the centre's own people: content-free, once an hour, at once when it is urgent."""

from __future__ import annotations

from mailcounsel.config import Person

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."


def notes(house):
    return [(row.parcel.to_address, row.parcel) for row in house.outbox("staff-notice")]


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
    for number in range(5):
        house.write(f"a{number}@klien.test", "Halo.")
    assert len(notes(house)) == 1
    house.clock.on(hours=1)
    house.write(ANI, "Halo.")
    assert len(notes(house)) == 2


def test_danger_is_told_of_at_once(house):
    """Within the same hour, and each time."""
    house.write(ANI, "Halo.")
    for number in range(2):
        house.write(f"a{number}@klien.test", DANGER)
    urgent = [note for _, note in notes(house)]
    assert len(urgent) == 3


def test_a_call_for_help_is_told_of_at_once(house):
    """As danger is."""
    house.write(ANI, "Halo.")
    house.write("b@klien.test", "BANTUAN")
    assert len(notes(house)) == 2


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
