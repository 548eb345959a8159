"""A form answered in two letters is put together where both can be opened."""

from __future__ import annotations

from mailcounsel.practice import forms

FIRST = {
    "id": "a", "state": "unsure", "reason": "gap", "items": [1, None, 2, None], "score": None,
    "sum": 3, "times": 1, "may_miss": 0, "completes": None,
}  # fmt: skip


def rest(items, **more):
    found = {**FIRST, "id": "b", "reason": forms.REST, "items": items, "completes": "a", **more}
    return {**found, "sum": sum(one or 0 for one in items)}


def test_two_letters_make_one_form():
    """Items, score and what was open at first; the rest is no answer of its own."""
    (whole,) = forms.completed([FIRST, rest([None, 3, None, 1])])
    assert (whole["items"], whole["score"], whole["was_open"]) == ([1, 3, 2, 1], 7, [2, 4])
    assert (whole["state"], whole["reason"]) == ("answered", "")


def test_what_is_still_open_gives_no_score():
    """Unless the form's own rule allows a gap: then the mean of the others stands for it."""
    (whole,) = forms.completed([FIRST, rest([None, 3, None, None])])
    assert (whole["score"], whole["state"]) == (None, "unsure")
    (whole,) = forms.completed([{**FIRST, "may_miss": 1}, rest([None, 3, None, None])])
    assert whole["score"] == 8


def test_a_question_that_waits_is_no_answer():
    """What was asked for once more and did not come leaves the form as it was."""
    asked = {"id": "b", "state": "asked", "reason": forms.REST}
    assert forms.completed([FIRST, asked]) == [FIRST]


def test_a_form_answered_anew_is_not_added_to():
    """Neither is one that does not open, nor one nobody knows."""
    anew = {**FIRST, "items": [1, 1, 1, 1], "sum": 4, "score": 4}
    assert forms.completed([anew, rest([None, 3, None, 1])]) == [anew]
    broken = {"id": "a", "state": "answered", "unreadable": "It does not open."}
    assert forms.completed([broken, rest([None, 3, None, 1])]) == [broken]
    assert forms.completed([rest([None, 3, None, 1], completes="c")]) == []


def test_answers_to_goals_pass_as_they_are():
    """A rating is no form."""
    rating = {"id": "g", "state": "answered", "reason": "", "rating": 7}
    assert forms.completed([rating]) == [rating]
