"""Say what the nine steps make of a mail file, storing nothing.

The steps are the service's own, from *read* to *route*, with nobody known: a letter that would be
placed by a token or a pinned key shows here as new. Nothing is decrypted unless a gpg home is
named, and the centre's is never taken by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from mailcounsel import errors
from mailcounsel.casework import rules
from mailcounsel.config import Config
from mailcounsel.crypto import homes
from mailcounsel.crypto.openpgp import Centre, Personal
from mailcounsel.intake import pipeline, routing, slices
from mailcounsel.intake.assessing import Assessed, assess
from mailcounsel.intake.inbox import Envelope
from mailcounsel.intake.knowledge import NoKnowledge
from mailcounsel.intake.opening import Opened
from mailcounsel.intake.pipeline import Plan
from mailcounsel.letter import fold, text
from mailcounsel.letter.parse import Letter

HEAD_BYTES = 256 * 1024  # that are searched for the envelope, as the mailbox watcher does
LINE_CELLS = 200


def explain(raw: bytes, config: Config, keys: Sequence[Centre], now: datetime) -> dict[str, Any]:
    """Return what would become of a letter that came now. Every text is safe for a terminal.

    A letter the steps cannot finish ends as it would in the service: in quarantine.
    """
    started = time.perf_counter()
    try:
        found = _explained(raw, config, keys, now)
    except (errors.Unavailable, errors.TryLater):
        raise  # this machine's fault, not the letter's
    except Exception as fault:  # noqa: BLE001 - as in the service, where three attempts end there
        found = _quarantined(fault)
    return {**found, "seconds": round(time.perf_counter() - started, 3)}


def _quarantined(fault: Exception) -> dict[str, Any]:
    is_ours = isinstance(fault, errors.MailcounselError)
    says = str(fault) if is_ours else f"The steps failed with {type(fault).__name__}."
    return {"kind": "quarantine", "why": type(fault).__name__, "problems": [says]}


def _explained(raw: bytes, config: Config, keys: Sequence[Centre], now: datetime) -> dict[str, Any]:
    opened = _opened(raw, config, keys)
    assessed = assess(opened.letter, config.centre.languages)
    plan = pipeline.decide(opened, assessed, _envelope(raw, config), NoKnowledge(), now, config)
    return {
        "kind": plan.kind.kind,
        "why": plan.kind.reason,
        "may_answer": plan.kind.may_answer,
        **_of_letter(opened.letter, opened),
        **_of_words(opened.letter, assessed),
        **_of_decision(plan, now, config),
        "problems": list(opened.problems) + _unopened(opened, keys),
    }


def _unopened(opened: Opened, keys: Sequence[Centre]) -> list[str]:
    """Say so where a letter stayed closed because no key was given."""
    is_closed = opened.letter.protection.kind.endswith("encrypted") and not keys
    return ["not-opened (give --keys GNUPGHOME to look inside)"] if is_closed else []


def _opened(raw: bytes, config: Config, keys: Sequence[Centre]) -> Opened:
    """Read and open a letter with the first key that fits."""
    known = NoKnowledge().certificates
    opened = pipeline.read_and_open(raw, config, keys[0] if keys else None, known)
    for key in keys[1:]:
        if "cannot-decrypt" not in opened.problems:
            break
        opened = pipeline.read_and_open(raw, config, key, known)
    return opened


def _envelope(raw: bytes, config: Config) -> Envelope:
    """Return the envelope a mailbox would show."""
    head, _ = slices.halves(raw[:HEAD_BYTES])
    first = config.inboxes[0]
    recipients = slices.recipients(
        head,
        first.recipient_header,
        lambda address: config.inbox_for(address) is not None,
        first.address,
    )
    return Envelope("imap", slices.return_path(head), recipients)


# -- what was found -------------------------------------------------------------------------------


def _of_letter(letter: Letter, opened: Opened) -> dict[str, Any]:
    sender = letter.sender
    return {
        "from": text.one_line(sender.address or "", LINE_CELLS) or None,
        "from_name": text.one_line(sender.name, LINE_CELLS),
        "from_doubt": sender.doubt,
        "subject": text.one_line(letter.subject, LINE_CELLS),
        "date": letter.date.isoformat() if letter.date else None,
        "attachments": [
            {"name": one.name, "type": one.content_type, "size": len(one.data)}
            for one in letter.attachments
        ],
        "protection": _protection(opened),
        "header_protection": letter.header_protection,
        "signed_by": list(opened.signed_by),
        "keys_offered": [one.fingerprint for one in opened.offered],
    }


def _protection(opened: Opened) -> str:
    if not opened.was_encrypted:
        return opened.letter.protection.kind
    return "encrypted+signed" if opened.signed_by else "encrypted"


def _of_words(letter: Letter, assessed: Assessed) -> dict[str, Any]:
    spans = fold.fold(letter.text, ())
    return {
        "language": assessed.language,
        "text": text.terminal_safe(fold.render(letter.text, spans)).strip("\n"),
        "from_html": letter.html_used,
        "command": assessed.command,
        "risk": [
            {"kind": one.kind, "rule": one.rule, "quoted": one.quoted, "negated": one.negated}
            for one in assessed.signs
        ],
    }


def _of_decision(plan: Plan, now: datetime, config: Config) -> dict[str, Any]:
    facts = routing.facts_of(plan.opened.letter, plan.assessed, plan.inbox, False, now, config)
    return {
        "inbox": plan.inbox.address,
        "vouching": plan.vouched.kind,
        "placement": plan.placement.why,
        "rules": list(rules.explain(routing.config_rules(config), facts)),
        "queue": plan.decision.queue,
        "priority": plan.decision.priority,
        "tags": list(plan.decision.tags),
        "acknowledgement": plan.decision.acknowledgement,
    }


# -- configuration and keys -----------------------------------------------------------------------


def any_config() -> Config:
    """Return a configuration for explaining where none is found: the defaults, and no rules."""
    values = {
        "centre": {
            "name": "no configuration",
            "sender_name": "Letters",
            "time_zone": "UTC",
            "languages": ["id", "en"],
        },
        "emergency": {"id": "-", "en": "-"},
        "smarthost": {"host": "localhost", "tls": "none"},
        "inbox": [{"address": "letters@example.org", "queue": "general"}],
        "queue": [{"name": "general", "supervisor": "nobody"}],
    }
    return Config.model_validate(values, context={"path": Path(), "folder": Path()})


@contextmanager
def keys_of(home: Path | None) -> Iterator[list[Centre]]:
    """Open the secret keys of a gpg home, none without one; no agent is left behind.

    Raises: NotFound when there is no such home or no secret key in it.
    """
    if home is None:
        yield []
        return
    if not home.is_dir():
        message = f"There is no gpg home at {home}."
        raise errors.NotFound(message)
    homes.prepare(home)
    agent = homes.Agent(home)
    agent.ensure()
    try:
        found = [facts.fingerprint for facts in Personal(home).secret_keys()]
        if not found:
            message = f"There is no secret key in {home}."
            raise errors.NotFound(message)
        yield [Centre(home, fingerprint) for fingerprint in found]
    finally:
        agent.stop()
