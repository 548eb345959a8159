"""`mailcounsel way`: how letters reach a client, and a person's decisions about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from mailcounsel.cli import client, nouns, output

CHANNELS = {
    "encrypted": "Letters go out encrypted.",
    "plain": "Letters go out as ordinary mail, as the client agreed.",
    "none": (
        "The client has not chosen a way yet: replies wait. To write once all the same: "
        'mailcounsel reply {case} --plain "reason"\n'
        "If they agreed to ordinary mail in words of their own: mailcounsel way consent {case} "
        '"their words"'
    ),
}
DOUBTED = (
    "A key of the client's is doubted: replies wait until a person decides, and a SETUJU or AGREE "
    "does not send them on, since whoever reads the client's mail could have sent it.\n"
    "Theirs after all: mailcounsel way accept {case} FINGERPRINT\n"
    "Not theirs: mailcounsel way drop {case} FINGERPRINT\n"
    "Theirs or not, you are sure that it is they who want ordinary mail: mailcounsel way consent "
    '{case} "their words"'
)
OUTDATED = (
    "It does not count any more: a key of theirs was in use after it, and is doubted or dropped. "
    "Ask them anew."
)
STATES = {
    "pinned": "in use: the client signed with it",
    "provisional": "in use: it signed their first letter; nothing else says yet that it is theirs",
    "doubted": "NOT USED: it signed their first letter, and what came since does not bear it out",
    "seen": "seen, not proved yet",
    "alarm": "NOT USED: it came while another key was in use",
    "dropped": "NOT USED: a person said that it is not theirs",
}


@click.group(cls=nouns.Noun)
def way() -> None:
    """See and decide how letters reach a client.

    \b
    Example: mailcounsel way show C-0042
    """


@way.command()
@click.argument("case")
@output.json_option
@click.pass_obj
def show(setting: client.Settings, case: str, *, as_json: bool) -> None:
    """Show by which way letters reach a client, their keys and their consent.

    \b
    Example: mailcounsel way show C-0042
    """
    with client.connect(setting) as service:
        answer = service.call("way.show", case=case)
    output.emit(answer, as_json, lambda: "\n".join(lines(case, answer)))


def lines(case: str, answer: Mapping[str, Any]) -> list[str]:
    """Say by which way letters go to a client, with their keys, consent and addresses."""
    told = [said(case, answer)]
    if answer["consent_given_at"]:
        day, wording = output.local(answer["consent_given_at"]), answer["consent_version"]
        told.append(f"Consent to counselling by ordinary mail: {day}, wording {wording}")
        if not answer["consent_counts"]:
            told.append(OUTDATED)
    told += [f"key {key['fingerprint']}  {STATES[key['state']]}" for key in answer["keys"]]
    return [*told, *addressed(case, answer)]


def said(case: str, answer: Mapping[str, Any]) -> str:
    """Say by which way letters go to a client now, or who decides about it."""
    is_doubted = any(key["state"] == "doubted" for key in answer["keys"])
    is_open = answer["channel"] == "none" and is_doubted
    return (DOUBTED if is_open else CHANNELS[answer["channel"]]).format(case=case)


def addressed(case: str, answer: Mapping[str, Any]) -> list[str]:
    """Say which of a client's addresses letters go to: by number, since nobody here sees them."""
    known = answer["addresses"]
    if len(known) < 2:
        return []
    choose = f'To write to another one: mailcounsel way address {case} NUMBER "reason"'
    return [*(_address(one) for one in known), choose]


def _address(one: Mapping[str, Any]) -> str:
    came = f", with {one['brought_by']}" if one["brought_by"] else ""
    goes = "  letters go here" if one["written_to"] else ""
    return f"address {one['number']}  known since {output.local(one['since'])}{came}{goes}"


