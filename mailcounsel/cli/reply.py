"""`mailcounsel reply`: written, rendered and signed in the therapist's own process."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Mapping
from typing import IO, Any

import click

from mailcounsel import errors
from mailcounsel.cli import client, output

LONGEST = 12_000  # characters; the whole mail must stay below 20 kB when it is encrypted
FRAME = """\
A greeting above your words and an ending with your name are added to the letter.
To see it whole: mailcounsel reply {case} --dry-run

"""
SHOWN_BELOW = 6  # entries of the case, below what is being written


@click.command()
@click.argument("case")
@click.option(
    "--file",
    "source",
    type=click.File(encoding="utf-8"),
    help="Take the text from a file; - is standard input.",
)
@click.option("-m", "--message", help="The text itself, for a short letter.")
@click.option(
    "--template", metavar="NAME", help="Put a ready letter below your words, such as safe-address."
)
@click.option(
    "--plain", metavar="REASON", help="Send it as ordinary mail this once, and record why."
)
@click.option(
    "--activity",
    "activities",
    multiple=True,
    metavar="NAME",
    help="What the letter is part of, such as goals or support; may be given again.",
)
@click.option("--dry-run", is_flag=True, help="Print the letter and send nothing.")
@output.json_option
@click.pass_obj
def reply(
    setting: client.Settings,
    case: str,
    *,
    source: IO[str] | None,
    message: str | None,
    template: str | None,
    plain: str | None,
    activities: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write to the client of a case.

    Your editor opens with the client's letters below; what you write is rendered, signed with your
    reader key, and leaves after a minute in which `undo` takes it back. The service encrypts it.
    Ready letters are questions, safe-address and private-program, and whatever lies in the folder
    `letters` of your centre's templates. You can change one in the editor; with -m it follows your
    words.

    \b
    Example: mailcounsel reply C-0042
    """
    from mailcounsel.cli import journal, unlock

    if source is not None and message is not None:
        raise click.UsageError("Give the text once: with -m, or with --file.")
    belongs = journal.activities(activities, template)
    # The conversation is closed while the person writes: a connection need not last an hour.
    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
        begun = service.call("reply.begin", case=opened.shown["case"])
        ready = _ready_letter(service, begun, template)
        below = _below(service, opened) if source is None and message is None else ""
    reason = reason_for(opened.shown, begun["ticket"]["channel"], plain)
    if below:
        words = checked(_written(opened, below, ready))
    else:
        own = (message if source is None else source.read()) or ""
        words = checked("\n\n".join(filter(None, (own.strip(), ready))))
    statement = statement_of(begun, words, reason, activities=belongs)
    if dry_run:
        show(statement)
        return
    approved = _approve(setting, opened, statement)
    if below:
        _drop_draft(opened)
    answer = {**approved, "case": opened.shown["case"], "channel": begun["ticket"]["channel"]}
    output.emit(answer, as_json, lambda: said_of(answer, reason))


def _ready_letter(service: client.Service, begun: Mapping[str, Any], name: str | None) -> str:
    """Fetch a ready letter in the client's language, "" where none is asked for."""
    if name is None:
        return ""
    found = service.call("lesson.show", kind="letters", name=name, language=begun["language"])
    return str(found["text"])


def begin(setting: client.Settings, opened: Any) -> dict[str, Any]:
    """Return the ticket of a letter, before its words are written: who answers since is noticed."""
    with client.connect(setting) as service:
        return service.call("reply.begin", case=opened.shown["case"])


def send(
    setting: client.Settings, opened: Any, begun: Mapping[str, Any], words: str, activity: str
) -> tuple[str, str]:
    """Send a letter that another command wrote, as a reply that belongs to one activity.

    `begun` is what `begin` returned before it was written. Return what to tell the person about it,
    and its id. Raises: as `reply` does.
    """
    words = checked(words)
    reason = reason_for(opened.shown, begun["ticket"]["channel"], None)
    statement = statement_of(begun, words, reason, activities=[activity])
    approved = _approve(setting, opened, statement)
    answer = {**approved, "case": opened.shown["case"], "channel": begun["ticket"]["channel"]}
    return said_of(answer, reason), answer["id"]


def reason_for(case: Mapping[str, Any], channel: str, plain: str | None) -> str:
    """Return why a letter goes in clear, asking first on a raised case without a way."""
    if plain is not None:
        if not plain.strip():
            message = f'Say why: mailcounsel reply {case["case"]} --plain "reason"'
            raise errors.Refused(message)
        return plain.strip()
    if channel != "none" or not case["risk"]:
        return ""
    output.say(
        f"{case['case']} shows signs of danger, and the client has not chosen yet how to get "
        "letters."
    )
    if not sys.stdin.isatty():
        output.say('To send it at once as ordinary mail: --plain "reason". Otherwise it waits.')
        return ""
    answer: str = click.prompt(
        "Send it at once as ordinary mail? Write why, or just Enter to let it wait",
        default="",
        show_default=False,
        err=True,
    )
    return answer.strip()


