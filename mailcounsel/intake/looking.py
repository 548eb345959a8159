"""The steps that only look, *read* to *route*: what a letter is, who wrote it, where it belongs.

Nothing is stored here, and no store is asked but through `Knowledge`: `mailcounsel explain` takes
the same steps over a file. See `mailcounsel.intake.pipeline` for all nine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailcounsel.casework.rules import Decision
from mailcounsel.config import Config, Inbox
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.intake import classifying, opening, placing, routing, vouching
from mailcounsel.intake.assessing import Assessed
from mailcounsel.intake.classifying import Class
from mailcounsel.intake.envelope import Envelope
from mailcounsel.intake.knowledge import Knowledge
from mailcounsel.intake.opening import Opened
from mailcounsel.intake.placing import Placement
from mailcounsel.intake.vouching import Vouched
from mailcounsel.letter import parse


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
    doubts: tuple[str, ...] = ()  # of `vouching.doubts`

    @property
    def proof(self) -> str:
        """What vouches for a word by which the letter asks for something."""
        is_passed_on = not vouching.PASSED_ON.isdisjoint((*self.doubts, *self.opened.problems))
        is_signed = self.vouched.kind == vouching.SIGNED
        return vouching.NOTHING if is_signed and is_passed_on else self.vouched.kind

    @property
    def names_a_case(self) -> bool:
        """Tell whether a letter nobody vouches for opens a case and names one by its words."""
        is_new = self.placement.case is None and not self.vouched.is_proved
        is_letter = self.kind.kind == classifying.LETTER and not self.envelope.suspect
        return is_new and is_letter and self.assessed.case_word is not None


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
    kind = classifying.classify(
        letter, envelope.mail_from, known, config, is_proved=vouched.is_proved
    )
    placement = placing.place(letter, kind, vouched, known)
    is_known = placement.case is not None or placement.client_id is not None
    decision = routing.route(
        letter, assessed, inbox, is_known=is_known, now=received_at, config=config
    )
    doubts = vouching.doubts(opened, vouched, known, config)
    return Plan(envelope, inbox, opened, vouched, kind, placement, assessed, decision, doubts)


def own_inbox(opened: Opened, envelope: Envelope, config: Config) -> Inbox:
    """Return the inbox a letter was for: the envelope's, else one it names, else the first."""
    named = (*envelope.recipients, *opened.letter.recipients)
    found = (config.inbox_for(address) for address in named)
    return next((inbox for inbox in found if inbox), config.inboxes[0])
