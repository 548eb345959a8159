"""Signed letters in other hands: sent on, sent again, or written to somebody else. Real gpg."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailcounsel.casework import duties, errands
from mailcounsel.cli import viewing
from mailcounsel.crypto import packets
from mailcounsel.crypto.status import Signature
from mailcounsel.intake import opening
from mailcounsel.letter import parse
from mailcounsel.letter.mime import Budgets
from mailcounsel.store import models
from parts import gpg_homes
from pgp_writer import Writer

ANI, BOB = "ani@klien.test", "bob@jahat.test"


@pytest.fixture(scope="module")
def writer():
    with gpg_homes.short_directory() as root:
        yield Writer(root / "ani", ANI)


@pytest.fixture
def ani(house, writer):
    """Ani, whose key is in use, and who has been heard of."""
    house.receive(writer.signed("Halo.", key=writer.autocrypt()))
    return writer


def shown(house):
    facts = house.call("sari", "case.show", case="C-0001")
    return viewing.case_text({**facts, "goals": []}, house.read("sari", "C-0001"), [])


def checkins(house):
    (row,) = house.rows(models.Client)
    return row.checkins


def again(raw, sender=ANI):
    """Return the same signed body in a mail of its own."""
    head, _, body = raw.partition(b"MIME-Version")
    lines = [line for line in head.split(b"\r\n") if not line.startswith((b"Message-ID", b"From"))]
    return b"\r\n".join([b"From: " + sender.encode(), b"Message-ID: <9.x@x.test>", *lines]) + (
        b"MIME-Version" + body
    )


def locked_again(house, writer, raw):
    """Return the same signed body in a lock of somebody else's making."""
    part = b"Content-Type: multipart/signed" + raw.partition(b"Content-Type: multipart/signed")[2]
    writer.gpg("--import", data=house.centre.public_certificate())
    to = ("--armor", "--recipient", house.centre.fingerprint, "--encrypt")
    armour = writer.gpg(*to, data=part)
    kind = (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; boundary="o"; '
        b'protocol="application/pgp-encrypted"\r\n\r\n--o\r\n'
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--o\r\n"
        b"Content-Type: application/octet-stream\r\n\r\n"
    )
    return writer.headers(message_id="10.y@y.test") + kind + armour + b"\r\n--o--\r\n"


def test_a_signed_letter_from_another_address_says_so(house, ani):
    """It is the client's, and somebody else may have sent it on."""
    house.receive(again(ani.signed("Aku pergi ke rumah ibu."), BOB))
    assert len(house.rows(models.Case)) == 1
    assert "an address that is not known as theirs" in shown(house)
    assert shown(house).count("not known as theirs") == 1


@pytest.mark.parametrize("word", ["BERHENTI", "HAPUS", "SALINAN", "KUNCI"])
def test_a_word_that_was_sent_on_is_read_by_a_person(house, ani, word):
    """Signed once for somebody else, it asks us for nothing."""
    house.receive(again(ani.signed(word), BOB))
    assert checkins(house) == "on"
    assert house.rows(models.Wish) == []
    assert [flag for flag in house.flags(1) if flag.startswith("asks")] == []
    assert house.case(1).waiting_since is not None


def test_a_lock_that_names_another_sender_says_so(house, ani):
    """Outside it is from Bob, inside from Ani: the word counts for nothing."""
    raw = ani.chat(house.centre, "BERHENTI")
    house.receive(raw.replace(b"From: " + ANI.encode(), b"From: " + BOB.encode(), 1))
    assert "another address than the one it names inside" in shown(house)
    assert checkins(house) == "on"


def test_a_letter_to_somebody_else_says_so(house, ani):
    """Ani wrote it to Bob, signed; he locks nothing anew and need not."""
    house.receive(ani.chat(house.centre, "BERHENTI menulis kepadaku.", to=BOB))
    house.receive(ani.chat(house.centre, "BERHENTI", to=BOB))
    assert shown(house).count("It was addressed to somebody else") == 2
    assert checkins(house) == "on"


def test_headers_under_a_signature_alone_are_read(house, ani):
    """Not locked, and addressed inside to somebody else (RFC 9788)."""
    inside = f'From: {ANI}\r\nTo: {BOB}\r\nContent-Type: text/plain; protected-headers="v1"'
    house.receive(ani.signed("BERHENTI", head=inside))
    assert "It was addressed to somebody else" in shown(house)
    assert checkins(house) == "on"


OURS = "halo@rumah.test"


