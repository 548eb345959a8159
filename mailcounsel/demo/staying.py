"""A demonstration that stays: the newcomer plays the client, beside the real commands.

The running demonstration writes a small file that only its owner can read; `mailcounsel demo
write`, `inbox`, `tomorrow`, `env` and `stop` find it there, and speak to it over a socket of its
own, one JSON object a line. It is started by hand on one machine and answers nobody else, so it
takes one request at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailcounsel import errors

if TYPE_CHECKING:
    from mailcounsel.demo.stage import Stage

PATIENCE = 300.0  # seconds; a month of tomorrows takes a while
MOST_DAYS = 366
A_MOMENT = 1.0  # seconds; a Ctrl-C just before a wait without an end would never wake it
LINE_BYTES = 1024 * 1024

HELP = """\
The centre stays open. In another terminal, first:
  eval "$({program} demo env)"
  mailcounsel demo write --as melati "..."   write as a client (melati, rafael, bintang, anybody)
  mailcounsel demo inbox melati              see what their mail program shows
  mailcounsel demo tomorrow                  let a day go by (--days 7: a week)
Beside them use the real commands: queue, next, show, reply, goal. You are wulan, a therapist;
with --as sari you are her supervisor and the admin. Ctrl-C here closes the centre."""


def program() -> str:
    """Return how a shell calls this program: by its name if that is on PATH, else by its path."""
    beside = Path(sys.executable).with_name("mailcounsel")
    is_known = shutil.which("mailcounsel") or not beside.exists()
    return "mailcounsel" if is_known else str(beside)


# -- finding the one that runs --------------------------------------------------------------------


def state_path() -> Path:
    """Return the file by which a staying demonstration is found."""
    folder = os.environ.get("XDG_RUNTIME_DIR")
    is_there = folder is not None and os.access(folder, os.W_OK | os.X_OK)
    where = Path(folder) if folder and is_there else Path(tempfile.gettempdir())
    return where / f"mailcounsel-demo-{os.geteuid()}.json"


def _state() -> dict[str, Any] | None:
    """Read the file, unless it is somebody else's or nobody's."""
    try:
        number = os.open(state_path(), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(number, encoding="utf-8") as file:
        found = os.fstat(number)
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            return None
        with contextlib.suppress(ValueError):
            state: dict[str, Any] = json.load(file)
            return state
    return None


def ask(request: str, **parameters: Any) -> dict[str, Any]:
    """Ask the running demonstration for something, and return its answer.

    Raises: Unavailable when none runs; Refused with its reason when it says no.
    """
    state = _state()
    if state is None:
        raise errors.Unavailable(_NONE)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(PATIENCE)
            line.connect(state["socket"])
            with line.makefile("rwb") as talk:
                talk.write(json.dumps({"request": request, **parameters}).encode() + b"\n")
                talk.flush()
                said = talk.readline()
    except OSError as fault:
        raise errors.Unavailable(_NONE) from fault
    if not said:
        raise errors.Unavailable(_NONE)
    answer: dict[str, Any] = json.loads(said)
    if "error" in answer:
        raise errors.Refused(answer["error"])
    return answer


_NONE = "No demonstration is running. Start one in another terminal: mailcounsel demo --stay"


def refuse_second() -> None:
    """Raise Refused when a demonstration stays already."""
    try:
        ask("hello")
    except errors.Unavailable:
        return
    message = "A demonstration is running already. Close it first: mailcounsel demo stop"
    raise errors.Refused(message)


# -- the one that runs ----------------------------------------------------------------------------


def stay(stage: Stage) -> None:
    """Keep the centre open until Ctrl-C or `demo stop`."""
    desk = _Desk(stage)
    path = stage.place / "demo.sock"
    server = stage.wait_for(
        asyncio.start_unix_server(desk.accept, path=str(path), limit=LINE_BYTES)
    )
    try:
        with _announced(path, stage.environment()):
            print(HELP.format(program=shlex.quote(program())), flush=True)
            while not desk.stopped.wait(A_MOMENT):
                pass
    finally:
        server.get_loop().call_soon_threadsafe(server.close)
    print("The centre is closed.", flush=True)


@contextlib.contextmanager
def _announced(path: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Write the file by which the other commands find this demonstration, and take it away."""
    refuse_second()
    state = state_path()
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        state.unlink(missing_ok=True)  # of one that was killed
        number = os.open(state, flags, 0o600)
    except OSError as fault:
        message = f"{state} cannot be written, so the other commands would not find this centre."
        raise errors.Unavailable(message) from fault
    with os.fdopen(number, "w", encoding="utf-8") as file:
        json.dump({"socket": str(path), "environment": dict(environment)}, file)
    try:
        yield
    finally:
        state.unlink(missing_ok=True)


class _Desk:
    """Answers the requests, one at a time."""

    def __init__(self, stage: Stage) -> None:
        self.stopped = threading.Event()
        self._stage = stage
        self._one_at_a_time = asyncio.Lock()
        self._requests: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "hello": self._hello,
            "write": self._write,
            "inbox": self._inbox,
            "tomorrow": self._tomorrow,
            "stop": self._stop,
        }

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        with contextlib.suppress(ConnectionError, ValueError):
            line = await reader.readline()
            async with self._one_at_a_time:
                answer = await asyncio.to_thread(self._answer, line)
            writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            await writer.drain()
            if answer.get("closing"):
                self.stopped.set()
        writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            return self._requests[asked["request"]](asked)
        except errors.MailcounselError as fault:
            return {"error": str(fault)}
        except Exception as fault:  # noqa: BLE001 - one bad request does not close the centre
            return {"error": f"The demonstration failed at this ({type(fault).__name__})."}

    def _hello(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"now": self._stage.today(), "environment": self._stage.environment()}

    def _write(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        client = self._stage.client(str(asked["client"]))
        self._stage.write(client, str(asked["text"]))
        return {"client": client.name, "now": self._stage.today()}

    def _inbox(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        name = str(asked["client"]).lower()
        client = self._stage.clients.get(name)
        if client is None:
            known = ", ".join(sorted(self._stage.clients))
            message = f"Nobody of this name has written yet. There are: {known}."
            raise errors.NotFound(message)
        letters = [
            {
                "from": one.sender,
                "subject": one.subject,
                "text": one.text,
                "encrypted": one.was_locked,
                "signed": one.is_signed,
            }
            for one in self._stage.inbox(client)
        ]
        return {"client": client.name, "letters": letters}

    def _tomorrow(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        days = asked["days"]
        if not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
            message = f"The clock goes ahead by 1 to {MOST_DAYS} days at a time."
            raise errors.Refused(message)
        for _ in range(days):
            self._stage.move(days=1)
        return {"now": self._stage.today()}

    def _stop(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"closing": True}
