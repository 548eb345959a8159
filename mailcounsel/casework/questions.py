"""What one check-in asks: several questions of a case in one letter, each with a name of its own.

A row of `goal` is a question that comes again: a goal ("G1"), the mood ("mood"), or how often
something was practised ("practice"; "latihan" in an Indonesian letter). Where a letter asks about
two practices, or two moods, they go by their number ("P1", "P2"), and never by a goal's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import RowMapping

from mailcounsel.casework import goals
from mailcounsel.casework.office import Office
from mailcounsel.letter.templates import Fact
from mailcounsel.practice import answers, names
from mailcounsel.practice.answers import Question
from mailcounsel.practice.names import GOAL, MOOD, PRACTICE

TOGETHER = frozenset({GOAL, MOOD, PRACTICE})  # what may stand in one letter
_PLAIN = "!$'*+@"  # what an address in a link may hold as it is, beside letters and digits
ANSWER_LASTS = timedelta(days=14)  # how long an answer still belongs to a letter that asked
BLANK = "…"  # no number: one that came back in a quote would be taken for the answer


def named(asking: Sequence[Mapping[Any, Any]]) -> list[Question]:
    """Return the questions of some rows (`number` and `asks` are enough), in the same order.

    Two of merged cases may share a number; then the younger one goes by the next that is
    free, the same in the letter and for its answer, whatever the order of the rows.
    """
    shared = Counter(row["asks"] for row in asking)
    found = [_question(row, alone=shared[row["asks"]] == 1) for row in asking]
    free = max((row["number"] for row in asking), default=0) + 1
    taken: set[str] = set()
    for at in sorted(range(len(asking)), key=lambda at: _goal_id(asking[at])):
        if found[at].name in taken:
            name = names.of(asking[at]["asks"], free)
            found[at], free = replace(found[at], name=name), free + 1
        taken.add(found[at].name)
    return found


def _goal_id(row: Mapping[Any, Any]) -> str:
    """Return the id of the goal of a row of `goal` or `checkin`, "" where neither is given."""
    return str(row["goal_id"] if "goal_id" in row else row.get("id", ""))


def _question(row: Mapping[Any, Any], *, alone: bool) -> Question:
    asks, kind = row["asks"], answers.question(row["asks"]).kind
    return Question(asks if alone and asks != GOAL else names.of(asks, row["number"]), kind)


def facts(office: Office, language: str, asking: Sequence[RowMapping]) -> dict[str, Fact]:
    """Return what the template `checkin` says about some rows of `goal`."""
    names = _spoken(language, asking)
    several = len(asking) > 1

    def lines(asks: str) -> str:
        return "\n".join(
            f"    {name}  {goals.label_of(office, row)}" if several else _alone(office, row)
            for name, row in zip(names, asking, strict=True)
            if row["asks"] == asks
        )

    mood = next((n for n, row in zip(names, asking, strict=True) if row["asks"] == MOOD), "")
    form = " / ".join(f"{name} {BLANK}" for name in names) if several else ""
    return {"goals": lines(GOAL), "mood": mood, "practice": lines(PRACTICE), "form": form}


def link(address: str, subject: str, language: str, asking: Sequence[Mapping[Any, Any]]) -> str:
    """Return a link that opens an answer with the names filled in (RFC 6068); "" for no address.

    A phone without a reply that quotes can answer by it: the address alone brings it to its case.
    """
    if not address:
        return ""
    body = "\r\n".join(f"{name} = " for name in _spoken(language, asking))
    fields = urlencode({"subject": subject, "body": body}, quote_via=quote)
    return f"mailto:{quote(address, safe=_PLAIN)}?{fields}"


def _spoken(language: str, asking: Sequence[Mapping[Any, Any]]) -> list[str]:
    spoken = answers.SPOKEN.get(language, answers.SPOKEN["en"])
    return [spoken.get(one.name, one.name) for one in named(asking)]


def _alone(office: Office, row: RowMapping) -> str:
    return f"    {goals.label_of(office, row)}"
