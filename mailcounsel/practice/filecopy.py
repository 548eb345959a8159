"""A client's file as one text they can read: letters, goals with answers, what was written down.

Pure: the reader's process opens the entries and this puts them into words, in the client's
language. A therapist's private notes are left out unless they are asked for. Nothing is shortened
or folded, since it is the client's own; what could not be opened says so in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

Opened = Mapping[str, Any]

PRIVATE = frozenset({"note"})  # a therapist's own, written for nobody else
UNDONE = "-undone"  # ends the kinds of what was taken back before it left
# Of an opened entry what says how it is kept, rather than what is in it.
_HOW = frozenset(
    {
        *("format", "text", "subject", "id", "case", "number", "epoch", "direction", "kind", "at"),
        *("vouching", "suspect", "author", "statement", "signature", "channel", "message_id"),
        *("html_used", "date", "encrypted", "sender_doubt", "problems", "signs"),
        *("attachments", "signs_in_files"),
        *("plain", "unreadable", "about", "activities", "sent", "ending", "goal", "was_open"),
    }
)
# The same of an answer to a questionnaire.
_OF_FORM = frozenset({"version", "language", "doubts", "sum", "times_sum", "may_miss", "completes"})
_RULE = "-" * 60

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": MappingProxyType(
            {
                "title": "Copy of your file",
                "made": "Made on",
                "order": "Everything is in the order in which it was written.",
                "goals": "What we agreed to ask about",
                "letters": "Letters and what was written down",
                "in": "You wrote",
                "out": "We wrote",
                "note": "Written down",
                "target": "reached when",
                "file": "file",
                "unreadable": "This part could not be opened.",
                "left_out": "These files could not go with it:",
                "none": "There is nothing here.",
                "contract": "agreed",
                "summary": "how we understood it",
                "plan": "plan",
                "activity": "what was done",
                "skill": "exercise",
                "measure": "questionnaire",
                "strength": "a strength",
                "evaluation": "looking back",
                "rating": "your number",
                "times": "times practised",
                "words": "your words",
                "items": "your answers",
                "score": "together",
                "reason": "why it changed",
                "rhythm": "how often we write",
                "exchanges": "letters until we look back",
                "exercise": "exercise",
                "scores": "questionnaires",
            }
        ),
        "id": MappingProxyType(
            {
                "title": "Salinan berkas Anda",
                "made": "Dibuat pada",
                "order": "Semuanya menurut urutan ditulisnya.",
                "goals": "Yang kita sepakati untuk ditanyakan",
                "letters": "Surat dan catatan",
                "in": "Anda menulis",
                "out": "Kami menulis",
                "note": "Dicatat",
                "target": "tercapai bila",
                "file": "berkas",
                "unreadable": "Bagian ini tidak bisa dibuka.",
                "left_out": "Berkas-berkas ini tidak bisa disertakan:",
                "none": "Tidak ada apa-apa di sini.",
                "contract": "kesepakatan",
                "summary": "yang kami pahami",
                "plan": "rencana",
                "activity": "yang dilakukan",
                "skill": "latihan",
                "measure": "daftar pertanyaan",
                "strength": "kekuatan Anda",
                "evaluation": "melihat kembali",
                "rating": "angka Anda",
                "times": "berapa kali berlatih",
                "words": "kata-kata Anda",
                "items": "jawaban Anda",
                "score": "jumlahnya",
                "reason": "mengapa berubah",
                "rhythm": "seberapa sering kita bersurat",
                "exchanges": "surat sampai kita melihat kembali",
                "exercise": "latihan",
                "scores": "daftar pertanyaan",
            }
        ),
    }
)


def text_of(
    entries: Sequence[Opened],
    goals: Sequence[Opened],
    *,
    language: str,
    zone: str,
    now: datetime,
    with_notes: bool = False,
    left_out: Sequence[str] = (),
) -> str:
    """Return the copy as text. `now` is aware; days and hours are those of `zone`."""
    words, place = WORDS.get(language, WORDS["en"]), ZoneInfo(zone)
    lines = [words["title"], f"{words['made']} {_moment(now.isoformat(), place)}", words["order"]]
    if goals:
        lines += ["", _RULE, words["goals"], _RULE]
        for goal in goals:
            lines += _goal(goal, words, place)
    lines += ["", _RULE, words["letters"], _RULE]
    shown = [one for one in entries if is_theirs(one, with_notes=with_notes)]
    for entry in shown:
        lines += _entry(entry, words, place)
    lines += [] if shown else ["", words["none"]]
    if left_out:
        lines += ["", _RULE, words["left_out"], *left_out]
    return "\n".join(lines) + "\n"


def is_theirs(entry: Opened, *, with_notes: bool = False) -> bool:
    """Tell whether an entry belongs into a client's copy."""
    is_undone = entry["kind"].endswith(UNDONE)
    return not is_undone and (with_notes or entry["kind"] not in PRIVATE)


def _moment(at: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(at).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _entry(entry: Opened, words: Mapping[str, str], zone: ZoneInfo) -> Iterator[str]:
    yield ""
    kind = f" ({words.get(entry['kind'], entry['kind'])})" if entry["direction"] == "note" else ""
    yield f"{entry['number']}. {_moment(entry['at'], zone)}  {words[entry['direction']]}{kind}"
    if "unreadable" in entry:
        yield words["unreadable"]
        return
    if entry.get("subject"):
        yield f"   {' '.join(entry['subject'].split())}"
    yield ""
    yield entry.get("text", "").strip("\n")
    yield from _more(entry, words)
    for file in entry.get("attachments", []):
        yield f"   [{words['file']}: {file['name']}]"


def _more(entry: Opened, words: Mapping[str, str]) -> Iterator[str]:
    """Yield what else stands in an entry, such as the scores of a measure."""
    for name, value in entry.items():
        if name not in _HOW and value not in (None, "", [], {}):
            yield f"   {words.get(name, name)}: {_plainly(value, words)}"


def _plainly(value: Any, words: Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        told = (f"{words.get(name, name)} {_plainly(one, words)}" for name, one in value.items())
        return "; ".join(told)
    if isinstance(value, list | tuple):
        return ", ".join(_plainly(one, words) for one in value)
    return "–" if value is None else str(value)


def _goal(goal: Opened, words: Mapping[str, str], zone: ZoneInfo) -> Iterator[str]:
    yield ""
    if "unreadable" in goal:
        yield words["unreadable"]
        return
    target = f" ({words['target']}: {goal['target']})" if goal.get("target") else ""
    yield f"{goal['text']}{target}"
    for answer in goal["checkins"]:
        hidden = _CHECKIN | (_OF_FORM | {"times"} if "items" in answer else frozenset())
        said = {k: v for k, v in answer.items() if k not in hidden and v not in (None, "")}
        if said and answer.get("answered_at"):
            yield f"   {_moment(answer['answered_at'], zone)}  {_plainly(said, words)}"


# Of a check-in what says how it was asked, rather than what was answered.
_CHECKIN = frozenset(
    {
        *("id", "goal_id", "state", "reason", "epoch", "due_at", "answered_at", "unreadable"),
        *("format", "outgoing_id", "letter", "rest_letter"),
    }
)
