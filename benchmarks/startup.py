"""Whole-process time of `--help` and `queue --json`, beside a click program that says hello."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import mailcounsel
from benchmarks import places, report

HELLO = """
import click
@click.command()
def hello():
    click.echo("hello")
hello()
"""
ROUNDS = 15


def _time(command: list[str], environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(
        command, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - begun


def main() -> None:
    """Print the medians, interleaved so that a drifting machine cannot favour one of them."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    compileall.compile_dir(str(Path(mailcounsel.__file__).parent), quiet=2)
    python = sys.executable
    with places.serving() as (config_path, run), run():
        queue = [
            python,
            "-m",
            "mailcounsel",
            "--config",
            str(config_path),
            "--as",
            "sari",
            "queue",
            "--json",
        ]
        commands = {
            "hello": [python, "-c", HELLO],
            "help": [python, "-m", "mailcounsel", "--help"],
            "queue": queue,
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(_time(command, environment))
    hello, shown, listed = (statistics.median(times[name]) for name in ("hello", "help", "queue"))
    figures = {"hello": f"{hello * 1e3:.0f} ms", "help": f"{shown * 1e3:.0f} ms"}
    report.show("startup", "1.30", **figures, ratio=f"{shown / hello:.2f}")
    report.show("startup", "250 ms", queue_json=f"{listed * 1e3:.0f} ms")
