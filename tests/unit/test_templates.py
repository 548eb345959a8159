"""The letters the centre writes by itself: complete, neutral at a glance, and never evaluated."""

from __future__ import annotations

import datetime as dt
import itertools
import re

import pytest

from mailcounsel import errors
from mailcounsel.casework import danger
from mailcounsel.letter import templates, words

LANGUAGES = ("id", "en")
CLIENT = [name for name in templates.names() if name not in templates.FOR_STAFF]
MARK = "qzjx"  # occurs in no template
DECIDING = {"subject", "offer_plain", "ask_when", "letter_waits", "letter_gone", "asked", "stays"}
PAIRS = [(language, name) for language in LANGUAGES for name in templates.names()]
CLIENT_PAIRS = [(language, name) for language in LANGUAGES for name in CLIENT]

# Words by which somebody who sees a locked screen would know what the letter is about.
TELLING = re.findall(
    r"\S+",
    """
    counsel therap psych crisis suicid die death kill harm danger emergency help hotline
    clinic doctor patient client goal check-in checkin mood depress anxi mental session case
    confidential konsel terap psik krisis bunuh mati bahaya darurat bantu klinik dokter
    pasien klien tujuan target suasana cemas jiwa sesi kasus rahasia gawat konsultasi
    perasaan feeling encrypt enkripsi pgp kunci lock
    """,
)


def full(name):
    facts = {fact: f"{MARK}-{fact}" for fact in templates.FACTS[name]}
    return facts | {"subject": "Neutral"} if "subject" in facts else facts


def asked_about(language, name):
    """Return the facts a template asks about, because they may be missing."""
    files = (folder / language / f"{name}.txt" for folder in templates.folders())
    source = next(file for file in files if file.exists()).read_text("utf-8")
    return set(re.findall(r"{% if (\w+) %}", source))


def smallest(name):
    facts = dict.fromkeys(templates.FACTS[name], "x") | dict.fromkeys(asked_about("id", name), "")
    return facts | {"subject": "Neutral"} if "subject" in facts else facts


def situations(name):
    """Return the facts of every situation: each fact that may be missing is there, or is not."""
    optional = sorted(asked_about("id", name))
    for there in itertools.product((True, False), repeat=len(optional)):
        missing = {fact for fact, is_there in zip(optional, there, strict=True) if not is_there}
        yield full(name) | dict.fromkeys(missing, "")


def _reply(text):
    return {"subject": "S", "sign_off": "R", "text": text, "emergency": ""}


def test_nothing_is_missing():
    """Every template exists in both languages and can be filled in."""
    assert templates.check(LANGUAGES) == ()


@pytest.mark.parametrize(("language", "name"), CLIENT_PAIRS)
def test_our_own_words_are_no_sign_of_danger(language, name):
    """Mail programs quote them: they raise no alarm, and hold up no answer to them."""
    for facts in situations(name):
        made = templates.render(language, name, facts)
        found = danger.signs(made.body)
        hinted = danger.hints(made.body, (), found)
        assert [made.body[one.start - 20 : one.end + 20] for one in (*found, *hinted)] == []


def test_what_is_missing_is_named():
    """A language without templates is told file by file."""
    missing = templates.check(["xx"])
    assert len(missing) == len(templates.names())
    assert "xx/reply.txt is missing." in missing


@pytest.mark.parametrize(("language", "name"), PAIRS)
def test_every_fact_is_used_and_none_is_undeclared(language, name):
    """With all facts given each appears or decides; the text shows no trace of a template."""
    mail = templates.render(language, name, full(name))
    for fact in templates.FACTS[name] - DECIDING:
        assert f"{MARK}-{fact}" in mail.body
    assert not re.search(r"\{[{%#]|[#%}]\}", mail.body)


HOLE = re.compile(r"[:(] *\n*$|[^ \n]  |\( *\)|\S [.,]|:\n\n(?:Salam|With warm)")


@pytest.mark.parametrize(("language", "name"), PAIRS)
def test_whole_in_every_situation(language, name):
    """Whatever is missing, alone or together, the letter is whole: no hole, no gap, no heading
    above nothing."""
    for facts in situations(name):
        body = templates.render(language, name, facts).body
        assert "\n\n\n" not in body
        assert not HOLE.search(body), body
    assert not HOLE.search(templates.render(language, name, smallest(name)).body)


