"""The journey of a case, told by its entries; and what it still lacks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel.practice import journey as telling
from mailcounsel.practice import lint
from mailcounsel.practice.milestones import ACTIVITIES

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CASE = {"case": "C-0042", "state": "open", "exchanges": 0}
DAY = timedelta(days=1)


def ago(days: float) -> str:
    return (NOW - days * DAY).isoformat()


def entry(direction, kind, days, number=1, **content):
    return {"direction": direction, "kind": kind, "at": ago(days), "number": number, "text": "",
            "author": None, **content}  # fmt: skip


def letter(days, text="Hello.", number=1):
    return entry("in", "letter", days, number, text=text)


def reply(days, number=2, **content):
    return entry("out", "reply", days, number, **content)


def note(kind, days, number=3, **content):
    return entry("note", kind, days, number, **content)


def goal(number=1, asks="goal", checkins=(), **more):
    return {"number": number, "asks": asks, "text": "walk", "target": "", "state": "active",
            "created_at": ago(20), "checkins": list(checkins), **more}  # fmt: skip


def answer(days, **content):
    return {"due_at": ago(days), "answered_at": ago(days), "state": "answered", **content}


def told(entries=(), goals=(), **case):
    return telling.of({**CASE, **case}, list(entries), list(goals), NOW)


def steps(journey, name):
    (found,) = [one.steps for one in journey.activities if one.name == name]
    return [(step.number, step.words) for step in found]


# -- the journey ----------------------------------------------------------------------------------


def test_an_empty_case_has_seven_activities_and_nothing_in_them():
    """A case nobody wrote in yet is a journey too."""
    journey = told()
    assert [one.name for one in journey.activities] == list(ACTIVITIES)
    assert len(ACTIVITIES) == 7
    assert all(one.steps == () for one in journey.activities)


def test_each_kind_of_note_stands_in_its_activity():
    """What a therapist wrote down is found where they would look for it."""
    journey = told(
        [
            letter(30),
            note("contract", 29, 3, rhythm="every week", exchanges=6),
            note("summary", 28, 4, text="Nights are long.", sent=True),
            note("plan", 27, 5, text="Sleep first."),
            note("skill", 26, 6, skill="breathing", text="Five minutes."),
            note("strength", 25, 7, text="asks for help"),
            note("evaluation", 24, 8, text="We looked back."),
            note("activity", 23, 9, activity="support", text="stayed beside her"),
        ],
        [goal(checkins=[answer(20, rating=3)])],
    )
    assert steps(journey, "introduction") == [(1, "first letter"), (3, "agreed: every week")]
    assert steps(journey, "understanding") == [(4, "summary sent")]
    assert steps(journey, "goals") == [(5, "plan"), (0, "G1 walk")]
    assert steps(journey, "skills") == [(6, "breathing")]
    assert steps(journey, "support") == [(7, "strength: asks for help"), (9, "stayed beside her")]
    assert steps(journey, "evaluation") == [(8, "evaluated")]


def test_a_reply_may_belong_to_several_activities():
    """One letter can agree a goal and stand by somebody."""
    journey = told([reply(3, 7, activities=["goals", "support", "gossip"])])
    assert steps(journey, "goals") == steps(journey, "support") == [(7, "")]


def test_the_latest_contract_counts():
    """A contract that was agreed anew replaces the older one."""
    journey = told([note("contract", 9, rhythm="every week", exchanges=6),
                    note("contract", 2, rhythm="every 2 weeks", exchanges=3)])  # fmt: skip
    assert journey.contract is not None
    assert (journey.contract.rhythm, journey.contract.exchanges) == ("every 2 weeks", 3)


def test_a_contract_that_changes_is_said_to():
    """Only the first one was agreed; what came after it is a change."""
    entries = [note("contract", days, rhythm=rhythm) for days, rhythm in ((9, "a"), (2, "b"))]
    words = [words for _, words in steps(told(entries), "introduction")]
    assert words == ["agreed: a", "changed to: b"]


def test_versions_of_the_plan_are_numbered_in_the_order_they_were_written():
    """Two people who both wrote version 2 wrote versions 2 and 3."""
    plans = [note("plan", 9, text="a", version=1), note("plan", 5, text="b", reason="x", version=2),
             note("plan", 4, text="c", reason="y", version=2)]  # fmt: skip
    assert [(p.version, p.text, p.reason) for p in told(plans).plans] == [
        (1, "a", ""),
        (2, "b", "x"),
        (3, "c", "y"),
    ]


def test_ratings_scores_and_practice_are_told_apart_by_what_was_asked():
    """A rating of practice never bends the line of a goal."""
    journey = told(
        [note("skill", 20, skill="breathing", text="x")],
        [
            goal(1, checkins=[answer(2, rating=6), answer(9, rating=4)]),
            goal(2, "practice", [answer(3, times=3, words="3x")], text="breathing"),
            goal(3, "measure", [answer(4, measure="phq-9", items=[1], score=12)]),
            goal(4, "mood", [answer(1, rating=5)]),
        ],
    )
    assert [[point.value for point in line.points] for line in journey.goals] == [[4, 6]]
    assert [(line.measure, line.points[0].value) for line in journey.scores] == [("phq-9", 12)]
    assert [point.value for point in journey.skills[0].practised] == [3]
    assert steps(journey, "practice") == [(0, "breathing 3")]
    assert steps(journey, "evaluation") == [(0, "phq-9 12")]


def test_practice_belongs_to_the_skill_it_names():
    """Practising one skill is no practice of another."""
    journey = told(
        [note("skill", 20, skill="breathing"), note("skill", 20, skill="worry time")],
        [goal(2, "practice", [answer(3, times=3)], text="x", skill="breathing")],
    )
    assert [len(skill.practised) for skill in journey.skills] == [1, 0]


def test_a_lesson_that_was_taken_back_was_not_taught():
    """Undone before it left, the client never got it; taught again, it counts."""
    undone = entry("out", "reply-undone", 5, statement=json.dumps({"ticket": {"draft": "g1"}}))
    taught = note("skill", 5, skill="breathing", goal="g1")
    assert told([undone, taught]).skills == ()
    again = note("skill", 4, skill="breathing", goal="g2")
    (line,) = told([undone, taught, again]).skills
    assert line.at == NOW - 4 * DAY


def test_a_skill_knows_its_practice_by_the_question_that_asks_about_it():
    """Each lesson has a question of its own; answers to another one are not its practice."""
    taught = [note("skill", 20, skill="breathing", goal="g1"),
              note("skill", 20, skill="sleep", goal="g2")]  # fmt: skip
    practice = [goal(2, "practice", [answer(3, times=3)], id="g1"), goal(3, "practice", id="g2")]
    assert [len(line.practised) for line in told(taught, practice).skills] == [1, 0]


def test_what_was_told_before_a_skill_was_taught_is_no_practice_of_it():
    """The log of a skill begins with the day it was taught."""
    journey = told(
        [note("skill", 5, skill="breathing")], [goal(2, "practice", [answer(9, times=3)])]
    )
    assert journey.skills[0].practised == ()


def test_what_does_not_open_is_passed_over():
    """A letter this reader has no key to leaves the rest of the journey whole."""
    shut = {**letter(9), "unreadable": "You have no key."}
    shut_goal = {**goal(1), "unreadable": "You have no key.", "text": ""}
    journey = told([shut, reply(3)], [shut_goal])
    assert len(journey.replies) == 1
    assert journey.goals[0].text == ""


def test_a_journey_is_json():
    """All of it can be printed for a program."""
    journey = told([letter(9), note("plan", 3, text="a")], [goal(checkins=[answer(1, rating=2)])])
    plain = json.loads(json.dumps(journey.as_json()))
    assert plain["goals"][0]["points"][0]["value"] == 2
    assert plain["plans"][0]["at"] == ago(3)


anything = st.sampled_from(
    [
        None,
        True,
        -1,
        3,
        2.5,
        10**400,
        float("inf"),
        "",
        "goals",
        [],
        ["goals"],
        [["x"]],
        {},
        {"a": 1},
    ]
)
FIELDS = ["text", "activities", "activity", "skill", "exchanges", "rhythm", "score", "measure",
          "reason", "sent", "ending", "goal", "statement", "later"]  # fmt: skip


@given(
    st.sampled_from(["contract", "summary", "plan", "activity", "skill", "measure", "strength",
                     "evaluation", "reply", "reply-undone"]),
    st.dictionaries(st.sampled_from(FIELDS), anything),
    st.dictionaries(st.sampled_from(["rating", "times", "score", "measure"]), anything),
)  # fmt: skip
def test_no_content_of_a_later_release_breaks_the_telling(kind, content, answered):
    """Whatever stands in an entry or answer, the journey of the case is still told."""
    direction = "out" if kind == "reply" else "note"
    one = {**entry(direction, kind, 3), **content}
    for asks in ("goal", "practice", "measure"):
        journey = told([one], [goal(1, asks, [answer(1, **answered)])])
        json.dumps(journey.as_json())
        lint.findings(CASE, journey, [one])


@pytest.mark.parametrize(
    ("template", "activity"),
    [("introduction", "introduction"), ("summary", "understanding"), ("skill-breathing", "skills"),
     ("evaluation", "evaluation"), ("ending", "evaluation"), ("goals", "goals"),
     ("questions", "understanding")],
)  # fmt: skip
def test_a_template_suggests_its_activity(template, activity):
    """A letter written from a template needs no --activity."""
    assert telling.suggested(template) == (activity,)


def test_an_ordinary_reply_suggests_nothing():
    """A letter of one's own is whatever its author says it is."""
    assert telling.suggested("reply") == ()


