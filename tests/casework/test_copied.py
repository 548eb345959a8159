"""A client's locked letter in somebody else's hands, who cannot read it and sends it on."""

from __future__ import annotations

from base64 import b64decode, b64encode
from types import SimpleNamespace

import pytest

from mailcounsel import errors
from mailcounsel.cli import viewing
from mailcounsel.crypto import ciphertexts, packets
from mailcounsel.store import models
from parts import gpg_homes
from pgp_writer import Writer

EVA, MAL = "eva@klien.test", "mal@jahat.test"
WORDS = "Saya Eva, tinggal di Jalan Melati 7."
PLAIN = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{WORDS}\r\n".encode()
NAMED = f'From: {EVA}\r\nContent-Type: text/plain; protected-headers="v1"\r\n\r\n{WORDS}'.encode()


@pytest.fixture(scope="module")
def eva():
    with gpg_homes.short_directory() as root:
        yield Writer(root / "eva", EVA)


@pytest.fixture
def lock(house, eva):
    """Lock something for the centre, without a signature; return the armour."""
    eva.gpg("--import", data=house.centre.public_certificate())

    def locked(inside=PLAIN, *options):
        to = ("--recipient", house.centre.fingerprint)
        return eva.gpg("--armor", *to, *options, "--encrypt", data=inside)

    return locked


