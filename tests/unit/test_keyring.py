"""The service keyring: a file nobody else may read, and keys that keep their purposes apart."""

from __future__ import annotations

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel import errors
from mailcounsel.crypto import keyring, sealing

PLACE = "client/4/address"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keyring.json"


@pytest.fixture
def keys(path):
    return keyring.ServiceKeyring.create(path)


# -- the file


def test_what_is_created_loads_again(path, keys):
    """The file gives back the very keys."""
    assert keyring.ServiceKeyring.load(path) == keys


def test_the_file_is_for_its_owner_alone(path, keys):
    """Mode 0600, and no draft of it is left beside."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o611])
def test_a_file_others_may_read_is_refused(path, keys, mode):
    """A keyring laid open is not used until a person has looked."""
    path.chmod(mode)
    with pytest.raises(errors.Refused):
        keyring.ServiceKeyring.load(path)


def test_a_keyring_is_never_overwritten(path, keys):
    """Creating twice leaves the first as it was."""
    with pytest.raises(errors.Conflict):
        keyring.ServiceKeyring.create(path)
    assert keyring.ServiceKeyring.load(path) == keys
    assert len(list(path.parent.iterdir())) == 1


def test_a_link_is_not_followed(path, keys):
    """The name must be the file itself."""
    link = path.with_name("link.json")
    link.symlink_to(path)
    with pytest.raises(errors.Unavailable):
        keyring.ServiceKeyring.load(link)


def test_a_missing_file_says_how_to_make_one(path):
    """The advice is in the message."""
    with pytest.raises(errors.Unavailable, match="mailcounsel init"):
        keyring.ServiceKeyring.load(path)


def _without(content, name):
    del content["keys"][name]


def _flip(content, name):
    entry = content["keys"][name][0]
    entry["secret"] = entry["secret"][:-1] + ("0" if entry["secret"][-1] != "0" else "1")


def _empty(content, name):
    content["keys"][name] = []


def _cut(content, name):
    content["keys"][name][0]["secret"] = "00ff"


@pytest.mark.parametrize("damage", [_without, _flip, _empty, _cut])
@pytest.mark.parametrize("name", keyring.NAMES)
def test_damage_is_found_and_not_told(path, keys, damage, name):
    """A missing, changed or cut key is Unavailable, and no error shows the file's content."""
    content = json.loads(path.read_text())
    damage(content, name)
    path.write_text(json.dumps(content))
    with pytest.raises(errors.Unavailable) as caught:
        keyring.ServiceKeyring.load(path)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff", b'{"version": 2, "keys": {}}'])
def test_what_is_no_keyring_is_unavailable(raw):
    """No other error escapes."""
    with pytest.raises(errors.Unavailable):
        keyring.ServiceKeyring.parse(raw)


# -- lookup


def test_a_value_is_found_again_by_its_lookup(path, keys):
    """The same before and after a restart, and unlike for other values, purposes, keyrings."""
    again = keyring.ServiceKeyring.load(path)
    other = keyring.ServiceKeyring.create(path.with_name("other.json"))
    found = keys.lookup("address", b"a@example.org")
    assert len(found) == 32
    assert found == again.lookup("address", b"a@example.org")
    unlike = {
        found,
        keys.lookup("address", b"b@example.org"),
        keys.lookup("message-id", b"a@example.org"),
        other.lookup("address", b"a@example.org"),
    }
    assert len(unlike) == 4


def test_purpose_and_value_do_not_run_together(keys):
    """Moving a letter from the purpose to the value gives something else."""
    assert keys.lookup("ab", b"c") != keys.lookup("a", b"bc")


# -- seal


@pytest.mark.parametrize("name", keyring.SEALS)
def test_what_the_service_seals_it_opens(keys, name):
    """Under either name, without being told which."""
    assert keys.open(keys.seal(name, b"a@example.org", PLACE), PLACE) == b"a@example.org"


def test_a_sealed_value_moved_to_another_row_does_not_open(keys):
    """The place is bound."""
    with pytest.raises(errors.SealBroken):
        keys.open(keys.seal("addressbook", b"a@example.org", PLACE), "client/5/address")


