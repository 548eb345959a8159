"""The centre, a person, and a certificate: what OpenPGP does for us, with real gpg."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
import tempfile
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

import mailcounsel
from mailcounsel import errors
from mailcounsel.crypto import homes, openpgp, packets
from mailcounsel.crypto import memory as crypto_memory
from parts import gpg_homes

ROOT = str(Path(mailcounsel.__file__).parent.parent)
WORDS = b"Subject: hello\r\n\r\nsome words of a letter\r\n"


@pytest.fixture(scope="module")
def world():
    with gpg_homes.world() as made:
        yield made


@pytest.fixture
def memory(monkeypatch):
    """A place in memory for throw-away homes that no other test uses."""
    with tempfile.TemporaryDirectory(prefix="mc-", dir="/dev/shm") as made:
        monkeypatch.setenv("XDG_RUNTIME_DIR", made)
        assert crypto_memory.folder() == Path(made)
        yield Path(made)


# -- the centre


def test_a_letter_goes_there_and_back(world):
    """Encrypted and signed both ways, and each side knows the other."""
    letter = world.client.message(WORDS, to=[world.fingerprint], by=[world.ida])
    opened = world.centre.decrypt(letter, [world.ida_certificate])
    assert opened.data == WORDS
    assert opened.signatures == (openpgp.Signature(world.ida, valid=True, known=True),)
    answer = world.centre.encrypt_and_sign(WORDS, world.ida_certificate, world.ida)
    read = world.client("--status-fd", "1", "--decrypt", data=answer)
    assert WORDS in read
    assert f"VALIDSIG {world.fingerprint}".encode() in read


def test_an_answer_is_armoured_and_only_the_client_opens_it(world):
    """One recipient: a stolen centre key tells nothing of what was answered."""
    answer = world.centre.encrypt_and_sign(WORDS, world.ida_certificate, world.ida.lower())
    assert answer.startswith(b"-----BEGIN PGP MESSAGE-----\n")
    shown = world.stranger("--list-packets", data=answer, check=False)
    assert shown.count(b":pubkey enc packet:") == 1
    with pytest.raises(errors.DecryptionFailed):
        world.centre.decrypt(answer, [world.ida_certificate])


def test_the_centre_is_no_recipient_of_its_own(world):
    """Asked to encrypt to itself, the centre declines."""
    with pytest.raises(errors.NoUsableKey):
        world.centre.encrypt_and_sign(WORDS, world.certificate, world.fingerprint)


def test_a_letter_by_an_unknown_signer_opens_and_is_not_believed(world):
    """First contact: the words count, the signature does not."""
    letter = world.stranger.message(WORDS, to=[world.fingerprint], by=[world.max])
    opened = world.centre.decrypt(letter, [world.ida_certificate])
    assert opened.data == WORDS
    assert opened.signatures == (openpgp.Signature(world.max, valid=False, known=False),)


def test_an_unsigned_letter_opens_without_signatures(world):
    """No signature is not a bad signature."""
    letter = world.client.message(WORDS, to=[world.fingerprint])
    assert world.centre.decrypt(letter, [world.ida_certificate]).signatures == ()


def test_a_false_signature_inside_is_found(world):
    """Words put under another letter's signature open, and are not believed."""
    signed = world.client.message(WORDS, by=[world.ida], options=["--compress-algo", "none"])
    forged = gpg_homes.rebuilt(
        signed, lambda tag, body: (tag, body.replace(b"some", b"evil") if tag == 11 else body)
    )
    names = ["--recipient", world.fingerprint, "--no-literal", "--compress-algo", "none"]
    letter = world.client(*names, "--encrypt", data=forged)
    opened = world.centre.decrypt(letter, [world.ida_certificate])
    assert opened.data == WORDS.replace(b"some", b"evil")
    assert [(one.valid, one.known) for one in opened.signatures] == [(False, True)]


def test_binary_and_large_letters_come_back_byte_for_byte(world):
    """Nothing is read as text on the way."""
    data = bytes(range(256)) * 8192
    letter = world.client.message(data, to=[world.fingerprint])
    assert world.centre.decrypt(letter, []).data == data
    answer = world.centre.encrypt_and_sign(data, world.ida_certificate, world.ida)
    assert world.client("--decrypt", data=answer) == data


def test_a_detached_signature_is_checked_against_exact_bytes(world):
    """One changed line ending is another text."""
    signature = world.client.signature(WORDS, world.ida)
    certificates = [world.max_certificate, world.ida_certificate]
    assert world.centre.verify(WORDS, signature, certificates)[0].valid
    lines = WORDS.replace(b"\r\n", b"\n")
    assert [one.valid for one in world.centre.verify(lines, signature, certificates)] == [False]
    assert not any(one.valid for one in world.centre.verify(WORDS, b"no signature", certificates))
    unknown = world.centre.verify(WORDS, signature, [world.max_certificate])
    assert unknown == (openpgp.Signature(world.ida, valid=False, known=False),)


