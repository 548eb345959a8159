"""How a case looks on a terminal: entries, folded quotes, goals with their line.

Folding happens here, in the reader's process, where the case is open: lines equal to an earlier
letter of the case are quotes in any language. What holds a sign of danger is never folded.
"""

from __future__ import annotations

import json
import textwrap
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mailcounsel import errors
from mailcounsel.cli import client, kinds, measuring, output, unlock
from mailcounsel.letter import fold, text
from mailcounsel.practice import attainment, forms, names

PROOF = {
    "signed": "signed with the client's key",
    "token": "answers a letter of ours",
    "border": "confirmed by our mail server",
    "nothing": "nothing proves who wrote this",
}
PARTLY = "A part of it is signed or locked; that proves nothing about the rest."
ODD = {  # what is said beside a letter, by the code of what was odd about it
    "cannot-decrypt": "This letter is locked with another key and could not be opened.",
    "signed-part": PARTLY,
    "text-around-armour": PARTLY,
    "locked-before": (
        "!! The same locked letter came from another address before. Whoever sent this one may "
        "never have read it: do not answer as if they had."
    ),
    "odd-lock": "!! It is packed as no program packs a locked letter; it may be someone else's.",
    "bare-returns": "!! Its header is broken in a way that can hide who sent it.",
    "inner-sender-differs": "!! It came from another address than the one it names inside.",
    "other-address": (
        "!! The client signed it, but it came from an address that is not known as theirs: a "
        "signed letter can be passed on."
    ),
    "for-somebody-else": "!! It was addressed to somebody else, and not to us.",
    "locked-again": "!! The same locked letter came before; no word in it was carried out again.",
    "signed-before": "!! The same signed letter came before; no word in it was carried out again.",
    "no-name-inside": "Nothing inside the lock says who wrote it.",
}
FLAGS = {
    "maybe": "may be from {maybe_from}; if sure: mailcounsel case merge {case} {maybe_from}",
    "maybe-word": (
        "may be from {maybe_from}, named its word, which proves nothing: we asked when they first "
        "wrote; if their answer makes you sure: mailcounsel case merge {case} {maybe_from}"
    ),
    "asks-counsellor": "the client asks for another counsellor: mailcounsel assign {case} NAME",
    "therapist-away": (
        "whoever has this case is away beyond the promised day: answer it, or: mailcounsel assign "
        "{case} NAME; if it may wait: mailcounsel seen {case} therapist-away"
    ),
    "asks-progress": (
        "the client asks how they are getting on: mailcounsel case progress {case} --send"
    ),
    "asks-copy": "the client asks, signed, for a copy of their file: mailcounsel case copy {case}",
    "asks-copy-unsigned": (
        "somebody who can answer the client's mail asks for a copy of the file; the client was "
        "told, and has seven days to say no. mailcounsel case copy {case} says the day"
    ),
    "asks-copy-due": (
        "a copy of the file was asked for and nobody said no in seven days. It may be sent now: "
        "mailcounsel case copy {case}"
    ),
    "asks-copy-denied": (
        "a copy of the file was asked for, and the client answered our letter about it: read that; "
        "somebody else may be reading their mail; then: mailcounsel seen {case} asks-copy-denied"
    ),
    "asks-erase": (
        'the client asks, signed, to have their file erased: mailcounsel case erase {case} "reason"'
    ),
    "asks-erase-unsigned": (
        "somebody who can answer the client's mail asks to have the file erased; the client was "
        "told, and has seven days to say no. mailcounsel case erase {case} says the day"
    ),
    "asks-erase-due": (
        "the end of the file was asked for and nobody said no in seven days. It may be done now: "
        'mailcounsel case erase {case} "reason"'
    ),
    "asks-erase-denied": (
        "the end of the file was asked for, and the client answered our letter about it: read "
        "that; somebody else may be reading their mail; then: mailcounsel seen {case} "
        "asks-erase-denied"
    ),
    "not-opened": (
        "a letter is locked with a key that is not ours, so nobody can read it; the client was "
        "asked to write again; then: mailcounsel seen {case} not-opened"
    ),
    "stop-unsigned": (
        "check-ins were stopped by a word that is not signed: if it surprises you, ask the client; "
        "then: mailcounsel seen {case} stop-unsigned"
    ),
    "link-proposed": (
        "a colleague says that this is the client of {merge_into} too; if you agree: "
        "mailcounsel case merge {case} {merge_into}"
    ),
    "split-proposed": "a colleague says that letters go elsewhere: mailcounsel case split {case}",
    "erase-proposed": (
        "a colleague wants to erase this case, and the client did not ask for it; if you agree: "
        'mailcounsel case erase {case} "why"; or else: mailcounsel seen {case} erase-proposed'
    ),
    "erase-proposal-over": (
        "a colleague wanted to erase this case, and that counts no more: the client wrote since, "
        'or it was a week ago; to say it again: mailcounsel case erase {case} "why"; or else: '
        "mailcounsel seen {case} erase-proposal-over"
    ),
    "rejoin-proposed": (
        "a colleague says that these letters are no other client's after all; if you agree: "
        "mailcounsel undo {case}"
    ),
    "unlinked": (
        "a case was merged into this one and is not any more; letters since then that are not "
        "this client's: mailcounsel case split {case} --letter N --other-client"
    ),
    "suspect": (
        "a letter lay in Junk and was not answered automatically; read it, then: mailcounsel seen "
        "{case} suspect"
    ),
    "key-changed": (
        "another key arrived; mail still goes to the known one only: mailcounsel way show {case}"
    ),
    "key-late": (
        "the client, who was written to in ordinary mail, sent a key, and letters leave locked "
        "with it from now on. If it is not theirs they cannot read us any more, and whoever reads "
        "their mail could have sent it. Ask them, best not by mail; theirs: mailcounsel seen "
        "{case} key-late; not theirs: mailcounsel way show {case}, then mailcounsel way drop"
    ),
    "copied": (
        "a locked letter here came from another address as well, or may have, and nothing inside "
        "says who wrote it: no reply leaves until you are sure whose it is and who sent it on; "
        "your supervisor may see both cases; then: mailcounsel seen {case} copied"
    ),
    "copied-elsewhere": (
        "a locked letter of this client came from another address as well: somebody may have taken "
        "it off the way, unread; then: mailcounsel seen {case} copied-elsewhere"
    ),
    "key-doubted": (
        "the key their first letter was signed with is not used any more, since nothing else says "
        "it is theirs: a letter that surely came from their address was not signed with it, "
        "or their cases were merged. Letters wait, and SETUJU or AGREE changes nothing by itself: "
        "whoever reads their mail could have sent it. Ask them, best not by mail: mailcounsel way "
        "show {case}; then mailcounsel way accept, way drop or way consent"
    ),
    "bounced": "a letter of ours came back undelivered: mailcounsel outbox",
    "uncertain": "a letter may or may not have left: mailcounsel outbox",
    "failed": "a letter could not be sent: mailcounsel outbox",
    "appointment-accepted": (
        "the client will come to the meeting: mailcounsel appointment list {case}; then: "
        "mailcounsel seen {case} appointment-accepted"
    ),
    "appointment-declined": (
        "the client cannot come to the meeting: mailcounsel appointment list {case}; then move or "
        "cancel it, or: mailcounsel seen {case} appointment-declined"
    ),
    "waiting": "a reply waits until the client chooses a way: mailcounsel way show {case}",
    "silent-after-danger": (
        "nothing came since danger was answered: decide how to reach the client; then: mailcounsel "
        "seen {case} silent-after-danger"
    ),
    "danger-unread": (
        "nobody was reached who reads the urgent letter: read it now: mailcounsel show {case}"
    ),
    "may-be-minor": (
        "the client may be under 18: read what they say about it, and decide with your supervisor "
        "whether letters suit them; then: mailcounsel seen {case} may-be-minor"
    ),
    "may-be-abroad": (
        "the client may live in another country, with other laws and other help near: read, and "
        "decide; then: mailcounsel seen {case} may-be-abroad"
    ),
    "no-consent": (
        "the client was asked twice how they want our letters and has not said the word; if they "
        'said yes in words of their own: mailcounsel way consent {case} "their words"; else wait, '
        'or write once: mailcounsel reply {case} --plain "reason"'
    ),
    "evaluation-due": "it is time to look back together: mailcounsel case evaluate {case}",
    "errand-failed": (
        "a reminder could not be sent; the service's log says why, so tell your admin; then: "
        "mailcounsel seen {case} errand-failed"
    ),
    "no-form": "a questionnaire is not here any more: mailcounsel measure list",
    "silent": (
        "no answer to a check-in and its reminder; the client is not asked until they write: "
        "mailcounsel reply {case}"
    ),
    "form-gap": (
        "a questionnaire has gaps, left with a hyphen or not filled in when asked: see which: "
        "mailcounsel measure list {case}; then: mailcounsel seen {case} form-gap"
    ),
    "no-way": (
        "a check-in could not be sent, since the client has not chosen a way: mailcounsel way show "
        "{case}"
    ),
}
HIDDEN = (  # said of `link-proposed` to whoever may not open the other case
    "a colleague says that this is another client's too, in a case you cannot open: somebody who "
    "reads both decides"
)
CAUSES = {  # of a danger, but for the words of a letter, where the signs in it are named
    "answer": "an answer to a questionnaire",
    "goal": "the text of a goal",
    "silence": "nothing came since danger was answered",
    "bounced": "a letter of ours came back undelivered",
}
RESTS = {  # why a client is asked nothing now, and until when
    "closed": "the case is closed; they go on after: mailcounsel reopen {case}",
    "paused": "the client sent PAUSE; they go on when the client sends CONTINUE",
    "stopped": "the client sent STOP; they go on when the client sends CONTINUE",
    "risk": 'there are signs of danger; they go on after: mailcounsel risk close {case} "why"',
    "silent": "a check-in and its reminder were not answered; they go on when the client writes",
}
BY_THE_CLIENT = {"paused", "stopped"}  # said even where nothing is agreed to be asked
WORDS = "words of a letter"
BY_HAND = {"reply", "reply-undone"}
BARS = "▁▁▂▃▃▄▅▅▆▇█"  # for ratings 0 to 10
WIDTH = 72


