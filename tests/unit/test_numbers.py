"""An answer to a check-in is read when it is certain, and never misread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel.practice import numbers
from mailcounsel.practice.numbers import Number, Unsure

# What has to be read: the answers people really send.
CERTAIN = {
    0: ["0", "nol", "zero", "0/10", "Nilai saya 0"],
    1: ["1", "satu", "One.", "1 dari 10"],
    2: ["2", "dua", "two", "2/10, hanya jalan sekali"],
    3: ["3.", "tiga dari sepuluh", "Three out of ten", "3 / 10"],
    4: ["4!", "Empat", "four", "skor 4", "Hello, 4. Thanks"],
    5: [
        "5", "lima", "five", "I'd say 5", "I would say a 5", "5 out of 10", "Saya beri 5",
        "Hi,\n5\nThanks", "Rating: 5", "nilai = 5", "on a scale of 0 to 10: 5",
    ],
    6: [
        "nilai saya 6", "Nilai saya 6.", "nilainya 6", "Enam ya", "6 kak", "skorku 6 dari 10",
        "My score is 6", "six, same as always", "6 🙂", "😐 6", "6️⃣", "Hari ini 6", "hari ini: 6",
        "Saya kasih 6 untuk minggu ini",
    ],
    7: [
        "7", " 7 ", "7.", "tuju", "sevn", "tujuhhh", "sevennn",
        "7\n", "7\r\n", "7/10", "7/10, dua kali jalan kaki", "tujuh", "TUJUH",
        "tujuh dari sepuluh", "tujuh/10", "seven", "it's a 7", "It’s a 7.",
        "Halo, 7. Terima kasih", "Halo, 7.\n\nTerima kasih banyak", "7, dua kali jalan kaki",
        "7 - dua kali jalan kaki", "7. Saya jalan 30 menit",
        "7/10. Jalan kaki tiga kali, 30 menit", "Minggu ini 7", "minggu ini 7 dari 10", "7 today",
        "Today: 7", "This week 7", "7 this week", "(7)", "*7*", "“7”", "７", "⑦", "7 dari 10",
        "7 dr 10", "7 per 10", "7 of 10", "7 out of ten", "seven out of ten", "Lumayan, 7",
        "7, lebih baik dari minggu lalu", "7! Yes, 7.", "Nilai saya untuk minggu ini 7",
        "7\n\nSent from my iPhone 12", "7\nDikirim dari HP 5G", "Jawaban saya: 7",
        "My answer is 7", "I think 7", "Menurut saya 7", "7 deh", "7 aja",
        "7. Tidak sempat latihan, hujan terus.", "Skala 0-10: 7", "dari skala 1 sampai 10, 7",
        "7/10 minggu ini", "I walked a lot. 7", "Minggu ini berat.\n\n7", "7 ya kak, makasih",
        "Pagi, 7", "7... jalan kaki 2x", "7, walked twice", "7. It was a good one.",
        "7. Saya bangun jam 5 pagi.", "7. Jam 06:30 saya jalan.", "Halo kak 7", "٧",
    ],
    8: [
        "8", "delapan", "eight", "8/10!", "8, thank you", "It is 8", "Saya rasa\n\n8",
        "8 dari 10, jalan kaki empat kali", "8 for me", "Good morning, 8",
    ],
    9: ["9", "sembilan", "nine", "A 9!", "Sembilan dari 10", "9 juga", "9, 45 minutes each time"],
    10: [
        "10", "sepuluh", "ten", "10/10", "10 dari 10", "ten out of ten", "sepuluh dari sepuluh",
        "10! Setiap hari jalan 30 menit", "Nilai saya 10",
    ],
}  # fmt: skip

# What a person has to read: a number that may be another one, or something else.
UNSURE = [
    "", "   \n", "...", "👍", "baik", "fine thanks", "lumayan", "so so", "tidak tahu",
    # something else is counted
    "dua kali jalan kaki", "2x", "2 x", "2 kali", "10 menit", "7 hari", "7 days", "7 jam",
    "3 times", "jam 7", "pukul 7", "at 7", "7 pagi", "7pm", "7 am", "07:30", "7.30", "7 oktober",
    "7/10/2026", "No. 7", "Tgl. 7",
    "tanggal 7", "tgl 7/10", "7/10 hari", "7 of 10 days", "7 dari 10 hari",
    "7 out of 10 times", "minggu ke-7", "minggu ke 7", "minggu 7", "week 7", "day 7", "hari ke-7",
    "7 minggu ini", "7 hari ini", "no 7", "nomor 7", "#7", "G1 6", "G1 6 / G2 4", "goal 7",
    "for 7", "7 lagi", "umur anak saya: 7", "anak saya 7", "nilai anak saya 7",
    "nilai ulangan saya 7", "jalan kaki: 7", "Saya latihan 7", "I walked 7", "saya tidur jam\n7",
    "7\nkali jalan kaki", "Berapa jam? 7", "Anak saya banyak, 7", "My daughter got a 7", "Rp 7",
    "$7", "7%", "7 km", "7km", "7kg", "7th", "the 7th", "the 7", "one of those weeks",
    "salah satu", "no one helped", "7 besok", "7, kemarin", "7, minggu lalu", "7, 2 days ago",
    "7 last week", "kemarin 7", "yesterday 7", "7 dulu", "7k",
    "7, is how many cats I have", "7, that is my age", "6 kali jalan, nilai 7",
    "tidur: 5\njalan: 7",
    # not whole, or a range
    "7,5", "7.5", "7½", "7 1/2", "tujuh setengah", "tujuh koma lima", "seven and a half",
    "setengah", "setengah tujuh", "half", "6-7", "6 - 7", "6–7", "6/7", "6 to 7", "6 sampai 7",
    "6 or 7", "6 atau 7", "6, 7", "6,7", "antara 6 dan 7", "between 6 and 7", "enam-tujuh",
    "enam atau tujuh", "6\n7", "6 dan 7", "6..7", "0-10", "skala 0-10", "1. 7", "1) 7",
    # outside 0 to 10, or of another scale
    "15", "11", "100", "70", "70/100", "7/8", "3/5", "4/5", "15/10", "-7", "- 7", "minus 7", "07",
    "007", "tujuh belas", "tujuh puluh", "seventeen", "seventy", "twenty seven", "sebelas",
    "eleven", "1000000", "7 dari 5", "7 out of 8", "7/100", "skala 1-5: 4",
    # blurred, asked or taken back
    "7?", "not 7", "bukan 7", "tidak 7", "~7", "about 7", "around 7", "sekitar 7", "kira-kira 7",
    "kira kira 7", "mungkin 7", "maybe 7", "hampir 7", "almost 7", "7+", "7-", ">7", "<7", "≥7",
    "kurang dari 7", "lebih dari 7", "less than 7", "at least 7", "minimal 7", "7, eh 6", "7 eh",
    "7, maksud saya enam", "7. Ralat, 6", "7. Maksud saya 8", "7, no wait, 6", "7, I mean 6",
    "7, or maybe less", "7. Or maybe less.", "7, mungkin kurang", "7, kurang sedikit",
    "7, not really", "7, bukan", "7. No.", "7, tapi kemarin 5", "7 tapi harusnya 5",
    "7. Kemarin 5", "5 kemarin, 7 now", "semoga 7", "I hope for a 7", "targetnya 7",
    "my target is 7", "I wish it was 7", "harusnya 7", "kalau tidak hujan 7",
    "7 kalau tidak hujan", "7, kalau tidak hujan", "usually 7", "biasanya 7", "I was 7", "was 7",
    "dulu 7", "7 8", "7 7", "7, 8", "7 then 8", "tujuh delapan", "7 naik jadi 8", "dari 5 ke 7",
    "from 5 to 7", "naik 2", "turun 2", "naik 2 jadi 7", "up 2", "+2", "7 = 6", "seven? eight?",
    "7 or so", "7ish", "sevenish", "7a", "a7", "7️⃣8️⃣", "7²", "½",
    "7, haha just kidding", "I feel 7 out of 10 likely to hurt myself", "7 suicidal thoughts",
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"), [(value, text) for value, texts in CERTAIN.items() for text in texts]
)
def test_a_certain_answer_is_read(value: int, text: str) -> None:
    """The number is the client's own, and their words are kept with it."""
    assert numbers.number(text) == Number(value)


