"""Questionnaires as files: what is included, on what terms, and what is refused."""

from __future__ import annotations

import pytest

from mailcounsel import errors
from mailcounsel.practice import instruments, shelf

GOOD = """
name = "mine"
title = "Mine"
language = "id"
version = "1"
source = "a paper"
licence = "ours"
question = "Bagaimana?"
items = ["satu hal", "hal lain"]

[[option]]
value = 0
words = "tidak"

[[option]]
value = 1
words = "ya"

[score]
method = "sum"
better = "lower"
missing = 0
missing_source = "ours"
"""
GRANT = {
    "en": (
        "Developed by Drs. Robert L. Spitzer",
        "No permission required to reproduce, translate, display or distribute.",
    ),
    "id": (
        "Dikembangkan oleh Dr. Robert L. Spitzer",
        "Tidak diperlukan izin untuk memperbanyak, menerjemahkan, menampilkan atau menyebarkan.",
    ),
}


def test_what_is_included():
    """Only what is free for any use comes with the program, in both languages."""
    have = {(one.name, one.language) for one in shelf.included()}
    names = ("phq-9", "phq-2", "gad-7", "gad-2", "feedback")
    assert have == {(name, language) for name in names for language in ("en", "id")}


@pytest.mark.parametrize("name", ["phq-9", "phq-2", "gad-7", "gad-2"])
@pytest.mark.parametrize("language", ["en", "id"])
def test_the_notice_is_kept(name, language):
    """Each form of Pfizer's grant carries the notice that goes with it."""
    measure = shelf.find(name, language, [])
    begins, ends = GRANT[language]
    assert measure.notice.startswith(begins)
    assert measure.notice.endswith(ends)
    assert measure.source


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_short_forms_are_the_first_questions_of_the_long_ones(language):
    """PHQ-2 and GAD-2 are the first two questions, word for word."""
    for short, long in (("phq-2", "phq-9"), ("gad-2", "gad-7")):
        wanted = shelf.find(long, language, []).items[:2]
        assert shelf.find(short, language, []).items == wanted


@pytest.mark.parametrize("name", ["phq-9", "phq-2", "gad-7", "gad-2"])
def test_a_form_is_scored_alike_in_both_languages(name):
    """Values, bands, cut-offs and the item that asks for danger belong to the form."""
    one, other = (shelf.find(name, language, []) for language in ("en", "id"))
    assert len(one.items) == len(other.items)
    assert [option.value for option in one.options] == [option.value for option in other.options]
    same = ("danger", "scoring", "bands", "cutoffs", "change")
    assert all(getattr(one, fact) == getattr(other, fact) for fact in same)


def test_the_ninth_question_asks_for_danger():
    """PHQ-9 marks its ninth item, and no other form included has such an item."""
    dangerous = {one.name: one.danger for one in shelf.included() if one.danger}
    assert dangerous == {"phq-9": {9}}


def test_every_band_and_every_rule_has_a_source():
    """No number stands in a file without saying who found it."""
    for measure in shelf.included():
        assert measure.scoring.missing_source
        assert all(band.source for band in measure.bands)
        assert all(cutoff.source for cutoff in measure.cutoffs)
        assert measure.change is None or measure.change.source


def test_a_language_without_a_text_is_refused_with_advice():
    """There is no Malay PHQ-9 here, and nothing else is offered as if it were one."""
    with pytest.raises(errors.NotFound, match=r"no text in the language 'ms'.*measure import"):
        shelf.find("phq-9", "ms", [])


@pytest.mark.parametrize("stub", shelf.stubs(), ids=lambda stub: stub.name)
def test_what_is_not_included_says_where_its_licence_is(stub):
    """Asking for a form that is not included says which licence to get and where."""
    with pytest.raises(errors.NotFound) as caught:
        shelf.find(stub.name, "en", [])
    assert stub.licence in str(caught.value)
    assert stub.where in str(caught.value)


def test_what_nobody_knows_is_said_to_be_unknown():
    """A misspelt name is answered with where to look."""
    with pytest.raises(errors.NotFound, match="measure list"):
        shelf.find("phq9", "en", [])


