"""Step *route*: the admin's rules say queue, priority, tags and acknowledgement."""

from __future__ import annotations

from datetime import datetime

from mailcounsel.casework import hours, rules
from mailcounsel.casework.rules import Decision, Rule, RuleFacts
from mailcounsel.config import Config, Inbox
from mailcounsel.intake.assessing import Assessed
from mailcounsel.letter.parse import Letter


def route(
    letter: Letter,
    assessed: Assessed,
    inbox: Inbox,
    *,
    is_known: bool,
    now: datetime,
    config: Config,
) -> Decision:
    """Apply the rules to a letter. Danger is urgent whatever they say."""
    return rules.decide(
        config_rules(config), facts_of(letter, assessed, inbox, is_known, now, config), inbox.queue
    )


def facts_of(
    letter: Letter,
    assessed: Assessed,
    inbox: Inbox,
    is_known: bool,
    now: datetime,
    config: Config,
) -> RuleFacts:
    """Return what the rules may look at."""
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in letter.headers:
        headers[name] = (*headers.get(name, ()), value)
    return RuleFacts(
        sender=letter.sender.address or "",
        recipient=inbox.address,
        subject=letter.subject,
        text=letter.text,
        language=assessed.language,
        headers=headers,
        client_known=is_known,
        working_hours=hours.working_hours(config).is_open(now),
    )


def config_rules(config: Config) -> list[Rule]:
    """Return the rules of the configuration, in the file's order."""
    return [
        Rule(
            name=rule.name,
            sender=rule.sender,
            recipient=rule.recipient,
            subject_contains=rule.subject_contains,
            text_contains=rule.text_contains,
            language=rule.language,
            header=rule.header,
            client=rule.client,
            during=rule.during,
            queue=rule.queue,
            priority=rule.priority,
            tags=rule.tags,
            acknowledgement=rule.acknowledgement,
            last=rule.last,
        )
        for rule in config.rules
    ]