def without_checksum(label, data):
    """Return armour as programs write it that follow RFC 9580: the checksum is optional there."""
    lines = b64encode(data)
    begin, end = (b"-----%s PGP %s-----\n" % (word, label) for word in (b"BEGIN", b"END"))
    return begin + b"\n" + lines + b"\n" + end


def test_armour_without_a_checksum_is_read(world):
    """gpg 2.2 takes its end for more of it where no padding stands before."""
    lengths = set()
    for more in range(6):
        words = WORDS + b"x" * more
        to = {"to": [world.fingerprint], "by": [world.ida], "options": ["--compress-algo", "none"]}
        locked = packets.binary(world.client.message(words, **to), packets.MESSAGE)
        lengths.add(len(locked) % 3)
        mail = without_checksum(b"MESSAGE", locked)
        opened = world.centre.decrypt(mail, [world.ida_certificate])
        assert (opened.data, opened.signatures[0].valid) == (words, True)
    assert 0 in lengths
    signature = world.client.signature(WORDS, world.ida)
    made = without_checksum(b"SIGNATURE", packets.binary(signature, packets.SIGNATURE))
    assert world.centre.verify(WORDS, made, [world.ida_certificate])[0].valid


def test_a_signed_message_is_no_detached_signature(world):
    """A file that brings its own text along vouches for no other."""
    whole = world.client.message(b"other words", by=[world.ida])
    clear = world.client("--local-user", world.ida, "--clearsign", data=b"other words")
    for given in (whole, clear):
        assert not openpgp.verify_with(world.ida_certificate, WORDS, given)
        assert not any(
            one.valid for one in world.centre.verify(WORDS, given, [world.ida_certificate])
        )


def test_the_centre_signs_what_anyone_can_check(world):
    """With the public certificate alone."""
    signature = world.centre.sign_detached(WORDS)
    assert openpgp.verify_with(world.certificate, WORDS, signature)
    assert not openpgp.verify_with(world.certificate, WORDS + b" ", signature)
    assert not openpgp.verify_with(world.ida_certificate, WORDS, signature)


def test_the_public_certificate_is_small_and_public(world):
    """Binary, under a kilobyte, no secret in it, and never expiring."""
    facts = openpgp.examine(world.certificate)
    assert (facts.fingerprint, facts.addresses) == (world.fingerprint, ("help@example.org",))
    assert (facts.can_encrypt, facts.revoked, facts.expired, facts.expires) == (
        True,
        False,
        False,
        None,
    )
    assert facts.created.utcoffset() == timedelta(0)
    assert len(world.certificate) < 1024


def test_no_second_key_is_made_in_one_home(world):
    """One centre, one home: gpg could take the wrong one."""
    with pytest.raises(errors.Conflict):
        openpgp.make_centre(world.home, "Sample Centre", "help@example.org")


def test_a_home_without_the_key_is_told(short_tmp):
    """Whoever configures another fingerprint hears of it at the start."""
    with pytest.raises(errors.NoUsableKey):
        openpgp.Centre(short_tmp / "empty", "A" * 40)


# -- what stays behind


def test_no_client_ever_enters_the_centres_home(world, memory):
    """A keyring shows addresses in clear, so none is kept, and none is left in memory."""
    letter = world.client.message(WORDS, to=[world.fingerprint], by=[world.ida])
    world.centre.decrypt(letter, [world.ida_certificate])
    world.centre.encrypt_and_sign(WORDS, world.ida_certificate, world.ida)
    openpgp.examine(world.ida_certificate)
    kept = subprocess.run(
        ["grep", "-rlE", "ida@|Ida", str(world.home)], capture_output=True, check=False
    )
    assert kept.stdout == b""
    assert list(memory.iterdir()) == []


def test_nothing_about_anyone_is_logged(world, caplog):
    """Not even at the level where python-gnupg tells everything."""
    with caplog.at_level(logging.DEBUG):
        letter = world.client.message(WORDS, to=[world.fingerprint], by=[world.ida])
        world.centre.decrypt(letter, [world.ida_certificate])
        world.centre.encrypt_and_sign(WORDS, world.ida_certificate, world.ida)
        openpgp.examine(world.ida_certificate)
    assert "ida" not in caplog.text.lower()
    assert "words" not in caplog.text


