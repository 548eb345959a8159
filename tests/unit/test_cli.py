"""The command line as a whole: help, speed, exit codes, errors, settings."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import pytest

from mailcounsel import errors
from mailcounsel.cli import client, main

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "commands.md"
PROGRAM = [sys.executable, "-m", "mailcounsel"]
HEAVY = {
    *("sqlalchemy", "sqlmodel", "pydantic", "jinja2", "aiosmtpd", "nacl", "gnupg", "rich"),
    *("imapclient", "alembic", "apscheduler", "babel", "inscriptis", "asyncio", "email"),
    *("mailcounsel.config", "mailcounsel.service", "mailcounsel.casework", "mailcounsel.crypto"),
}


def every_command() -> list[tuple[tuple[str, ...], click.Command]]:
    """Return every command and subcommand with its words, in the order of --help."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, (module, attribute, _, _) in main.COMMANDS.items():
        command = getattr(importlib.import_module(f"mailcounsel.cli.{module}"), attribute)
        found.append(((name,), command))
        if isinstance(command, click.Group):
            found += [((name, sub), one) for sub, one in sorted(command.commands.items())]
    return found


def help_of(words: tuple[str, ...], command: click.Command) -> str:
    """Return what `mailcounsel WORDS --help` prints on 90 columns."""
    context = click.Context(main.cli, info_name="mailcounsel", help_option_names=["-h", "--help"])
    for word in words[:-1]:
        parent = main.cli.get_command(context, word)
        assert parent is not None
        context = click.Context(parent, info_name=word, parent=context)
    last = command.make_context(
        words[-1], ["--help"], parent=context, resilient_parsing=True, terminal_width=90
    )
    return command.get_help(last)


def page() -> str:
    """Return what docs/commands.md must say."""
    names = ["-h", "--help"]  # as the program is called; click remembers the first it is asked for
    context = click.Context(
        main.cli, info_name="mailcounsel", terminal_width=90, help_option_names=names
    )
    parts = [INTRODUCTION, f"```text\n{main.cli.get_help(context)}\n```\n"]
    for words, command in every_command():
        title = " ".join(words)
        parts.append(f"## {title}\n\n```text\n{help_of(words, command)}\n```\n")
    return "\n".join(parts)


INTRODUCTION = """\
# Every command

What `--help` prints, so that it can be read here too. A test compares this page with the program;
`python tests/unit/test_cli.py` writes it again.
"""

ALL = every_command()
IDS = [" ".join(words) for words, _ in ALL]


# -- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "command"), ALL, ids=IDS)
def test_every_command_has_help_that_ends_with_an_example(words, command):
    """The help of a command is a sentence, what there is to know, and one example to type."""
    assert command.help
    *_, example = [line.strip() for line in command.help.split("\n") if line.strip(" \b")]
    assert example.startswith("Example: ")
    assert "mailcounsel " in example
    assert f" {' '.join(words)}" in example
    assert command.help.split("\n")[0].endswith(".")


def test_the_page_of_commands_shows_no_mark_of_the_programs_own():
    """What keeps click from filling a paragraph is not for the reader."""
    assert "\\b" not in page()


@pytest.mark.parametrize(("words", "command"), ALL, ids=IDS)
def test_every_option_says_what_it_does(words, command):
    """No option is without a sentence."""
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    assert [one.name for one in options if not one.help] == []


def test_the_list_of_commands_says_what_each_says_itself():
    """The short help in --help, which loads no command, is the first sentence of each."""
    for words, command in ALL:
        if len(words) == 1:
            assert main.COMMANDS[words[0]][3] == (command.help or "").split("\n")[0], words


def test_the_page_of_commands_is_true():
    """docs/commands.md holds the help of every command, word for word."""
    assert PAGE.read_text(encoding="utf-8") == page()


# -- speed ----------------------------------------------------------------------------------------

LOADED = """
import sys
sys.argv = {argv!r}
from mailcounsel.__main__ import main
try:
    main()
except SystemExit as leaving:
    print("exit", leaving.code, file=sys.stderr)
print("\\n".join(sys.modules), file=sys.stderr)
"""


@pytest.fixture
def answering(short_tmp):
    """A socket that answers any request with an empty queue."""
    path = short_tmp / "s"
    result = {"cases": [], "now": "2026-11-22T10:00:00+00:00", "person": "wulan"}
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode() + b"\n"
    asked: list[dict[str, Any]] = []

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line, line.makefile("rb") as reading:
                request = reading.readline()
                if request:
                    asked.append(json.loads(request))
                    line.sendall(answer)

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield path, asked
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def run(*words: str, expect: int = 0, cwd: Path | None = None, **more: Any):
    done = subprocess.run(
        [*PROGRAM, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONWARNINGS": "error", **more},
        timeout=120,
    )
    assert done.returncode == expect, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["queue", "--json"], ["queue"]])
