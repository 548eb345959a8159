"""`rules lint`: what an admin would not have meant."""

from __future__ import annotations

import pytest

from mailcounsel.casework import rulecheck
from mailcounsel.casework.rules import Rule
from mailcounsel.service import explaining

CONFIG = explaining.any_config()


def problems(*rules: Rule) -> list[str]:
    found = rulecheck.problems(CONFIG, rules)
    return [line for line in found if not line.startswith("queue ")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Rule("all", queue="a", last=True), Rule("late", queue="b")),
        (
            Rule("two", subject_contains=("kerja", "Sekolah"), queue="a", last=True),
            Rule("late", subject_contains=("sekolah",), language="id", queue="b"),
        ),
        (
            Rule("list", header={"list-id": "*"}, queue="a", last=True),
            Rule("late", header={"list-id": "*", "x-a": "b"}, queue="b"),
        ),
    ],
)
def test_a_rule_behind_a_wider_last_one_is_never_reached(first, second):
    """Every letter it fits has been taken before."""
    (line,) = problems(first, second)
    assert line.startswith("late: no letter reaches it")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Rule("some", language="id", queue="a", last=True), Rule("late", queue="b")),
        (Rule("all", tags=("x",)), Rule("late", queue="b")),
        (
            Rule("one", subject_contains=("kerja",), queue="a", last=True),
            Rule("late", subject_contains=("kerja", "sekolah"), queue="b"),
        ),
        (Rule("new", client="new", queue="a", last=True), Rule("late", client="known", queue="b")),
    ],
)
def test_a_rule_that_something_reaches_is_fine(first, second):
    """Where one letter could meet both, nothing is said."""
    assert problems(first, second) == []


def test_an_effect_that_comes_too_late_is_told():
    """The first rule that says something wins; tags add up."""
    (line,) = problems(
        Rule("all", queue="a", tags=("x",)), Rule("late", language="id", queue="b", tags=("y",))
    )
    assert line == "late: its queue has no effect, since all sets it before."


@pytest.mark.parametrize(
    ("rule", "is_told"),
    [
        (Rule("r", sender=("mailer-daemon@*",), acknowledgement="x"), True),
        (Rule("r", sender=("noreply@*", "no-reply@*"), acknowledgement="x"), True),
        (Rule("r", header={"List-Id": "*"}, acknowledgement="x"), True),
        (Rule("r", sender=("mailer-daemon@*",), acknowledgement="none"), False),
        (Rule("r", sender=("*",), acknowledgement="x"), False),
        (Rule("r", acknowledgement="x"), False),
    ],
)
def test_an_answer_to_machines_is_told(rule, is_told):
    """Machines are not answered, whatever a rule says."""
    assert bool(problems(rule)) is is_told


def test_queues_nobody_works_and_nothing_leads_to():
    """The queue of the sample configuration has no therapist."""
    assert rulecheck.problems(CONFIG, []) == [
        "queue general: nobody but its supervisor works there."
    ]