def test_any_changed_byte_breaks_the_seal(keys):
    """Version, key id, nonce, text and tag are all covered."""
    sealed = keys.seal("addressbook", b"a@example.org", PLACE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 0x10
        with pytest.raises(errors.SealBroken):
            keys.open(bytes(changed), PLACE)


def test_sealing_twice_gives_different_bytes_of_one_size(keys):
    """Equal addresses cannot be told by their sealed bytes, nor short from shorter by size."""
    one, two = (
        keys.seal("addressbook", text, PLACE) for text in (b"a@example.org", b"bo@example.org")
    )
    assert one != keys.seal("addressbook", b"a@example.org", PLACE)
    assert len(one) == len(two)


@pytest.mark.parametrize("name", ["lookup", "row", "sign", "else"])
def test_a_key_of_another_purpose_does_not_seal(keys, name):
    """A MAC or signing key is never used to encrypt."""
    with pytest.raises(ValueError):
        keys.seal(name, b"x", PLACE)


# -- row MACs


def test_a_row_as_it_was_passes(path, keys):
    """Checked after a restart."""
    mac = keys.row_mac("pin/3", [b"one", b"two"])
    keyring.ServiceKeyring.load(path).check_row_mac("pin/3", [b"one", b"two"], mac)


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ("pin/4", [b"one", b"two"]),
        ("pin/3", [b"onet", b"wo"]),
        ("pin/3", [b"two", b"one"]),
        ("pin/3", [b"one", b"two", b""]),
        ("pin/3", [b"onetwo"]),
        ("pin/", [b"3one", b"two"]),
    ],
)
def test_a_changed_row_is_found(keys, place, fields):
    """No other split, order or place gives the same MAC."""
    mac = keys.row_mac("pin/3", [b"one", b"two"])
    with pytest.raises(errors.SealBroken):
        keys.check_row_mac(place, fields, mac)


@given(st.lists(st.binary(max_size=9), max_size=4), st.lists(st.binary(max_size=9), max_size=4))
def test_different_rows_never_encode_alike(one, two):
    """The bytes under the MAC tell any two lists of fields apart."""
    assert (keyring._joined(one) == keyring._joined(two)) == (one == two)


@pytest.mark.parametrize("cut", [0, 7, 8, 39])
def test_a_cut_mac_is_found(keys, cut):
    """A MAC without its tail, or none at all, never passes."""
    with pytest.raises(errors.SealBroken):
        keys.check_row_mac("pin/3", [b"one"], keys.row_mac("pin/3", [b"one"])[:cut])


# -- signatures


def test_what_the_service_signs_can_be_checked_by_anyone(path, keys):
    """With the verify key alone, which survives a restart."""
    signature = keys.sign(b"record 9")
    assert sealing.verify(keyring.ServiceKeyring.load(path).verify_key, b"record 9", signature)
    assert not sealing.verify(keys.verify_key, b"record 10", signature)


# -- generations


def test_the_newest_generation_seals_and_any_opens(path, keys):
    """In-flight values of yesterday open until yesterday is forgotten."""
    yesterday = keys.seal("inflight", b"waiting", PLACE)
    turned = keys.inflight_forward()
    turned.save(path)
    both = keyring.ServiceKeyring.load(path)
    today = both.seal("inflight", b"waiting", PLACE)
    assert sealing.sealed_under(today) != sealing.sealed_under(yesterday)
    assert both.open(yesterday, PLACE) == both.open(today, PLACE) == b"waiting"


def test_a_forgotten_past_is_gone(path, keys):
    """Once forgotten, no key in the file opens what an earlier day sealed."""
    yesterday = keys.seal("inflight", b"waiting", PLACE)
    turned = keys.inflight_forward().inflight_forgotten()
    turned.save(path)
    left = keyring.ServiceKeyring.load(path)
    assert keys.keys["inflight"][0].secret.hex() not in path.read_text()
    with pytest.raises(errors.SealBroken):
        left.open(yesterday, PLACE)
    assert left.open(keys.seal("addressbook", b"stays", PLACE), PLACE) == b"stays"


def test_secrets_are_not_shown(keys):
    """A repr in a log or a traceback holds no key."""
    shown = repr(keys)
    assert not any(repr(key.secret) in shown for keys_ in keys.keys.values() for key in keys_)
