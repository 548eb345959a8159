"""Step *route*: the admin's rules say queue, priority, tags and acknowledgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from mailcounsel.casework import hours, rules
from mailcounsel.casework.office import Office
from mailcounsel.casework.rules import Decision, Rule, RuleFacts
from mailcounsel.config import Config, Inbox
from mailcounsel.intake.assessing import Assessed
from mailcounsel.letter.parse import Letter
from mailcounsel.trust import roster


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


def where_it_opens(
    connection: Connection, office: Office, decision: Decision, inbox: Inbox
) -> Decision:
    """Keep a letter in the queue of its inbox while nobody could read it in the one of its rules.

    A queue whose supervisor is not enrolled has no key a case could be sealed to: the letter would
    wait where no person sees it, with whatever danger is in it. A case stays where it was opened.
    """
    queue = office.config.queue(decision.queue)
    if queue is None or queue.name == inbox.queue:
        return decision
    missing = roster.not_enrolled(connection, office.keyring, [queue.supervisor])
    return replace(decision, queue=inbox.queue) if missing else decision


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