def opened_entries(
    service: client.Service, case: unlock.OpenCase, kind: str | None = None
) -> list[dict[str, Any]]:
    """Open a case's entries, or those of a kind. One that does not open says so in its place."""
    entries = case.shown["entries"]
    return [_opened(service, case, one) for one in entries if kind in {None, one["kind"]}]


def _opened(
    service: client.Service, case: unlock.OpenCase, entry: Mapping[str, Any]
) -> dict[str, Any]:
    shown = {key: value for key, value in entry.items() if key != "content"}
    return shown | _or_unreadable(lambda: unlock.content_of(service, case, entry), "text")


def _or_unreadable(opening: Callable[[], dict[str, Any]], words: str) -> dict[str, Any]:
    """Open something; where it does not open, say why in its place instead of showing nothing."""
    try:
        return opening()
    except (errors.SealBroken, errors.Refused) as fault:
        return {words: "", "unreadable": str(fault)}


def opened_goals(case: unlock.OpenCase) -> list[dict[str, Any]]:
    """Open the goals of a case, each with its answers in order."""
    return [_goal(case, goal) for goal in case.shown["goals"]]


def _goal(case: unlock.OpenCase, goal: Mapping[str, Any]) -> dict[str, Any]:
    def opening() -> dict[str, Any]:
        context = f"goal/{goal['id']}/detail"
        sealed = b64decode(goal["detail"])
        detail: dict[str, Any] = json.loads(case.open(goal["case"], goal["epoch"], sealed, context))
        return detail

    rows = [row for row in case.shown["checkins"] if row["goal_id"] == goal["id"]]
    shown = {key: value for key, value in goal.items() if key != "detail"}
    answers = forms.completed([_answer(case, goal, row) for row in rows])
    return {**shown, "target": "", **_or_unreadable(opening, "text"), "checkins": answers}


