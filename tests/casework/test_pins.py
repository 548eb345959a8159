"""Whose key is whose: seen, pinned by a signature, guarded ever after. Real gpg on both sides."""

from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace

import pytest

from mailcounsel import errors
from mailcounsel.casework import consent, parcels
from mailcounsel.casework.office import Office
from mailcounsel.cli import reply as reply_of
from mailcounsel.cli import way as way_of
from mailcounsel.config.people import Rule
from mailcounsel.outgoing import claim
from mailcounsel.store import models
from mailcounsel.store.columns import new_id
from mailcounsel.trust import merging, pins
from parts import gpg_homes
from pgp_writer import Writer

ANI = "ani@klien.test"


@pytest.fixture(scope="module")
def writers():
    with gpg_homes.short_directory() as root:
        ani = Writer(root / "ani", ANI)
        mal = Writer(root / "mal", ANI)  # somebody else, with a key that bears Ani's address
        yield SimpleNamespace(ani=ani, mal=mal)


@pytest.fixture
def ani(writers):
    return writers.ani


@pytest.fixture
def mal(writers):
    return writers.mal


def pinned(house, number=1):
    client_id, keyring = house.case(number).client_id, house.office.keyring
    found = house.store.read(lambda c: pins.of_client(c, keyring, client_id))
    return [(pin.state, pin.fingerprint) for pin in found]


def way(house, number=1):
    client_id, keyring = house.case(number).client_id, house.office.keyring
    return house.store.read(lambda c: consent.way(c, keyring, client_id))


def agreed(house):
    """Keep a yes a person made sure of, as their own process does, a moment later."""
    house.clock.on(minutes=1)
    epoch = house.call("wulan", "case.show", case="C-0001")["epoch"]
    note = {"letter": new_id(), "epoch": epoch, "content": b64encode(b"sealed").decode()}
    return house.call("wulan", "way.consent", case="C-0001", **note)


# -- seen, then pinned ---------------------------------------------------------------------------


def test_a_key_is_seen_before_it_is_believed(house, ani):
    """Anyone can put a key into a mail: without a signature nothing is encrypted to it."""
    house.receive(ani.plain("Halo.", key=ani.autocrypt()))
    assert pinned(house) == [("seen", ani.key)]
    assert way(house).channel == parcels.NONE


KEY_AS_A_FILE = (
    'Content-Type: multipart/mixed; boundary="k"\r\n\r\n--k\r\n\r\nHalo.\r\n--k\r\n'
    'Content-Type: application/octet-stream; name="key.asc"\r\n\r\n{}\r\n--k--\r\n'
)


@pytest.mark.parametrize("form", [KEY_AS_A_FILE, "\r\nHalo, ini kunci saya.\r\n{}\r\n"])
def test_a_key_is_seen_however_it_is_sent(house, ani, form):
    """As a file that does not say what it is, as most programs send it, or between the words."""
    armour = ani.gpg("--export", "--armor", ani.key).decode().replace("\n", "\r\n")
    house.receive(f"From: {ANI}\r\nTo: halo@rumah.test\r\n{form.format(armour)}".encode())
    assert pinned(house) == [("seen", ani.key)]


