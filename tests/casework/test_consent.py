"""The one word that lets counselling go by ordinary mail, and what waits until it comes."""

from __future__ import annotations

import pytest

from mailcounsel import errors
from mailcounsel.casework import consent, letters, parcels
from mailcounsel.store import models

ANI = "ani@klien.test"


@pytest.fixture
def offer(house):
    """Ani has written; this acknowledgement offers ordinary mail."""
    house.write(ANI, "Halo, saya susah tidur sejak pindah rumah.")
    (offer,) = house.sent_to(ANI)
    return offer


def way(house, number=1):
    client_id, keyring = house.case(number).client_id, house.office.keyring
    return house.store.read(lambda c: consent.way(c, keyring, client_id)).channel


def test_the_thanks_come_before_the_letter_that_waited(house):
    """Read in order: we write to you by ordinary mail from now on, and then the first such mail."""
    house.write(ANI, "Halo.")
    offer, *_ = house.sent_to(ANI)
    house.reply("wulan", "C-0001", "Terima kasih sudah menulis.")
    house.send()
    house.write(ANI, "SETUJU", reply_to=offer)
    thanks, letter = house.sent_to(ANI)
    assert "mulai sekarang kami membalas" in thanks.text
    assert "Terima kasih sudah menulis." in letter.text


def test_the_word_is_kept_with_its_wording_and_date(house, offer):
    """What was agreed to can be read again: the words of the offer, the day, the letter."""
    row = house.write(ANI, "Setuju!", reply_to=offer)
    (kept,) = house.rows(models.Consent)
    assert (kept.given_at, kept.letter_id) == (house.clock.now(), row.letter_id)
    wording = house.office.keyring.open(kept.sealed_wording, f"consent/{kept.id}/wording").decode()
    assert "Kalau email biasa cukup bagi Anda" in wording
    assert way(house) == parcels.PLAIN
    assert "asked-agree" in house.audited()


def test_the_word_is_thanked_for_once(house, offer):
    """Said twice, it is kept once and thanked for once."""
    house.write(ANI, "SETUJU", reply_to=offer)
    house.write(ANI, "SETUJU", reply_to=offer)
    assert len(house.rows(models.Consent)) == 1
    assert len(house.outbox("consent-thanks")) == 1


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("SETUJU", {"headers": {"In-Reply-To": "", "References": "", "To": "halo@rumah.test"}}),
        ("SETUJU", {"suspect": True}),
        ("> SETUJU", {}),
        ("On Monday Rumah Surat wrote:\n> balas dengan satu kata saja: SETUJU\n", {}),
        ("Apakah saya harus menulis SETUJU?", {}),
        ("SETUJU\ntapi jangan ke kantor", {}),
        ("Halo, apa kabar?", {"headers": {"Subject": "SETUJU"}}),
    ],
    ids=["no token", "junk", "quoted", "in a quote", "a question", "taken back", "subject"],
)
def test_what_is_not_the_word_alone_with_our_token_is_a_letter(house, offer, text, more):
    """Whatever is unsure waits for a person, and nothing is agreed."""
    house.write(ANI, text, reply_to=offer, **more)
    assert house.rows(models.Consent) == []
    assert way(house) == parcels.NONE
    newest = max(row.number for row in house.rows(models.Case))
    assert house.case(newest).waiting_since is not None


def test_the_word_from_another_address_agrees_to_nothing(house, offer):
    """Whoever holds a mail of ours cannot agree for somebody else."""
    house.write("mal@jahat.test", "SETUJU", reply_to=offer)
    assert house.rows(models.Consent) == []


def test_words_beside_the_word_reach_a_person(house, offer):
    """The client agreed and went on writing: the letter waits to be read."""
    house.reply("wulan", "C-0001", "Halo Ani.", plain="Ani menelepon")
    assert house.case(1).waiting_since is None
    house.write(ANI, "SETUJU\n\nSemalam saya bermimpi buruk lagi.", reply_to=offer)
    assert way(house) == parcels.PLAIN
    assert house.case(1).waiting_since is not None


def test_the_word_alone_makes_nobody_wait(house, offer):
    """There is nothing to read in it."""
    house.reply("wulan", "C-0001", "Halo Ani.", plain="Ani menelepon")
    house.write(ANI, "SETUJU", reply_to=offer)
    assert house.case(1).waiting_since is None


