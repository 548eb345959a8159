"""Which letters of ours a client's letter refers to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, or_, select

from mailcounsel.casework.office import Office
from mailcounsel.store import models
from mailcounsel.store.ready import Ready

message_ids = models.table(models.MessageId)

_TOGETHER = 16
_NAMES = [f"lookup_{number}" for number in range(_TOGETHER)]
_NAMED = Ready(
    select(message_ids.c.lookup, message_ids.c.outgoing_id)
    .where(or_(*(message_ids.c.lookup == bindparam(name) for name in _NAMES)))
    .where(message_ids.c.outgoing_id.is_not(None))
)


def ours(connection: Connection, office: Office, references: Sequence[str]) -> Iterator[list[str]]:
    """Yield for each Message-ID of ours, in the order given, the letters in the outbox that had it.

    Ids may be reused, so there may be several; those of other people's letters are passed over.
    """
    for first in range(0, len(references), _TOGETHER):
        some = references[first : first + _TOGETHER]
        lookups = [office.keyring.lookup("message-id", one.encode()) for one in some]
        filled = lookups + lookups[:1] * (_TOGETHER - len(lookups))
        found = _NAMED.rows(connection, dict(zip(_NAMES, filled, strict=True)))
        for lookup in lookups:
            ids = [str(row["outgoing_id"]) for row in found if row["lookup"] == lookup]
            if ids:
                yield ids