def test_a_signature_over_the_whole_body_pins(house, ani):
    """Signed with the key it carries: from now on letters are encrypted to that key."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    assert pinned(house) == [("provisional", ani.key)]
    assert way(house) == consent.Way(parcels.ENCRYPTED, ani.key)


def test_a_body_that_was_changed_pins_nothing(house, ani):
    """One letter of the text differs: the signature is not over this body."""
    changed = ani.signed("Halo.", change=lambda b: b.replace(b"Halo", b"Hala"), key=ani.autocrypt())
    house.receive(changed)
    assert pinned(house) == [("seen", ani.key)]


def test_a_signature_over_a_part_pins_nothing(house, ani):
    """Words above a signed part are not covered by its signature."""
    signed = ani.signed("Halo.", key=ani.autocrypt())
    head, _, body = signed.partition(b"MIME-Version: 1.0\r\n")
    wrapped = (
        head
        + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="o"\r\n\r\n'
        + b"--o\r\nContent-Type: text/plain\r\n\r\nKirim uang ke sini.\r\n--o\r\n"
        + body
        + b"--o--\r\n"
    )
    house.receive(wrapped)
    assert pinned(house) == [("seen", ani.key)]


def test_a_chat_program_that_hides_everything_inside_is_pinned_at_once(house, ani):
    """Delta Chat: hidden recipient, no headers outside, key and threading inside."""
    house.receive(ani.chat(house.centre, "Halo, saya susah tidur."))
    assert pinned(house) == [("provisional", ani.key)]
    assert "susah tidur" in house.read("wulan", "C-0001")[0]["text"]
    (answer,) = house.outbox("acknowledgement")
    assert (answer.parcel.channel, answer.parcel.fingerprint) == (parcels.ENCRYPTED, ani.key)
    assert answer.parcel.from_address == "halo@rumah.test"  # no tag where there is a key


def test_a_pinned_signature_places_without_any_token(house, ani):
    """The client's next chat message, to the plain address, is in the same case."""
    house.receive(ani.chat(house.centre, "Halo."))
    row = house.receive(ani.chat(house.centre, "Sudah lebih baik."))
    assert row.case_id == house.case(1).id


def test_a_pinned_signature_proves_from_a_new_address(house, ani):
    """The same person, another provider: the key is the proof, the address is not needed."""
    house.receive(ani.chat(house.centre, "Halo."))
    row = house.receive(ani.signed("Alamat baruku.", sender="ani@baru.test"))
    assert row.case_id == house.case(1).id
    house.reply("wulan", "C-0001", "Baik.")
    (reply,) = house.outbox("reply")
    assert reply.parcel.to_address == ANI  # a person adds an address, a letter does not


# -- a first letter by anybody -------------------------------------------------------------------

CONFIRMED = (
    "Received: from x by mx.rumah.test; Sun, 22 Nov 2026 09:00:00 +0000\r\n"
    "Authentication-Results: mx.rumah.test; dmarc=pass header.from=klien.test\r\n"
)


def by_border(house, raw, said=CONFIRMED):
    """Receive a letter for which the centre's own mail server vouches."""
    centre = house.office.config.centre.model_copy(update={"authserv_id": "mx.rumah.test"})
    house.office = Office(
        house.office.config.model_copy(update={"centre": centre}), house.office.keyring
    )
    return house.receive(said.encode() + raw)


def known(house, writer):
    """Let a client write signed, and answer our first mail so; return that mail."""
    house.receive(writer.signed("Halo.", key=writer.autocrypt()))
    (sent,) = [one for one in house.send() if one.to_address == writer.address]
    house.receive(writer.signed("Terima kasih.", reply_to=sent))
    return sent


def test_a_signed_answer_to_our_mail_pins_for_good(house, ani):
    """The first letter is answered locked; an answer to that, signed alike, is proof of both."""
    house.receive(ani.chat(house.centre, "Halo."))
    (sent,) = [one for one in house.send() if one.to_address == ANI]
    assert sent.channel == parcels.ENCRYPTED
    house.receive(ani.chat(house.centre, "Sudah lebih baik.", reply_to=sent))
    assert pinned(house) == [("pinned", ani.key)]
    assert "key-confirmed" in house.audited()
    house.write(ANI, "Dari telepon, tanpa kunci.", reply_to=sent)
    assert pinned(house) == [("pinned", ani.key)]
    assert house.flags(1) == []


def test_a_first_letter_our_border_vouches_for_pins_for_good(house, ani):
    """The sender's own mail server and the key say the same."""
    by_border(house, ani.signed("Halo.", key=ani.autocrypt()))
    assert pinned(house) == [("pinned", ani.key)]


