"""A person's own key, used in their own process."""

from __future__ import annotations

import os
from pathlib import Path

from mailcounsel import errors
from mailcounsel.crypto import homes, status
from mailcounsel.crypto.certificate import KeyFacts
from mailcounsel.crypto.openpgp import keys
from mailcounsel.crypto.openpgp.process import OURS, full, open_home

PATIENCE = 600.0  # seconds: a pinentry may be waiting for its person


class Personal:
    """A person's own key, in their own home, with their own agent and pinentry."""

    def __init__(self, home: Path | None = None) -> None:
        """Use that home, made if missing; without one, the person's usual one."""
        if home:
            homes.prepare(home)
        self._home = home
        self._gpg = open_home(home, OURS, PATIENCE)
        self._gpg.env = _with_terminal(os.environ.copy())

    def make_key(self, name: str, address: str, passphrase: str | None = None) -> str:
        """Make a key that never expires, and return its fingerprint."""
        return keys.make_key(self._gpg, name, address, passphrase)

    def secret_keys(self) -> tuple[KeyFacts, ...]:
        """Return the keys this person holds the secret part of."""
        return keys.secret_keys(self._gpg)

    def export(self, fingerprint: str) -> bytes:
        """Return the public certificate, binary.

        Raises: NoUsableKey if it is not there.
        """
        return keys.export(self._gpg, full(fingerprint))

    def certificates(self, name: str) -> list[bytes]:
        """Return the certificates of this home for an address, or of a fingerprint."""
        known = keys.public_keys(self._gpg)
        wanted = name.encode().lower()  # of addresses, only A to Z have two cases
        fitting = [
            facts.fingerprint
            for facts in known
            if wanted in [one.encode().lower() for one in (facts.fingerprint, *facts.addresses)]
        ]
        return [keys.export(self._gpg, fingerprint) for fingerprint in fitting]

    def encrypt_to_self_and_sign(self, data: bytes, fingerprint: str) -> bytes:
        """Lock something away for oneself; armoured, opened by `decrypt_own`.

        Raises: NoUsableKey.
        """
        own, gpg = full(fingerprint), self._gpg
        extra = ["--local-user", own]
        ran = gpg.judge(lambda: gpg.encrypt(data, [own], sign=True, armor=True, extra_args=extra))
        if ran.code or not status.count(ran.status, "END_ENCRYPTION"):
            raise errors.NoUsableKey("Your key could not be used. Look at it with: gpg -K")
        return ran.data

    def decrypt_own(self, data: bytes, fingerprint: str) -> bytes:
        """Open what `encrypt_to_self_and_sign` made.

        Raises: SealBroken if it is not signed by the same key, DecryptionFailed.
        """
        own, gpg = full(fingerprint), self._gpg
        ran = gpg.judge(lambda: gpg.decrypt(data))
        found = status.signatures(status.inside(ran.status))
        if (ran.code and not found) or not status.opened_whole(ran.status):
            raise errors.DecryptionFailed
        if ran.code or [(one.fingerprint, one.valid) for one in found] != [(own, True)]:
            raise errors.SealBroken
        return ran.data

    def sign(self, data: bytes, fingerprint: str) -> bytes:
        """Sign, giving an armoured detached signature; see `verify_with`.

        Raises: NoUsableKey.
        """
        ran = keys.sign_with(self._gpg, data, full(fingerprint))
        if ran.code or not status.count(ran.status, "SIG_CREATED"):
            raise errors.NoUsableKey("Your key could not be used. Look at it with: gpg -K")
        return ran.data

    def close(self) -> None:
        """Stop the agent of a home of one's own; the person's usual agent goes on."""
        if self._home:
            homes.Agent(self._home).kill()


def _with_terminal(environment: dict[str, str]) -> dict[str, str]:
    """Name the terminal for pinentry: gpg's own standard input is a pipe."""
    for stream in (0, 1, 2):
        if "GPG_TTY" not in environment and os.isatty(stream):
            environment["GPG_TTY"] = os.ttyname(stream)
    return environment
