"""The nine steps a letter goes through, from kept bytes to its place in a case.

    read      outer headers and structure, within budgets
    open      decrypt, read the inside under the same budgets
    vouch     who really wrote this
    classify  bounce, automatic, own loop, letter
    place     which case, with what proof
    assess    danger; a command; later a check-in answer
    route     rules: queue, priority, tags, acknowledgement
    seal      to the case's public key          ┐ one transaction, in
    record    letter, case, outgoing, ledger    ┘ `mailcounsel.intake.recording`

The steps before sealing only look; nothing is stored until everything is known. If the client's
cases changed while a letter was looked at, it is placed again.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailcounsel.casework.office import Office
from mailcounsel.casework.rules import Decision
from mailcounsel.config import Config, Inbox
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.intake import (
    assessing,
    classifying,
    opening,
    placing,
    recording,
    routing,
    vouching,
)
from mailcounsel.intake.assessing import Assessed
from mailcounsel.intake.classifying import Class
from mailcounsel.intake.inbox import Envelope, Received
from mailcounsel.intake.knowledge import Knowledge, StoreKnowledge
from mailcounsel.intake.opening import Opened
from mailcounsel.intake.placing import Placement
from mailcounsel.intake.vouching import Vouched
from mailcounsel.letter import parse
from mailcounsel.store.engine import Store

log = logging.getLogger(__name__)

PLACINGS = 3  # how often a letter is placed again before the attempt counts as failed


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the steps found out about one letter."""

    envelope: Envelope
    inbox: Inbox
    opened: Opened
    vouched: Vouched
    kind: Class
    placement: Placement
    assessed: Assessed
    decision: Decision


def process(
    store: Store, office: Office, centre: Centre, received: Received, now: datetime
) -> recording.Outcome:
    """Take one kept letter through the nine steps and return where it ended.

    Raises: OverBudget for a letter beyond the limits; Unavailable when gpg or a supervisor's key
    is missing; Conflict when its case keeps changing. The letter then stays in the inbox.
    """

    def certificates(name: str) -> list[bytes]:
        return store.read(lambda c: StoreKnowledge(c, office).certificates(name))

    opened = read_and_open(received.raw, office.config, centre, certificates)
    assessed = assessing.assess(opened.letter, office.config.centre.languages)

    def looked_at(connection: Connection) -> Plan:
        known = StoreKnowledge(connection, office)
        return decide(
            opened, assessed, received.envelope, known, received.received_at, office.config
        )

    for _ in range(PLACINGS):
        plan = store.read(looked_at)
        record = functools.partial(
            recording.record, office=office, received=received, plan=plan, now=now
        )
        outcome = store.write(record)
        if outcome.state != recording.CHANGED:
            return outcome
    return outcome


def read_and_open(
    raw: bytes,
    config: Config,
    centre: Centre | None,
    certificates: opening.Certificates,
) -> Opened:
    """Steps *read* and *open*. Raises: OverBudget, Unavailable."""
    limits = opening.budgets(config)
    return opening.open_letter(parse.read(raw, limits), limits, centre, certificates)


def decide(
    opened: Opened,
    assessed: Assessed,
    envelope: Envelope,
    known: Knowledge,
    received_at: datetime,
    config: Config,
) -> Plan:
    """Steps *vouch* to *route*: only look-ups and decisions, nothing is changed."""
    letter = opened.letter
    inbox = own_inbox(opened, envelope, config)
    vouched = vouching.vouch(opened, envelope.recipients, known, config.centre.authserv_id)
    kind = classifying.classify(letter, envelope.mail_from, known, config)
    placement = placing.place(letter, kind, vouched, known)
    is_known = placement.case is not None or placement.client_id is not None
    decision = routing.route(
        letter, assessed, inbox, is_known=is_known, now=received_at, config=config
    )
    return Plan(envelope, inbox, opened, vouched, kind, placement, assessed, decision)


def own_inbox(opened: Opened, envelope: Envelope, config: Config) -> Inbox:
    """Return the inbox a letter was for: the envelope's, else one it names, else the first."""
    named = (*envelope.recipients, *opened.letter.recipients)
    found = (config.inbox_for(address) for address in named)
    return next((inbox for inbox in found if inbox), config.inboxes[0])
