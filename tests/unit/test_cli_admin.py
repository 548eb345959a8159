"""The small decisions behind the admin's commands."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mailcounsel import config as configuration
from mailcounsel import errors
from mailcounsel.cli import case_client, init, outbox, quarantine, reconcile, serve
from mailcounsel.cli.main import COMMANDS, cli
from mailcounsel.service import answers, machine
from mailcounsel.service.answers import Answers, Server

OURS = [
    "config",
    "doctor",
    "explain",
    "init",
    "invite",
    "quarantine",
    "reconcile",
    "relay",
    "serve",
]


def given(**changes):
    facts = {
        "name": "House of Letters",
        "sender_name": "Letters",
        "address": "letters@example.org",
        "languages": ("en", "id"),
        "time_zone": "Asia/Jakarta",
        "smarthost": Server("smtp.example.org", 465, "letters@example.org", "tls"),
        "imap": None,
        "listen": Server("127.0.0.1", 2525),
        "person": "sari",
        "os_user": "sari",
    }
    return Answers(**{**facts, **changes})


# -- help -----------------------------------------------------------------------------------------
def every_command(names):
    """Yield the words and help of each command and of what is in its group."""
    for name in names:
        command = cli.get_command(click.Context(cli), name)
        yield (name,), command
        if isinstance(command, click.Group):
            yield from (((name, sub), found) for sub, found in command.commands.items())


@pytest.mark.parametrize("words", [words for words, _ in every_command(OURS)], ids=" ".join)
def test_help_ends_with_an_example_that_names_the_command(words):
    """The last line of each command's help can be typed."""
    shown = CliRunner().invoke(cli, [*words, "--help"]).output
    said = shown.split("Options:")[0].split("Commands:")[0].strip().splitlines()[-1].strip()
    assert said.startswith("Example: ")
    assert words[0] in said.split()


@pytest.mark.parametrize("name", OURS)
def test_help_of_a_command_begins_as_the_listing_says(name):
    """Whoever reads the listing meets the same sentence again."""
    shown = CliRunner().invoke(cli, [name, "--help"]).output
    assert COMMANDS[name][3] in shown


