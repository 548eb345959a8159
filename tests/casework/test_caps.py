"""Forged senders: however many letters come, few people are written to who never wrote."""

from __future__ import annotations

import re

import pytest

from mailcounsel.intake import assessing
from mailcounsel.store import models

WORD = re.compile(r"(?<=surat Anda: )\w+ \w+ \w+")  # the new case's own, drawn for each

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."
LONG = "Saya menulis karena minggu ini berat sekali bagi saya dan keluarga saya di rumah."


@pytest.fixture
def limits(house):
    """The house's limits, to be changed."""

    def change(**values):
        for name, value in values.items():
            object.__setattr__(house.office.config.limits, name, value)

    return change


def write(house, number, words=None, domain=None):
    sender = f"orang{number}@{domain or f'tempat{number}.test'}"
    return house.write(sender, words or f"Surat nomor {number}. {LONG} {number}")


def acknowledged(house):
    return len(house.outbox("acknowledgement"))


def test_letters_that_say_the_same_are_answered_a_few_times(house):
    """From however many addresses; each is in a case of its own all the same."""
    for number in range(8):
        write(house, number, f"{LONG}\n\n" + "  Terima   kasih.")
    assert acknowledged(house) == 5
    assert len(house.rows(models.Case)) == 8
    assert house.audited().count("not-sent-capped-words") == 3


def test_a_few_words_many_people_write_are_answered(house):
    """ "Halo" says nothing of who sent it."""
    for number in range(8):
        write(house, number, "Halo, ada orang?")
    assert acknowledged(house) == 8


def test_one_domain_gets_so_many(house, limits):
    """What is beyond it is not answered by itself; another domain is."""
    limits(automatic_per_domain_day=3)
    for number in range(5):
        write(house, number, domain="banyak.test")
    write(house, 9, domain="lain.test")
    assert acknowledged(house) == 4
    assert house.audited().count("not-sent-capped-domain") == 2


def test_strangers_together_get_so_many(house, limits):
    """Every sender another one, every domain another one: there is an end all the same."""
    limits(automatic_strangers_day=4)
    for number in range(7):
        write(house, number)
    assert acknowledged(house) == 4
    assert len(house.rows(models.Case)) == 7


def test_the_next_day_counts_anew_and_forgets(house, limits):
    """Yesterday's counters are gone, and no other counter with them."""
    limits(automatic_strangers_day=1)
    write(house, 1)
    write(house, 2)
    house.clock.on(days=1)
    write(house, 3)
    assert acknowledged(house) == 2
    names = [row.name for row in house.rows(models.Counter)]
    assert "case" in names
    assert {name.split(":")[1] for name in names if name.startswith("cap:")} == {
        house.clock.now().strftime("%Y%m%d")
    }


def test_a_proved_client_is_no_stranger(house, limits):
    """Who brings our token back is answered whatever strangers have used up."""
    write(house, 1)
    ours = house.outbox("acknowledgement")[0].parcel
    limits(automatic_strangers_day=1)
    write(house, 2)
    house.clock.on(days=1)
    write(house, 3)
    house.write("orang1@tempat1.test", LONG, reply_to=ours)
    assert len(house.outbox("acknowledgement-again")) == 1


def test_a_call_for_help_counts_as_well(house, limits):
    """Else the word would be a way round; the case is raised whatever is answered."""
    limits(automatic_strangers_day=1)
    for number in range(2):
        house.write(f"orang{number}@tempat.test", "BANTUAN")
    assert len(house.outbox("help")) == 1
    assert [row.priority for row in house.rows(models.Case)] == [2, 2]


def test_a_call_for_help_is_answered_after_all_ordinary_answers(house, limits):
    """A first letter, a yes, one more letter, and then the word: no day's number silences it."""
    limits(automatic_per_sender_day=3)
    house.write(ANI, LONG)
    ours = house.outbox("acknowledgement")[0].parcel
    for words in ("SETUJU", "Saya juga ingin bercerita tentang ibu saya.", "BANTUAN"):
        house.write(ANI, words, reply_to=ours)
    assert len([row for row in house.outbox() if row.automatic]) == 3
    (told,) = house.outbox("help")
    assert told.parcel.to_address == ANI