def test_the_quick_commands_load_nothing_heavy(words, answering):
    """--help, --version and queue stay quick, since no database, crypto or template is imported."""
    argv = ["mailcounsel", "--socket", str(answering[0]), *words]
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(argv=argv)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert "mailcounsel.cli.main" in loaded
    allowed = {"email"} if words == ["--version"] else set()  # importlib.metadata reads headers
    assert HEAVY & loaded <= allowed


# -- errors and exit codes ------------------------------------------------------------------------


def test_an_unknown_command_offers_the_nearest():
    """A slip of the finger is answered with the command that was meant, exit code 2."""
    assert "Did you mean queue?" in run("quue", expect=2).stderr
    assert "--help` lists them" in run("xyzzy", expect=2).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["way", "C-0001"],
            "withdraw. For example: mailcounsel way show C-0001",
        ),
        (["goal", "wipe"], "There is no `mailcounsel goal wipe`. There are: add, list, "),
        (["way", "show"], "CASE is missing. For example: mailcounsel way show C-0042\n"),
        (["case", "contract", "C-0001"], "--rhythm is missing. For example: mailcounsel case con"),
    ],
)
def test_what_was_not_typed_whole_is_said_with_what_to_type(words, said):
    """A sentence says what is missing, and shows a whole command, exit code 2."""
    assert said in run(*words, expect=2).stderr


@pytest.mark.parametrize("words", [("undo", "?"), ("note", "C-0001", "-m", "?"), ("?",)])
def test_an_argument_that_is_no_text_is_refused(words):
    """Bytes of another encoding, pasted or completed: one sentence, before anything is done."""
    typed = [b"\xff" if word == "?" else word.encode() for word in words]
    for more in ([], [b"--json"]):
        command = [*map(os.fsencode, PROGRAM), *typed, *more]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        assert done.returncode == 2
        assert b"no text in UTF-8" in done.stderr
        assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [(("\u202equeue",), 2), (("config", "\u200bcheck\x1b[2J"), 2), (("show", "-\u202ex"), 2)],
)
def test_what_was_typed_is_echoed_clean(words, code):
    """Nothing in a message turns the direction of reading, hides, or moves the cursor."""
    said = run(*words, expect=code).stderr
    assert all(one.isprintable() for line in said.splitlines() for one in line)
    assert "There is no" in said or "No such option" in said


def test_what_the_service_echoes_is_clean_too(short_tmp):
    """A case that is none comes back from the service in its sentence."""
    answer = {"error": {"message": "There is no case \u202e.", "data": {"exit_code": 3}}}
    with answering_with(short_tmp / "s", answer):
        said = run("--socket", str(short_tmp / "s"), "close", "\u202e", expect=3).stderr
    assert said == "There is no case .\n"


def test_a_file_that_cannot_be_written_is_a_sentence(short_tmp):
    """Its name and why, for whichever command writes one."""
    answer = {"result": {"certificate": "QUJD", "fingerprint": "A", "inboxes": []}}
    with answering_with(short_tmp / "s", answer):
        where = short_tmp / "nowhere" / "y"
        said = run("--socket", str(short_tmp / "s"), "key", "--out", str(where), expect=1).stderr
        assert said == f"{where} cannot be used: No such file or directory.\n"


def test_a_file_that_is_no_text_is_a_sentence(short_tmp):
    """What a letter is taken from has to be text."""
    (short_tmp / "profile").write_bytes(b"\xff\xfe")
    said = run("measure", "import", str(short_tmp / "profile"), expect=1).stderr
    assert said == "Something that was given is no text in UTF-8.\n"


@contextlib.contextmanager
def answering_with(path: Path, answer: dict[str, Any]):
    """Listen on a socket, and give the next who asks this answer."""

    def serve() -> None:
        line, _ = server.accept()
        with line, line.makefile("rb") as reading:
            reading.readline()
            line.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, **answer}).encode() + b"\n")

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(60)


@pytest.mark.parametrize(
    ("words", "code"),
    [(("quue",), 2), (("queue",), 69), (("show",), 2), (("--config", "x", "queue"), 69)],
)
def test_with_json_an_error_is_json_on_stderr(words, code, tmp_path):
    """Whatever goes wrong, --json gives one JSON object on stderr and nothing on stdout."""
    done = run(*words, "--json", expect=code, cwd=tmp_path)
    assert done.stdout == ""
    said = json.loads(done.stderr)
    assert (said["version"], said["exit_code"]) == (1, code)
    assert said["error"]


def test_a_service_that_does_not_run_is_one_sentence(tmp_path):
    """The socket that was tried and the command that starts the service are named; code 69."""
    done = run("--socket", str(tmp_path / "s"), "queue", expect=69)
    assert done.stderr == (
        f"The service is not running (no answer at {tmp_path / 's'}). Start it: mailcounsel serve\n"
    )


