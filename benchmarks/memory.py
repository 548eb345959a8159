"""How much memory a running service takes with letters up to 1 MB."""

from __future__ import annotations

import random
import smtplib
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import places, report

LETTERS = 150
RUNNER = """
import asyncio, sys
from pathlib import Path
from mailcounsel import config
from mailcounsel.service import app
def started(service):
    print(service.listener.port, flush=True)
asyncio.run(app.run(config.load(Path(sys.argv[1])), started))
"""


def main() -> None:
    """Print the peak resident memory of the service."""
    with places.serving() as (config_path, _):
        service = subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(config_path)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert service.stdout
            port = int(service.stdout.readline())
            _send(port)
            time.sleep(5)
            peak = _peak(service.pid)
        finally:
            service.terminate()
            service.wait(30)
    report.show("memory", "below 110 MiB", peak=f"{peak:.0f} MiB with {LETTERS} letters up to 1 MB")


def _send(port: int) -> None:
    dice = random.Random(1)
    with smtplib.SMTP("127.0.0.1", port) as client:
        for number in range(LETTERS):
            size = dice.choice([2_000, 20_000, 200_000, 700_000])
            line = b"saya menulis surat panjang tentang minggu ini dan apa yang terjadi\r\n"
            body = line * (size // len(line))
            sender = f"k{number}@klien.test"
            head = f"From: {sender}\r\nTo: halo@rumah.test\r\nMessage-ID: <m{sender}>\r\n\r\n"
            client.sendmail(sender, ["halo@rumah.test"], head.encode() + body)


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0
