"""Ticks. APScheduler runs in every process with a memory store and only rings bells.

What is due is a row in the store, claimed by whoever comes first; a missed or doubled tick
therefore loses nothing and does nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger


class Schedule:
    """Rings each bell every so many seconds."""

    def __init__(self, bells: Mapping[str, tuple[Callable[[], None], float]]) -> None:
        """Take for each name what to call and how often, in seconds."""
        self._bells = bells
        self._scheduler: AsyncIOScheduler | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start ticking on an event loop."""
        self._scheduler = AsyncIOScheduler(
            event_loop=loop,
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for name, (ring, every) in self._bells.items():
            self._scheduler.add_job(_tick, IntervalTrigger(seconds=every), [ring], id=name)
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking."""
        if self._scheduler:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None


async def _tick(ring: Callable[[], None]) -> None:
    """Ring on the event loop itself; a plain function would be sent through a thread."""
    ring()