def test_a_border_of_another_domain_confirms_no_key(house, ani):
    """Signed alike from an address of the forger's own, whose server vouches for that alone."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    theirs = CONFIRMED.replace("klien.test", "jahat.test")
    row = by_border(house, ani.signed("Ini aku.", sender="mal@jahat.test"), theirs)
    assert row.case_id == house.case(1).id
    assert pinned(house) == [("provisional", ani.key)]


@pytest.mark.parametrize("form", ['hp="cipher"', 'protected-headers="v1"'])
def test_our_borders_word_inside_a_lock_is_the_senders(house, ani, mal, form):
    """Anybody can lock a letter for us, with every field they like inside: none speaks for us."""
    house.write(ANI, "Halo.")
    inside = (
        mal.headers(key=mal.autocrypt()) + b"Received: by x; Sun, 22 Nov 2026 09:00:00 +0000\r\n"
    )
    kind = f"MIME-Version: 1.0\r\nContent-Type: text/plain; {form}\r\n\r\nHalo lagi.\r\n"
    raw = mal.encrypted(house.centre, CONFIRMED.encode() + inside + kind.encode(), mal.headers())
    refused = CONFIRMED.replace("pass", "fail")
    for said in (refused, ""):
        assert by_border(house, raw, said).case_id != house.case(1).id
    assert {row.vouching for row in house.rows(models.Letter)} == {"nothing", ""}
    assert pinned(house) == []


def test_a_planted_key_is_not_used_once_the_client_writes(house, mal):
    """Somebody signs a first letter in Ani's name; hers, which our border confirms, is not."""
    house.receive(mal.signed("Halo, ini surat pertama.", key=mal.autocrypt()))
    assert way(house).channel == parcels.ENCRYPTED
    row = by_border(house, house.mail(ANI, "Saya Ani yang asli. Tolong balas."))
    assert row.case_id == house.case(1).id
    assert pinned(house) == [("doubted", mal.key)]
    assert way(house).channel == parcels.NONE
    assert house.flags(1) == ["key-doubted"]
    assert "key-doubted" in house.audited()
    house.reply("wulan", "C-0001", "Ani, kami di sini.")
    (notice,) = house.outbox("notice")
    assert (notice.parcel.to_address, notice.parcel.channel) == (ANI, parcels.PLAIN)
    assert "SETUJU" not in notice.parcel.text
    house.write(ANI, "SETUJU", reply_to=notice.parcel)
    assert way(house).channel == parcels.NONE
    agreed(house)
    assert way(house).channel == parcels.PLAIN
    assert house.outbox("reply")[0].state == "ready"
    assert "key-doubted" not in house.flags(1)


@pytest.mark.parametrize("word", ["SETUJU", "AGREE", "setuju kak", "kalau setuju"])
def test_two_forged_letters_take_no_lock_away(house, ani, word):
    """Who reads the mailbox without the key makes it doubted, then agrees: a person decides."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    (sent,) = [one for one in house.send() if one.to_address == ANI]
    house.write(ANI, "Halo kak", reply_to=sent)
    answer = house.reply("wulan", "C-0001", "Rencana aman besok.")
    assert (answer["state"], answer["doubted"]) == ("waiting", True)
    told = reply_of.said_of({**answer, "case": "C-0001"}, "")
    assert "a colleague decide: mailcounsel way show C-0001" in told
    house.call("wulan", "case.clear", case="C-0001", kind="key-doubted")
    (offer,) = house.outbox("notice")
    house.write(ANI, word, reply_to=offer.parcel)
    assert way(house).channel == parcels.NONE
    assert house.rows(models.Consent) == []
    assert house.outbox("consent-word") == []
    assert house.outbox("reply")[0].state == "waiting"
    assert house.case(1).waiting_since is not None
    if word != "kalau setuju":
        assert "key-doubted" in house.flags(1)
    shown = way_of.said("C-0001", house.call("wulan", "way.show", case="C-0001"))
    assert "does not send them on" in shown
    assert 'mailcounsel way consent C-0001 "their words"' in shown


def test_what_was_locked_for_a_planted_key_waits_for_a_person(house, mal):
    """A reply that was approved before the client wrote does not leave in that lock."""
    house.receive(mal.signed("Halo, ini surat pertama.", key=mal.autocrypt()))
    house.send()
    house.reply("wulan", "C-0001", "Ani, kami di sini.")
    by_border(house, house.mail(ANI, "Saya Ani yang asli."))
    house.clock.on(minutes=5)
    outbox = claim.Outbox(house.store, house.office, house.centre)
    claim.send_due(outbox, house.clock.now(), 20)
    (reply,) = house.outbox("reply")
    assert (reply.state, reply.reason) == ("waiting", "no-usable-key")


def test_a_doubted_key_is_the_clients_own_after_all(house, ani):
    """Written once from a telephone, then again signed: nobody need decide anything."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    (sent,) = [one for one in house.send() if one.to_address == ANI]
    house.write(ANI, "Dari telepon, tanpa kunci.", reply_to=sent)
    assert pinned(house) == [("doubted", ani.key)]
    house.receive(ani.signed("Dari rumah.", reply_to=sent))
    assert pinned(house) == [("pinned", ani.key)]
    assert house.flags(1) == []


