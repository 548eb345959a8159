"""Questionnaires sent to a client, and the answers that come back.

A questionnaire is a row of `goal` that asks "measure"; its label, sealed, is the questionnaire's
name. It goes out in a letter of its own, and one with an item that asks for danger only while
somebody is at work to read the answer. The score is reckoned while the letter is open and sealed
to the case at once; the client is thanked, and told neither number nor word of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, bindparam, select

from mailcounsel import errors
from mailcounsel.casework import (
    gaps,
    goals,
    hours,
    letters,
    questions,
    records,
    recurrence,
    resting,
)
from mailcounsel.casework.goals import NewGoal
from mailcounsel.casework.letters import Asked
from mailcounsel.casework.office import Office
from mailcounsel.casework.references import ours
from mailcounsel.config import Config
from mailcounsel.letter import fold, templates
from mailcounsel.practice import questionnaire, scores, shelf
from mailcounsel.practice.forms import REST
from mailcounsel.practice.instruments import Measure
from mailcounsel.practice.names import MEASURE
from mailcounsel.practice.questionnaire import Answers
from mailcounsel.store import models, statements
from mailcounsel.store.columns import new_id
from mailcounsel.store.ready import Ready
from mailcounsel.trust import addressbook, casekeys

checkins = models.table(models.CheckIn)

ONCE = "once"
A_DAY = timedelta(days=1)

_NAMED = Ready(
    select(checkins)
    .join(goals.goals, goals.goals.c.id == checkins.c.goal_id)
    .where(checkins.c.outgoing_id == bindparam("outgoing"))
    .where(goals.goals.c.asks == MEASURE, goals.goals.c.case_id == bindparam("case"))
)


def folders(config: Config) -> list[Path]:
    """Return where a centre keeps questionnaires of its own: imported ones, then a folder's."""
    own = config.centre.measures
    return [imported(config), *([own] if own else [])]


def imported(config: Config) -> Path:
    """Return the folder that imported questionnaires are kept in."""
    return config.centre.state_dir / "measures"


# -- sending ------------------------------------------------------------------------------------


def send(
    connection: Connection,
    office: Office,
    case: RowMapping,
    new: NewGoal,
    person: str,
    now: datetime,
) -> RowMapping:
    """Have a client asked a questionnaire, once or regularly. Return the row that asks.

    `new.text` is the questionnaire's name, `new.every` "once" or as in `recurrence.parse`; once
    without `new.at` is at once.
    Raises: NotFound for one that is not here in the client's language; Conflict when the client is
    asked it already; Refused for a rhythm that cannot be read, or when nobody would read in time.
    """
    measure = shelf.find(new.text, case["language"], folders(office.config))
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    if any(_name(office, row) == measure.name for row in _active(connection, case)):
        message = f"This client is asked {measure.title} already. `mailcounsel goal stop` ends it."
        raise errors.Conflict(message)
    weekday, due_at = None, now
    if new.every != ONCE:
        rule = recurrence.parse(new.every, new.at)
        weekday, due_at = rule.weekday, recurrence.next_due(now, rule, zone)
    elif new.at:
        due_at = recurrence.next_due(now, recurrence.parse_once(new.at), zone)
    if _when(office, case, measure, due_at, zone) is None:
        raise errors.Refused(_why_never(office, case, measure, due_at, zone))
    return goals.keep(connection, office, case, new, weekday, due_at, person, now)


def _why_never(
    office: Office, case: RowMapping, measure: Measure, due_at: datetime, zone: ZoneInfo
) -> str:
    """Say why no hour is right: the centre is never there, or it is while the client sleeps."""
    said = (
        f"{measure.title} asks for danger, and in the next month there is no hour in which "
        "somebody here would read this client's answer"
    )
    ours = ZoneInfo(office.config.centre.time_zone)
    if zone.key == ours.key or _when(office, case, measure, due_at, ours) is None:
        return f"{said}. See hours.working and who is away."
    return (
        f"{said}: your working hours fall into their night, by the clock of {zone.key} "
        "(hours.quiet). See mailcounsel case client, or ask in a letter of your own."
    )


