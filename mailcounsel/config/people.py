"""The tables of the people, the queues they read, and the rules that fill those."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from mailcounsel.config.fields import (
    WEEKDAYS,
    Absences,
    Address,
    Flag,
    HeaderName,
    Language,
    Line,
    Lines,
    Name,
    Names,
    Positive,
    Priority,
    Roles,
    Weekdays,
    Whole,
    WorkingTime,
)
from mailcounsel.config.tables import Table


class Person(Table):
    """Somebody who works here."""

    name: Name
    """A short name, used in commands."""
    roles: Roles
    """What they do: "therapist", "supervisor", "admin"."""
    os_user: Line | None = None
    """Their account on this machine."""
    uid: Whole | None = None
    """Instead of os_user, the account's number."""
    languages: tuple[Language, ...] = ()
    """The languages they counsel in, for `next`; none named means all."""
    queues: Names = ()
    """The queues they read; a supervisor's own are known already."""
    capacity: Positive = 40
    """The most open cases at a time."""
    notify: Address | None = None
    """Where to send notes without content about new and urgent letters."""
    works_on: Weekdays = WEEKDAYS
    """The days of the week on which they are there."""
    absent: Absences = ()
    """Days on which they are away."""

    def is_here(self, day: date) -> bool:
        """Tell whether they work on a day: one of their weekdays, and not away."""
        return WEEKDAYS[day.weekday()] in self.works_on and not any(
            day in away for away in self.absent
        )

    @property
    def is_always_here(self) -> bool:
        """Tell whether no day is an exception."""
        return not self.absent and self.works_on == WEEKDAYS


URGENT = 2.0  # working hours: danger never waits as long as an ordinary letter does


class PriorityPromise(Table):
    """Working hours until an answer, by priority."""

    low: WorkingTime | None = None
    """For low priority."""
    normal: WorkingTime | None = None
    """For normal priority."""
    high: WorkingTime | None = None
    """For high priority."""
    urgent: WorkingTime | None = None
    """For urgent letters; as a rule two hours, or what the queue promises all if that is sooner."""


class Risk(Table):
    """Who reads a letter with signs of danger, and by when."""

    read_minutes: Positive = 30
    """Minutes within which somebody must have read it, and between the steps of the ladder."""
    on_call: Name | None = None
    """Who is told first when nobody has."""
    second: Name | None = None
    """Who is told next; after them, the supervisor."""
    silence_hours: Positive = 48
    """Hours without a word after an answer to such a letter, until a person is told."""
    notes_per_day: Positive = 2
    """The most calm notes about help nearby to one client in a day."""


class Queue(Table):
    """A line of cases that wait for the same people."""

    name: Name
    """A short name, used in commands and rules."""
    supervisor: Name
    """The person who answers for it and can read all of it."""
    promise_working_hours: WorkingTime = 16.0
    """Working hours within which an answer is promised."""
    priority_promise: PriorityPromise = PriorityPromise()
    """Other promises by priority."""
    risk: Risk = Risk()
    """Who reads signs of danger, and by when."""
    language: Language | None = None
    """The language of its people, where they share one."""

    def promise(self, priority: Priority) -> float:
        """Return the working hours within which an answer of this priority is promised."""
        promises: dict[Priority, float | None] = {
            "low": self.priority_promise.low,
            "normal": self.priority_promise.normal,
            "high": self.priority_promise.high,
            "urgent": self.priority_promise.urgent or min(URGENT, self.promise_working_hours),
        }
        return promises[priority] or self.promise_working_hours


class Rule(Table):
    """What to do with letters of a kind; all conditions must hold, read in the file's order."""

    name: Name
    """A short name, shown by `explain`."""
    sender: Lines = ()
    """The sender's address is like one of these (* and ?)."""
    recipient: Lines = ()
    """The address written to is like one of these (* and ?)."""
    subject_contains: Lines = ()
    """The subject has one of these words or phrases."""
    text_contains: Lines = ()
    """The text has one of these words or phrases."""
    language: Language | None = None
    """The letter is in this language."""
    header: dict[HeaderName, Line] = Field(default_factory=dict)
    """Each of these headers is like the pattern beside it (* and ?)."""
    client: Literal["new", "known"] | None = None
    """The client is new, or has a case already."""
    during: Literal["working", "outside"] | None = None
    """The letter came within working hours, or outside them."""
    queue: Name | None = None
    """Effect: the queue it goes to."""
    priority: Priority | None = None
    """Effect: its priority."""
    tags: Names = ()
    """Effect: tags on the case; those of several rules add up."""
    acknowledgement: Line | None = None
    """Effect: the template of the first answer, or "none"."""
    last: Flag = False
    """Effect: no later rule is read."""

    @property
    def has_conditions(self) -> bool:
        """Tell whether anything has to hold."""
        conditions = (self.sender, self.recipient, self.subject_contains, self.text_contains)
        return any((*conditions, self.language, self.header, self.client, self.during))

    @property
    def has_effects(self) -> bool:
        """Tell whether the rule changes anything."""
        return any((self.queue, self.priority, self.tags, self.acknowledgement, self.last))
