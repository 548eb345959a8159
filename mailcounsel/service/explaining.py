"""Say what the nine steps make of a mail file, storing nothing.

The steps are the service's own, from *read* to *route*, with nobody known: a letter that would be
placed by a token or a pinned key shows here as new. Nothing is decrypted unless a gpg home is
named, and the centre's is never taken by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mailcounsel import errors
from mailcounsel.casework import danger, rules
from mailcounsel.config import Config
from mailcounsel.crypto import homes
from mailcounsel.crypto.openpgp import Centre, Personal
from mailcounsel.intake import looking, opening, routing, slices
from mailcounsel.intake.assessing import Assessed, assess
from mailcounsel.intake.envelope import Envelope
from mailcounsel.intake.knowledge import NoKnowledge
from mailcounsel.intake.looking import Plan
from mailcounsel.intake.opening import Certificates, Opened
from mailcounsel.letter import fold
from mailcounsel.letter.parse import Letter
from mailcounsel.practice import answers
from mailcounsel.practice.answers import Question
from mailcounsel.practice.numbers import Number

UNSURE = "unsure"
HEAD_BYTES = 256 * 1024  # that are searched for the envelope, as the mailbox watcher does


def explain(
    raw: bytes,
    config: Config,
    keys: Sequence[Key],
    now: datetime,
    questions: Sequence[Question] = (),
) -> dict[str, Any]:
    """Return what would become of a letter that came now, as `docs/explain.md` describes it.

    With `questions` it is read as the answer to a check-in that asked them. A letter the steps
    cannot finish ends as it would in the service: in quarantine. Texts are whole and as the sender
    wrote them: whoever shows them makes them safe for a terminal.
    """
    started = time.perf_counter()
    try:
        found = _explained(raw, config, keys, now, questions)
    except (errors.Unavailable, errors.TryLater):
        raise  # this machine's fault, not the letter's
    except Exception as fault:  # noqa: BLE001 - as in the service, where three attempts end there
        found = _quarantined(fault) | {
            "answers": dict.fromkeys((q.name for q in questions), UNSURE)
        }
    return {**found, "seconds": round(time.perf_counter() - started, 3)}


# What is said of a letter that could not be read.
NOTHING: Mapping[str, Any] = MappingProxyType(
    {
        "may_answer": False,
        "from": None,
        "from_name": "",
        "from_doubt": "",
        "to": [],
        "subject": "",
        "date": None,
        "message_id": None,
        "in_reply_to": [],
        "references": [],
        "attachments": [],
        "protection": {
            "encrypted": False,
            "opened": False,
            "signed": False,
            "by": [],
            "over": "",
            "headers": "",
            "keys": [],
        },
        "language": None,
        "text": "",
        "from_html": False,
        "folded": [],
        "command": None,
        "risk": [],
        "risk_in_files": [],
        "answers": {},
        "inbox": None,
        "vouching": "nothing",
        "placement": None,
        "rule": [],
        "rules": [],
        "queue": None,
        "priority": None,
        "tags": [],
        "acknowledgement": None,
    }
)


def _quarantined(fault: Exception) -> dict[str, Any]:
    is_ours = isinstance(fault, errors.MailcounselError)
    says = str(fault) if is_ours else f"The steps failed with {type(fault).__name__}."
    return {"kind": "quarantine", "why": type(fault).__name__, **NOTHING, "problems": [says]}


def _explained(
    raw: bytes,
    config: Config,
    keys: Sequence[Key],
    now: datetime,
    questions: Sequence[Question],
) -> dict[str, Any]:
    opened = _opened(raw, config, keys)
    assessed = assess(opened.letter, config.centre.languages)
    plan = looking.decide(opened, assessed, _envelope(raw, config), NoKnowledge(), now, config)
    return {
        "kind": plan.kind.kind,
        "why": plan.kind.reason,
        "may_answer": plan.kind.may_answer,
        **_of_letter(opened.letter),
        "protection": _protection(opened),
        **_of_words(opened.letter, assessed),
        "answers": _answers(assessed, questions),
        **_of_decision(plan, now, config),
        "problems": list(opened.problems) + _unopened(opened, keys),
    }


def _unopened(opened: Opened, keys: Sequence[Key]) -> list[str]:
    """Say so where a letter stayed closed because no key was given."""
    is_closed = opened.letter.protection.kind.endswith("encrypted") and not keys
    return ["not-opened (give --keys GNUPGHOME to look inside)"] if is_closed else []


def _opened(raw: bytes, config: Config, keys: Sequence[Key]) -> Opened:
    """Read and open a letter with the first key that fits."""
    if not keys:
        return looking.read_and_open(raw, config, None, NoKnowledge().certificates)
    for key in keys:
        opened = looking.read_and_open(raw, config, key.centre, key.certificates)
        if "cannot-decrypt" not in opened.problems:
            break
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


def _of_letter(letter: Letter) -> dict[str, Any]:
    return {
        "from": letter.sender.address,
        "from_name": letter.sender.name,
        "from_doubt": letter.sender.doubt,
        "to": list(letter.recipients),
        "subject": letter.subject,
        "date": letter.date.isoformat() if letter.date else None,
        "message_id": letter.message_id,
        "in_reply_to": list(letter.in_reply_to),
        "references": list(letter.references),
        "attachments": [
            {"name": one.name, "type": one.content_type, "size": len(one.data)}
            for one in letter.attachments
        ],
    }


def _protection(opened: Opened) -> dict[str, Any]:
    kind = opened.letter.protection.kind
    is_closed = kind.endswith("encrypted")
    around = kind == "inline-signed" and "text-around-armour" in opened.problems
    is_partly = around or "signed-part" in opened.problems
    is_smime = "smime" in opened.problems and "smime-encrypted" not in opened.problems
    is_signed = bool(opened.signed_by) or kind.endswith("signed") or is_partly or is_smime
    return {
        "encrypted": opened.was_encrypted or is_closed or "smime-encrypted" in opened.problems,
        "opened": opened.was_encrypted and not is_closed,
        "signed": is_signed,
        "by": list(opened.signed_by),
        "over": ("part" if is_partly else "whole") if is_signed else "",
        "headers": opened.letter.header_protection,
        "keys": [one.fingerprint for one in opened.offered],
    }


def _of_words(letter: Letter, assessed: Assessed) -> dict[str, Any]:
    return {
        "language": assessed.language,
        "text": letter.text,
        "from_html": letter.html_used,
        "folded": [
            {"kind": span.kind, "rule": span.rule, "start": span.start, "end": span.end}
            for span in fold.fold(letter.text, (), letter.about)
        ],
        "command": assessed.command,
        "risk": [_sign(one, len(letter.subject) + 2) for one in assessed.signs],
        "risk_in_files": [
            {"file": one.name, "kinds": list(one.kinds)} for one in assessed.in_files
        ],
    }


def _answers(assessed: Assessed, questions: Sequence[Question]) -> dict[str, int | str]:
    """Return what each question is answered with; beside a sign of danger nothing is read."""
    if assessed.is_danger:
        return _unsure(questions)
    read = answers.read(assessed.new_words, questions, assessed.language)
    return {name: said.value if isinstance(said, Number) else UNSURE for name, said in read.items()}


def _unsure(questions: Sequence[Question]) -> dict[str, int | str]:
    return {one.name: UNSURE for one in questions}


def _sign(sign: danger.Sign, words_begin: int) -> dict[str, Any]:
    """Return a sign of danger with its place in the text, or in the subject before it."""
    is_subject = sign.start < words_begin
    before = 0 if is_subject else words_begin
    return {
        "kind": sign.kind,
        "rule": sign.rule,
        "in": "subject" if is_subject else "text",
        "span": [sign.start - before, sign.end - before],
        "quoted": sign.quoted,
        "negated": sign.negated,
    }


def _of_decision(plan: Plan, now: datetime, config: Config) -> dict[str, Any]:
    facts = routing.facts_of(plan.opened.letter, plan.assessed, plan.inbox, False, now, config)
    return {
        "inbox": plan.inbox.address,
        "vouching": plan.vouched.kind,
        "placement": plan.placement.why,
        "rule": list(plan.decision.matched),
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


@dataclass(frozen=True, slots=True)
class Key:
    """A secret key of a gpg home that may open letters, and the certificates beside it there."""

    centre: Centre
    certificates: Certificates


@contextmanager
def keys_of(home: Path | None, config: Config) -> Iterator[list[Key]]:
    """Open the secret keys of a gpg home, none without one; no agent is left behind.

    Its other certificates judge signatures. Raises: NotFound when there is no such home or no
    secret key in it.
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
        personal = Personal(home)
        found = [facts.fingerprint for facts in personal.secret_keys()]
        if not found:
            message = f"There is no secret key in {home}."
            raise errors.NotFound(message)
        cap = opening.opened_bytes(config)
        yield [Key(Centre(home, one, cap=cap), personal.certificates) for one in found]
    finally:
        agent.stop()