def mail(armour, sender, number=1):
    """Return a letter with this lock, as anybody can build one."""
    head = (
        f"From: {sender}\r\nTo: halo@rumah.test\r\nSubject: ...\r\n"
        f"Message-ID: <{number}.{sender}>\r\nDate: Sun, 22 Nov 2026 09:00:00 +0000\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; boundary="b"; '
        'protocol="application/pgp-encrypted"\r\n\r\n--b\r\n'
        "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode() + armour + b"\r\n--b--\r\n"


def binary(armour):
    return packets.binary(armour, packets.MESSAGE)


def armoured(data):
    return b"-----BEGIN PGP MESSAGE-----\n\n" + b64encode(data) + b"\n-----END PGP MESSAGE-----\n"


def shown(house, case):
    """Return a case as `show` prints it."""
    facts = house.call("sari", "case.show", case=case)
    return viewing.case_text({**facts, "goals": []}, house.read("sari", case), [])


def test_the_same_lock_from_another_address_is_shown_on_both_cases(house, lock):
    """Whoever sent it may not be able to read it: beside the letter and on the cases."""
    armour = lock()
    house.receive(mail(armour, EVA))
    assert house.flags(1) == []
    house.receive(mail(armour, MAL))
    assert (house.flags(1), house.flags(2)) == (["copied"], ["copied"])
    assert house.audited().count("copied") == 2
    assert "same locked letter came from another address before" in shown(house, "C-0002")
    assert "C-0001" not in shown(house, "C-0002")


def test_no_reply_leaves_to_whoever_passed_it_on(house, lock):
    """Not before a person has decided, whatever way it would take; then it does."""
    armour = lock()
    house.receive(mail(armour, EVA))
    begun = house.call("wulan", "reply.begin", case="C-0001")
    assert begun
    house.receive(mail(armour, MAL))
    for case in ("C-0001", "C-0002"):
        with pytest.raises(errors.Conflict, match=f"mailcounsel seen {case} copied"):
            house.reply("wulan", case, "Eva, kami membantu.", plain="mendesak")
    assert house.outbox("reply") == []
    house.call("wulan", "case.clear", case="C-0001", kind="copied")
    house.reply("wulan", "C-0001", "Eva, kami membantu.", plain="mendesak")
    (reply,) = house.outbox("reply")
    assert reply.parcel.to_address == EVA


def test_a_reply_begun_before_the_copy_came_does_not_leave(house, lock):
    """It is looked at again when the reply is approved."""
    armour = lock()
    house.receive(mail(armour, MAL))
    came = house.keep(mail(armour, EVA))
    approve = house.call

    def meanwhile(person, method, /, **more):
        if method == "reply.approve":
            house.again(came)
        return approve(person, method, **more)

    house.call = meanwhile
    with pytest.raises(errors.Conflict, match="copied"):
        house.reply("wulan", "C-0001", "Kami membantu.", plain="mendesak")


def test_one_more_copy_holds_up_no_client_a_person_decided_about(house, lock):
    """A stranger who sends it again and again stops no letter to the client."""
    armour = lock()
    house.receive(mail(armour, EVA))
    house.receive(mail(armour, MAL))
    house.call("wulan", "case.clear", case="C-0001", kind="copied")
    house.receive(mail(armour, MAL, 2))
    assert house.flags(1) == ["copied-elsewhere"]
    house.reply("wulan", "C-0001", "Eva, kami membantu.", plain="mendesak")


def test_a_client_who_sends_a_letter_again_is_no_stranger(house, lock):
    """The same lock from the same address, in another mail."""
    armour = lock()
    house.receive(mail(armour, EVA))
    house.receive(mail(armour, EVA, 2))
    assert "copied" not in house.flags(1) + house.flags(2)


def test_a_lock_that_names_its_writer_goes_to_nobody_else(house, lock):
    """The From inside is who is answered; the client's case says that somebody passes mail on."""
    armour = lock(NAMED)
    house.receive(mail(armour, EVA))
    house.receive(mail(armour, MAL))
    assert "copied" not in house.flags(1) + house.flags(2)
    house.reply("wulan", "C-0002", "Halo.", plain="mendesak")
    assert {row.parcel.to_address for row in house.outbox("reply")} == {EVA}


def test_a_signed_lock_is_placed_with_its_signer_and_shown(house, eva):
    """Passed on, it is the client's letter still, and a person sees that it went through hands."""
    house.receive(eva.signed("Halo.", key=eva.autocrypt()))
    outer = eva.headers()
    raw = eva.encrypted(house.centre, PLAIN, outer)
    house.receive(raw)
    house.receive(raw.replace(EVA.encode(), MAL.encode()).replace(b"<2.", b"<3."))
    assert len(house.rows(models.Case)) == 1
    assert set(house.flags(1)) == {"copied-elsewhere"}


@pytest.mark.parametrize(
    ("inside", "said"), [(PLAIN, True), (NAMED, False)], ids=["nobody", "named"]
)
def test_it_is_said_where_nothing_inside_the_lock_names_a_writer(house, lock, inside, said):
    """A lock says for whom a letter is, and not from whom."""
    house.receive(mail(lock(inside), EVA))
    assert ("Nothing inside the lock says who wrote it" in shown(house, "C-0001")) is said


def test_a_signature_inside_the_lock_names_a_writer(house, eva):
    """Signed with a key that bears the sender's address."""
    house.receive(eva.encrypted(house.centre, PLAIN, eva.headers(key=eva.autocrypt())))
    assert "Nothing inside the lock" not in shown(house, "C-0001")


# -- packed anew -----------------------------------------------------------------------------------


def in_parts(data):
    """Cut the encrypted data of a message into pieces of other lengths."""
    keys, rest = packets.leading(data, 1)
    ((tag, body),) = packets.pieces(rest)
    cut = 512 if len(body) > 512 else 1 << (len(body).bit_length() - 1)
    size = cut.bit_length() - 1
    last = body[cut:]
    tail = b"\xff" + len(last).to_bytes(4, "big") + last
    return b"".join(keys) + bytes([0xC0 | tag, 0xE0 | size]) + body[:cut] + tail


def said_twice(data):
    """Say once more for whom it is locked."""
    keys, _ = packets.leading(data, 1)
    return b"".join(keys) + data


WAYS = {
    "another armour": armoured,
    "no armour": lambda data: data,
    "other parts": lambda data: armoured(in_parts(data)),
    "a packet more": lambda data: armoured(said_twice(data)),
    "words around": lambda data: b"Halo!\r\n" + armoured(data) + b"\r\nSalam",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_lock_is_known_again_however_it_is_packed(house, lock, way):
    """Armour and packets are anybody's to change; what is encrypted is not."""
    first = lock(PLAIN + b"x" * 5000, "--compress-algo", "none")
    second = WAYS[way](binary(first))
    assert ciphertexts.identity(second) == ciphertexts.identity(first) != b""
    assert house.centre.decrypt(second, []).data == PLAIN + b"x" * 5000


def test_two_letters_with_the_same_words_are_two(lock):
    """Nobody's letter is taken for another's because they say the same."""
    assert ciphertexts.identity(lock()) != ciphertexts.identity(lock())


def wrapped(data):
    """Put a message into a packet that says it is compressed, and is not."""
    body = b"\x00" + data
    return armoured(b"\xc8\xff" + len(body).to_bytes(4, "big") + body)


def test_a_lock_in_disguise_is_shown_and_not_answered(house, lock):
    """gpg opens it in a wrapping that no program makes: it counts as if it had come before."""
    second = wrapped(binary(lock()))
    assert ciphertexts.identity(second) == b""
    house.receive(mail(second, MAL))
    assert "as no program packs a locked letter" in shown(house, "C-0001")
    assert "copied" in house.flags(1)


def test_a_decoy_before_a_lock_opens_nothing(house, lock):
    """Two messages in one are neither known again nor read."""
    second = armoured(b"\xc1\x01\x03") + lock()
    assert ciphertexts.identity(second) == b""
    house.receive(mail(second, MAL))
    assert "Melati" not in shown(house, "C-0001")


def test_an_erased_clients_letter_is_still_known_again(house, lock):
    """What a stranger sends on later does not open as a stranger's own words; no address stays."""
    armour = lock()
    house.receive(mail(armour, EVA))
    entries = house.call("sari", "case.show", case="C-0001")["entries"]
    house.call("sari", "case.read", case="C-0001", letters=[one["id"] for one in entries])
    for person in ("sari", "wulan"):  # nobody erases alone what the client did not ask for
        house.call(person, "case.erase", case="C-0001", reason="Diminta lewat telepon.")
    assert [row.sender_lookup for row in house.rows(models.Imprint)] == [b""]
    house.receive(mail(armour, MAL))
    assert house.flags(2) == ["copied"]


def test_nothing_of_a_lock_or_its_sender_is_readable(house, lock):
    """The store keeps keyed hashes of both."""
    armour = lock()
    house.receive(mail(armour, EVA))
    (row,) = house.rows(models.Imprint)
    assert isinstance(row, SimpleNamespace)
    assert row.lookup not in b64decode(b64encode(binary(armour)))
    assert len(row.lookup) == len(row.sender_lookup) == 32
