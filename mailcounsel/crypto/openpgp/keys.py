"""Keys and certificates: make, list, export, look at; signatures over data beside them."""

from __future__ import annotations

from collections.abc import Sequence

from mailcounsel import errors
from mailcounsel.crypto import packets, status
from mailcounsel.crypto.certificate import KeyFacts, read_listing
from mailcounsel.crypto.openpgp.process import PATIENCE, Gpg, Ran, scratch
from mailcounsel.crypto.status import Signature


def examine(certificate: bytes) -> KeyFacts:
    """Read a public certificate, armoured or binary, without keeping it.

    Raises: BadKey on a secret key, a version other than 4, several keys, garbage, over 64 KiB.
    """
    fingerprint = packets.fingerprint(packets.dearmour(certificate))
    with scratch([certificate]) as (gpg, _):
        return facts_of(gpg, fingerprint)


def facts_of(gpg: Gpg, fingerprint: str) -> KeyFacts:
    """Return what gpg knows of a key in this home.

    Raises: BadKey if gpg did not take it in.
    """
    # Imported before, rather than only shown: an import drops user ids the key never signed.
    for facts in public_keys(gpg):
        if facts.fingerprint == fingerprint:
            return facts
    raise errors.BadKey


def verify_with(certificate: bytes, data: bytes, signature: bytes) -> bool:
    """Say whether the detached signature over the data is this certificate's.

    Raises: BadKey if the certificate cannot be used.
    """
    fingerprint = packets.fingerprint(packets.dearmour(certificate))
    found = signatures_over(data, signature, [certificate], PATIENCE)
    return any(one.valid and one.fingerprint == fingerprint for one in found)


def signatures_over(
    data: bytes, signature: bytes, certificates: Sequence[bytes], patience: float
) -> tuple[Signature, ...]:
    """Judge a detached signature by these certificates; `patience` is in seconds."""
    with scratch(certificates, patience=patience) as (gpg, home):
        file = home / "signature"
        file.write_bytes(signature)
        # A file that holds more than a signature would be verified on its own; the data is named
        # as well, so gpg refuses that.
        ran = gpg.judge(lambda: gpg.verify_data(str(file), data))
    return status.signatures(ran.status)


def sign_with(gpg: Gpg, data: bytes, fingerprint: str) -> Ran:
    """Make an armoured detached signature; whoever asks looks at what came of it."""
    extra = ["--local-user", fingerprint, "--digest-algo", "SHA512"]
    return gpg.judge(lambda: gpg.sign(data, detach=True, clearsign=False, extra_args=extra))


def secret_keys(gpg: Gpg) -> tuple[KeyFacts, ...]:
    """Return the keys this home holds the secret part of."""
    listed = gpg.run(["--list-secret-keys", "--fingerprint", "--fingerprint"])
    return read_listing(listed.data)


def public_keys(gpg: Gpg) -> tuple[KeyFacts, ...]:
    """Return every key of this home."""
    return read_listing(gpg.run(["--list-keys", "--fingerprint", "--fingerprint"]).data)


def export(gpg: Gpg, fingerprint: str, *, whole: bool = False) -> bytes:
    """Return a public certificate, binary, with nobody else's signatures on it.

    Only a `whole` one holds the subkeys that have expired, which open what was written to them.
    Raises: NoUsableKey if it is not in this home.
    """
    options = [] if whole else ["--export-options", "export-minimal"]
    ran = gpg.run(["--export", *options, fingerprint])
    if ran.code or not ran.data:
        raise errors.NoUsableKey("There is no such key in this home.")
    return ran.data


def make_key(gpg: Gpg, name: str, address: str, passphrase: str | None) -> str:
    """Make a key that signs, with a subkey that encrypts; return its fingerprint.

    Ed25519 and Cv25519 in version 4, which every OpenPGP program can use; it never expires.
    """
    for value in (name, address, passphrase or ""):
        # The parameters are lines; a line break would add another.
        if not value.isprintable():
            raise ValueError("a name, address or passphrase is one line")
    parameters = gpg.gen_key_input(
        key_type="EDDSA",
        key_curve="ed25519",
        key_usage="sign",
        subkey_type="ECDH",
        subkey_curve="cv25519",
        subkey_usage="encrypt",
        name_real=name,
        name_email=address,
        expire_date="0",
        **({"passphrase": passphrase} if passphrase else {"no_protection": True}),
    )
    # As bytes, since python-gnupg would write it as Latin-1, and gpg reads UTF-8.
    ran = gpg.judge(lambda: gpg.gen_key(parameters.encode()))
    made = status.values(ran.status, "KEY_CREATED")
    if ran.code or len(made) != 1:
        raise errors.OpenPGPError("gpg could not make the key.")
    return made[0][1].upper()
