"""Run the measurements: all of them, or the ones named. `./dev bench accept steps`."""

from __future__ import annotations

import importlib
import platform
import sys

NAMES = (
    "accept",
    "steps",
    "startup",
    "memory",
    "forged",
    "reading",
    "readable",
    "hazards",
    "corpora",
    "mailboxes",
    "growth",
    "goals",
)


def main() -> None:
    """Run each measurement and let it print its line."""
    wanted = sys.argv[1:] or list(NAMES)
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        sys.exit(f"There is no measurement {unknown[0]}. There are: {', '.join(NAMES)}.")
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    print(f"{machine}; medians; ratios are of the same run")
    for name in wanted:
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
