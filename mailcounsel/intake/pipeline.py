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

The steps before sealing only look (`mailcounsel.intake.looking`); nothing is stored until
everything is known. If the client's
cases changed while a letter was looked at, it is placed again.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from mailcounsel.casework.office import Office
from mailcounsel.casework.rules import Decision
from mailcounsel.config import Inbox
from mailcounsel.crypto.openpgp import Centre
from mailcounsel.intake import assessing, looking, recording
from mailcounsel.intake.inbox import Received
from mailcounsel.intake.known import StoreKnowledge
from mailcounsel.intake.looking import Plan
from mailcounsel.store import statements
from mailcounsel.store.engine import Store
from mailcounsel.trust import addressbook, roster

PLACINGS = 3  # how often a letter is placed again before the attempt counts as failed


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
        self._opened = looking.read_and_open(received.raw, office.config, centre, certificates)
        self._assessed = assessing.assess(self._opened.letter, office.config.centre.languages)
        self._plan = store.read(self._decide)

    def record(self, now: datetime) -> Future[recording.Outcome]:
        """Begin to write down what was decided."""

        def job(connection: Connection) -> recording.Outcome:
            if self._plan.placement.case is None:
                self._take_turns(connection)
            if self._may_have_missed_its_parent():
                self._plan = self._decide(connection)
            return recording.record(connection, self._office, self._received, self._plan, now)

        return self._store.submit(job)

    def _take_turns(self, connection: Connection) -> None:
        """Let one letter of a sender at a time open a case: the next one may belong to it."""
        address = self._opened.letter.sender.address
        if address:
            lookup = addressbook.lookup(self._office.keyring, address)
            statements.take_turns(connection, lookup)

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
        plan = looking.decide(
            self._opened, self._assessed, received.envelope, known, received.received_at, config
        )
        if plan.placement.case is not None:
            return plan
        opens = _where_it_opens(connection, self._office, plan.decision, plan.inbox)
        return replace(plan, decision=opens)


def _where_it_opens(
    connection: Connection, office: Office, decision: Decision, inbox: Inbox
) -> Decision:
    """Keep a letter in the queue of its inbox while nobody could read it in the one of its rules.

    A queue whose supervisor is not enrolled has no key a case could be sealed to: the letter would
    wait where no person sees it, with whatever danger is in it. A case stays where it was opened.
    """
    queue = office.config.queue(decision.queue)
    if queue is None or queue.name == inbox.queue:
        return decision
    missing = roster.not_enrolled(connection, office.keyring, [queue.supervisor])
    return replace(decision, queue=inbox.queue) if missing else decision
