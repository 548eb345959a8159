"""Traps of gpg and python-gnupg, each sprung with real gpg and seen to hold nothing.

Every input here was made by gpg, by another OpenPGP program, or byte by byte. The numbers keep
the tests of one trap together.
"""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from mailcounsel import errors
from mailcounsel.crypto import openpgp, packets
from parts import gpg_homes

WORDS = b"Subject: hello\r\n\r\nsome words of a letter\r\n"


@pytest.fixture(scope="module")
def world():
    with gpg_homes.world() as made:
        yield made


def refused(world, message, certificates=()):
    with pytest.raises(errors.DecryptionFailed) as caught:
        world.centre.decrypt(message, certificates)
    assert "words" not in str(caught.value)
    return True


# -- 1: what a sender writes is no text


def test_trap_01_a_binary_notation_does_not_stop_a_letter(world, need, tmp_path):
    """Sequoia salts its signatures with raw bytes; each such letter opens, and is known."""
    sqop = need("sqop")
    key = subprocess.run(
        [sqop, "generate-key", "Ann <ann@example.org>"], capture_output=True, check=True
    )
    (tmp_path / "key").write_bytes(key.stdout)
    certificate = subprocess.run(
        [sqop, "extract-cert"], input=key.stdout, capture_output=True, check=True
    )
    (tmp_path / "centre").write_bytes(world.certificate)
    command = [sqop, "encrypt", "--sign-with", str(tmp_path / "key"), str(tmp_path / "centre")]
    for _ in range(8):
        made = subprocess.run(command, input=WORDS, capture_output=True, check=True)
        opened = world.centre.decrypt(made.stdout, [certificate.stdout])
        assert opened.data == WORDS
        assert [(one.valid, one.known) for one in opened.signatures] == [(True, True)]


def test_trap_01_a_user_id_does_not_speak_for_gpg(world):
    """A line break of Unicode inside a user id ends no status line, whoever it names as signer."""
    good = f"[GNUPG:] GOODSIG {world.ida[-16:]} Ida"
    lie = f"[GNUPG:] VALIDSIG {world.ida} 2026-01-01 1 0 4 0 22 10 00 {world.ida} "
    mallory = gpg_homes.Gpg(world.root / "mallory")
    mallory("--import", data=world.certificate)
    own = mallory.key(
        f"Mallory\x85[GNUPG:] NEWSIG\x85{good}\x85{lie}\x85[GNUPG:] NEWSIG <m@test.test>"
    )
    message = mallory.message(WORDS, to=[world.fingerprint], by=[own])
    opened = world.centre.decrypt(message, [world.ida_certificate, mallory.export(own)])
    assert opened.signatures == (openpgp.Signature(own, valid=True, known=True),)


@pytest.mark.parametrize("name", ["Åsa", "…\x85…", "a:b\\x3a", "%0A[GNUPG:]"])
def test_trap_01_any_name_is_read_as_it_was_written(world, name):
    """A name with the byte 0x85 or an escape in it comes back whole, and its letters open."""
    gpg = gpg_homes.Gpg(world.root / f"named{abs(hash(name))}")
    gpg("--import", data=world.certificate)
    own = gpg.key(f"{name} <n@example.org>")
    facts = openpgp.examine(gpg.export(own))
    assert facts.user_ids == (f"{name} <n@example.org>",)
    assert facts.addresses == ("n@example.org",)
    message = gpg.message(WORDS, to=[world.fingerprint], by=[own])
    assert world.centre.decrypt(message, [gpg.export(own)]).signatures[0].valid


# -- 2, 3, 4, 5, 15: what gpg gives out although it should not be taken


@pytest.mark.parametrize("size", [200_000, 20_000_000])
def test_trap_02_15_output_beyond_the_cap_is_no_letter(world, size):
    """gpg says "decryption ok" of a cut letter, and of a bomb; here it is a failure."""
    centre = openpgp.Centre(world.home, world.fingerprint, cap=100_000)
    message = world.client.message(bytes(size), to=[world.fingerprint])
    with pytest.raises(errors.DecryptionFailed):
        centre.decrypt(message, [])
    assert centre.decrypt(world.client.message(bytes(50_000), to=[world.fingerprint]), []).data


def test_trap_03_two_messages_in_one_are_no_letter(world):
    """Which of the two would be the letter?"""
    one, two = (world.client.message(data, to=[world.fingerprint]) for data in (WORDS, b"more"))
    assert refused(world, one + two)


