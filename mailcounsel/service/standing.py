"""How the configuration in force stands to its file, and to who has enrolled.

A queue is open once its supervisor is enrolled: a case is sealed to the people of its queue, and a
copy of its key for the supervisor is mandatory. A letter that opened a case before that could only
wait where nobody sees it, with whatever danger is in it. So senders to an inbox whose queue is not
open try again later, and a letter that a rule would put into such a queue stays in the queue of its
inbox (`mailcounsel.intake.pipeline`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from mailcounsel.config import Config, load
from mailcounsel.service.desk import Desk
from mailcounsel.trust import roster


def of_file(desk: Desk) -> dict[str, Any]:
    """Compare the file as it is now with what the service works by. Raises: ConfigError."""
    used = desk.office.config
    written = load(used.path)
    return {
        "config": str(used.path.absolute()),
        "in_force": written == used,
        "restart": moved(used, written),
        "pid": os.getpid(),
        "warnings": warnings(written, not_enrolled(desk, written)),
    }


# -- the doors ------------------------------------------------------------------------------------


def moved(used: Config, written: Config) -> list[str]:
    """Name what is opened once, at the start, and differs between two configurations."""
    before = _doors(used)
    return [name for name, part in _doors(written).items() if part != before[name]]


def _doors(config: Config) -> dict[str, object]:
    centre = config.centre
    return {
        "state_dir or socket": (centre.state_dir, centre.socket),
        "[store]": config.store_url,
        "[smtp]": config.smtp,
        "an [[inbox]]": [(one.address, one.imap, one.case_address) for one in config.inboxes],
    }


# -- the queues -----------------------------------------------------------------------------------


def not_enrolled(desk: Desk, config: Config) -> list[str]:
    """Return the supervisors of a configuration who are not enrolled. Raises: SealBroken."""
    names = {queue.supervisor for queue in config.queues}
    return desk.store.read(lambda c: roster.not_enrolled(c, desk.office.keyring, names))


def closed_queues(config: Config, missing: Sequence[str]) -> list[str]:
    """Return the queues that are supervised by people who are not enrolled."""
    return [queue.name for queue in config.queues if queue.supervisor in missing]


def meanwhile(config: Config, missing: Sequence[str]) -> str:
    """Say what happens to letters until these supervisors are enrolled."""
    closed = closed_queues(config, missing)
    doors = [box.address for box in config.inboxes if box.queue in closed]
    said = [f"no letters to {', '.join(doors)} are taken"] if doors else []
    if set(closed) - {box.queue for box in config.inboxes}:
        said.append("what a rule puts there stays in the queue of its inbox")
    return "; ".join(said)


def warnings(config: Config, missing: Sequence[str]) -> list[str]:
    """Return a sentence for each supervisor who is not enrolled, with what to type."""
    return [
        f"{name}, the supervisor of {', '.join(closed_queues(config, [name]))}, is not enrolled: "
        f"until then {meanwhile(config, [name])}. Next: mailcounsel invite {name}"
        for name in missing
    ]