LEAVE_ONE = """
import os
from mailcounsel.crypto import homes
with homes.throw_away() as home:
    (home / "pubring.kbx").write_bytes(b"ida@example.org")
    os._exit(9)
"""


def test_what_a_dead_process_left_is_swept(memory):
    """A home in use is left alone; one whose process was killed goes."""
    subprocess.run(
        [sys.executable, "-c", LEAVE_ONE], check=False, env=os.environ | {"PYTHONPATH": ROOT}
    )
    (dead,) = memory.iterdir()
    with homes.throw_away() as living:
        assert homes.sweep() == 1
        assert list(memory.iterdir()) == [living]
        assert not dead.exists()
    assert list(memory.iterdir()) == []


def test_no_home_is_made_on_a_disk(world, short_tmp, monkeypatch):
    """A runtime directory that lies on a disk is passed over; without memory nothing is opened."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_tmp))
    monkeypatch.setattr(tempfile, "tempdir", str(short_tmp))
    if crypto_memory.is_memory(short_tmp):
        pytest.skip("/tmp lies in memory here")
    with homes.throw_away() as home:
        assert crypto_memory.is_memory(home)
    letter = world.client.message(WORDS, to=[world.fingerprint])
    monkeypatch.setattr(crypto_memory, "is_memory", lambda _: False)
    for call in (
        lambda: world.centre.decrypt(letter, [world.ida_certificate]),
        lambda: openpgp.Centre(world.root / "centre", world.fingerprint),
    ):
        with pytest.raises(errors.Unavailable, match="writable tmpfs on /dev/shm"):
            call()
    assert list(short_tmp.iterdir()) == []


def test_homes_an_earlier_release_left_on_a_disk_are_swept(short_tmp, monkeypatch):
    """Both where a runtime directory lies on a disk and among the temporary files."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_tmp / "run"))
    monkeypatch.setattr(tempfile, "tempdir", str(short_tmp))
    left = [place / "mailcounsel-gpg-left" for place in (short_tmp, short_tmp / "run")]
    for home in left:
        home.mkdir(parents=True, mode=0o700)
        (home / "in-use").touch()
        (home / "pubring.kbx").write_bytes(b"ida@example.org")
    assert homes.sweep() >= 2
    assert not any(home.exists() for home in left)


def test_opened_words_are_not_shown(world):
    """A repr in a traceback holds no letter and no address."""
    letter = world.client.message(WORDS, to=[world.fingerprint])
    assert "words" not in repr(world.centre.decrypt(letter, []))
    assert "ida" not in repr(openpgp.examine(world.ida_certificate)).lower().replace(
        world.ida.lower(), ""
    )


# -- the agent


def test_many_threads_share_one_centre(world):
    """Letters are opened and answered side by side, and none gets another's words."""

    def there_and_back(number):
        data = b"letter %d" % number
        person, own, certificate = (
            (world.client, world.ida, world.ida_certificate),
            (world.stranger, world.max, world.max_certificate),
        )[number % 2]
        answer = world.centre.encrypt_and_sign(data, certificate, own)
        letter = person.message(data, to=[world.fingerprint], by=[own])
        opened = world.centre.decrypt(letter, [certificate])
        return (
            person("--decrypt", data=answer) == data == opened.data and opened.signatures[0].valid
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(24)))


def test_an_agent_that_died_is_started_again(short_tmp):
    """Nobody has to restart the service for it; and closing leaves none behind."""
    home = short_tmp / "centre"
    centre = openpgp.Centre(home, openpgp.make_centre(home, "Centre", "help@example.org"))
    gpg_homes.stop_agents(short_tmp)
    assert centre.sign_detached(WORDS)
    centre.close()
    assert not homes.Agent(home).alive()


@pytest.mark.parametrize("size", [0, 200])
def test_a_full_disk_is_nobodys_bad_key(world, size):
    """Neither letter nor key is to blame: it is tried again, and then it works."""
    letter = world.client.message(WORDS, to=[world.fingerprint], by=[world.ida])
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    for call in (
        lambda: world.centre.decrypt(letter, [world.ida_certificate]),
        lambda: world.centre.encrypt_and_sign(WORDS, world.ida_certificate, world.ida),
        lambda: world.centre.sign_detached(WORDS),
    ):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, kept[1]))
        try:
            with pytest.raises(errors.TryLater):
                call()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, kept)
        assert call()


