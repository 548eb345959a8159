"""`mailcounsel appointment`: meetings by video or telephone, by letter and calendar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

from mailcounsel import errors
from mailcounsel.cli import client, nouns, output

WORDS = click.option("--words", default="", help="Your own words above it.")
PLAIN = click.option(
    "--plain", metavar="REASON", help="Send it as ordinary mail this once, and record why."
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the letter and send nothing.")
MOST_MINUTES = 480  # of a meeting
STANDING = {"proposed", "accepted", "moved"}
EARLY, LATE = time(7), time(21)  # a meeting outside of this may be a slip of the pen
NONE = (
    "There are no appointments. To propose one: mailcounsel appointment propose CASE "
    '--start "2026-12-03 15:00" --telephone'
)
START = click.option(
    "--start", required=True, metavar="WHEN", help='"2026-12-03 15:00", in the client\'s time zone.'
)
ROOM = click.option("--room", metavar="LINK", help="The room's link, from any video service.")
TELEPHONE = click.option("--telephone", is_flag=True, help="By telephone instead.")


@click.group(cls=nouns.Noun)
def appointment() -> None:
    """Meet a client by video or telephone.

    \b
    Example: mailcounsel appointment list
    """


@appointment.command()
@click.argument("case")
@START
@click.option(
    "--minutes",
    type=click.IntRange(1, MOST_MINUTES),
    default=50,
    show_default=True,
    help="How long it lasts.",
)
@ROOM
@TELEPHONE
@WORDS
@PLAIN
@DRY_RUN
@output.json_option
@click.pass_obj
def propose(
    setting: client.Settings,
    case: str,
    *,
    start: str,
    minutes: int,
    room: str | None,
    telephone: bool,
    words: str,
    plain: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Propose an hour to a client.

    They get a letter with the hour, in their own time zone, and the link in plain words, and an
    invitation for their calendar in the same letter. They answer with their calendar, or YES or
    NO. Both of you are reminded a day and an hour before. The link is released to the service.

    \b
    Example: mailcounsel appointment propose C-0042 --start "2026-12-03 15:00" --telephone
    """
    meeting = _Meeting("propose", start=start, minutes=minutes, room=_room(room, telephone))
    letter = _Letter(words, plain, dry_run, as_json)
    _send(setting, case, None, meeting, letter)


