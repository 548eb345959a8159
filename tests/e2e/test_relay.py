"""From a therapist's own machine: all goes through `ssh user@centre mailcounsel relay`."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from e2e.staffroom import PROGRAM, Staffroom
from servers import tools

HOST = "sari@centre.example.org"

# What ssh does with a command: it hands one line to the shell over there.
SSH = """#!{python}
import os, sys
options, (host, *command) = sys.argv[1:3], sys.argv[3:]
with open({log!r}, "a") as log:
    print(*options, host, *command, sep=" ", file=log)
environment = {{"PATH": os.environ["PATH"], "MAILCOUNSEL_CONFIG": {config!r}}}
os.execve("/bin/sh", ["sh", "-c", " ".join(command)], environment)
"""


@pytest.fixture(scope="module")
def room():
    """A running centre with its supervisor enrolled."""
    made = Staffroom()
    try:
        yield made.open("sari")
    finally:
        made.close()


@pytest.fixture(scope="module")
def path(room):
    """A PATH on which `ssh` runs the command here, as the centre's machine would."""
    folder = room.folder / "bin"
    folder.mkdir()
    log = room.folder / "ssh-log"
    (folder / "ssh").write_text(
        SSH.format(python=PROGRAM[0], log=str(log), config=str(room.config))
    )
    (folder / "mailcounsel").write_text(f'#!/bin/sh\nexec {" ".join(PROGRAM)} "$@"\n')
    for one in folder.iterdir():
        one.chmod(0o700)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def away(room, path):
    """`away("queue")`: type a command on a machine that knows the centre only by its host."""

    def run(*words: str, **more):
        settings = {"MAILCOUNSEL_CONFIG": "", "MAILCOUNSEL_HOST": HOST, "PATH": path}
        return room.run("sari", *words, **{**settings, **more})

    return run


def calls(room) -> list[str]:
    path = room.folder / "ssh-log"
    log: str = path.read_text() if path.exists() else ""
    return log.splitlines()


def test_a_whole_reply_goes_through_ssh(room, away):
    """Queue, show, reply and undo work from far away; ssh is asked for nothing but the relay."""
    case = room.write("far@mail.test", "Hello from afar.")
    assert case in away("queue").stdout
    assert "Hello from afar." in away("show", case).stdout
    assert "leaves at" in away("reply", case, "-m", "Near words.", "--plain", "agreed").stdout
    assert "Taken back" in away("undo").stdout
    assert set(calls(room)) == {f"-T -- {HOST} mailcounsel relay"}


def test_a_large_case_comes_through_in_pieces(room, away):
    """A file larger than a line of the protocol arrives whole."""
    letter = room.letter("large@mail.test", "The file is large.")
    data = os.urandom(3 * 1024 * 1024)
    letter.add_attachment(data, maintype="application", subtype="octet-stream", filename="a.bin")
    case = room.post(letter, "large@mail.test")
    away("show", case, "--save", "1/1", "large.bin")
    assert (room.home("sari") / "large.bin").read_bytes() == data


def test_a_person_sets_the_host_once(room, away):
    """client.toml names host and person; an option goes before it."""
    own = room.home("sari") / "own" / "client.toml"
    own.write_text(f'host = "{HOST}"\nas = "sari"\n')
    try:
        before = len(calls(room))
        away("queue", MAILCOUNSEL_HOST="", MAILCOUNSEL_AS="")
        assert len(calls(room)) == before + 1
        room.run("sari", "queue")  # MAILCOUNSEL_CONFIG is set: no ssh
        assert len(calls(room)) == before + 1
        own.write_text("hots = 1\n")
        wrong = room.run("sari", "queue", expect=78)
        assert "client.toml: hots" in wrong.stderr
    finally:
        own.unlink()


def test_a_host_is_never_an_option(room, away):
    """A host that begins with a dash is refused before ssh is started."""
    before = len(calls(room))
    refused = away("--host", "-oProxyCommand=touch /tmp/owned", "queue", expect=1)
    assert "cannot begin with a dash" in refused.stderr
    assert len(calls(room)) == before


