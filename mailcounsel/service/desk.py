"""What an operation of the service has at hand."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from mailcounsel.casework.office import Office
from mailcounsel.clock import Clock
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.intake.inbox import Received
from mailcounsel.store.engine import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """The running centre: configuration and keys, the store, the clock, gpg, and a bell.

    `apart` is held while a heavy letter, or one that was tried before, is in work: never both.
    `owed` are letters in work that could not be put back, since the store went away meanwhile.
    `ring` wakes a loop by name ("intake", "outbox", "checkins", "errands"), so that nothing waits
    for a tick.
    """

    office: Office
    store: Store
    clock: Clock
    centre: Centre
    ring: Callable[[str], None]
    apart: threading.Lock = field(default_factory=threading.Lock)
    owed: deque[Received] = field(default_factory=deque)

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return self.clock.now()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the account on this machine, and the people it may act as."""

    uid: int
    people: tuple[str, ...]
    acting_as: str | None
    roles: tuple[str, ...]

    @property
    def person(self) -> str:
        """Return the person the call is made as. Only set once the call was let through."""
        return self.acting_as or ""
