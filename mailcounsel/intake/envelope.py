"""What came around a letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a letter came: by which way, from whom, for whom, and whether it lay in Junk."""

    way: Literal["smtp", "imap"]
    mail_from: str | None  # "" is the null sender of a bounce; None: the mailbox does not say
    recipients: tuple[str, ...]
    suspect: bool = False
