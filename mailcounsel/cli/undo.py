"""`mailcounsel undo`: take back a reply in time, a merge or a split."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from mailcounsel.cli import client, output


@click.command()
@click.argument("letter", default="")
@output.json_option
@click.pass_obj
def undo(setting: client.Settings, letter: str, *, as_json: bool) -> None:
    """Take back a reply in time, a merge or a split.

    Your latest reply that has not left yet, or the one named as `outbox` shows it: your words stay
    as a draft, and `mailcounsel reply CASE` opens them again. Typed again it takes back the one
    before, whose words then stand above those. A case that was merged into another
    one is a case of its own again, and takes the address and the key it brought with it; letters
    that went there go to the first address again. A case
    that was split from another one is shown in that again; if it is another client's, once a second
    person has typed the same.

    \b
    Example: mailcounsel undo
    """
    with client.connect(setting) as service:
        if letter.upper().startswith("C-"):
            unlinked = service.call("case.unlink", case=letter)
            output.emit(unlinked, as_json, lambda: _case_undone(letter, unlinked))
            return
        answer = service.call("reply.undo", id=letter)
        said = _keep_draft(service, answer["case"], answer["letter"])
    output.emit(answer, as_json, lambda: said)


def _case_undone(case: str, answer: Mapping[str, str]) -> str:
    if "is_in" in answer:
        return f"Taken back. The letters of {case} are shown in {answer['is_in']} again."
    if "goes_to" in answer:
        return (
            f"Proposed. {case} is another client's than {answer['goes_to']}, so this needs a "
            f"second person who reads both. They type: mailcounsel undo {case}"
        )
    was_in = answer["was_in"]
    return (
        f"{case} is a case of its own again. Letters that came meanwhile stay in {was_in}: read "
        f"them, and move those that are not its client's: mailcounsel case split {was_in}"
    )


def _keep_draft(service: client.Service, case_name: str, letter_id: str) -> str:
    """Keep the words of a letter that was taken back; say which it was and where they are now."""
    from mailcounsel.cli import unlock

    case = unlock.open_case(service, case_name)
    entry = next(entry for entry in case.shown["entries"] if entry["id"] == letter_id)
    said = json.loads(unlock.content_of(service, case, entry)["statement"])
    day = output.local(entry["at"], case.shown["now"])
    what = f"Taken back: {_kind(said)} of {day} in {case_name}, letter {entry['name']}."
    return f"{what} {_kept(case, case_name, said)}"


def _kind(said: Mapping[str, Any]) -> str:
    if "files" in said:
        return "the copy"
    return "the letter about an appointment" if "appointment" in said else "your reply"


def _kept(case: Any, case_name: str, said: Mapping[str, Any]) -> str:
    from mailcounsel.cli import drafts

    if "files" in said:  # a copy of the file: its words are ours
        return f"Nothing of the copy was sent. To send it: mailcounsel case copy {case_name}"
    if "appointment" in said:  # its words go with the hour, not with the next reply
        return f"The appointment is as it was before: mailcounsel appointment list {case_name}"
    words = said["words"].strip()
    if not words:
        return "It held no words of your own."
    person, name = case.shown["person"], case.shown["case"]
    draft = drafts.load(case.key, person, name)
    is_new = words not in draft
    if is_new:
        drafts.keep(case.key, person, name, "\n\n".join(filter(None, (words, draft))))
    above = ", above the draft that was there" * bool(draft and is_new)
    return f"Your words are kept{above}: mailcounsel reply {case_name} opens them."