# -- what it lacks --------------------------------------------------------------------------------


def lacks(entries=(), goals=(), **case):
    found = {**CASE, **case}
    return [one.rule for one in lint.findings(found, told(entries, goals), list(entries))]


FOUR = [reply(days, number) for number, days in enumerate((20, 15, 10, 5), 2)]
STRONG = note("strength", 3, text="asks for help")


def test_four_letters_without_a_goal_are_found():
    """After four exchanges there is a goal, or somebody asks why not."""
    assert lacks([*FOUR, STRONG]) == ["goal"]
    assert lacks([*FOUR[1:], STRONG]) == []
    assert lacks([*FOUR, STRONG], [goal()]) == []


def test_a_mood_or_practice_question_is_no_goal():
    """Only a goal is one."""
    assert lacks([*FOUR, STRONG], [goal(1, "mood"), goal(2, "practice")]) == ["goal"]


def test_four_letters_without_a_strength_are_found():
    """Whoever writes for a month has seen something the client is good at."""
    assert lacks(FOUR, [goal()]) == ["strength"]


def test_a_month_without_evaluation_is_found():
    """From the first letter, and then from each evaluation on."""
    assert lacks([reply(31)]) == ["evaluation"]
    assert lacks([reply(29)]) == []
    assert lacks([reply(31), note("evaluation", 10)]) == []
    assert lacks([reply(90), note("evaluation", 31)]) == ["evaluation"]


