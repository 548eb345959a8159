"""Letters as clients in Indonesia and Malaysia send them, and what machines there write.

Each fixture of `tests/mail` named here is shaped as its program writes; no word of them is real.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mailcounsel.config import Config, Inbox
from mailcounsel.intake import classifying
from mailcounsel.intake.knowledge import NoKnowledge
from mailcounsel.letter import fold, parse

MAIL = Path(__file__).parent.parent / "mail"
CONFIG = Config.model_construct(inboxes=(Inbox.model_construct(address="surat@example.org"),))


def letter(name):
    return parse.read((MAIL / f"{name}.eml").read_bytes(), parse.Budgets())


def classified(name, mail_from="x@klien.test"):
    return classifying.classify(letter(name), mail_from, NoKnowledge(), CONFIG)


WRITTEN = {
    "gmail-reply-id": "Terima kasih balasannya. Minggu ini saya sudah jalan kaki dua kali.\n"
    "Besok saya coba lagi.",
    "gmail-reply-ms": "Terima kasih, kak. Esok saya cuba lagi.",
    "outlook-reply-id": "Selamat pagi Bu,\n\n"
    "saya sudah coba tidur lebih awal “seperti saran Ibu”.\nBelum berhasil.",
    "outlook-reply-ms": "Saya masih takut.",
    "outlook-mobile-id": "Aku capek kak.",
    "yahoo-html-id": "Saya takut sama suami saya. Boleh telepon?",
    "samsung-reply-id": "kak udah makan td. makasih ya",
    "iphone-picture-ms": "Ini gambar bilik saya.\n\nSaya tak boleh tidur malam tadi.",
    "inline-answers-id": "Saya jawab di bawah ya.\n\nBerat. Saya tidak masuk kerja dua hari.\n\n"
    "Belum.\n\nNB: jangan telepon ke rumah.",
    "phone-id": "aku gak bisa tidur lagi kak 😔\nbesok aja ceritanya ya",
    "old-phone-id": "kak tolong… aku gak kuat 😢\nnomor aku ganti",
    "mms-id": "Kak ini saya, pinjam hp teman. Jangan balas ke nomor ini.",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_was_written_now_stays_open_and_nothing_else(name):
    """Quotes, copied headers and lines of phones are folded, and not one line of the client's."""
    found = letter(name)
    assert fold.new_words(found.text, fold.fold(found.text, ())) == WRITTEN[name]


@pytest.mark.parametrize("name", [*WRITTEN, "forwarded-id", "calendar-answer-id"])
def test_a_clients_letter_is_a_letter_and_may_be_answered(name):
    """Nothing about it is taken for a machine's."""
    found = classified(name)
    assert (found.kind, found.may_answer) == ("letter", True)


def test_a_forwarded_threat_stays_open():
    """Somebody else's letter is the matter itself: every word of it is shown."""
    found = letter("forwarded-id")
    assert fold.fold(found.text, ()) == ()
    assert "Kamu akan menyesal." in found.text


def test_an_answer_to_an_appointment_is_read_as_one():
    """Who accepts a meeting says so in words, whatever else the letter holds."""
    found = letter("calendar-answer-id")
    assert "Saya bisa hari Kamis." in found.text
    assert "[Calendar: answer, accepted]" in found.text


def test_words_between_pictures_are_all_read():
    """A phone that puts a picture amid the words makes two texts; both are the letter."""
    found = letter("iphone-picture-ms")
    assert [one.name for one in found.attachments] == ["IMG_0001.PNG"]
    assert found.text.index("gambar") < found.text.index("tak boleh tidur")


def test_the_words_of_a_picture_message_are_the_letter():
    """A phone number's message by way of mail has a plan of slides first, and then its words."""
    found = letter("mms-id")
    assert "pinjam hp teman" in found.text
    assert [one.content_type for one in found.attachments] == ["application/smil"]


def test_an_old_phones_subject_and_charset_are_read():
    """Unencoded words in a subject, and a charset that is another than it says."""
    found = letter("old-phone-id")
    assert found.subject == "tolong — saya takut"
    assert "\ufffd" not in found.text


def test_a_bounce_in_indonesian_is_a_bounce():
    """A mail server that says it in words alone is understood."""
    found = classified("bounce-id", mail_from="")
    assert (found.kind, found.reason, found.may_answer) == ("bounce", "delivery-failed", False)


@pytest.mark.parametrize("name", ["vacation-id", "vacation-ms"])
def test_somebody_away_is_not_answered(name):
    """Vacation notes in Indonesian and Malay are a machine's."""
    found = classified(name)
    assert (found.kind, found.may_answer) == ("automatic", False)
