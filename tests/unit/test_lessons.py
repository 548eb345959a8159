"""Skills and ready letters: files anybody can add, short, plain, and whole in both languages."""

from __future__ import annotations

import re

import pytest

from mailcounsel import errors
from mailcounsel.letter import lessons, templates

LANGUAGES = ("id", "en")
OURS = {
    lessons.SKILLS: (
        "activity-planning",
        "assertive-requests",
        "breathing",
        "listening",
        "muscle-relaxation",
        "sleep",
        "thought-record",
        "worry-time",
    ),
    lessons.LETTERS: ("private-program", "questions", "safe-address"),
}
ALL = [(kind, name, language) for kind in OURS for name in OURS[kind] for language in LANGUAGES]
SKILLS = [(name, language) for kind, name, language in ALL if kind == lessons.SKILLS]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", OURS)
def test_ours_are_there_in_both_languages(kind, language):
    """Nothing of ours is missing in one of the languages."""
    assert lessons.names(kind, language) == OURS[kind]


def test_ours_are_whole():
    """Every file can be read."""
    assert lessons.check(LANGUAGES) == ()


@pytest.mark.parametrize(("kind", "name", "language"), ALL)
def test_short_enough_for_an_old_phone(kind, name, language):
    """A text has at most 2,500 characters, and no line in it is made for a wide screen."""
    found = lessons.load(kind, name, language)
    assert len(found.text) <= 2_500
    assert "\n\n\n" not in found.text
    assert "\t" not in found.text


@pytest.mark.parametrize(("kind", "name", "language"), ALL)
def test_no_jargon_no_diagnosis_no_promise(kind, name, language):
    """No word of a clinic, no blame, no certainty about what will happen."""
    said = lessons.load(kind, name, language).text
    jargon = (
        r"diagnos\w*|disorder|gangguan|symptom\w*|gejala|patient|pasien|therap\w*|terapi\w*"
        r"|cognitive|kognitif|stimulus|intervention|intervensi|guarantee\w*|dijamin|always works"
        r"|pasti berhasil|pasti sembuh|you will feel|your fault|salah anda|https?"
    )
    assert not re.search(rf"(?i)\b(?:{jargon})\b", said)


@pytest.mark.parametrize(("name", "language"), SKILLS)
def test_a_skill_has_one_exercise_and_one_line_to_send_back(name, language):
    """The exercise fits a check-in, and the line is the one the check-ins read."""
    found = lessons.load(lessons.SKILLS, name, language)
    assert found.exercise
    assert "\n" not in found.exercise
    assert len(found.exercise) <= 80
    assert found.answer == {"id": "latihan 3x", "en": "practice 3x"}[language]


