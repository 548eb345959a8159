"""Who is in the roster: invited once, enrolled once, and never by an edit of the database."""

from __future__ import annotations

import pytest

from mailcounsel import errors
from mailcounsel.crypto.sealing import ReaderKey
from mailcounsel.store import models
from mailcounsel.trust import roster


def enrolment():
    key = ReaderKey.new()
    return roster.Enrolment(key.public, key.verify_key, b"certificate", b"statement", b"signature")


def test_a_code_is_good_once(store, keyring, clock):
    """Whoever looks over a shoulder afterwards has nothing."""
    now = clock.now()
    code = store.write(lambda c: roster.invite(c, keyring, "wulan", now))
    assert store.write(lambda c: roster.enrol(c, keyring, code, enrolment(), now)) == "wulan"
    with pytest.raises(errors.Refused, match="not valid"):
        store.write(lambda c: roster.enrol(c, keyring, code, enrolment(), now))


def test_a_code_is_good_for_three_days(store, keyring, clock):
    """Then the admin makes another."""
    code = store.write(lambda c: roster.invite(c, keyring, "wulan", clock.now()))
    now = clock.on(days=3, seconds=1)
    with pytest.raises(errors.Refused, match="three days"):
        store.write(lambda c: roster.enrol(c, keyring, code, enrolment(), now))


@pytest.mark.parametrize("change", [str.lower, lambda code: f"  {code} "])
def test_a_code_is_read_as_people_type_it(store, keyring, clock, change):
    """Small letters and blanks do not matter."""
    code = store.write(lambda c: roster.invite(c, keyring, "wulan", clock.now()))
    found = store.read(lambda c: roster.invited(c, keyring, change(code), clock.now()))
    assert found == "wulan"


@pytest.mark.parametrize("code", ["", "AAAAA-AAAAA-AAAAA", "%"])
def test_a_guess_is_refused(store, keyring, clock, code):
    """And says nothing about who was invited."""
    store.write(lambda c: roster.invite(c, keyring, "wulan", clock.now()))
    with pytest.raises(errors.Refused) as fault:
        store.read(lambda c: roster.invited(c, keyring, code, clock.now()))
    assert "wulan" not in str(fault.value)


def test_nobody_enrols_over_somebody(store, keyring, clock):
    """A second invitation does not replace the first key, and the code stays unused."""
    now = clock.now()
    first = enrolment()
    for paper in (first, enrolment()):
        code = store.write(lambda c: roster.invite(c, keyring, "wulan", now))
        try:
            store.write(lambda c, p=paper, k=code: roster.enrol(c, keyring, k, p, now))
        except errors.Conflict:
            assert paper is not first
    (reader,) = store.read(lambda c: roster.readers(c, keyring, ["wulan", "nobody", "wulan"]))
    assert reader.public_key == first.public_key


def test_the_code_is_not_in_the_store(store, keyring, clock):
    """Only its keyed hash is."""
    code = store.write(lambda c: roster.invite(c, keyring, "wulan", clock.now()))
    rows = store.read(lambda c: c.execute(models.table(models.Invite).select()).all())
    assert code not in str(rows)


@pytest.mark.parametrize("column", ["public_key", "verify_key"])
def test_a_key_changed_by_hand_is_refused(store, keyring, clock, column):
    """Whoever holds the database cannot put a reader into it."""
    now = clock.now()
    code = store.write(lambda c: roster.invite(c, keyring, "wulan", now))
    store.write(lambda c: roster.enrol(c, keyring, code, enrolment(), now))
    change = models.table(models.Person).update().values({column: bytes(32)})
    store.write(lambda c: c.execute(change).rowcount)
    with pytest.raises(errors.SealBroken):
        store.read(lambda c: roster.readers(c, keyring, ["wulan"]))


def test_who_is_not_enrolled_is_told_how(store, keyring):
    """One sentence with the command."""
    with pytest.raises(errors.Refused, match="mailcounsel invite wulan"):
        store.read(lambda c: roster.reader(c, keyring, "wulan"))