def test_the_letter_that_doubts_a_key_agrees_to_nothing(house, ani):
    """Nobody offered ordinary mail to who has a key: one forged word takes no lock away."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    (sent,) = [one for one in house.send() if one.to_address == ANI]
    house.write(ANI, "SETUJU", reply_to=sent)
    assert way(house).channel == parcels.NONE
    assert "key-doubted" in house.flags(1)


def test_an_answer_of_a_machine_doubts_no_key(house, ani):
    """Whoever is away says so unsigned, and knows nothing of it."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    (sent,) = [one for one in house.send() if one.to_address == ANI]
    away = {"Auto-Submitted": "auto-replied"}
    house.write(ANI, "Saya sedang libur.", reply_to=sent, headers=away)
    assert pinned(house) == [("provisional", ani.key)]


def test_a_person_drops_a_key_and_only_a_person_brings_it_back(house, mal):
    """Dropped, no signature and no token counts for it any more; who did it is kept."""
    sent = known(house, mal)
    house.call("wulan", "way.drop", case="C-0001", fingerprint=mal.key)
    assert pinned(house) == [("dropped", mal.key)]
    assert way(house).channel == parcels.NONE
    house.receive(mal.signed("Pakai kunciku!", key=mal.autocrypt(), reply_to=sent))
    assert pinned(house) == [("dropped", mal.key)]
    assert [row.actor for row in house.rows(models.Audit) if row.verb == "key-dropped"] == ["wulan"]
    house.call("wulan", "way.accept", case="C-0001", fingerprint=mal.key)
    assert pinned(house) == [("pinned", mal.key)]


def test_a_planted_key_is_not_the_clients_by_a_merge(house, mal):
    """That two cases are one client's says nothing of the key: it is used in neither."""
    house.receive(mal.signed("Halo, ini surat pertama.", key=mal.autocrypt()))
    house.write(ANI, "Saya Ani yang asli.")
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert pinned(house, 1) == [("doubted", mal.key)]
    assert way(house).channel == parcels.NONE
    assert house.flags(1) == ["key-doubted"]
    house.call("sari", "way.accept", case="C-0001", fingerprint=mal.key)
    assert house.flags(1) == []


def test_a_planted_key_is_not_brought_by_a_merge(house, mal):
    """The same the other way round; who signs with it is a stranger again."""
    house.write(ANI, "Saya Ani yang asli.")
    house.receive(mal.signed("Halo, ini aku juga.", key=mal.autocrypt()))
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert pinned(house, 1) == pinned(house, 2) == [("doubted", mal.key)]
    assert way(house).channel == parcels.NONE
    assert (house.flags(1), house.flags(2)) == (["key-doubted"], [])
    house.receive(mal.signed("Dan lagi."))
    assert house.case(3).maybe_case_id is not None


# -- consent from before a key -------------------------------------------------------------------