@pytest.mark.parametrize("name", templates.names())
def test_the_languages_know_the_same_situations(name):
    """A fact that may be missing in one language may be missing in the other."""
    assert asked_about("id", name) == asked_about("en", name)


@pytest.mark.parametrize(("language", "name"), PAIRS)
def test_a_missing_fact_stops_the_letter(language, name):
    """No letter goes out with a hole where a fact should be."""
    for fact in templates.FACTS[name] - {"until_day"}:
        facts = full(name)
        del facts[fact]
        with pytest.raises(errors.TemplateError):
            templates.render(language, name, facts)


@pytest.mark.parametrize(("language", "name"), CLIENT_PAIRS)
def test_neutral_on_a_locked_screen(language, name):
    """The first 120 characters hold no telling word and no fact, and the subject is given."""
    for facts in (*situations(name), smallest(name)):
        mail = templates.render(language, name, facts)
        glance = " ".join(mail.body.split())[:120].casefold()
        assert mail.subject == "Neutral"
        assert len(glance) == 120
        assert MARK not in glance
        found = [word for word in TELLING if re.search(rf"\b{word}", glance)]
        assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_subjects_are_constant_and_neutral(language):
    """The default subject says nothing."""
    assert not any(word in templates.subject(language).casefold() for word in TELLING)
    assert templates.subject("xx") == templates.subject("en")


@pytest.mark.parametrize(("language", "name"), CLIENT_PAIRS)
def test_no_link_no_jargon_no_footer_dashes(language, name):
    """Letters hold no link, no jargon, and no "-- " below which programs hide text."""
    body = templates.render(language, name, full(name)).body
    jargon = "openpgp|pgp|encrypt|enkripsi|autocrypt|server|account|akun|ticket|tiket|https?://"
    assert not re.search(rf"(?i)\b({jargon})\b", body)
    assert not re.search(r"(?m)^--\s*$", body)


@pytest.mark.parametrize(("language", "name"), CLIENT_PAIRS)
def test_every_letter_to_a_client_says_where_help_is(language, name):
    """Whoever wrote it, a letter to a client ends or goes on with where help is."""
    body = templates.render(language, name, full(name)).body
    assert f"help is here:\n\n{MARK}-emergency" in body.replace(
        "bantuan ada di sini", "help is here"
    )


@pytest.mark.parametrize(("language", "name"), CLIENT_PAIRS)
def test_no_blame_and_no_promise_that_cannot_be_kept(language, name):
    """Silence is never counted against anybody, and of a day it is said that we aim at it."""
    body = templates.render(language, name, full(name)).body
    blame = r"you (?:have not|haven't|did not|didn't|failed|must|should have)|still waiting for you"
    blame += r"|Anda (?:belum|tidak) (?:membalas|menjawab|menulis)|wajib|seharusnya"
    promise = r"guarantee\w*|we promise|dijamin|kami janji|berjanji|pasti"
    assert not re.search(rf"(?i)\b(?:{blame}|{promise})\b", body)
    for line in body.splitlines():
        if f"{MARK}-promised_day" in line:
            assert re.search("[Kk]ami usahakan|[Ww]e aim", line)


EVIL = [
    "{{ 7*7 }}",
    "{% for x in range(10**9) %}x{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "{{ subject|attr('__class__') }}",
    "{% include 'reply.txt' %}",
]


@pytest.mark.parametrize("value", EVIL)
def test_a_fact_is_never_a_template(value):
    """CVE-2024-56326 and its kind: what a client or therapist wrote is put in as it is."""
    mail = templates.render("id", "reply", _reply(value))
    assert value in mail.body


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ text.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(text) }}{{ text.format_map }}{{ ()|attr('__class__') }}x{{ y }}",
        "{{ open('/etc/passwd') }}",
    ],
)
def test_an_admins_template_is_in_a_sandbox(body):
    """A template cannot reach Python behind its facts."""
    with pytest.raises(errors.TemplateError):
        templates.render_text(f"Subject: S\n\n{body}\n", "id", "reply", _reply("x"))


