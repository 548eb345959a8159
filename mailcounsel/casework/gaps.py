"""A form with a gap: the client is asked once for what is open, and their answer completes it.

The service cannot open the first answer any more, so it keeps which items are open, and nothing of
the others, sealed with the address book's key. What comes back is a check-in of its own with the
reason `REST`; the reader's process puts both together (`mailcounsel.practice.forms`). Where nothing
comes back, a person is shown the form with its gaps: what was left open may be what matters most.
An item with a hyphen was left out on purpose: it is not asked about again, and shown at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping

from mailcounsel.casework import cases, errands, letters, records
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.letter import templates
from mailcounsel.practice import questionnaire
from mailcounsel.practice.forms import REST
from mailcounsel.practice.instruments import Measure
from mailcounsel.practice.questionnaire import Answers
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id

checkins = models.table(models.CheckIn)

TEMPLATE = "measure-rest"
A_SECOND = timedelta(seconds=1)
SHOW = "rest-silent"  # an errand; its `ref` is the check-in with the gaps
OPEN = "form-gap"  # the flag a person sees
PATIENCE = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Rest:
    """Which check-in is completed, and the numbers of its open items, from 1."""

    of: str
    items: tuple[int, ...]


def ask(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    read: Answers,
    window: tuple[datetime, datetime | None],
    now: datetime,
) -> bool:
    """Ask once for the items a client left open; False where that is not to be sent.

    `window` is when the letter may leave: an open item may be one that asks for danger.
    """
    rest = Rest(checkin["id"], _open(read))
    due_at, expires_at = window
    once = f"rest:{checkin['id']}"
    said = facts(case["language"], rest.items)
    asked = Asked(TEMPLATE, said, once, due_at=due_at, expires_at=expires_at)
    outgoing_id = letters.ask(connection, office, case, asked, now)
    if outgoing_id is None:
        return False
    # Of one goal no two check-ins are due at the same moment.
    after = max(due_at, checkin["due_at"] + A_SECOND)
    same = {"goal_id": checkin["goal_id"], "outgoing_id": outgoing_id}
    row = {"id": new_id(), "due_at": after, **same}
    sealed = office.keyring.seal(
        "addressbook", json.dumps([rest.of, rest.items]).encode(), _place(row["id"])
    )
    statements.add(connection, checkins, **row, state="asked", reason=REST, sealed_rest=sealed)
    errands.put(connection, case["id"], SHOW, rest.of, due_at + PATIENCE)
    return True


def show(connection: Connection, _: Office, errand: RowMapping, now: datetime) -> None:
    """Show a person a form that kept its gaps (an errand's duty)."""
    case = cases.main(connection, errand["case_id"])
    form = statements.row(connection, checkins, errand["ref"])
    if form["state"] != "answered" and case["state"] != "closed":
        records.flag(connection, now, case["id"], OPEN, form["id"])


def facts(language: str, items: Sequence[int]) -> dict[str, templates.Fact]:
    """Return what the template says: the open numbers, in words and as a form to fill in."""
    *first, last = map(str, items)
    joined = f"{', '.join(first)} {'dan' if language == 'id' else 'and'} {last}" if first else last
    return {"numbers": joined, "form": ", ".join(f"{number}: …" for number in items)}


def sent_text(office: Office, language: str, rest: Rest) -> str:
    """Return the words of the letter that asked, as it is written today."""
    given = {**letters.common_facts(office, language), **facts(language, rest.items)}
    return templates.render(language, TEMPLATE, given, office.config.centre.templates).body


def may_ask(read: Answers) -> bool:
    """Tell whether a form only lacks some answers: nothing in it is in doubt, most of it is there.

    A form that is hardly begun was not meant to be filled in.
    """
    given = sum(value is not None for value in read.items)
    return read.is_certain and not read.is_danger and given >= len(_open(read)) > 0


def _open(read: Answers) -> tuple[int, ...]:
    """Return what was not answered; an item that was refused is answered, and not asked again."""
    return tuple(
        number
        for number, value in enumerate(read.items, 1)
        if value is None and number not in read.refused
    )


def is_refused(read: Answers) -> bool:
    """Tell whether a form lacks only what a client left out on purpose, and has most of it."""
    given = sum(value is not None for value in read.items)
    return read.is_certain and not _open(read) and given >= len(read.refused) > 0


def show_refused(
    connection: Connection, case: RowMapping, checkin: RowMapping, now: datetime
) -> None:
    """Show a person that a client would not answer something: it may be what matters most."""
    records.flag(connection, now, case["id"], OPEN, checkin["id"])


def rest_of(office: Office, checkin: RowMapping) -> Rest | None:
    """Return what a check-in completes, None where it is one of its own."""
    if checkin["sealed_rest"] is None:
        return None
    opened = office.keyring.open(checkin["sealed_rest"], _place(checkin["id"]))
    of, items = json.loads(opened)
    return Rest(of, tuple(items))


def _place(checkin_id: str) -> str:
    return f"checkin/{checkin_id}/rest"


def read(text: str, measure: Measure, rest: Rest, sent: str) -> Answers:
    """Read the answers to the open items: by their numbers, or in their order. Never raises.

    An item of the others that is named now is left to a person, who sees that it changed.
    """
    named = questionnaire.read(text, measure, sent)
    others = [number for number in range(1, len(named.items) + 1) if number not in rest.items]
    if any(value is not None for value in named.items):
        is_changed = any(named.items[number - 1] is not None for number in others)
        return replace(named, says_more=named.says_more or is_changed)
    alone = replace(
        measure,
        items=tuple(measure.items[number - 1] for number in rest.items),
        danger=frozenset(at for at, one in enumerate(rest.items, 1) if one in measure.danger),
    )
    found = questionnaire.read(text, alone, sent)
    placed = dict(zip(rest.items, found.items, strict=True))
    items = tuple(placed.get(number) for number in range(1, len(named.items) + 1))
    doubts = {rest.items[at - 1] if at else 0: reason for at, reason in found.doubts.items()}
    return Answers(items, doubts, found.says_more, found.is_danger)


def is_filled(read: Answers, rest: Rest) -> bool:
    """Tell whether every open item has a certain value now."""
    return read.is_certain and all(read.items[number - 1] is not None for number in rest.items)


def is_open(connection: Connection, checkin: RowMapping, rest: Rest) -> bool:
    """Tell whether neither the rest nor, meanwhile, the whole form has been answered."""
    form = statements.one(connection, checkins, id=rest.of)
    return checkin["state"] != "answered" and form is not None and form["state"] != "answered"


def settle(connection: Connection, case: RowMapping, form_id: str, now: datetime) -> None:
    """A form has all it needs: nobody needs to be shown its gaps."""
    statements.change(connection, checkins, form_id, state="answered", reason="")
    errands.drop(connection, SHOW, form_id)
    records.clear_flag(connection, now, case["id"], OPEN, "client", form_id)