@pytest.mark.parametrize("length", [95, 123, 180])
def test_a_long_path_to_a_home_works(short_tmp, memory, world, length):
    """Unix sockets take 107 bytes of path; homes may lie deeper than that."""
    home = short_tmp / ("x" * (length - len(str(short_tmp)) - 1))
    fingerprint = openpgp.make_centre(home, "Deep Centre", "help@example.org")
    centre = openpgp.Centre(home, fingerprint)
    world.client("--import", data=centre.public_certificate())
    letter = world.client.message(WORDS, to=[fingerprint], by=[world.ida])
    assert centre.decrypt(letter, [world.ida_certificate]).data == WORDS
    again = openpgp.Centre(home, fingerprint)
    assert again.encrypt_and_sign(WORDS, world.ida_certificate, world.ida)
    centre.close()
    assert not homes.Agent(home).alive()
    assert centre.sign_detached(WORDS)  # even after its runtime directory went
    centre.close()
    assert [found.name for found in memory.glob("mailcounsel-*")] == []


def test_sockets_are_not_put_where_others_got_in_first(short_tmp, monkeypatch):
    """A directory laid out for us by somebody else, or open to them, is not used."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_tmp))
    home = short_tmp / ("x" * 110)
    openpgp.Personal(home)
    (made,) = short_tmp.glob("mailcounsel-sockets-*")
    made.chmod(0o777)
    with pytest.raises(errors.Unavailable):
        openpgp.Personal(home)


def test_without_gpg_the_advice_is_to_install_it(world, monkeypatch):
    """One sentence, one command."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(errors.Unavailable, match="sudo apt install gnupg"):
        openpgp.examine(world.ida_certificate)
    with pytest.raises(errors.Unavailable, match="sudo apt install gnupg"):
        openpgp.make_centre(world.root / "never", "Centre", "help@example.org")


# -- a look at a certificate


def test_a_certificate_is_read_in_either_form(world):
    """Armoured with headers and text around it, CRLF or LF, or binary."""
    armoured = world.client("--armor", "--comment", "a comment", "--export", world.ida)
    around = b"Here is my key:\r\n\r\n" + armoured.replace(b"\n", b"\r\n") + b"-- \r\nIda\r\n"
    facts = openpgp.examine(world.ida_certificate)
    assert facts.fingerprint == world.ida
    assert openpgp.examine(armoured) == openpgp.examine(around) == facts
    assert openpgp.dearmour(armoured) == world.ida_certificate


def test_a_user_id_the_key_never_signed_is_not_listed(world):
    """An address pasted into somebody's certificate is not theirs."""
    found = list(packets.split(world.ida_certificate))
    pasted = (13, b"Victim <victim@example.org>")
    forged = b"".join(gpg_homes.packet(*one) for one in [*found[:3], pasted, *found[3:]])
    facts = openpgp.examine(forged)
    assert facts.fingerprint == world.ida
    assert facts.addresses == ("ida@example.org",)


def test_a_revoked_address_is_not_listed(world):
    """Somebody who left an address behind is not found under it."""
    own = world.client.key("Kim <new@example.org>")
    world.client("--passphrase", "", "--quick-add-uid", own, "Kim <old@example.org>")
    world.client("--passphrase", "", "--quick-revoke-uid", own, "Kim <old@example.org>")
    assert openpgp.examine(world.client.export(own)).addresses == ("new@example.org",)


def test_a_subkey_of_somebody_else_is_not_encrypted_to(world):
    """A foreign encryption key, pasted into a certificate without one, counts for nothing."""
    own = world.client.key("Bare <bare@example.org>", encrypts=False)
    foreign = list(packets.split(world.max_certificate))[-2:]
    pasted = world.client.export(own) + b"".join(gpg_homes.packet(*one) for one in foreign)
    assert not openpgp.examine(pasted).can_encrypt
    with pytest.raises(errors.NoUsableKey):
        world.centre.encrypt_and_sign(WORDS, pasted, own)


def test_several_keys_in_one_are_refused(world):
    """Which one would be pinned?"""
    with pytest.raises(errors.BadKey):
        openpgp.examine(world.ida_certificate + world.max_certificate)


def test_an_oversized_certificate_is_refused(world):
    """64 KiB are plenty, and gpg is not asked about more."""
    padding = gpg_homes.packet(13, b"x" * 65536)
    for given in (world.ida_certificate + padding, b"A" * 200_000):
        with pytest.raises(errors.BadKey):
            openpgp.examine(given)


def test_a_newer_key_version_is_refused_with_advice(world):
    """Version 6 keys cannot be used by gpg 2.2; the client is asked for another."""
    six = gpg_homes.rebuilt(
        world.ida_certificate,
        lambda tag, body: (tag, b"\x06" + body[1:]) if tag == 6 else (tag, body),
    )
    with pytest.raises(errors.BadKey, match="version 4"):
        openpgp.examine(six)