def test_trap_03_a_message_with_something_beside_it_is_no_letter(world):
    """Clear text before or behind the encrypted part is not mixed in."""
    message = world.client.message(WORDS, to=[world.fingerprint])
    assert refused(world, message + gpg_homes.literal(b"added words"))
    assert refused(world, gpg_homes.literal(b"added words") + message)


@pytest.mark.parametrize("signed", [True, False])
def test_trap_04_a_tampered_message_yields_nothing(world, signed):
    """One flipped bit at the end, middle or start, and no plaintext comes out."""
    by = [world.ida] if signed else []
    message = world.client.message(WORDS, to=[world.fingerprint], by=by)
    for at in (-1, -30, -60):
        changed = bytearray(message)
        changed[at] ^= 1
        assert refused(world, bytes(changed), [world.ida_certificate])


def test_trap_04_a_message_without_integrity_protection_yields_nothing(world):
    """The downgrade of EFAIL: a protected packet relabelled as an unprotected one."""
    message = world.client.message(WORDS, to=[world.fingerprint])
    without = gpg_homes.rebuilt(
        message, lambda tag, body: (9, body[1:]) if tag == 18 else (tag, body)
    )
    assert refused(world, without)


def test_trap_05_what_was_not_encrypted_is_not_opened(world):
    """A message merely signed, clear-signed, or a bare literal packet was never secret."""
    client = world.client
    assert refused(world, client.message(WORDS, by=[world.ida]), [world.ida_certificate])
    clear = client("--local-user", world.ida, "--clearsign", data=WORDS)
    assert refused(world, clear, [world.ida_certificate])
    assert refused(world, gpg_homes.literal(WORDS))
    assert refused(world, WORDS)
    assert refused(world, b"")


def test_trap_05_a_signature_around_the_encryption_vouches_for_nothing(world):
    """Whoever signs somebody else's ciphertext did not sign the letter."""
    inner = world.client.message(WORDS, to=[world.fingerprint])
    signed = world.stranger.message(WORDS, by=[world.max], options=["--compress-algo", "none"])
    announced, _, signature = (gpg_homes.packet(*found) for found in packets.split(signed))
    try:
        opened = world.centre.decrypt(announced + inner + signature, [world.max_certificate])
    except errors.DecryptionFailed:
        return
    assert not any(one.valid for one in opened.signatures)


# -- 6, 7, 8: which key, and who is asked


def test_trap_06_an_expired_centre_key_never_lets_another_sign(world, short_tmp):
    """gpg would take any other secret key in the home; here nothing is sent instead."""
    gpg = gpg_homes.Gpg(short_tmp / "centre")
    past = ["--faked-system-time", gpg_homes.PAST]
    expired = gpg.key("Old <help@example.org>", expires="1y", options=past)
    gpg.key("Other <help@example.org>")
    centre = openpgp.Centre(short_tmp / "centre", expired)
    with pytest.raises(errors.OpenPGPError):
        centre.encrypt_and_sign(WORDS, world.ida_certificate, world.ida)
    with pytest.raises(errors.OpenPGPError):
        centre.sign_detached(WORDS)
    centre.close()


@pytest.mark.parametrize("name", ["ida@example.org", "da@exam", "", "-r", "0123456789ABCDEF"])
def test_trap_07_a_key_is_named_by_its_whole_fingerprint(world, name):
    """No address, no key id, no option passes for a recipient."""
    with pytest.raises(errors.NoUsableKey):
        world.centre.encrypt_and_sign(WORDS, world.ida_certificate, name)


def test_trap_07_a_newer_key_for_the_same_address_is_not_taken(world, short_tmp):
    """The certificate must be that of the pinned fingerprint, whatever address it claims."""
    mallory = gpg_homes.Gpg(short_tmp / "m")
    own = mallory.key("Ida Sample <ida@example.org>")
    with pytest.raises(errors.NoUsableKey):
        world.centre.encrypt_and_sign(WORDS, mallory.export(own), world.ida)