def test_no_configuration_names_both_ways_on(tmp_path):
    """Without any setting the person hears of --config and of --host."""
    done = run("queue", expect=69, cwd=tmp_path, MAILCOUNSEL_CONFIG=str(tmp_path / "none.toml"))
    assert "--config FILE" in done.stderr
    assert "--host user@centre" in done.stderr


@pytest.mark.parametrize("text", ["[centre", "centre = 7", "[centre]\nsocket = 1\n\x00"])
def test_a_broken_configuration_is_left_to_config_check(tmp_path, text):
    """A command that only needs the socket points to the command that explains the file."""
    (tmp_path / "config.toml").write_text(text)
    assert "mailcounsel config check" in run("queue", expect=69, cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (errors.Refused, 1), (errors.NotFound, 3), (errors.Conflict, 4),
        (errors.Unavailable, 69), (errors.TryLater, 75), (errors.DiskFull, 75),
    ],
)  # fmt: skip
def test_an_error_of_the_service_keeps_its_sentence_and_code(fault, code):
    """What the service refuses is raised here with its own sentence, and ends with its code."""
    answer = {"error": {"message": "A sentence.", "data": {"exit_code": fault.exit_code}}}
    with pytest.raises(errors.MailcounselError, match="A sentence") as raised:
        client._result(answer)
    assert raised.value.exit_code == code


def test_an_unforeseen_fault_says_only_its_kind(monkeypatch, capsys):
    """The text of a foreign error may quote a letter, so it is not printed."""

    def fail(context, setting):
        raise ValueError("marigold")

    monkeypatch.setattr(main.Lazy, "get_command", lambda *_: click.Command("queue", callback=fail))
    monkeypatch.setattr(sys, "argv", ["mailcounsel", "queue"])
    with pytest.raises(SystemExit) as leaving:
        main.main()
    said = capsys.readouterr().err
    assert leaving.value.code == 1
    assert "marigold" not in said


@pytest.mark.parametrize("words", [("--help",), ("queue", "--help")])
def test_a_closed_pipe_is_quiet(words):
    """A reader that goes away early, such as head, gets no complaint."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PROGRAM, *words], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=120
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


# -- where the service is -------------------------------------------------------------------------


def own(folder: Path, text: str) -> dict[str, Any]:
    home = folder / "own"
    home.mkdir(exist_ok=True)
    (home / "client.toml").write_text(text)
    return {"MAILCOUNSEL_HOME": str(home)}


def test_client_toml_names_socket_and_person(answering, tmp_path):
    """A person's own file says where the service is and who they are."""
    path, asked = answering
    run("queue", cwd=tmp_path, **own(tmp_path, f'socket = "{path}"\nas = "wulan"\n'))
    assert asked[0]["params"]["as"] == "wulan"


def test_an_option_goes_before_the_file(answering, tmp_path):
    """--socket and --as win over client.toml."""
    path, asked = answering
    settings = own(tmp_path, 'host = "sari@centre"\nas = "wulan"\n')
    run("--socket", str(path), "--as", "bayu", "queue", **settings)
    assert asked[0]["params"]["as"] == "bayu"


@pytest.mark.parametrize("text", ["hots = 'x'", "host = 7", "host = ", "\udcff"])
def test_a_wrong_client_toml_is_named_with_its_place(tmp_path, text):
    """A slip in client.toml is a configuration error, code 78, that names the file."""
    home = tmp_path / "own"
    home.mkdir()
    (home / "client.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    done = run("queue", expect=78, MAILCOUNSEL_HOME=str(home))
    assert str(home / "client.toml") in done.stderr


def test_nobody_named_is_nobody_sent(answering):
    """Without --as the request names nobody, and the service decides by the account."""
    path, asked = answering
    run("queue", MAILCOUNSEL_SOCKET=str(path))
    assert "as" not in asked[0]["params"]


def test_an_empty_queue_is_an_empty_list(answering):
    """Nothing to do is not an error: an empty list, code 0."""
    done = run("--socket", str(answering[0]), "queue", "--json")
    assert json.loads(done.stdout)["cases"] == []
    assert "Nothing waits for you" in run("--socket", str(answering[0]), "queue").stdout


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")


def test_a_line_that_is_gone_before_the_question_is_told_like_no_answer():
    """An ssh that ended before it could be asked is one sentence with a command to try."""
    there, here = os.pipe()
    os.close(there)
    with os.fdopen(here, "wb", buffering=0) as writing:
        service = client.Service(io.BytesIO(), writing, None, "sari@pusat")
        with pytest.raises(errors.Unavailable, match="ssh sari@pusat"):
            service.call("hello")
