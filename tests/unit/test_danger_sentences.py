"""How much of what people write the lexicon sees, over our own labelled sentences."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import pytest

from danger import learn
from mailcounsel.casework import danger

KINDS = {"suicide", "self-harm", "violence", "threat", "child", "medical", "calm"}


class Row(NamedTuple):
    kind: str
    language: str
    words: str

    @property
    def is_for_tuning(self) -> bool:
        return sha256(self.words.encode()).digest()[0] % 2 == 0


def rows(name: str) -> list[Row]:
    return [Row(*row) for row in learn.read(learn.HERE / name)]


FIRST, SECOND, THIRD = rows("first.tsv"), rows("second.tsv"), rows("third.tsv")
FOURTH, FIFTH, SIXTH = rows("fourth.tsv"), rows("fifth.tsv"), rows("sixth.tsv")
SEVENTH = rows("seventh.tsv")
ALL = [*FIRST, *SECOND, *THIRD, *FOURTH, *FIFTH, *SIXTH, *SEVENTH]


def is_raised(row: Row) -> bool:
    """Stricter than the service, which raises what is denied, too."""
    return any(not sign.negated for sign in danger.signs(row.words))


def figures(sample: list[Row]) -> tuple[float, float]:
    """Return recall and precision."""
    wanted = [row for row in sample if row.kind != "calm"]
    hits = sum(map(is_raised, wanted))
    false = sum(is_raised(row) for row in sample if row.kind == "calm")
    return hits / len(wanted), hits / (hits + false)


def test_the_set_is_large_mixed_and_without_doubles() -> None:
    """At least 450 sentences, two in five of them in Indonesian, one in four of them calm."""
    assert len(ALL) >= 450
    assert {row.kind for row in ALL} == KINDS
    assert sum(row.language == "id" for row in ALL) >= 0.4 * len(ALL)
    assert sum(row.kind == "calm" for row in ALL) >= 0.25 * len(ALL)
    assert len({row.words.casefold() for row in ALL}) == len(ALL)


def test_recall_over_the_labelled_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    """Nearly all that is danger is raised, and little else; the figures are printed by part."""
    parts = {
        "first, tuned on": [row for row in FIRST if row.is_for_tuning],
        "first, held out": [row for row in FIRST if not row.is_for_tuning],
        "second": SECOND,
        "third": THIRD,
        "fourth": FOURTH,
        "fifth": FIFTH,
        "sixth": SIXTH,
        "seventh": SEVENTH,
        "all": ALL,
    }
    with capsys.disabled():
        for name, sample in parts.items():
            recall, precision = figures(sample)
            print(
                f"\n{name}: {len(sample)}, recall {recall:.3f}, precision {precision:.3f}", end=""
            )
    recall, precision = figures(ALL)
    assert recall >= 0.98
    assert precision >= 0.9


def test_an_ordinary_week_calls_nobody() -> None:
    """Of the calm sentences of everyday letters at most two in a hundred raise a case."""
    calm = [row for row in FOURTH if row.kind == "calm"]
    raised = [row.words for row in calm if danger.signs(row.words)]
    assert len(raised) <= 0.02 * len(calm), raised


@pytest.mark.parametrize("kind", sorted(KINDS - {"calm"}))
def test_no_kind_of_danger_is_seen_less_than_the_others(kind: str) -> None:
    """A good figure over all must not hide that, say, children are overlooked."""
    recall, _ = figures([row for row in ALL if row.kind == kind])
    assert recall >= 0.95


@pytest.mark.parametrize("row", [row for row in ALL if row.kind != "calm"][::7])
def test_no_sign_in_the_quoted_text_of_an_old_mail_is_new(row: Row) -> None:
    """Whatever the lexicon sees in a quote carries the mark by which it is not raised again."""
    text = f"Terima kasih.\n> {row.words}\n"
    quote = (text.index(">"), len(text))
    assert all(sign.quoted for sign in danger.signs(text, [quote]))


@pytest.mark.parametrize(
    "words",
    [
        "I told my mother I'm not suicidal.",
        "Aku janji gak akan bunuh diri.",
        "I am not suicidal, but I am lying.",
        "Saya tidak mau bunuh diri, tapi itu bohong.",
        "Not a day goes by that I don't think about killing myself.",
        "Kenapa aku gak mati aja?",
        "I don't know if I want to die",
    ],
)
def test_a_denial_that_is_doubted_marks_nothing(words: str) -> None:
    """Promised, reported, asked about or taken back, a denial is none."""
    assert not any(sign.negated for sign in danger.signs(words))


def test_a_slip_in_a_long_word_hides_nothing() -> None:
    """A letter left out, or two that changed places, in the words that matter most."""
    for words in ("sucide", "suicdial", "commit suciide", "bunhu diri", "saya dipreKosa"):
        assert danger.signs(words), words
