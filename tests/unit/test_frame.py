"""The frame holds: one door, a locked set, rooms that keep their walls, tests that stay home."""

from __future__ import annotations

import ast
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import conftest
from servers import tools

ROOT = conftest.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED = (ROOT / "constraints.txt").read_text()
PACKAGE = sorted((ROOT / "mailcounsel").rglob("*.py"))


def canonical(requirement):
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-").replace(".", "-")


# -- the locked set -----------------------------------------------------------------------------
def test_the_locked_set_holds_no_address_and_no_path():
    """Whoever installs chooses where from; the file names versions and hashes only."""
    assert "://" not in LOCKED
    for line in LOCKED.splitlines():
        assert re.fullmatch(
            r"[a-z0-9-]+==\S+( ; [^/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line
        )


def test_the_locked_set_covers_what_is_declared():
    """Every declared dependency is pinned."""
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        declared += extra
    pinned = {line.split("==")[0] for line in LOCKED.splitlines() if "==" in line}
    assert {canonical(requirement) for requirement in declared} <= pinned


def test_the_tests_run_on_the_locked_set():
    """The versions imported here are the ones that are pinned."""
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", LOCKED, re.MULTILINE))
    for requirement in PROJECT["project"]["dependencies"]:
        name = canonical(requirement)
        assert metadata.version(name) == pinned[name]


# -- the wheel ----------------------------------------------------------------------------------
def test_the_wheel_is_complete(tmp_path):
    """Templates, migrations, word lists and the example configuration travel in the wheel."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    for source in ("mailcounsel", "templates"):
        for path in (ROOT / source).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = path.relative_to(ROOT).as_posix()
                prefix = "" if source == "mailcounsel" else "mailcounsel/"
                assert prefix + inside in held
    assert "mailcounsel/config.example.toml" in held
    assert not any(name.startswith("tests/") for name in held)


def test_the_checkout_is_not_what_is_tested():
    """A run that is to test the wheel refuses to start on the checkout."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/unit/test_frame.py"],
        cwd=ROOT,
        env=os.environ
        | {"MAILCOUNSEL_TEST_INSTALLED": "1", "PYTHONSAFEPATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "the built wheel was to be tested" in run.stderr


# -- the door -----------------------------------------------------------------------------------
def door(*words):
    return subprocess.run([str(ROOT / "dev"), *words], capture_output=True, text=True, check=False)


def test_the_door_names_its_words():
    """`./dev` alone explains itself."""
    run = door()
    assert run.returncode == 0
    for word in ("setup", "demo", "test", "lint", "fix", "bench", "lock"):
        assert re.search(rf"^  {word} ", run.stdout, re.MULTILINE)


def test_the_door_refuses_other_words():
    """A word it does not know is a usage error, with the usage on stderr."""
    run = door("dance")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("usage:")


# -- rooms --------------------------------------------------------------------------------------
def contracts_hold(directory):
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
        ],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in run.stdout, run.stdout + run.stderr
    return run.returncode == 0, run.stdout


@pytest.fixture
def copy(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "mailcounsel", tmp_path / "mailcounsel")
    return tmp_path


@pytest.mark.parametrize(
    ("room", "breach", "broken"),
    [
        ("letter", "import mailcounsel.store.models", "A room imports only"),
        ("intake", "import mailcounsel.outgoing", "A room imports only"),
        ("cli", "import mailcounsel.casework", "goes through the socket"),
        ("casework", "import gnupg", "gnupg has one door"),
        ("service", "import nacl.public", "nacl has one door"),
    ],
)
def test_a_breach_of_the_walls_is_caught(copy, room, breach, broken):
    """An import against the rules breaks the contract that forbids it."""
    (copy / "mailcounsel" / room / "breach.py").write_text(breach + "\n")
    kept, report = contracts_hold(copy)
    assert not kept
    assert re.search(rf"{broken}.* BROKEN", report)


