"""How many automatic answers go to people nobody vouches for, and how many say where help is.

A forged sender costs an attacker nothing, and each acknowledgement of a forged letter goes to
somebody who never wrote (backscatter). So beside the cap for one address, strangers share a number
a day together, for one mail domain, and for letters that say the same. What is beyond a cap is not
answered by itself; the letter is in its queue all the same.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete

from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements
from mailcounsel.store.ready import Ready

counters = models.table(models.Counter)

SHORTEST = 40  # characters: "Halo" is written by many, and says nothing of who sent it

_PAST = Ready(
    delete(counters).where(
        counters.c.name > "cap:", counters.c.name < bindparam("today"), counters.c.name < "cap;"
    )
)


def urgent(
    connection: Connection,
    office: Office,
    to_lookup: bytes,
    template: str,
    now: datetime,
    *,
    is_proved: bool,
) -> int:
    """Count what says where help is to one address in a day of UTC; return how many that makes.

    What answers a letter that is vouched for has a count of its own: neither ordinary answers nor
    letters forged in a client's name keep it from them. There is an end to it all the same, since a
    machine may bring our token back.
    """
    today = f"cap:{now:%Y%m%d}"
    proof = b"proved" if is_proved else b"stranger"
    value = b" ".join([template.encode(), proof, to_lookup])
    key = office.keyring.lookup("cap-urgent", value).hex()
    count = statements.next_number(connection, f"{today}:urgent:one:{key}")
    if count == 1:
        _PAST.run(connection, {"today": today})
    return count


def reached(
    connection: Connection,
    office: Office,
    address: str,
    words: str,
    now: datetime,
    *,
    is_urgent: bool = False,
) -> str:
    """Count an answer to a stranger and return the cap it is beyond, or "".

    The day is that of UTC. What is counted stands as keyed hashes, and is forgotten the next day.
    What says where help is, `is_urgent`, has as large a number a day of its own: no flood of
    ordinary letters keeps it from anybody.
    """
    limits = office.config.limits
    domain = address.rpartition("@")[2].casefold()
    same = " ".join(words.casefold().split())
    wanted = [
        ("strangers", "", limits.automatic_strangers_day),
        ("domain", domain, limits.automatic_per_domain_day),
    ]
    if len(same) >= SHORTEST:
        wanted.append(("words", same, limits.automatic_same_words_day))
    today = f"cap:{now:%Y%m%d}"
    counted = f"{today}:urgent" if is_urgent else today
    for kind, value, most in wanted:
        key = office.keyring.lookup(f"cap-{kind}", value.encode()).hex()
        count = statements.next_number(connection, f"{counted}:{kind}:{key}")
        if kind == "strangers" and count == 1:
            _PAST.run(connection, {"today": today})
        if count > most:
            return kind
    return ""
