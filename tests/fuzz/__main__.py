"""Feed parts of the service with bent inputs for some seconds each: `./dev fuzz [TARGET...]`.

The inputs begin with those of `corpus/TARGET/` and are bent by a seeded generator, so that a run
can be repeated (`--seed`). An input that breaks something is written to `build/fuzz/` and named.
Put it into the corpus when it is mended: `tests/unit/test_fuzz.py` runs those with every test.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import random
import sys
import time
import traceback
from pathlib import Path

from fuzz import mutate, targets

CORPUS = Path(__file__).parent / "corpus"
FOUND = Path(__file__).resolve().parents[2] / "build" / "fuzz"


def corpus(name: str) -> list[bytes]:
    """Return the checked-in inputs of a target."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def main() -> int:
    """Run every target, or those named; return 1 where an input broke something."""
    names = [*targets.PLAIN, *targets.SPOKEN]
    wanted = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    wanted.add_argument("target", nargs="*", choices=[*names, []], help="default: all")
    wanted.add_argument("--seconds", type=float, default=10, help="for each target (10)")
    wanted.add_argument("--seed", type=int, default=1, help="of the changes (1)")
    asked = wanted.parse_args()
    broken = [name for name in asked.target or names if not run(name, asked.seconds, asked.seed)]
    return 1 if broken else 0


def run(name: str, seconds: float, seed: int) -> bool:
    """Feed one target; tell whether nothing broke."""
    with contextlib.ExitStack() as stack:
        spoken = targets.SPOKEN.get(name)
        target = stack.enter_context(spoken()) if spoken else targets.PLAIN[name]
        inputs, dice = corpus(name), random.Random(seed)
        count, slowest, end = 0, 0.0, time.monotonic() + seconds
        while time.monotonic() < end:
            data = inputs[count] if count < len(inputs) else mutate.bent(dice, inputs)
            begun = time.perf_counter()
            try:
                target(data)
            except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
                report(name, data)
                return False
            slowest, count = max(slowest, time.perf_counter() - begun), count + 1
    print(f"{name:10} {count:7} inputs, nothing broke, slowest {slowest:.3f} s", flush=True)
    return True


def report(name: str, data: bytes) -> None:
    """Keep the input that broke something, and say where it is."""
    FOUND.mkdir(parents=True, exist_ok=True)
    path = FOUND / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    print(f"{name:10} BROKE on {path}", flush=True)
    traceback.print_exc(limit=-4)


if __name__ == "__main__":
    sys.exit(main())
