"""What every piece of casework needs at hand: the admin's configuration and the service's keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailcounsel.config import Config
from mailcounsel.crypto.keyring import ServiceKeyring


@dataclass(frozen=True, slots=True)
class Office:
    """The centre's configuration and its service keyring.

    `pace` says how many working hours a queue's letters really wait, by its name, where that can be
    told; `mailcounsel.casework.keeping.look` sets it anew every minute.
    """

    config: Config
    keyring: ServiceKeyring
    pace: dict[str, float] = field(default_factory=dict, compare=False)
