"""Which function does which kind of errand (see `mailcounsel.casework.errands`)."""

from __future__ import annotations

from collections.abc import Mapping

from mailcounsel.casework import (
    asking,
    confirming,
    enclosures,
    erasing,
    followups,
    gaps,
    ladder,
    reminders,
    silence,
    unanswered,
    wishes,
)
from mailcounsel.casework.errands import Duty

DUTIES: Mapping[str, Duty] = {
    reminders.REMIND: reminders.remind,
    reminders.END: reminders.end,
    asking.DECIDE: asking.leave_to_person,
    asking.REMIND: asking.remind,
    confirming.CONFIRM: confirming.later,
    followups.KIND: followups.ask,
    gaps.SHOW: gaps.show,
    ladder.STEP: ladder.step,
    erasing.OVER: erasing.proposal_over,
    enclosures.FORGET: enclosures.forget_draft,
    silence.KIND: silence.over,
    wishes.DUE: wishes.look_again,
    unanswered.REMIND: unanswered.remind,
    unanswered.SHOW: unanswered.show,
}
