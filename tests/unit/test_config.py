"""The configuration: what loads, what is refused, and in which words."""

import ast
import inspect
import itertools
import re
import subprocess
import sys
import textwrap
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from mailcounsel import config, errors
from mailcounsel.config import wording
from mailcounsel.config.models import Config

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"
BAD = sorted((ROOT / "tests" / "bad_configs").glob("*.toml"))
HIDDEN = "hunter2-not-to-be-shown"

MINIMAL = """
[centre]
name = "Rumah Teduh"
sender_name = "Surat Teduh"
time_zone = "Asia/Jakarta"
languages = ["id"]
[emergency]
id = "Telepon 119."
[smarthost]
host = "smtp.example.org"
[[inbox]]
address = "Letters@Example.org"
queue = "general"
[inbox.imap]
host = "imap.example.org"
user = "letters"
password_file = "secret"
[[person]]
name = "sari"
roles = ["supervisor"]
uid = 1001
[[queue]]
name = "general"
supervisor = "sari"
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        file = tmp_path / "config.toml"
        file.write_text(text)
        return file

    return write


def imap(loaded):
    return loaded.inboxes[0].imap


def refusal(file):
    with pytest.raises(errors.ConfigError) as caught:
        config.load(file)
    return caught.value


@pytest.fixture
def example():
    return config.load(EXAMPLE)


# -- refusals -----------------------------------------------------------------------------------
@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_file_fails_as_expected_and_not_by_chance(file):
    """Each problem of each broken file is named, with its place, and nothing else is."""
    expected = [
        line.removeprefix("# expect: ")
        for line in file.read_text().splitlines()
        if line.startswith("# expect: ")
    ]
    problems = [str(problem).removeprefix(f"{file}:") for problem in refusal(file).problems]
    assert problems == expected
    assert expected
    assert not any(HIDDEN in line for line in problems)


def test_there_are_enough_bad_files():
    """The folder was found."""
    assert len(BAD) >= 40


def test_the_message_holds_every_problem_one_a_line(write):
    """What a person sees is the list; the exit code is that of a configuration fault."""
    text = MINIMAL.replace("password_file", "pasword_file").replace("uid", "uuid")
    error = refusal(write(text))
    file = write(text)
    assert str(error).splitlines() == [
        f"{file}:17:1: inbox[0].imap.pasword_file: unknown key (did you mean password_file?)",
        f"{file}:21:1: person[0].uuid: unknown key (did you mean uid?)",
    ]
    assert error.exit_code == 78


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    """Missing, a folder, or not text: one sentence each."""
    assert "mailcounsel init" in str(refusal(tmp_path / "config.toml"))
    assert "Is a directory" in str(refusal(tmp_path))
    latin = tmp_path / "latin.toml"
    latin.write_bytes("# später\r\nname = 'é'".encode() + "\né = 'ü'".encode("latin-1"))
    assert str(refusal(latin)) == f"{latin}:3:1: this is not UTF-8 text"


def test_a_file_nested_without_end_is_refused(write):
    """The reader's own limits end in a sentence too."""
    assert "nested too deeply" in str(refusal(write("a = " + "[" * 100_000)))


def test_windows_line_ends_keep_the_places_right(write, tmp_path):
    """CR LF is one line end."""
    file = tmp_path / "config.toml"
    file.write_bytes(MINIMAL.replace("uid", "uuid").replace("\n", "\r\n").encode())
    assert refusal(file).problems[0].where == f"{file}:21:1"


def test_every_message_of_the_toml_reader_has_a_sentence():
    """What tomllib says may quote the file; ours never does, and is never the last resort."""
    broken = [
        *("a = ", "a = 1\na = 2", 'a = "x', "[a\n", "a 1", "a = hello", 'a = "\\q"', "[a]\n[a]"),
        *("a = [1", 'a = "x\ny"', "a = {x = 1,}", "[[a]]\n[a]", "[a]\n[[a]]", "a = 1 b = 2"),
        *("= 1", "a = {x = 1\n}", "a = {x = 1, x = 2}", "a = {}\n[a.b]", 'a = "\\ud800"', "[[a]\n"),
        *(
            'a = "\\u12"',
            "a = 2026-02-30",
            "a = [1]\n[[a]]",
            "# \x00",
            "a.b = 1\n[a]",
            "a = {b=1}\na.c=1",
        ),
    ]
    for text in broken:
        with pytest.raises(tomllib.TOMLDecodeError) as caught:
            tomllib.loads(text)
        assert wording.syntax_advice(str(caught.value)) != "this is not TOML", text


