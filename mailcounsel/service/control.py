"""The control socket: how the command line speaks to the service.

JSON-RPC 2.0 over a Unix socket, one object a line, at most 1 MiB a line; sealed bytes move in
pieces. The kernel says which account is at the other end (SO_PEERCRED); the configuration says
which people that account may act as; each operation says which roles may call it. An error
carries a sentence for the person and the exit code of the command, never anything of a letter.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
import traceback
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailcounsel import errors
from mailcounsel.config import Person
from mailcounsel.service.desk import Caller, Desk

log = logging.getLogger(__name__)

LINE_BYTES = 1024 * 1024
LARGEST_NUMBER = 2**31 - 1  # that every database keeps
CALLS_AT_ONCE = 32  # requests being carried out; more wait, however many connections are open
IDLE_SECONDS = 3600

Parameters = Mapping[str, Any]
Operate = Callable[[Desk, Caller, Parameters], Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """Something the service does when asked, and who may ask: one of these roles, or anybody."""

    run: Operate
    roles: frozenset[str]


def text(parameters: Parameters, name: str, default: str | None = None) -> str:
    """Return a text parameter. Raises: Refused when it is missing or not a text."""
    value = parameters.get(name, default)
    if not isinstance(value, str):
        message = f"The request lacks the text {name!r}."
        raise errors.Refused(message)
    return value


def number(parameters: Parameters, name: str, default: int | None = None) -> int:
    """Return a whole-number parameter. Raises: Refused when it is missing or no such number."""
    value = parameters.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_NUMBER:
        message = f"The request lacks the number {name!r}."
        raise errors.Refused(message)
    return value


def listed(parameters: Parameters, name: str) -> list[Any]:
    """Return a parameter that is a list. Raises: Refused when it is missing or something else."""
    value = parameters.get(name)
    if not isinstance(value, list):
        message = f"The request lacks the list {name!r}."
        raise errors.Refused(message)
    return value


def data(parameters: Parameters, name: str) -> bytes:
    """Return a parameter that carries bytes. Raises: Refused when it is missing or not base64."""
    try:
        return b64decode(text(parameters, name), validate=True)
    except ValueError as fault:
        message = f"The request's {name!r} is not base64."
        raise errors.Refused(message) from fault


class Control:
    """The listening socket. `start` and `stop` belong to the service's own event loop."""

    def __init__(self, path: Path, desk: Desk, operations: Mapping[str, Operation]) -> None:
        self._path = path
        self._desk = desk
        self._operations = operations
        self._server: asyncio.Server | None = None
        self._room = asyncio.Semaphore(CALLS_AT_ONCE)
        self._calls: set[asyncio.Task[None]] = set()

    def use(self, desk: Desk) -> None:
        """Answer from another desk from now on, such as one with a new configuration."""
        self._desk = desk

    async def start(self) -> None:
        """Listen. Raises: Unavailable when another service listens here already."""
        if await _answers(self._path):
            message = "Another mailcounsel service is running with this configuration."
            raise errors.Unavailable(message)
        self._path.unlink(missing_ok=True)
        # The socket is for the owner and the group; SO_PEERCRED does the rest.
        old = os.umask(0o117)
        try:
            self._server = await asyncio.start_unix_server(
                self._accept, path=str(self._path), limit=LINE_BYTES
            )
        finally:
            os.umask(old)

    async def stop(self) -> None:
        """Stop listening, end the conversations, and remove the socket."""
        if self._server:
            self._server.close()
        for call in list(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._converse(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = peer_uid(writer.get_extra_info("socket"))
        while True:
            try:
                line = await asyncio.wait_for(reader.readline(), IDLE_SECONDS)
            except ValueError:  # the line is longer than the limit
                writer.write(_line(_failure(None, -32600, "The request is longer than 1 MiB.")))
                await writer.drain()
                return
            if not line:
                return
            async with self._room:
                answer = await asyncio.to_thread(self.answer, uid, line)
            writer.write(answer)
            await writer.drain()

    def answer(self, uid: int, line: bytes) -> bytes:
        """Carry out one request line for an account and return the answer line."""
        try:
            request = json.loads(line)
            method, params = request["method"], request.get("params", {})
            is_text = _is_text(request)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return _line(_failure(None, -32700, "This is not a JSON-RPC request."))
        name = request.get("id")
        if not is_text:
            return _line(_failure(name, -32000, "The request holds something that is no text."))
        operation = self._operations.get(method) if isinstance(method, str) else None
        if operation is None or not isinstance(params, dict):
            return _line(_failure(name, -32601, "The service does not know this request."))
        try:
            return self._carry_out(uid, name, operation, params)
        except errors.MailcounselError as fault:
            return _line(_failure(name, -32000, str(fault), fault.exit_code))
        except Exception as fault:  # noqa: BLE001 - one bad request never stops the others
            log.error("control: %s failed with %s", method, _place(fault))
            return _line(_failure(name, -32603, "The service failed at this. See its log."))

    def _carry_out(
        self, uid: int, name: object, operation: Operation, params: dict[str, Any]
    ) -> bytes:
        caller = self._caller(uid, params.pop("as", None), operation.roles)
        result = operation.run(self._desk, caller, params)
        answer = _line({"jsonrpc": "2.0", "id": name, "result": result})
        if len(answer) > LINE_BYTES:
            message = "The answer is longer than 1 MiB."
            raise errors.Refused(message)
        return answer

    def _caller(self, uid: int, acting_as: str | None, roles: frozenset[str]) -> Caller:
        known = self._desk.office.config.people_for_uid(uid)
        names = tuple(person.name for person in known)
        if not roles:
            return Caller(uid, names, acting_as, ())
        if acting_as is not None and acting_as not in names:
            message = f"This account may not act as {acting_as}."
            raise errors.Refused(message)
        fitting = [
            person
            for person in known
            if roles & set(person.roles) and acting_as in {None, person.name}
        ]
        if not fitting:
            raise errors.Refused(_who_may(roles, known, acting_as))
        if len(fitting) > 1:
            several = ", ".join(person.name for person in fitting)
            message = f"This account acts for several people. Say which: --as NAME ({several})."
            raise errors.Refused(message)
        return Caller(uid, names, fitting[0].name, tuple(fitting[0].roles))


def _who_may(roles: frozenset[str], known: tuple[Person, ...], acting_as: str | None) -> str:
    if not known:
        return "This account is nobody in config.toml. An admin adds it as os_user of a [[person]]."
    needed = f"This needs the role {' or '.join(sorted(roles))}"
    able = [person.name for person in known if roles & set(person.roles)]
    if able:
        return f"{needed}, which {acting_as} does not have. Say --as {' or --as '.join(able)}."
    return f"{needed}, which {' and '.join(person.name for person in known)} has not got."


def peer_uid(connection: Any) -> int:
    """Return the account at the other end of a Unix socket, as the kernel says (unix(7))."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", packed)[1]
    return uid


async def _answers(path: Path) -> bool:
    """Tell whether somebody listens on a socket; a left-over file does not."""
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    writer.close()
    return True


def _failure(name: object, code: int, message: str, exit_code: int = 1) -> dict[str, Any]:
    error = {"code": code, "message": message, "data": {"exit_code": exit_code}}
    return {"jsonrpc": "2.0", "id": name, "error": error}


def _is_text(request: Any) -> bool:
    """Tell whether every text of a request is one: JSON can write half a surrogate pair."""
    try:
        json.dumps(request, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _line(answer: Mapping[str, Any]) -> bytes:
    # A request may hold half a surrogate pair, which JSON can write and UTF-8 cannot.
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _place(fault: BaseException) -> str:
    """Return what a fault is and where it happened; its message may hold anything."""
    last = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{type(fault).__name__} in {last.name}, line {last.lineno}"
