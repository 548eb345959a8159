"""The one word that is asked for: reminded once, then left to a person."""

from __future__ import annotations

from mailcounsel.casework import consent
from mailcounsel.service import work
from mailcounsel.store import models

ANI = "ani@klien.test"


def a_day(house, days=1):
    """Let a day pass, do what is due, and return what goes to the client."""
    house.clock.on(days=days, hours=1)
    work.run_errands(house.desk)
    return [parcel.text for parcel in house.sent_to(ANI)]


def test_a_client_a_person_answered_is_reminded_once_and_then_a_person_sees_it(house):
    """A day after the first answer; after another day the flag, and never a second reminder."""
    house.write(ANI, "Halo.")
    house.reply("wulan", "C-0001", "Halo Ani.")
    house.send()
    (reminder,) = a_day(house)
    assert "SETUJU" in reminder
    assert "no-consent" not in house.flags(1)
    assert a_day(house) == []
    assert "no-consent" in house.flags(1)
    assert a_day(house, days=5) == []


def test_nobody_is_asked_twice_in_a_day(house):
    """Where a waiting reply has just asked for the word, the reminder comes a day after that."""
    house.write(ANI, "Halo.")
    house.send()
    house.clock.on(hours=22)
    house.reply("wulan", "C-0001", "Halo Ani.")
    (notice,) = house.sent_to(ANI)
    assert "SETUJU" in notice.text
    house.clock.on(hours=3)
    work.run_errands(house.desk)
    assert house.sent_to(ANI) == []
    (reminder,) = a_day(house)
    assert "SETUJU" in reminder


def test_a_letter_nobody_vouches_for_earns_no_second_mail(house):
    """Whose address was forged hears from us once at most."""
    house.write(ANI, "Halo.")
    house.send()
    assert a_day(house) == []
    assert a_day(house) == []
    assert "no-consent" not in house.flags(1)


def test_a_client_answered_late_is_reminded_a_day_after_that(house):
    """The first answer may take two working days; the reminder waits for it."""
    house.write(ANI, "Halo.")
    house.send()
    assert a_day(house, days=2) == []
    house.reply("wulan", "C-0001", "Halo Ani.")
    house.sent_to(ANI)
    assert [text for _ in range(3) for text in a_day(house) if "SETUJU" in text] != []
    assert a_day(house) == []
    assert "no-consent" in house.flags(1)


def test_nobody_is_reminded_while_they_are_in_danger(house):
    """Other words come first; the reminder waits until a person has closed the risk."""
    house.write(ANI, "Saya mau bunuh diri malam ini.")
    house.reply("wulan", "C-0001", "Halo Ani.", plain="danger")
    house.send()
    assert [text for _ in range(3) for text in a_day(house) if "SETUJU" in text] == []


def test_who_has_chosen_is_not_reminded_and_the_flag_goes(house):
    """The word ends the asking, also when it comes late."""
    house.write(ANI, "Halo.")
    (first,) = house.sent_to(ANI)
    house.reply("wulan", "C-0001", "Halo Ani.")
    a_day(house)
    a_day(house)
    assert "no-consent" in house.flags(1)
    house.write(ANI, "SETUJU", reply_to=first)
    assert "no-consent" not in house.flags(1)
    house.write("budi@klien.test", "Halo.")
    (first,) = [p for p in house.send() if p.to_address == "budi@klien.test"]
    house.write("budi@klien.test", "SETUJU", reply_to=first)
    house.send()
    house.clock.on(days=1, hours=1)
    work.run_errands(house.desk)
    assert [p for p in house.send() if p.to_address == "budi@klien.test"] == []


def test_a_consent_is_kept_with_the_version_of_its_wording(house):
    """The version is that of the words the client answered, and the row's MAC covers it."""
    house.write(ANI, "Halo.")
    (first,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=first)
    (row,) = house.rows(models.Consent)
    wording = house.office.keyring.open(row.sealed_wording, f"consent/{row.id}/wording").decode()
    assert "SETUJU" in wording
    assert "paling lambat" not in wording  # the day was theirs alone, and no hole stands for it
    assert "seseorang dari kami. Sementara itu" in wording
    assert row.version == consent.version(wording)
    assert house.call("wulan", "way.show", case="C-0001")["consent_version"] == row.version


def test_the_first_answer_says_who_we_are(tmp_path, store, clock, centre):
    """In the centre's own words, where the configuration has some."""
    import house as houses

    more = '[about]\nid = "Kami konselor dari Rumah Surat."\n'
    home = houses.build(tmp_path, store, clock, centre, more=more)
    home.enrol("wulan", "bayu", "sari")
    home.write(ANI, "Halo, saya ingin bicara dengan seseorang.")
    (first,) = home.sent_to(ANI)
    assert "Kami konselor dari Rumah Surat." in first.text
