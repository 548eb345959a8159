"""The admin's ordered rules: which queue, priority, tags and acknowledgement a letter gets.

Rules are read in their order. The first rule to set a field wins it, tags add up, and a rule
marked `last` ends the reading. No rule is a regular expression, so none can be slow: a glob is
read in one pass and words are looked up in text that was folded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Priority = Literal["low", "normal", "high", "urgent"]


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What rules may look at in one letter.

    `sender` is "" when it is not known; `headers` maps lower-case names to all their values.
    """

    sender: str
    recipient: str
    subject: str
    text: str
    language: str | None
    headers: Mapping[str, tuple[str, ...]]
    client_known: bool
    working_hours: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: every condition given must hold, then every effect given is offered.

    Within one condition any of its globs or words is enough; each header named must match. A
    rule without conditions always matches.
    """

    name: str
    sender: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    subject_contains: tuple[str, ...] = ()
    text_contains: tuple[str, ...] = ()
    language: str | None = None
    header: Mapping[str, str] = field(default_factory=dict)
    client: Literal["new", "known"] | None = None
    during: Literal["working", "outside"] | None = None
    queue: str | None = None
    priority: Priority | None = None
    tags: tuple[str, ...] = ()
    acknowledgement: str | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules made of a letter.

    `acknowledgement` is a template's name, "none", or None where no rule said anything;
    `matched` names the rules that held, in order.
    """

    queue: str
    priority: Priority
    tags: tuple[str, ...]
    acknowledgement: str | None
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Folded:
    """A letter's facts with subject and text folded once for all rules."""

    facts: RuleFacts
    subject: str
    text: str


def decide(rules: Sequence[Rule], facts: RuleFacts, default_queue: str) -> Decision:
    """Apply the rules to one letter."""
    matched = [rule for rule, failed in _read(rules, facts) if failed is None]
    return Decision(
        queue=next((rule.queue for rule in matched if rule.queue), default_queue),
        priority=next((rule.priority for rule in matched if rule.priority), "normal"),
        tags=tuple(dict.fromkeys(tag for rule in matched for tag in rule.tags)),
        acknowledgement=next((r.acknowledgement for r in matched if r.acknowledgement), None),
        matched=tuple(rule.name for rule in matched),
    )


def explain(rules: Sequence[Rule], facts: RuleFacts) -> tuple[str, ...]:
    """Say of every rule, in order, that it matched or which condition did not hold.

    No line holds a word of the letter.
    """
    read = list(_read(rules, facts))
    lines = [f"{rule.name}: {failed or 'matched'}" for rule, failed in read]
    stopped_by = read[-1][0].name if read else ""
    lines += [f"{rule.name}: not read, {stopped_by} is the last" for rule in rules[len(read) :]]
    return tuple(lines)


def _read(rules: Sequence[Rule], facts: RuleFacts) -> Iterator[tuple[Rule, str | None]]:
    """Yield each rule that is reached with the first condition that failed, or None."""
    folded = _Folded(facts, _fold(facts.subject), _fold(facts.text))
    for rule in rules:
        failed = _first_failure(rule, folded)
        yield rule, failed
        if rule.last and failed is None:
            return


def _first_failure(rule: Rule, folded: _Folded) -> str | None:
    return next((why for why, holds in _CONDITIONS if not holds(rule, folded)), None)


_CONDITIONS: tuple[tuple[str, Callable[[Rule, _Folded], bool]], ...] = (
    ("sender does not match", lambda r, f: _any_glob(r.sender, f.facts.sender)),
    ("recipient does not match", lambda r, f: _any_glob(r.recipient, f.facts.recipient)),
    ("subject has none of the words", lambda r, f: _any_phrase(r.subject_contains, f.subject)),
    ("text has none of the words", lambda r, f: _any_phrase(r.text_contains, f.text)),
    ("language is another", lambda r, f: r.language in {None, f.facts.language}),
    ("header does not match", lambda r, f: _headers_match(r.header, f.facts.headers)),
    ("client is not new", lambda r, f: r.client != "new" or not f.facts.client_known),
    ("client is not known", lambda r, f: r.client != "known" or f.facts.client_known),
    ("outside working hours", lambda r, f: r.during != "working" or f.facts.working_hours),
    ("within working hours", lambda r, f: r.during != "outside" or not f.facts.working_hours),
)


def _any_glob(patterns: Sequence[str], value: str) -> bool:
    return not patterns or any(glob(pattern, value) for pattern in patterns)


def _any_phrase(phrases: Sequence[str], folded: str) -> bool:
    return not phrases or any(_has_phrase(folded, _fold(phrase)) for phrase in phrases)


def _headers_match(wanted: Mapping[str, str], headers: Mapping[str, tuple[str, ...]]) -> bool:
    return all(
        any(glob(pattern, value) for value in headers.get(name.lower(), ()))
        for name, pattern in wanted.items()
    )


def glob(pattern: str, value: str) -> bool:
    """Tell whether the whole value matches, case-insensitively; only `*` and `?` are special.

    All partial matches are followed at once as bits of one number, so the time is linear in
    the value whatever the pattern is.
    """
    pattern = pattern.casefold()
    wanted, stay = _compile(pattern)
    at = 1  # bit i: the first i characters of the pattern (stars aside) have been met
    anything = wanted.get("?", 0)
    for character in value.casefold():
        step = anything if character == "?" else wanted.get(character, 0) | anything
        at = (at & stay) | ((at & step) << 1)
        if not at:
            return False
    return bool(at >> (len(pattern) - pattern.count("*")) & 1)


def _compile(pattern: str) -> tuple[dict[str, int], int]:
    """Give the places where each character is wanted and the places a star lets us stay."""
    wanted: dict[str, int] = {}
    stay = place = 0
    for character in pattern:
        if character == "*":
            stay |= 1 << place
        else:
            wanted[character] = wanted.get(character, 0) | 1 << place
            place += 1
    return wanted, stay


# Not every single space: a letter of a megabyte would be a hundred thousand words for a moment.
# Every blank of Unicode but the space.
_BLANKS = (
    "".join(map(chr, (*range(9, 14), *range(28, 32), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B))))
    + "\u2028\u2029\u202f\u205f\u3000"
)


def _fold(text: str) -> str:
    """Return a text in small letters, with single spaces; a pattern would hold every piece."""
    folded = text.casefold()
    for blank in _BLANKS:
        folded = folded.replace(blank, " ")
    while "  " in folded:
        folded = folded.replace("  ", " ")
    return folded.strip()


def _has_phrase(folded: str, phrase: str) -> bool:
    """Find the phrase with no letter or digit joined to either end of it."""
    if not phrase:
        return False
    start = folded.find(phrase)
    while start >= 0:
        if _is_whole(folded, phrase, start):
            return True
        start = folded.find(phrase, start + 1)
    return False


def _is_whole(folded: str, phrase: str, start: int) -> bool:
    end = start + len(phrase)
    before, after = folded[max(0, start - 1) : start], folded[end : end + 1]
    return not (phrase[0].isalnum() and before.isalnum()) and not (
        phrase[-1].isalnum() and after.isalnum()
    )