PLACES = [
    (table, key)
    for table, keys in {
        "centre": ("name", "time_zone", "languages", "state_dir", "authserv_id", "secret"),
        "smarthost": ("host", "port", "tls", "user", "password", "password_env", "token_command"),
        "store": ("url", "password_file", "password_command", "token"),
        "hours": ("quiet", "morning", "evening", "holidays", "working"),
        "smtp": ("tls_key", "port", "hostname"),
        "limits": ("depth", "secret"),
        "emergency": ("en", "fr"),
    }.items()
    for key in keys
]
SHAPES = ['"{}"', '["{}"]', '"x@{}"', '"postgresql+psycopg://u:{}@h/d"', '{{ "x" = "{}" }}', "{}"]
SHAPES += ['"{}\\u0000"', '"{}', '"sqlite://{}"', '["{}", 1]', '"""\n{}\n"""', "'{}' = 1", '"{}:"']


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), st.sampled_from(SHAPES), st.integers(0, 3))
def test_a_refusal_never_repeats_what_was_written(tmp_path_factory, place, shape, noise):
    """A password on any line, in any shape, is not in the message, its repr or its traceback."""
    table, key = place
    others = "\nwrong = 1" * noise
    start = MINIMAL.replace("[smarthost]", "[smtph]")
    text = f"{start}\n[{table}]\n{key} = {shape.format(HIDDEN)}{others}\n"
    file = tmp_path_factory.getbasetemp() / "secrecy.toml"
    file.write_text(text)
    with pytest.raises(errors.ConfigError) as caught:
        config.load(file)
    chain: list[BaseException] = [caught.value]
    while not chain[-1].__suppress_context__ and chain[-1].__context__ is not None:
        chain.append(chain[-1].__context__)
    assert not any(HIDDEN in f"{error} {error!r}" for error in chain)


def test_a_readable_password_file_is_refused(write, tmp_path):
    """Once others can read it, it is no secret; the place of its key is named."""
    file = write(MINIMAL)
    (tmp_path / "secret").write_text(HIDDEN)
    (tmp_path / "secret").chmod(0o644)
    assert str(refusal(file)) == (
        f"{file}:17:1: inbox[0].imap.password_file: can be read by others: chmod 600"
    )
    (tmp_path / "secret").chmod(0o600)
    assert imap(config.load(file)).secret.read().value == HIDDEN


def test_a_template_must_be_there_in_every_language(write, tmp_path):
    """An own wording counts where it exists, and the languages without it are named."""
    rule = '[[rule]]\nname = "warm"\nacknowledgement = "warm-welcome"\n'
    text = MINIMAL.replace('["id"]', '["id", "en"]\ntemplates = "own"') + rule
    text = text.replace('id = "T', 'en = "Call 119."\nid = "T')
    assert "no such template" in str(refusal(write(text)))
    for language in ("id", "en"):
        (tmp_path / "own" / language).mkdir(parents=True)
    (tmp_path / "own" / "id" / "warm-welcome.txt").write_text("")
    assert "has no template in: en" in str(refusal(write(text)))
    (tmp_path / "own" / "en" / "warm-welcome.txt").write_text("")
    assert config.load(write(text)).rules[0].acknowledgement == "warm-welcome"


# -- what loads ---------------------------------------------------------------------------------
def test_the_smallest_file_loads_with_every_default(write, tmp_path):
    """Paths start at the file's own folder, whatever folder the command is run in."""
    loaded = config.load(write(MINIMAL))
    assert loaded.path == tmp_path / "config.toml"
    assert loaded.centre.state_dir == tmp_path / "state"
    assert loaded.centre.socket == tmp_path / "state" / "control.sock"
    assert loaded.store_url == f"sqlite:///{tmp_path}/state/mailcounsel.db"
    assert loaded.limits.size_bytes == 10_240_000
    assert loaded.smtp is None
    assert imap(loaded).junk_folder == "Junk"
    assert loaded.inboxes[0].case_address == "plus"
    assert loaded.queues[0].promise("normal") == loaded.queues[0].promise("high") == 16


