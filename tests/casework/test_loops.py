"""Machines that answer machines: whoever faces us, the post falls silent within two rounds."""

from __future__ import annotations

import pytest

import house as house_of
from mailcounsel import config as configuration
from mailcounsel.casework.office import Office
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.outgoing import protect
from mailcounsel.store import models, schema
from mailcounsel.store.engine import Store

ROUNDS = 6
FIRST = "Halo, saya menulis untuk pertama kali karena susah tidur."
AWAY = "Saya sedang tidak di tempat sampai hari Senin, dan membaca surat Anda sesudah itu."


@pytest.fixture
def other(tmp_path, clock, centre):
    """Another centre that runs the same program, at another address."""
    folder = tmp_path / "lain"
    folder.mkdir()
    path = house_of.write_config(folder)
    path.write_text(path.read_text().replace("halo@rumah.test", "halo@lain.test"))
    store = Store(f"sqlite:///{folder / 'store.db'}")
    schema.upgrade(store)
    office = Office(configuration.load(path), ServiceKeyring.create(folder / "keyring.json"))
    built = house_of.House(folder, store, clock, centre, office)
    built.enrol("wulan", "bayu", "sari")
    yield built
    store.close()


def to_clients(house):
    """What leaves for people who wrote, as (parcel, bytes on the wire, envelope sender)."""
    parcels = [parcel for parcel in house.send() if parcel.client_id]
    now = house.clock.now()
    return [
        (one, protect.build(one, house.centre, None, now), protect.envelope_sender(one))
        for one in parcels
    ]


def test_two_centres_fall_silent(house, other):
    """One writes to the other as a client would; neither answers the other's answer."""
    sender = "halo@lain.test"
    house.receive(house.mail(sender, FIRST), mail_from=sender)
    rounds = 0
    for _ in range(ROUNDS):
        posted = to_clients(house)
        for _, raw, mail_from in posted:
            other.receive(raw, to="halo@lain.test", mail_from=mail_from)
        back = to_clients(other)
        for _, raw, mail_from in back:
            house.receive(raw, mail_from=mail_from)
        rounds += bool(posted or back)
        house.clock.on(minutes=1)
    assert rounds <= 2
    assert to_clients(house) == to_clients(other) == []


def by_the_book(house, parcel, number):
    """RFC 3834: marked, from the null sender."""
    headers = {"Auto-Submitted": "auto-replied", "Subject": f"Auto: {parcel.subject}"}
    return "ani@klien.test", headers, ""


def of_old(house, parcel, number):
    """A program from before: a precedence, and a subject everybody knows."""
    headers = {"Precedence": "bulk", "Subject": f"Out of office: {parcel.subject}"}
    return "ani@klien.test", headers, "ani@klien.test"


def in_silence(house, parcel, number):
    """No mark but the null sender, with our token."""
    return "ani@klien.test", {}, ""


def without_manners(house, parcel, number):
    """No mark at all, the same words each time."""
    return "ani@klien.test", {}, "ani@klien.test"


@pytest.mark.parametrize("responder", [by_the_book, of_old, in_silence, without_manners])
def test_a_vacation_program_falls_silent(house, responder):
    """It answers everything we send; we stop, however it does so."""
    house.write("ani@klien.test", FIRST)
    answered = 0
    for number in range(ROUNDS):
        posted = [parcel for parcel, _, _ in to_clients(house)]
        answered += bool(posted)
        for parcel in posted:
            sender, headers, mail_from = responder(house, parcel, number)
            house.write(sender, AWAY, reply_to=parcel, headers=headers, mail_from=mail_from)
        house.clock.on(minutes=5)
    assert answered <= 2
    assert [row.state for row in house.rows(models.Case)] == ["open"]


def test_a_program_that_answers_from_ever_new_addresses_is_capped(house):
    """Nothing but the words stays the same: they are what is counted."""
    house.write("ani@klien.test", FIRST)
    answered = 0
    for number in range(20):
        for parcel, _, _ in to_clients(house):
            answered += 1
            house.write(f"auto{number}@balas{number}.test", AWAY, reply_to=parcel)
        house.clock.on(minutes=5)
    assert answered <= 1 + house.office.config.limits.automatic_same_words_day
