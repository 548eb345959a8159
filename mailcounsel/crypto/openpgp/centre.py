"""The centre's key: opens what comes in, and signs and encrypts what goes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mailcounsel import errors
from mailcounsel.crypto import homes, packets, recipients, status
from mailcounsel.crypto.certificate import KeyFacts
from mailcounsel.crypto.openpgp import keys
from mailcounsel.crypto.openpgp.process import (
    CAP,
    PATIENCE,
    UNATTENDED,
    Gpg,
    Ran,
    full,
    open_home,
    scratch,
)
from mailcounsel.crypto.status import Signature


@dataclass(frozen=True, slots=True)
class Opened:
    """What an encrypted letter held, and who signed it."""

    data: bytes = field(repr=False)
    signatures: tuple[Signature, ...]


def make_centre(home: Path, name: str, address: str) -> str:
    """Make the centre's key and return its fingerprint.

    It never expires: a new primary key would look like a stranger to every client. What is to be
    renewed is the encryption subkey. It has no passphrase: the service works unattended.

    Raises: Conflict if the home holds a key already; one centre, one home.
    """
    homes.prepare(home)
    agent = homes.Agent(home)
    gpg = open_home(home, UNATTENDED)
    agent.ensure()
    try:
        if keys.secret_keys(gpg):
            raise errors.Conflict("There is a key in this home already.")
        return keys.make_key(gpg, name, address, passphrase=None)
    finally:
        agent.stop()


class Centre:
    """The centre's key at work. May be used from several threads at once.

    A call runs gpg two or three times, some 10 ms each on a small machine.
    """

    def __init__(
        self, home: Path, fingerprint: str, *, cap: int = CAP, patience: float = PATIENCE
    ) -> None:
        """Open the home; `cap` is in bytes of plaintext, `patience` in seconds of one gpg run.

        Raises: NoUsableKey if the home does not hold that key; Unavailable where gpg could only
        work on a disk.
        """
        self.home, self.fingerprint = home, full(fingerprint)
        self._cap, self._patience = cap, patience
        homes.prepare(home)
        homes.check()
        homes.sweep()
        self._agent = homes.Agent(home)
        self._agent.ensure()
        gpg = open_home(home, [*UNATTENDED, "--no-autostart"], patience)
        if self.fingerprint not in {facts.fingerprint for facts in keys.secret_keys(gpg)}:
            raise errors.NoUsableKey("The centre's OpenPGP key is not in its home.")
        self._certificate = keys.export(gpg, self.fingerprint)
        self._own = keys.export(gpg, self.fingerprint, whole=True)

    def public_certificate(self) -> bytes:
        """Return the certificate for clients: binary, with nobody else's signatures on it."""
        return self._certificate

    def subkeys(self) -> list[str]:
        """Return the fingerprints of the key's subkeys, also of those that have expired."""
        return packets.subkeys(self._own)

    def decrypt(self, ciphertext: bytes, certificates: Sequence[bytes]) -> Opened:
        """Open a letter, and check its signatures against these certificates.

        A signature that does not hold, or whose key is not at hand, does not stop the letter;
        it is in `signatures`, not valid. Any doubt about the encryption does.

        Raises: DecryptionFailed, with no plaintext; BadKey; TryLater.
        """
        with self._at_work(certificates) as gpg:
            tried = (self._open(gpg, one) for one in recipients.alternatives(ciphertext))
            opened = next((one for one in tried if one), None)
        if opened is None:
            raise self._failure(errors.DecryptionFailed())
        return opened

    def _open(self, gpg: Gpg, ciphertext: bytes) -> Opened | None:
        ran = self._decrypt(gpg, ciphertext)
        found = status.signatures(status.inside(ran.status))
        if ran.code and found:
            # gpg exits with an error as well when all that is wrong is a signature.
            ran = self._decrypt(gpg, ciphertext, "--skip-verify")
        if ran.code or not status.opened_whole(ran.status):
            return None
        return Opened(ran.data, found)

    def _decrypt(self, gpg: Gpg, ciphertext: bytes, *options: str) -> Ran:
        return gpg.judge(lambda: gpg.decrypt(ciphertext, extra_args=list(options)))

    def encrypt_and_sign(self, payload: bytes, certificate: bytes, fingerprint: str) -> bytes:
        """Encrypt to that one key, signed by the centre; ASCII armour.

        The centre cannot open the result: a stolen centre key tells nothing of sent mail.

        Raises: KeyExpired, NoUsableKey, BadKey; TryLater.
        """
        recipient = full(fingerprint)
        if (
            packets.fingerprint(packets.dearmour(certificate)) != recipient
            or recipient == self.fingerprint
        ):
            raise errors.NoUsableKey("The certificate is not that of the key asked for.")
        extra = ["--local-user", self.fingerprint, "--compress-algo", "none"]
        with self._at_work([certificate]) as gpg:
            _refuse_unusable(keys.facts_of(gpg, recipient))
            ran = gpg.judge(
                lambda: gpg.encrypt(payload, [recipient], sign=True, armor=True, extra_args=extra)
            )
        if (
            ran.code
            or not status.count(ran.status, "END_ENCRYPTION")
            or not self._signed_by_us(ran)
        ):
            raise self._failure(errors.OpenPGPError())
        return ran.data

    def sign_detached(self, data: bytes) -> bytes:
        """Sign, giving an armoured detached signature.

        Raises: OpenPGPError; TryLater.
        """
        with self._at_work([]) as gpg:
            ran = keys.sign_with(gpg, data, self.fingerprint)
        if ran.code or not self._signed_by_us(ran):
            raise self._failure(errors.OpenPGPError())
        return ran.data

    def verify(
        self, signed: bytes, signature: bytes, certificates: Sequence[bytes]
    ) -> tuple[Signature, ...]:
        """Check a detached signature; give the exact bytes that were signed, CRLF and all.

        Raises: BadKey; TryLater.
        """
        made = packets.unpacked(signature, packets.SIGNATURE)
        return keys.signatures_over(signed, made, certificates, self._patience)

    def close(self) -> None:
        """Stop the agent, if it was started here."""
        self._agent.stop()

    @contextmanager
    def _at_work(self, certificates: Sequence[bytes]) -> Iterator[Gpg]:
        self._agent.ensure()
        every = [self._own, *certificates]
        with scratch(every, self._agent.socket, self._patience) as (gpg, _):
            gpg.cap = self._cap
            yield gpg

    def _signed_by_us(self, ran: Ran) -> bool:
        made = status.values(ran.status, "SIG_CREATED")
        return [fields[5] for fields in made] == [self.fingerprint]

    def _failure(self, error: errors.OpenPGPError) -> errors.MailcounselError:
        """Return the error, or TryLater if the agent died on us, which is nobody's fault."""
        if self._agent.alive():
            return error
        return errors.TryLater("gpg's agent stopped. Try again in a moment.")


def _refuse_unusable(facts: KeyFacts) -> None:
    if facts.revoked:
        raise errors.NoUsableKey("The key was revoked by its owner.")
    if facts.expired:
        raise errors.KeyExpired
    if not facts.can_encrypt:
        raise errors.NoUsableKey("The key can sign, but nothing can be encrypted to it.")
