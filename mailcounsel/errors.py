"""Every error the product raises, and the advice that goes with it.

The tree:

    MailcounselError
    ├── ConfigError              a list of problems, each with its place           exit 78
    ├── NotFound                 no such case, letter, person                      exit 3
    ├── Conflict                 changed meanwhile, or not possible in this state  exit 4
    ├── Refused                  not allowed, or aborted by the person             exit 1
    │   └── AddressGone
    ├── Unavailable              the service, gpg or another part is missing       exit 69
    ├── TryLater                 a passing fault: store locked, disk full, ...     exit 75
    │   ├── DiskFull
    │   └── StoreUnavailable
    ├── OverBudget               a letter larger or deeper than the limits
    ├── SealBroken               a sealed value does not open, or was moved
    ├── OpenPGPError
    │   ├── DecryptionFailed
    │   ├── NoUsableKey
    │   ├── KeyExpired
    │   └── BadKey
    ├── MailboxError             an IMAP account does not answer as it should
    ├── TemplateError            a letter template is missing or uses an unknown fact
    └── DeliveryError
        ├── TransientDeliveryError
        ├── PermanentDeliveryError
        └── UncertainDelivery

A class's docstring is its message when none is given. Messages never hold a client's words,
name, address or subject: they may end in a log or on a screen.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass


class MailcounselError(Exception):
    """Something went wrong."""

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a configuration file: where it stands and what to do about it."""

    where: str  # "config.toml:5:1", or "config.toml" when no line is to blame
    key: str  # "inbox[0].imap.port", or "" for the file as a whole
    advice: str

    def __str__(self) -> str:
        return ": ".join(word for word in (self.where, self.key, self.advice) if word)


def place_of(fault: BaseException) -> str:
    """Say what a fault is and where it happened, without its message, which may quote a letter."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(fault).__name__}{where}"


class ConfigError(MailcounselError):
    """The configuration cannot be used."""

    exit_code = 78

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class NotFound(MailcounselError):
    """There is no such thing here."""

    exit_code = 3


class Conflict(MailcounselError):
    """It changed meanwhile. Look again, then decide."""

    exit_code = 4


class Refused(MailcounselError):
    """That is not allowed here."""


class AddressGone(Refused):
    """The client is not written to any more at the address that stands on this letter."""


class Unavailable(MailcounselError):
    """A part that is needed does not answer. Run `mailcounsel doctor`."""

    exit_code = 69


class TryLater(MailcounselError):
    """That cannot be done just now. Try again in a moment."""

    exit_code = 75


class DiskFull(TryLater):
    """The disk is full. Free some space; nothing was lost."""


class StoreUnavailable(TryLater):
    """The store does not answer. Nothing was lost; try again in a moment."""


class OverBudget(MailcounselError):
    """The letter is larger or more deeply nested than the limits allow."""


class SealBroken(MailcounselError):
    """A sealed value does not open: wrong key, damaged, or moved from its place."""


class OpenPGPError(MailcounselError):
    """gpg could not do what was asked."""


class DecryptionFailed(OpenPGPError):
    """The letter could not be decrypted."""


class NoUsableKey(OpenPGPError):
    """There is no key this letter can be encrypted to."""


class KeyExpired(NoUsableKey):
    """The key has expired."""


class BadKey(OpenPGPError):
    """This is not a public OpenPGP key that can be used."""


class MailboxError(MailcounselError):
    """The mailbox does not answer as it should. It will be tried again."""


class TemplateError(MailcounselError):
    """A letter template is missing or asks for a fact it is not given."""


class DeliveryError(MailcounselError):
    """The mail server did not take the letter."""


class TransientDeliveryError(DeliveryError):
    """The mail server cannot take the letter just now; it will be tried again."""


class PermanentDeliveryError(DeliveryError):
    """The mail server refuses the letter for good; a person must look."""


class UncertainDelivery(DeliveryError):
    """The line broke after the letter was handed over; whether it was taken is not known."""
