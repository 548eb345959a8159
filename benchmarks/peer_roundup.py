"""A peer: roundup's mail gateway as installed, in an environment of its own, never a dependency.

Set up once by `./dev bench peers` into `.venv-peers`; where it is missing, the comparison says so.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from benchmarks.corpus import Mail

PYTHON = Path(__file__).parent.parent / ".venv-peers" / "bin" / "python"
SETTINGS = (
    "mail_domain=rumah.test",
    "mail_host=localhost",
    "mail_debug=/dev/null",
    "tracker_web=http://localhost/",
    "rdbms_backend=sqlite",
)
DRIVER = r"""
import argparse, io, logging, os, sys, time
from roundup import instance, password
logging.disable(logging.CRITICAL)
home, folder = sys.argv[1:3]
tracker = instance.open(home)
gateway = tracker.MailGW(tracker, argparse.Namespace(default_class="", set_value=[]))
gateway.trapExceptions = 0
raws = [open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))]
begun = time.perf_counter()
for raw in raws:
    gateway.db = tracker.open("admin")
    gateway.main(io.BytesIO(raw.replace(b"\r\n", b"\n")))
print(len(raws) / (time.perf_counter() - begun))
"""


def rate(mails: list[Mail]) -> float | str:
    """Return letters a second, or why it could not be measured."""
    if not PYTHON.exists():
        return "run `./dev bench peers` first"
    with tempfile.TemporaryDirectory() as folder:
        home, files = Path(folder) / "tracker", Path(folder) / "mail"
        files.mkdir()
        for number, mail in enumerate(mails):
            (files / f"{number:06}").write_bytes(mail.raw)
        prepared = _tracker(home)
        if prepared:
            return prepared
        command = [str(PYTHON), "-c", DRIVER, str(home), str(files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
        return float(done.stdout)


def _tracker(home: Path) -> str:
    """Make a classic tracker that takes mail from strangers and sends its own to nowhere."""
    admin = [str(PYTHON.with_name("roundup-admin")), "-i", str(home)]
    for words in (["install", "classic", "sqlite", ",".join(SETTINGS)], ["initialise", "admin"]):
        done = subprocess.run(
            [*admin, *words], capture_output=True, text=True, check=False, input="\n"
        )
        if done.returncode:
            return (done.stderr or done.stdout).strip().splitlines()[-1]
        with (home / "schema.py").open("a") as schema:
            schema.write("\ndb.security.addPermissionToRole('Anonymous', 'Email Access')\n")
    return ""
