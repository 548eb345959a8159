"""`mailcounsel case split`: letters that do not belong in a case go to one of their own.

A supervisor's process opens each letter, with its files and its raw mail, and seals it anew to the
other case's keys. Nothing opened here is written anywhere.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output

PIECE_BYTES = 512 * 1024  # of sealed bytes in one request; a line may have 1 MiB


@click.command()
@click.argument("case")
@click.option(
    "--letter", "named", metavar="N", multiple=True, help="A letter that goes; repeat it."
)
@click.option("--other-client", is_flag=True, help="The letters are another person's.")
@output.json_option
@click.pass_obj
def split(
    setting: client.Settings,
    case: str,
    *,
    named: tuple[str, ...],
    other_client: bool,
    as_json: bool,
) -> None:
    """Move letters that belong elsewhere into a case of their own.

    For two matters of one client, or letters of two people. The new case has the same readers, and
    answers to the moved letters go there. A supervisor carries it out, since the raw mail moves as
    well; from a therapist it is a proposal. With --other-client it takes two people, whoever
    begins, and the new case's client is whoever the letters came from. Without --letter it shows
    what was proposed. `mailcounsel undo NEW-CASE` takes it back. Letters that bear another case's
    name (C-0051/3) go out with that case: `mailcounsel undo C-0051`.

    \b
    Example: mailcounsel case split C-0042 --letter 5 --letter 7 --other-client
    """
    numbers = sorted({_number(case, name) for name in named})
    with client.connect(setting) as service:
        if not numbers:
            _list(service, case, as_json=as_json)
            return
        answer = _split(service, case, numbers, other_client=other_client)
    output.emit(answer, as_json, lambda: _said(case, answer))


def _number(case: str, typed: str) -> int:
    """Return a letter's number. What came with a merged case goes out with that, as a whole."""
    from mailcounsel.cli.show import letter_name

    whose, _, number = letter_name(typed).rpartition("/")
    if whose and letter_name(f"{case}/1") != f"{whose}/1":
        message = (
            f"Letter {typed} came with {whose}, which goes out whole: mailcounsel undo {whose}. "
            f"Then one of its letters: mailcounsel case split {whose} --letter {number}"
        )
        raise errors.Refused(message)
    return int(number)


def _list(service: client.Service, case: str, *, as_json: bool) -> None:
    answer = service.call("split.proposed", case=case)
    lines = [
        f"{one['by']} proposes: {_words(case, one['letters'], other_client=one['other_client'])}"
        for one in answer["proposals"]
    ]
    none = "Nothing is proposed. Name the letters that go, as `mailcounsel show` numbers them."
    output.emit(answer, as_json, lambda: "\n".join(lines) or none)


def _words(case: str, numbers: Sequence[int], *, other_client: bool) -> str:
    named = " ".join(f"--letter {number}" for number in numbers)
    return f"mailcounsel case split {case} {named}{' --other-client' if other_client else ''}"


def _said(case: str, answer: Mapping[str, Any]) -> str:
    numbers, new, known = answer["letters"], answer["case"], answer["client_of"]
    if new is None:
        words = _words(case, numbers, other_client=answer["other_client"])
        both = "Another person who reads it, one of you a supervisor,"
        who = both if answer["other_client"] else "A supervisor"
        return f"Proposed. {who} types the same: {words}"
    named = ", ".join(map(str, numbers))
    lines = [f"Moved to {new}: {named} of {case}. To take it back: mailcounsel undo {new}"]
    if known and answer["other_client"]:
        lines.append(f"Their address is known already: they count as the client of {known[0]}.")
    if not known and answer["other_client"] and not answer["address_known"]:
        lines.append("They name no address, so nobody can be answered there.")
    return "\n".join(lines)


def _split(
    service: client.Service, name: str, numbers: list[int], *, other_client: bool
) -> dict[str, Any]:
    from mailcounsel.cli import unlock

    opened = unlock.open_case(service, name)
    entries = [
        entry
        for entry in opened.shown["entries"]
        if entry["case"] == opened.shown["id"] and entry["number"] in numbers
    ]
    address = _address(service, opened, entries) if other_client else ""
    wish = {"letters": numbers, "other_client": other_client, "address": address}
    begun = service.call("split.begin", case=opened.shown["case"], **wish)
    if begun["case"] is not None:
        thread = [_move(service, opened, begun, letter) for letter in begun["letters"]]
        known = [message_id for message_id in thread if message_id]
        service.call("split.finish", case=begun["case"], thread=known, **wish)
    return {
        "case": begun["case"],
        "letters": numbers,
        "other_client": other_client,
        "client_of": begun.get("client_of", []),
        "address_known": bool(address),
    }


def _address(service: client.Service, opened: Any, entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the one address some letters came from, "" where they name none or stay shut here.

    Raises: Refused for letters from different addresses, which are different people's.
    """
    from mailcounsel.letter import parse

    found = set()
    for entry in entries:
        if entry["direction"] == "in":
            try:
                raw = _opened(service, opened, entry["id"], entry["epoch"], "source")
            except errors.Refused:
                return ""  # a therapist's process: the service takes it as a proposal
            found.add(parse.read(raw, parse.Budgets(size=len(raw))).sender.address or "")
    if len(found) > 1:
        message = "These letters came from different addresses. Split them one by one."
        raise errors.Refused(message)
    return found.pop() if found else ""


def _opened(service: client.Service, opened: Any, letter_id: str, epoch: int, part: str) -> bytes:
    from mailcounsel.cli import unlock

    sealed = unlock.fetch(service, letter_id, part)
    opening = opened.open_source if part == "source" else opened.open
    data: bytes = opening(opened.shown["id"], epoch, sealed, f"letter/{letter_id}/{part}")
    return data


def _move(
    service: client.Service, opened: Any, begun: Mapping[str, Any], letter: Mapping[str, Any]
) -> str | None:
    """Seal every part of a letter anew and hand it in. Return the letter's Message-ID."""
    import json

    from mailcounsel.crypto import sealing

    message_id = None
    for part in letter["parts"]:
        words = _opened(service, opened, letter["id"], letter["epoch"], part)
        if part == "content":
            message_id = json.loads(words).get("message_id")
        key = b64decode(begun["source" if part == "source" else "content"])
        sealed = sealing.seal_to(key, words, f"letter/{letter['id']}/{part}")
        _hand_in(service, begun["case"], letter["id"], part, sealed)
    return message_id


def _hand_in(service: client.Service, case: str, letter_id: str, part: str, sealed: bytes) -> None:
    for start in range(0, len(sealed), PIECE_BYTES):
        data = b64encode(sealed[start : start + PIECE_BYTES]).decode()
        service.call("split.piece", case=case, letter=letter_id, part=part, start=start, data=data)
