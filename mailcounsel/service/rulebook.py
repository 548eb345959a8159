"""What the command line asks of rules: whether they make sense, and what others would have done.

Plain, in the caller's process; letters come in opened, from cases their reader could open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailcounsel import errors
from mailcounsel.casework import hours, rulecheck, rules
from mailcounsel.casework.rules import Decision, RuleFacts
from mailcounsel.config import Config
from mailcounsel.intake import opening, routing
from mailcounsel.letter import fold, language, parse


@dataclass(frozen=True, slots=True)
class Sorted:
    """A letter that was sorted before. `raw` is None where its reader may not see it."""

    case: str
    number: int
    at: datetime  # aware
    subject: str
    text: str
    raw: bytes | None


def lint(config: Config) -> list[str]:
    """Return a sentence for each thing an admin would not have meant."""
    return rulecheck.problems(config, routing.config_rules(config))


def needs_source(*configs: Config) -> bool:
    """Tell whether a rule asks for what only the raw mail tells: sender, recipient or a header."""
    every = [rule for config in configs for rule in config.rules]
    return any(rule.sender or rule.recipient or rule.header for rule in every)


def replay(letters: Iterable[Sorted], now: Config, tried: Config) -> dict[str, Any]:
    """Return which letters the tried rules would sort otherwise, in the order given.

    `unknown` counts those whose sender and headers are shut to this reader while a rule asks.
    """
    moved, looked_at, unknown = [], 0, 0
    asks = needs_source(now, tried)
    for one in letters:
        letter = _read(one, now) if asks else None
        if asks and letter is None:
            unknown += 1
            continue
        looked_at += 1
        before, after = (_told(_decided(one, letter, config)) for config in (now, tried))
        if before != after:
            place = {"case": one.case, "number": one.number}
            moved.append({**place, "before": before, "after": after})
    return {"looked_at": looked_at, "unknown": unknown, "moved": moved}


def _read(one: Sorted, config: Config) -> parse.Letter | None:
    try:
        return parse.read(one.raw, opening.budgets(config)) if one.raw is not None else None
    except errors.OverBudget:
        return None


def _decided(one: Sorted, letter: parse.Letter | None, config: Config) -> Decision:
    spans = fold.fold(one.text, (), letter.about if letter else None)
    words = fold.new_words(one.text, spans) or one.text
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in letter.headers if letter else ():
        headers[name] = (*headers.get(name, ()), value)
    named = (config.inbox_for(address) for address in (letter.recipients if letter else ()))
    inbox = next((box for box in named if box), config.inboxes[0])
    facts = RuleFacts(
        sender=(letter.sender.address if letter else None) or "",
        recipient=inbox.address,
        subject=one.subject,
        text=one.text,
        language=language.guess(words, config.centre.languages),
        headers=headers,
        client_known=one.number > 1,
        working_hours=hours.working_hours(config).is_open(one.at),
    )
    return rules.decide(routing.config_rules(config), facts, inbox.queue)


def _told(decision: Decision) -> str:
    """Return a decision in a few words."""
    tags = f", {' '.join(decision.tags)}" if decision.tags else ""
    answer = f", answer {decision.acknowledgement}" if decision.acknowledgement else ""
    return f"{decision.queue} {decision.priority}{tags}{answer}"
