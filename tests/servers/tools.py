"""What the servers share: finding programs, waiting, ports, private directories, stopping."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

HOST = "127.0.0.1"
LOWEST_PORT = 20000  # above what services are known by
TRIES = 100
PATIENCE = 60.0  # seconds; only a dead server takes as long, however slow the machine


class Process(Protocol):
    """What is needed of a started server: `subprocess.Popen` is one."""

    pid: int

    @property
    def args(self) -> Any: ...
    @property
    def returncode(self) -> Any: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


def find(tool: str) -> str | None:
    """Return the path of a program, looking where Debian hides servers too."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    postgres = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{tool}"))
    return shutil.which(tool, path=path) or (str(postgres[-1]) if postgres else None)


def absent(reason: str) -> None:
    """Skip the test for the reason given, or fail it where nothing may be missing (CI=true)."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and with CI=true nothing is skipped", pytrace=False)
    pytest.skip(reason)


def need(tool: str) -> str:
    """Return the path of a program this test cannot do without."""
    path = find(tool)
    if path is None:
        absent(f"{tool} is not installed")
    return str(path)


def until(claim: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Poll until the claim is true and return what it returned; fail naming what never came."""
    deadline = time.monotonic() + patience
    while True:
        value = claim()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.02)


def free_port() -> int:
    """Return a loopback port that is free and that nobody is given by chance.

    It lies below the kernel's own range: every connection made meanwhile takes its near end from
    there, and one that knocks at its own near end before the server is up even answers itself.
    """
    candidates = range(LOWEST_PORT, _lowest_given())
    for port in random.SystemRandom().sample(candidates, TRIES):  # tests may seed the other one
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise AssertionError(f"{TRIES} ports were tried, and none is free")


def _lowest_given() -> int:
    ranges = Path("/proc/sys/net/ipv4/ip_local_port_range")
    return int(ranges.read_text().split()[0]) if ranges.exists() else 32768


def answers(port: int) -> bool:
    """Tell whether something accepts connections on this loopback port."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


def private_dir(name: str, owner: str | None = None, *, below: str = "/tmp") -> Path:
    """Make a short directory that others may pass through; Unix sockets need short."""
    path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=below))
    path.chmod(0o755)
    if owner is not None and os.geteuid() == 0:
        entry = pwd.getpwnam(owner)
        os.chown(path, entry.pw_uid, entry.pw_gid)
    return path


def memory_disk() -> str:
    """Return a disk in memory, on which a sync costs nothing, or /tmp where it is too small."""
    disk = Path("/dev/shm")
    if not os.access(disk, os.W_OK | os.X_OK):
        return "/tmp"
    room = os.statvfs(disk)
    return str(disk) if room.f_bavail * room.f_frsize > 2 << 30 else "/tmp"


def unprivileged() -> pwd.struct_passwd:
    """Return the user a server runs as: nobody when we are root, else ourselves."""
    if os.geteuid() == 0:
        return pwd.getpwnam("nobody")
    return pwd.getpwuid(os.geteuid())


def start(command: list[str], log: Path, user: str | None = None) -> subprocess.Popen[bytes]:
    """Start a server in a process group of its own, with its output in a file."""
    extra: dict[str, Any] = {}
    if user is not None and os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        extra = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            **extra,
        )


def stop(process: Process, polite: signal.Signals = signal.SIGTERM) -> None:
    """Ask the server to end, wait, and make sure nothing of its group is left."""
    if process.poll() is None:
        process.send_signal(polite)
    try:
        process.wait(PATIENCE / 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # its own session, so its group bears its id


def alive_or_log(process: Process, log: Path) -> None:
    """Fail at once, with its last words, when a server died instead of answering."""
    if process.poll() is not None:
        words = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        pytest.fail(f"{process.args!r} ended with {process.returncode}:\n{words}")


def wait_for_port(process: Process, port: int, log: Path) -> None:
    """Wait until a server that was just started accepts connections."""

    def listening() -> bool:
        alive_or_log(process, log)
        return answers(port)

    until(listening, f"port {port}")
