"""A client's wish for a copy of their file, or for its end: asked for, noticed, denied, done.

    asked, signed by a key that is no news ──▶ ready ───────┐
    asked with our token only ──▶ notice ──seven days──▶ ready ──a person──▶ done
                                     └──── the client says no ──▶ denied

Our token comes back with whoever reads the client's mail. So a wish without a signature is told to
the client first, and is ready no sooner than seven days after that notice left. So is one signed
by a key that came later than the client's first letter and is younger than those seven days: with
our token anybody can bring a first key, and sign with it. An answer to the notice stops it,
whoever wrote it and whatever it says: to stop too much costs a letter, to erase too much cannot be
mended. Nothing here is ever carried out without a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, select, update

from mailcounsel import errors
from mailcounsel.casework import errands, letters, promises, records
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.casework.references import ours
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.trust import addressbook, pins

wishes = models.table(models.Wish)

GRAVE = frozenset({"copy", "erase"})
SIGNED = "signed"
NOTICE = timedelta(days=7)
AGAIN = timedelta(days=1)  # when to look again whether a notice has left
DUE = "wish-due"  # the kind of errand
OPEN = ("notice", "ready")
NEW_KEY = "new-key"  # what a signature proves by a key that is news


def weighed(
    connection: Connection, office: Office, case: RowMapping, proof: str, now: datetime
) -> str:
    """Return what proves a wish: a signature by a key that came just now is none yet."""
    if proof != SIGNED:
        return proof
    client_id = case["client_id"]
    since = pins.used_since(connection, office.keyring, client_id)
    came_at = statements.row(connection, addressbook.clients, client_id)["created_at"]
    is_known = since is not None and (since <= came_at or since <= now - NOTICE)
    return SIGNED if is_known else NEW_KEY


def ask(
    connection: Connection,
    office: Office,
    case: RowMapping,
    kind: str,
    proof: str,
    letter_id: str,
    now: datetime,
) -> None:
    """Keep what a client's letter asks for, and tell them of it where nothing is signed.

    `proof` is what was `weighed`. The same wish again changes nothing, unless it is signed this
    time. Flags show it to a person.
    """
    standing = _open(connection, case["id"], kind)
    if standing and (proof != SIGNED or standing["state"] == "ready"):
        return
    if standing:
        _become_ready(connection, standing, now, proof=SIGNED)
        return
    wish_id = new_id()
    state = "ready" if proof == SIGNED else "notice"
    row = {"id": wish_id, "case_id": case["id"], "letter_id": letter_id, "kind": kind}
    statements.add(connection, wishes, **row, proof=proof, state=state, asked_at=now)
    if proof == SIGNED:
        records.flag(connection, now, case["id"], f"asks-{kind}", letter_id)
        return
    records.flag(connection, now, case["id"], f"asks-{kind}-unsigned", letter_id)
    outgoing_id = _tell(connection, office, case, kind, wish_id, now)
    statements.change(connection, wishes, wish_id, outgoing_id=outgoing_id)
    errands.put(connection, case["id"], DUE, wish_id, now + NOTICE)


def _tell(
    connection: Connection, office: Office, case: RowMapping, kind: str, wish_id: str, now: datetime
) -> str | None:
    """Tell a client what was asked in their name, until when they can say no, and how."""
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    day = promises.local_day(now + NOTICE, zone, case["language"])
    asked = Asked(f"{kind}-notice", {"ready_day": day}, once=f"wish:{wish_id}", is_answer=False)
    return letters.ask(connection, office, case, asked, now)


def _open(connection: Connection, case_id: str, kind: str) -> RowMapping | None:
    found = of_cases(connection, [case_id])
    return next((row for row in found if row["kind"] == kind and row["state"] in OPEN), None)


def of_cases(connection: Connection, case_ids: Sequence[str]) -> list[RowMapping]:
    """Return the wishes of some cases, oldest first."""
    query = select(wishes).where(wishes.c.case_id.in_(case_ids))
    return list(connection.execute(query.order_by(wishes.c.asked_at, wishes.c.id)).mappings())


def ready_at(connection: Connection, wish: RowMapping) -> datetime | None:
    """Return from when on a person may carry out a wish; None while its notice has not left."""
    if wish["proof"] == SIGNED:
        return wish["asked_at"]  # type: ignore[no-any-return]  # a row's values have no type
    notice = statements.one(connection, letters.outgoing, id=wish["outgoing_id"] or "")
    if notice is None or notice["state"] != "sent" or notice["sent_at"] is None:
        return None
    told: datetime = notice["sent_at"]
    return told + NOTICE


def look_again(connection: Connection, _office: Office, errand: RowMapping, now: datetime) -> None:
    """Do the errand `wish-due`: the wish is ready once its notice left seven days ago.

    Until then it is looked at again; a notice that never left, or came back, makes nothing ready.
    """
    wish = statements.row(connection, wishes, errand["ref"])
    if wish["state"] != "notice":
        return
    ready = ready_at(connection, wish)
    if ready is not None and ready <= now:
        _become_ready(connection, wish, now)
        return
    later = ready if ready is not None else now + AGAIN
    errands.put(connection, wish["case_id"], DUE, wish["id"], later)


def _become_ready(
    connection: Connection, wish: RowMapping, now: datetime, proof: str | None = None
) -> None:
    values = {"state": "ready", "proof": proof or wish["proof"]}
    statements.change(connection, wishes, wish["id"], **values)
    errands.drop(connection, DUE, wish["id"])
    _clear_flags(connection, wish, now, "service")
    flag = f"asks-{wish['kind']}" if proof else f"asks-{wish['kind']}-due"
    records.flag(connection, now, wish["case_id"], flag, wish["letter_id"] or "")
    records.audit(connection, now, "service", f"wish-ready-{wish['kind']}", wish["case_id"])


def _clear_flags(connection: Connection, wish: RowMapping, now: datetime, by: str) -> None:
    for kind in ("", "-unsigned", "-due"):
        name = f"asks-{wish['kind']}{kind}"
        records.clear_flag(connection, now, wish["case_id"], name, by)


def denied_by(
    connection: Connection,
    office: Office,
    references: Sequence[str],
    letter_id: str,
    command: str | None,
    now: datetime,
) -> list[str]:
    """Stop the wishes whose notice a letter answers, and return the ids of their cases.

    `references` are the Message-IDs the letter answers. Only the same word again (`command`) is no
    denial, and changes nothing. A signed wish is never stopped by this.
    """
    answered = [one for ids in ours(connection, office, references) for one in ids]
    if not answered:
        return []
    doubted = wishes.c.outgoing_id.in_(answered) & wishes.c.state.in_(OPEN)
    doubted &= (wishes.c.proof != SIGNED) & (wishes.c.kind != (command or ""))
    rows = connection.execute(select(wishes).where(doubted)).mappings().all()
    for wish in rows:
        _deny(connection, wish, letter_id, now)
    return [row["case_id"] for row in rows]


def _deny(connection: Connection, wish: RowMapping, letter_id: str, now: datetime) -> None:
    values = {"state": "denied", "ended_at": now, "ended_by": "client"}
    statements.change(connection, wishes, wish["id"], **values)
    errands.drop(connection, DUE, wish["id"])
    _clear_flags(connection, wish, now, "service")
    flag = f"asks-{wish['kind']}-denied"
    records.flag(connection, now, wish["case_id"], flag, letter_id)
    records.audit(connection, now, "client", f"wish-denied-{wish['kind']}", wish["case_id"])


def check(
    connection: Connection,
    office: Office,
    case_ids: Sequence[str],
    name: str,
    kind: str,
    now: datetime,
) -> None:
    """Refuse to carry out a wish too early, or one the client denied.

    `name` is what people call the case. Raises: Conflict, with the date where there is one.
    """
    flags = {flag["kind"] for flag in records.flags_of(connection, case_ids)}
    if f"asks-{kind}-denied" in flags:
        message = (
            f"{name}: the client was told of this and answered. Read what they wrote; when you are "
            f"sure: mailcounsel seen {name} asks-{kind}-denied. Nothing was changed."
        )
        raise errors.Conflict(message)
    for wish in of_cases(connection, case_ids):
        if wish["kind"] != kind or wish["state"] not in OPEN:
            continue
        ready = ready_at(connection, wish)  # counted anew: a clock may have been ahead
        if ready is None or ready > now:
            raise errors.Conflict(_too_early(office, name, ready))


def _too_early(office: Office, name: str, ready: datetime | None) -> str:
    asked = f"{name}: this was asked for without a signature, or signed by a key that is new."
    if ready is None:
        return (
            f"{asked} The letter that tells the client so has not left yet (see mailcounsel "
            "outbox). Nothing was changed."
        )
    zone = ZoneInfo(office.config.centre.time_zone)
    return (
        f"{asked} The client has until {promises.local_day(ready, zone, 'en')} to say that it was "
        "not they. Nothing was changed."
    )


def done(
    connection: Connection, case_ids: Sequence[str], kind: str, by: str, now: datetime
) -> bool:
    """Write down that a person carried out what was asked; False where nobody had asked."""
    here = wishes.c.case_id.in_(case_ids) & (wishes.c.kind == kind) & wishes.c.state.in_(OPEN)
    ended = update(wishes).where(here).values(state="done", ended_at=now, ended_by=by)
    for wish in connection.execute(select(wishes).where(here)).mappings().all():
        _clear_flags(connection, wish, now, by)
    return connection.execute(ended).rowcount > 0