def _active(connection: Connection, case: RowMapping) -> Sequence[RowMapping]:
    same = {"case_id": case["id"], "asks": MEASURE, "state": "active"}
    return statements.every(connection, goals.goals, **same)


def _name(office: Office, goal: RowMapping) -> str:
    return goals.label_of(office, goal).casefold()


def leaves_at(
    connection: Connection, office: Office, case: RowMapping, goal: RowMapping
) -> datetime:
    """Return when a questionnaire that is due goes out, or soon after: when somebody reads."""
    measure = shelf.find(_name(office, goal), case["language"], folders(office.config))
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    window = _when(office, case, measure, goal["next_due_at"], zone)
    return window[0] if window else goal["next_due_at"]


def _when(
    office: Office, case: RowMapping, measure: Measure, due_at: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime | None] | None:
    """Return when a questionnaire may go out and until when; None when nobody would read it."""
    if measure.danger:
        return hours.reading_time(office.config, case["queue"], due_at, zone)
    return hours.quiet_hours(office.config).next_allowed(due_at, zone), None


def ask(
    connection: Connection,
    office: Office,
    case: RowMapping,
    goal: RowMapping,
    reason: str,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Ask what is due: send it, move it to when somebody reads, or leave it out for a reason.

    While the client is silent it waits, a day at a time: left out, it might never be asked.
    """
    if goal["next_due_at"] > now:
        return
    if reason == resting.SILENT:
        statements.change(connection, goals.goals, goal["id"], next_due_at=now + A_DAY)
        return
    measure = _found(connection, office, case, goal, now)
    window = _when(office, case, measure, now, zone) if measure else None
    if measure and window and window[0] > now and not reason:
        statements.change(connection, goals.goals, goal["id"], next_due_at=window[0])
        return
    _move_on(connection, goal, zone, now)
    why = reason or ("" if measure and window else "no-form" if not measure else "no-hours")
    row = {"id": new_id(), "goal_id": goal["id"], "due_at": goal["next_due_at"]}
    values = {"state": "skipped" if why else "asked", "reason": why}
    is_new = statements.insert_once(connection, checkins, {**row, **values})
    if is_new and not why and measure and window:
        _post(connection, office, case, measure, row["id"], window[1], now)


def _move_on(connection: Connection, goal: RowMapping, zone: ZoneInfo, now: datetime) -> None:
    if goal["every"] == ONCE:
        statements.change(connection, goals.goals, goal["id"], state="stopped")
        return
    rule = recurrence.parse(goal["every"], goal["at"])
    after = recurrence.next_due(max(now, goal["next_due_at"]), rule, zone)
    statements.change(connection, goals.goals, goal["id"], next_due_at=after)


def _found(
    connection: Connection, office: Office, case: RowMapping, goal: RowMapping, now: datetime
) -> Measure | None:
    """Return the questionnaire of a row; where its file is gone, show that to a person."""
    try:
        return shelf.find(_name(office, goal), case["language"], folders(office.config))
    except errors.NotFound:
        records.flag(connection, now, case["id"], "no-form", goal["id"])
        return None


def _post(
    connection: Connection,
    office: Office,
    case: RowMapping,
    measure: Measure,
    checkin_id: str,
    until: datetime | None,
    now: datetime,
) -> None:
    asked = Asked(
        MEASURE,
        facts(measure),
        once=f"checkin:{checkin_id}",
        is_answer=False,
        due_at=now,
        expires_at=until,
    )
    outgoing_id = letters.ask(connection, office, case, asked, now)
    values = {"outgoing_id": outgoing_id}
    if outgoing_id is None:
        values |= {"state": "skipped", "reason": "no-way"}
        records.flag(connection, now, case["id"], "no-way", checkin_id)
    statements.change(connection, checkins, checkin_id, **values)


def facts(measure: Measure) -> dict[str, templates.Fact]:
    """Return what the template `measure` says about a questionnaire."""
    values = sorted(measure.values)
    shown = [values[min(2, len(values) - 1)], values[0], values[1]][: len(measure.items)]
    more = " …" if len(measure.items) > len(shown) else ""
    return {
        "question": measure.question,
        "options": "\n".join(f"    {one.value} = {one.words}" for one in measure.options),
        "items": "\n".join(f"{number}. {words}" for number, words in enumerate(measure.items, 1)),
        "example": " ".join(map(str, shown)) + more,
        "notice": measure.notice,
    }


# -- answers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """A client's letter that may answer a questionnaire; `named` when it refers to the asking.

    One that a machine may have written does not count, and may show danger all the same.
    """

    letter_id: str
    text: str
    named: bool
    may_answer: bool
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of it: whether danger is in it, and whether there is nothing else to read."""

    is_danger: bool
    is_all: bool


def named_by(
    connection: Connection, office: Office, case_ids: Sequence[str], references: Sequence[str]
) -> RowMapping | None:
    """Return the check-in of the questionnaire a client's letter refers to, whatever its state.

    `references` run from the nearest to the oldest; only the nearest letter of ours counts.
    """
    ids = next(ours(connection, office, references), [])
    named = [{"outgoing": one, "case": case_id} for one in ids for case_id in case_ids]
    found = (row for values in named for row in _NAMED.rows(connection, values))
    return next(found, None)


def take(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    reply: Reply,
    now: datetime,
) -> Taken:
    """Read a reply to a questionnaire, keep answers and score sealed, and thank for it.

    A letter that does not refer to the asking counts only when it is whole. One that comes when
    there is an answer already, after two weeks, or from a machine, changes nothing but may show
    danger.
    """
    goal = statements.one(connection, goals.goals, id=checkin["goal_id"])
    measure = _found(connection, office, case, goal, now) if goal else None
    if measure is None:
        return Taken(is_danger=False, is_all=False)
    rest = gaps.rest_of(office, checkin)
    sent = sent_text(office, case, measure)
    if rest:
        return _take_rest(connection, office, case, checkin, rest, measure, reply, sent, now)
    read = questionnaire.read(reply.text, measure, sent)
    is_late = checkin["due_at"] <= now - questions.ANSWER_LASTS or checkin["state"] == "answered"
    if is_late or not reply.counts or not (reply.named or read.is_whole):
        return Taken(read.is_danger and (reply.named or any(read.items)), is_all=False)
    is_scored = _keep(connection, office, case, checkin, measure, read, reply, now)
    is_all = not read.says_more and not read.is_danger
    if is_scored:
        gaps.settle(connection, case, checkin["id"], now)
    elif is_all and gaps.is_refused(read):
        gaps.show_refused(connection, case, checkin, now)
    else:
        is_asked = reply.may_answer and _ask_rest(
            connection, office, case, checkin, measure, read, now
        )
        return Taken(read.is_danger, is_all and is_asked)
    if is_all:
        _thank(connection, office, case, checkin, reply, now)
    return Taken(read.is_danger, is_all)


def _thank(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    reply: Reply,
    now: datetime,
) -> None:
    if reply.may_answer:
        once = f"thanks:{checkin['outgoing_id']}"
        letters.ask(connection, office, case, Asked("checkin-thanks", {}, once), now)


def _ask_rest(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    measure: Measure,
    read: Answers,
    now: datetime,
) -> bool:
    """Ask once for what a client left open, when somebody reads; tell whether that is done."""
    if not gaps.may_ask(read):
        return False
    zone = ZoneInfo(addressbook.facts(connection, case["client_id"]).time_zone)
    window = _when(office, case, measure, now, zone)
    return window is not None and gaps.ask(connection, office, case, checkin, read, window, now)


def _take_rest(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    rest: gaps.Rest,
    measure: Measure,
    reply: Reply,
    sent: str,
    now: datetime,
) -> Taken:
    """Keep the answers to what was left open; whatever is not certain is read by a person."""
    sent = f"{sent}\n{gaps.sent_text(office, case['language'], rest)}"
    read = gaps.read(reply.text, measure, rest, sent)
    is_late = checkin["due_at"] <= now - questions.ANSWER_LASTS
    is_open = reply.counts and gaps.is_open(connection, checkin, rest) and not is_late
    if not is_open or not gaps.is_filled(read, rest):
        return Taken(read.is_danger and (reply.named or any(read.items)), is_all=False)
    only = [value if at in rest.items else None for at, value in enumerate(read.items, 1)]
    read = replace(read, items=tuple(only))
    _seal(connection, office, case, checkin, measure, read, reply, now, completes=rest.of)
    gaps.settle(connection, case, rest.of, now)
    is_all = not read.says_more and not read.is_danger
    if is_all:
        _thank(connection, office, case, checkin, reply, now)
    return Taken(read.is_danger, is_all)


def are_ours(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    text: str,
    places: Sequence[tuple[int, int]],
) -> bool:
    """Tell whether places in a reply all stand in lines of the letter that asked, unchanged.

    A program that quotes without marks sends our own words back, and one of our questions asks for
    danger.
    """
    goal = statements.one(connection, goals.goals, id=checkin["goal_id"])
    try:
        name = _name(office, goal) if goal else ""
        measure = shelf.find(name, case["language"], folders(office.config))
    except errors.NotFound:
        return False
    spans = fold.fold(text, (sent_text(office, case, measure),))
    ours = [span for span in spans if span.kind == "quote"]
    return all(any(one.start <= a and b <= one.end for one in ours) for a, b in places)


def sent_text(office: Office, case: RowMapping, measure: Measure) -> str:
    """Return the words of the letter that asked, as it is written today."""
    given = {**letters.common_facts(office, case["language"]), **facts(measure)}
    override = office.config.centre.templates
    return templates.render(case["language"], MEASURE, given, override).body


def _keep(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    measure: Measure,
    read: Answers,
    reply: Reply,
    now: datetime,
) -> bool:
    """Seal what was read to the case's readers. Return whether there is a score."""
    score = scores.total(measure, read.items) if read.is_certain else None
    _seal(connection, office, case, checkin, measure, read, reply, now, score=score)
    if score is None:
        reason = next(iter(read.doubts.values()), "gap")
        statements.change(connection, checkins, checkin["id"], state="unsure", reason=reason)
    return score is not None


def _seal(
    connection: Connection,
    office: Office,
    case: RowMapping,
    checkin: RowMapping,
    measure: Measure,
    read: Answers,
    reply: Reply,
    now: datetime,
    *,
    score: float | None = None,
    completes: str | None = None,
) -> None:
    """Keep an answer sealed to the case's readers, as `mailcounsel.practice.forms` reads it."""
    content: dict[str, Any] = {
        "measure": measure.name,
        "version": measure.version,
        "language": measure.language,
        "items": list(read.items),
        "doubts": {str(number): reason for number, reason in read.doubts.items()},
        "score": score,
        "sum": scores.subtotal(measure, read.items),
        "times": measure.scoring.times,
        "may_miss": measure.scoring.missing,
        "completes": completes,
    }
    sealed = casekeys.seal(
        connection,
        office.keyring,
        case["id"],
        case["epoch"],
        casekeys.CONTENT,
        json.dumps(content, ensure_ascii=False).encode(),
        f"checkin/{checkin['id']}/answer",
    )
    statements.change(
        connection,
        checkins,
        checkin["id"],
        state="answered",
        reason=REST if completes else "",
        letter_id=reply.letter_id,
        epoch=case["epoch"],
        answer=sealed,
        answered_at=now,
    )