def test_letters_forged_in_a_clients_name_use_up_no_call_for_help_of_theirs(house, limits):
    """Neither ordinary ones nor forged calls; what they used up is the forger's own number."""
    limits(automatic_per_sender_day=2, automatic_strangers_day=3)
    house.write(ANI, LONG)
    ours = house.outbox("acknowledgement")[0].parcel
    for number in range(5):
        house.write(ANI, f"Palsu {number}. {LONG} {number}", mail_from="mal@jahat.test")
        house.write(ANI, "BANTUAN", mail_from="mal@jahat.test")
    forged = len(house.outbox("help"))
    assert forged == 2
    house.write(ANI, "BANTUAN", reply_to=ours)
    assert len(house.outbox("help")) == forged + 1


def test_letters_forged_in_a_clients_name_use_up_no_answer_to_theirs(house, limits):
    """Their yes is thanked for and their letter acknowledged, however many came in their name."""
    limits(automatic_per_sender_day=3)
    house.write(ANI, LONG)
    (offer,) = house.sent_to(ANI)
    for number in range(8):
        house.write(ANI, f"Palsu {number}. {LONG} {number}")
    assert acknowledged(house) == 3
    house.write(ANI, "SETUJU", reply_to=offer)
    house.write(ANI, "Terima kasih, saya tunggu.", reply_to=offer)
    own = [row.kind for row in house.outbox() if row.case_id == house.case(1).id]
    assert own[-2:] == ["consent-thanks", "acknowledgement-again"]
    for number in range(3):
        house.write(ANI, f"JEDA{'!' * number}", reply_to=offer)
    assert len(house.outbox("paused")) == 0  # a machine that brings our token back falls silent


def test_danger_forged_in_a_clients_name_uses_up_no_note_of_theirs(house):
    """The real one is told where help is near after any number of forged ones."""
    house.write(ANI, LONG)
    ours = house.outbox("acknowledgement")[0].parcel
    for number in range(4):
        house.write(ANI, f"{DANGER} {number}", mail_from="mal@jahat.test")
    forged = len(house.outbox("crisis"))
    assert forged == 2
    house.write(ANI, DANGER, reply_to=ours)
    assert len(house.outbox("crisis")) == forged + 1


def test_a_machine_that_calls_for_help_falls_silent(house, limits):
    """It answers each answer with the word and our token; there is an end to it in a day."""
    limits(automatic_per_sender_day=3)
    house.write(ANI, "BANTUAN")
    answered = 0
    for _ in range(8):
        for parcel in house.sent_to(ANI):
            answered += 1
            house.write(ANI, "BANTUAN", reply_to=parcel)
        house.clock.on(minutes=5)
    assert answered <= 2 + 3  # the help and the acknowledgement of a stranger, then a known one's
    assert house.sent_to(ANI) == []


def test_counters_tell_no_address_and_no_word(house):
    """They stand as keyed hashes."""
    write(house, 1)
    house.write(ANI, "BANTUAN")
    names = " ".join(row.name for row in house.rows(models.Counter))
    assert "tempat" not in names
    assert "berat" not in names
    assert assessing.HELP not in names


def test_a_stranger_who_claims_a_clients_address_gets_what_any_stranger_gets(house):
    """The answer depends on what the letter proved, not on who the address belongs to."""
    house.write("ani@klien.test", LONG)
    house.reply("wulan", "C-0001", "Halo Ani.")
    house.clock.on(minutes=2)
    house.send()
    house.write("ani@klien.test", "Aku Ani, tolong balas ke sini.")
    house.write("orang@lain.test", "Aku orang lain, tolong balas ke sini.")
    forged, stranger = house.send()[-2:]
    assert forged.to_address == "ani@klien.test"
    assert (forged.subject, forged.channel) == (stranger.subject, stranger.channel)
    assert WORD.sub("", forged.text) == WORD.sub("", stranger.text)
    assert forged.references == (f"{house.posted - 1}.ani@klien.test",)
