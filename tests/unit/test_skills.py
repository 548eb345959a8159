"""What was taught and what was practised, put together from opened entries."""

from __future__ import annotations

import json

from mailcounsel.practice import skills


def note(goal="g1", **more):
    return {
        "kind": "skill",
        "at": "2026-11-29T10:00:00+00:00",
        "skill": "breathing",
        "text": "breathe slowly",
        "assigned": "2026-11-29T09:59:00+00:00",
        "goal": goal,
        **more,
    }


def practice(*answers, goal="g1", state="active"):
    return {
        "id": goal,
        "number": 2,
        "state": state,
        "every": "week",
        "at": "Sun 17:00",
        "checkins": list(answers),
    }


def answer(state="answered", **more):
    return {"due_at": "2026-12-06T10:00:00+00:00", "answered_at": None, "state": state, **more}


def test_practice_is_counted_over_all_answers():
    """Each answer stands by itself, and their sum beside the skill."""
    (found,) = skills.taught([note()], [practice(answer(rating=3), answer(times=0), answer())])
    assert [one["times"] for one in found["answers"]] == [3, 0, None]
    assert (found["times"], found["goal"], found["state"]) == (3, "P2", "active")


def test_unread_answers_count_nothing():
    """An answer without a clear number, or none at all, is no zero."""
    (found,) = skills.taught([note()], [practice(answer("unsure"), answer("asked"))])
    assert found["times"] == 0
    assert [one["times"] for one in found["answers"]] == [None, None]


def test_a_lesson_taken_back_says_so():
    """A lesson that never left is not shown as taught and not practised."""
    undone = {"kind": "reply-undone", "statement": json.dumps({"ticket": {"draft": "g1"}})}
    (found,) = skills.taught([note(), undone], [practice(state="stopped")])
    assert found["state"] == "taken back"


def test_another_reply_taken_back_means_nothing():
    """Only its own draft takes a lesson back; an undone reply that does not open harms nothing."""
    undone = {"kind": "reply-undone", "statement": json.dumps({"ticket": {"draft": "g2"}})}
    (found,) = skills.taught([note(), undone, {"kind": "reply-undone"}], [practice()])
    assert found["state"] == "active"


def test_a_practice_that_is_gone_leaves_the_skill():
    """Without its practice a skill is still one that was taught."""
    (found,) = skills.taught([note()], [])
    assert (found["state"], found["goal"], found["answers"]) == ("stopped", None, [])