def consented(house, address=ANI):
    """Let Ani agree to ordinary mail, a while before anything else comes; return the offer."""
    house.write(address, "Halo, saya Ani.")
    (offer,) = house.sent_to(address)
    house.write(address, "SETUJU", reply_to=offer)
    assert way(house).channel == parcels.PLAIN
    house.clock.on(minutes=1)
    return offer


def test_an_old_consent_does_not_count_once_a_key_is_dropped(house, ani):
    """Ani agreed, then wrote locked; no slip of a person's sends her letters in clear again."""
    offer = consented(house)
    house.receive(ani.signed("Kini saya punya kunci.", key=ani.autocrypt(), reply_to=offer))
    assert way(house).channel == parcels.ENCRYPTED
    house.clock.on(minutes=1)
    dropped = house.call("wulan", "way.drop", case="C-0001", fingerprint=ani.key)
    assert dropped == {"fingerprint": ani.key, "channel": parcels.NONE}
    shown = house.call("wulan", "way.show", case="C-0001")
    assert "does not count any more" in "\n".join(way_of.lines("C-0001", shown))
    assert house.reply("wulan", "C-0001", "Rencana aman besok.")["state"] == "waiting"
    house.clock.on(minutes=1)
    house.write(ANI, "SETUJU", reply_to=house.outbox("notice")[0].parcel)
    assert way(house).channel == parcels.PLAIN
    shown = house.call("wulan", "way.show", case="C-0001")
    assert "does not count" not in "\n".join(way_of.lines("C-0001", shown))


def test_an_old_consent_does_not_count_once_a_key_is_doubted(house, ani):
    """The same where a letter raised the doubt, until a person keeps a yes anew."""
    offer = consented(house)
    house.receive(ani.signed("Ini juga aku.", key=ani.autocrypt()))
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert pinned(house) == [("doubted", ani.key)]
    house.write(ANI, "SETUJU", reply_to=offer)
    assert way(house).channel == parcels.NONE
    agreed(house)
    assert way(house).channel == parcels.PLAIN
    house.call("wulan", "way.drop", case="C-0001", fingerprint=ani.key)
    assert way(house).channel == parcels.PLAIN  # that yes is younger than the doubt


@pytest.mark.parametrize("before", ["provisional", "doubted"])
def test_a_merge_sends_nobody_in_clear_who_was_written_to_locked(house, ani, before):
    """The doubt comes along, with its flag, and goes again with an undone merge."""
    consented(house, "ani@lain.test")
    house.receive(ani.signed("Ini Ani juga.", key=ani.autocrypt()))
    if before == "doubted":
        sent = house.sent_to(ANI)[-1]
        house.write(ANI, "Dari telepon.", reply_to=sent)
    assert pinned(house, 2) == [(before, ani.key)]
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert pinned(house) == [("doubted", ani.key)]
    assert way(house).channel == parcels.NONE
    assert house.flags(1) == ["key-doubted"]
    assert house.reply("wulan", "C-0001", "Rencana aman.")["state"] == "waiting"
    house.call("sari", "case.unlink", case="C-0002")
    assert pinned(house) == []
    assert pinned(house, 2) == [(before, ani.key)]
    flagged = ["key-doubted"] if before == "doubted" else []
    assert (house.flags(1), house.flags(2)) == (["waiting", "unlinked"], flagged)
    assert way(house).channel == parcels.PLAIN


@pytest.mark.parametrize("heard", [False, True])
def test_an_undone_merge_uses_the_key_again_that_it_made_doubted(house, ani, heard):
    """A stranger's letter was taken for Ani's: undone, she is answered locked as before.

    But not where a letter that is surely hers came meanwhile without that key's signature.
    """
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    (sent,) = house.sent_to(ANI)
    house.write(ANI, "Ini Ani, dari orang asing sebenarnya.")
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert (pinned(house), house.flags(1)) == ([("doubted", ani.key)], ["key-doubted"])
    house.clock.on(minutes=1)
    if heard:
        house.write(ANI, "Tanpa kunci.", reply_to=sent)
    house.call("sari", "case.unlink", case="C-0002")
    assert pinned(house) == [("doubted" if heard else "provisional", ani.key)]
    assert way(house).channel == (parcels.NONE if heard else parcels.ENCRYPTED)
    assert ("key-doubted" in house.flags(1)) == heard
    assert house.flags(2) == []


