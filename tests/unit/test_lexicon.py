"""The quick way of finding phrases finds what asking every phrase at every word finds."""

from __future__ import annotations

import os
import random
import tracemalloc
from collections.abc import Iterator, Sequence
from functools import cache, reduce
from operator import or_
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcounsel import errors
from mailcounsel.casework import danger
from mailcounsel.casework.lexicon import phrases, pieces
from mailcounsel.casework.lexicon.book import Book
from mailcounsel.casework.lexicon.phrases import Element, Phrase, Word
from mailcounsel.casework.lexicon.vocabulary import NO_WORD, Vocabulary
from mailcounsel.letter import parse
from unit.test_danger import DANGER, HARMLESS

SOUGHT, BESIDES = danger.read_phrases()
SENTENCES = [text for texts in DANGER.values() for text in texts] + HARMLESS
Place = tuple[str, int, int]


# -- the slow way -------------------------------------------------------------------------------


def fits(masked: str, word: str) -> bool:
    return len(masked) == len(word) and all(
        a in {"*", b} for a, b in zip(masked, word, strict=True)
    )


def accepts(element: Element, folded: str) -> bool:
    if "*" not in folded:
        return (
            folded in element.exact
            or folded.startswith(element.prefixes)
            or (element.digits > 0 and folded.isdecimal() and len(folded) >= element.digits)
            or is_hurried(element, folded)
        )
    return any(fits(folded, word) for word in element.exact) or any(
        fits(folded[: len(prefix)], prefix) for prefix in element.prefixes
    )


@cache
def is_hurried(element: Element, folded: str) -> bool:
    bones = phrases.consonants(folded)
    return any(
        phrases.may_be_shortened(word)
        and phrases.consonants(word) == bones
        and phrases.is_shortened(folded, word)
        for word in (*element.exact, *element.prefixes)
    )


@cache
def beginning(folded: str) -> list[Phrase]:
    return [phrase for phrase in SOUGHT if accepts(phrase.elements[0], folded)]


def words_of(text: str) -> list[Word]:
    """Read the words one by one, joining three lone letters or more as in "k m s"."""
    words: list[Word] = []
    spelled: list[Word] = []
    for match in phrases.WORD.finditer(text):
        word = Word(phrases.fold(match[0]), *match.span())
        if len(word.folded) == 1 and word.folded.isalpha() and len(spelled) < 40:
            spelled.append(word)
        else:
            words += [*joined(spelled), word]
            spelled = []
    return words + joined(spelled)


def joined(spelled: list[Word]) -> list[Word]:
    if len(spelled) < 3:
        return spelled
    folded = phrases.fold("".join(word.folded for word in spelled))
    return [Word(folded, spelled[0].start, spelled[-1].end)]


def ends(elements: Sequence[Element], text: str, words: Sequence[Word], at: int) -> Iterator[int]:
    """Yield where a match can end, in the order in which the ways are tried."""
    if not elements:
        yield at
        return
    first, rest = elements[0], elements[1:]
    if first.gap:
        for here in range(at, min(at + phrases.GAP + 1, len(words))):
            if phrases.ends_sentence(text[words[here - 1].end : words[here].start]):
                return
            yield from ends(rest, text, words, here)
        return
    if at < len(words) and accepts(first, words[at].folded):
        yield from ends(rest, text, words, at + 1)
    if first.optional:
        yield from ends(rest, text, words, at)


def slowly(text: str) -> set[Place]:
    words = words_of(text)
    return {
        (phrase.entry, words[at].start, words[last - 1].end)
        for at in range(len(words))
        for phrase in beginning(words[at].folded)
        for last in [next(ends(phrase.elements, text, words, at), 0)]
        if last
    }


def quickly(text: str) -> set[Place]:
    book = danger.book()
    return {
        (one.entry, stretch.words[one.first].start, stretch.words[one.last - 1].end)
        for stretch in book.stretches(text)
        for one in book.find(text, stretch, stretch.begin, stretch.end)
        if one.entry in {phrase.entry for phrase in SOUGHT}
    }


