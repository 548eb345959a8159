"""The card a client's program takes the centre's key from."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from mailcounsel.letter import vcard


def unfolded(card: str) -> list[str]:
    """Return a card's lines as a reader unfolds them."""
    return card.replace("\r\n ", "").split("\r\n")


def test_the_key_stands_in_the_card():
    """The certificate comes back byte for byte from the KEY line."""
    certificate = bytes(range(256)) * 3
    lines = unfolded(vcard.card("Rumah", "halo@rumah.test", certificate))
    (key,) = [line for line in lines if line.startswith("KEY:")]
    head, _, data = key.partition("\\,")
    assert head == "KEY:data:application/pgp-keys;base64"
    assert base64.b64decode(data) == certificate
    assert "EMAIL:halo@rumah.test" in lines


@given(st.text(max_size=200))
def test_a_name_adds_no_line(name):
    """Whatever the centre is called, the card keeps its six lines, none over 75 bytes."""
    card = vcard.card(name, "halo@rumah.test", b"x" * 400)
    assert len([line for line in unfolded(card) if line]) == 6
    assert max(len(line.encode()) for line in card.split("\r\n")) <= 75
