"""`mailcounsel key`: the centre's own key, to be handed on."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output


@click.command()
@click.option("--vcard", is_flag=True, help="As a contact card, which chat programs take.")
@click.option("--inbox", metavar="ADDRESS", help="The inbox the card is for; else the first.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a file instead of printing.")
@output.json_option
@click.pass_obj
def key(
    setting: client.Settings, *, vcard: bool, inbox: str | None, out: Path | None, as_json: bool
) -> None:
    """Hand out the centre's own key.

    With it a client can write locked from the first letter on. The card is for programs that
    encrypt by themselves, such as Delta Chat: a client opens it and writes. Nothing in it is
    secret.

    \b
    Example: mailcounsel key --vcard --out centre.vcf
    """
    if inbox and not vcard:
        message = "--inbox says whose contact card it is: add --vcard. The key itself is for all."
        raise click.UsageError(message)
    with client.connect(setting) as service:
        answer = service.call("centre.key")
    text = _card(answer, inbox) if vcard else _armoured(answer)
    if out:
        out.write_bytes(text.encode())
        output.say(f"Written to {out}. Fingerprint: {answer['fingerprint']}")
        return
    output.emit(answer, as_json, text.rstrip)


def _card(answer: Mapping[str, Any], wanted: str | None) -> str:
    from mailcounsel.letter import vcard

    inboxes = [one for one in answer["inboxes"] if wanted in {None, one["address"]}]
    if not inboxes:
        message = f"{wanted} is no inbox of this centre."
        raise errors.NotFound(message)
    certificate = b64decode(answer["certificate"])
    return vcard.card(inboxes[0]["name"], inboxes[0]["address"], certificate)


def _armoured(answer: Mapping[str, Any]) -> str:
    """Return the certificate in ASCII armour; the checksum is optional (RFC 9580 section 6.1)."""
    data = b64encode(b64decode(answer["certificate"])).decode()
    lines = [data[start : start + 64] for start in range(0, len(data), 64)]
    head, tail = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    return "\n".join([head, "", *lines, tail, ""])