def test_an_imported_form_is_there(tmp_path):
    """A checked file is kept and found, in its own language only."""
    folder = tmp_path / "measures"
    assert shelf.add(GOOD, folder).name == "mine"
    assert shelf.find("mine", "id", [folder]).items == ("satu hal", "hal lain")
    assert [file.name for file in folder.iterdir()] == ["mine.id.toml"]
    assert shelf.add(GOOD.replace('"1"', '"2"', 1), folder).version == "2"
    assert shelf.find("mine", "id", [folder]).version == "2"


def test_an_imported_stub_is_found(tmp_path):
    """What a stub speaks of can be imported under its name."""
    shelf.add(GOOD.replace('"mine"', '"who-5"'), tmp_path)
    assert shelf.find("who-5", "id", [tmp_path]).name == "who-5"


def test_an_official_translation_can_be_added(tmp_path):
    """A text in another language stands beside the one included."""
    shelf.add(GOOD.replace('"mine"', '"phq-9"').replace('"id"', '"ms"'), tmp_path)
    assert shelf.find("phq-9", "ms", [tmp_path]).language == "ms"
    assert len(shelf.find("phq-9", "en", [tmp_path]).items) == 9


def test_what_is_included_is_never_replaced(tmp_path):
    """A file of the same name and language is refused, and one laid there by hand is not used."""
    text = GOOD.replace('"mine"', '"phq-9"').replace('"id"', '"en"')
    with pytest.raises(errors.Refused, match="comes with the program"):
        shelf.add(text, tmp_path)
    (tmp_path / "phq-9.en.toml").write_text(text)
    assert len(shelf.find("phq-9", "en", [tmp_path]).items) == 9


def test_one_broken_file_stops_no_other(tmp_path):
    """A broken file is left out and named; the others are there."""
    shelf.add(GOOD, tmp_path)
    (tmp_path / "a.toml").write_text("name =")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    assert shelf.find("mine", "id", [tmp_path]).name == "mine"
    first, second = shelf.faults([tmp_path])
    assert first.startswith("a.toml is not TOML")
    assert second.startswith("b.toml cannot be read")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Mine"', "", "title must be one line"),
        ('licence = "ours"', 'licence = " "', "licence must be one line"),
        ('source = "a paper"', "", "source must be one line"),
        ('"Bagaimana?"', '"a\\u001b[2J"', "question must be one line"),
        ('"mine"', '"../mine"', "name must be like"),
        ('"id"', '"../id"', "language must be like"),
        ('["satu hal", "hal lain"]', "[]", "items must be"),
        ('["satu hal", "hal lain"]', '"satu"', "items must be a list"),
        ('["satu hal", "hal lain"]', "[1]", "items must be a list"),
        ("value = 1", "value = 0", "options must ascend"),
        ("value = 1", "value = 1.5", "option.value must be a whole number"),
        ("value = 1", 'value = "1"', "option.value must be a number"),
        ('words = "ya"', 'words = "Tidak"', "two options share a word"),
        ('"lower"', '"up"', 'score.better must be "lower" or "higher"'),
        ('"sum"', '"mean"', 'score.method must be "sum"'),
        ("missing = 0", "missing = 2", "score.missing is out of range"),
        ("[score]", "[scores]", "scores is not known here"),
        ('missing_source = "ours"', 'missing_source = "x"\nhalf = 1', "score.half is not known"),
        ('version = "1"', 'version = "1"\ndanger = [3]', "danger names an item"),
        ('version = "1"', 'version = "1"\ndanger = 2', "danger must be a list"),
        ('version = "1"', 'version = "1"\nband = 2', "band must be tables"),
        ('version = "1"', 'version = "1"\nchange = 2', "change must be a table"),
        ('version = "1"', 'version = "1"\nchange = {source = "x"}', "change.reliable is missing"),
        ("[[option]]", "[option", "is not TOML"),
    ],
)
def test_what_is_not_complete_is_refused(old, new, said):
    """Each fault of a file is named with its place."""
    with pytest.raises(errors.Refused) as caught:
        instruments.read(GOOD.replace(old, new, 1), "mine.toml")
    assert str(caught.value).startswith("mine.toml")
    assert said in str(caught.value)


def test_a_missing_score_table_is_refused():
    """A form without a rule of scoring is no form."""
    with pytest.raises(errors.Refused, match="score is missing"):
        instruments.read(GOOD[: GOOD.index("[score]")], "mine.toml")


def test_a_whole_library_is_no_form():
    """A file far too long is refused unread."""
    with pytest.raises(errors.Refused, match="too long"):
        instruments.read("#" * 70_000, "mine.toml")
