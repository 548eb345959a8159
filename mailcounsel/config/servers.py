"""The tables that say where letters come in and go out."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from mailcounsel.config.fields import (
    Address,
    Flag,
    Folder,
    HeaderName,
    Host,
    Language,
    Line,
    ListenPort,
    LocalPath,
    Name,
    Port,
    Positive,
    Tls,
    Whole,
)
from mailcounsel.config.tables import Login, Table


class Smtp(Table):
    """The listener that takes letters for our own addresses."""

    host: Host = "127.0.0.1"
    """The address to listen on."""
    port: ListenPort = 2525
    """The port to listen on; 0 takes any free one."""
    hostname: Host | None = None
    """The name it greets with; without it, the machine's own."""
    tls_certificate: LocalPath | None = None
    """A PEM certificate chain; with it, STARTTLS is offered."""
    tls_key: LocalPath | None = None
    """The PEM private key of the certificate."""
    require_tls: Flag = False
    """Whether to refuse letters outside TLS."""


class _Server(Login):
    """Another machine, and how to speak to it."""

    host: Host
    """The server's name."""


def _with_port(data: object, ports: dict[str, int], default: str) -> object:
    """Fill in the port that goes with the chosen protection."""
    if not isinstance(data, dict) or "port" in data:
        return data
    usual = ports.get(str(data.get("tls", default)))
    return data if usual is None else {**data, "port": usual}


class Smarthost(_Server):
    """The server that takes our mail for the world."""

    tls: Tls = "starttls"
    """How the line is protected; "none" only on this machine."""
    port: Port = 587
    """By default 587 with "starttls", 465 with "tls", 25 with "none"."""
    user: Line | None = None
    """The account to log in with; without it, none is tried."""
    timeout_seconds: Positive = 60
    """How long to wait for each answer."""

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, data: object) -> object:
        return _with_port(data, {"starttls": 587, "tls": 465, "none": 25}, "starttls")


class Imap(_Server):
    """The mailbox an inbox is read from."""

    tls: Tls = "tls"
    """How the line is protected; "none" only on this machine."""
    port: Port = 993
    """By default 993 with "tls", 143 otherwise."""
    user: Line
    """The account to log in with."""
    folder: Line = "INBOX"
    """The folder new letters arrive in."""
    junk_folder: Folder = "Junk"
    """The folder of suspected junk, which is read too; false where there is none."""
    poll_seconds: Positive = 60
    """The longest time between two looks."""

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, data: object) -> object:
        return _with_port(data, {"tls": 993, "starttls": 143, "none": 143}, "tls")


class Inbox(Table):
    """An address clients write to."""

    address: Address
    """The address itself; any +tag on it is accepted as well."""
    queue: Name
    """Where its letters go when no rule says otherwise."""
    language: Language | None = None
    """The language assumed when a letter does not show one; else the centre's first."""
    case_address: Literal["plus", "none"] = "plus"
    """Whether our From may carry a +tag that brings the answer back to its case."""
    sender_name: Line | None = None
    """The name clients see on mail from here; else the centre's."""
    recipient_header: HeaderName = "Delivered-To"
    """The header in which the mail provider writes who a letter was for."""
    after: Literal["keep", "move", "delete"] = "keep"
    """What becomes of a letter in the mailbox once it is safe with us."""
    after_days: Whole = 7
    """How long it stays before that."""
    move_to: Line = "Archive"
    """The folder for "move"."""
    imap: Imap | None = None
    """The mailbox to read; without it, letters come by [smtp] alone."""