def test_an_edited_moment_of_a_pin_fails_closed(house, ani):
    """When a key was used no more is covered by the row's MAC: no consent is older than it."""
    offer = consented(house)
    house.receive(ani.signed("Dengan kunci.", key=ani.autocrypt(), reply_to=offer))
    house.call("wulan", "way.drop", case="C-0001", fingerprint=ani.key)
    (pin,) = house.rows(models.Pin)
    house.edit(models.Pin, pin.id, stopped_at=None)
    with pytest.raises(errors.SealBroken):
        way(house)


@pytest.mark.parametrize("word", ["seen", "drop"])
def test_a_first_key_after_ordinary_mail_is_shown(house, ani, word):
    """Our token comes back with whoever reads the mailbox; the therapist is told."""
    offer = consented(house)
    house.receive(ani.signed("Ini kunci saya.", key=ani.autocrypt(), reply_to=offer))
    assert way(house).channel == parcels.ENCRYPTED
    assert house.flags(1) == ["key-late"]
    house.receive(ani.signed("Sekali lagi.", key=ani.autocrypt(), reply_to=offer))
    assert house.flags(1) == ["key-late"]  # said once
    if word == "drop":
        house.call("wulan", "way.drop", case="C-0001", fingerprint=ani.key)
    else:
        house.call("wulan", "case.clear", case="C-0001", kind="key-late")
    assert house.flags(1) == []


def test_a_first_key_of_who_chose_no_way_yet_is_no_news(house, ani):
    """Nothing went to them in clear: to write with a key is how many choose."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.receive(ani.signed("Ini kunci saya.", key=ani.autocrypt(), reply_to=offer))
    assert house.flags(1) == []


# -- another key ---------------------------------------------------------------------------------


def test_another_key_with_our_token_alarms_and_changes_nothing(house, ani, mal):
    """Whoever saw a mail has the token: their key is shown to a person, nothing is sent to it."""
    sent = known(house, ani)
    house.receive(mal.signed("Ini kunci baruku.", key=mal.autocrypt(), reply_to=sent))
    assert sorted(pinned(house)) == sorted([("pinned", ani.key), ("alarm", mal.key)])
    assert house.flags(1) == ["key-changed"]
    assert way(house).fingerprint == ani.key


def test_another_key_with_our_token_never_takes_the_place_of_a_first_one(house, ani, mal):
    """While only itself speaks for the first, a person decides between the two; neither is used."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    (sent,) = [one for one in house.send() if one.to_address == ANI]
    for _ in range(2):
        house.receive(mal.signed("Ini kunci baruku.", key=mal.autocrypt(), reply_to=sent))
    assert sorted(pinned(house)) == sorted([("doubted", ani.key), ("alarm", mal.key)])
    assert sorted(set(house.flags(1))) == ["key-changed", "key-doubted"]
    assert way(house).channel == parcels.NONE


def test_a_key_in_an_unproved_letter_never_reaches_the_client(house, ani, mal):
    """A forged From with a key and a good signature by it is a case of its own."""
    house.receive(ani.plain("Halo.", key=ani.autocrypt()))
    house.receive(mal.signed("Halo lagi.", key=mal.autocrypt()))
    assert pinned(house, 1) == [("seen", ani.key)]
    assert pinned(house, 2) == [("provisional", mal.key)]
    assert house.case(2).maybe_case_id == house.case(1).id


def test_another_key_in_junk_is_not_looked_at(house, ani):
    """What lay in Junk brings no key."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()), suspect=True)
    assert pinned(house) == []


def known_elsewhere(house, ani):
    """Let Ani have a second case, whose key something else than itself vouches for."""
    house.write(ANI, "Halo.")
    house.receive(ani.signed("Ini aku juga.", key=ani.autocrypt()))
    sent = house.sent_to(ANI)[-1]
    house.receive(ani.signed("Sungguh.", reply_to=sent))


def test_linking_brings_the_proved_key(house, ani):
    """A person says both cases are one client's: the key pinned in the one counts in the other."""
    known_elsewhere(house, ani)
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert pinned(house, 1) == [("pinned", ani.key)]
    row = house.receive(ani.signed("Dan lagi."))
    assert row.case_id == house.case(1).id