@pytest.mark.parametrize("text", UNSURE)
def test_an_uncertain_answer_is_left_to_a_person(text: str) -> None:
    """Nothing is guessed, in either language."""
    assert isinstance(numbers.number(text), Unsure)


def test_there_are_enough_sentences() -> None:
    """At least 150 own sentences, none twice."""
    certain = [text for texts in CERTAIN.values() for text in texts]
    assert len({*certain, *UNSURE}) == len(certain) + len(UNSURE) >= 300


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("baik sekali", "no number"),
        ("10 menit", "something else"),
        ("6 atau 7", "several numbers"),
        ("7,5", "not whole"),
        ("setengah", "not whole"),
        ("15", "out of range"),
        ("7?", "hedged"),
        ("7, maybe less", "hedged"),
        ("7. " + "kata " * 2000, "too long"),
    ],
)
def test_the_reason_is_told(text: str, reason: str) -> None:
    """The therapist learns why an answer was not read."""
    assert numbers.number(text) == Unsure(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["belum sempat", "Belum sempat, kak.", "Not yet", "not once"])
def test_none_in_the_words_we_offer_is_read(text: str) -> None:
    """What a check-in calls an answer is one, where it asks how often; for a rating it is none."""
    assert numbers.number(text, "times") == Number(0)
    assert isinstance(numbers.number(text, "rating"), Unsure)


def test_a_certain_answer_survives_greetings_and_thanks() -> None:
    """Every reading stays the same between a greeting and a thank-you."""
    for value in range(11):
        for before in ("Halo,\n\n", "Hi!\n", "Selamat pagi. "):
            for after in ("\n\nTerima kasih", ". Thank you!", "\n\nSent from my phone 3"):
                read = numbers.number(f"{before}{value}{after}")
                assert isinstance(read, Number)
                assert read.value == value


@given(st.text(max_size=60) | st.text("0123456789/,.-– \nxkalidruht", max_size=12))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever comes, the answer is a rating from 0 to 10 or unsure."""
    read = numbers.number(text)
    assert isinstance(read, Unsure) or 0 <= read.value <= 10