def test_override_folder(tmp_path):
    """The admin's version comes first; what is not there comes from the package."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "reply.txt").write_text("Subject: {{ subject }}\n\nOurs: {{ text }}\n")
    facts = _reply("x")
    assert templates.render("en", "reply", facts, override=tmp_path).body == "Ours: x\n"
    assert templates.check(["en"], override=tmp_path) == ()


@pytest.mark.parametrize(
    "source",
    [
        "no header",
        "Subject: a\nFrom: b\n\nx",
        "From: b\n\nx",
        "Subject: {{ nothing }}\n\nx",
        "Subject: a\n\n{% if %}",
        "Subject: {{ text }}\n\nx",
        "Subject:\n\nx",
    ],
)
def test_broken_templates_say_so(tmp_path, source):
    """A template that is no mail is refused, with its name and without a client's words."""
    (tmp_path / "id").mkdir()
    (tmp_path / "id" / "reply.txt").write_text(source)
    facts = _reply(f"{MARK}\nBcc: evil@x.test")
    with pytest.raises(errors.TemplateError) as caught:
        templates.render_text(source, "id", "reply", facts)
    assert "id/reply.txt" in str(caught.value)
    assert MARK not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    ["no header", "Subject: {{ subject }}\n\n{{ nothing }}", "Subject: a\n\n{% if %}"],
)
def test_our_own_letter_goes_where_the_admins_is_broken(tmp_path, source, caplog):
    """Whoever wrote is acknowledged all the same; the log and `doctor` name the file."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "reply.txt").write_text(source)
    found = templates.render("en", "reply", _reply(MARK), override=tmp_path)
    assert found == templates.render("en", "reply", _reply(MARK))
    assert "en/reply.txt" in caplog.text
    assert MARK not in caplog.text
    (problem,) = templates.check(["en"], override=tmp_path)
    assert "en/reply.txt" in problem


@pytest.mark.parametrize("condition", ["text", "not text"])
def test_both_sides_of_a_condition_are_looked_at(tmp_path, condition):
    """A misspelt fact on the side that is seldom taken would be found by a client's letter."""
    (tmp_path / "en").mkdir()
    source = "Subject: {{ subject }}\n\n{% if " + condition + " %}{{ misspelt }}{% endif %}Hello."
    (tmp_path / "en" / "reply.txt").write_text(source)
    assert len(templates.check(["en"], override=tmp_path)) == 1


@pytest.mark.parametrize(("language", "name"), [("../id", "reply"), ("id", "../reply"), ("", "x")])
def test_names_stay_inside(language, name):
    """Neither a language nor a name can point elsewhere."""
    with pytest.raises(errors.TemplateError):
        templates.render(language, name, {})


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("id", "Selasa, 1 Desember 2026"),
        ("en", "Tuesday, 1 December 2026"),
        ("xx", "Tuesday, 1 December 2026"),
    ],
)
def test_days(language, written):
    """A day is written out in the client's language, in English where there is none."""
    assert templates.day(dt.date(2026, 12, 1), language) == written


def test_a_time_of_day_is_written_as_people_write_it():
    """An Indonesian clock has a point between hours and minutes."""
    assert templates.time_of_day(dt.time(8), "id") == "08.00"
    assert templates.time_of_day(dt.time(19, 30), "en") == "19:30"


def test_words_of_a_language_differ():
    """No two words of a language are the same, and every language has all of them."""
    for known in words.WORDS.values():
        assert len(set(known.values())) == len(known)
        assert set(known) == set(words.WORDS["en"])
    assert words.word("id", "stop") == "BERHENTI"
    assert words.word("xx", "stop") == "STOP"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_speaks_of_what_may_never_have_been(language):
    """The first check-in follows no question, and a form or a copy may come unasked."""
    never = {
        "checkin": ("our last question", "pertanyaan kami yang terakhir"),
        "measure": ("agreed", "sepakati"),
        "copy": ("asked for", "minta"),
    }
    for name, phrases in never.items():
        files = (folder / language / f"{name}.txt" for folder in templates.folders())
        source = next(file for file in files if file.exists()).read_text(encoding="utf-8")
        assert not [phrase for phrase in phrases if phrase in source]