def test_a_waiting_reply_is_released_as_it_was_approved(house, offer):
    """Same words, same Message-ID, same address; one note without content meanwhile."""
    house.reply("wulan", "C-0001", "Coba bernapas pelan.")
    (waiting,) = house.outbox("reply")
    assert (waiting.state, waiting.parcel.channel) == ("waiting", parcels.NONE)
    assert house.flags(1) == ["waiting"]
    (notice,) = [sent for sent in house.send() if sent.to_address == ANI]
    assert "bernapas" not in notice.text
    house.write(ANI, "SETUJU", reply_to=offer)
    (ready,) = house.outbox("reply")
    same = ("text", "message_id", "to_address", "subject", "statement", "signature")
    assert [getattr(ready.parcel, name) for name in same] == [
        getattr(waiting.parcel, name) for name in same
    ]
    assert house.flags(1) == []
    assert len(house.outbox("notice")) == 1


def test_two_waiting_replies_both_go(house, offer):
    """Nothing that waited is forgotten, and each is noted once."""
    for text in ("Satu.", "Dua."):
        house.reply("wulan", "C-0001", text)
    house.write(ANI, "SETUJU", reply_to=offer)
    assert [row.state for row in house.outbox("reply")] == ["ready", "ready"]


def test_consent_taken_back_counts_no_more(house, offer):
    """From then on letters wait again; taking back twice is harmless."""
    house.write(ANI, "SETUJU", reply_to=offer)
    client_id, now = house.case(1).client_id, house.clock.on(days=1)
    for _ in range(2):
        house.store.write(lambda c: consent.withdraw(c, house.office.keyring, client_id, now))
    assert way(house) == parcels.NONE
    assert house.reply("wulan", "C-0001", "Halo.")["state"] == "waiting"


@pytest.mark.parametrize("values", [{"withdrawn_at": None}, {"given_at": None}])
def test_consent_cannot_be_given_back_in_the_database(house, offer, values):
    """The row's MAC covers when it was given and that it was taken back."""
    house.write(ANI, "SETUJU", reply_to=offer)
    client_id, keyring = house.case(1).client_id, house.office.keyring
    house.store.write(lambda c: consent.withdraw(c, keyring, client_id, house.clock.now()))
    (row,) = house.rows(models.Consent)
    changed = {**values, "withdrawn_at": None}
    changed = {k: v or house.clock.on(days=1) if k == "given_at" else v for k, v in changed.items()}
    house.edit(models.Consent, row.id, **changed)
    with pytest.raises(errors.SealBroken):
        way(house)


def test_anothers_consent_does_not_count(house, offer):
    """Moving a row to another client in the database is noticed."""
    house.write(ANI, "SETUJU", reply_to=offer)
    house.write("budi@klien.test", "Halo.")
    (row,) = house.rows(models.Consent)
    house.edit(models.Consent, row.id, client_id=house.case(2).client_id)
    with pytest.raises(errors.SealBroken):
        way(house, 2)


def test_a_person_may_send_plainly_and_the_decision_is_kept(house, offer):
    """`--plain` is recorded with its reason where the case's readers see it."""
    approved = house.reply("wulan", "C-0001", "Halo Ani.", plain="Ani menelepon dan memintanya")
    assert approved["state"] == "held"
    (row,) = house.outbox("reply")
    assert row.parcel.channel == parcels.PLAIN
    assert "reply-approved-plain" in house.audited()
    entry = next(one for one in house.read("wulan", "C-0001") if one["kind"] == "reply")
    assert entry["plain"] == "Ani menelepon dan memintanya"


def test_what_has_content_is_not_asked_for_where_there_is_no_way(house, offer):
    """A check-in names a goal: without key or consent it does not leave."""
    case = house.store.read(
        lambda c: c.execute(models.table(models.Case).select()).mappings().one()
    )
    asked = letters.Asked("checkin", {"goal": "jalan"}, once="x", is_answer=False)
    now = house.clock.now()
    assert house.store.write(lambda c: letters.ask(c, house.office, case, asked, now)) is None
    assert "not-sent-no-way" in house.audited()
