"""Letters as they leave: each text of ours inside its template, in both languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from mailcounsel.casework import measures
from mailcounsel.letter import lessons, templates, words
from mailcounsel.practice import outlines, progress, shelf
from mailcounsel.practice.milestones import GoalLine, Point
from unit.test_progress import goal, journey
from unit.test_templates import HOLE, LANGUAGES, TELLING

NOW = datetime(2026, 11, 26, tzinfo=UTC)
HELP = "Telepon 112 / call 112."
LONG = "Kata-kata sendiri, words of one's own. " * 60
GOALS = [GoalLine(1, "jalan kaki", "", "active", (Point(NOW, 2.0), Point(NOW, 7.0)))]


def whole(language, name, **facts):
    """Return the letter with and without a text of where help is, once it has been looked at."""
    found = []
    for emergency in (HELP, ""):
        given = {"subject": templates.subject(language), "sign_off": "Rumah Surat"}
        mail = templates.render(language, name, {**given, **facts, "emergency": emergency})
        assert not HOLE.search(mail.body), mail.body
        assert "\n\n\n" not in mail.body
        glance = " ".join(mail.body.split())[:110].casefold()
        assert [word for word in TELLING if re.search(rf"\b{word}", glance)] == []
        found.append(mail.body)
    assert HELP in found[0]
    return found[0]


@pytest.mark.parametrize("form", shelf.included(), ids=lambda form: f"{form.name}-{form.language}")
def test_every_questionnaire_is_a_whole_letter(form):
    """It asks each question, says how to answer, and names no score."""
    stop = words.word(form.language, "stop")
    body = whole(form.language, "measure", stop_word=stop, **measures.facts(form))
    assert all(item in body for item in form.items)
    assert not re.search(r"(?i)\b(score|skor|severe|berat sekali|diagnos\w*)\b", body)
    assert not any(band.name in body.split(form.notice or "\0")[0] for band in form.bands)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("own", ["", LONG])
def test_every_skill_is_a_whole_letter(language, own):
    """With words of the therapist's above it, or none."""
    for name in lessons.names(lessons.SKILLS, language):
        skill = lessons.load(lessons.SKILLS, name, language)
        facts = {"lesson": skill.text, "exercise": skill.exercise, "answer": skill.answer}
        assert skill.exercise in whole(language, "lesson", text=own, **facts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("own", ["", "Own words.\n\n"])
def test_every_ready_letter_is_a_whole_letter(language, own):
    """Below the therapist's words, or alone."""
    for name in lessons.names(lessons.LETTERS, language):
        text = lessons.load(lessons.LETTERS, name, language).text
        assert text in whole(language, "reply", text=own + text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("goals", [[], GOALS])
def test_every_outline_is_a_whole_letter(language, goals):
    """A summary, a look back and an ending, filled in, with goals and without."""
    whole(language, "reply", text=outlines.summary(language, LONG.strip()))
    for outline in (outlines.evaluation, outlines.ending):
        filled = outline(language, goals).replace("\n…\n", "\nYa.\n")
        assert outlines.gaps(filled) == []
        whole(language, "reply", text=filled)


@pytest.mark.parametrize("language", LANGUAGES)
def test_progress_is_a_whole_letter(language):
    """The smallest and the fullest progress can both be sent."""
    full = journey([goal(n, f"goal {n}", *range(10)) for n in range(1, 9)], [], [NOW] * 3)
    for told in (journey(), full):
        whole(language, "reply", text="\n".join(progress.lines(told, language)))