@pytest.mark.parametrize("module", sorted({COMMANDS[name][0] for name in OURS}))
def test_a_command_imports_nothing_heavy_before_it_runs(module):
    """Listing and help stay quick: no database, no configuration, no gpg is loaded for them."""
    heavy = "{'pydantic', 'sqlalchemy', 'gnupg', 'nacl', 'jinja2', 'imapclient', 'aiosmtpd'}"
    code = f"import sys, mailcounsel.cli.{module}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_a_letter_means_is_told_without_the_store(tmp_path):
    """Explaining takes the looking steps, and loads neither the database nor what it holds."""
    letter = tmp_path / "letter.eml"
    letter.write_bytes(b"From: ani@klien.test\r\n\r\nhalo")
    code = (
        "import sys\n"
        "from mailcounsel.cli.main import main\n"
        f"sys.argv = ['mailcounsel', 'explain', '--json', {str(letter)!r}]\n"
        "try: main()\n"
        "finally: print({'sqlalchemy', 'sqlmodel', 'alembic'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["kind"] == "letter"
    assert done.stderr == "set()\n"


def test_the_service_loads_nothing_of_a_database_it_does_not_use():
    """A centre with SQLite has no two megabytes for PostgreSQL's side of SQLAlchemy."""
    code = "import sys, mailcounsel.service.app; print([m for m in sys.modules if 'postgres' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# -- answers --------------------------------------------------------------------------------------
def loaded(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return configuration.load(path)


def test_answers_become_a_configuration_that_says_the_same(tmp_path):
    """Nothing of the answers is lost or changed on the way through the file."""
    imap = Server("imap.example.org", None, "box", None)
    found = loaded(tmp_path, answers.config_text(given(imap=imap)))
    assert found.centre.languages == ("en", "id")
    assert found.centre.time_zone == "Asia/Jakarta"
    assert (found.smarthost.port, found.smarthost.tls) == (465, "tls")
    assert found.inboxes[0].imap.user == "box"
    assert found.inboxes[0].imap.secret.source == "password_file"
    assert found.smtp is None
    assert set(found.people[0].roles) == {"admin", "supervisor", "therapist"}
    assert found.default_queue(found.inboxes[0]).supervisor == "sari"


@pytest.mark.parametrize(
    "name", ['a"b', "a\\b", "a'''b", "[x]", "# no comment", "名前 ü", "${HOME}"]
)
def test_a_name_comes_back_as_it_was_typed(tmp_path, name):
    """Whatever a printable name holds, it stays text."""
    assert loaded(tmp_path, answers.config_text(given(name=name))).centre.name == name


@pytest.mark.parametrize("notify", ["sari@staf.test", ""])
def test_a_new_centre_knows_who_is_on_call(tmp_path, notify):
    """With an address the person it begins with is; without, nobody is named who hears nothing."""
    found = loaded(tmp_path, answers.config_text(given(notify=notify)))
    assert found.queues[0].risk.on_call == ("sari" if notify else None)
    assert found.people[0].notify == (notify or None)
    assert found.untold() == (() if notify else ("general",))
    assert found.queues[0].promise("urgent") == 2


def test_somebody_on_the_ladder_with_an_address_is_enough(tmp_path):
    """The supervisor may have none where on call has one."""
    text = answers.config_text(given())
    more = '[[person]]\nname = "bayu"\nuid = 77\nroles = ["therapist"]\nqueues = ["general"]\n'
    text = text.replace("read_minutes = 30", 'on_call = "bayu"')
    assert loaded(tmp_path, f'{text}\n{more}notify = "bayu@staf.test"\n').untold() == ()


def test_without_a_mailbox_letters_come_by_smtp(tmp_path):
    """There is always a way in."""
    found = loaded(tmp_path, answers.config_text(given(listen=Server("127.0.0.1", 2599))))
    assert found.smtp.port == 2599


def test_answers_that_cannot_load_are_refused_by_key():
    """The key is named, and no temporary file's path."""
    with pytest.raises(errors.ConfigError) as refused:
        answers.config_text(given(person="Not A Short Name"))
    problems = [str(problem) for problem in refused.value.problems]
    assert any(line.startswith("your answers: person[0].name: ") for line in problems)


def test_every_language_has_a_first_emergency_text():
    """No centre starts with an empty place where help should stand."""
    assert set(answers.EMERGENCY) == set(configuration.LANGUAGES)
    assert set(answers.SENDER_NAMES) == set(configuration.LANGUAGES)


# -- init -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("smtp.example.org", ("smtp.example.org", None)),
        ("smtp.example.org:465", ("smtp.example.org", 465)),
        ("[::1]:25", ("::1", 25)),
        ("[::1]", ("::1", None)),
    ],
)
def test_a_server_is_written_as_host_and_port(text, found):
    """IPv6 addresses stand in brackets."""
    assert init.split_host(text) == found


@pytest.mark.parametrize("text", ["", "host:", "host:port", "::1", "host:25:25"])
def test_anything_else_is_a_wrong_use(text):
    """No half-read server ends in the configuration."""
    with pytest.raises(click.UsageError):
        init.split_host(text)


@pytest.mark.parametrize(
    ("account", "name"),
    [("sari", "sari"), ("Sari.Dewi", "sari-dewi"), ("_www", "www"), ("1000", "p-1000"), ("é", "p")],
)
def test_an_accounts_name_becomes_a_short_name(account, name):
    """Whatever an account is called, the suggestion is one the configuration takes."""
    assert init.short_name(account) == name


# -- the unit -------------------------------------------------------------------------------------
def test_the_unit_quotes_what_systemd_would_split():
    """Blanks, percent and dollar signs in a path stay part of it (systemd.service(5))."""
    text = machine.unit_text(["/opt/my programs/50%/$x"], Path("/etc/mailcounsel/config.toml"))
    assert (
        'ExecStart="/opt/my programs/50%%/$$x" --config /etc/mailcounsel/config.toml serve' in text
    )
    assert "@" not in text.split("ExecStart=")[1].splitlines()[0]


def test_the_unit_lets_the_service_see_who_calls():
    """PrivateUsers would hide the accounts at the socket's other end."""
    text = machine.unit_text(["x"], Path("/c"))
    assert not any(line.startswith("PrivateUsers=") for line in text.splitlines())
    assert "RestartPreventExitStatus=78" in text


