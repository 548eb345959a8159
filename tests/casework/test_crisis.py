"""Who writes of danger hears at once where help is near, and nothing else."""

from __future__ import annotations

import re

import pytest

from mailcounsel.casework.office import Office
from mailcounsel.service import checks
from mailcounsel.store import models

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."
ENTRY = """
[[entry]]
country = "{country}"
name = "{name}"
phone = "000-111"
hours = {{ id = "24 jam", en = "at any hour" }}
languages = ["id", "en"]
cost = {{ id = "gratis", en = "free" }}
verified_on = {day}
source = "a call"
"""


@pytest.fixture
def near(house):
    """A centre with a crisis directory: one fresh entry, one stale, one of another country."""
    day = house.clock.now().date()
    rows = [
        ENTRY.format(country="ID", name="Telepon Teduh", day=day),
        ENTRY.format(country="ID", name="Telepon Lama", day=day.replace(year=day.year - 2)),
        ENTRY.format(country="MY", name="Talian Tenang", day=day),
    ]
    path = house.folder / "crisis.toml"
    path.write_text("".join(rows), "utf-8")
    config = house.office.config
    centre = config.centre.model_copy(update={"crisis_directory": path})
    house.office = Office(config.model_copy(update={"centre": centre}), house.office.keyring)
    return house


def test_who_calls_for_help_hears_where_it_is_near(near):
    """The word HELP gets what a word of danger gets."""
    near.write(ANI, "BANTUAN")
    (answer,) = near.outbox("help")
    assert "Telepon Teduh" in answer.parcel.text
    assert "Telepon Lama" not in answer.parcel.text


def notes(house):
    return [row.parcel for row in house.outbox("crisis") if row.parcel]


def test_help_near_comes_at_once_from_what_is_fresh(near):
    """Of their country and language, verified within a year; and the emergency text."""
    near.write(ANI, DANGER)
    (note,) = notes(near)
    assert "Telepon Teduh" in note.text
    assert "000-111" in note.text
    assert "gratis" in note.text
    assert "Telepon Lama" not in note.text
    assert "Talian Tenang" not in note.text
    assert "112" in note.text
    assert note.auto_submitted == "auto-replied"


def test_the_note_weighs_nothing_and_tells_nothing(near):
    """No word of the letter, of danger or a diagnosis; a lock screen may show how it begins."""
    near.write(ANI, DANGER)
    (note,) = notes(near)
    assert note.subject == "Surat untuk Anda"
    words = note.text.lower()
    for word in ("bunuh", "mati", "mengakhiri", "bahaya", "risiko", "krisis", "darurat", "klien"):
        assert not re.search(rf"\b{word}", words)
    for word in ("telepon", "bantuan", "konsel"):
        assert word not in words[:120]


def test_without_a_fresh_entry_the_emergency_text_stands_alone(house):
    """Less, and never something that may be wrong."""
    house.write(ANI, DANGER)
    (note,) = notes(house)
    assert "112" in note.text
    assert "dekat" not in note.text


def test_one_note_for_a_letter_and_so_many_a_day(near):
    """Two by default; the letters raise all the same."""
    for _ in range(4):
        near.write(ANI, DANGER)
        near.clock.on(hours=1)
    assert len(near.outbox("crisis")) == 2
    assert len(near.rows(models.Risk)) == 4
    near.clock.on(hours=24)
    near.write(ANI, DANGER)
    assert len(near.outbox("crisis")) == 3


def test_an_everyday_letter_gets_no_note(near):
    """Nor does one that denies what it names: it is raised, and a person answers it."""
    near.write(ANI, "Halo, saya sulit tidur.")
    near.write("budi@klien.test", "Saya tidak ingin mati, hanya lelah.")
    assert notes(near) == []
    assert len(near.rows(models.Risk)) == 1


def test_what_may_not_be_answered_gets_no_note(near):
    """A machine's letter, and one that lay in Junk; a person reads both."""
    near.write(ANI, DANGER, headers={"Auto-Submitted": "auto-generated"})
    near.write("budi@klien.test", DANGER, suspect=True)
    assert notes(near) == []
    assert len(near.rows(models.Risk)) == 2


def test_old_danger_in_a_quote_brings_no_second_note(near):
    """It was answered when it was written."""
    near.write(ANI, DANGER)
    (offer, *_) = near.sent_to(ANI)
    near.write(ANI, f"Terima kasih.\n\nOn Sunday Ani wrote:\n> {DANGER}\n", reply_to=offer)
    assert len(near.outbox("crisis")) == 1


def test_a_stranger_learns_nothing_from_the_note(near):
    """Who forges a client's address gets word for word what anybody gets."""
    near.write(ANI, "Halo.")
    near.write(ANI, DANGER)
    near.write("orang@lain.test", DANGER)
    known, unknown = notes(near)
    assert known.text == unknown.text


def test_ordinary_answers_to_strangers_never_use_up_the_notes(near):
    """A flood of forged letters keeps help from nobody; notes have a number a day of their own."""
    config = near.office.config
    limits = config.limits.model_copy(update={"automatic_strangers_day": 1})
    near.office = Office(config.model_copy(update={"limits": limits}), near.office.keyring)
    near.write("satu@klien.test", "Halo, saya ingin bicara.")
    near.write("dua@klien.test", "Halo, saya juga.")
    near.write("tiga@klien.test", DANGER)
    near.write("empat@klien.test", "TOLONG")
    assert len(near.outbox("acknowledgement")) == 1
    assert len(near.outbox("crisis")) + len(near.outbox("help")) == 1


def test_the_cap_for_one_address_holds_no_note_back(near):
    """Nor does a note take the place of an acknowledgement."""
    config = near.office.config
    limits = config.limits.model_copy(update={"automatic_per_sender_day": 1})
    near.office = Office(config.model_copy(update={"limits": limits}), near.office.keyring)
    near.write(ANI, "Halo, saya ingin bicara.")
    near.write(ANI, DANGER)
    assert len(notes(near)) == 1


def test_the_doctor_names_what_is_stale_with_a_fix(near):
    """And says nothing where a centre has no directory."""
    (finding,) = checks.crisis_directory(near.office.config, near.clock.now())
    assert not finding.is_ok
    assert "Telepon Lama" in finding.says
    assert "verified_on" in finding.fix
    centre = near.office.config.centre.model_copy(update={"crisis_directory": None})
    without = near.office.config.model_copy(update={"centre": centre})
    assert checks.crisis_directory(without, near.clock.now()) == []