# -- both ways ----------------------------------------------------------------------------------


def test_every_sentence_is_read_alike() -> None:
    """The sentences of the tests, each alone and all in one letter, give the same finds."""
    for text in [*SENTENCES, "\n".join(SENTENCES)]:
        assert quickly(text) == slowly(text)


BETWEEN = [
    *[" "] * 8,
    "\n",
    ". ",
    ", ",
    "? ",
    "...",
    "\u200b",
    "-",
    "’",
    " – ",
    "“",
    "_",
    " é ",
    "*",
]


def a_written_phrase(dice: random.Random) -> list[str]:
    """Write a phrase of the lexicon as people do: starred, stretched, shouted, spelled."""
    words: list[str] = []
    for element in dice.choice([*SOUGHT, *BESIDES]).elements:
        if element.gap:
            words += dice.choices(["kata", "it", "2", "***", "k"], k=dice.randint(0, 4))
        elif not element.optional or dice.random() < 0.5:
            forms = [*sorted(element.exact), *(one + "nya" for one in element.prefixes)]
            words.append(_disguised(dice, dice.choice(forms or ["7", "77"])))
    return words


def _disguised(dice: random.Random, word: str) -> str:
    draw = dice.random()
    if draw < 0.1:
        place = dice.randrange(len(word))
        return f"{word[:place]}*{word[place + 1 :]}"
    return {1: word.upper(), 2: word + word[-1] * 3, 3: " ".join(word)}.get(int(draw * 20), word)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_generated_letters_are_read_alike(seed: int) -> None:
    """Phrases in pieces, in disguise and between other words give the same finds."""
    dice = random.Random(seed)
    words = [word for _ in range(dice.randint(1, 5)) for word in a_written_phrase(dice)]
    text = "".join(word + dice.choice(BETWEEN) for word in words)
    assert quickly(text) == slowly(text)


@settings(deadline=None)
@given(st.text(alphabet="kms MATI ingin*'’\u200b7é._\n", max_size=120))
def test_any_text_is_read_alike(text: str) -> None:
    """Spelled words, stars, joiners and numbers in any order give the same finds."""
    assert quickly(text) == slowly(text)


def test_real_letters_are_read_alike() -> None:
    """Letters that nobody here wrote give the same finds."""
    folder = os.environ.get("MAILCOUNSEL_CORPORA")
    if not folder:
        pytest.skip("MAILCOUNSEL_CORPORA names no folder")
    files = sorted(path for path in Path(folder).rglob("*.eml") if path.stat().st_size < 30_000)
    assert files
    for path in random.Random(1).sample(files, min(400, len(files))):
        try:
            text = parse.read(path.read_bytes(), parse.Budgets()).text[:4_000]
        except errors.OverBudget:
            continue
        assert quickly(text) == slowly(text)


