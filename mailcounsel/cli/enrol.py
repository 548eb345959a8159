"""`mailcounsel enrol`: a person's keys are made on their own machine."""

from __future__ import annotations

import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output


@click.command()
@click.argument("code")
@click.option("--key", metavar="FINGERPRINT", help="Use this OpenPGP key of yours.")
@click.option(
    "--no-passphrase", is_flag=True, help="Make a key without a passphrase (not advised)."
)
@click.pass_obj
def enrol(setting: client.Settings, code: str, *, key: str | None, no_passphrase: bool) -> None:
    """Enrol on this machine with a code from your admin.

    It makes or takes an OpenPGP key, makes your reader key, locks it with the OpenPGP key, and
    opens a practice letter to show that everything works.

    \b
    Example: mailcounsel enrol K7QF2-9MXPA-3WTRB
    """
    from mailcounsel.cli import unlock
    from mailcounsel.crypto.sealing import ReaderKey, open_with
    from mailcounsel.letter import text

    with client.connect(setting) as service:
        invited = service.call("person.invited", code=code)
        name = invited["person"]
        unlock.check_new(name)
        fingerprint = _fingerprint(unlock, invited, key, no_passphrase=no_passphrase)
        seed = ReaderKey.new()
        path = unlock.save(name, fingerprint, seed.seed)
        answer = _enrolled(service, path, _papers(unlock, code, name, fingerprint, seed))
    practice = open_with(
        unlock.reader_key(name).private, b64decode(answer["practice"]), f"practice/{name}"
    )
    output.say(f"You are enrolled at {invited['centre']} as {name}.")
    output.say(f"Your reader key is {path}")
    output.say(f"It is locked with your OpenPGP key {fingerprint}. Keep a copy of both.\n")
    click.echo(text.terminal_safe(practice.decode()))
    output.say("\nThat was a practice letter: your keys work. Now: mailcounsel queue")
    if invited["again"]:
        output.say(
            "It is your new key: cases locked for you open again once a colleague who can open "
            f"them types: mailcounsel assign CASE {name}"
        )


def _enrolled(service: client.Service, path: Path, papers: dict[str, str]) -> dict[str, Any]:
    """Hand in the papers; a refusal takes the new reader key away again."""
    try:
        return service.call("person.enrol", **papers)
    except errors.Unavailable as fault:
        # The service may have written the key down before the line broke: only it opens then.
        message = (
            f"The service stopped answering, and may or may not have enrolled you. Your reader key "
            f"stays at {path}. See if `mailcounsel queue` knows you; if not, remove it and enrol "
            "with a new code."
        )
        raise errors.Unavailable(message) from fault
    except errors.MailcounselError:
        path.unlink()
        raise


def _papers(unlock: Any, code: str, name: str, fingerprint: str, key: Any) -> dict[str, str]:
    person = unlock.personal()
    statement = f"mailcounsel enrolment 1\n{name}\n{key.public.hex()}\n{key.verify_key.hex()}\n"
    return {
        "code": code,
        "public_key": b64encode(key.public).decode(),
        "verify_key": b64encode(key.verify_key).decode(),
        "certificate": b64encode(person.export(fingerprint)).decode(),
        "statement": statement,
        "signature": b64encode(person.sign(statement.encode(), fingerprint)).decode(),
    }


def _fingerprint(
    unlock: Any, invited: dict[str, Any], key: str | None, *, no_passphrase: bool
) -> str:
    """Return the fingerprint of the person's OpenPGP key, made now where they name none."""
    person = unlock.personal()
    own = [facts.fingerprint for facts in person.secret_keys()]
    if key is not None:
        wanted = key.replace(" ", "").upper()
        if wanted not in own:
            message = "There is no secret key with this fingerprint here. `gpg -K` lists yours."
            raise errors.NotFound(message)
        return wanted
    if (
        own
        and sys.stdin.isatty()
        and click.confirm(f"Use your OpenPGP key {own[0]}?", default=True)
    ):
        return str(own[0])
    passphrase = None if no_passphrase else _passphrase()
    address = invited["address"] or f"{invited['person']}@mailcounsel.invalid"
    return str(person.make_key(invited["person"], address, passphrase))


def _passphrase() -> str:
    if not sys.stdin.isatty():
        message = (
            "A new key needs a passphrase, and nobody can be asked here. Name a key with --key, "
            "or say --no-passphrase."
        )
        raise errors.Refused(message)
    answer: str = click.prompt(
        "A passphrase for your new key", hide_input=True, confirmation_prompt=True
    )
    return answer