# -- logging --------------------------------------------------------------------------------------
def shown(name, message, *arguments, fault=None):
    kind = (type(fault), fault, None) if fault else None
    record = logging.LogRecord(name, logging.ERROR, "x", 1, message, arguments, kind)
    return serve.Plain("%(name)s: %(message)s").format(record)


def test_our_own_sentences_are_logged_as_they_are():
    """Arguments are filled in."""
    assert shown("mailcounsel.loops", "outbox: again in %d s", 5) == (
        "mailcounsel.loops: outbox: again in 5 s"
    )


def test_no_foreign_text_is_ever_logged():
    """Of another library's report only its name and the kind of fault remain."""
    fault = ValueError("ani@client.test wrote: tolong")
    line = shown("asyncio", "Task failed for ani@client.test", fault=fault)
    assert line == "asyncio: reported something (ValueError)"


def test_no_fault_of_ours_brings_its_text_or_traceback():
    """The text of an exception may quote a letter."""
    line = shown("mailcounsel.work", "intake", fault=ValueError("tolong saya"))
    assert line == "mailcounsel.work: intake (ValueError)"


def test_a_report_is_one_line():
    """No message can forge another line of the log."""
    assert "\n" not in shown("mailcounsel.x", "one\ntwo")


# -- what is said ---------------------------------------------------------------------------------
def balance(**changes):
    names = ("case", "quarantine", "discarded", "own-loop", "received", "lost")
    return {"in": 1204, **dict.fromkeys(names, 0), "case": 1198, **changes}


def test_the_balance_reads_as_promised():
    """The line of the second promise, word for word."""
    found = balance(quarantine=4, discarded=2)
    assert reconcile.text(found) == "in 1204 = 1198 case + 4 quarantine + 2 discarded, lost 0"


def test_the_balance_names_the_rest_when_there_is_any():
    """Our own loop and waiting letters appear only where they count."""
    found = reconcile.text(balance(received=5, **{"own-loop": 1}))
    assert found.endswith("0 discarded + 1 own loop + 5 still waiting, lost 0")


def test_lost_letters_come_with_what_to_do():
    """The worst line of all does not stand alone."""
    assert "bring back the newest copy" in reconcile.text(balance(lost=1))


def test_an_unknown_reason_is_still_a_sentence():
    """A code nobody wrote words for is shown as it is."""
    assert quarantine.reason("KeyError") == "failed three times (KeyError)"


# -- reply ----------------------------------------------------------------------------------------
def test_the_text_of_a_reply_is_given_once():
    """Two texts are one too many: nobody guesses which was meant, and nothing is sent."""
    done = CliRunner().invoke(cli, ["reply", "C-0042", "-m", "a", "--file", "-"], input="b")
    assert done.exit_code == 2
    assert "Give the text once: with -m, or with --file." in done.output


def stuck(**more):
    plain = {"id": "0" * 18 + "4f09ab", "case": "C-0006", "kind": "reply", "sent_at": None}
    due = "2026-12-10T09:00:00+00:00"
    return {**plain, "state": "failed", "due_at": due, "reason": "RCPT: 550 5.1.1", **more}


def test_a_letter_that_is_stuck_says_what_to_do():
    """Both commands, by the letter's own id, and what a refused address means."""
    now = "2026-12-10T09:01:00+00:00"
    shown = outbox._render({"letters": [stuck()], "now": now})
    for words in ("outbox resend 4f09ab", "outbox settle 4f09ab", "knows no such address"):
        assert words in shown
    gone = outbox._render({"letters": [stuck(reason="address-gone")], "now": now})
    assert "nothing goes there" in gone
    late = outbox._render({"letters": [stuck(state="uncertain", reason="lease")], "now": now})
    assert "no such address" not in late
    well = outbox._render({"letters": [stuck(state="sent", reason="")], "now": now})
    assert "resend" not in well
    again = outbox._render({"letters": [stuck(state="ready", reason="unreachable")], "now": now})
    assert "tried again at" in again
    assert "tried again" not in outbox._render(
        {"letters": [stuck(state="ready", reason="")], "now": now}
    )


def test_a_language_is_told_by_its_name():
    """As a person says it, with its short name for the option."""
    facts = {"case": "C-0006", "language": "en", "time_zone": "Asia/Jakarta"}
    assert case_client._told(facts).startswith(
        "The client of C-0006 is written to in English (en) and lives by the clock of Asia/Jakarta"
    )
