"""A client writes from a new address and names their case: a proposal for a person, no proof."""

from __future__ import annotations

import pytest

from mailcounsel.casework import case_word
from mailcounsel.letter import case_words
from mailcounsel.store import models

ANI, NEW, OTHER = "ani@klien.test", "ani.baru@klien.test", "siapa@lain.test"
ASKED = "kira-kira tanggal berapa Anda pertama kali menulis?"


def word_of(house, number):
    return case_word.of(house.office.keyring, vars(house.case(number)))


def wrong_word(house):
    """Return three words of the list that name no case."""
    named = {word_of(house, row.number) for row in house.rows(models.Case)}
    tried = (case_words.written((1, 2, third), "id") for third in range(3, 9))
    return next(word for word in tried if word not in named)


def acknowledgement(house, address):
    (parcel,) = [
        one.parcel
        for one in house.outbox("acknowledgement")
        if one.parcel and one.parcel.to_address == address
    ]
    return parcel


@pytest.fixture
def known(house):
    """A client who was told the words of their case."""
    house.write(ANI, "Halo, saya sulit tidur.")
    return house


def test_the_acknowledgement_tells_the_word(known):
    """Three words, derived from the case and the keyring alone, in none of our bytes."""
    word = word_of(known, 1)
    assert len(word.split()) == 3
    assert word in acknowledgement(known, ANI).text
    assert ASKED not in acknowledgement(known, ANI).text
    assert known.call("sari", "case.show", case="C-0001")["word"] == word
    assert word.encode() not in bytes(known.case(1).word_lookup)


def test_two_cases_have_two_words(house):
    """A name that is taken is passed over."""
    keyring = house.office.keyring
    first = house.store.write(lambda c: case_word.new(c, keyring, "one"))
    house.write(ANI, "Halo.")
    house.edit(models.Case, house.case(1).id, word_lookup=first)
    assert house.store.write(lambda c: case_word.new(c, keyring, "one")) != first


def test_a_new_address_with_the_word_is_a_proposal(known):
    """A case of its own, flagged for a person; nothing is joined, nothing is known."""
    known.write(NEW, f"Ini saya lagi, dari alamat baru. Kata saya: {word_of(known, 1)}.")
    assert known.case(2).maybe_case_id == known.case(1).id
    assert known.flags(2) == ["maybe-word"]
    assert known.case(2).client_id != known.case(1).client_id
    assert known.case(2).merged_into is None
    shown = known.call("sari", "case.show", case="C-0002")
    assert shown["maybe_from"] == "C-0001"
    known.call("sari", "case.link", case="C-0002", into="C-0001")
    assert known.flags(2) == []


def test_a_right_and_a_wrong_word_get_the_same_answer(known):
    """One question back, for any three words of the list: what differs is the new case's own."""
    known.write(NEW, f"Kata saya: {word_of(known, 1)}.")
    known.write(OTHER, f"Kata saya: {wrong_word(known)}.")
    assert known.flags(3) == []
    answers = [acknowledgement(known, address) for address in (NEW, OTHER)]
    for number, parcel in enumerate(answers, start=2):
        assert ASKED in parcel.text
        assert word_of(known, 1) not in parcel.text
        assert word_of(known, number) in parcel.text
    right, wrong = (
        parcel.text.replace(word_of(known, number), "…")
        for number, parcel in enumerate(answers, start=2)
    )
    assert right == wrong
    assert answers[0].subject == answers[1].subject
    rows = known.outbox("acknowledgement")[1:]
    assert rows[0].due_at == rows[1].due_at


def test_without_words_nothing_is_asked(known):
    """A stranger's ordinary letter is acknowledged as ever."""
    known.write(OTHER, "Halo, saya orang baru.")
    assert ASKED not in acknowledgement(known, OTHER).text
    assert known.case(2).maybe_case_id is None


def test_one_letter_is_one_guess(known):
    """Only the first name in a letter is looked up."""
    known.write(OTHER, f"{wrong_word(known)}. {word_of(known, 1)}.")
    assert known.flags(2) == []
    assert known.case(2).maybe_case_id is None


def test_strangers_cannot_guess_on(known, monkeypatch):
    """Beyond the day's number a letter is placed and answered the same, without a proposal."""
    monkeypatch.setattr(case_word, "TRIES_A_DAY", 2)
    known.write("a@satu.test", f"Kata: {wrong_word(known)}.")
    known.write("b@dua.test", f"Kata: {wrong_word(known)}!")
    known.write("c@tiga.test", f"Kata: {word_of(known, 1)}.")
    assert known.flags(4) == []
    assert ASKED in acknowledgement(known, "c@tiga.test").text
    known.clock.on(days=1)
    known.write(NEW, f"Kata: {word_of(known, 1)}.")
    assert known.flags(5) == ["maybe-word"]
    counted = [row.name for row in known.rows(models.Counter) if row.name.startswith("word:")]
    assert counted == [f"word:{known.clock.now():%Y%m%d}"]


def test_what_placing_found_comes_first(known):
    """A letter that points somewhere already is not looked up, and the counter stands still."""
    known.write(ANI, "Surat tanpa bukti lagi, Kata: " + wrong_word(known))
    assert known.flags(2) == ["maybe"]
    assert not [row for row in known.rows(models.Counter) if row.name.startswith("word:")]


def test_a_proved_client_is_not_asked(known):
    """Whoever answers our letter is known, whatever words they write."""
    to = acknowledgement(known, ANI)
    known.write(ANI, f"Kata saya: {word_of(known, 1)}.", reply_to=to)
    assert len(known.rows(models.Case)) == 1
    assert not [one for one in known.outbox() if one.parcel and ASKED in one.parcel.text]


def test_the_word_of_a_merged_case_names_where_it_went(known):
    """A proposal never points at a case that is shown elsewhere."""
    known.write(NEW, "Ini Ani juga.")
    known.call("sari", "case.link", case="C-0002", into="C-0001")
    known.write(OTHER, f"Kata saya: {word_of(known, 2)}.")
    assert known.case(3).maybe_case_id == known.case(1).id


def test_the_word_of_an_erased_case_names_nobody(known):
    """What is left of it proposes nothing; the stranger is asked as ever."""
    word = word_of(known, 1)
    read = [row["id"] for row in known.read("sari", "C-0001")]
    known.call("sari", "case.read", case="C-0001", letters=read)
    for person in ("sari", known.case(1).assignee or "bayu"):
        known.call(person, "case.erase", case="C-0001", reason="Diminta klien.")
    known.write(OTHER, f"Kata saya: {word}.")
    assert known.flags(2) == []
    assert known.case(2).maybe_case_id is None
    assert ASKED in acknowledgement(known, OTHER).text