def test_a_new_room_needs_a_place_among_the_others(copy):
    """A module at the top that no layer names is refused."""
    (copy / "mailcounsel" / "attic.py").write_text("")
    kept, _report = contracts_hold(copy)
    assert not kept


# -- manner -------------------------------------------------------------------------------------
def functions():
    for path in PACKAGE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def test_functions_fit_in_a_glance():
    """Half of the functions have at most ten lines, nine in ten at most thirty."""
    lengths = [(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions()]
    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=10)[-1] <= 30


def test_files_fit_in_the_head():
    """Nine files in ten have at most three hundred lines."""
    lengths = [len(path.read_text().splitlines()) for path in PACKAGE]
    assert statistics.quantiles(lengths, n=10)[-1] <= 300


def test_every_test_states_its_claim():
    """A test's docstring is what it claims."""
    silent = [
        f"{path.relative_to(ROOT)}::{node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []


# -- tests stay home ----------------------------------------------------------------------------
@pytest.mark.parametrize("address", [("192.0.2.1", 25), ("198.51.100.7", 443)])
def test_connections_beyond_loopback_are_blocked(address):
    """Neither a connection nor a datagram leaves the machine."""
    with socket.socket() as stream, pytest.raises(BaseException, match="beyond loopback"):
        stream.connect(address)
    with (
        socket.socket(type=socket.SOCK_DGRAM) as datagram,
        pytest.raises(BaseException, match="beyond loopback"),
    ):
        datagram.sendto(b"", address)


def test_names_are_not_looked_up():
    """A name beyond this machine is not even asked for, since the question itself tells."""
    with pytest.raises(BaseException, match="beyond loopback"):
        socket.getaddrinfo("example.org", 25)


def test_loopback_stays_open():
    """What the tests are made of keeps working."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()


def test_nobodys_settings_are_seen(monkeypatch):
    """What a developer set for themselves reaches no test; what steers the tests does."""
    for name in ("MAILCOUNSEL_CONFIG", "GNUPGHOME", "EDITOR", "PGHOST", "TZ"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("MAILCOUNSEL_CORPORA", "kept")
    monkeypatch.setenv("LANG", "id_ID.UTF-8")
    conftest.forget_settings()
    assert not {"MAILCOUNSEL_CONFIG", "GNUPGHOME", "EDITOR", "PGHOST", "TZ"} & os.environ.keys()
    assert os.environ["MAILCOUNSEL_CORPORA"] == "kept"
    assert os.environ["LANG"] == "C.UTF-8"


def test_home_is_nobodys():
    """HOME is a directory of this run alone."""
    assert Path.home().parent == Path("/tmp")


def test_a_missing_tool_skips_with_its_name(monkeypatch):
    """On somebody's machine a missing tool is a reason to skip."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-tool is not installed"):
        tools.need("no-such-tool")


def test_a_missing_tool_fails_in_ci(monkeypatch):
    """In continuous integration it is a failure."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-tool is not installed"):
        tools.need("no-such-tool")


def test_waiting_in_vain_says_for_what():
    """A wait that ends without its event names the event."""
    with pytest.raises(pytest.fail.Exception, match="in vain for the bus"):
        tools.until(lambda: False, "the bus", patience=0.05)


def test_gpg_agents_end_with_the_directory(short_tmp):
    """An agent started in a home below the short directory is ended with it."""
    tools.need("gpg-connect-agent")
    home = short_tmp / "home"
    home.mkdir(mode=0o700)
    asked = subprocess.run(
        ["gpg-connect-agent", "--homedir", str(home), "GETINFO pid", "/bye"],
        capture_output=True,
        check=True,
    )
    found = re.search(rb"^D (\d+)$", asked.stdout, re.MULTILINE)
    assert found is not None
    agent = Path("/proc") / found[1].decode()
    assert agent.exists()
    conftest.end_agents(short_tmp)
    tools.until(lambda: not agent.exists(), "the end of gpg-agent")
