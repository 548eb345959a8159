"""What a client's letter asks for by itself: an acknowledgement, or one of the words we offered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, select

from mailcounsel.casework import (
    asking,
    case_word,
    cases,
    consent,
    crisis,
    daytime,
    letters,
    parcels,
    promises,
    records,
    wishes,
)
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.casework.references import ours
from mailcounsel.letter import templates
from mailcounsel.store import statements
from mailcounsel.trust import addressbook, pins

# What only a person can do: another counsellor, a copy of the file, the end of it, and what the
# service cannot read, the client's own numbers.
PROGRESS = "progress"
FOR_A_PERSON = wishes.GRAVE | {"counsellor", PROGRESS}

PRESSING = frozenset({"help", "request"})  # templates that answer what a person sees to first
STOPPED = "stop-unsigned"  # a flag
OFFERS = frozenset({"acknowledgement", "notice", "consent-reminder", "consent-word"})
THANKS = "consent-thanks"
ASK_WORD = "consent-word"  # the template that asks which word was meant
FIRST = timedelta(seconds=1)  # by which thanks for a way are due before what waited for it
NONE = "none"  # what a rule says to send no acknowledgement


def acknowledge(
    connection: Connection,
    office: Office,
    case: RowMapping,
    *,
    is_new: bool,
    template: str | None,
    received_at: datetime,
    now: datetime,
    stranger: str | None = None,
    ask_when: bool = False,
    names_day: bool = True,
) -> None:
    """Tell a client that their letter is here and, where `names_day`, when it is answered.

    Once when a case is opened, then once a day. `stranger` are the words of a letter nobody vouches
    for; of those only so many are answered. `ask_when` asks when they first wrote (`case_word`).
    """
    if template == NONE:
        return
    client = addressbook.facts(connection, case["client_id"])
    zone = ZoneInfo(client.time_zone)
    day = received_at.astimezone(zone).date().isoformat()
    once = f"first:{case['id']}" if is_new else f"again:{case['id']}:{day}"
    name = template or ("acknowledgement" if is_new else "acknowledgement-again")
    if not is_new and letters.exists(connection, once):
        return
    promised = promises.local_day(_promised(office, case, now), zone, case["language"])
    word = case_word.of(office.keyring, case)
    day_named = promised if names_day or is_new else ""
    facts = {"promised_day": day_named, "case_word": word, "ask_when": ask_when}
    asked = Asked(name, facts, once, stranger=stranger)
    written = letters.ask(connection, office, case, asked, now)
    if written and is_new:
        asking.later(connection, office, case, now)


def answers_kind(connection: Connection, office: Office, references: Sequence[str]) -> str:
    """Return the kind of the nearest letter of ours that a letter answers, "" where there is none.

    `references` are the Message-IDs it refers to, the nearest first.
    """
    nearest = next(ours(connection, office, references), [])
    row = statements.one(connection, letters.outgoing, id=nearest[-1]) if nearest else None
    return str(row["kind"]) if row else ""


def ask_word(connection: Connection, office: Office, case: RowMapping, now: datetime) -> bool:
    """Ask a client without a way which word was meant, once a day; True where that is sent."""
    if consent.way(connection, office.keyring, case["client_id"]).channel != parcels.NONE:
        return False
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    promised = promises.local_day(_promised(office, case, now), zone, case["language"])
    once = f"{ASK_WORD}:{case['id']}:{now.astimezone(zone).date().isoformat()}"
    asked = Asked(ASK_WORD, {"promised_day": promised}, once)
    return letters.ask(connection, office, case, asked, now) is not None


def carry_out(
    connection: Connection,
    office: Office,
    case: RowMapping,
    command: str,
    letter_id: str,
    now: datetime,
    *,
    proof: str = "",
    may_answer: bool = True,
    stranger: str | None = None,
) -> None:
    """Do what a client's word asks, or put it before a person; and say so if we may.

    `proof` is what vouches for the letter.
    """
    if command == "agree":
        agree(connection, office, case, letter_id, now, may_answer=may_answer, stranger=stranger)
        template = ""  # thanked for already
    elif command in {"help", "key"}:
        template = command
    elif command in daytime.PARTS:
        daytime.move(connection, office, case, command, now)
        template = "hour"
    elif command in FOR_A_PERSON:
        template = _ask_person(connection, office, case, command, proof, letter_id, now)
    else:
        template = _set_checkins(connection, case, command)
        _show_unsigned(connection, case, command, proof, letter_id, now)
    if template and may_answer:
        hour = daytime.hour(office, command) if command in daytime.PARTS else None
        told = templates.time_of_day(hour, case["language"]) if hour else ""
        _answer(connection, office, case, template, letter_id, now, stranger, told)
    records.audit(connection, now, "client", f"asked-{command}", case["id"], letter_id)


def _show_unsigned(
    connection: Connection,
    case: RowMapping,
    command: str,
    proof: str,
    letter_id: str,
    now: datetime,
) -> None:
    """Show to the therapist a stop that is not signed, until check-ins go on.

    It is obeyed, since mail nobody wants is worse; but it may be another's who reads the mail.
    """
    if command == "stop" and proof != wishes.SIGNED:
        records.flag(connection, now, case["id"], STOPPED, letter_id)
    if command == "resume":
        records.clear_flag(connection, now, case["id"], STOPPED, "client")


def _ask_person(
    connection: Connection,
    office: Office,
    case: RowMapping,
    command: str,
    proof: str,
    letter_id: str,
    now: datetime,
) -> str:
    """Show a client's request to a person, and return the template that answers it.

    A copy or the end of a file that is asked for without a signature has a notice of its own, and
    so has one that a new key signed.
    """
    if command not in wishes.GRAVE:
        records.flag(connection, now, case["id"], f"asks-{command}", letter_id)
        return PROGRESS if command == PROGRESS else "request"
    proof = wishes.weighed(connection, office, case, proof, now)
    wishes.ask(connection, office, case, command, proof, letter_id, now)
    return "request" if proof == wishes.SIGNED else ""


def _client_key(connection: Connection, office: Office, case: RowMapping) -> str:
    """Return the number of the key a client is written to with, in groups of four."""
    pin = pins.pinned(connection, office.keyring, case["client_id"])
    number = pin.fingerprint if pin else ""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def _set_checkins(connection: Connection, case: RowMapping, command: str) -> str:
    """Turn check-ins on or off and return the template that says so."""
    state = {"stop": "stopped", "pause": "paused", "resume": "on"}[command]
    addressbook.set_checkins(connection, case["client_id"], state)
    if state != "on":
        theirs = select(cases.cases.c.id).where(cases.cases.c.client_id == case["client_id"])
        of_client = list(connection.execute(theirs).scalars())
        letters.take_back_checkins(connection, of_client, state)
    return "resumed" if state == "on" else state


def agree(
    connection: Connection,
    office: Office,
    case: RowMapping,
    entry_id: str,
    now: datetime,
    *,
    may_answer: bool = True,
    stranger: str | None = None,
) -> bool:
    """Keep a client's yes with the wording they were offered, let waiting letters go, and thank.

    `entry_id` is the letter that says it, or a person's note of it. False when they had said so
    before.
    """
    if consent.has(connection, office.keyring, case["client_id"]):
        return False
    wording = _offer(office, case["language"])
    consent.give(connection, office.keyring, case["client_id"], entry_id, wording, now)
    released = letters.release_waiting(connection, office, case["client_id"], now)
    records.clear_flag(connection, now, case["id"], asking.UNDECIDED, "service")
    if may_answer:
        _thank(connection, office, case, entry_id, now, stranger, waited=released > 0)
    return True


def _thank(
    connection: Connection,
    office: Office,
    case: RowMapping,
    entry_id: str,
    now: datetime,
    stranger: str | None,
    *,
    waited: bool,
) -> None:
    """Thank for a yes, and say what comes: the letter that waited, a day, or neither.

    One that they were told of and that was taken back since is not promised any more.
    """
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    until = _promised(office, case, now)
    is_owed = case["waiting_since"] is not None
    facts = {
        "promised_day": promises.local_day(until, zone, case["language"]) if is_owed else "",
        "letter_waits": waited,
        "letter_gone": not waited and asking.is_announced(connection, case),
    }
    # Due before the letters that waited for it.
    once, due_at = f"{THANKS}:{entry_id}", now - FIRST
    asked = Asked(THANKS, facts, once, stranger=stranger, due_at=due_at)
    letters.ask(connection, office, cases.get(connection, case["id"]), asked, now)


def _promised(
    office: Office, case: RowMapping, now: datetime, *, presses: bool = False
) -> datetime:
    """Return the day a client is told: the promised one, or a new one where that has passed.

    What presses is promised as that is, whatever rhythm was agreed.
    """
    rank = max(case["priority"], cases.PRIORITIES.index("high") if presses else 0)
    anew = cases.answer_by(office, case, rank, now)
    stands: datetime | None = case["promised_at"]
    if stands is None or stands <= now:
        return anew
    return min(stands, anew) if presses else stands


def _offer(office: Office, language: str) -> str:
    """Return the words in which ordinary mail was offered: those of the acknowledgement.

    Without what was each client's own, the day and the word of the case, so that everybody who was
    offered the same has the same version.
    """
    offered = {"promised_day": "", "offer_plain": True, "case_word": "", "ask_when": False}
    facts = {**letters.common_facts(office, language), **offered}
    override = office.config.centre.templates
    return templates.render(language, "acknowledgement", facts, override).body


def _answer(
    connection: Connection,
    office: Office,
    case: RowMapping,
    template: str,
    letter_id: str,
    now: datetime,
    stranger: str | None,
    hour: str = "",
) -> None:
    client = addressbook.facts(connection, case["client_id"])
    zone = ZoneInfo(client.time_zone)
    until = _promised(office, case, now, presses=template in PRESSING)
    promised = promises.local_day(until, zone, case["language"])
    facts = {"promised_day": promised, "until_day": "", "client_key": "", "hour": hour}
    near = crisis.help_near(office, connection, case, now) if template == "help" else ""
    facts["help_near"] = near
    if template == "key":
        facts["client_key"] = _client_key(connection, office, case)
    asked = Asked(
        template,
        facts,
        once=f"{template}:{letter_id}",
        stranger=stranger,
        is_urgent=template == "help",
    )
    letters.ask(connection, office, cases.get(connection, case["id"]), asked, now)
