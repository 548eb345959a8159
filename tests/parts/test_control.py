"""The control socket: who is at the other end, what they may ask, and what odd requests get."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

import house as house_of
from mailcounsel import errors
from mailcounsel.service import control
from mailcounsel.service.control import Control, Operation
from mailcounsel.service.operations import ADMINS, ANYBODY, OPERATIONS, READERS, STAFF
from mailcounsel.store import schema
from mailcounsel.store.engine import Store
from parts import gpg_homes

UID = os.getuid()
PEOPLE = """
[[person]]
name = "eka"
roles = ["therapist"]
uid = {uid}
queues = ["umum"]

[[person]]
name = "rani"
roles = ["admin"]
uid = {uid}

[[person]]
name = "tuti"
roles = ["therapist"]
uid = {uid}
queues = ["umum"]
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A centre in which this very account is two therapists and an admin."""
    folder = tmp_path_factory.mktemp("centre")
    store = Store(f"sqlite:///{folder / 'store.db'}")
    schema.upgrade(store)
    clock = SimpleNamespace(now=lambda: datetime(2026, 11, 22, 9, 0, tzinfo=UTC))
    with gpg_homes.short_directory() as root:
        centre = house_of.make_key(root / "centre")
        built = house_of.build(folder, store, clock, centre, more=PEOPLE.format(uid=UID))
        built.enrol("eka", "sari")
        built.write("ani@klien.test", "Halo.")
        yield built.desk
        centre.close()
    store.close()


def who(desk, caller, parameters):
    return {"person": caller.person, "roles": list(caller.roles), "uid": caller.uid}


def broken(desk, caller, parameters):
    message = "quokka: a client's words"
    raise RuntimeError(message)


def refusing(desk, caller, parameters):
    raise errors.Conflict


def slow(desk, caller, parameters):
    desk_bell.wait(60)
    return "slow"


desk_bell = threading.Event()

SOME = {
    **OPERATIONS,
    "who.reader": Operation(who, READERS),
    "who.admin": Operation(who, ADMINS),
    "who.anybody": Operation(who, ANYBODY),
    "broken": Operation(broken, ANYBODY),
    "refusing": Operation(refusing, ANYBODY),
    "slow": Operation(slow, ANYBODY),
    "large": Operation(lambda *_: "x" * control.LINE_BYTES, ANYBODY),
    "half": Operation(lambda *_: "\ud800", ANYBODY),
}


@pytest.fixture
def listening(desk, short_tmp):
    """A control socket that really listens; `line(bytes)` sends some and returns the answers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    path = short_tmp / "control.sock"
    server = Control(path, desk, SOME)

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    run(server.start())
    yield SimpleNamespace(path=path, server=server, run=run, loop=loop)
    run(server.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def connect(listening):
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(60)
    line.connect(str(listening.path))
    return line


def ask(listening, raw):
    with closing(connect(listening)) as line, line.makefile("rb") as answers:
        line.sendall(raw)
        return json.loads(answers.readline())


def request(method, name=1, **params):
    return json.dumps({"jsonrpc": "2.0", "id": name, "method": method, "params": params}).encode()


def call(desk, uid, method, **params):
    """Carry out one request as an account, without a socket."""
    answer = Control(desk.office.config.path, desk, SOME).answer(uid, request(method, **params))
    return json.loads(answer)


# -- who is there --------------------------------------------------------------------------------


def test_the_kernel_says_who_calls(listening):
    """The account at the other end is this process's own, whatever the request says."""
    told = ask(listening, request("who.reader", **{"as": "eka", "uid": 0}) + b"\n")
    assert told["result"] == {"person": "eka", "roles": ["therapist"], "uid": UID}


def test_the_socket_is_not_for_others(listening):
    """Owner and group may connect, nobody else."""
    assert stat.S_IMODE(listening.path.stat().st_mode) == 0o660


def test_an_account_that_is_nobody_is_told_what_to_do(desk):
    """And may not even act as somebody it names."""
    for params in ({}, {"as": "eka"}):
        told = call(desk, 4242, "who.reader", **params)["error"]
        assert "result" not in told
    assert "[[person]]" in call(desk, 4242, "who.reader")["error"]["message"]


def test_an_account_with_one_fitting_person_need_not_say_which(desk):
    """One admin among three people of this account."""
    assert call(desk, UID, "who.admin")["result"]["person"] == "rani"


def test_an_account_with_two_fitting_people_must_say_which(desk):
    """The sentence names them."""
    told = call(desk, UID, "who.reader")["error"]["message"]
    assert "--as NAME (eka, tuti)" in told
    assert call(desk, UID, "who.reader", **{"as": "tuti"})["result"]["person"] == "tuti"


@pytest.mark.parametrize("name", ["wulan", "", 5, ["eka"], {"eka": 1}])
def test_nobody_acts_as_somebody_of_another_account(desk, name):
    """Not by name, and not by a name that is none."""
    assert "may not act" in call(desk, UID, "who.reader", **{"as": name})["error"]["message"]


def test_a_role_is_needed(desk):
    """An admin reads no case; a therapist invites nobody."""
    assert "error" in call(desk, UID, "queue.list", **{"as": "rani"})
    assert "error" in call(desk, UID, "person.invite", **{"as": "eka", "person": "wulan"})
    assert "result" in call(desk, UID, "queue.list", **{"as": "eka"})


def test_a_missing_role_names_who_of_this_account_has_it(desk):
    """Who acts as the wrong one of their names reads the right one; nobody is said to lack more."""
    told = call(desk, UID, "person.invite", **{"as": "eka", "person": "wulan"})["error"]["message"]
    assert told == "This needs the role admin, which eka does not have. Say --as rani."


def test_what_anybody_may_ask_is_little():
    """Saying hello, the centre's public key, enrolling with a code; all else has its roles.

    Whether the configuration is in force is told to whoever is somebody in it.
    """
    free = {name for name, operation in OPERATIONS.items() if not operation.roles}
    told = {"hello", "centre.key", "person.invited", "person.enrol", "config.standing"}
    assert free == told
    assert all(operation.roles <= STAFF for operation in OPERATIONS.values())
    sealed = {name for name in OPERATIONS if name.split(".")[0] in {"case", "letter", "reply"}}
    assert all("admin" not in OPERATIONS[name].roles for name in sealed)


# -- what is asked -------------------------------------------------------------------------------

GARBAGE = [
    b"",
    b"\xff\xfe",
    b"null",
    b"5",
    b'"text"',
    b"[]",
    b"{}",
    b'[{"method": "hello"}]',
    b"{" * 20_000,
    b"[" * 200_000,
    b'{"method": 1' + b"0" * 5000 + b"}",
    b"GET / HTTP/1.1",
]


@pytest.mark.parametrize("raw", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_gets_an_error_and_the_line_stays_open(listening, raw):
    """The next request on the same line is answered."""
    with closing(connect(listening)) as line, line.makefile("rb") as answers:
        line.sendall(raw + b"\n" + request("hello") + b"\n")
        assert json.loads(answers.readline())["error"]["code"] in {-32700, -32601}
        assert "result" in json.loads(answers.readline())


@pytest.mark.parametrize("method", ["nothing", "", "__class__", "case", None, 5, [], {}])
def test_an_unknown_request_is_said_to_be_unknown(desk, method):
    """Names are looked up in one table, and nowhere else."""
    assert call(desk, UID, method)["error"]["code"] == -32601


@pytest.mark.parametrize("params", [5, "x", [], None, True])
def test_parameters_are_an_object(desk, params):
    """Anything else is not a request of ours."""
    raw = json.dumps({"id": 1, "method": "hello", "params": params}).encode()
    answer = json.loads(Control(desk.office.config.path, desk, SOME).answer(UID, raw))
    assert answer["error"]["code"] == -32601


GOAL = {"case": "C-0001", "goal": "g", "label": "x", "detail": "", "epoch": 1}
GOAL |= {"every": "week", "at": "Mon 09:00"}
ODD = [
    ("case.show", {"case": 5}),
    ("case.show", {"case": "\ud800"}),
    ("case.show", {"case": "\0"}),
    ("reply.undo", {"id": "\udcff"}),
    ("outbox.settle", {"id": "\udcff"}),
    ("person.enrol", {"code": "\udcff"}),
    ("risk.close", {"case": "C-0001", "sentences": {"\udcff": ""}}),
    ("case.show", {}),
    ("case.read", {"case": "C-0001", "letters": 5}),
    ("case.give", {"case": "C-0001", "person": "eka", "copies": {"a": 1}}),
    ("note.add", {"case": "C-0001", "letter": "a", "content": "no base64!", "epoch": 1}),
    ("goal.stop", {"case": "C-0001", "name": 1}),
    ("letter.piece", {"letter": "x", "part": "source", "offset": -5}),
    ("letter.piece", {"letter": "LETTER", "part": "attachment/99999999999999999999"}),
    ("letter.piece", {"letter": "LETTER", "part": "content", "offset": "0"}),
    ("letter.piece", {"letter": "LETTER", "part": "author"}),
    (
        "goal.add",
        {
            "case": "C-0001",
            "goal": "g",
            "label": "",
            "detail": "",
            "epoch": 1,
            "every": "week",
            "at": "Mon 09:00",
        },
    ),
    (
        "goal.add",
        {
            "case": "C-0001",
            "goal": "g",
            "label": "x",
            "detail": "",
            "epoch": 1,
            "every": "eon",
            "at": "x",
        },
    ),
    ("goal.stop", {"case": "C-0001", "name": f"G{10**30}"}),
    ("reply.approve", {"statement": "{}", "signature": "%%%"}),
    ("reply.approve", {"statement": "{}", "signature": ""}),
    ("reply.undo", {"id": "%"}),
    ("outbox.resend", {"id": ""}),
    ("risk.close", {"case": "C-0001", "sentences": {"a": "%"}}),
]


@pytest.mark.parametrize(("method", "params"), ODD)
def test_odd_parameters_are_refused_in_a_sentence(listening, caplog, method, params):
    """No odd value is a fault of the service."""
    shown = ask(listening, request("case.show", **{"as": "eka", "case": "C-0001"}) + b"\n")
    letter = shown["result"]["entries"][0]["id"]
    params = {name: letter if value == "LETTER" else value for name, value in params.items()}
    told = ask(listening, request(method, **{"as": "eka", **params}) + b"\n")
    assert told["error"]["code"] == -32000
    assert told["error"]["data"]["exit_code"] in {1, 3}
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


def test_our_errors_bring_their_sentence_and_exit_code(desk):
    """What the command says and how it ends."""
    told = call(desk, UID, "refusing")["error"]
    assert (told["message"], told["data"]) == (str(errors.Conflict()), {"exit_code": 4})


def test_a_fault_of_ours_tells_nothing(listening, caplog):
    """Neither to the caller nor to the log: the place is named, not the words."""
    caplog.set_level(logging.DEBUG)
    told = ask(listening, request("broken") + b"\n")
    assert told["error"]["code"] == -32603
    assert "quokka" not in json.dumps(told) + caplog.text
    assert "RuntimeError in broken" in caplog.text


def test_half_a_surrogate_pair_breaks_no_line(listening):
    """In an id, a parameter, or an answer."""
    assert ask(listening, request("hello", name="\ud800") + b"\n")["id"] == "?"
    assert ask(listening, request("hello", x=[{"\ud800": 1}]) + b"\n")["error"]["code"] == -32000
    assert ask(listening, request("half") + b"\n")["result"] == "?"


# -- how much ------------------------------------------------------------------------------------


def test_a_request_of_a_mebibyte_is_too_long(listening):
    """It is refused in a sentence, and others are served."""
    with closing(connect(listening)) as line, line.makefile("rb") as answers:
        with contextlib.suppress(ConnectionError):  # it may have hung up before the end
            line.sendall(b"x" * (control.LINE_BYTES * 2) + b"\n")
        told = json.loads(answers.readline())
        assert "1 MiB" in told["error"]["message"]
    assert "result" in ask(listening, request("hello") + b"\n")


def test_a_request_just_below_the_limit_is_read(listening):
    """A long statement is no reason to refuse."""
    raw = request("hello", filler="x" * (control.LINE_BYTES - 200))
    assert "result" in ask(listening, raw + b"\n")


def test_an_answer_is_never_longer(desk):
    """What is larger moves in pieces."""
    assert "1 MiB" in call(desk, UID, "large")["error"]["message"]


def test_two_callers_are_served_at_once(listening):
    """A slow request of one does not hold up the other."""
    desk_bell.clear()
    with closing(connect(listening)) as first, first.makefile("rb") as answers:
        first.sendall(request("slow") + b"\n")
        assert "result" in ask(listening, request("hello") + b"\n")
        desk_bell.set()
        assert json.loads(answers.readline())["result"] == "slow"


def test_connections_that_say_nothing_hold_nobody_up(listening):
    """An editor left open, or a caller that means harm, costs the others no answer."""
    with contextlib.ExitStack() as idle:
        for _ in range(control.CALLS_AT_ONCE + 1):
            idle.enter_context(closing(connect(listening)))
        assert "result" in ask(listening, request("hello") + b"\n")


def test_several_requests_on_one_line_are_answered_in_order(listening):
    """One object a line, each with its own id."""
    with closing(connect(listening)) as line, line.makefile("rb") as answers:
        line.sendall(b"".join(request("hello", name=n) + b"\n" for n in range(5)))
        assert [json.loads(answers.readline())["id"] for _ in range(5)] == list(range(5))


def test_a_caller_that_hangs_up_harms_nobody(listening):
    """In the middle of a line, or before the answer."""
    for raw in (b'{"method": "he', request("hello") + b"\n"):
        with closing(connect(listening)) as line:
            line.sendall(raw)
    assert "result" in ask(listening, request("hello") + b"\n")


def test_stopping_ends_every_conversation(listening):
    """Whoever is in the middle of a line, or just hung up: no line is open when it has stopped."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with closing(connect(listening)) as line:
            line.sendall(b'{"method": "he')
    with closing(connect(listening)) as line:
        line.sendall(request("hello") + b"\n" + b'{"method": "he')
        line.recv(1)
        listening.run(listening.server.stop())
        # The listener is gone, and of this conversation there is our own end.
        assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_second_service_does_not_take_the_socket(listening, desk):
    """The first goes on listening, and the second says why it does not start."""
    with pytest.raises(errors.Unavailable, match="running"):
        listening.run(Control(listening.path, desk, SOME).start())
    assert "result" in ask(listening, request("hello") + b"\n")


def test_a_socket_left_behind_is_taken_over(desk, short_tmp):
    """A killed service leaves its file; nobody listens there."""
    path = short_tmp / "control.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()

    async def start_and_stop():
        server = Control(path, desk, SOME)
        await server.start()
        await server.stop()

    asyncio.run(start_and_stop())
    assert not path.exists()