CARE = {"id": "Satu hal yang perlu dijaga", "en": "A word of care"}
NAMED = {
    "breathing": {"id": "pusing", "en": "dizzy"},
    "muscle-relaxation": {"id": "cedera", "en": "injured"},
    "sleep": {"id": "menyetir", "en": "drive"},
    "worry-time": {"id": "menyakiti diri", "en": "harming yourself"},
    "thought-record": {"id": "tidak ingin hidup", "en": "not wanting to live"},
    "assertive-requests": {"id": "memukul", "en": "hits you"},
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMED)
def test_what_could_harm_is_said(name, language):
    """Where a skill can do harm, its paragraph of care names what to look out for."""
    text = lessons.load(lessons.SKILLS, name, language).text
    care = text.partition(CARE[language])[2].partition("\n\n")[0]
    assert NAMED[name][language] in care


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["private-program", "safe-address"])
def test_ready_letters_have_three_steps(name, language):
    """A safe address and a private program take three steps each."""
    text = lessons.load(lessons.LETTERS, name, language).text
    assert re.findall(r"(?m)^(?:Langkah|Step) (\d):", text) == ["1", "2", "3"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_of_the_beginning_may_be_left_out(language):
    """And says what follows when it is: nine questions, nine times."""
    text = lessons.load(lessons.LETTERS, "questions", language).text
    assert len(re.findall(r"(?m)^\d\. .*\?", text)) == 9
    assert len(re.findall(r"leave (?:this|it) out|dilewatkan", text)) >= 9


# -- files of the admin's own ---------------------------------------------------------------------

OWN = "Title: Gardening\nExercise: water one plant a day\nAnswer: practice 3x\n\nGo outside.\n"


def put(folder, name, text=OWN, language="en", kind="skills"):
    place = folder / language / kind / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")


def test_a_file_is_a_skill(tmp_path):
    """An admin adds a skill as a file; no code knows its name."""
    put(tmp_path, "gardening.txt")
    assert "gardening" in lessons.names(lessons.SKILLS, "en", tmp_path)
    assert "gardening" not in lessons.names(lessons.SKILLS, "id", tmp_path)
    found = lessons.load(lessons.SKILLS, "gardening", "en", tmp_path)
    assert (found.title, found.exercise) == ("Gardening", "water one plant a day")
    assert found.text == "Go outside."


def test_the_admins_own_version_wins(tmp_path):
    """A file of the same name replaces ours."""
    put(tmp_path, "breathing.txt")
    assert lessons.load(lessons.SKILLS, "breathing", "en", tmp_path).title == "Gardening"
    assert lessons.names(lessons.SKILLS, "en", tmp_path).count("breathing") == 1


def test_braces_in_a_text_are_words(tmp_path):
    """Nothing in a skill is filled in or carried out."""
    put(tmp_path, "own.txt", OWN + "{{ 7*7 }} {% for %}")
    assert "{{ 7*7 }} {% for %}" in lessons.load(lessons.SKILLS, "own", "en", tmp_path).text


@pytest.mark.parametrize(
    "text",
    [
        "Go outside.\n",
        "Title: A\nExercise: b\n\nwords",
        "Title: A\nAnswer: c\nExercise: b\n\nwords",
        "Title: A\nExercise: b\nAnswer: c\n\n \n",
        "Title: A\nExercise:\nAnswer: c\n\nwords",
        f"Title: A\nExercise: {'b' * 81}\nAnswer: c\n\nwords",
        OWN + "x" * 4_000,
    ],
)
def test_a_broken_file_is_named_by_doctor_and_stops_no_other(tmp_path, text):
    """What is wrong with a file is a sentence with its name; the others stay as they are."""
    put(tmp_path, "broken.txt", text)
    (problem,) = lessons.check(LANGUAGES, tmp_path)
    assert problem.startswith("en/skills/broken.txt ")
    assert lessons.load(lessons.SKILLS, "breathing", "en", tmp_path).title == "Slow breathing"


@pytest.mark.parametrize("name", ["../reply", "/etc/passwd", "breathing/../sleep", "", "Ä", "x.y"])
def test_a_name_never_leaves_the_folder(name):
    """Only the plain name of a file is looked for."""
    with pytest.raises(errors.NotFound):
        lessons.load(lessons.SKILLS, name, "en")


def test_an_unknown_name_says_where_to_look():
    """A skill nobody wrote is told in a sentence with the way on."""
    with pytest.raises(errors.NotFound, match=r"no skill 'flying' in the language id.*skill list"):
        lessons.load(lessons.SKILLS, "flying", "id")


@pytest.mark.parametrize(("name", "language"), SKILLS)
def test_a_lesson_reads_as_one_letter(name, language):
    """Greeting, the therapist's words, the lesson, one exercise, one line to send back, an end."""
    found = lessons.load(lessons.SKILLS, name, language)
    facts = {
        "subject": "S",
        "sign_off": "Wulan",
        "text": "Own words.",
        "lesson": found.text,
        "exercise": found.exercise,
        "answer": found.answer,
        "emergency": "112",
    }
    body = templates.render(language, "lesson", facts).body
    order = [body.index(facts[name]) for name in ("text", "lesson", "exercise", "answer")]
    assert order == sorted(order)
    assert body.count(found.exercise) == 1
    assert len(body) < 3_200
