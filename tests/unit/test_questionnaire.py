"""Answers to questionnaires: a certain value, a gap, or a doubt; never a wrong number.

In the tables `?` is a doubtful item, `-` a missing one. Two questionnaires of four items are ours,
one in each language; PHQ-9 is real. All sentences are written for these tests.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel.practice import instruments, questionnaire, shelf

OWN = """
name = "own"
title = "Own"
language = "{language}"
version = "1"
source = "x"
licence = "x"
question = "x"
items = ["{items}"]
danger = [4]
{options}
[score]
method = "sum"
better = "lower"
missing = 0
missing_source = "x"
"""
ITEMS = {
    "en": ["Waking at night", "Feeling alone", "Being short with others", "Wishing to be gone"],
    "id": ["Terbangun di malam hari", "Merasa sendirian", "Mudah marah", "Ingin menghilang"],
}
WORDS = {
    "en": ["never", "sometimes", "often", "always"],
    "id": ["tidak pernah", "kadang-kadang", "sering", "selalu"],
}


def own(language):
    options = "".join(
        f'[[option]]\nvalue = {value}\nwords = "{words}"\n'
        for value, words in enumerate(WORDS[language])
    )
    items = '", "'.join(ITEMS[language])
    return instruments.read(OWN.format(language=language, items=items, options=options), "own")


def phq():
    return shelf.find("phq-9", "en", [])


def written(read):
    """Write what was read as the tables do."""
    return "".join(
        "?" if number in read.doubts or 0 in read.doubts else "-" if value is None else str(value)
        for number, value in enumerate(read.items, 1)
    )


ROWS = [
    ("1 0 2 1", "1021"),
    ("1,0,2,1", "1021"),
    ("1, 0, 2, 1.", "1021"),
    ("1\n0\n2\n1", "1021"),
    ("1\r\n0\r\n2\r\n1\r\n", "1021"),
    ("  1   0   2   1  ", "1021"),
    ("1021", "1021"),
    ("1-0-2-1", "1021"),
    ("1/0/2/1", "1021"),
    ("1 / 0 / 2 / 1", "1021"),
    ("1.0.2.1", "1021"),
    ("1|0|2|1", "1021"),
    ("1; 0; 2; 1", "1021"),
    ("１ ０ ２ １", "1021"),
    ("1 0 2 1 🙂", "1021"),
    ("1 0\n2 1", "1021"),
    ("1 0 2 1\n\nSent from my phone", "1021"),
    ("1 0 2 1\n\nDikirim dari ponsel saya", "1021"),
    ("0 0 0 0", "0000"),
    ("3 3 3 3", "3333"),
    ("satu nol dua satu", "1021"),
    ("satu, nol, dua, satu", "1021"),
    ("one zero two one", "1021"),
    ("One, zero, two, one. Thank you.", "1021"),
    ("Halo, jawaban saya: 1 0 2 1. Terima kasih.", "1021"),
    ("Jawaban saya\n1 0 2 1", "1021"),
    ("Hello,\n\nhere are my answers: 1 0 2 1\n\nBest regards", "1021"),
    ("1 0 - 1", "10-1"),
    ("1, -, 2, 1", "1-21"),
    ("1 0 2 skip", "102-"),
    ("1 lewat 2 1", "1-21"),
    ("1 dan 0 dan 2 dan 1", "1021"),
    ("Maaf baru balas.\n1 0 2 1", "1021"),
    ("1 0 2 1\nMinggu ini berat sekali.", "1021"),
    ("1 0 2 1\nThank you for asking, it was a hard week.", "1021"),
    ("> Balas dengan satu baris\n\n1 0 2 1", "1021"),
]
UNSURE_ROWS = [
    ("1 0 2", "????"),
    ("1 0 2 1 0", "????"),
    ("1", "????"),
    ("102", "????"),
    ("10210", "????"),
    ("Baik-baik saja.", "????"),
    ("I would rather talk about something else.", "????"),
    ("", "????"),
    ("   \n  ", "????"),
    ("1 0 2 4", "102?"),
    ("1 0 2 9", "102?"),
    ("1 0 2 1.5", "102?"),
    ("1 0 2 2-3", "102?"),
    ("1 0 2 1?", "102?"),
    ("1 0 2 1, eh maksud saya yang ketiga 3", "????"),
    ("1 0 2 1\nSorry, the third should be a zero", "????"),
    ("1 0 2 1\nRalat: yang terakhir nol", "????"),
    ("1 0 2 1\nkemarin 3 kali menangis", "????"),
    ("1 0 2 1\n0 0 0 0", "????"),
    ("mungkin 1 0 2 1", "????"),
    ("1 0 2 or 3 1", "????"),
    ("sekitar 1 semua", "????"),
    ("semuanya 2", "????"),
    ("all zero", "????"),
    ("semua nol", "????"),
    ("same as last time", "????"),
    ("sama seperti minggu lalu", "????"),
    ("saya tidak tahu", "????"),
    ("62811 0021", "????"),
    ("7", "????"),
    ("jam 9:30 malam", "????"),
    ("x" * 21_000, "????"),
]
NUMBERED = [
    ("1: 1\n2: 0\n3: 2\n4: 1", "1021"),
    ("1:1 2:0 3:2 4:1", "1021"),
    ("1=1, 2=0, 3=2, 4=1", "1021"),
    ("1) 1\n2) 0\n3) 2\n4) 1", "1021"),
    ("1. 1\n2. 0\n3. 2\n4. 1", "1021"),
    ("1 - 1\n2 - 0\n3 - 2\n4 - 1", "1021"),
    ("1.1\n2.0\n3.2\n4.1", "1021"),
    ("1 1\n2 0\n3 2\n4 1", "1021"),
    ("4: 1\n3: 2\n2: 0\n1: 1", "1021"),
    ("1 = 1 / 2 = 0 / 3 = 2 / 4 = 1", "1021"),
    ("1: 1 | 2: 0 | 3: 2 | 4: 1", "1021"),
    ("1=1/2=0/3=2/4=1", "1021"),
    ("1 = 1/2 / 2 = 0 / 3 = 2 / 4 = 1", "?021"),
    ("1: 1, 2: 0, 3: 2 and 4: 1", "1021"),
    ("1: 1, 2: 0, 3: 2 dan 4: 1", "1021"),
    ("no 1: 1\nno 2: 0\nno 3: 2\nno 4: 1", "1021"),
    ("Nomor 1: 1, nomor 2: 0, nomor 3: 2, nomor 4: 1", "1021"),
    ("Q1: 1 Q2: 0 Q3: 2 Q4: 1", "1021"),
    ("Question 1: 1\nQuestion 2: 0\nQuestion 3: 2\nQuestion 4: 1", "1021"),
    ("1 -> 1, 2 -> 0, 3 -> 2, 4 -> 1", "1021"),
    ("Halo,\n1: 1\n2: 0\n3: 2\n4: 1\nSalam", "1021"),
    ("1: 1\n3: 2\n4: 1", "1-21"),
    ("1: 1\n2:\n3: 2\n4: 1", "1-21"),
    ("1: 1\n2: -\n3: 2\n4: 1", "1-21"),
    ("1: 1\n2: tidak mau jawab\n3: 2\n4: 1", "1-21"),
    ("1: 1\n2: I'd rather not say\n3: 2\n4: 1", "1-21"),
    ("2: 3", "-3--"),
    ("1: 1, kerja lembur\n2: 0\n3: 2\n4: 1", "1021"),
    ("1: 1 (work was heavy)\n2: 0\n3: 2\n4: 1", "1021"),
]
UNSURE_NUMBERED = [
    ("1: 1\n2: 5\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 1.5\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 1-2\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 1 atau 2\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 1 or 2\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: maybe 2\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: mungkin 2\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 2?\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: ?\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 2, tapi sekarang tidak\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 2, but not at weekends\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 2, kalau malam 3\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: banyak\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 0\n2: 3\n3: 2\n4: 1", "1?21"),
    ("1: 1\n2: 0\n3: 2\n4: 1\nmaksud saya nomor dua bukan nol", "????"),
    ("1: 1\n2: 0\n3: 2\n4: 1\nI was wrong about the second", "????"),
]
BENEATH_EN = [
    (
        (
            "> 1. Waking at night\n1\n> 2. Feeling alone\n0\n> 3. Being short with others\n2\n"
            "> 4. Wishing to be gone\n1"
        ),
        "1021",
    ),
    (
        (
            "> 1. Waking at night\nsometimes\n\n> 2. Feeling alone\nnever\n\n"
            "> 3. Being short with others\noften\n\n> 4. Wishing to be gone\nsometimes"
        ),
        "1021",
    ),
    (
        (
            "> 1. Waking at night 1\n> 2. Feeling alone 0\n> 3. Being short with others 2\n"
            "> 4. Wishing to be gone 1"
        ),
        "1021",
    ),
    (
        (
            "1. Waking at night: 1\n2. Feeling alone: 0\n3. Being short with others: 2\n"
            "4. Wishing to be gone: 1"
        ),
        "1021",
    ),
    (
        (
            "1. Waking at night\n1\n2. Feeling alone\n0\n3. Being short with others\n2\n"
            "4. Wishing to be gone\n1"
        ),
        "1021",
    ),
    (
        (
            "> 1. Waking at night\n1\n> 2. Feeling alone\n> 3. Being short with others\n2\n"
            "> 4. Wishing to be gone\n1"
        ),
        "1-21",
    ),
    (
        (
            "> 1. Waking at night\n1\n> 2. Feeling alone\nI cannot say it in a number\n"
            "> 3. Being short with others\n2\n> 4. Wishing to be gone\n1"
        ),
        "1?21",
    ),
    (
        (
            "> 1. Waking\n> at night\n1\n> 2. Feeling alone\n0\n> 3. Being short\n> with others\n"
            "2\n> 4. Wishing to be gone\n1\n> Reply with one line."
        ),
        "1021",
    ),
    (
        (
            "1 0 2 1\n\n> 1. Waking at night\n> 2. Feeling alone\n> 3. Being short with others\n"
            "> 4. Wishing to be gone\n> 0 = never\n> 1 = sometimes"
        ),
        "1021",
    ),
    (
        (
            "1 0 2 1\n\nOn Monday, House wrote:\n1. Waking at night\n2. Feeling alone\n"
            "3. Being short with others\n4. Wishing to be gone\n\n"
            "0 = never\n1 = sometimes\n2 = often\n3 = always\n"
        ),
        "1021",
    ),
    (
        (
            "1 0 2 0\n\n> 1. Waking at night 1\n> 2. Feeling alone 0\n"
            "> 3. Being short with others 2\n> 4. Wishing to be gone 1"
        ),
        "102?",
    ),
]
SIGNED_EN = [
    (
        (
            "> 1. Waking at night\n1\n> 2. Feeling alone\n0\n> 3. Being short with others\n2\n"
            "> 4. Wishing to be gone\n0\n\nEve\n"
        ),
        "1020",
    ),
    ("1 0 2 0\n\nBest,\nEve", "1020"),
    ("1: 1\n2: 0\n3: 2\n4: 0\nEve", "1020"),
]
WORDS_EN = [
    ("sometimes, never, often, sometimes", "1021"),
    ("Sometimes\nNever\nOften\nSometimes", "1021"),
    ("1: sometimes\n2: never\n3: often\n4: sometimes", "1021"),
    ("1. Sometimes\n2. Never\n3. Often\n4. Always", "1023"),
    ("1 (sometimes), 0 (never), 2 (often), 1 (sometimes)", "1021"),
    ("1: 1 = sometimes\n2: 0\n3: often = 2\n4: 1", "1021"),
    ("1: 2 sometimes\n2: 0\n3: 2\n4: 1", "?021"),
    ("1: oftentimes\n2: 0\n3: 2\n4: 1", "?021"),
    ("1: not often\n2: 0\n3: 2\n4: 1", "?021"),
    ("1: often, never on Sundays\n2: 0\n3: 2\n4: 1", "?021"),
    ("1: sometimes often\n2: 0\n3: 2\n4: 1", "?021"),
    ("1: always!\n2: never.\n3: often\n4: never", "3020"),
    ("1: it depends\n2: never\n3: often\n4: never", "?020"),
]
WORDS_ID = [
    ("1. sering\n2. tidak pernah\n3. selalu\n4. tidak pernah", "2030"),
    ("1: sering, 2: tidak pernah, 3: selalu, 4: kadang-kadang", "2031"),
    ("sering, tidak pernah, selalu, kadang-kadang", "2031"),
    ("Sering\nTidak pernah\nSelalu\nKadang-kadang", "2031"),
    ("1 = sering\n2 = tidak pernah\n3 = selalu\n4 = tidak pernah", "2030"),
    ("1: sering 2\n2: 0 tidak pernah\n3: 3 (selalu)\n4: 0", "2030"),
    ("1: tidak sering\n2: 0\n3: 3\n4: 0", "?030"),
    ("1: jarang\n2: 0\n3: 3\n4: 0", "?030"),
    ("1: sering sekali\n2: 0\n3: 3\n4: 0", "?030"),
    ("1: 1 sering\n2: 0\n3: 3\n4: 0", "?030"),
    ("1: dua\n2: nol\n3: tiga\n4: nol", "2030"),
    ("Selamat pagi Bu, ini jawabannya: 2 0 3 0, terima kasih banyak", "2030"),
    ("Pak, jawaban saya 2 0 3 0", "2030"),
]
PHQ = [
    ("1 0 2 1 0 0 1 2 0", "102100120"),
    ("102100120", "102100120"),
    ("1 0 2 1 0 0 1 2", "?????????"),
    ("1 0 2 1 0 0 1 2 0 1", "?????????"),
    ("1: several days\n2: not at all\n9: not at all", "10------0"),
    ("several days, not at all, nearly every day, 0, 0, 0, 0, 0, 0", "103000000"),
    ("more than half the days\n" * 9, "222222222"),
    ("not at all\n" * 9, "000000000"),
    ("never never never never never never never never never", "000000000"),
]
TABLE = [
    *(("en", *row) for row in [*ROWS, *UNSURE_ROWS, *NUMBERED, *UNSURE_NUMBERED]),
    *(("en", *row) for row in [*BENEATH_EN, *SIGNED_EN, *WORDS_EN]),
    *(("id", *row) for row in [*ROWS, *NUMBERED, *UNSURE_NUMBERED, *WORDS_ID]),
    *(("phq", *row) for row in PHQ),
]


def test_there_are_enough_sentences():
    """At least a hundred and twenty different sentences are read here."""
    assert len({text for _, text, _ in TABLE}) >= 120


@pytest.mark.parametrize(("which", "text", "expected"), TABLE)
def test_each_answer_is_read_or_left_to_a_person(which, text, expected):
    """Every sentence gives just the values it states, its gaps, and its doubts."""
    measure = phq() if which == "phq" else own(which)
    assert written(questionnaire.read(text, measure)) == expected


DANGER = [
    ("1 0 2 1", True),
    ("1 0 2 0", False),
    ("4: 1", True),
    ("4: 0", False),
    ("1: 1", False),
    ("4: 5", True),
    ("4: mungkin", True),
    ("4: 0 atau 1", True),
    ("4: sometimes", True),
    ("4: never", False),
    ("4: not really", True),
    ("4: -", False),
    ("1 0 2", True),  # one is left out, and nobody knows which
    ("0 0 0", False),
    ("1 0 0 0 2", True),
    ("1 0 2 1\nsorry, I was wrong", True),
    ("1 0 2 0\n\n> 4. Wishing to be gone 1", True),
    ("> 4. Wishing to be gone\nevery night", True),
    ("> 4. Wishing to be gone\n", False),
    ("Hello, how are you?", False),
]


@pytest.mark.parametrize(("text", "expected"), DANGER)
def test_danger_is_raised_by_all_that_is_not_certainly_zero(text, expected):
    """An item that asks for danger raises when it is, or may be, above zero; others need not be."""
    assert questionnaire.read(text, own("en")).is_danger is expected


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("1 0 2 1", False),
        ("Halo, 1 0 2 1. Terima kasih.", False),
        ("1 0 2 1\nMy mother came to stay.", True),
        ("1: 1, work was heavy\n2: 0\n3: 2\n4: 0", True),
        ("1: 1\n2: 0\n3: 2\n4: 0\nSalam", False),
    ],
)
def test_other_words_are_noticed(text, more):
    """Words beside the answers are told, so that a person reads them."""
    assert questionnaire.read(text, own("en")).says_more is more


@pytest.mark.parametrize(("text", "expected"), SIGNED_EN)
def test_a_name_beneath_the_last_answer_is_no_sign(text, expected):
    """Who signs after a zero has said nothing else about it; that there are words is noticed."""
    read = questionnaire.read(text, own("en"))
    assert not read.is_danger
    assert read.says_more
    assert written(read) == expected


LINES = st.sampled_from(
    [
        *ITEMS["en"],
        *WORDS["en"],
        "1",
        "0",
        "4: 2",
        "9",
        "> 1. Waking at night",
        "> ",
        "",
        "2-3",
        "?",
    ]
)


@given(st.lists(LINES | st.text(max_size=20), max_size=12), st.booleans())
def test_whatever_comes_gives_values_of_options_only(lines, with_returns):
    """Any text is read without a fault, and each certain value is one that an option has."""
    text = ("\r\n" if with_returns else "\n").join(lines)
    read = questionnaire.read(text, own("en"), sent="1. Waking at night")
    assert len(read.items) == 4
    assert set(read.items) <= {None, 0, 1, 2, 3}
    assert all(read.items[number - 1] is None for number in read.doubts if number)


LONG = ["1 0 2 ", "1: 2 ", "> 1. Waking at night\n", "4: often, never - ", "((((", "1 ", "-", " "]


@pytest.mark.parametrize("piece", LONG)
def test_a_long_letter_is_read_in_no_time(piece):
    """A letter as long as is read takes a few seconds at most, whatever it holds."""
    for text in (piece * (20_000 // len(piece)), "1" + piece * (19_000 // len(piece)) + "x"):
        before = time.perf_counter()
        questionnaire.read(text, own("en"))
        assert time.perf_counter() - before < 5  # generous, for a machine that is busy


def test_a_question_is_no_sign_by_itself():
    """The words of the questions, quoted whole, answer nothing and raise nothing."""
    text = "\n".join(f"> {n}. {words}" for n, words in enumerate(phq().items, 1))
    read = questionnaire.read(text, phq())
    assert set(read.items) == {None}
    assert not read.is_danger


@pytest.mark.parametrize("wide", [40, 60, 72])
def test_broken_lines_of_a_quoted_question_are_its_own(wide):
    """A mail program that breaks quoted questions over lines changes no answer beneath them."""
    import textwrap

    lines = []
    for number, words in enumerate(phq().items, 1):
        broken = textwrap.wrap(f"{number}. {words}", wide)
        lines += [f"> {line}" for line in broken] + [str(number % 4)]
    assert written(questionnaire.read("\n".join(lines), phq())) == "123012301"