@pytest.mark.parametrize(("queue", "urgent"), [(16, 2), (1, 1)])
def test_an_urgent_letter_never_waits_as_long_as_others(write, queue, urgent):
    """Danger is promised within two working hours where nothing else is written."""
    text = MINIMAL + f"promise_working_hours = {queue}\n"
    (found,) = config.load(write(text)).queues
    assert found.promise("urgent") == urgent
    text += "[queue.priority_promise]\nurgent = 5\n"
    assert config.load(write(text)).queues[0].promise("urgent") == 5


def test_a_relative_sqlite_url_starts_at_the_file(write, tmp_path):
    """An absolute one, or another engine's, is left alone."""
    loaded = config.load(write(MINIMAL + '[store]\nurl = "sqlite:///cases.db"'))
    assert loaded.store_url == f"sqlite:///{tmp_path}/cases.db"
    loaded = config.load(write(MINIMAL + '[store]\nurl = "sqlite:////srv/cases.db"'))
    assert loaded.store_url == "sqlite:////srv/cases.db"
    url = "postgresql+psycopg://counsel@db.example.org/counsel"
    loaded = config.load(write(MINIMAL + f'[store]\nurl = "{url}"\npassword_env = "X"'))
    assert loaded.store_url == url
    assert loaded.store.sources == ("password_env",)


def test_a_relative_path_to_the_file_is_made_complete(write, tmp_path, monkeypatch):
    """The service may change its folder later."""
    write(MINIMAL)
    monkeypatch.chdir(tmp_path)
    loaded = config.load(Path("config.toml"))
    assert loaded.centre.state_dir == tmp_path / "state"
    assert loaded.path == Path("config.toml")


@pytest.mark.parametrize("zone", ["", "Asia", "../UTC", "/etc/localtime", "a\\u0000b", "x" * 9999])
def test_a_name_that_is_no_zone_is_refused(write, zone):
    """Whatever the zone library makes of it, the answer is one sentence."""
    file = write(MINIMAL.replace("Asia/Jakarta", zone))
    assert [problem.key for problem in refusal(file).problems] == ["centre.time_zone"]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("\\u001b[31mred", "must be text"),
        ("", "must be text"),
        (" \\n ", "must be text"),
        ("Telepon\u00a0119 \U0001f33f\\n\\tkapan saja", None),
    ],
)
def test_the_emergency_text_may_be_any_text_but_control_characters(write, written, problem):
    """It ends in mails and on terminals."""
    file = write(MINIMAL.replace("Telepon 119.", written))
    if problem is None:
        assert config.load(file).emergency.text("id").startswith("Telepon")
    else:
        assert problem in str(refusal(file))


@pytest.mark.parametrize(
    ("table", "tls", "port"),
    [
        *(("smarthost", "starttls", 587), ("smarthost", "tls", 465), ("smarthost", "none", 25)),
        *(("imap", "tls", 993), ("imap", "starttls", 143), ("imap", "none", 143)),
    ],
)
def test_the_port_follows_the_protection(write, table, tls, port):
    """Unless it is named, the port is the usual one for the kind of line."""
    text = re.sub(r'host = "[a-z]+\.example\.org"', f'host = "localhost"\ntls = "{tls}"', MINIMAL)
    loaded = config.load(write(text))
    server = loaded.smarthost if table == "smarthost" else imap(loaded)
    assert server.port == port


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_a_bare_line_is_for_this_machine(write, host):
    """Clear text never crosses a network."""
    text = MINIMAL.replace('host = "smtp.example.org"', f'host = "{host}"\ntls = "none"')
    assert config.load(write(text)).smarthost.tls == "none"


def test_junk_may_be_left_out(write):
    """A provider without a junk folder is one with false."""
    text = MINIMAL.replace('user = "letters"', 'user = "letters"\njunk_folder = false')
    assert imap(config.load(write(text))).junk_folder is None


def test_one_word_may_stand_for_a_list(write):
    """A condition with one pattern needs no brackets."""
    text = MINIMAL + '[[rule]]\nname = "one"\nsender = "*@school.test"\nlast = true'
    assert config.load(write(text)).rules[0].sender == ("*@school.test",)


