"""Signs of danger in a letter: they raise its case, and say where help is."""

from __future__ import annotations

from mailcounsel.casework import cases, crisis, measures, risk
from mailcounsel.intake import assessing
from mailcounsel.intake.following.recorded import Recorded


def look(this: Recorded) -> None:
    """Raise the case for signs of danger."""
    if _is_danger(this):
        raise_it(this, "words")


def _is_danger(this: Recorded) -> bool:
    """Tell whether a letter shows danger; a proved client's old words in a quote do not."""
    is_old = this.plan.placement.case is not None and not this.plan.assessed.is_fresh_danger
    if not this.plan.assessed.is_danger or is_old or _is_only_form(this):
        return False
    return not _is_report(this)


def _is_report(this: Recorded) -> bool:
    """Tell whether it is a report, in which a letter of ours may stand.

    What only its words and an empty sender make one, and is about no letter of ours, may be a
    person's who tells of a lost mail.
    """
    is_tied = this.plan.placement.outgoing_id is not None
    return this.plan.kind.is_report and (is_tied or this.plan.opened.letter.report is not None)


def is_noted(this: Recorded) -> bool:
    """Tell whether a known client in danger gets the note with help instead.

    Beside it, a day by which we aim to answer would sound as if it could wait until then. A new
    client gets both, since the first acknowledgement asks how letters may reach them.
    """
    is_known = this.plan.placement.case is not None
    return is_known and this.plan.assessed.is_plain_danger and _is_danger(this)


def _is_only_form(this: Recorded) -> bool:
    """Tell whether all signs are words of a questionnaire of ours, quoted without marks.

    What is answered to such words is read for itself (`_is_measure`).
    """
    if not this.plan.vouched.is_proved or this.plan.placement.case is None:
        return False
    if this.plan.assessed.in_files:
        return False
    letter = this.plan.opened.letter
    form = measures.named_by(this.connection, this.office, this.family, this.references)
    start = len(letter.subject) + 2  # the places of signs count from the subject
    fresh = [one for one in this.plan.assessed.signs if not one.quoted]
    places = [(one.start - start, one.end - start) for one in fresh]
    case = this.as_it_is()
    return form is not None and measures.are_ours(
        this.connection, this.office, case, form, letter.text, places
    )


def raise_it(this: Recorded, cause: str) -> None:
    """Put the case into the risk lane, from which only a person takes it."""
    risk.raise_risk(
        this.connection, this.office, this.case_id, this.letter_id, this.now, cause=cause
    )
    # Again, now that it is urgent: the promise to look is the urgent one.
    came = this.received.received_at
    cases.letter_waits(this.connection, this.office, this.as_it_is(), came, "urgent")
    if cause == "answer" or this.plan.assessed.is_plain_danger:
        _help_near(this)


def _help_near(this: Recorded) -> None:
    """Say at once where help is, to whoever may be answered."""
    is_told = this.plan.assessed.command == assessing.HELP  # that answer says it as well
    if this.plan.kind.may_answer and not this.plan.envelope.suspect and not is_told:
        crisis.offer(
            this.connection,
            this.office,
            this.as_it_is(),
            this.letter_id,
            this.now,
            this.stranger(),
        )
