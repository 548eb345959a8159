"""A client's copy as text: all of theirs, in order, and no private note unless it is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mailcounsel.practice import filecopy

NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)


def entry(number, direction, kind, text, **more):
    at = f"2026-11-{10 + number}T09:00:00+00:00"
    return {"number": number, "direction": direction, "kind": kind, "at": at, "text": text, **more}


ENTRIES = [
    entry(1, "in", "letter", "Halo\n\n> kutipan\nPS: penting", subject="surat", author=None,
          attachments=[{"name": "foto.jpg", "type": "image/jpeg", "size": 3}]),
    entry(2, "out", "reply", "Selamat datang", author="wulan", statement="{}", signature="00"),
    entry(3, "note", "note", "rahasia terapis", author="wulan"),
    entry(4, "note", "measure", "PHQ-9", author="wulan", scores={"total": 7}, answers=[1, 2]),
    entry(5, "note", "plan", "jalan kaki", author="wulan"),
    entry(6, "out", "reply-undone", "tidak pernah dikirim", author="wulan"),
    {**entry(7, "in", "letter", ""), "unreadable": "You have no key"},
]  # fmt: skip
GOALS: list[dict[str, Any]] = [
    {
        "text": "tidur",
        "target": "7 jam",
        "checkins": [
            {"id": "a", "state": "answered", "answered_at": "2026-11-20T01:00:00+00:00",
             "rating": 6, "words": "lumayan"},
            {"id": "b", "state": "asked", "answered_at": None},
        ],
    },
    {"text": "", "unreadable": "no key", "checkins": []},
]  # fmt: skip


def made(language="id", **more):
    given = {"language": language, "zone": "Asia/Jakarta", "now": NOW}
    return filecopy.text_of(ENTRIES, GOALS, **given, **more)


def test_everything_of_theirs_is_in_it_in_order():
    """Letters whole with their quotes, what was sent, plan and measures with their numbers."""
    text = made()
    places = [
        text.index(words)
        for words in ("tidur", "6; kata-kata Anda lumayan", "> kutipan", "PS: penting", "foto.jpg")
    ]
    assert places == sorted(places)
    assert text.index("Selamat datang") < text.index("PHQ-9") < text.index("jalan kaki")
    assert "daftar pertanyaan: total 7" in text
    assert "answers: 1, 2" in text
    assert "2026-11-26 03:00" in text  # now, in the client's own zone


def test_it_speaks_the_clients_language():
    """What is kept under names of ours is told in words, and how it is kept is not told."""
    goals = [
        {
            "text": "PHQ-9",
            "checkins": [
                {"answered_at": "2026-11-20T01:00:00+00:00", "measure": "phq-9", "version": 1,
                 "items": [1, None], "doubts": {}, "score": 7, "sum": 7, "times": 1, "may_miss": 0},
                {"answered_at": "2026-11-21T01:00:00+00:00", "rating": 6, "words": "lumayan"},
            ],
        }
    ]  # fmt: skip
    entries = [
        entry(1, "note", "summary", "x", sent=True, activities=["understanding"], goal="01ab"),
        entry(2, "in", "letter", "y", about=[["a@b.test"], "Ani", True]),
        entry(3, "note", "evaluation-undone", "z"),
    ]
    copy = filecopy.text_of(entries, goals, language="id", zone="Asia/Jakarta", now=NOW)
    assert "daftar pertanyaan phq-9; jawaban Anda 1, –; jumlahnya 7" in copy
    assert "angka Anda 6; kata-kata Anda lumayan" in copy
    assert "Dicatat (yang kami pahami)" in copy
    hidden = (
        "doubts",
        "may_miss",
        "sent",
        "activities",
        "01ab",
        "about",
        "a@b.test",
        "z\n",
        "sum ",
    )
    assert [word for word in hidden if word in copy] == []


def test_private_notes_are_left_out_unless_wanted():
    """A therapist writes those for nobody else; a reply that was taken back was never sent."""
    assert "rahasia terapis" not in made()
    assert "rahasia terapis" in made(with_notes=True)
    assert "tidak pernah dikirim" not in made(with_notes=True)


def test_nothing_of_how_it_is_kept_is_in_it():
    """No name of a therapist, no signature, no id."""
    text = made()
    for word in ("wulan", "signature", "statement", "direction"):
        assert word not in text


def test_what_did_not_open_says_so():
    """Nothing is left out silently."""
    assert made().count("tidak bisa dibuka") == 2
    assert "tidak bisa disertakan" in made(left_out=["film.mp4"])
    assert "film.mp4" in made(left_out=["film.mp4"])


@pytest.mark.parametrize("language", ["en", "xx"])
def test_other_languages_are_english(language):
    """Where there are no words of a language."""
    assert made(language).startswith("Copy of your file")


def test_an_empty_file_says_so():
    """Neither letters nor goals."""
    text = filecopy.text_of([], [], language="en", zone="UTC", now=NOW)
    assert "There is nothing here." in text
