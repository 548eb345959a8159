"""Which skills a client was taught and what they reported of practice, from opened entries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mailcounsel.practice import names

_COUNTS = ("times", "number", "value", "rating")  # what an opened answer may call its number


def taught(
    entries: Sequence[Mapping[str, Any]], goals: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the skills in the order they were taught, each with its answers, oldest first.

    `entries` are opened entries of a case, those of kind `skill` and `reply-undone` at least;
    `goals` are its opened goals with their `checkins`. `practice` is the id of the practice and
    `goal` its name ("P1"), None where it is gone; `state` is *active*, *stopped*, or *taken back*
    for a lesson never sent.
    """
    by_id = {goal["id"]: goal for goal in goals}
    undone = {draft_of(entry) for entry in entries if entry["kind"] == "reply-undone"}
    return [
        _skill(entry, by_id.get(entry["goal"]), entry["goal"] in undone)
        for entry in entries
        if entry["kind"] == "skill" and entry.get("skill") and entry.get("goal")
    ]


def draft_of(entry: Mapping[str, Any]) -> str | None:
    """Return the draft a reply was signed as; a practice bears the same id."""
    try:
        return str(json.loads(entry["statement"])["ticket"]["draft"])
    except (KeyError, TypeError, ValueError):
        return None


def _skill(
    note: Mapping[str, Any], goal: Mapping[str, Any] | None, is_undone: bool
) -> dict[str, Any]:
    found: Mapping[str, Any] = goal or {}
    answers = [_answer(row) for row in found.get("checkins", ())]
    return {
        "skill": note["skill"],
        "exercise": note.get("text", ""),
        "assigned": note.get("assigned") or note["at"],
        "practice": note["goal"],
        "goal": names.of(names.PRACTICE, found["number"]) if goal else None,
        "state": "taken back" if is_undone else found.get("state", "stopped"),
        "every": found.get("every", ""),
        "at": found.get("at", ""),
        "times": sum(answer["times"] or 0 for answer in answers),
        "answers": answers,
    }


def _answer(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = [row[name] for name in _COUNTS if isinstance(row.get(name), int)]
    shown = {name: row.get(name) for name in ("due_at", "answered_at", "state")}
    return {**shown, "times": counts[0] if counts else None}