@way.command()
@click.argument("case")
@click.argument("number", type=click.IntRange(1))
@click.argument("reason")
@output.json_option
@click.pass_obj
def address(
    setting: client.Settings, case: str, number: int, reason: str, *, as_json: bool
) -> None:
    """Write to the client at another of their addresses from now on.

    `way show` numbers those they are known by. Make sure first, by another way than mail, that it
    is theirs: whoever reads there reads what you write. The reason is kept as a note. What has not
    left is addressed to the other one, and does not leave any more.

    \b
    Example: mailcounsel way address C-0042 2 "lost her phone; said so when she called"
    """
    from mailcounsel.cli import journal, unlock

    words = journal.checked(reason, "reason")
    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
    content = {"text": f"Letters go to address {number} from now on: {words}"}
    answer = journal.keep(setting, opened, "note", content, method="way.address", number=number)
    name = opened.shown["case"]
    output.emit({**answer, "case": name}, as_json, lambda: "\n".join(_chosen(name, answer)))


def _chosen(case: str, answer: Mapping[str, Any]) -> list[str]:
    lines = [f"Letters in {case} go to address {answer['number']} from now on."]
    lines += [
        "A reply that has not left is addressed to the one before, and does not leave any more. To "
        f"write it anew: mailcounsel undo {output.short(one)}"
        for one in answer["frozen"]
    ]
    if answer["channel"] == "encrypted":
        lines.append(
            "They are locked with the client's key as before. Where that is lost as well, their "
            f"next letter brings another: mailcounsel way show {case}"
        )
    return lines


@way.command()
@click.argument("case")
@click.argument("words")
@output.json_option
@click.pass_obj
def consent(setting: client.Settings, case: str, words: str, *, as_json: bool) -> None:
    """Keep a client's yes to ordinary mail that you read or heard.

    Give the words in which they said it; they are kept as a note, with the day and your name. What
    counts is a yes to letters that others may read at the mail provider or in a shared mailbox; a
    yes to something else is none. Letters that wait leave at once.

    \b
    Example: mailcounsel way consent C-0042 "she wrote: email biasa saja kak, tidak apa-apa"
    """
    from mailcounsel.cli import journal, unlock

    said = journal.checked(words, "wording")
    with client.connect(setting) as service:
        opened = unlock.open_case(service, case)
    content = {"text": f"Agreed to ordinary mail, in these words: {said}"}
    answer = journal.keep(setting, opened, "note", content, method="way.consent")
    name = opened.shown["case"]
    leave = f" Replies that waited leave now: {len(answer['released'])}." * bool(answer["released"])
    output.emit(
        {**answer, "case": name},
        as_json,
        lambda: f"Kept. Letters in {name} go out as ordinary mail, as the client agreed.{leave}",
    )


@way.command("accept")
@click.argument("case")
@click.argument("fingerprint")
@click.pass_obj
def accept(setting: client.Settings, case: str, fingerprint: str) -> None:
    """Use another key of the client's from now on.

    Make sure first, by another channel than mail, that the key is theirs: whoever holds it reads
    what you write.

    \b
    Example: mailcounsel way accept C-0042 9A1B2C3D4E5F60718293A4B5C6D7E8F901234567
    """
    with client.connect(setting) as service:
        answer = service.call("way.accept", case=case, fingerprint=fingerprint)
    output.say(f"Letters go out with {answer['fingerprint']} from now on.")


@way.command("drop")
@click.argument("case")
@click.argument("fingerprint")
@click.pass_obj
def drop(setting: client.Settings, case: str, fingerprint: str) -> None:
    """Use a key no more, because it is not the client's.

    No letter brings it back. Should it be theirs after all: mailcounsel way accept.

    \b
    Example: mailcounsel way drop C-0042 9A1B2C3D4E5F60718293A4B5C6D7E8F901234567
    """
    with client.connect(setting) as service:
        answer = service.call("way.drop", case=case, fingerprint=fingerprint)
        known = service.call("way.show", case=case)
    output.say(f"Nothing is locked with {answer['fingerprint']} any more.")
    output.say("\n".join(lines(case, known)))


@way.command()
@click.argument("case")
@click.pass_obj
def withdraw(setting: client.Settings, case: str) -> None:
    """Take back the client's yes to ordinary mail, because they told you so.

    \b
    Example: mailcounsel way withdraw C-0042
    """
    with client.connect(setting) as service:
        service.call("way.withdraw", case=case)
    output.say("Withdrawn. Replies wait again until the client chooses a way.")