def test_a_skill_that_was_never_practised_is_found():
    """Two weeks after it was taught, not before; "0 times" is no practice."""
    taught = note("skill", 15, skill="breathing")
    assert lacks([taught]) == ["skill"]
    assert lacks([note("skill", 13, skill="breathing")]) == []
    assert lacks([taught], [goal(2, "practice", [answer(3, times=0)])]) == ["skill"]
    assert lacks([taught], [goal(2, "practice", [answer(3, times=1)])]) == []


def test_a_question_without_answer_is_found():
    """Three days after the client asked, unless a reply has left since."""
    asked = letter(4, "Thank you. Do you think I should write to my sister?")
    assert lacks([asked]) == ["question"]
    assert lacks([letter(2, asked["text"])]) == []
    assert lacks([asked, reply(3)]) == []
    assert lacks([reply(6), asked]) == ["question"]


def test_a_question_of_ours_that_is_quoted_is_no_question_of_theirs():
    """What stands behind a quotation mark was asked by somebody else."""
    quoting = letter(4, "Fine.\n\nOn Mon, 2 Nov 2026 at 10:00, House wrote:\n> How are you?\n")
    assert lacks([quoting]) == []


@pytest.mark.parametrize(
    "words",
    [
        "Apa yang harus saya lakukan?",
        "why?!\nbye",
        "Boleh saya menelepon?\n",
        "How, then? Hm.",
    ],
)
def test_questions(words):
    """A question is a sentence with its mark, in any language."""
    assert lint.asks(words)


@pytest.mark.parametrize("words", ["", "??", "See https://example.org/a?b=c now", "Good."])
def test_no_questions(words):
    """A mark alone, or one within an address, asks nothing."""
    assert not lint.asks(words)


def test_a_closed_case_lacks_nothing():
    """What has ended is not reproached."""
    assert lacks([*FOUR, letter(4, "And now?"), reply(90)], state="closed") == []


def test_every_finding_says_in_a_sentence_what_and_what_to_type():
    """One sentence, one command that names the case."""
    taught = note("skill", 15, skill="breathing")
    entries = [reply(40), *FOUR, taught, letter(4, "And now?")]
    found = lint.findings(CASE, told(entries), entries)
    assert [one.rule for one in found] == ["question", "goal", "evaluation", "skill", "strength"]
    for one in found:
        assert one.sentence.endswith(".")
        assert one.command.startswith("mailcounsel ")
        assert "C-0042" in one.command
