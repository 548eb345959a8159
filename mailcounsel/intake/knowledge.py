"""What the steps may ask about the people and cases known so far.

`mailcounsel.intake.known` answers from the store, `NoKnowledge` knows nobody: with it
the steps run over a file and store nothing (`mailcounsel explain`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case as placing sees it. `version` changes whenever the case changes hands."""

    id: str
    number: int
    client_id: str
    state: str
    queue: str
    language: str
    version: int
    maybe: bool = False  # a letter without proof of who wrote it, not linked by anyone yet


class Knowledge(Protocol):
    """What is known already. Lists come oldest first."""

    def certificates(self, name: str) -> list[bytes]:
        """Return the certificates met with clients of an address, or pinned as a fingerprint."""

    def clients_with_address(self, address: str) -> list[str]:
        """Return the clients known by an address."""

    def clients_with_key(self, fingerprint: str) -> list[str]:
        """Return the clients for whom a key is pinned."""

    def case_of_token(self, token: str) -> KnownCase | None:
        """Return the case a returned token belongs to."""

    def cases_of_message(self, message_id: str) -> list[KnownCase]:
        """Return the cases a Message-ID belongs to; ids may be reused."""

    def cases_reported(self, message_id: str) -> list[KnownCase]:
        """Return the cases of our own letters with a Message-ID, whoever else used it."""

    def cases_of_clients(self, client_ids: Sequence[str]) -> list[KnownCase]:
        """Return the cases of some clients."""

    def outgoing_of_message(self, message_id: str) -> str | None:
        """Return which of our own letters has this Message-ID."""


class NoKnowledge:
    """Knows nobody."""

    def certificates(self, name: str) -> list[bytes]:
        """Return none."""
        return []

    def clients_with_address(self, address: str) -> list[str]:
        """Return none."""
        return []

    def clients_with_key(self, fingerprint: str) -> list[str]:
        """Return none."""
        return []

    def case_of_token(self, token: str) -> KnownCase | None:
        """Return none."""
        return None

    def cases_of_message(self, message_id: str) -> list[KnownCase]:
        """Return none."""
        return []

    def cases_reported(self, message_id: str) -> list[KnownCase]:
        """Return none."""
        return []

    def cases_of_clients(self, client_ids: Sequence[str]) -> list[KnownCase]:
        """Return none."""
        return []

    def outgoing_of_message(self, message_id: str) -> str | None:
        """Return none."""
        return None
