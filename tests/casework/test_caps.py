"""Forged senders: however many letters come, few people are written to who never wrote."""

from __future__ import annotations

import re

import pytest

from mailcounsel.intake import assessing
from mailcounsel.store import models

WORD = re.compile(r"(?<=surat Anda: )\w+ \w+ \w+")  # the new case's own, drawn for each

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


def test_counters_tell_no_address_and_no_word(house):
    """They stand as keyed hashes."""
    write(house, 1)
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