def _answer(
    case: unlock.OpenCase, goal: Mapping[str, Any], row: Mapping[str, Any]
) -> dict[str, Any]:
    def opening() -> dict[str, Any]:
        context = f"checkin/{row['id']}/answer"
        sealed = b64decode(row["answer"])
        answer: dict[str, Any] = json.loads(case.open(goal["case"], row["epoch"], sealed, context))
        return answer

    shown = {key: value for key, value in row.items() if key != "answer"}
    return shown | (_or_unreadable(opening, "words") if row["answer"] else {})


def marked(
    case: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    goals: Sequence[Mapping[str, Any]],
    forms: measuring.Known,
) -> list[dict[str, Any]]:
    """Return the entries, each with what in it shows danger beside its words, as `danger`."""
    causes = {risk["letter"]: [CAUSES[risk["cause"]]] for risk in case["risks"]
              if risk["cause"] in CAUSES}  # fmt: skip
    causes |= measuring.raised_by(goals, forms)
    return [{**entry, "danger": causes.get(entry["id"], [])} for entry in entries]


def safe(line: str) -> str:
    """Return a single line that can do nothing to a terminal."""
    return text.one_line(line, WIDTH)


def wrapped(words: str, width: int) -> str:
    """Return a text with lines longer than `width` broken between words; nothing else changes."""
    return "\n".join(
        line if len(line) <= width else _broken(line, width) for line in words.split("\n")
    )


