"""Secrets are fetched when they are used, and shown nowhere."""

import sys
import time
from pathlib import Path

import pytest

from mailcounsel import errors
from mailcounsel.config.secrets import Secret, SecretValue

HIDDEN = "hunter2-not-to-be-shown"


def python(code):
    return (sys.executable, "-c", code)


def failure(secret, **options):
    with pytest.raises(errors.Unavailable) as caught:
        secret.read(**options)
    assert HIDDEN not in str(caught.value)
    # A traceback in a log shows the chain as well.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{HIDDEN}\nsecond line\n")
    file.chmod(0o600)
    return file


def test_a_file_gives_its_first_line(password_file):
    """What stands below the first line is not part of the password."""
    secret = Secret("password_file", password_file)
    assert secret.read() == SecretValue("password", HIDDEN)


def test_a_file_is_read_anew_each_time(password_file):
    """A changed password needs no restart."""
    secret = Secret("password_file", password_file)
    secret.read()
    password_file.write_text("new")
    assert secret.read().value == "new"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_others_can_read_is_refused(password_file, mode):
    """The advice is the command that mends it."""
    password_file.chmod(mode)
    assert "chmod 600" in failure(Secret("password_file", password_file))


def test_a_file_that_is_missing_or_no_file_is_said_to_be(tmp_path):
    """The system's reason is passed on, and the path is not."""
    missing = failure(Secret("password_file", tmp_path / HIDDEN))
    assert missing == "The file in password_file cannot be read: No such file or directory."
    assert "Is a directory" in failure(Secret("password_file", tmp_path))


@pytest.mark.parametrize("content", [b"", b"\n\nlater", b"  \n", b"a\x00b", b"\xff\xfe"])
def test_a_file_without_a_usable_first_line_is_refused(password_file, content):
    """An empty or broken password would only lock the account."""
    password_file.write_bytes(content)
    assert "password_file gives" in failure(Secret("password_file", password_file))


def test_the_environment_gives_a_password(monkeypatch):
    """A variable that is not set is said to be so, without its name."""
    monkeypatch.setenv("A_PASSWORD", HIDDEN)
    assert Secret("password_env", "A_PASSWORD").read() == SecretValue("password", HIDDEN)
    monkeypatch.delenv("A_PASSWORD")
    assert "is not set" in failure(Secret("password_env", "A_PASSWORD"))


def test_a_systemd_credential_is_read_from_its_folder(monkeypatch, tmp_path):
    """systemd guards the folder, so the file's own mode does not count."""
    (tmp_path / "imap").write_text(HIDDEN)
    (tmp_path / "imap").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret("password_credential", "imap").read() == SecretValue("password", HIDDEN)
    assert "cannot be read" in failure(Secret("password_credential", "smtp"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert "LoadCredential" in failure(Secret("password_credential", "imap"))


def test_a_command_gives_what_it_prints():
    """The words are passed as they are, with no shell; a token command gives a token."""
    argv = (*python("import sys; print(sys.argv[1])"), f"{HIDDEN} $HOME;")
    value = f"{HIDDEN} $HOME;"
    assert Secret("password_command", argv).read() == SecretValue("password", value)
    assert Secret("token_command", argv).read() == SecretValue("token", value)


def test_a_command_that_fails_says_only_that():
    """Neither its output nor its arguments are repeated."""
    code = f"import sys; print('{HIDDEN}'); print('{HIDDEN}', file=sys.stderr); sys.exit(3)"
    message = failure(Secret("password_command", python(code)))
    assert message == "The command in password_command failed: exit 3."


def test_a_command_that_is_not_there_says_so(tmp_path):
    """Also one that cannot be run at all."""
    missing = (str(tmp_path / HIDDEN),)
    assert "cannot be started" in failure(Secret("password_command", missing))
    assert "cannot be started" in failure(Secret("token_command", ("a\0b",)))


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path):
    """A child that keeps the pipe open does not keep the service waiting, and is gone."""
    note = tmp_path / "child"
    code = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        f"open({str(note)!r}, 'w').write(str(child.pid));"
        "time.sleep(600)"
    )
    secret = Secret("token_command", python(code))
    assert "no answer within 3 seconds" in failure(secret, timeout_seconds=3)
    if note.exists():  # On a very slow machine it had no time to start one.
        assert ends(int(note.read_text()))


def ends(pid):
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_a_command_gets_no_standard_input():
    """One that asks a question reads its end at once and does not wait."""
    code = f"import sys; assert sys.stdin.read() == ''; print('{HIDDEN}')"
    assert Secret("password_command", python(code)).read().value == HIDDEN


def test_nothing_shows_a_secret(password_file):
    """Neither the value nor where it is found appears in a repr."""
    secret = Secret("password_command", ("print", HIDDEN))
    assert HIDDEN not in repr(secret)
    assert HIDDEN not in repr(Secret("password_file", password_file).read())


def test_a_value_too_long_to_be_one_is_refused_and_not_cut(password_file):
    """A disk image by mistake neither fills the memory nor locks the account."""
    password_file.write_text("x" * 1_000_000)
    assert "password_file gives" in failure(Secret("password_file", password_file))
    code = "while True: print('x' * 4096)"
    message = failure(Secret("password_command", python(code)))
    assert message == "The command in password_command prints too much."


def test_a_long_token_is_taken_whole():
    """OAuth tokens of some providers reach several thousand characters."""
    value = Secret("token_command", python("print('t' * 8000)")).read().value
    assert value == "t" * 8000
