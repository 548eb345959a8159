"""Sealing: only the right key, only in the right place, and little told by size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel import errors
from mailcounsel.crypto import sealing

CONTEXT = "letter/17/content"


@given(st.binary(max_size=3000), st.text(max_size=40))
def test_what_is_sealed_opens_with_the_private_half(plaintext, context):
    """Any bytes come back, under any context."""
    pair = sealing.new_pair()
    sealed = sealing.seal_to(pair.public, plaintext, context)
    assert sealing.open_with(pair.private, sealed, context) == plaintext


def test_a_sealed_value_names_its_version_and_key():
    """The first byte is the version, the next eight the key's id."""
    pair = sealing.new_pair()
    sealed = sealing.seal_to(pair.public, b"x", CONTEXT)
    assert sealed[0] == 1
    assert sealed[1:9] == sealing.key_id(pair.public) == sealing.sealed_under(sealed)


def test_another_key_does_not_open():
    """A value sealed to one reader is closed to the next, even if it claims their key id."""
    mine, theirs = sealing.new_pair(), sealing.new_pair()
    sealed = sealing.seal_to(theirs.public, b"words", CONTEXT)
    renamed = sealed[:1] + sealing.key_id(mine.public) + sealed[9:]
    for value in (sealed, renamed):
        with pytest.raises(errors.SealBroken):
            sealing.open_with(mine.private, value, CONTEXT)


@pytest.mark.parametrize(
    "place", ["letter/18/content", "letter/17/conten", "letter/17/content2", ""]
)
def test_a_moved_value_does_not_open(place):
    """A row's content put into another row is refused."""
    pair = sealing.new_pair()
    sealed = sealing.seal_to(pair.public, b"words", CONTEXT)
    with pytest.raises(errors.SealBroken):
        sealing.open_with(pair.private, sealed, place)


def test_any_changed_byte_breaks_the_seal():
    """Every single byte of a sealed value matters, head included."""
    pair = sealing.new_pair()
    sealed = sealing.seal_to(pair.public, b"words", CONTEXT)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(errors.SealBroken):
            sealing.open_with(pair.private, bytes(changed), CONTEXT)


@pytest.mark.parametrize("length", [0, 1, 8, 9, 40, 100])
def test_a_short_value_breaks_cleanly(length):
    """A value cut anywhere is SealBroken and nothing else."""
    pair = sealing.new_pair()
    sealed = sealing.seal_to(pair.public, b"words", CONTEXT)
    with pytest.raises(errors.SealBroken):
        sealing.open_with(pair.private, sealed[:length], CONTEXT)


# -- padding


@given(st.integers(min_value=2, max_value=1 << 40))
def test_padme_grows_by_less_than_an_eighth(length):
    """The paper's bound: never smaller, at most 12 % larger."""
    assert length <= sealing.padme(length) <= length * 1.12


@pytest.mark.parametrize(("length", "padded"), [(0, 0), (1, 1), (9, 10), (100, 104), (1000, 1024)])
def test_padme_gives_the_sizes_worked_out_by_hand(length, padded):
    """9 = 1001b keeps two bits free of three; 1000 keeps its four leading bits."""
    assert sealing.padme(length) == padded


def test_padme_leaves_few_sizes():
    """A million lengths end in fewer than three hundred sizes."""
    assert len({sealing.padme(length) for length in range(1, 1_000_000, 7)}) < 300


@given(st.binary(max_size=300))
def test_padding_comes_off_again(plaintext):
    """Zeros and marks at the end of the plaintext survive."""
    for data in (plaintext, plaintext + b"\0\0", plaintext + b"\x80"):
        assert sealing.unpad(sealing.pad(data)) == data


@pytest.mark.parametrize("padded", [b"", b"\0\0", b"words", b"words\0"])
def test_what_has_no_padding_is_refused(padded):
    """Bytes that `pad` cannot have made are a broken seal."""
    with pytest.raises(errors.SealBroken):
        sealing.unpad(padded)


def test_short_answers_seal_to_one_size():
    """Whether a client answered 3 or 10 cannot be told from the size."""
    public = sealing.new_pair().public
    sizes = {
        len(sealing.seal_to(public, answer, CONTEXT)) for answer in (b"", b"3", b"10", b"x" * 60)
    }
    assert len(sizes) == 1


# -- a reader's keys


def test_a_seed_always_gives_the_same_keys():
    """A seed kept in an OpenPGP message is enough to be that reader again.

    The figures are this derivation's own, held fast: changing it would lock every reader out.
    """
    reader = sealing.ReaderKey(bytes(range(32)))
    assert reader == sealing.ReaderKey(bytes(range(32)))
    assert reader.public.hex() == "c54053373ab69ef76cf5c85b78732bc0bcb4100aee25f885382b138893dd5b57"
    assert (
        reader.verify_key.hex()
        == "d293e49118abe578fc22382846944f8e9d1ec2c1ca65de4a49b5b68b4f1ed012"
    )


def test_a_reader_opens_and_signs_with_different_keys():
    """No key of the reader serves two purposes, and none is the seed."""
    reader = sealing.ReaderKey.new()
    assert len({reader.seed, reader.private, reader.public, reader.verify_key}) == 4
    sealed = sealing.seal_to(reader.public, b"case key", "case/1/key")
    assert sealing.open_with(reader.private, sealed, "case/1/key") == b"case key"


def test_a_signature_holds_for_its_message_and_key_alone():
    """Another message, another key or a damaged signature is a plain no."""
    reader, other = sealing.ReaderKey.new(), sealing.ReaderKey.new()
    signature = reader.sign(b"draft 4")
    assert sealing.verify(reader.verify_key, b"draft 4", signature)
    assert not sealing.verify(reader.verify_key, b"draft 5", signature)
    assert not sealing.verify(other.verify_key, b"draft 4", signature)
    assert not sealing.verify(reader.verify_key, b"draft 4", signature[:-1])
    assert not sealing.verify(b"short", b"draft 4", signature)


def test_secrets_are_not_shown():
    """A repr in a log or a traceback holds no secret."""
    pair, reader = sealing.new_pair(), sealing.ReaderKey.new()
    assert repr(pair.private) not in repr(pair)
    assert repr(reader.seed) not in repr(reader)


def test_a_seed_of_another_length_is_refused():
    """A cut seed never silently makes another reader."""
    with pytest.raises(errors.SealBroken):
        sealing.ReaderKey(b"short")
