"""Letters that came before anybody was enrolled."""

from __future__ import annotations

from base64 import b64encode

import house as house_of
from mailcounsel.crypto import openpgp
from mailcounsel.crypto.sealing import ReaderKey
from mailcounsel.service import work
from mailcounsel.service.operations.people import statement_of
from mailcounsel.store import models


def test_letters_are_placed_as_soon_as_they_can_be_sealed(
    tmp_path, short_tmp, store, clock, centre
):
    """A letter waits while there is nobody to seal it to, and is placed when somebody enrols."""
    house = house_of.build(tmp_path, store, clock, centre)
    waiting = house.write("budi@mail.test", "Halo, saya sulit tidur.")
    assert (waiting.state, waiting.attempts) == ("received", 0)

    code = house.call("sari", "person.invite", person="sari")["code"]
    own, key = openpgp.Personal(short_tmp / "gpg"), ReaderKey.new()
    fingerprint = own.make_key("sari", "sari@example.org")
    statement = statement_of("sari", key.public, key.verify_key)
    papers = {
        "public_key": key.public,
        "verify_key": key.verify_key,
        "certificate": own.export(fingerprint),
        "signature": own.sign(statement, fingerprint),
    }
    sent = {name: b64encode(value).decode() for name, value in papers.items()}
    house.call("sari", "person.enrol", code=code, statement=statement.decode(), **sent)
    assert work.place_letters(house.desk) == 1
    assert [letter.state for letter in house.rows(models.Inbox)] == ["case"]
