"""A mail server's report, tied to the mail it reports."""

from __future__ import annotations

from sqlalchemy import select, update

from mailcounsel.casework import letters, records, undelivered
from mailcounsel.intake.following.recorded import Recorded
from mailcounsel.store import models

outgoing = models.table(models.Outgoing)


def tie(this: Recorded) -> None:
    """Tie a bounce to the mail it reports; a reply that bounced opens the case again, loudly.

    A report that came from a person's address is no mail server's: it raises a flag only.
    """
    outgoing_id = this.plan.placement.outgoing_id
    if outgoing_id is None:
        return
    records.flag(this.connection, this.now, this.case_id, "bounced", outgoing_id)
    if this.plan.envelope.mail_from:
        return
    one = outgoing.c.id == outgoing_id
    row = this.connection.execute(select(outgoing).where(one)).mappings().one()
    if row["state"] not in {*letters.LEFT, "bounced"}:
        return  # it has not left, so nobody can have sent it back
    bounced = update(outgoing).where(one, outgoing.c.state.in_(["sent", "uncertain"]))
    this.connection.execute(bounced.values(state="bounced"))
    if row["kind"] == "reply":
        came = this.received.received_at
        undelivered.press(this.connection, this.office, row, this.letter_id, came, this.now)
