"""How a case looks on a terminal: entries, folded quotes, goals with their line.

Folding happens here, in the reader's process, where the case is open: lines equal to an earlier
letter of the case are quotes in any language. What holds a sign of danger is never folded.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mailcounsel import errors
from mailcounsel.cli import client, output, unlock
from mailcounsel.letter import fold, text

PROOF = {
    "signed": "signed with the client's key",
    "token": "brought our token back",
    "border": "confirmed by our mail server",
    "nothing": "nothing proves who wrote this",
}
FLAGS = {
    "maybe": "may be from {maybe_from}: link {case} {maybe_from}, if you are sure",
    "suspect": "a letter lay in Junk and was not answered automatically",
    "key-changed": "another key arrived; mail still goes to the known one only",
    "bounced": "a letter of ours came back undelivered",
    "uncertain": "a letter may or may not have left: outbox",
    "failed": "a letter could not be sent: outbox",
    "waiting": "a reply waits until the client chooses a way",
    "no-way": "a check-in could not be sent: the client has not chosen a way",
}
BARS = "▁▁▂▃▃▄▅▅▆▇█"  # for ratings 0 to 10
WIDTH = 72


def opened_entries(service: client.Service, case: unlock.OpenCase) -> list[dict[str, Any]]:
    """Open every entry of a case. One that does not open says so in its place."""
    return [_opened(service, case, entry) for entry in case.shown["entries"]]


def _opened(
    service: client.Service, case: unlock.OpenCase, entry: Mapping[str, Any]
) -> dict[str, Any]:
    shown = {key: value for key, value in entry.items() if key != "content"}
    try:
        return {**shown, **unlock.content_of(service, case, entry)}
    except (errors.SealBroken, errors.Refused) as fault:
        return {**shown, "text": "", "unreadable": str(fault)}


def opened_goals(case: unlock.OpenCase) -> list[dict[str, Any]]:
    """Open the goals of a case, each with its answers in order."""
    goals = []
    for goal in case.shown["goals"]:
        context = f"goal/{goal['id']}/detail"
        detail = case.open(goal["case"], goal["epoch"], b64decode(goal["detail"]), context)
        answers = [
            _answer(case, goal, row)
            for row in case.shown["checkins"]
            if row["goal_id"] == goal["id"]
        ]
        shown = {key: value for key, value in goal.items() if key != "detail"}
        goals.append({**shown, **json.loads(detail), "checkins": answers})
    return goals


def _answer(
    case: unlock.OpenCase, goal: Mapping[str, Any], row: Mapping[str, Any]
) -> dict[str, Any]:
    shown = {key: value for key, value in row.items() if key != "answer"}
    if row["answer"]:
        context = f"checkin/{row['id']}/answer"
        opened = case.open(goal["case"], row["epoch"], b64decode(row["answer"]), context)
        shown |= json.loads(opened)
    return shown


def safe(line: str) -> str:
    """Return a single line that can do nothing to a terminal."""
    return text.one_line(line, WIDTH)


def head(case: Mapping[str, Any]) -> list[str]:
    """Return the first lines of a case: who, how urgent, what needs somebody."""
    holder = case["assignee"] or "nobody yet"
    lines = [f"{case['case']}  {case['queue']}, {case['language']}, {case['state']}, with {holder}"]
    if case["tags"]:
        lines.append("tags: " + ", ".join(safe(tag) for tag in case["tags"]))
    if case["waiting_since"]:
        waited = output.ago(case["waiting_since"], case["now"])
        promised = output.local(case["promised_at"])
        lines.append(f"waits {waited}; answer promised by {promised}")
    if case["risk"]:
        read = [risk["read_by"] for risk in case["risks"] if risk["read_by"]]
        seen = f"read by {', '.join(sorted(set(read)))}" if read else "NOT READ YET"
        lines.append(
            f'!! SIGNS OF DANGER ({seen}). When it is over: risk close {case["case"]} "why"'
        )
    lines += [f"!  {FLAGS.get(flag, flag).format_map(case)}" for flag in case["flags"]]
    return lines


def body(entry: Mapping[str, Any], earlier: Sequence[str], *, full: bool) -> str:
    """Return an entry's text for a terminal, with quotes and signatures folded."""
    words: str = entry["text"]
    spans = () if full else fold.fold(words, earlier)
    subject = entry.get("subject") or ""
    start = len(subject) + 2
    signs = [(s[1] - start, s[2] - start) for s in entry.get("signs", [])]
    kept = [span for span in spans if not any(a < span.end and b > span.start for a, b in signs)]
    return text.terminal_safe(fold.render(words, kept)).strip("\n")


def entry_lines(entry: Mapping[str, Any], earlier: Sequence[str], *, full: bool) -> Iterator[str]:
    """Yield one entry: a line about it, then its text."""
    yield ""
    yield _about(entry)
    if entry.get("unreadable"):
        yield f"   ({entry['unreadable']})"
        return
    if entry["direction"] == "in":
        yield from _of_client(entry)
    yield ""
    yield body(entry, earlier, full=full)
    for place, file in enumerate(entry.get("attachments", [])):
        size = f"{max(1, file['size'] // 1024)} kB"
        yield f"   file {entry['number']}/{place}: {safe(file['name'])} ({safe(file['type'])}, {size})"


def _about(entry: Mapping[str, Any]) -> str:
    who = {
        "in": "client",
        "out": entry["author"] or "the centre",
        "note": f"note by {entry['author']}",
    }
    at = output.local(entry["at"])
    kind = "" if entry["kind"] in {"letter", "note"} else f" ({entry['kind']})"
    return f"── {entry['number']}. {at}  {who[entry['direction']]}{kind} " + "─" * 20


def _of_client(entry: Mapping[str, Any]) -> Iterator[str]:
    locked = "encrypted" if entry.get("encrypted") else "not encrypted"
    yield f"   {PROOF.get(entry['vouching'], entry['vouching'])}; {locked}"
    if entry.get("subject"):
        yield f"   subject: {safe(entry['subject'])}"
    kinds = sorted({sign[0] for sign in entry.get("signs", [])})
    if kinds:
        yield f"   !! signs of danger: {', '.join(kinds)}"
    if "cannot-decrypt" in entry.get("problems", []):
        yield "   This letter is locked with another key and could not be opened."
    if entry["suspect"]:
        yield "   It lay in the Junk folder."


def goal_lines(goals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the goals of a case, each with its ratings as a line."""
    for goal in goals:
        ratings = [answer["rating"] for answer in goal["checkins"] if "rating" in answer]
        when = f"every {goal['every']}, {goal['at']}" if goal["state"] == "active" else "stopped"
        target = f" ({safe(goal['target'])})" if goal["target"] else ""
        yield f"G{goal['number']}  {safe(goal['text'])}{target}: {when}"
        if ratings:
            line = "".join(BARS[rating] for rating in ratings)
            yield f"    {line}  {' '.join(map(str, ratings))}"
        unsure = sum(answer["state"] == "unsure" for answer in goal["checkins"])
        if unsure:
            yield f"    {unsure} answer(s) you have to read yourself"


def case_text(
    case: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    goals: Sequence[Mapping[str, Any]],
    *,
    full: bool = False,
) -> str:
    """Return a whole case as a person reads it, oldest entry first."""
    lines = head(case)
    if goals:
        lines += ["", *goal_lines(goals)]
    earlier: list[str] = []
    for entry in entries:
        lines += entry_lines(entry, earlier, full=full)
        if entry["text"]:
            earlier.append(entry["text"])
    return "\n".join(lines)
