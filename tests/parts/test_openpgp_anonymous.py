"""Letters locked for recipients that are not named, as Delta Chat locks all of its own."""

from __future__ import annotations

import pytest

from mailcounsel import errors
from mailcounsel.crypto import packets, recipients
from parts import gpg_homes

WORDS = b"Halo, saya sulit tidur."


@pytest.fixture(scope="module")
def world():
    with gpg_homes.world() as made:
        yield made


def locked(world, names, *options, armour=True):
    arguments = [part for name in names for part in ("--hidden-recipient", name)]
    more = ("--armor",) if armour else ()
    return world.client.message(
        WORDS, by=(world.ida,), options=(*arguments, "--encrypt", *options, *more)
    )


@pytest.mark.parametrize("armour", [True, False])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_our_packet_is_found_wherever_it_stands(world, place, armour):
    """A letter locked to its writer first, then to us, opens, and the signature is seen."""
    other = world.client.key(f"Other Sample <other{place}{armour}@example.org>")
    names = [world.ida, other]
    names.insert(place, world.fingerprint)
    opened = world.centre.decrypt(locked(world, names, armour=armour), [world.ida_certificate])
    assert opened.data == WORDS
    assert [(one.fingerprint, one.valid) for one in opened.signatures] == [(world.ida, True)]


def test_an_unknown_signer_does_not_stop_it(world):
    """The first letter of a stranger opens although nobody can say who signed it."""
    opened = world.centre.decrypt(locked(world, [world.ida, world.fingerprint]), [])
    assert opened.data == WORDS
    assert [one.known for one in opened.signatures] == [False]


def test_a_named_packet_beside_anonymous_ones(world):
    """We may be named while others are not."""
    ciphertext = locked(world, [world.ida], "--recipient", world.fingerprint)
    assert world.centre.decrypt(ciphertext, [world.ida_certificate]).data == WORDS


def test_a_letter_for_others_stays_locked(world):
    """A letter for others alone is refused, however many there are."""
    with pytest.raises(errors.DecryptionFailed):
        world.centre.decrypt(locked(world, [world.ida, world.ida]), [])
    many = locked(world, [world.ida], armour=False)
    keys, rest = packets.leading(many, recipients.SESSION_KEY)
    assert len(recipients.alternatives(keys[0] * 500 + rest)) == recipients.MOST


def test_what_needs_no_choice_is_left_alone(world):
    """A named message goes to gpg as one, without its armour; garbage goes as it came."""
    named = world.client.message(WORDS, to=(world.ida, world.fingerprint), options=("--armor",))
    single = locked(world, [world.fingerprint])
    cut = locked(world, [world.ida, world.fingerprint], armour=False)[:40]
    broken = b"-----BEGIN PGP MESSAGE-----\n\nAAA\n-----END PGP MESSAGE-----\n"
    for ciphertext in (named, single):
        assert recipients.alternatives(ciphertext) == [packets.binary(ciphertext, packets.MESSAGE)]
    for ciphertext in (cut, b"", b"garbage", broken, named + named):
        assert recipients.alternatives(ciphertext) == [ciphertext]