def _below(service: client.Service, opened: Any) -> str:
    from mailcounsel.cli import measuring, viewing

    goals = viewing.opened_goals(opened)
    forms = measuring.needed(service, goals)
    entries = viewing.opened_entries(service, opened)
    entries = viewing.marked(opened.shown, entries, goals, forms)
    shown = viewing.case_text(opened.shown, entries, goals, newest=SHOWN_BELOW, forms=forms)
    return FRAME.format(case=opened.shown["case"]) + shown


def _written(opened: Any, below: str, ready: str) -> str:
    """Let the person write, from their draft if there is one; keep what they wrote as the draft.

    A ready letter stands below the draft, unless the draft holds it already.
    """
    from mailcounsel.cli import drafts, editor

    person, case = opened.shown["person"], opened.shown["case"]

    def keep(words: str) -> None:
        drafts.keep(opened.key, person, case, words)

    draft = drafts.load(opened.key, person, case)
    begun = draft if ready in draft else "\n\n".join(filter(None, (draft, ready)))
    words = editor.edit(begun, keep=keep, below=below)
    if words:
        keep(words)
    else:
        drafts.drop(person, case)
    return words


def checked(words: str) -> str:
    """Return the words without blank ends. Raises: Refused where there are none, or too many."""
    words = words.strip()
    if not words:
        message = "The letter is empty. Nothing was sent."
        raise errors.Refused(message)
    if len(words) > LONGEST:
        message = (
            f"The letter has {len(words)} characters; {LONGEST} is the most a phone can take. "
            "Nothing was sent; send it in two."
        )
        raise errors.Refused(message)
    return words


def statement_of(
    begun: Mapping[str, Any],
    words: str,
    reason: str,
    template: str = "reply",
    facts: Mapping[str, Any] | None = None,
    **more: Any,
) -> str:
    """Render the letter and return what is signed: the ticket and the finished words.

    `facts` are what the template needs besides `text`; `more` is signed along with the rest.
    """
    from mailcounsel.letter import templates

    given, language = {**begun["facts"], "text": words, **(facts or {})}, begun["language"]
    own = begun.get("template")  # the admin's own version
    if own is None:
        mail = templates.render(language, template, given)
    else:
        mail = templates.render_text(own, language, template, given)
    said = {
        **more,
        "ticket": begun["ticket"],
        "mac": begun["mac"],
        "subject": mail.subject,
        "text": mail.body,
        "words": words,
        "plain": reason,
    }
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def show(statement: str) -> None:
    """Print the finished letter, for a look before it is sent."""
    from mailcounsel.letter import text

    click.echo(text.terminal_safe(json.loads(statement)["text"]))


def signed(opened: Any, statement: str) -> dict[str, str]:
    """Sign a statement with the reader key, and return both as an operation takes them."""
    signature = b64encode(opened.key.sign(statement.encode())).decode()
    return {"statement": statement, "signature": signature}


def _approve(setting: client.Settings, opened: Any, statement: str) -> dict[str, Any]:
    with client.connect(setting) as service:
        return service.call("reply.approve", **signed(opened, statement))


def _drop_draft(opened: Any) -> None:
    from mailcounsel.cli import drafts

    drafts.drop(opened.shown["person"], opened.shown["case"])


def said_of(answer: Mapping[str, Any], reason: str) -> str:
    """Tell the person when and how their letter leaves, and how to take it back."""
    name, back = answer["case"], f"To take it back: mailcounsel undo {output.short(answer['id'])}"
    if answer["state"] == "waiting" and answer.get("doubted"):
        return (
            f"Your reply to {name} waits: the client's key is doubted, and no word of theirs sends "
            f"it on by itself, since somebody else may read their mail. You or a colleague decide: "
            f"mailcounsel way show {name}\n{back}{_nobodys(answer)}"
        )
    if answer["state"] == "waiting":
        note = (
            "They get a note without content now, and your words leave once they answer it."
            if answer.get("noticed", True)
            else "Your words leave once they choose. No note about this one goes out: either they "
            "got one within a day, or no more automatic mail may go to them today."
        )
        return (
            f"Your reply to {name} waits: the client has not chosen yet how to get letters.\n"
            f"{note}\n{back}{_nobodys(answer)}"
        )
    ways = {
        "encrypted": "encrypted and signed",
        "plain": "as ordinary mail, as the client agreed",
    }
    how = "as ordinary mail, by your decision" if reason else ways[answer["channel"]]
    when = output.local(answer["leaves_at"], answer["leaves_at"])
    more = _earlier(answer) + _nobodys(answer)
    return f"Your reply to {name} leaves at {when}, {how}.\n{back}{more}"


def _nobodys(answer: Mapping[str, Any]) -> str:
    """Say how a case that nobody has becomes one's own: writing in it does not do that."""
    person, name = answer.get("unassigned"), answer["case"]
    if not person:
        return ""
    return f"\nNobody has {name} yet. To make it yours: mailcounsel assign {name} {person}"


def _earlier(answer: Mapping[str, Any]) -> str:
    """Name the replies that still wait, and would come after this one with words of before."""
    return "".join(
        "\nAn earlier reply still waits until the client chooses a way. If it would come too late: "
        f"mailcounsel undo {output.short(one)}"
        for one in answer.get("waiting", ())
    )
