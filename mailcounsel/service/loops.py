"""One supervisor for everything that runs on: log, back off, go on.

A loop does a little work each time its bell rings, and again at once while there is more. A fault
never ends it: the fault is logged by name (never with words of a letter) and the loop waits a
little longer each time before it goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from mailcounsel import errors

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0  # seconds between two tries after repeated faults

Work = Callable[[], Awaitable[int]]


class Bell:
    """Wakes a loop. May be rung from any thread; rings between two rounds count once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop, or keep it from sleeping next time."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self) -> None:
        """Sleep until the bell rings."""
        await self._event.wait()
        self._event.clear()


async def run(name: str, work: Work, bell: Bell) -> None:
    """Work whenever the bell rings, for ever; cancelled from outside.

    `work` returns how much it found to do, and is called again at once until that is nothing.
    """
    wait = 0.0
    while True:
        try:
            while await work():
                pass
            wait = 0.0
            await bell.wait()
        except Exception as fault:  # noqa: BLE001 - one bad letter or fault never stops a loop
            wait = min(LONGEST_WAIT, wait * 2 or 1.0)
            say_fault(name, fault, wait)
            await asyncio.sleep(wait)


def say_fault(name: str, fault: BaseException, wait: float) -> None:
    """Log a fault: the text of an error of ours, which tells nothing, else only its name."""
    known = isinstance(fault, errors.MailcounselError)
    text = str(fault) if known else errors.place_of(fault)
    log.error("%s: %s (again in %.0f s)", name, text, wait)