def test_an_unreachable_machine_is_one_sentence(room, away, short_tmp):
    """When ssh fails, its own words and one of ours with a command to try are shown."""
    (short_tmp / "ssh").write_text("#!/bin/sh\necho 'ssh: no route' >&2\nexit 255\n")
    (short_tmp / "ssh").chmod(0o700)
    done = away("queue", expect=69, PATH=f"{short_tmp}:{os.environ['PATH']}")
    assert "ssh: no route" in done.stderr
    assert f"ssh {HOST} mailcounsel relay" in done.stderr


def test_a_chatty_login_is_named(room, away, short_tmp):
    """What a login script prints is not taken for an answer."""
    (short_tmp / "ssh").write_text("#!/bin/sh\necho 'Welcome to the centre!'\ncat >/dev/null\n")
    (short_tmp / "ssh").chmod(0o700)
    done = away("queue", expect=69, PATH=f"{short_tmp}:{os.environ['PATH']}")
    assert "is not the service" in done.stderr


def test_without_ssh_it_is_said_how_to_get_it(room, away, short_tmp):
    """A machine without ssh is told which package brings it."""
    done = away("queue", expect=69, PATH=str(short_tmp))
    assert "openssh-client" in done.stderr


# -- the relay itself -----------------------------------------------------------------------------


def relay(room, **more):
    return subprocess.Popen(
        [*PROGRAM, "relay"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=room.environment("") | more,
        cwd=room.folder,
    )


def test_the_relay_says_nothing_of_its_own_and_ends_with_its_caller(room):
    """Bytes in, bytes out; when the caller closes, the relay ends with code 0."""
    process = relay(room)
    limits = Path(f"/proc/{process.pid}/limits")
    tools.until(lambda: re.search(r"core file size +0 +0 ", limits.read_text()), "no core file")
    request = {"jsonrpc": "2.0", "id": 7, "method": "hello", "params": {}}
    out, err = process.communicate(json.dumps(request).encode() + b"\n", tools.PATIENCE)
    assert json.loads(out)["id"] == 7
    assert out.count(b"\n") == 1
    assert err == b""
    assert process.returncode == 0


def test_the_relay_ends_when_the_service_does(short_tmp):
    """A service that goes away ends the relay, though its caller keeps the line open."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short_tmp / "s"))
        server.listen()
        process = subprocess.Popen(
            [*PROGRAM, "--socket", str(short_tmp / "s"), "relay"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        line, _ = server.accept()
        line.close()
        assert process.stdin
        assert process.stdout
        assert process.wait(tools.PATIENCE) == 0
        process.stdin.close()
        process.stdout.close()


def test_the_relay_carries_both_ways_at_once(short_tmp):
    """Neither side waits for the other: megabytes cross each other without a standstill."""
    much = os.urandom(2 * 1024 * 1024)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short_tmp / "s"))
        server.listen()
        process = subprocess.Popen(
            [*PROGRAM, "--socket", str(short_tmp / "s"), "relay"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        line, _ = server.accept()
        got = bytearray()

        def answer() -> None:
            line.sendall(much)
            while len(got) < len(much):
                got.extend(line.recv(65536))
            line.close()

        thread = threading.Thread(target=answer)
        thread.start()
        out, _ = process.communicate(much, tools.PATIENCE)
        thread.join(tools.PATIENCE)
    assert out == much
    assert bytes(got) == much


def test_without_a_service_the_relay_says_so(room, tmp_path):
    """Where nothing listens, the caller's ssh shows one sentence, exit code 69."""
    process = relay(room, MAILCOUNSEL_SOCKET=str(tmp_path / "none"))
    out, err = process.communicate(b"", tools.PATIENCE)
    assert (out, process.returncode) == (b"", 69)
    assert b"not running" in err
    assert err.count(b"\n") == 1
