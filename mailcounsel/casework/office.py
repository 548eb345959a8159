"""What every piece of casework needs at hand: the admin's configuration and the service's keys."""

from __future__ import annotations

from dataclasses import dataclass

from mailcounsel.config import Config
from mailcounsel.crypto.keyring import ServiceKeyring


@dataclass(frozen=True, slots=True)
class Office:
    """The centre's configuration and its service keyring."""

    config: Config
    keyring: ServiceKeyring
