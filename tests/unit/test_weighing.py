"""What no phrase names is seen by the words together; and how much of what nobody has seen yet."""

from __future__ import annotations

import pytest

from danger import learn
from mailcounsel.casework.lexicon import weighing
from mailcounsel.intake import assessing
from mailcounsel.letter import parse

HINT = "The dog is fed and the door is unlocked, so nobody has to break it."
CALM = "We walked along the river on Sunday and talked about the holidays for a while."


@pytest.fixture
def few_weights(monkeypatch):
    """Weights of our own, so that a test of the ways does not hang on what was learned."""
    known = dict.fromkeys(weighing.words(f"{CALM} {HINT}"), 0)
    heavy = {weighing.ALWAYS: -100, "break": 400, "unlocked": 400, "unlocked so": 200}
    monkeypatch.setattr(weighing, "_weights", lambda: known | heavy)


def read(text, subject="Hello"):
    """Return the signs in a letter as the service reads it, and the text their places count in."""
    raw = f"From: a@example.org\r\nSubject: {subject}\r\n\r\n{text}".encode()
    letter = parse.read(raw, parse.Budgets())
    return assessing.assess(letter, ("id", "en")).signs, f"{letter.subject}\n\n{letter.text}"


def test_what_no_phrase_names_is_a_hint(few_weights):
    """It stands for its few sentences; what is calm raises nothing."""
    (hint,), text = read(f"{CALM} {CALM}\n\n{HINT}")
    assert (hint.kind, hint.rule, hint.quoted, hint.negated) == ("hint", "weighed", False, False)
    assert text[: hint.end].endswith(HINT.rstrip("."))
    assert read(f"{CALM} {CALM}")[0] == ()


def test_no_hint_runs_into_a_quote_or_a_subject(few_weights):
    """What was quoted is old; and a subject is a text of its own."""
    heading = "On Mon, 23 Nov 2026 at 10:00, Rumah <halo@rumah.test> wrote:"
    assert read(f"{CALM}\n\n{heading}\n> {HINT}\n")[0] == ()
    (hint,), text = read(HINT, subject="About tomorrow evening")
    assert text[hint.start :].startswith("The dog")


@pytest.mark.parametrize("text", ["{denied} {hint}", "{hint} {denied}"])
def test_a_denial_hides_no_hint_beside_it(few_weights, text):
    """Before it or after it: who says that they want to live may say more with all the rest."""
    denied = "I am not going to kill myself."
    found, _ = read(text.format(denied=denied, hint=HINT))
    assert {(one.kind, one.negated) for one in found} == {("suicide", True), ("hint", False)}


def test_a_plain_sign_needs_no_hint_beside_it(few_weights):
    """One mark is enough for a place."""
    found, _ = read(f"{HINT} I want to die.")
    assert {one.kind for one in found} == {"suicide"}


@pytest.mark.parametrize(
    "text",
    ["", "?", "Blorgs flimble grompet nobody.", "https://example.org/nobody/has/to/break/the/door",
     "nobody.has.to.break@the.door.test", "der Hund ist gefuettert und die Tuer steht offen"],
)  # fmt: skip
def test_of_words_nobody_knows_nothing_is_said(text):
    """Too few known words, addresses on the net, another language."""
    assert read(text)[0] == ()


@pytest.mark.parametrize(
    "text",
    ["I sleep with a chair under the door handle because of my brother. He broke the last lock.",
     "Everybody will find a letter from me on Sunday, I have given the key to the neighbour.",
     "Semua akun sudah kuhapus dan kunci kos kutitip di ibu kos. Besok tidak perlu dicari.",
     "The voices say that I must burn the letters and then myself before the morning comes."],
)  # fmt: skip
def test_what_was_learned_sees_hints_nobody_wrote_a_phrase_for(text):
    """In both languages, of more than one kind."""
    assert [one.kind for one in read(text)[0]] == ["hint"]


def test_a_long_letter_without_an_end_is_weighed_in_parts(few_weights):
    """Who writes without full stops is read like everybody else."""
    text = (CALM.replace(".", " and ") * 3 + HINT.replace(".", "")).lower()
    (hint,), text = read(text)
    assert hint.start > len(CALM)


def test_hostile_text_is_weighed_in_bounded_work():
    """No mark, repeated, makes one part be read again and again: that would take an hour."""
    for text in ("\n", " \n", "..", "?!", "@"):
        assert weighing.runs(text * 1_000_000) == []
    for text in (". a", "a@", "a.", "www.", "a "):
        assert len(weighing.runs(text * 30_000)) <= 30_000


def test_the_weights_are_those_of_the_sentences():
    """`./dev learn` gives the file that is here; rounding may differ between machines."""
    here = weighing.read(learn.WEIGHTS.read_text(encoding="utf-8").splitlines())
    anew = weighing.read(learn.written(learn.fit(learn.examples())).splitlines())
    far = [name for name in here | anew if abs(here.get(name, 0) - anew.get(name, 0)) > 12]
    assert far == []


def test_how_much_of_what_is_unseen_is_raised(capsys):
    """Texts by somebody who knew neither phrases nor sentences, from which nothing was learned."""
    unseen = learn.read(learn.HERE / "unseen.tsv")
    raised = [any(not one.negated for one in read(text)[0]) for _, _, text in unseen]
    parts = {"plain": 100, "half-said": 50, "hints": 50, "letters": 100, "near misses": 100}
    assert [kind == learn.CALM for kind, _, _ in unseen] == [False] * 200 + [True] * 200
    shares, begin = {}, 0
    for name, size in parts.items():
        shares[name] = sum(raised[begin : begin + size]) / size
        begin += size
    with capsys.disabled():
        print("\nunseen:", ", ".join(f"{name} {share:.2f}" for name, share in shares.items()))
    assert shares["plain"] >= 0.9
    assert shares["half-said"] + shares["hints"] >= 1.0
    assert shares["letters"] <= 0.1
    assert shares["near misses"] <= 0.4