def test_a_key_goes_with_the_link_that_brought_it(house, ani):
    """Taken back, the one client is written to in the other's key no more."""
    known_elsewhere(house, ani)
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    house.call("sari", "case.unlink", case="C-0002")
    assert pinned(house, 1) == []
    assert pinned(house, 2) == [("pinned", ani.key)]


def test_a_client_is_told_which_key_is_theirs(house, ani):
    """Asked for, the number of the pinned key comes locked, as programs show it."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    house.receive(ani.signed("KUNCI"))
    (answer,) = house.outbox("key")
    assert answer.parcel.channel == "encrypted"
    groups = [ani.key[at : at + 4] for at in range(0, 40, 4)]
    assert " ".join(groups) in answer.parcel.text


def test_a_signed_request_needs_no_further_proof(house, ani):
    """The pinned key's signature is the client's own."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    house.receive(ani.signed("HAPUS"))
    assert house.flags(1) == ["asks-erase"]


# -- the same key, older and newer copies ---------------------------------------------------------


def test_the_same_primary_key_with_a_new_subkey_is_merged(house, short_tmp):
    """A new encryption subkey is taken in silently; an old copy afterwards takes nothing away."""
    eka = Writer(short_tmp / "eka", "eka@klien.test")
    old = eka.autocrypt()
    house.receive(eka.signed("Halo.", key=old))
    eka.gpg("--passphrase", "", "--quick-add-key", eka.key, "cv25519", "encr", "0")
    house.receive(eka.signed("Kunci diperbarui.", key=eka.autocrypt()))
    house.receive(eka.signed("Dari komputer lama.", key=old))
    client_id, keyring = house.case(1).client_id, house.office.keyring
    (pin,) = house.store.read(lambda c: pins.of_client(c, keyring, client_id))
    other = gpg_homes.Gpg(short_tmp / "other")
    other("--import", data=pin.certificate)
    listed = other("--with-colons", "--list-keys", eka.key)
    assert listed.count(b"\nsub:") == 2
    assert house.flags(1) == []
    assert len(house.rows(models.Case)) == 1


def test_a_revoked_key_is_written_to_no_more(house, short_tmp):
    """Its owner's revocation counts: the letter waits for a person, and nothing leaves weaker."""
    eka = Writer(short_tmp / "revoked", "eka@klien.test")
    token = known(house, eka)
    eka.gpg.revoke(eka.key)
    house.receive(eka.plain("Kunciku hilang.", key=eka.autocrypt(), reply_to=token))
    client_id, keyring = house.case(1).client_id, house.office.keyring
    (pin,) = house.store.read(lambda c: pins.of_client(c, keyring, client_id))
    assert pin.state == "pinned"
    with pytest.raises(Exception, match="revoked"):
        house.centre.encrypt_and_sign(b"x", pin.certificate, pin.fingerprint)


def test_an_expired_key_is_nobodys_new_key(house, short_tmp):
    """A key that has expired is not even seen."""
    eka = Writer.__new__(Writer)
    eka.gpg, eka.address, eka.number = gpg_homes.Gpg(short_tmp / "old"), "eka@klien.test", 0
    past = ("--faked-system-time", gpg_homes.PAST)
    eka.key = eka.gpg.key("<eka@klien.test>", expires="1d", options=past)
    house.receive(eka.plain("Halo.", key=eka.autocrypt()))
    assert pinned(house) == []


def test_garbage_beside_a_certificate_takes_nothing_away(ani):
    """Merging keeps ours when the other copy does not read, and adds nothing twice."""
    ours = ani.certificate
    assert merging.merged(ours, b"\x99garbage") == ours
    assert merging.merged(ours, ours) == ours


