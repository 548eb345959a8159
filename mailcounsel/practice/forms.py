"""A form answered in two letters: put together where both can be opened.

An answer to a questionnaire holds `items` (None where one is open) and `sum`, `times` and
`may_miss`, from which a score is reckoned without the questionnaire's file. One with `completes`
names the answer whose open items it fills.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mailcounsel.practice import scores

REST = "rest"  # the reason of a check-in that asks for what another one left open


def completed(answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers of a questionnaire in order, each with what completes it put in.

    `was_open` names the items that were missing at first, where they were asked for and came, and
    `rest_letter` the letter they came in.
    """
    found = [dict(one) for one in answers if one.get("reason") != REST]
    by_id = {one["id"]: one for one in found}
    for one in answers:
        whole = by_id.get(one.get("completes") or "")
        if whole is not None and isinstance(whole.get("items"), list):
            _fill(whole, one)
    return found


def _fill(whole: dict[str, Any], rest: Mapping[str, Any]) -> None:
    was_open = [number for number, value in enumerate(whole["items"], 1) if value is None]
    said = [number for number, value in enumerate(rest["items"], 1) if value is not None]
    if not set(said) <= set(was_open):
        return  # the form was answered anew meanwhile
    pairs = zip(whole["items"], rest["items"], strict=True)
    whole["items"] = [new if old is None else old for old, new in pairs]
    whole["was_open"], whole["rest_letter"] = was_open, rest.get("letter")
    whole["sum"] += rest["sum"]
    missing = whole["items"].count(None)
    given = len(whole["items"]) - missing
    if missing <= whole["may_miss"]:
        whole["score"] = scores.whole_form(whole["sum"], given, len(whole["items"]), whole["times"])
        whole |= {"state": "answered", "reason": ""}