def test_garbage_is_refused(world):
    """Cut, scrambled or empty input is BadKey and nothing else."""
    body = world.ida_certificate
    for given in (
        b"",
        b"words",
        body[:40],
        body[:-30],
        body[1:],
        b"\xff" * 90,
        gpg_homes.packet(6, b"\x04"),
    ):
        with pytest.raises(errors.BadKey):
            openpgp.examine(given)


# -- a person


def test_a_person_locks_something_away_for_themselves(short_tmp):
    """Only the same key's own work is opened again."""
    person = openpgp.Personal(short_tmp / "p")
    own = person.make_key("Pat Sample", "pat@example.org")
    other = person.make_key("Pat Sample", "pat@work.test")
    assert {facts.fingerprint for facts in person.secret_keys()} == {own, other}
    locked = person.encrypt_to_self_and_sign(b"a seed", own)
    assert b"seed" not in locked
    assert person.decrypt_own(locked, own) == b"a seed"
    with pytest.raises(errors.SealBroken):
        person.decrypt_own(locked, other)
    person.close()


@pytest.mark.parametrize("name", ["Åsa Sample", "Łucja", "徐 Sample", "O'Neil: (Pat) \\n %echo"])
def test_any_name_may_stand_on_a_key(short_tmp, name):
    """Names are written as UTF-8 and come back as they were."""
    person = openpgp.Personal(short_tmp / "p")
    own = person.make_key(name, "pat@example.org")
    (facts,) = person.secret_keys()
    assert facts == openpgp.examine(person.export(own))
    assert facts.user_ids == (f"{name} <pat@example.org>",)
    person.close()


def test_without_a_home_the_usual_one_is_used(short_tmp, monkeypatch):
    """A therapist's own key, where their gpg has it."""
    own = gpg_homes.Gpg(short_tmp / "usual").key("Pat Sample <pat@example.org>")
    monkeypatch.setenv("GNUPGHOME", str(short_tmp / "usual"))
    person = openpgp.Personal()
    assert [facts.fingerprint for facts in person.secret_keys()] == [own]
    assert openpgp.verify_with(person.export(own), b"roster", person.sign(b"roster", own))
    person.close()


def test_what_somebody_else_locked_is_not_taken(short_tmp, world):
    """Anyone can encrypt to a person: unsigned or foreign work is a broken seal."""
    person = openpgp.Personal(short_tmp / "p")
    own = person.make_key("Pat Sample", "pat@example.org")
    world.stranger("--import", data=person.export(own))
    for by in ([], [world.max]):
        with pytest.raises(errors.SealBroken):
            person.decrypt_own(world.stranger.message(b"a seed", to=[own], by=by), own)
    with pytest.raises(errors.DecryptionFailed):
        person.decrypt_own(b"nothing of the kind", own)
    person.close()


def test_a_person_signs_and_others_check(short_tmp):
    """With their exported certificate alone."""
    person = openpgp.Personal(short_tmp / "p")
    own = person.make_key("Pat Sample", "pat@example.org")
    signature = person.sign(b"roster", own)
    assert openpgp.verify_with(person.export(own), b"roster", signature)
    assert not openpgp.verify_with(person.export(own), b"rosters", signature)
    with pytest.raises(errors.NoUsableKey):
        person.sign(b"roster", "B" * 40)
    with pytest.raises(errors.NoUsableKey):
        person.export("B" * 40)
    person.close()


PINENTRY = """#!/bin/sh
echo OK
while read -r word rest; do
  case $word in
    OPTION) echo "$rest" >> "$0.told"; echo OK ;;
    GETPIN) echo "D correct horse"; echo OK ;;
    *) echo OK ;;
  esac
done
"""


def test_a_locked_key_opens_through_the_persons_pinentry(short_tmp, monkeypatch):
    """A passphrase is asked for by the agent, at the person's terminal, and never by us."""
    gpg = gpg_homes.Gpg(short_tmp / "p")
    pinentry = short_tmp / "pinentry"
    pinentry.write_text(PINENTRY)
    pinentry.chmod(0o700)
    with (gpg.home / "gpg-agent.conf").open("a") as conf:
        conf.write(f"pinentry-program {pinentry}\n")
    monkeypatch.setenv("GPG_TTY", "/dev/pts/77")
    person = openpgp.Personal(gpg.home)
    own = person.make_key("Pat Sample", "pat@example.org", "correct horse")
    assert person.decrypt_own(person.encrypt_to_self_and_sign(b"a seed", own), own) == b"a seed"
    assert "ttyname=/dev/pts/77" in (short_tmp / "pinentry.told").read_text()
    person.close()