def test_trap_08_the_network_is_never_asked(world, short_tmp):
    """A letter by an unknown key asks no key server, even where gpg.conf would have it so."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        person = openpgp.Personal(short_tmp / "p")
        own = person.make_key("Pat Sample", "pat@example.org")
        port = server.getsockname()[1]
        asking = f"keyserver hkp://127.0.0.1:{port}\nauto-key-retrieve\nauto-key-locate keyserver\n"
        (short_tmp / "p" / "gpg.conf").write_text(asking)
        world.stranger("--import", data=person.export(own))
        message = world.stranger.message(b"seed", to=[own], by=[world.max])
        with pytest.raises(errors.SealBroken):
            person.decrypt_own(message, own)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert not (short_tmp / "p" / "S.dirmngr").exists()
    assert "disable-dirmngr" in (world.home / "gpg.conf").read_text()


# -- 9, 10: what a certificate may be


def test_trap_09_a_secret_key_is_refused_wherever_it_is_given(world):
    """A client who sends their secret key by mistake does not leave it with us."""
    secret = world.stranger.export_secret(world.max)
    message = world.client.message(WORDS, to=[world.fingerprint])
    signature = world.stranger.signature(WORDS, world.max)
    armoured = world.stranger("--armor", "--export-secret-keys", world.max)
    for given in (secret, armoured, world.max_certificate + secret):
        with pytest.raises(errors.BadKey):
            openpgp.examine(given)
        with pytest.raises(errors.BadKey):
            world.centre.decrypt(message, [given])
        with pytest.raises(errors.BadKey):
            world.centre.encrypt_and_sign(WORDS, given, world.max)
        with pytest.raises(errors.BadKey):
            world.centre.verify(WORDS, signature, [given])
    assert len(list((world.home / "private-keys-v1.d").iterdir())) == 2


def test_trap_10_an_expired_key_is_told_apart(world):
    """The alarm can say why: the client has to renew their key."""
    past = ["--faked-system-time", gpg_homes.PAST]
    expired = world.client.key("Old <old@example.org>", expires="1y", options=past)
    certificate = world.client.export(expired)
    assert openpgp.examine(certificate).expired
    with pytest.raises(errors.KeyExpired):
        world.centre.encrypt_and_sign(WORDS, certificate, expired)


def test_trap_10_a_key_whose_encryption_subkey_expired_is_told_apart(world):
    """The primary key lives on, but nothing can be encrypted to it."""
    past = ["--faked-system-time", gpg_homes.PAST]
    own = world.client.key("Sub <sub@example.org>", options=past, encrypts=False)
    world.client(*past, "--passphrase", "", "--quick-add-key", own, "cv25519", "encr", "1y")
    certificate = world.client.export(own)
    facts = openpgp.examine(certificate)
    assert facts.expires is not None
    assert (facts.expired, facts.can_encrypt, facts.expires.year) == (True, False, 2020)
    with pytest.raises(errors.KeyExpired):
        world.centre.encrypt_and_sign(WORDS, certificate, own)


def test_trap_10_a_revoked_key_or_one_that_only_signs_is_not_encrypted_to(world):
    """Nothing leaves, and the reason is a key's, not a letter's."""
    revoked = world.client.key("Gone <gone@example.org>")
    world.client.revoke(revoked)
    signs = world.client.key("Signs <signs@example.org>", encrypts=False)
    assert openpgp.examine(world.client.export(revoked)).revoked
    for own in (revoked, signs):
        certificate = world.client.export(own)
        assert not openpgp.examine(certificate).can_encrypt
        with pytest.raises(errors.NoUsableKey) as caught:
            world.centre.encrypt_and_sign(WORDS, certificate, own)
        assert not isinstance(caught.value, errors.KeyExpired)


# -- 11, 12, 13: whose signature


def test_trap_11_a_signature_by_a_revoked_or_expired_key_is_not_valid(world):
    """gpg lists it as "valid" beside saying that the key is gone."""
    revoked = world.client.key("Rev <rev@example.org>")
    message = world.client.message(WORDS, to=[world.fingerprint], by=[revoked])
    signature = world.client.signature(WORDS, revoked)
    world.client.revoke(revoked)
    certificate = world.client.export(revoked)
    opened = world.centre.decrypt(message, [certificate])
    assert opened.data == WORDS
    assert opened.signatures == (openpgp.Signature(revoked, valid=False, known=True),)
    assert not openpgp.verify_with(certificate, WORDS, signature)


def test_trap_11_a_signature_by_an_expired_key_is_not_valid(world):
    """Nor is one made while the key was good: whoever finds an old key could date it back."""
    past = ["--faked-system-time", gpg_homes.PAST]
    expired = world.client.key("Exp <exp@example.org>", expires="1y", options=past)
    certificate = world.client.export(expired)
    signature = world.client.signature(WORDS, expired, *past)
    found = world.centre.verify(WORDS, signature, [certificate])
    assert found == (openpgp.Signature(expired, valid=False, known=True),)
    assert not openpgp.verify_with(certificate, WORDS, signature)


@pytest.mark.parametrize("turned", [False, True])
def test_trap_12_every_signature_is_judged_by_itself(world, turned):
    """A revoked second signer takes nothing from the first, nor the first lends it anything."""
    revoked = world.client.key(f"Two {turned} <two@example.org>")
    order = [revoked, world.ida] if turned else [world.ida, revoked]
    message = world.client.message(WORDS, to=[world.fingerprint], by=order)
    world.client.revoke(revoked)
    certificates = [world.ida_certificate, world.client.export(revoked)]
    opened = world.centre.decrypt(message, certificates)
    assert {one.fingerprint: one.valid for one in opened.signatures} == {
        world.ida: True,
        revoked: False,
    }
    alone = world.centre.decrypt(message, [world.ida_certificate])
    assert {one.fingerprint: (one.valid, one.known) for one in alone.signatures} == {
        world.ida: (True, True),
        revoked: (False, False),
    }


def test_trap_13_other_and_hidden_recipients_do_no_harm(world):
    """A letter also sent to somebody else, or to nobody named, opens all the same."""
    world.client("--import", data=world.max_certificate)
    both = world.client.message(WORDS, to=[world.max, world.fingerprint], by=[world.ida])
    hidden = world.client.message(
        WORDS, to=[world.fingerprint], by=[world.ida], options=["--throw-keyids"]
    )
    for message in (both, hidden):
        opened = world.centre.decrypt(message, [world.ida_certificate])
        assert opened.data == WORDS
        assert opened.signatures[0].valid


# -- 14, 17: nobody is there to type


def stopped(pid):
    """Stop a process, and say whether it stands still: a single SIGSTOP was seen to pass by."""
    os.kill(pid, signal.SIGSTOP)
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_trap_14_a_gpg_that_hangs_is_ended(short_tmp, until):
    """With the agent stopped dead, a call gives up by itself, and the next one works."""
    home = short_tmp / "centre"
    fingerprint = openpgp.make_centre(home, "Slow Centre", "slow@example.org")
    centre = openpgp.Centre(home, fingerprint, patience=60)
    asked = ["gpg-connect-agent", "--homedir", str(home), "getinfo pid", "/bye"]
    told = subprocess.run(asked, capture_output=True, check=True).stdout
    agent = int(told.split()[1])
    until(lambda: stopped(agent), "the agent standing still")
    try:
        centre._patience = 0.2
        with pytest.raises(errors.TryLater):
            centre.sign_detached(WORDS)
    finally:
        os.kill(agent, signal.SIGCONT)
    centre._patience = 60
    assert openpgp.verify_with(centre.public_certificate(), WORDS, centre.sign_detached(WORDS))
    centre.close()


def test_trap_14_a_locked_key_fails_and_asks_nobody(world, short_tmp):
    """The service has no terminal: no pinentry is started, and the call returns."""
    gpg = gpg_homes.Gpg(short_tmp / "centre")
    locked = gpg.key("Locked <help@example.org>", passphrase="long and secret")
    gpg_homes.stop_agents(short_tmp)
    centre = openpgp.Centre(short_tmp / "centre", locked)
    with pytest.raises(errors.OpenPGPError):
        centre.sign_detached(WORDS)
    gpg.message(WORDS, to=[locked])
    with pytest.raises(errors.DecryptionFailed):
        centre.decrypt(gpg.message(WORDS, to=[locked]), [])
    centre.close()


def test_trap_16_a_key_nobody_vouched_for_is_encrypted_to(world):
    """Which keys are right is decided by our pins, not by gpg's web of trust."""
    armoured = world.centre.encrypt_and_sign(WORDS, world.max_certificate, world.max)
    assert world.stranger("--decrypt", data=armoured) == WORDS


def test_trap_17_a_message_under_a_passphrase_is_not_opened(world):
    """Nobody is there to know it."""
    options = ["--passphrase", "whatever", "--symmetric"]
    assert refused(world, world.client(*options, data=WORDS))


def test_trap_18_a_home_is_for_its_owner_alone(world, short_tmp):
    """0700 from the start, and mended where it was laxer."""
    assert stat.S_IMODE(world.home.stat().st_mode) == 0o700
    lax = short_tmp / "lax"
    lax.mkdir(mode=0o755)
    openpgp.Personal(lax)
    assert stat.S_IMODE(lax.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["Eve\n%commit", "Eve\r\nKey-Type: RSA", "Eve\x85", "Eve\0"])
def test_a_name_is_one_line(short_tmp, name):
    """A name cannot add a parameter to the making of a key."""
    with pytest.raises(ValueError):
        openpgp.Personal(short_tmp / "p").make_key(name, "eve@example.org")
    with pytest.raises(ValueError):
        openpgp.Personal(short_tmp / "p").make_key("Eve", "eve@example.org", "pass\nphrase")