# -- pieces -------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["kata ", "katakata" * 30 + " ", "kata\u200b ", "k1 – é "])
def test_pieces_look_at_every_word_once(word: str) -> None:
    """The parts looked at follow one another without a gap, however long the words are."""
    text = word * (600_000 // len(word))
    looked_at: list[int] = []
    for piece in pieces.cut(text):
        read = pieces.read(text, piece, danger.book().vocabulary)
        spans = [match.start() for match in phrases.WORD.finditer(text, read.start, read.stop)]
        looked_at += [spans[read.numbers[at]] for at in range(read.begin, read.end)]
    assert looked_at == [match.start() for match in phrases.WORD.finditer(text)]


def test_pieces_are_as_small_as_the_words_allow() -> None:
    """A long letter is read in pieces that overlap little, so memory and time stay flat."""
    text = "beberapa kata biasa " * 100_000
    sizes = [piece.end - piece.start for piece in pieces.cut(text)]
    assert max(sizes) < 70_000
    assert sum(sizes) < 1.1 * len(text)
    giants = ("a" * 9_000 + " ") * 500
    assert sum(piece.end - piece.start for piece in pieces.cut(giants)) < 4 * len(giants)


# -- words read together ------------------------------------------------------------------------

ODD_WORDS = st.text(alphabet="mMaAtTiIbunhdrklse0134578$@*'é\u0301²７ﬁß", max_size=9)


@settings(deadline=None)
@given(st.lists(ODD_WORDS, min_size=1, max_size=9))
def test_words_folded_together_are_folded_as_alone(words: list[str]) -> None:
    """No word leaks into its neighbour, and none is lost, however odd the words are."""
    assert phrases.fold_all(words) == [phrases.fold(word) for word in words]


@settings(deadline=None)
@given(st.lists(ODD_WORDS, max_size=9))
def test_words_read_together_are_read_as_alone(written: list[str]) -> None:
    """Passing quickly over words that fill no place of any phrase passes over no other."""
    vocabulary = danger.book().vocabulary
    vocabulary.clear()
    bare = [word.strip(phrases.JOINERS) for word in written]
    bits = [vocabulary._of(phrases.fold(word)) if word else NO_WORD for word in bare]
    assert vocabulary.of_all(written) == (bits, reduce(or_, bits, 0))


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("mti", "mati"), ("bnuh", "bunuh"), ("bnh", "bunuh"), ("dpukul", "dipukul"),
        ("jmbatan", "jembatan"), ("ingn", "ingin"), ("gntung", "gantung"), ("hdp", "hidup"),
        ("wnt", "want"), ("myslf", "myself"), ("blding", "bleeding"),
    ],
)  # fmt: skip
def test_a_word_in_a_hurry_is_read(written: str, word: str) -> None:
    """Vowels are left out between consonants: the first, or half of all."""
    assert phrases.consonants(written) == phrases.consonants(word)
    assert phrases.may_be_shortened(word)
    assert phrases.is_shortened(written, word)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("mat", "mati"), ("dad", "dead"), ("pan", "pain"), ("akhirnya", "akhirinya"),
        ("mata", "mati"), ("disks", "disiksa"), ("mt", "mati"), ("mati", "mati"),
    ],
)  # fmt: skip
def test_another_word_is_no_word_in_a_hurry(written: str, word: str) -> None:
    """What has all its consonants parted as before, or ends otherwise, is a word of its own."""
    assert phrases.consonants(written) == phrases.consonants(word)
    assert not phrases.is_shortened(written, word)


def test_a_flood_of_words_is_forgotten_again() -> None:
    """A letter of random words is no reason to remember them all."""
    vocabulary = danger.book().vocabulary
    for start in range(0, 200_000, 20_000):
        vocabulary.of_all([f"q{number}" for number in range(start, start + 20_000)])
    assert len(vocabulary) <= 20_000


def test_giant_words_are_not_remembered() -> None:
    """Letters of giant words beside danger cost no memory once they have been read."""
    danger.signs("ingin mati")
    tracemalloc.start()
    for number in range(40):
        giant = f"{number}" + "ab" * 100_000
        assert danger.signs(f"{giant} saya ingin mati {giant}")
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000


def test_a_compiled_lexicon_keeps_little_of_how_it_is_written() -> None:
    """The service holds it for ever, beside letters of a megabyte."""
    phrases.forget_compiled()
    tracemalloc.start()
    book = Book(*danger.read_phrases())
    phrases.forget_compiled()
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list(book.stretches("saya ingin mati"))
    assert kept < 0.66 * most, (kept, most)


def test_every_word_of_the_lexicon_is_found_in_disguise() -> None:
    """With digits for letters, shouted, longer or starred, no word is passed over."""
    leet = str.maketrans("oieast", "013457")
    written = {one for phrase in (*SOUGHT, *BESIDES) for one in phrase.elements}
    elements = {one for one in written if not one.gap}
    vocabulary = Vocabulary(elements)
    assert len(elements) > 100
    for element in elements:
        forms = [*element.exact, *element.prefixes, *(f"{one}nya" for one in element.prefixes)]
        for word in forms:
            for shown in (word, word.upper(), word.translate(leet), word + word[-1] * 2):
                if not shown.isdecimal():
                    assert vocabulary.of_all([shown])[1] & vocabulary.bit(element), shown
