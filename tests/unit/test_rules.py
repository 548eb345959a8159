"""The admin's rules place a letter as they say, in their order, and in linear time."""

from __future__ import annotations

import fnmatch
import re
import sys
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel.casework import rules
from mailcounsel.casework.rules import Rule, RuleFacts

FACTS = RuleFacts(
    sender="siti@example.org",
    recipient="tanya@centre.test",
    subject="Sulit  TIDUR\nlagi",
    text="Halo,\nsaya tidak bisa   tidur. Saya dirujuk dokter.",
    language="id",
    headers={"x-form": ("Website contact", "second"), "list-id": ("<a.test>",)},
    client_known=False,
    working_hours=True,
)


def matches(rule: Rule, facts: RuleFacts = FACTS) -> bool:
    return bool(rules.decide([rule], facts, "general").matched)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("all"), True),
        (Rule("r", sender=("*@example.org",)), True),
        (Rule("r", sender=("*@EXAMPLE.org",)), True),
        (Rule("r", sender=("x@*", "siti@*")), True),
        (Rule("r", sender=("example.org",)), False),
        (Rule("r", recipient=("tanya@*",)), True),
        (Rule("r", recipient=("help@*",)), False),
        (Rule("r", subject_contains=("sulit tidur",)), True),
        (Rule("r", subject_contains=("tidur lagi",)), True),
        (Rule("r", subject_contains=("ulit tidur",)), False),
        (Rule("r", subject_contains=("sulit tid",)), False),
        (Rule("r", text_contains=("tidak bisa tidur",)), True),
        (Rule("r", text_contains=("rujuk",)), False),
        (Rule("r", text_contains=("rujuk", "DOKTER")), True),
        (Rule("r", text_contains=("dokter.",)), True),
        (Rule("r", text_contains=("  ",)), False),
        (Rule("r", language="id"), True),
        (Rule("r", language="en"), False),
        (Rule("r", header={"X-Form": "website*"}), True),
        (Rule("r", header={"X-Form": "sec?nd"}), True),
        (Rule("r", header={"X-Form": "website*", "List-Id": "*b.test*"}), False),
        (Rule("r", header={"X-Missing": "*"}), False),
        (Rule("r", client="new"), True),
        (Rule("r", client="known"), False),
        (Rule("r", during="working"), True),
        (Rule("r", during="outside"), False),
        (Rule("r", language="id", client="known"), False),
    ],
)
def test_a_rule_matches_when_every_condition_holds(rule: Rule, expected: bool) -> None:
    """Each condition alone, and two together, decide as written."""
    assert matches(rule) is expected


def test_any_blank_stands_between_words() -> None:
    """Every blank of Unicode, and any row of them, is a space to a rule."""
    blanks = [letter for letter in map(chr, range(sys.maxunicode + 1)) if letter.isspace()]
    assert len(blanks) > 20
    rule = Rule("r", text_contains=("tidak tidur",))
    for blank in blanks:
        assert matches(rule, replace(FACTS, text=f"saya tidak{blank * 3} {blank}tidur"))


def test_a_text_of_blanks_needs_no_memory_for_each() -> None:
    """Two million quote marks are matched in a few times the memory of the text."""
    facts = replace(FACTS, text="> a\n" * 2_000_000)
    tracemalloc.start()
    try:
        assert not matches(Rule("r", text_contains=("tidur",)), facts)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(facts.text)
    finally:
        tracemalloc.stop()


def test_other_facts_turn_the_answers_round() -> None:
    """Known clients and evenings match the other words."""
    later = replace(FACTS, client_known=True, working_hours=False, language=None)
    assert matches(Rule("r", client="known", during="outside"), later)
    assert not matches(Rule("r", client="new"), later)
    assert not matches(Rule("r", during="working"), later)
    assert not matches(Rule("r", language="id"), later)


def test_the_first_to_set_a_field_wins_and_tags_add_up() -> None:
    """Order decides; a later rule fills only what is still open."""
    decision = rules.decide(
        [
            Rule("a", tags=("sleep",), queue="night"),
            Rule("no", language="en", priority="urgent"),
            Rule("b", queue="day", priority="high", tags=("new", "sleep")),
            Rule("c", priority="low", acknowledgement="none"),
        ],
        FACTS,
        "general",
    )
    assert decision == rules.Decision(
        queue="night",
        priority="high",
        tags=("sleep", "new"),
        acknowledgement="none",
        matched=("a", "b", "c"),
    )


def test_without_a_match_the_default_queue_is_used() -> None:
    """No rule is needed for a letter to have a place."""
    assert rules.decide([], FACTS, "general") == rules.Decision("general", "normal", (), None, ())


def test_last_stops_only_where_it_matched() -> None:
    """A last rule that did not match lets the reading go on."""
    after = Rule("after", queue="x")
    stopping = Rule("stop", language="id", last=True)
    passing = Rule("pass", language="en", last=True)
    assert rules.decide([stopping, after], FACTS, "general").queue == "general"
    assert rules.decide([passing, after], FACTS, "general").queue == "x"


def test_explain_names_the_first_condition_that_failed() -> None:
    """One line a rule, and no word of the letter in any of them."""
    lines = rules.explain(
        [
            Rule("words", text_contains=("marah",), language="en"),
            Rule("tongue", language="en"),
            Rule("time", during="outside"),
            Rule("yes", last=True),
            Rule("late"),
        ],
        FACTS,
    )
    assert lines == (
        "words: text has none of the words",
        "tongue: language is another",
        "time: within working hours",
        "yes: matched",
        "late: not read, yes is the last",
    )
    assert not any(word in line for line in lines for word in ("siti", "tidur", "dokter"))


@given(st.text("ab*?.", max_size=8), st.text("abAB.?*", max_size=10))
def test_glob_agrees_with_fnmatch(pattern: str, value: str) -> None:
    """Without brackets our matcher and the standard one say the same."""
    expected = re.match(fnmatch.translate(pattern.casefold()), value.casefold()) is not None
    assert rules.glob(pattern, value) is expected


def test_a_pattern_that_grows_when_folded_matches_whole_values() -> None:
    """A ß is folded into two letters; the last one counts, too."""
    assert rules.glob("*@weiß.test", "a@weiß.test")
    assert not rules.glob("*weiß", "a@weis")


def test_no_pattern_is_slow() -> None:
    """A pattern that ruins backtracking matchers reads 100 kB in one pass."""
    assert not rules.glob("*a" * 200 + "b", "a" * 100_000)
    assert matches(Rule("r", text_contains=("a a b",)), replace(FACTS, text="a " * 500_000 + "b"))
    assert not matches(Rule("r", text_contains=("aa",)), replace(FACTS, text="a" * 1_000_000))
