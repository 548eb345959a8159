"""A word a client sent back alone: done, or put before a person."""

from __future__ import annotations

from mailcounsel.casework import cases, consent, daytime, requests, staff, wishes
from mailcounsel.intake import assessing, vouching
from mailcounsel.intake.following import waiting
from mailcounsel.intake.following.recorded import Recorded
from mailcounsel.trust import pins


def is_command(this: Recorded) -> bool:
    """Tell whether the letter is one of our words, and vouched for as that word needs it."""
    command = this.plan.assessed.command
    if command is None or this.plan.envelope.suspect:
        return False
    if command == assessing.HELP:
        return True
    if this.is_for_reading or (this.plan.assessed.is_spoken and not _may_be_spoken(this)):
        return False
    if command == assessing.AGREE:
        return _may_agree(this)
    if command in daytime.PARTS and not daytime.asked_about(this.connection, this.case):
        return False  # nobody asks them anything: it was a greeting
    if command in {"copy", "erase"}:
        return this.plan.proof in {vouching.SIGNED, vouching.TOKEN}
    return this.plan.proof != vouching.NOTHING


def _may_be_spoken(this: Recorded) -> bool:
    """Tell whether words among others may be one of ours: not where they answer a person's letter.

    "Setuju ya" counts only as the answer to a letter that asked for that word.
    """
    kind = requests.answers_kind(this.connection, this.office, this.references)
    if this.plan.assessed.command == assessing.AGREE:
        return kind in requests.OFFERS and not this.plan.assessed.may_be_fresh_danger
    return kind != "reply" and not this.plan.assessed.may_be_fresh_danger


def _may_agree(this: Recorded) -> bool:
    """Consent counts only with our token in the letter, for a client without a key of their own.

    Nor while that key is doubted: whoever reads the mailbox has our token, too, and could make us
    doubt the key with one letter and agree to ordinary mail with the next. A person decides. Who
    agreed before and says it to a person's letter, such as one about an hour, means that.
    """
    client_id, keyring = this.case["client_id"], this.office.keyring
    has_key = pins.own(this.connection, keyring, client_id) is not None
    if this.plan.vouched.kind != vouching.TOKEN or has_key:
        return False
    is_known = consent.has(this.connection, keyring, client_id)
    kind = requests.answers_kind(this.connection, this.office, this.references) if is_known else ""
    return kind != "reply"


def carry_out(this: Recorded) -> None:
    """Do what a word asks; a call for help, and words beyond the one, wait for a person."""
    command = this.plan.assessed.command or ""
    requests.carry_out(
        this.connection,
        this.office,
        this.as_it_is(),
        command,
        this.letter_id,
        this.now,
        proof=this.plan.proof,
        may_answer=this.plan.kind.may_answer,
        stranger=this.stranger(),
    )
    is_asking = command in requests.FOR_A_PERSON
    is_pressing = command == assessing.HELP or (is_asking and command != requests.PROGRESS)
    if is_pressing or is_asking or this.plan.assessed.says_more:
        # Who writes for the first time is told how letters may reach them, whatever else they ask.
        waiting.wait(this, acknowledge=this.plan.placement.case is None)
    else:
        this.retype("command")
    if is_pressing:
        came = this.received.received_at
        cases.letter_waits(this.connection, this.office, this.as_it_is(), came, "high")
        occasion = f"{command}:{this.letter_id}"
        staff.notify(this.connection, this.office, this.as_it_is(), occasion, this.now)


def deny(this: Recorded) -> None:
    """Stop what was asked in a client's name where this letter answers our notice of it.

    Whoever wrote it: somebody may be reading the client's mail, so a person looks soon.
    """
    letter, command = this.plan.opened.letter, this.plan.assessed.command
    nearest = [*letter.in_reply_to, *letter.references[-1:]]
    stopped = wishes.denied_by(
        this.connection, this.office, nearest, this.letter_id, command, this.now
    )
    for case_id in stopped:
        case = cases.main(this.connection, case_id)
        cases.raise_priority(this.connection, case["id"], "high")
        occasion = f"denied:{this.letter_id}"
        staff.notify(this.connection, this.office, case, occasion, this.now)
