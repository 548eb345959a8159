"""Look at the admin's rules as a whole: what no letter can reach, and what has no effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcounsel.casework import rules
from mailcounsel.casework.rules import Rule
from mailcounsel.config import Config

# Senders and fields that only machines have. Machines are never answered, whatever a rule says.
_MACHINES = ("mailer-daemon@x.test", "postmaster@x.test", "noreply@x.test", "no-reply@x.test")
_MARKS = {"auto-submitted", "list-id", "list-post", "x-autoreply", "x-auto-response-suppress"}


def problems(config: Config, found: Sequence[Rule]) -> list[str]:
    """Return a sentence for each thing an admin would not have meant, in the rules' order."""
    return [
        *(line for place in range(len(found)) for line in _of_rule(found, place)),
        *_of_queues(config, found),
    ]


def _of_rule(found: Sequence[Rule], place: int) -> Iterator[str]:
    rule, earlier = found[place], found[:place]
    ending = next((one for one in earlier if one.last and covers(one, rule)), None)
    if ending:
        yield f"{rule.name}: no letter reaches it, since {ending.name} takes them all and is last."
        return
    lost = [name for name in ("queue", "priority", "acknowledgement") if getattr(rule, name)]
    for name in lost:
        taken = next((one for one in earlier if getattr(one, name) and covers(one, rule)), None)
        if taken:
            yield f"{rule.name}: its {name} has no effect, since {taken.name} sets it before."
    if rule.acknowledgement not in {None, "none"} and _is_for_machines(rule):
        yield f"{rule.name}: its acknowledgement is never sent; machines are not answered."


def _of_queues(config: Config, found: Sequence[Rule]) -> Iterator[str]:
    used = {inbox.queue for inbox in config.inboxes} | {rule.queue for rule in found}
    for queue in config.queues:
        if queue.name not in used:
            yield f"queue {queue.name}: no inbox and no rule leads there."
        readers = config.readers(queue.name)
        if all("therapist" not in person.roles for person in readers):
            yield f"queue {queue.name}: nobody but its supervisor works there."


def covers(wide: Rule, narrow: Rule) -> bool:
    """Tell whether every letter the narrow rule fits is sure to fit the wide one."""
    return (
        _lists_cover(wide.sender, narrow.sender)
        and _lists_cover(wide.recipient, narrow.recipient)
        and _lists_cover(wide.subject_contains, narrow.subject_contains)
        and _lists_cover(wide.text_contains, narrow.text_contains)
        and wide.language in {None, narrow.language}
        and wide.header.items() <= narrow.header.items()
        and wide.client in {None, narrow.client}
        and wide.during in {None, narrow.during}
    )


def _lists_cover(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """Tell whether one of `wide` fits whatever one of `narrow` fits; an empty list fits all."""
    folded = {one.casefold() for one in wide}
    return not wide or (bool(narrow) and {one.casefold() for one in narrow} <= folded)


def _is_for_machines(rule: Rule) -> bool:
    if {name.lower() for name in rule.header} & _MARKS:
        return True
    return (
        bool(rule.sender)
        and all(
            any(rules.glob(pattern, machine) for machine in _MACHINES) for pattern in rule.sender
        )
        and not any(rules.glob(pattern, "ani@klien.test") for pattern in rule.sender)
    )
