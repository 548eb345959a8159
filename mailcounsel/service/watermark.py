"""How far the store had come, kept beside it: so that one from an older copy is known as such.

`ledger.json` in `state_dir` names the newest letter that was kept. It is written once a minute, and
the store is compared with it when the service starts. A store that does not know that letter was
brought back from a copy, and the balance of `reconcile` cannot show what came in between. Where
the whole folder is brought back, nothing is left that could know.
"""

from __future__ import annotations

import contextlib
import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

from sqlalchemy import Connection, func, select

from mailcounsel import errors
from mailcounsel.config import Config
from mailcounsel.store import models
from mailcounsel.store.engine import Store

log = logging.getLogger(__name__)

inboxes = models.table(models.Inbox)


class Mark(TypedDict):
    """The newest letter kept, how many there had been, and each return of an older store."""

    newest: str
    letters: int
    returns: list[dict[str, Any]]


def path_of(config: Config) -> Path:
    """Return the file, which names no client: ids, counts and times."""
    return config.centre.state_dir / "ledger.json"


def read(config: Config) -> Mark:
    """Return what was noted; nothing where the file is missing or cannot be read."""
    try:
        found = json.loads(path_of(config).read_text("ascii"))
        return Mark(newest=found["newest"], letters=found["letters"], returns=found["returns"])
    except (OSError, ValueError, KeyError, TypeError):
        return Mark(newest="", letters=0, returns=[])


def compare(config: Config, store: Store, now: datetime) -> None:
    """Note it where the store does not know the newest letter that was kept, and go on from it."""
    mark = read(config)
    if not mark["newest"] or store.read(lambda c: _knows(c, mark["newest"])):
        return
    letters = store.read(_count)
    gone = max(mark["letters"] - letters, 1)
    returns = [*mark["returns"], {"at": now.isoformat(), "gone": gone}]
    _write(config, Mark(newest=store.read(_newest), letters=letters, returns=returns))


def note(config: Config, store: Store) -> None:
    """Write down the newest letter, where there is a newer one. A fault here stops nothing."""
    with contextlib.suppress(errors.MailcounselError):
        mark = read(config)
        newest = store.read(_newest)
        if newest > mark["newest"]:
            letters = store.read(_count)
            _write(config, Mark(newest=newest, letters=letters, returns=mark["returns"]))


def _newest(connection: Connection) -> str:
    return str(connection.execute(select(func.max(inboxes.c.id))).scalar_one() or "")


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(inboxes)).scalar_one())


def _knows(connection: Connection, inbox_id: str) -> bool:
    query = select(inboxes.c.id).where(inboxes.c.id == inbox_id)
    return connection.execute(query).first() is not None


def _write(config: Config, mark: Mark) -> None:
    """Write the file whole or not at all; a full disk keeps the one that is there."""
    path = path_of(config)
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(json.dumps(mark), "ascii")
        draft.chmod(0o600)
        draft.replace(path)
    except OSError:
        log.warning("how far the store has come could not be noted in %s", path.name)