@pytest.mark.parametrize("to", [OURS, "Halo+abc@Rumah.test", f"{BOB}, {OURS}"])
def test_a_letter_to_us_among_others_is_to_us(house, ani, to):
    """A tag, capitals or a second reader make it nobody else's."""
    house.receive(ani.chat(house.centre, "BERHENTI", to=to))
    assert "somebody else" not in shown(house)
    assert checkins(house) == "stopped"


@pytest.mark.parametrize("how", ["in another mail", "in another lock"])
def test_a_signed_word_is_carried_out_once(house, ani, how):
    """Taken off the way and sent again, it takes back nothing the client said since."""
    raw = ani.signed("BERHENTI")
    house.receive(raw)
    assert checkins(house) == "stopped"
    house.clock.on(days=1)
    house.receive(ani.signed("LANJUT"))
    assert checkins(house) == "on"
    house.receive(again(raw) if how == "in another mail" else locked_again(house, ani, raw))
    assert checkins(house) == "on"
    assert shown(house).count("The same signed letter came before") == 1
    assert house.case(1).waiting_since is not None


def wrapped(armour):
    """Put a locked letter into a packet that says it is compressed, and is not."""
    body = b"\x00" + packets.binary(armour, packets.MESSAGE)
    data = b64encode(b"\xc8\xff" + len(body).to_bytes(4, "big") + body)
    return b"-----BEGIN PGP MESSAGE-----\n\n" + data + b"\n-----END PGP MESSAGE-----"


@pytest.mark.parametrize("sender", [BOB, ANI])
@pytest.mark.parametrize("packed", ["as it was", "odd"])
def test_a_locked_word_is_carried_out_once(house, writer, sender, packed):
    """Who took it off the way cannot read it, and our token is inside: it says nothing twice."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)

    def locked(word):
        kind = b'MIME-Version: 1.0\r\nContent-Type: text/plain; hp="cipher"\r\n\r\n'
        inside = writer.headers(reply_to=offer) + kind + word + b"\r\n"
        return writer.encrypted(house.centre, inside, writer.headers())

    raw = locked(b"BERHENTI")
    house.receive(raw)
    assert checkins(house) == "stopped"
    house.clock.on(days=1)
    house.receive(locked(b"LANJUT"))
    assert checkins(house) == "on"
    armour = raw[raw.index(b"-----BEGIN") : raw.index(b"\r\n--b2--")]
    other = armour if packed == "as it was" else wrapped(armour)
    house.receive(again(raw, sender).replace(armour, other))
    assert checkins(house) == "on"
    said = {"as it was": "The same locked letter came before", "odd": "as no program packs"}[packed]
    assert shown(house).count(said) == 1
    assert house.case(1).waiting_since is not None


def test_a_call_for_help_counts_however_it_came(house, ani):
    """What only raises is never held back."""
    raw = ani.signed("BANTUAN")
    house.receive(again(raw, BOB))
    house.receive(again(raw, BOB).replace(b"<9.", b"<8."))
    assert "BANTUAN" in shown(house)
    assert house.case(1).priority == 2
    assert len(house.outbox("help")) >= 1


def test_the_same_words_signed_anew_are_new(house, ani):
    """Who means it again signs it again, at another moment."""
    letter = parse.read(ani.plain("BERHENTI"), Budgets())
    first, same, later, other = (
        opening._signings((Signature(key, valid=True, known=True, made=made),), letter)
        for key, made in (("A", "1"), ("A", "1"), ("A", "2"), ("B", "1"))
    )
    assert first == same
    assert len({first, later, other}) == 3
    bad = Signature("A", valid=False, known=True, made="1")
    assert opening._signings((bad,), letter) == ()


@pytest.mark.parametrize("is_first", [True, False], ids=["sent on", "sent again"])
def test_what_somebody_passes_on_ends_no_silence(house, ani, is_first):
    """After a danger was answered: an old letter in other hands is no sign of life."""
    raw = ani.signed("Aku baik-baik saja.")
    if not is_first:
        house.receive(raw)
    house.receive(ani.signed("Saya ingin mengakhiri hidup saya malam ini."))
    entries = house.read("wulan", "C-0001")
    house.call("wulan", "case.read", case="C-0001", letters=[one["id"] for one in entries])
    house.reply("wulan", "C-0001", "Saya di sini.")
    house.receive(again(raw, BOB if is_first else ANI))
    now = house.clock.on(hours=48)
    house.store.write(lambda c: errands.run_due(c, house.office, duties.DUTIES, now))
    assert "silence" in {risk.cause for risk in house.rows(models.Risk)}