@appointment.command()
@click.argument("case")
@click.argument("number")
@START
@click.option(
    "--minutes", type=click.IntRange(1, MOST_MINUTES), help="How long it lasts; else as before."
)
@ROOM
@TELEPHONE
@WORDS
@PLAIN
@DRY_RUN
@output.json_option
@click.pass_obj
def move(
    setting: client.Settings,
    case: str,
    number: str,
    *,
    start: str,
    minutes: int | None,
    room: str | None,
    telephone: bool,
    words: str,
    plain: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Move an appointment to another hour, and ask the client again.

    \b
    Example: mailcounsel appointment move C-0042 A1 --start "2026-12-04 10:00"
    """
    where = _room(room, telephone) if room or telephone else None
    meeting = _Meeting("move", start=start, minutes=minutes, room=where)
    _send(setting, case, number, meeting, _Letter(words, plain, dry_run, as_json))


@appointment.command()
@click.argument("case")
@click.argument("number")
@WORDS
@PLAIN
@DRY_RUN
@output.json_option
@click.pass_obj
def cancel(
    setting: client.Settings,
    case: str,
    number: str,
    *,
    words: str,
    plain: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Cancel an appointment, by letter and in the client's calendar.

    \b
    Example: mailcounsel appointment cancel C-0042 A1 --words "I am ill; I will write on Monday."
    """
    letter = _Letter(words, plain, dry_run, as_json)
    _send(setting, case, number, _Meeting("cancel"), letter)


@appointment.command()
@click.argument("case")
@click.argument("number")
@output.json_option
@click.pass_obj
def accept(setting: client.Settings, case: str, number: str, *, as_json: bool) -> None:
    """Keep that the client accepts an hour, as you read or heard it.

    They get a short letter with the day, the hour and the room. Nothing goes out for a decline:
    answer them yourself, or move the appointment.

    \b
    Example: mailcounsel appointment accept C-0042 A1
    """
    _answered(setting, case, number, yes=True, as_json=as_json)


@appointment.command()
@click.argument("case")
@click.argument("number")
@output.json_option
@click.pass_obj
def decline(setting: client.Settings, case: str, number: str, *, as_json: bool) -> None:
    """Keep that the client cannot come at an hour, as you read or heard it.

    \b
    Example: mailcounsel appointment decline C-0042 A1
    """
    _answered(setting, case, number, yes=False, as_json=as_json)


def _answered(
    setting: client.Settings, case: str, number: str, *, yes: bool, as_json: bool
) -> None:
    with client.connect(setting) as service:
        name = service.call("case.show", case=case)["case"]
        which = _standing(service, name, number)["number"]
        answer = service.call("appointment.answer", case=name, number=which, yes=yes)
    told = " The client gets a short confirmation." * bool(answer["confirmed"])
    here = output.local(answer["starts_at"])
    output.emit(
        answer,
        as_json,
        lambda: f"A{which} of {name} is {answer['appointment']}: {here} on your clock.{told}",
    )


@appointment.command("list")
@click.argument("case", required=False)
@output.json_option
@click.pass_obj
def list_(setting: client.Settings, case: str | None, *, as_json: bool) -> None:
    """List the appointments to come, or all of a case.

    \b
    Example: mailcounsel appointment list
    """
    with client.connect(setting) as service:
        answer = service.call("appointment.list", **({"case": case} if case else {}))
    rows = [_row(one) for one in answer["appointments"]]
    heads = ("CASE", "NO", "STATE", "HERE", "FOR THE CLIENT", "WITH", "WHERE")
    output.emit(
        answer,
        as_json,
        lambda: output.table(rows, heads) if rows else NONE,
    )


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    theirs = datetime.fromisoformat(one["starts_at"]).astimezone(ZoneInfo(one["time_zone"]))
    where = "cannot be opened" if one["room"] is None else one["room"] or "telephone"
    return (
        one["case"],
        f"A{one['number']}",
        one["state"],
        output.local(one["starts_at"]),
        f"{theirs:%d %b %H:%M} {one['time_zone']}",
        one["with"],
        where,
    )


# -- the letter -----------------------------------------------------------------------------------


class _Meeting:
    """What was asked for on the command line; what is None stays as it was."""

    def __init__(
        self,
        act: str,
        *,
        start: str | None = None,
        minutes: int | None = None,
        room: str | None = None,
    ) -> None:
        self.act, self.start, self.minutes, self.room = act, start, minutes, room

    def signed(self, old: Mapping[str, Any] | None, zone: ZoneInfo) -> dict[str, Any]:
        """Return what is signed about the meeting; `old` is how it stands now."""
        names = ("starts_at", "ends_at") if old else ()
        was = [datetime.fromisoformat((old or {})[name]) for name in names]
        starts_at = moment_of(self.start, zone) if self.start else was[0]
        lasts = timedelta(minutes=self.minutes) if self.minutes else was[1] - was[0]
        before = (old or {}).get("room") or ""
        return {
            "act": self.act,
            "number": old["number"] if old else 0,
            "sequence": old["sequence"] + 1 if old else 0,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + lasts).isoformat(),
            "room": before if self.room is None else self.room,
        }


class _Letter:
    """How the letter is to be sent."""

    def __init__(self, words: str, plain: str | None, dry_run: bool, as_json: bool) -> None:
        self.words, self.plain, self.dry_run, self.as_json = words, plain, dry_run, as_json


def _room(room: str | None, telephone: bool) -> str:
    if bool(room) == telephone:
        message = "Say where you meet: --room LINK, or --telephone."
        raise click.UsageError(message)
    return room or ""


