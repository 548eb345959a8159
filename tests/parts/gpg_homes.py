"""Real gpg, used by hand: the people who write to a centre, and what the bad ones send."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from mailcounsel.crypto import openpgp, packets

PAST = "20200101T000000"  # when keys are made that have long expired


class Gpg:
    """One person's home, driven without any code of ours."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A fixed count spares the first protected key a calibration of several seconds.
        (home / "gpg-agent.conf").write_text("s2k-count 65536\n")
        self.home = home

    def __call__(self, *arguments: str, data: bytes = b"", check: bool = True) -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--no-tty", "--quiet"]
        command += ["--trust-model", "always", "--pinentry-mode", "loopback", *arguments]
        done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def key(self, user_id: str, *, expires="0", options=(), encrypts=True, passphrase="") -> str:
        made = self(
            *options,
            *("--status-fd", "1", "--passphrase", passphrase),
            *("--quick-gen-key", user_id, "ed25519", "sign", expires),
        )
        fingerprint = made.split(b"KEY_CREATED P ")[1].split()[0].decode()
        if encrypts:
            subkey = ("--quick-add-key", fingerprint, "cv25519", "encr", expires)
            self(*options, "--passphrase", passphrase, *subkey)
        return fingerprint

    def export(self, fingerprint: str, *options: str) -> bytes:
        return self(*options, "--export", fingerprint)

    def export_secret(self, fingerprint: str) -> bytes:
        return self("--export-secret-keys", fingerprint)

    def revoke(self, fingerprint: str) -> None:
        kept = (self.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()
        self("--import", data=kept.replace(b":-----BEGIN", b"-----BEGIN"))

    def message(self, data: bytes, *, to=(), by=(), options=()) -> bytes:
        names = [part for key in to for part in ("--recipient", key)]
        names += [part for key in by for part in ("--local-user", key)]
        acts = ["--encrypt"] * bool(to) + ["--sign"] * bool(by)
        return self(*options, *names, *acts, data=data)

    def signature(self, data: bytes, by: str, *options: str) -> bytes:
        return self(*options, "--local-user", by, "--armor", "--detach-sign", data=data)

    def kept(self) -> list[str]:
        listed = self("--with-colons", "--list-keys").split(b"\n")
        return [row.split(b":")[9].decode() for row in listed if row.startswith(b"fpr")]


@contextlib.contextmanager
def short_directory():
    """A directory whose sockets fit, and whose agents end with it."""
    path = Path(tempfile.mkdtemp(prefix="mc-", dir="/tmp"))
    try:
        yield path
    finally:
        stop_agents(path)
        shutil.rmtree(path, ignore_errors=True)


def stop_agents(path: Path) -> None:
    for home in sorted({found.parent for found in path.rglob("pubring.kbx")}):
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


class World:
    """A centre, a client it knows, and a stranger."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "centre"
        self.fingerprint = openpgp.make_centre(self.home, "Sample Centre", "help@example.org")
        self.centre = openpgp.Centre(self.home, self.fingerprint)
        self.certificate = self.centre.public_certificate()
        self.client, self.ida = self.person("client", "Ida Sample <ida@example.org>")
        self.ida_certificate = self.client.export(self.ida)
        self.stranger, self.max = self.person("stranger", "Max Sample <max@example.org>")
        self.max_certificate = self.stranger.export(self.max)

    def person(self, name: str, user_id: str) -> tuple[Gpg, str]:
        gpg = Gpg(self.root / name)
        gpg("--import", data=self.certificate)
        return gpg, gpg.key(user_id)


@contextlib.contextmanager
def world():
    with short_directory() as root:
        yield World(root)


# -- packets written by hand


def packet(tag: int, body: bytes) -> bytes:
    """A packet in new format with a five-byte length."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def rebuilt(message: bytes, change) -> bytes:
    """The same packets, each run through `change(tag, body)`; message has whole lengths only."""
    return b"".join(packet(*change(tag, body)) for tag, body in packets.split(message))


def literal(data: bytes) -> bytes:
    return packet(11, b"b\0" + bytes(4) + data)
