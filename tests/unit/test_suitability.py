"""Signs that a letter may need another kind of help: proposed, never concluded."""

from __future__ import annotations

import time

import pytest

from mailcounsel.letter import countries
from mailcounsel.practice import suitability

YOUNG = """\
Halo, saya 15 tahun dan sering bertengkar dengan ibu.
Umur saya 16, mau curhat.
aku masih 14 thn
Gue baru 17 tahun kak
saya berumur lima belas tahun
usiaku 13, kelas 7
Saya masih duduk di kelas 8 SMP.
aku siswi kelas 10
saya masih smp
Hi, I'm 15 and I can't sleep.
I am sixteen years old.
I’m 14, and my parents fight.
I'm a 16-year-old girl
I am only 12.
I'm in 8th grade
I'm still in middle school"""

GROWN = """\
Anak saya 8 tahun dan sering menangis.
Saya 25 tahun.
Adik saya kelas 8 SMP.
saya sudah 15 tahun menikah
Saya bekerja 12 tahun di pabrik.
umur saya 34
I'm 45 and tired.
I am 100% sure
I'm 15 minutes late
I am 10 kilos heavier than I was
My daughter is 12 years old.
I have been married for 15 years.
I'm in 12th grade of sadness
Guru saya mengajar kelas 8.
I'm 5'7 tall
saya naik kelas 3 kali"""

ABROAD = """\
saya tinggal di Malaysia
Saya sekarang bekerja di Hong Kong sebagai PRT.
Aku kuliah di Belanda.
I live in Singapore with my sister
I'm currently working in Saudi Arabia.
I am from the Netherlands"""

AT_HOME = """\
saya tinggal di Bandung
Saya tinggal di Indonesia
kakak saya tinggal di Malaysia
I live in fear.
I live in Jakarta
I work in a bank
Saya ingin pergi ke Jepang"""


def kinds(text):
    return [one.kind for one in suitability.proposals(text, "ID")]


@pytest.mark.parametrize("text", YOUNG.splitlines())
def test_who_says_they_are_young_is_shown_to_a_person(text):
    """In both languages, in figures and words, and by the class they sit in."""
    assert kinds(text) == ["minor"]


@pytest.mark.parametrize("text", GROWN.splitlines())
def test_other_numbers_and_other_people_are_no_sign(text):
    """An age that is a child's, a duration, a height."""
    assert kinds(text) == []


@pytest.mark.parametrize("text", ABROAD.splitlines())
def test_who_lives_in_another_country_is_shown_to_a_person(text):
    """Named in Indonesian or English, seen from a centre in Indonesia."""
    assert kinds(text) == ["abroad"]


@pytest.mark.parametrize("text", AT_HOME.splitlines())
def test_places_at_home_and_other_peoples_are_no_sign(text):
    """A city, the own country, a feeling."""
    assert kinds(text) == []


def test_a_sign_says_where_it_stands():
    """So that a person reads the sentence, not a verdict."""
    text = "Halo. Umur saya 16, mau curhat."
    (one,) = suitability.proposals(text, None)
    assert text[one.start : one.end] == "Umur saya 16"


def test_a_time_zone_names_its_country():
    """Where the centre is, is not asked twice."""
    assert countries.of_zone("Asia/Jakarta") == "ID"
    assert countries.of_zone("Etc/UTC") is None


@pytest.mark.parametrize("text", ["a" * 20_000, "saya " * 4_000, "i am " * 4_000, "umur " * 4_000])
def test_no_text_takes_long(text):
    """A letter of one endless word, or of the same one, is looked at in bounded time."""
    begun = time.process_time()
    suitability.proposals(text, "ID")
    assert time.process_time() - begun < 2
