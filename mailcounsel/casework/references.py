"""Which letters of ours a client's letter refers to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from mailcounsel.casework.office import Office
from mailcounsel.store import models, statements

message_ids = models.table(models.MessageId)


def ours(connection: Connection, office: Office, references: Iterable[str]) -> Iterator[list[str]]:
    """Yield for each Message-ID of ours, in the order given, the letters in the outbox that had it.

    Ids may be reused, so there may be several; those of other people's letters are passed over.
    """
    for reference in references:
        lookup = office.keyring.lookup("message-id", reference.encode())
        found = statements.every(connection, message_ids, lookup=lookup)
        ids = [str(row["outgoing_id"]) for row in found if row["outgoing_id"]]
        if ids:
            yield ids