# -- the database in somebody's hands --------------------------------------------------------------


def test_an_edited_pin_fails_closed_and_keeps_the_letter(house, ani, mal):
    """A row changed by hand opens nothing, sends nothing, and loses nothing."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    house.write("mal@jahat.test", "Halo.")
    house.send()
    (pin,) = house.rows(models.Pin)
    house.edit(models.Pin, pin.id, client_id=house.case(2).client_id)
    row = house.receive(ani.signed("Buka kasus orang lain?"))
    assert (row.state, row.reason) == ("received", "SealBroken")
    for _ in range(2):
        house.clock.on(hours=1)
        row = house.again(row.id)
    assert row.state == "quarantine"
    assert row.raw
    assert [one for one in house.send() if one.to_address != "wulan@staf.test"] == []


def test_a_pin_made_seen_again_by_hand_is_noticed(house, ani):
    """Weakening a pin in the database does not make the service write in clear."""
    house.receive(ani.signed("Halo.", key=ani.autocrypt()))
    (pin,) = house.rows(models.Pin)
    house.edit(models.Pin, pin.id, state="seen")
    with pytest.raises(Exception, match="does not open"):
        house.reply("wulan", "C-0001", "Rahasia.")
    assert house.outbox("reply") == []


def test_an_edited_address_fails_closed(house):
    """Turning a client's letters to another address in the database is noticed."""
    house.write(ANI, "Halo.")
    house.write("mal@jahat.test", "Halo.")
    theirs = {row.client_id: row for row in house.rows(models.Address)}
    first, second = (theirs[house.case(number).client_id] for number in (1, 2))
    for values in (
        {"sealed": second.sealed},
        {"written_to": False},
        {"client_id": second.client_id},
    ):
        before = {name: getattr(first, name) for name in values}
        house.edit(models.Address, first.id, **values)
        begun = [row.id for row in house.outbox("reply")]
        with pytest.raises(Exception, match=r"does not open|no address"):
            house.reply("wulan", "C-0001", "Rahasia.")
        assert [row.id for row in house.outbox("reply")] == begun
        house.edit(models.Address, first.id, **before)


def test_a_letter_that_cannot_be_opened_is_shown_as_it_came(house, ani):
    """Encrypted to somebody else: kept, in a case, with the reason."""
    raw = ani.chat(house.centre, "Halo.")
    start = raw.index(b"-----BEGIN PGP MESSAGE")
    broken = raw[: start + 300] + b"A" * 8 + raw[start + 308 :]
    row = house.receive(broken)
    assert row.state == "case"
    assert "cannot-decrypt" in house.read("wulan", "C-0001")[0]["problems"]


def locked_for(other, ani):
    """Return a letter that only another key opens."""
    theirs = SimpleNamespace(public_certificate=lambda: other.certificate, fingerprint=other.key)
    return ani.encrypted(theirs, b"Content-Type: text/plain\r\n\r\nHalo.", ani.headers())


def test_a_rule_without_acknowledgement_holds_for_what_nobody_can_open(house, ani, mal):
    """The admin's word that nothing is sent is no matter of which template it would be."""
    silent = Rule.model_construct(name="silent", acknowledgement="none")
    config = house.office.config.model_copy(update={"rules": (silent,)})
    house.office = Office(config, house.office.keyring)
    house.receive(locked_for(mal, ani))
    assert "not-opened" in house.flags(1)
    assert house.outbox("not-opened") == []


def test_a_letter_nobody_can_open_is_asked_for_again(house, ani, mal):
    """Locked with a key that is not ours: the client hears it, and a person sees it."""
    house.receive(locked_for(mal, ani))
    assert "not-opened" in house.flags(1)
    (asked,) = house.outbox("not-opened")
    assert "KUNCI" in asked.parcel.text
    assert house.outbox("acknowledgement") == []
    house.call("wulan", "case.clear", case="C-0001", kind="not-opened")
    assert "not-opened" not in house.flags(1)
