"""Autocrypt headers: which count, and ours as others must read it."""

from __future__ import annotations

import base64
import email
import email.policy
import email.utils
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel import errors
from mailcounsel.crypto import autocrypt, packets


def packet(tag, body):
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


KEY = b"\x04" + bytes(50)  # the shape of a version 4 key is all that is looked at here
CERTIFICATE = packet(6, KEY) + packet(13, b"<ida@example.org>") + packet(2, bytes(80))
SIX = packet(6, b"\x06" + bytes(50))
DATA = base64.b64encode(CERTIFICATE).decode()
VALUE = f"addr=ida@example.org; prefer-encrypt=mutual; keydata={DATA}"


def parse(value):
    return autocrypt.parse(value, "ida@example.org")


def test_a_header_gives_address_key_and_preference():
    """All three, the key in binary."""
    found = parse(VALUE)
    assert found == autocrypt.Autocrypt("ida@example.org", CERTIFICATE, prefer_mutual=True)


@pytest.mark.parametrize(
    "value",
    [
        VALUE.replace("keydata=", "keydata=\r\n "),
        VALUE.replace(DATA, "\r\n ".join(DATA[i : i + 20] for i in range(0, len(DATA), 20))),
        VALUE.replace("; ", ";"),
        VALUE.replace("addr=", " addr = "),
        VALUE + ";",
        VALUE.replace("ida@example.org", "Ida@EXAMPLE.org"),
        VALUE.replace("keydata", "_note=whatever; keydata"),
    ],
)
def test_what_level_1_allows_is_read(value):
    """Folding, spaces, case of the address and attributes one may skip."""
    found = parse(value)
    assert found is not None
    assert found.keydata == CERTIFICATE


@pytest.mark.parametrize(
    "value",
    [
        "",
        "keydata",
        f"keydata={DATA}",
        "addr=ida@example.org",
        "addr=ida@example.org; keydata=",
        "addr=ida@example.org; keydata=???",
        f"addr=else@example.org; keydata={DATA}",
        f"addr=ida@example.org; addr=ida@example.org; keydata={DATA}",
        f"addr=ida@example.org; level=2; keydata={DATA}",
        f"keydata={DATA}; addr=ida@example.org",
        f"addr=ida@example.org; keydata={base64.b64encode(b'no key').decode()}",
        f"addr=ida@example.org; keydata={base64.b64encode(packet(5, KEY)).decode()}",
        f"addr=ida@example.org; keydata={base64.b64encode(SIX).decode()}",
        f"addr=ida@example.org; keydata={base64.b64encode(CERTIFICATE * 2).decode()}",
        f"addr=ida@example.org; _pad={'x' * 10240}; keydata={DATA}",
        f"addr=ida@example.org; keydata={DATA}é",
    ],
)
def test_what_level_1_forbids_is_no_header(value):
    """Missing, doubled, unknown, misplaced or unreadable parts make the whole header invalid."""
    assert parse(value) is None


@pytest.mark.parametrize("preference", ["", "prefer-encrypt=nopreference; ", "prefer-encrypt=x; "])
def test_only_mutual_is_a_preference(preference):
    """Anything else is none."""
    found = parse(VALUE.replace("prefer-encrypt=mutual; ", preference))
    assert found is not None
    assert not found.prefer_mutual


def test_of_two_valid_headers_none_counts():
    """An injected second header must not win, nor may it silence by being invalid."""
    other = VALUE.replace("ida@", "else@")
    assert autocrypt.choose([VALUE, VALUE], "ida@example.org") is None
    assert autocrypt.choose([], "ida@example.org") is None
    assert autocrypt.choose([other, VALUE, "rubbish"], "ida@example.org") == parse(VALUE)


def test_a_key_for_a_look_alike_is_nobodys():
    """Only A to Z have two cases in an address."""
    assert parse(VALUE.replace("ida@", "\u0131da@")) is None
    assert autocrypt.parse(VALUE.replace("ida@", "weiß@"), "weiss@example.org") is None
    assert parse(VALUE.replace("ida@", "IDA@")) is not None


@given(st.text())
def test_any_text_is_a_header_or_not(value):
    """Nothing a sender writes raises."""
    parse(value)
    parse("addr=ida@example.org; keydata=" + value)


@given(st.binary())
def test_any_bytes_are_a_certificate_or_not(data):
    """Nothing but BadKey comes of a wrong certificate, in either form."""
    for given_ in (data, CERTIFICATE + data, CERTIFICATE[: len(data)]):
        try:
            packets.fingerprint(packets.dearmour(given_))
        except errors.BadKey:
            continue


# -- ours


def test_our_header_is_read_by_others_and_ourselves():
    """Raw lines before a letter survive the standard parser, and give the key back."""
    raw = autocrypt.header("help@example.org", CERTIFICATE * 4)
    letter = raw + b"From: help@example.org\r\n\r\nwords\r\n"
    value = email.message_from_bytes(letter, policy=email.policy.compat32)["Autocrypt"]
    text = "".join(value.split())
    keydata = base64.b64encode(CERTIFICATE * 4).decode()
    assert text == f"addr=help@example.org;prefer-encrypt=mutual;keydata={keydata}"
    one = autocrypt.header("help@example.org", CERTIFICATE).decode().removeprefix("Autocrypt:")
    found = autocrypt.parse(one, "help@example.org")
    assert found == autocrypt.Autocrypt("help@example.org", CERTIFICATE, prefer_mutual=True)


def test_our_header_is_folded():
    """Every line ends in CRLF, goes on with a space, and is short enough for any program."""
    lines = autocrypt.header("help@example.org", CERTIFICATE * 4).split(b"\r\n")
    assert lines.pop() == b""
    assert lines[0].startswith(b"Autocrypt: addr=")
    assert all(line.startswith(b" ") for line in lines[1:])
    assert max(map(len, lines)) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)


@pytest.mark.parametrize(
    "address", ["a@b\r\nBcc: c@d", "a b@example.org", "a;b@c", "ä@example.org"]
)
def test_an_address_cannot_add_a_header(address):
    """Only one plain word goes in."""
    with pytest.raises(ValueError):
        autocrypt.header(address, CERTIFICATE)


def test_a_key_too_large_for_a_header_is_told():
    """10 KiB is what others accept."""
    with pytest.raises(errors.BadKey):
        autocrypt.header("help@example.org", bytes(9000))


# -- letters nobody here wrote


@pytest.mark.skipif("MAILCOUNSEL_CORPORA" not in os.environ, reason="MAILCOUNSEL_CORPORA is unset")
def test_the_specifications_own_examples_are_read():
    """Each example letter with an Autocrypt header gives a key for its sender."""
    letters = sorted((Path(os.environ["MAILCOUNSEL_CORPORA"]) / "autocrypt").rglob("*.eml"))
    read = 0
    for path in letters:
        letter = email.message_from_bytes(path.read_bytes())
        values = letter.get_all("Autocrypt", [])
        if values:
            sender = email.utils.parseaddr(letter["From"])[1]
            found = autocrypt.choose(values, sender)
            assert found is not None, path.name
            assert len(packets.fingerprint(found.keydata)) == 40
            read += 1
    assert read