def test_ranges_that_meet_do_not_overlap(write):
    """A day may change hands at noon."""
    text = MINIMAL + '[hours.working]\nmon = ["12:00-17:00", "09:00-12:00"]'
    day = config.load(write(text)).hours.working.mon
    assert day == (config.Span(540, 720), config.Span(720, 1020))


def test_last_is_refused_only_where_it_hides_a_rule(write):
    """A condition, or being the last in the file anyway, makes it sensible."""
    rule = '[[rule]]\nname = "{}"\nlast = true\n'
    good = rule.format("some") + 'client = "new"\n' + rule.format("all")
    assert [r.last for r in config.load(write(MINIMAL + good)).rules] == [True, True]
    bad = rule.format("all") + rule.format("some") + 'client = "new"\n'
    assert [p.key for p in refusal(write(MINIMAL + bad)).problems] == ["rule[0].last"]


@pytest.mark.parametrize(
    "rest",
    [
        *("u:{}@h/d", "u:a/{}@h/d", "u:@h/d?x={}", "h/d?password={}", "u@h/d?x=1&PASSWORD={}"),
    ],
)
def test_no_password_hides_in_the_stores_url(write, rest):
    """Wherever a driver would take one from, it is refused."""
    url = f"postgresql+psycopg://{rest.format(HIDDEN)}"
    file = write(MINIMAL + f'[store]\nurl = "{url}"\n')
    assert [p.advice for p in refusal(file).problems] == [
        "holds a password; name a password_file, or another source"
    ]


@pytest.mark.parametrize(
    "address",
    [
        "Letters@example.org",
        "LETTERS@EXAMPLE.ORG",
        "letters+c0042@example.org",
        "letters+@example.org",
    ],
)
def test_any_case_and_any_tag_find_the_inbox(write, address):
    """What stands before the tag decides."""
    loaded = config.load(write(MINIMAL))
    assert loaded.inbox_for(address) is loaded.inboxes[0]


@pytest.mark.parametrize(
    "address",
    [
        "other@example.org",
        "letters@example.net",
        "letters",
        "",
        "+x@example.org",
        "a@letters@example.org",
    ],
)
def test_an_address_that_is_not_ours_finds_none(write, address):
    """Nothing but the own address is taken for it."""
    assert config.load(write(MINIMAL)).inbox_for(address) is None


def test_who_reads_what(example):
    """Therapists read the queues they name, a supervisor those they answer for, an admin none."""
    assert [p.name for p in example.readers("general")] == ["sari", "bima"]
    assert [p.name for p in example.readers("evening")] == ["sari", "bima"]
    assert [p.name for p in example.supervisors("evening")] == ["sari"]
    assert example.readers("nowhere") == ()
    assert example.person("bima").capacity == 25
    assert example.person("nobody") is None
    assert example.default_queue(example.inboxes[0]).name == "general"
    assert example.language(example.inboxes[0]) == "id"
    assert example.sender_name(example.inboxes[0]) == "Surat Teduh"


def test_an_admin_with_a_queue_does_not_read_it(write):
    """Only therapists and the supervisor are given letters."""
    admin = '[[person]]\nname = "op"\nroles = ["admin"]\nuid = 5\nqueues = ["general"]\n'
    loaded = config.load(write(MINIMAL + admin))
    assert [p.name for p in loaded.readers("general")] == ["sari"]


def test_an_account_finds_its_people(write):
    """Several people may share one account; a name nobody has is nobody's."""
    people = (
        '[[person]]\nname = "bima"\nroles = ["therapist"]\nuid = 1001\n'
        '[[person]]\nname = "op"\nroles = ["admin"]\nos_user = "root"\n'
        '[[person]]\nname = "gone"\nroles = ["admin"]\nos_user = "no-such-user"\n'
    )
    loaded = config.load(write(MINIMAL + people))
    assert [p.name for p in loaded.people_for_uid(1001)] == ["sari", "bima"]
    assert [p.name for p in loaded.people_for_uid(0)] == ["op"]
    assert loaded.people_for_uid(4242) == ()


def test_the_configuration_is_frozen(example):
    """Nobody changes it while the service runs."""
    with pytest.raises(ValidationError):
        example.centre.name = "Other"


