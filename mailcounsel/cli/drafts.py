"""Drafts: words a therapist wrote that have not gone, sealed to their own reader key."""

from __future__ import annotations

import os
from pathlib import Path

from mailcounsel import errors
from mailcounsel.cli import client, output
from mailcounsel.crypto import sealing
from mailcounsel.crypto.sealing import ReaderKey


def _path(person: str, case: str) -> Path:
    return client.own_file(f"{person}.{case}", ".draft")


def keep(key: ReaderKey, person: str, case: str, words: str) -> None:
    """Keep a draft, replacing an older one."""
    path = _path(person, case)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed = sealing.seal_to(key.public, words.encode(), f"draft/{case}")
    partial = path.with_suffix(".new")
    descriptor = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load(key: ReaderKey, person: str, case: str) -> str:
    """Return the draft, or "" when there is none.

    One that does not open (it was sealed to an older key) is put aside, and nothing is said but
    that: a draft must never keep a person from writing.
    """
    path = _path(person, case)
    if not path.exists():
        return ""
    try:
        return sealing.open_with(key.private, path.read_bytes(), f"draft/{case}").decode()
    except errors.SealBroken:
        aside = path.with_suffix(".unreadable")
        path.replace(aside)
        output.say(f"An old draft does not open with your key. It is put aside: {aside}")
        return ""


def drop(person: str, case: str) -> None:
    """Forget a draft."""
    _path(person, case).unlink(missing_ok=True)


def exists(person: str, case: str) -> bool:
    """Tell whether there is a draft."""
    return _path(person, case).exists()
