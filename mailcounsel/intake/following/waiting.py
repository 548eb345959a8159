"""A letter that waits for a person."""

from __future__ import annotations

from sqlalchemy import RowMapping

from mailcounsel.casework import acceptance, cases, clientkeys, records, requests, staff
from mailcounsel.intake import assessing
from mailcounsel.intake.following import danger, meant
from mailcounsel.intake.following.recorded import Recorded
from mailcounsel.letter import countries
from mailcounsel.practice import suitability

NOT_OPENED = "not-opened"  # a flag, and the template that asks to write once more


def wait(this: Recorded, *, acknowledge: bool = True) -> None:
    """Put the letter before a person, and tell the client that it is here."""
    priority = this.plan.decision.priority if this.plan.placement.case else "low"
    came = this.received.received_at
    case = cases.letter_waits(this.connection, this.office, this.case, came, priority)
    if this.plan.placement.case:
        cases.add_tags(this.connection, this.office, case, this.plan.decision.tags)
    if this.plan.envelope.suspect:
        records.flag(this.connection, this.now, this.case_id, "suspect", this.letter_id)
        return
    if this.plan.placement.case is None:
        _propose(this)
    if this.plan.assessed.command == assessing.AGREE:
        clientkeys.show_doubt(this.connection, this.office, this.case, this.letter_id, this.now)
    is_closed = "cannot-decrypt" in this.plan.opened.problems
    if is_closed:
        records.flag(this.connection, this.now, this.case_id, NOT_OPENED, this.letter_id)
    if acknowledge and this.plan.kind.may_answer and not danger.is_noted(this):
        _acknowledge(this, case, is_closed=is_closed)
    staff.notify(this.connection, this.office, case, "", this.now)


def _acknowledge(this: Recorded, case: RowMapping, *, is_closed: bool) -> None:
    """Say that the letter is here, or ask back where it may have meant to agree."""
    template = _template(this, is_closed=is_closed)
    if template is None and meant.asks_back(this):
        return
    requests.acknowledge(
        this.connection,
        this.office,
        case,
        is_new=this.plan.placement.case is None,
        template=template,
        received_at=this.received.received_at,
        now=this.now,
        stranger=this.stranger(),
        ask_when=this.plan.names_a_case,
        # Beside a meeting, a day by which a letter comes may lie behind it, and confuses.
        names_day=not acceptance.is_about_one(
            this.connection, this.office, this.family, this.references, this.now
        ),
    )


def _template(this: Recorded, *, is_closed: bool) -> str | None:
    """Return what the rules say to acknowledge with; what nobody can open has words of its own."""
    by_rule = this.plan.decision.acknowledgement
    return NOT_OPENED if is_closed and by_rule != requests.NONE else by_rule


def _propose(this: Recorded) -> None:
    """Show to a person where a new client may need something else than letters."""
    country = countries.of_zone(this.office.config.centre.time_zone)
    for sign in suitability.proposals(this.plan.assessed.new_words, country):
        kind = f"may-be-{sign.kind}"
        records.flag(this.connection, this.now, this.case_id, kind, this.letter_id)