def _broken(line: str, width: int) -> str:
    mark = line[: len(line) - len(line.lstrip("> \t"))][: width // 2]
    pieces = textwrap.wrap(
        line[len(mark) :],
        width - len(mark.expandtabs()),
        break_long_words=False,  # an address or link is copied whole
        break_on_hyphens=False,
    )
    return "\n".join(mark + piece for piece in pieces)


def head(case: Mapping[str, Any]) -> list[str]:
    """Return the first lines of a case: who, how urgent, what needs somebody."""
    holder = f"with {case['assignee']}" if case["assignee"] else "nobody has it yet"
    lines = [f"{case['case']}  {case['queue']}, {case['language']}, {case['state']}, {holder}"]
    if case["tags"]:
        lines.append("tags: " + ", ".join(safe(tag) for tag in case["tags"]))
    if case.get("word"):
        lines.append(f"the client knows it as: {case['word']}")
    if case["waiting_since"]:
        waited = output.ago(case["waiting_since"], case["now"])
        promised = output.local(case["promised_at"]), *output.away_from(case, case["promised_at"])
        lines.append(f"waits {waited}; answer promised by {''.join(promised)}")
    if case["risk"]:
        lines.append(_danger(case))
    lines += resting(case)
    return lines + [f"!  {_flag(case, flag)}" for flag in case["flags"]]


def resting(case: Mapping[str, Any]) -> list[str]:
    """Return the line that says that check-ins rest, why and until when; [] where they do not."""
    why = case.get("checkins_rest")
    if why is None or not (_is_asked(case) or why in BY_THE_CLIENT):
        return []
    return [f"check-ins rest: {RESTS.get(why, why).format_map(case)}"]


def _is_asked(case: Mapping[str, Any]) -> bool:
    """Tell whether any check-in is agreed in a case."""
    return any(goal["state"] == "active" for goal in case.get("goals", ()))


def going_on(case: Mapping[str, Any]) -> str:
    """Say whether check-ins go on now, or why they rest all the same."""
    why = case.get("checkins_rest")
    if why is None:
        return "its check-ins go on" if _is_asked(case) else "no check-ins are agreed in it"
    return f"its check-ins rest: {RESTS.get(why, why).format_map(case)}"


def _flag(case: Mapping[str, Any], flag: str) -> str:
    if flag == "link-proposed" and not case.get("merge_into"):
        return HIDDEN
    return FLAGS.get(flag, flag).format_map(case)


def _danger(case: Mapping[str, Any]) -> str:
    read = sorted({risk["read_by"] for risk in case["risks"] if risk["read_by"]})
    seen = f"read by {', '.join(read)}" if read else "NOT READ YET"
    found = dict.fromkeys(CAUSES.get(risk["cause"], WORDS) for risk in case["risks"])
    if list(found) == [WORDS]:
        found = {}  # the letters show where
    over = f'When it is over: mailcounsel risk close {case["case"]} "why"'
    return f"!! SIGNS OF DANGER ({'; '.join([*found, seen])}). {over}"


def body(entry: Mapping[str, Any], earlier: Sequence[str], *, full: bool) -> str:
    """Return an entry's text for a terminal, with quotes and signatures folded.

    A span that holds a sign of danger stays open, whoever wrote it first.
    """
    words: str = _contract(entry) if entry["kind"] == "contract" else entry["text"]
    if entry["direction"] == "out" and entry["kind"] not in BY_HAND and not full:
        return f"▸ {words.strip().count(chr(10)) + 1} lines (written by the centre itself)"
    spans = () if full else fold.fold(words, earlier, fold.about_of(entry))
    signs = _places(entry)
    kept = [span for span in spans if not any(a < span.end and b > span.start for a, b in signs)]
    is_ours = entry["direction"] == "out"
    return text.terminal_safe(fold.render(words, kept, is_ours=is_ours)).strip("\n")


def _places(entry: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return where in the text the signs of danger stand; those in the subject stand before it."""
    start = len(entry.get("subject") or "") + 2  # they count from the subject, looked at with it
    return [(begin - start, end - start) for _, begin, end in entry.get("signs", [])]


def _is_only_quoted(entry: Mapping[str, Any]) -> bool:
    """Tell whether every sign of danger stands in what the letter itself marks as quoted.

    Whoever says the words of an earlier letter again quotes nobody.
    """
    spans = fold.fold(entry["text"], (), fold.about_of(entry))
    quotes = [span for span in spans if span.kind == "quote"]
    return all(any(q.start <= a and b <= q.end for q in quotes) for a, b in _places(entry))


def _contract(entry: Mapping[str, Any]) -> str:
    """Return what was agreed, in words; what else was said follows."""
    number = entry.get("exchanges")
    letters = "1 letter" if number == 1 else f"{number} letters"
    agreed = f"Agreed: {entry.get('rhythm', '')}; you look back together after {letters}."
    return "\n\n".join(filter(None, (agreed, entry["text"])))


def entry_lines(
    entry: Mapping[str, Any], earlier: Sequence[str], *, full: bool, width: int | None = None
) -> Iterator[str]:
    """Yield one entry: a line about it, then its text."""
    yield ""
    yield _about(entry)
    if entry.get("unreadable"):
        yield f"   ({entry['unreadable']})"
        return
    yield from _marks(entry)
    yield ""
    words = body(entry, earlier, full=full)
    yield wrapped(words, width) if width else words
    for place, file in enumerate(entry.get("attachments", []), 1):
        size = f"{max(1, file['size'] // 1024)} kB"
        kind, name = safe(file["type"]), safe(file["name"])
        yield f"   file {named(entry)}/{place}: {name} ({kind}, {size})"


def named(entry: Mapping[str, Any]) -> str:
    """Return what an entry is called: 3, or C-0051/3 where it came with a linked case."""
    return str(entry.get("name") or entry["number"])


def _about(entry: Mapping[str, Any]) -> str:
    who = {
        "in": "client",
        "out": entry["author"] or "the centre",
        "note": f"note by {entry['author']}",
    }
    word = kinds.of_entry(entry["kind"])
    kind = f" ({word})" if word else ""
    line = f"── {named(entry)}. {output.local(entry['at'])}  {who[entry['direction']]}{kind} "
    return line + "─" * max(3, WIDTH - len(line))


def _marks(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["direction"] == "in":
        yield from _of_client(entry)
    for cause in entry.get("danger", ()):
        yield f"   !! signs of danger: {text.one_line(cause, 200)}"


def _of_client(entry: Mapping[str, Any]) -> Iterator[str]:
    locked = "encrypted" if entry.get("encrypted") else "not encrypted"
    yield f"   {PROOF.get(entry['vouching'], entry['vouching'])}; {locked}"
    if entry.get("subject"):
        yield f"   subject: {safe(entry['subject'])}"
    kinds = sorted({sign[0] for sign in entry.get("signs", [])})
    if kinds:
        where = " (only in what is quoted)" if _is_only_quoted(entry) else ""
        yield f"   !! signs of danger: {', '.join(kinds)}{where}"
    for name, of_file in entry.get("signs_in_files", []):
        yield f"   !! signs of danger in the attachment {safe(name)}: {', '.join(of_file)}"
    found = entry.get("problems", [])
    yield from dict.fromkeys(f"   {line}" for code, line in ODD.items() if code in found)
    if entry["suspect"]:
        yield "   It lay in the Junk folder."


def goal_lines(goals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the goals of a case but no questionnaires, each with its ratings as a line.

    `levels` of a goal, where they are there, are its ratings by its own scale.
    """
    today = datetime.now().astimezone().date()
    for goal in goals:
        if goal["asks"] == names.MEASURE:
            continue
        ratings = [answer["rating"] for answer in goal["checkins"] if "rating" in answer]
        when = f"every {goal['every']}, {goal['at']}" if goal["state"] == "active" else "stopped"
        target = f" ({safe(goal['target'])})" if goal["target"] else ""
        words = f"({goal['unreadable']})" if "unreadable" in goal else safe(goal["text"])
        yield f"{names.of(goal['asks'], goal['number'])}  {words}{target}: {when}"
        yield from (f"    {safe(line)}" for line in attainment.lines(goal, today))
        if ratings:
            yield f"    {sparkline(ratings)}  {' '.join(map(str, ratings))}"
        times = [answer["times"] for answer in goal["checkins"] if "times" in answer]
        if times:
            yield f"    practised {', '.join(f'{count}x' for count in times)}"
        unsure = sum(answer["state"] == "unsure" for answer in goal["checkins"])
        if unsure:
            answers = "1 answer" if unsure == 1 else f"{unsure} answers"
            yield f"    {answers} without a clear number: read the letters"
    all_together = attainment.summary(goals)
    if all_together:
        yield all_together


def sparkline(ratings: Sequence[int]) -> str:
    """Return ratings from 0 to 10 as a line of bars, one a rating."""
    return "".join(BARS[min(10, max(0, rating))] for rating in ratings)


SEE_ABOVE = "does not open: see above"


def _said_often(things: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why things do not open, where one sentence says it of several."""
    reasons = Counter(one["unreadable"] for one in things if one.get("unreadable"))
    return [reason for reason, times in reasons.items() if times > 1]


def _pointing_up(
    things: Sequence[Mapping[str, Any]], said: Sequence[str]
) -> list[Mapping[str, Any]]:
    return [
        {**one, "unreadable": SEE_ABOVE} if one.get("unreadable") in said else one for one in things
    ]


def case_text(
    case: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    goals: Sequence[Mapping[str, Any]],
    *,
    full: bool = False,
    newest: int | None = None,
    width: int | None = None,
    forms: measuring.Known | None = None,
) -> str:
    """Return a case as a person reads it, oldest entry first; all of it, or its newest entries.

    `forms` are the questionnaires its answers are shown by.
    """
    lines = head(case)
    said = _said_often([*entries, *goals])
    lines += [f"!  {one}" for one in said]
    entries, goals = _pointing_up(entries, said), _pointing_up(goals, said)
    if goals:
        rated = attainment.rated(goals, entries)
        lines += ["", *goal_lines(rated), *measuring.lines(goals, forms or {})]
    first = max(0, len(entries) - newest) if newest else 0
    if first:
        lines += ["", f"({first} earlier entries: mailcounsel show {case['case']})"]
    earlier = [entry["text"] for entry in entries[:first] if entry["text"]]
    for entry in entries[first:]:
        lines += entry_lines(entry, earlier, full=full, width=width)
        if entry["text"]:
            earlier.append(entry["text"])
    return "\n".join(lines)
