"""One piece of work among many in a transaction: what goes wrong with it stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection, exc

from mailcounsel import errors

log = logging.getLogger(__name__)


def do(connection: Connection, what: str, work: Callable[[], object]) -> bool:
    """Do something; where it fails, take back what it wrote and log where. True: it was done.

    `what` is a code for the log, no word. A fault of the database itself is raised, since then the
    whole transaction has to be run again.
    """
    try:
        with connection.begin_nested():
            work()
    except exc.OperationalError:
        raise
    except Exception as fault:  # noqa: BLE001 - the others are done all the same
        log.error("%s failed: %s", what, errors.place_of(fault))
        return False
    return True
