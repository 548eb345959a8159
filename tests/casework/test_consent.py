"""The one word that lets counselling go by ordinary mail, and what waits until it comes."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from mailcounsel import errors
from mailcounsel.casework import consent, letters, parcels
from mailcounsel.outgoing import claim
from mailcounsel.store import models
from mailcounsel.store.columns import new_id

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


def leaving(house):
    """Take what is due as the service does, without a smarthost; return what became of replies."""
    house.clock.on(minutes=5)
    config = house.office.config
    nobody = config.smarthost.model_copy(update={"port": 1})
    office = replace(house.office, config=config.model_copy(update={"smarthost": nobody}))
    outbox = claim.Outbox(house.store, office, house.centre)
    claim.send_due(outbox, house.clock.now(), 20)
    return [(row.state, row.reason) for row in house.outbox("reply")]


def test_what_has_not_left_waits_once_the_yes_is_taken_back(house, offer):
    """Approved a moment ago, or tried again while the smarthost is down: not in clear any more."""
    house.write(ANI, "SETUJU", reply_to=offer)
    house.reply("wulan", "C-0001", "Rencana aman besok.")
    assert leaving(house) == [("ready", "connect: refused")]
    house.call("wulan", "way.withdraw", case="C-0001")
    assert leaving(house) == [("waiting", "no-usable-key")]
    assert "waiting" in house.flags(1)
    house.write(ANI, "SETUJU", reply_to=offer)
    assert leaving(house) == [("ready", "connect: refused")]


def test_what_a_person_sends_plainly_asks_no_yes(house, offer):
    """They decided for this one letter, and why stands with it."""
    house.reply("wulan", "C-0001", "Halo Ani.", plain="Ani menelepon dan memintanya")
    assert leaving(house) == [("ready", "connect: refused")]


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


YES = ["setuju kak", "Halo,\nsaya setuju ya.\nAni", "email biasa saja kak"]
NEAR = ["setuju?", "kalau setuju", "setuju dengan pendapat suami saya", "ya"]


@pytest.mark.parametrize("text", YES)
def test_a_natural_yes_to_the_offer_is_kept(house, offer, text):
    """It is kept as the word would be, thanked for, and nobody has to read it."""
    house.reply("wulan", "C-0001", "Coba bernapas pelan.")
    house.write(ANI, text, reply_to=offer)
    assert way(house) == parcels.PLAIN
    assert house.outbox("reply")[0].state == "ready"
    assert len(house.outbox("consent-thanks")) == 1
    assert house.case(1).waiting_since is None
    assert house.outbox("acknowledgement-again") == []


def test_a_natural_yes_above_the_quoted_offer_is_kept(house, offer):
    """What the offer says of danger and of help is ours, and no reason to read the yes as more."""
    house.write(ANI, house.quoting("Iya kak, saya setuju.", offer), reply_to=offer)
    assert way(house) == parcels.PLAIN
    assert house.outbox("acknowledgement-again") == []


def test_a_natural_yes_to_a_persons_letter_is_not_consent(house, offer):
    """ "Setuju ya" to a letter that asked something else means that; which, is asked back."""
    house.reply("wulan", "C-0001", "Apakah Ibu setuju menemui dokter?", plain="mendesak")
    house.clock.on(minutes=2)
    (letter,) = [one for one in house.sent_to(ANI) if "dokter" in one.text]
    house.write(ANI, "setuju kak", reply_to=letter)
    assert house.rows(models.Consent) == []
    assert house.case(1).waiting_since is not None
    assert len(house.outbox("consent-word")) == 1


@pytest.mark.parametrize("text", NEAR)
def test_what_may_have_meant_it_is_asked_back_at_once(house, offer, text):
    """Nothing is agreed; the exact word is asked for, once a day, and a person reads as well."""
    house.reply("wulan", "C-0001", "Coba bernapas pelan.")
    house.write(ANI, text, reply_to=offer)
    house.write(ANI, text, reply_to=offer)
    assert way(house) == parcels.NONE
    (asked,) = house.outbox("consent-word")
    assert "SETUJU" in asked.parcel.text
    assert house.case(1).waiting_since is not None
    house.write(ANI, "SETUJU", reply_to=asked.parcel)
    assert way(house) == parcels.PLAIN


def test_what_may_have_meant_it_is_asked_back_above_a_quote_too(house, offer):
    """What the quoted offer says of danger and of help keeps nobody from being asked."""
    house.write(ANI, house.quoting("kalau setuju", offer), reply_to=offer)
    assert len(house.outbox("consent-word")) == 1


@pytest.mark.parametrize("text", ["belum setuju", "saya tidak setuju", "Saya susah tidur."])
def test_a_refusal_is_not_asked_about_again(house, offer, text):
    """A person reads it; the client is told that it is here, and nobody urges them."""
    house.write(ANI, text, reply_to=offer)
    assert house.outbox("consent-word") == []
    assert len(house.outbox("acknowledgement-again")) == 1
    assert way(house) == parcels.NONE


def test_a_stranger_is_asked_nothing_back(house, offer):
    """Whoever proves nothing gets the answers of a stranger."""
    house.write("mal@jahat.test", "setuju kak", reply_to=offer)
    assert house.outbox("consent-word") == []
    assert house.rows(models.Consent) == []


def test_who_has_agreed_and_agrees_to_a_persons_letter_means_that(house, offer):
    """After the yes the word is no command there: a person reads it."""
    house.write(ANI, "SETUJU", reply_to=offer)
    house.reply("wulan", "C-0001", "Apakah Ibu setuju menemui dokter?")
    house.clock.on(minutes=2)
    (letter,) = [one for one in house.sent_to(ANI) if "dokter" in one.text]
    house.write(ANI, "SETUJU", reply_to=letter)
    assert house.case(1).waiting_since is not None


def say_yes(house, person="wulan"):
    """Keep a yes that a person read, as their own process does: the words come as a sealed note."""
    epoch = house.call(person, "case.show", case="C-0001")["epoch"]
    note = {"letter": new_id(), "epoch": epoch, "content": b64encode(b"sealed").decode()}
    return house.call(person, "way.consent", case="C-0001", **note)


def test_a_yes_that_a_person_read_is_kept_with_its_wording(house, offer):
    """The offer, the day and the note with the client's words are kept; what waited leaves."""
    house.reply("wulan", "C-0001", "Coba bernapas pelan.")
    (waiting,) = house.outbox("reply")
    assert say_yes(house) == {"released": [waiting.id]}
    (kept,) = house.rows(models.Consent)
    (note,) = [row for row in house.rows(models.Letter) if row.kind == "note"]
    assert (kept.letter_id, kept.given_at) == (note.id, house.clock.now())
    (row,) = [row for row in house.rows(models.Audit) if row.verb == "consent-by-person"]
    assert (row.actor, row.ref) == ("wulan", note.id)
    assert way(house) == parcels.PLAIN
    assert "menyusul sekarang" in house.outbox("consent-thanks")[0].parcel.text
    with pytest.raises(errors.Conflict, match="reach the client of C-0001 already"):
        say_yes(house)


def test_thanks_promise_no_letter_that_was_taken_back(house, offer):
    """The client was told that a letter waits; its author took it back, and they hear that."""
    house.reply("wulan", "C-0001", "Coba bernapas pelan.")
    assert len(house.outbox("notice")) == 1
    house.call("wulan", "reply.undo")
    house.write(ANI, "SETUJU", reply_to=offer)
    (thanks,) = house.outbox("consent-thanks")
    assert "kami tarik kembali" in thanks.parcel.text
    assert "kami usahakan dibalas paling lambat" in thanks.parcel.text
    assert "menyusul sekarang" not in thanks.parcel.text


def test_thanks_say_that_a_letter_follows(house, offer):
    """A letter waits, and it does follow."""
    house.reply("wulan", "C-0001", "Coba bernapas pelan.")
    house.write(ANI, "SETUJU", reply_to=offer)
    (thanks,) = house.outbox("consent-thanks")
    assert "menyusul sekarang" in thanks.parcel.text
    assert "tarik kembali" not in thanks.parcel.text
