"""From the answers given to `init` to a `config.toml` that loads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mailcounsel import config, errors

EMERGENCY = {
    "id": "Hubungi nomor darurat di tempat Anda, atau datanglah ke rumah sakit terdekat.",
    "en": "Call the emergency number where you are, or go to the nearest hospital.",
}
"""What every letter says, below "help is here:", until the admin names the numbers of the place."""

SENDER_NAMES = {"id": "Surat", "en": "Letters"}


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server and how to speak to it. `port` None is the usual one."""

    host: str
    port: int | None = None
    user: str | None = None
    tls: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a centre has to know about itself before it can run."""

    name: str
    sender_name: str
    address: str
    languages: tuple[str, ...]
    time_zone: str
    smarthost: Server
    imap: Server | None
    listen: Server
    person: str
    os_user: str
    notify: str = ""  # the person's address for notes; "": nobody is told of danger
    store: str | None = None  # a PostgreSQL URL; none is SQLite in the state folder
    state_dir: Path | None = None
    socket: Path | None = None


def config_text(answers: Answers) -> str:
    """Write the configuration file for these answers.

    Raises: ConfigError, about the answers, when the file would not load.
    """
    text = "\n\n".join("\n".join(block) for block in _blocks(answers)) + "\n"
    with tempfile.TemporaryDirectory(prefix="mailcounsel-") as folder:
        draft = Path(folder) / "config.toml"
        draft.write_text(text, encoding="utf-8")
        try:
            config.load(draft)
        except errors.ConfigError as fault:
            # The socket's path is as long as the draft's folder, which is not where it will be.
            found = [
                errors.Problem("your answers", problem.key, problem.advice)
                for problem in fault.problems
                if problem.key != "centre.socket"
            ]
            if found:
                raise errors.ConfigError(found) from None
    return text


def fault_in(**answer: Any) -> str | None:
    """Say what is wrong with an answer, looked at among others that are right; None if nothing."""
    usual = Answers(
        name="House",
        sender_name="House",
        address="letters@example.org",
        languages=("en",),
        time_zone="UTC",
        smarthost=Server("localhost"),
        imap=None,
        listen=Server("127.0.0.1", 2525),
        person="anna",
        os_user="anna",
    )
    try:
        config_text(replace(usual, **answer))
    except errors.ConfigError as fault:
        return "; ".join(dict.fromkeys(problem.advice for problem in fault.problems))
    return None


def _blocks(answers: Answers) -> Iterator[list[str]]:
    yield [
        "# mailcounsel: the configuration of one centre. Every key that may stand here is",
        "# explained in config.example.toml. After a change: mailcounsel config check",
    ]
    yield _centre(answers)
    yield [
        "# Stands in every letter to a client. Before you open, write the numbers of your place.",
        "[emergency]",
        *(f"{language} = {_quoted(EMERGENCY.get(language, ''))}" for language in answers.languages),
    ]
    if answers.store:
        yield ["# Where cases are kept.", "[store]", *_pairs(url=answers.store)]
    if answers.imap is None:
        yield ["# Letters are brought to us here.", *_server("smtp", answers.listen)]
    yield [
        "# The server that takes our mail for the world.",
        *_server("smarthost", answers.smarthost),
        *_secret(answers.smarthost, "smarthost"),
    ]
    yield [
        "# The address clients write to.",
        "[[inbox]]",
        *_pairs(address=answers.address, queue="general"),
    ]
    if answers.imap is not None:
        yield [*_server("inbox.imap", answers.imap), *_secret(answers.imap, "imap")]
    yield [
        "# The people who work here. Each needs an account on this machine (os_user).",
        "[[person]]",
        *_pairs(name=answers.person, os_user=answers.os_user),
        'roles = ["admin", "supervisor", "therapist"]',
        'queues = ["general"]',
        "# Where notes without content go. Without one this person is not told of danger.",
        *(_pairs(notify=answers.notify) if answers.notify else ['# notify = "you@example.org"']),
    ]
    yield ["# Where cases wait.", "[[queue]]", *_pairs(name="general", supervisor=answers.person)]
    yield [
        "# Working hours within which an urgent letter is to be answered.",
        "[queue.priority_promise]",
        "urgent = 2",
    ]
    yield [
        "# While nobody has read a letter with signs of danger, one more person is told each time",
        "# these minutes pass: on_call, second, the supervisor. All of them need a notify address.",
        "[queue.risk]",
        "read_minutes = 30",
        *(_pairs(on_call=answers.person) if answers.notify else []),
    ]


def _centre(answers: Answers) -> list[str]:
    lines = ["[centre]", *_pairs(name=answers.name)]
    lines += ["# The name clients see. Keep it neutral: a lock screen shows it to whoever is near."]
    lines += _pairs(sender_name=answers.sender_name, time_zone=answers.time_zone)
    lines += [f"languages = [{', '.join(map(_quoted, answers.languages))}]"]
    if answers.state_dir:
        lines += _pairs(state_dir=str(answers.state_dir))
    if answers.socket:
        lines += _pairs(socket=str(answers.socket))
    return lines


def _server(table: str, server: Server) -> list[str]:
    lines = [f"[{table}]", *_pairs(host=server.host)]
    if server.tls:
        lines += _pairs(tls=server.tls)
    if server.port is not None:
        lines.append(f"port = {server.port}")
    if server.user:
        lines += _pairs(user=server.user)
    return lines


def _secret(server: Server, name: str) -> list[str]:
    return _pairs(password_file=f"secrets/{name}") if server.user else []


def _pairs(**values: str) -> list[str]:
    return [f"{key} = {_quoted(value)}" for key, value in values.items()]


def _quoted(value: str) -> str:
    """Write a TOML string: JSON's, but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
