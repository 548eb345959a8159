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

from concurrent.futures import Future
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

    @property
    def names_a_case(self) -> bool:
        """Tell whether a letter nobody vouches for opens a case and names one by its words."""
        is_new = self.placement.case is None and not self.vouched.is_proved
        is_letter = self.kind.kind == classifying.LETTER and not self.envelope.suspect
        return is_new and is_letter and self.assessed.case_word is not None


class Passage:
    """One kept letter on its way through the nine steps.

    Made by reading, opening and assessing it, which happens once, and by deciding on it as the
    store is then. `record` begins to write that down; `finish` waits for the end of it, and decides
    again where the letter's case changed meanwhile.

    Raises: OverBudget for a letter beyond the limits; Unavailable when gpg is missing.
    """

    def __init__(self, store: Store, office: Office, centre: Centre, received: Received) -> None:
        def certificates(name: str) -> list[bytes]:
            return store.read(lambda c: StoreKnowledge(c, office).certificates(name))

        self._store, self._office, self._received = store, office, received
        self._opened = read_and_open(received.raw, office.config, centre, certificates)
        self._assessed = assessing.assess(self._opened.letter, office.config.centre.languages)
        self._plan = store.read(self._decide)

    def record(self, now: datetime) -> Future[recording.Outcome]:
        """Begin to write down what was decided."""

        def job(connection: Connection) -> recording.Outcome:
            if self._may_have_missed_its_parent():
                self._plan = self._decide(connection)
            return recording.record(connection, self._office, self._received, self._plan, now)

        return self._store.submit(job)

    def _may_have_missed_its_parent(self) -> bool:
        """Whether what it answers may have been looked at beside it, and be written down by now."""
        letter = self._opened.letter
        names_others = bool(letter.references or letter.in_reply_to)
        return names_others and self._plan.placement.case is None

    def finish(self, begun: Future[recording.Outcome], now: datetime) -> recording.Outcome:
        """Return where the letter ended.

        Raises: Unavailable when a supervisor's key is missing; the letter then stays in the inbox.
        """
        outcome = begun.result()
        for _ in range(1, PLACINGS):
            if outcome.state != recording.CHANGED:
                return outcome
            self._plan = self._store.read(self._decide)
            outcome = self.record(now).result()
        return outcome

    def _decide(self, connection: Connection) -> Plan:
        received, config = self._received, self._office.config
        known = StoreKnowledge(connection, self._office)
        return decide(
            self._opened, self._assessed, received.envelope, known, received.received_at, config
        )


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
