"""Step *place*: which case, with what proof.

A letter enters an existing case only when a client is proved to have written it. Everything else
becomes a case of its own, marked "may be from C-0042" where something points there, and a person
links it. The subject is never evidence. A report about a letter of ours goes where that letter is.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailcounsel.intake.classifying import Class
from mailcounsel.intake.knowledge import Knowledge, KnownCase
from mailcounsel.intake.vouching import Vouched
from mailcounsel.letter.parse import Letter

ERASED = "erased"  # a report about the last letter to a client who is forgotten


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a letter goes: into `case`, or into a new case of `client_id` or of a new client.

    `why` is a code for people and tests; `maybe` is the case it may belong to, without proof.
    """

    why: str
    case: KnownCase | None = None
    client_id: str | None = None
    maybe: KnownCase | None = None
    outgoing_id: str | None = None  # the letter of ours a bounce reports


def place(letter: Letter, kind: Class, vouched: Vouched, known: Knowledge) -> Placement:
    """Say where a letter goes."""
    if kind.about:
        reported = _place_report(kind.about, known)
        if reported:
            return reported
    if vouched.is_proved:
        return _place_proved(letter, vouched, known)
    maybe = vouched.token_case or _pointed_to(letter, known)
    if maybe is None and letter.sender.address:
        theirs = known.cases_of_clients(known.clients_with_address(letter.sender.address))
        maybe = _best([case for case in theirs if not case.maybe]) or _best(theirs)
    return Placement("maybe" if maybe else "new", maybe=maybe)


def _place_report(about: str, known: Knowledge) -> Placement | None:
    outgoing_id = known.outgoing_of_message(about)
    cases = known.cases_reported(about) if outgoing_id else []
    if outgoing_id and not cases:
        return Placement(ERASED, outgoing_id=outgoing_id)
    return Placement("report", cases[0], outgoing_id=outgoing_id) if len(cases) == 1 else None


def _place_proved(letter: Letter, vouched: Vouched, known: Knowledge) -> Placement:
    theirs = known.cases_of_clients(vouched.client_ids)
    ids = {case.id for case in theirs}
    if vouched.token_case and vouched.token_case.id in ids:
        return Placement("token", vouched.token_case)
    for message_id in (*reversed(letter.references), *letter.in_reply_to):
        named = [case for case in known.cases_of_message(message_id) if case.id in ids]
        if len(named) == 1:
            return Placement("references", named[0])
    # A case that may be a stranger's stands back behind those that are surely theirs.
    sure = [case for case in theirs if not case.maybe] or theirs
    is_open = [case for case in sure if case.state == "open"]
    if len(is_open) == 1:
        return Placement("only-open-case", is_open[0])
    owners = {case.client_id for case in sure} or set(vouched.client_ids)
    if len(owners) == 1:
        return Placement("known-client", client_id=owners.pop(), maybe=_best(is_open))
    return Placement("several-clients", maybe=_best(sure))


def _pointed_to(letter: Letter, known: Knowledge) -> KnownCase | None:
    for message_id in (*reversed(letter.references), *letter.in_reply_to):
        cases = known.cases_of_message(message_id)
        if cases:
            return cases[0]
    return None


def _best(cases: list[KnownCase]) -> KnownCase | None:
    """Return the newest open case, else the newest."""
    return max(cases, key=lambda case: (case.state == "open", case.number), default=None)
