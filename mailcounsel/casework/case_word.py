"""A case's name in three plain words, for a client who writes from a new address one day.

The acknowledgement of a new case tells it. It is derived from the case's id with the lookup key of
the keyring, so nobody outside can work one out, and it says nothing of anybody. A letter nobody
vouches for that names a case is a case of its own like any other, with a *proposal*: "may be from
C-0042, named its word". The word is never a proof: whoever has seen the acknowledgement knows it,
so a person looks and decides (`linking`).

What a stranger can learn from it is nothing:

- The answer asks one question back, in constant words, when a letter holds *any* three words of
  the list in a row. Whether a case has that name changes nothing in it, nor whether it is sent or
  when, so a guess and a hit look alike. The question is itself a condition ("if you have written
  to us before"), and repeats no word of the sender's.
- Only the first name in a letter is looked up, and only so many letters a day of people nobody
  vouches for; what is beyond that is placed and answered the same, without a proposal. So guessing
  cannot fill the queue with false proposals: at 50 a day and 1,000 cases, one in some forty days.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, delete

from mailcounsel import errors
from mailcounsel.casework.office import Office
from mailcounsel.crypto.keyring import ServiceKeyring
from mailcounsel.letter import case_words
from mailcounsel.letter.case_words import Places
from mailcounsel.store import models, statements
from mailcounsel.store.ready import Ready

cases = models.table(models.Case)
counters = models.table(models.Counter)

TRIES_A_DAY = 50  # names in letters of strangers that are looked up, by the day of UTC
_ATTEMPTS = 1000  # names a case may get, should the first ones be taken

_PAST = Ready(
    delete(counters).where(
        counters.c.name > "word:", counters.c.name < bindparam("today"), counters.c.name < "word;"
    )
)


def new(connection: Connection, keyring: ServiceKeyring, case_id: str) -> bytes:
    """Return the keyed hash of a new case's name, which no other case has."""
    for places in _names(keyring, case_id):
        key = _lookup(keyring, places)
        if statements.one(connection, cases, word_lookup=key) is None:
            return key
    message = "No three words are left to name a case by."
    raise errors.Conflict(message)


def of(keyring: ServiceKeyring, case: RowMapping) -> str:
    """Return a case's name in its language, "" for a case that has none."""
    for places in _names(keyring, case["id"]) if case["word_lookup"] else ():
        if _lookup(keyring, places) == bytes(case["word_lookup"]):
            return case_words.written(places, case["language"])
    return ""


def proposal(connection: Connection, office: Office, places: Places, now: datetime) -> str | None:
    """Count a name in a stranger's letter, and return the case it may be from, None for none.

    A case that was merged into another one stands for that.
    """
    today = f"word:{now:%Y%m%d}"
    count = statements.next_number(connection, today)
    if count == 1:
        _PAST.run(connection, {"today": today})
    if count > TRIES_A_DAY:
        return None
    key = _lookup(office.keyring, places)
    row = statements.one(connection, cases, word_lookup=key)
    return (row["merged_into"] or row["id"]) if row else None


def _names(keyring: ServiceKeyring, case_id: str) -> Iterator[Places]:
    """Yield the names a case may have, in the order they are tried: three different words."""
    for attempt in range(_ATTEMPTS):
        drawn = keyring.lookup("case-word", f"{case_id}/{attempt}".encode())
        first, second, third = (byte % case_words.SIZE for byte in drawn[:3])
        if len({first, second, third}) == 3:
            yield first, second, third


def _lookup(keyring: ServiceKeyring, places: Places) -> bytes:
    return keyring.lookup("case-word-name", bytes(places))
