"""The whole of `config.toml`, and what is asked of it."""

from __future__ import annotations

import pwd
from pathlib import Path

from pydantic import Field, PrivateAttr

from mailcounsel.config.fields import Language
from mailcounsel.config.people import Person, Queue, Rule
from mailcounsel.config.servers import Inbox, Smarthost, Smtp
from mailcounsel.config.tables import About, Centre, Emergency, Hours, Limits, Store, Table


class Config(Table):
    """The whole file."""

    centre: Centre
    """The centre itself."""
    emergency: Emergency
    """Where help is when it cannot wait, in each language."""
    about: About = About()
    """Who the centre is, in each language."""
    store: Store = Store()
    """Where sealed cases are kept."""
    hours: Hours = Hours()
    """When people work."""
    limits: Limits = Limits()
    """How much is read and sent."""
    smtp: Smtp | None = None
    """The listener; without it, letters come by IMAP alone."""
    smarthost: Smarthost
    """The server that takes our mail."""
    inboxes: tuple[Inbox, ...] = Field(default=(), alias="inbox")
    """The addresses clients write to."""
    people: tuple[Person, ...] = Field(default=(), alias="person")
    """The people who work here."""
    queues: tuple[Queue, ...] = Field(default=(), alias="queue")
    """The queues cases wait in."""
    rules: tuple[Rule, ...] = Field(default=(), alias="rule")
    """The rules, in the order they are read."""

    _path: Path = PrivateAttr(default=Path("config.toml"))

    def model_post_init(self, context: object) -> None:
        """Keep the path of the file the values came from."""
        if isinstance(context, dict):
            self._path = context["path"]

    @property
    def path(self) -> Path:
        """Return the file this was loaded from."""
        return self._path

    @property
    def store_url(self) -> str:
        """Return the store's URL; the path of a SQLite file in it is complete."""
        if self.store.url is None:
            return f"sqlite:///{self.centre.state_dir.absolute() / 'mailcounsel.db'}"
        if self.store.url.startswith("sqlite:///"):
            file = self.path.parent.absolute() / self.store.url.removeprefix("sqlite:///")
            return f"sqlite:///{file}"
        return self.store.url

    def inbox_for(self, address: str) -> Inbox | None:
        """Return the inbox a mail address belongs to, in any case and with any +tag."""
        wanted = plain_address(address)
        return next((box for box in self.inboxes if plain_address(box.address) == wanted), None)

    def person(self, name: str) -> Person | None:
        """Return the person of a short name."""
        return next((person for person in self.people if person.name == name), None)

    def queue(self, name: str) -> Queue | None:
        """Return the queue of a short name."""
        return next((queue for queue in self.queues if queue.name == name), None)

    def people_for_uid(self, uid: int) -> tuple[Person, ...]:
        """Return who may act from an account of this machine; several may share one."""
        return tuple(person for person in self.people if _uid(person) == uid)

    def without_account(self) -> tuple[Person, ...]:
        """Return whose account is not on this machine: nobody can act as them here."""
        return tuple(person for person in self.people if _uid(person) is None)

    def supervisors(self, queue: str) -> tuple[Person, ...]:
        """Return who supervises a queue."""
        found = self.queue(queue)
        return tuple(p for p in self.people if found is not None and p.name == found.supervisor)

    def readers(self, queue: str) -> tuple[Person, ...]:
        """Return who may read a queue: its therapists and its supervisor, in the file's order."""
        supervisors = self.supervisors(queue)
        return tuple(p for p in self.people if p in supervisors or _counsels_in(p, queue))

    def untold(self) -> tuple[str, ...]:
        """Return the queues where danger can be told to nobody: no address on their ladder."""
        return tuple(queue.name for queue in self.queues if not self._reached(queue))

    def _reached(self, queue: Queue) -> bool:
        names = (queue.risk.on_call, queue.risk.second, queue.supervisor)
        people = (self.person(name) for name in names if name)
        return any(person is not None and person.notify for person in people)

    def default_queue(self, inbox: Inbox) -> Queue:
        """Return the queue of an inbox of this file when no rule says otherwise."""
        return next(queue for queue in self.queues if queue.name == inbox.queue)

    def sender_name(self, inbox: Inbox) -> str:
        """Return the neutral name clients see on mail from an inbox."""
        return inbox.sender_name or self.centre.sender_name

    def language(self, inbox: Inbox) -> Language:
        """Return the language assumed for letters to an inbox."""
        return inbox.language or self.default_queue(inbox).language or self.centre.language


def plain_address(address: str) -> str:
    """Return an address in lower case and without its +tag, for comparing."""
    local, _, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _counsels_in(person: Person, queue: str) -> bool:
    return "therapist" in person.roles and queue in person.queues


def _uid(person: Person) -> int | None:
    if person.uid is not None or person.os_user is None:
        return person.uid
    try:
        return pwd.getpwnam(person.os_user).pw_uid
    except KeyError:
        return None
