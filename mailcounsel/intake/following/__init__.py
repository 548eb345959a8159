"""What a recorded letter sets in motion, in the transaction that records it."""

from __future__ import annotations

from mailcounsel.casework import erasing, records, silence, unanswered
from mailcounsel.intake import classifying, vouching
from mailcounsel.intake.following import answer, bounce, command, danger, waiting
from mailcounsel.intake.following.recorded import Recorded


def up(this: Recorded) -> None:
    """Set it in motion: a bounce, a command, a check-in answer, a letter that waits."""
    if this.is_new_from_a_person and this.plan.placement.case is not None:
        unanswered.heard(this.connection, this.case, this.now)
    if this.plan.kind.kind == classifying.BOUNCE:
        bounce.tie(this)
    elif this.plan.kind.kind == classifying.AUTOMATIC:
        if not answer.is_about_meeting(this):
            _audit_kind(this, "automatic")
    elif command.is_command(this):
        command.carry_out(this)
    elif not answer.is_about_meeting(this) and not answer.is_answer(this):
        waiting.wait(this)
    if this.plan.kind.kind == classifying.LETTER:
        command.deny(this)
        erasing.heard(this.connection, this.family, this.now)
        _hear(this)
    danger.look(this)


def _audit_kind(this: Recorded, kind: str) -> None:
    case_id, ref = this.case_id, this.letter_id
    records.audit(this.connection, this.now, "service", f"letter-is-{kind}", case_id, ref)


def _hear(this: Recorded) -> None:
    """A client who writes is not silent; whoever proves nothing, or passes on, may be another."""
    if this.is_new_from_a_person and this.plan.proof != vouching.NOTHING:
        silence.heard(this.connection, this.family)