def test_promises_by_priority(example):
    """A priority without its own promise has the queue's."""
    queue = example.queue("general")
    assert [queue.promise(p) for p in ("urgent", "high", "normal")] == [2, 8, 16]


def test_the_emergency_text_is_there_in_each_language(example):
    """It comes without the blank line it starts with in the file."""
    assert example.emergency.text("id").startswith("Telepon")
    with pytest.raises(KeyError):
        example.emergency.text("fr")


def test_importing_the_package_does_not_import_pydantic():
    """Commands that only speak to the socket stay quick."""
    code = "import sys, mailcounsel.config; sys.exit('pydantic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", config.__all__)
def test_every_exported_name_is_there(name):
    """The names are imported when asked for; a name that is not exported is an error."""
    assert getattr(config, name) is not None
    with pytest.raises(AttributeError):
        config.no_such_name  # noqa: B018 -- reading it is the test


# -- the example --------------------------------------------------------------------------------
def tables(model=Config, path=()):
    """Walk the model: each table's name in the file, with its keys."""
    keys = set()
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner = next(wording._models(field.annotation), None)
        if inner is None:
            keys.add(key)
        else:
            yield from tables(inner, (*path, key))
    yield ".".join(path), keys


def named_in_example():
    found: dict[str, set[str]] = {}
    table = ""
    for line in EXAMPLE.read_text().splitlines():
        if header := re.match(r"\[+([a-z_.]+)\]", line):
            table = header[1]
        if key := re.match(r"(?:# or |#)?([a-z_]+) = ", line):
            found.setdefault(table, set()).add(key[1])
    return found


def test_the_example_names_every_key():
    """No key is left for people to find in the code, and none is explained that is not there."""
    assert named_in_example() == {table: keys for table, keys in tables() if keys}


def test_every_key_says_what_it_means():
    """A docstring stands under each field of each table."""

    def check(model):
        said = explained(model)
        for name, field in model.model_fields.items():
            assert name in said, f"{model.__name__}.{name}"
            for inner in wording._models(field.annotation):
                check(inner)

    check(Config)


def explained(model):
    """The fields of a table, and of the tables it is made from, with a text under them."""
    found = set()
    for one in model.__mro__[: model.__mro__.index(BaseModel)]:
        (written,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        assert isinstance(written, ast.ClassDef)
        for field, text in itertools.pairwise(written.body):
            is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            if isinstance(field, ast.AnnAssign) and is_text:
                found.add(ast.unparse(field.target))
    return found


def test_the_defaults_shown_are_the_defaults(write, example):
    """Taking the mark from every line that shows a default changes nothing."""
    text = re.sub(r"^#([a-z_]+ = )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    shown = config.load(write(text))
    folder = EXAMPLE.parent
    moved = shown.model_dump_json().replace(str(shown.path.parent), str(folder))
    assert moved == example.model_dump_json()
    assert text.count("\n") == EXAMPLE.read_text().count("\n")
    assert text != EXAMPLE.read_text()


ALTERNATIVES = re.findall(r"^# or ([a-z_]+ = .*)$", EXAMPLE.read_text(), flags=re.MULTILINE)
AT_ODDS = {"keep one", "go together", "either os_user or uid", "SQLite takes none", "set a second"}
AT_ODDS |= {"is the same as"}


@pytest.mark.parametrize("number", range(len(ALTERNATIVES)))
def test_every_alternative_shown_is_right_by_itself(write, number):
    """Taken alone, a line marked "or" loads, or is only at odds with the line it replaces."""
    lines = iter(range(len(ALTERNATIVES)))
    text = re.sub(
        r"^# or ([a-z_]+ = .*)$",
        lambda match: match[1] if next(lines) == number else match[0],
        EXAMPLE.read_text(),
        flags=re.MULTILINE,
    )
    problems = []
    try:
        config.load(write(text))
    except errors.ConfigError as error:
        problems = [problem.advice for problem in error.problems]
    assert [advice for advice in problems if not any(odd in advice for odd in AT_ODDS)] == []


def test_the_example_is_what_it_says(example):
    """A few facts of it, so that it is really this file that was read."""
    assert example.hours.holidays[0] == date(2026, 12, 25)
    assert example.rules[0].during == "outside"
