"""What must agree between the tables of a configuration whose shape is right.

Each check yields the path of a key and advice. A check never looks at the network and never
starts a command; the only files it looks at are the ones named in the configuration.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mailcounsel.config import secrets, wording
from mailcounsel.config.fields import is_loopback
from mailcounsel.config.locate import KeyPath
from mailcounsel.config.models import Config, plain_address
from mailcounsel.config.people import Queue
from mailcounsel.config.servers import Inbox
from mailcounsel.config.spans import DAY
from mailcounsel.config.tables import Credentials

Finding = tuple[KeyPath, str]

LETTERS = ("acknowledgement", "acknowledgement-again", "notice")
"""Our own templates that can be the first answer to a letter."""

LONGEST_SOCKET_PATH = 107  # bytes, without the closing NUL: unix(7), sun_path


def findings(config: Config) -> Iterator[Finding]:
    """Yield everything that does not agree, in no particular order."""
    for check in (_presence, _centre, _hours, _store, _smtp, _smarthost, _inboxes, _people):
        yield from check(config)
    for check in (_queues, _rules, _rule_order, _credentials):
        yield from check(config)


def _presence(config: Config) -> Iterator[Finding]:
    if not config.inboxes:
        yield ("inbox",), "missing: name at least one [[inbox]]"
    if not config.queues:
        yield ("queue",), "missing: name at least one [[queue]]"
    if not any("supervisor" in person.roles for person in config.people):
        yield ("person",), 'missing: at least one [[person]] needs the role "supervisor"'


def _centre(config: Config) -> Iterator[Finding]:
    for language in config.centre.languages:
        if getattr(config.emergency, language) is None:
            yield ("emergency", language), "missing key: each of centre.languages needs its text"
    if len(os.fsencode(config.centre.socket.absolute())) > LONGEST_SOCKET_PATH:
        yield ("centre", "socket"), f"is longer than {LONGEST_SOCKET_PATH} bytes; choose a shorter"


def _hours(config: Config) -> Iterator[Finding]:
    if not any(config.hours.working.week):
        yield ("hours", "working"), "is never open; name at least one day"
    if config.hours.quiet.closes - config.hours.quiet.opens > DAY - 60:
        yield ("hours", "quiet"), "must leave at least one hour of the day for automatic mail"
        return
    for part in ("morning", "evening"):
        chosen = getattr(config.hours, part)
        minute = chosen.hour * 60 + chosen.minute
        quiet = config.hours.quiet
        if any(quiet.opens <= moment < quiet.closes for moment in (minute, minute + DAY)):
            yield ("hours", part), "is within the quiet hours, so nothing could go out then"


def _store(config: Config) -> Iterator[Finding]:
    scheme, _, rest = (config.store.url or "sqlite:///file").partition("://")
    if scheme == "sqlite" and rest in {"", "/", "/:memory:"}:
        yield ("store", "url"), "must name a file: a store in memory would lose letters"
    elif scheme == "sqlite" and config.store.sources:
        yield ("store",), "has a secret, and SQLite takes none"
    elif scheme != "postgresql+psycopg" and not (scheme == "sqlite" and rest.startswith("/")):
        yield ("store", "url"), "must start with sqlite:/// or postgresql+psycopg://"
    elif scheme != "sqlite" and (":" in rest.rpartition("@")[0] or "password=" in rest.lower()):
        yield ("store", "url"), "holds a password; name a password_file, or another source"


def _smtp(config: Config) -> Iterator[Finding]:
    smtp = config.smtp
    if smtp is None:
        return
    if (smtp.tls_certificate is None) != (smtp.tls_key is None):
        yield ("smtp",), "tls_certificate and tls_key go together"
    if smtp.require_tls and smtp.tls_certificate is None:
        yield ("smtp", "require_tls"), "needs tls_certificate and tls_key"


def _smarthost(config: Config) -> Iterator[Finding]:
    yield from _server(("smarthost",), config.smarthost.host, config.smarthost.tls)
    if config.smarthost.user is None and config.smarthost.secret is not None:
        yield ("smarthost",), "has a secret and no user to use it for"


def _server(path: KeyPath, host: str, tls: str) -> Iterator[Finding]:
    if tls == "none" and not is_loopback(host):
        yield (*path, "tls"), 'may be "none" only for a server on this machine'


def _inboxes(config: Config) -> Iterator[Finding]:
    yield from _doubles(
        ("inbox", "address"), (plain_address(box.address) for box in config.inboxes)
    )
    for number, inbox in enumerate(config.inboxes):
        path: KeyPath = ("inbox", number)
        yield from _inbox(config, path, inbox)
        if inbox.imap is not None:
            yield from _server((*path, "imap"), inbox.imap.host, inbox.imap.tls)


def _inbox(config: Config, path: KeyPath, inbox: Inbox) -> Iterator[Finding]:
    if "+" in inbox.address:
        yield (*path, "address"), "must have no +tag; any tag on it is accepted"
    if inbox.imap is None and config.smtp is None:
        yield path, "has no way in: give it an [inbox.imap], or the file an [smtp]"
    if inbox.imap is None and inbox.after != "keep":
        yield (*path, "after"), "needs an [inbox.imap]"
    if inbox.imap is not None and inbox.move_to in {inbox.imap.folder, inbox.imap.junk_folder}:
        yield (*path, "move_to"), "is a folder that is read; choose another"
    yield from _known_queue(config, (*path, "queue"), inbox.queue)
    yield from _spoken(config, (*path, "language"), inbox.language)


def _people(config: Config) -> Iterator[Finding]:
    yield from _doubles(("person", "name"), (person.name for person in config.people))
    for number, person in enumerate(config.people):
        path: KeyPath = ("person", number)
        if (person.os_user is None) == (person.uid is None):
            yield path, "needs either os_user or uid"
        for index, queue in enumerate(person.queues):
            yield from _known_queue(config, (*path, "queues", index), queue)
        for index, language in enumerate(person.languages):
            yield from _spoken(config, (*path, "languages", index), language)


def _queues(config: Config) -> Iterator[Finding]:
    yield from _doubles(("queue", "name"), (queue.name for queue in config.queues))
    names = [person.name for person in config.people]
    for number, queue in enumerate(config.queues):
        path: KeyPath = ("queue", number, "supervisor")
        supervisor = config.person(queue.supervisor)
        if supervisor is None:
            yield path, f"no such person{wording.did_you_mean(queue.supervisor, names)}"
        elif "supervisor" not in supervisor.roles:
            yield path, 'is a person without the role "supervisor"'
        yield from _spoken(config, ("queue", number, "language"), queue.language)
        yield from _ladder(config, ("queue", number, "risk"), queue)


def _ladder(config: Config, path: KeyPath, queue: Queue) -> Iterator[Finding]:
    """Who is woken must be somebody who can read the letter, at an address of their own."""
    names = [person.name for person in config.people]
    for key, name in (("on_call", queue.risk.on_call), ("second", queue.risk.second)):
        person = config.person(name or "")
        if name is None:
            continue
        if person is None:
            yield (*path, key), f"no such person{wording.did_you_mean(name, names)}"
        elif person not in config.readers(queue.name):
            yield (*path, key), "is a person who does not read this queue"
        elif person.notify is None:
            yield (*path, key), 'is a person without "notify", so nothing would reach them'
    if queue.risk.second is not None and queue.risk.on_call is None:
        yield (*path, "second"), 'needs an "on_call" before it'


def _rules(config: Config) -> Iterator[Finding]:
    yield from _doubles(("rule", "name"), (rule.name for rule in config.rules))
    for number, rule in enumerate(config.rules):
        path: KeyPath = ("rule", number)
        if not rule.has_effects:
            yield path, "does nothing: give it a queue, priority, tags, acknowledgement or last"
        if rule.queue is not None:
            yield from _known_queue(config, (*path, "queue"), rule.queue)
        yield from _spoken(config, (*path, "language"), rule.language)
        if rule.acknowledgement not in {None, "none"}:
            yield from _template(config, (*path, "acknowledgement"), str(rule.acknowledgement))


def _rule_order(config: Config) -> Iterator[Finding]:
    for number, rule in enumerate(config.rules[:-1]):
        if rule.last and not rule.has_conditions:
            yield ("rule", number, "last"), "holds for every letter, so no later rule is ever read"


def _template(config: Config, path: KeyPath, name: str) -> Iterator[Finding]:
    if name in LETTERS:
        return
    own = {language: _templates_in(config, language) for language in config.centre.languages}
    missing = [language for language, names in own.items() if name not in names]
    if len(missing) == len(own):
        known = {*LETTERS, "none"}.union(*own.values())
        yield path, f"no such template{wording.did_you_mean(name, sorted(known))}"
    elif missing:
        yield path, f"has no template in: {', '.join(missing)}"


def _templates_in(config: Config, language: str) -> set[str]:
    if config.centre.templates is None:
        return set()
    return {file.stem for file in (config.centre.templates / language).glob("*.txt")}


def _credentials(config: Config) -> Iterator[Finding]:
    boxes = ((("inbox", number, "imap"), inbox.imap) for number, inbox in enumerate(config.inboxes))
    holders: list[tuple[KeyPath, Credentials, bool]] = [
        (("store",), config.store, False),
        (("smarthost",), config.smarthost, config.smarthost.user is not None),
        *((path, imap, True) for path, imap in boxes if imap is not None),
    ]
    for path, credentials, needed in holders:
        yield from _one_source(path, credentials, needed=needed)
        yield from _private_file(path, credentials)


def _one_source(path: KeyPath, credentials: Credentials, *, needed: bool) -> Iterator[Finding]:
    named = credentials.sources
    if len(named) > 1:
        yield path, f"has {' and '.join(named)}; keep one"
    if needed and not named:
        yield path, "needs a secret for its user: a password_file, or another source"


def _private_file(path: KeyPath, credentials: Credentials) -> Iterator[Finding]:
    file = credentials.password_file
    try:
        private = file is None or secrets.is_private(file.stat().st_mode)
    except OSError:
        return  # Not here, or not ours to see: the command line reads this configuration too.
    if not private:
        yield (*path, "password_file"), "can be read by others: chmod 600"


def unknown_queues(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Find queues that are named and not there, in a file whose shape has faults of its own."""
    names = [one["name"] for _, one in _tables(values, "queue") if isinstance(one.get("name"), str)]
    for table in ("inbox", "rule"):
        for number, one in _tables(values, table):
            yield from _unknown((table, number, "queue"), one.get("queue"), names)
    for number, one in _tables(values, "person"):
        queues = one.get("queues")
        for index, queue in enumerate(queues if isinstance(queues, list) else []):
            yield from _unknown(("person", number, "queues", index), queue, names)


def _tables(values: Mapping[str, Any], name: str) -> list[tuple[int, dict[str, Any]]]:
    listed = values.get(name)
    rows = enumerate(listed if isinstance(listed, list) else [])
    return [(number, one) for number, one in rows if isinstance(one, dict)]


def _unknown(path: KeyPath, name: object, names: list[str]) -> Iterator[Finding]:
    if names and isinstance(name, str) and name not in names:
        yield path, f"no such queue{wording.did_you_mean(name, names)}"


def _known_queue(config: Config, path: KeyPath, name: str) -> Iterator[Finding]:
    if config.queue(name) is None:
        names = [queue.name for queue in config.queues]
        yield path, f"no such queue{wording.did_you_mean(name, names)}"


def _spoken(config: Config, path: KeyPath, language: str | None) -> Iterator[Finding]:
    if language is not None and language not in config.centre.languages:
        yield path, "is not one of centre.languages"


def _doubles(kind: tuple[str, str], values: Iterable[str]) -> Iterator[Finding]:
    table, column = kind
    first: dict[str, int] = {}
    for number, value in enumerate(values):
        if first.setdefault(value, number) != number:
            yield (table, number, column), f"is the same as {table}[{first[value]}].{column}"
