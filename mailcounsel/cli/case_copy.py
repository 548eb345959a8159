"""`mailcounsel case copy`: a client's whole file, put together in the reader's own process."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output

if TYPE_CHECKING:
    from mailcounsel.cli import unlock
    from mailcounsel.letter.attachments import Attachment

PIECE_BYTES = 512 * 1024
NAMES = {"id": "salinan.txt", "en": "copy.txt"}


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy: its text first, then the client's files; and the names of those left out."""

    files: Sequence[Attachment]
    left_out: Sequence[str]


@click.command()
@click.argument("case")
@click.option("--with-notes", is_flag=True, help="The therapists' private notes as well.")
@click.option(
    "--save", metavar="FILE", help="Write it here instead, to hand over; FILE.zip takes files too."
)
@output.json_option
@click.pass_obj
def copy(
    setting: client.Settings, case: str, *, with_notes: bool, save: str | None, as_json: bool
) -> None:
    """Send a client a copy of their whole file, locked with their own key.

    All letters and files, goals with the answers, contract, plan, summaries and measures: one text
    and the files, in one letter, after a minute in which `undo` takes it back. It never leaves as
    ordinary mail. What was asked for without a signature, or signed by a new key, waits for seven
    days. With --save it is handed over in person: the file is not encrypted there.

    \b
    Example: mailcounsel case copy C-0042
    """
    from mailcounsel.cli import unlock

    with client.connect(setting) as service:
        begun = None if save else service.call("copy.begin", case=case)
        opened = unlock.open_case(service, case)
        facts = service.call("copy.facts", case=case)
        most = begun["attachment_bytes"] if begun else None
        made = _made(service, opened, facts, with_notes=with_notes, most=most)
        if begun is None:
            _write(Path(save or ""), made)
            answer = service.call("copy.handed", case=opened.shown["case"])
        else:
            answer = _send(service, opened, begun, made)
    said = {**answer, "case": opened.shown["case"], "left_out": list(made.left_out)}
    output.emit(said, as_json, lambda: _said(said, made, save))


def _made(
    service: client.Service,
    opened: unlock.OpenCase,
    facts: Mapping[str, Any],
    *,
    with_notes: bool,
    most: int | None,
) -> Copy:
    """Open everything and put it into words; beyond `most` bytes the largest files are left out."""
    from mailcounsel.cli import viewing
    from mailcounsel.letter import attachments
    from mailcounsel.practice import filecopy

    entries = viewing.opened_entries(service, opened)
    goals = viewing.opened_goals(opened)
    found, broken = _files_of(service, opened, entries)
    files, too_large = _within(found, most)
    left_out = [*broken, *too_large]
    words = filecopy.text_of(
        entries,
        goals,
        language=facts["language"],
        zone=facts["time_zone"],
        now=datetime.fromisoformat(opened.shown["now"]),
        with_notes=with_notes,
        left_out=left_out,
    )
    name = NAMES.get(facts["language"], NAMES["en"])
    first = attachments.Attachment(name, "text/plain", words.encode())
    if most is not None and len(first.data) > most:
        message = "The text alone is too large for a letter. Hand it over: --save FILE.zip"
        raise errors.Refused(message)
    while most is not None and files and sum(len(f.data) for f in (first, *files)) > most:
        left_out = [*left_out, files[-1].name]
        files = files[:-1]
    return Copy(attachments.distinct([first, *files]), left_out)


def _files_of(
    service: client.Service, opened: unlock.OpenCase, entries: Sequence[Mapping[str, Any]]
) -> tuple[list[Attachment], list[str]]:
    """Open the files of every letter, in order; with the names of those that do not open."""
    from mailcounsel.cli import unlock
    from mailcounsel.letter.attachments import Attachment

    found: list[Attachment] = []
    broken: list[str] = []
    for entry in entries:
        for place, file in enumerate(entry.get("attachments", [])):
            part = f"attachment/{place}"
            sealed = unlock.fetch(service, entry["id"], part)
            context = f"letter/{entry['id']}/{part}"
            try:
                data = opened.open(entry["case"], entry["epoch"], sealed, context)
            except (errors.SealBroken, errors.Refused):
                broken.append(file["name"])  # one damaged file keeps no client from the others
                continue
            found.append(Attachment(file["name"], file["type"], data))
    return found, broken


def _within(files: list[Attachment], most: int | None) -> tuple[list[Attachment], list[str]]:
    """Keep the files that fit, the smallest first, in their order; name the others."""
    if most is None:
        return files, []
    kept, room = [], most
    for file in sorted(files, key=lambda one: len(one.data)):
        if len(file.data) <= room:
            kept.append(file)
            room -= len(file.data)
    there = [file for file in files if file in kept]
    return there, [file.name for file in files if file not in kept]


def _send(
    service: client.Service, opened: unlock.OpenCase, begun: Mapping[str, Any], made: Copy
) -> dict[str, Any]:
    """Bring the files, sign a letter that names them, and have it approved."""
    for number, file in enumerate(made.files):
        for start in range(0, max(1, len(file.data)), PIECE_BYTES):
            piece = b64encode(file.data[start : start + PIECE_BYTES]).decode()
            where = {"number": number, "start": start, "data": piece}
            service.call("reply.enclose", ticket=begun["ticket"], mac=begun["mac"], **where)
    statement = _statement(begun, made)
    signature = b64encode(opened.key.sign(statement.encode())).decode()
    return service.call("copy.approve", statement=statement, signature=signature)


def _statement(begun: Mapping[str, Any], made: Copy) -> str:
    """Return what is signed: the ticket, the words, and each file with its digest."""
    from mailcounsel.letter import templates

    language, own = begun["language"], begun.get("template")
    facts = begun["facts"]
    if own is None:
        mail = templates.render(language, "copy", facts)
    else:
        mail = templates.render_text(own, language, "copy", facts)
    files = [
        {
            "name": file.name,
            "type": file.content_type,
            "size": len(file.data),
            "sha256": hashlib.sha256(file.data).hexdigest(),
        }
        for file in made.files
    ]
    said = {"ticket": begun["ticket"], "mac": begun["mac"], "files": files, "plain": ""}
    whole = {**said, "subject": mail.subject, "text": mail.body, "words": mail.body}
    return json.dumps(whole, ensure_ascii=False, sort_keys=True)


def _write(path: Path, made: Copy) -> None:
    """Write the copy for handing over: its text, or with a name that ends in .zip the files too."""
    import io
    import zipfile

    from mailcounsel.cli import show

    if path.suffix.lower() != ".zip":
        show.write_new(path, made.files[0].data)
        return
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in made.files:
            archive.writestr(file.name, file.data)
    show.write_new(path, whole.getvalue())


def _said(answer: Mapping[str, Any], made: Copy, save: str | None) -> str:
    lines = []
    if save:
        lines.append(f"Saved {save}. It is not encrypted there; hand it over and delete it.")
        more = len(made.files) - 1
        if more and not save.lower().endswith(".zip"):
            missing = "1 file of the client's is" if more == 1 else f"{more} files are"
            lines.append(f"{missing} not in it; to have all: --save FILE.zip")
    else:
        when = output.local(answer["leaves_at"], answer["leaves_at"])
        lines.append(f"The copy of {answer['case']} leaves at {when}, encrypted and signed.")
        lines.append(f"To take it back: mailcounsel undo {output.short(answer['id'])}")
    if made.left_out:
        names = ", ".join(made.left_out)
        lines.append(
            f"Too large, or damaged: {names}. Try: mailcounsel case copy … --save FILE.zip"
        )
    return "\n".join(lines)
