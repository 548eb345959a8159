"""How a story is written down: what happens, and when in the course."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from course.correspondents import Correspondent
from course.world import World

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FILL = Path(__file__).parent / "fill_gaps.py"

Act = Callable[[World, Correspondent], None]


@dataclass(frozen=True)
class Scene:
    """Something that happens at a moment: `when` is as "3 Wed 10:00", in the clients' zone."""

    when: str
    act: Act

    def moment(self, first_day: datetime) -> datetime:
        """Return the moment, counted from the first Monday at midnight."""
        week, day, clock = self.when.split()
        hour, minute = map(int, clock.split(":"))
        days = 7 * (int(week) - 1) + DAYS.index(day)
        return first_day + timedelta(days=days, hours=hour, minutes=minute)


def writes(*lines: str, again: bool = False) -> Act:
    """The client answers the latest letter, or with `again` writes a new one."""
    return lambda world, client: world.write(client, "\n".join(lines), again=again)


def types(*words: str) -> Act:
    """The therapist types a command; what she tells the client with -m is remembered."""

    def act(world: World, client: Correspondent) -> None:
        if "-m" in words and words[0] in {"reply", "introduce"}:
            client.told.append(words[words.index("-m") + 1])
        _type(world, *words)

    return act


def fills(*words: str, gaps: Sequence[str]) -> Act:
    """The therapist types a command and fills the gaps of the outline in her editor."""

    def act(world: World, _client: Correspondent) -> None:
        written = world.place / "gaps.json"
        written.write_text(json.dumps(gaps))
        editor = shlex.join([sys.executable, str(FILL), str(written)])
        _type(world, *words, EDITOR=editor)

    return act


def _type(world: World, *words: str, **environment: str) -> None:
    world.wulan(*words, **environment)


def play(
    world: World, midnight: datetime, stories: Iterable[tuple[Correspondent, Sequence[Scene]]]
) -> None:
    """Play stories beside each other, in the order of time."""
    every = [(scene, client) for client, scenes in stories for scene in scenes]
    for scene, client in sorted(every, key=lambda one: one[0].moment(midnight)):
        world.until(scene.moment(midnight))
        scene.act(world, client)