def moment_of(start: str, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, of an hour on the client's clock; the first where it comes twice.

    Raises: Refused for one that cannot be read, or that the clocks skip on that day.
    """
    try:
        wall = datetime.strptime(start.strip().replace("T", " "), "%Y-%m-%d %H:%M")  # noqa: DTZ007
    except ValueError as fault:
        message = f'{start!r} is not a day and an hour. Write it like "2026-12-03 15:00".'
        raise errors.Refused(message) from fault
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall:
        message = f"The clocks of {zone.key} skip {start} on that day. Choose another hour."
        raise errors.Refused(message)
    return moment


def _send(
    setting: client.Settings, case: str, number: str | None, meeting: _Meeting, letter: _Letter
) -> None:
    from mailcounsel.cli import reply, unlock

    template = "appointment-cancelled" if meeting.act == "cancel" else "appointment"
    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        name = opened.shown["case"]
        old = None if number is None else _standing(service, name, number)
        to_come = service.call("appointment.list")["appointments"]
        begun = service.call("reply.begin", case=name, template=template)
    zone = ZoneInfo(begun["time_zone"])
    planned = meeting.signed(old, zone)
    me = opened.shown["person"]
    for doubt in doubts({**planned, "case": name, "with": me}, to_come, zone):
        click.echo(doubt, err=True)
    reason = reply.reason_for(opened.shown, begun["ticket"]["channel"], letter.plain)
    facts = _facts(planned, old, zone, begun["language"])
    words = letter.words.strip()
    signed = reply.statement_of(begun, words, reason, template, facts, appointment=planned)
    if letter.dry_run:
        reply.show(signed)
        return
    with client.connect(setting) as service:
        sent = service.call("appointment.send", **reply.signed(opened, signed))
    answer = {**sent, "case": name, "channel": begun["ticket"]["channel"], **_hours(planned)}
    output.emit(answer, letter.as_json, lambda: _said(answer, reply.said_of(answer, reason)))


def doubts(
    planned: Mapping[str, Any], to_come: Sequence[Mapping[str, Any]], zone: ZoneInfo
) -> Iterator[str]:
    """Yield what may be wrong with the hour of a meeting, which is for the person to judge.

    It overlaps another meeting of this client or of this person, or is early or late there.
    """
    if planned["act"] == "cancel":
        return
    for one in to_come:
        if _overlaps(planned, one):
            which = f"A{one['number']} of {one['case']}"
            yield f"Look again: it overlaps {which}, {output.local(one['starts_at'])} here."
    theirs, over = (moment.astimezone(zone) for moment in _moments(planned))
    if theirs.time() < EARLY or over > datetime.combine(theirs.date(), LATE, tzinfo=zone):
        yield f"Look again: it is from {theirs:%H:%M} to {over:%H:%M} for the client ({zone.key})."


def _overlaps(planned: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two meetings of one client, or of one of us, would be at the same time."""
    is_itself = (other["case"], other["number"]) == (planned["case"], planned["number"])
    if is_itself or other["state"] not in STANDING:
        return False
    if other["case"] != planned["case"] and other["with"] != planned["with"]:
        return False
    (starts_at, ends_at), (begins, ends) = _moments(planned), _moments(other)
    return begins < ends_at and starts_at < ends


def _moments(one: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(one["starts_at"]), datetime.fromisoformat(one["ends_at"])


def _standing(service: client.Service, case: str, number: str) -> Mapping[str, Any]:
    wanted = number.upper().removeprefix("A")
    listed = service.call("appointment.list", case=case)["appointments"]
    for one in listed:
        if str(one["number"]) == wanted and one["case"] == case:
            return dict(one)
    shows = f"`mailcounsel appointment list {case}` shows what there is."
    message = f"{case} has no appointment {number}. {shows}"
    raise errors.NotFound(message)


def _facts(
    planned: Mapping[str, Any], old: Mapping[str, Any] | None, zone: ZoneInfo, language: str
) -> dict[str, Any]:
    """Return what the letter says of the meeting, in the client's zone and language."""
    from mailcounsel.letter import templates

    def spoken(moment: str) -> str:
        return templates.hour(datetime.fromisoformat(moment).astimezone(zone), language)

    if planned["act"] == "cancel":
        return {"when": spoken(planned["starts_at"])}
    starts_at, ends_at = (datetime.fromisoformat(planned[n]) for n in ("starts_at", "ends_at"))
    return {
        "when": spoken(planned["starts_at"]),
        "before": spoken(old["starts_at"]) if old else "",
        "minutes": (ends_at - starts_at) // timedelta(minutes=1),
        "room": planned["room"],
    }


def _hours(planned: Mapping[str, Any]) -> dict[str, Any]:
    return {name: planned[name] for name in ("starts_at", "ends_at")}


def _said(answer: Mapping[str, Any], leaves: str) -> str:
    here = output.local(answer["starts_at"])
    return f"{leaves}\nA{answer['number']} is {answer['appointment']}: {here} on your clock."
