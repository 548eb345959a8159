"""Skills by letter: the lesson, its note and the question about practice are one act."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest

from mailcounsel import errors
from mailcounsel.crypto import sealing
from mailcounsel.service import work
from mailcounsel.store import models
from mailcounsel.store.columns import new_id

ANI = "ani@klien.test"
PRAISE = "Bagus sekali, tiga kali itu banyak."


@pytest.fixture
def ready(house):
    """Ani has written and agreed to ordinary mail, and wulan has the case."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    house.write(ANI, "SETUJU", reply_to=offer)
    house.send()
    house.call("wulan", "case.next")
    return offer


def assign(house, person="wulan", **changes):
    """Teach breathing as the command line does."""
    begun = house.call(person, "reply.begin", case="C-0001", template="lesson")
    draft = begun["ticket"]["draft"]
    said = {**begun, "subject": "Surat untuk Anda", "text": "Bernapaslah pelan.", "plain": ""}
    statement = json.dumps(said)
    epoch = house.case(1).epoch
    content = {"format": 1, "skill": "breathing", "text": "bernapas pelan", "goal": draft}
    request = {
        "statement": statement,
        "signature": b64encode(house.keys[person].sign(statement.encode())).decode(),
        "goal": draft,
        "label": "bernapas pelan",
        "detail": b64encode(b"sealed").decode(),
        "epoch": epoch,
        "every": "week",
        "at": "Sun 17:00",
        "praise": PRAISE,
        "letter": f"{len(house.rows(models.Letter)):024x}",
        "instead_of": [],
    }
    request["content"] = _sealed(house, person, request["letter"], content)
    return house.call(person, "skill.assign", **{**request, **changes})


def _sealed(house, person, letter, content):
    shown = house.call(person, "case.show", case="C-0001")
    copy = next(c for c in shown["keys"] if c["epoch"] == shown["epoch"])
    context = f"case/{copy['case']}/{copy['epoch']}/{copy['purpose']}"
    private = sealing.open_with(house.keys[person].private, b64decode(copy["sealed"]), context)
    public = sealing.Pair.of(private).public
    sealed = sealing.seal_to(public, json.dumps(content).encode(), f"letter/{letter}/content")
    return b64encode(sealed).decode()


def goals(house):
    return house.rows(models.Goal)


def test_a_lesson_leaves_signed_with_its_note_and_practice(house, ready):
    """One act sends the letter, keeps the note, and has the practice asked about."""
    sent = assign(house)
    assert sent["state"] == "held"
    (goal,) = goals(house)
    assert (goal.asks, goal.state, goal.id) == (
        "practice",
        "active",
        house.outbox("reply")[0].once.removeprefix("draft:"),
    )
    kinds = [entry["kind"] for entry in house.read("wulan", "C-0001")]
    assert kinds[-2:] == ["reply", "skill"]
    house.clock.on(minutes=2)
    (letter,) = house.sent_to(ANI)
    assert letter.text == "Bernapaslah pelan."


def test_words_released_are_sealed(house, ready):
    """Neither the exercise nor the praise stands readable in the row."""
    assign(house)
    (goal,) = goals(house)
    kept = b"".join(bytes(value) for value in vars(goal).values() if isinstance(value, bytes))
    assert b"bernapas" not in kept
    assert b"Bagus" not in kept


def test_nothing_of_a_lesson_stays_where_one_part_fails(house, ready):
    """A practice that cannot be asked about sends no letter and keeps no note."""
    before = len(house.rows(models.Letter))
    for wrong in ({"at": "someday"}, {"goal": "f" * 24}, {"epoch": 99}, {"praise": "x" * 501}):
        with pytest.raises((errors.Refused, errors.Conflict)):
            assign(house, **wrong)
    assert house.outbox("reply") == []
    assert goals(house) == []
    assert len(house.rows(models.Letter)) == before


def test_a_lesson_signed_by_somebody_else_teaches_nothing(house, ready):
    """The lesson goes the way of every reply: its author's own signature or nothing."""
    with pytest.raises(errors.Refused, match="signature"):
        assign(house, signature=b64encode(house.keys["bayu"].sign(b"x")).decode())
    assert goals(house) == []


def test_taking_the_lesson_back_takes_the_practice_with_it(house, ready):
    """A lesson that never left is never asked about."""
    assign(house)
    house.call("wulan", "reply.undo", id="")
    assert [goal.state for goal in goals(house)] == ["stopped"]


def test_teaching_again_asks_once(house, ready):
    """A skill taught again is asked about by its new practice only."""
    assign(house)
    assign(house, instead_of=[goals(house)[0].id])
    assert [goal.state for goal in sorted(goals(house), key=lambda goal: goal.number)] == [
        "stopped",
        "active",
    ]


def test_teaching_again_in_a_merged_case_stops_the_right_practice(house, ready):
    """Both cases have a P1: the one that asks about the skill taught again is stopped."""
    assign(house)
    house.write("budi@klien.test", "Halo, saya ingin bicara.")
    house.reply("wulan", "C-0002", "Halo.", plain="telepon")
    shown = house.call("wulan", "case.show", case="C-0002")
    theirs = {"goal": new_id(), "label": "napas", "detail": b64encode(b"sealed").decode()}
    theirs |= {"asks": "practice", "every": "week", "at": "Sun 17:00", "epoch": shown["epoch"]}
    assert house.call("wulan", "goal.add", case="C-0002", **theirs)["name"] == "P1"
    with pytest.raises(errors.NotFound):
        assign(house, instead_of=[theirs["goal"]])
    for person in ("wulan", "sari"):
        house.call(person, "case.link", case="C-0002", into="C-0001")
    assign(house, instead_of=[theirs["goal"]])
    of = {row.id: row.number for row in house.rows(models.Case)}
    states = {(of[row.case_id], row.number): row.state for row in goals(house)}
    assert states == {(1, 1): "active", (2, 1): "stopped", (1, 2): "active"}


def test_nobody_is_asked_on_the_day_of_the_lesson(house, ready):
    """The first question about practice comes a day later at the earliest."""
    # The house's clock stands at four in the afternoon of a Sunday, as its clients see it.
    assign(house, at="Sun 17:00")
    (goal,) = goals(house)
    assert goal.next_due_at == datetime(2026, 11, 29, 10, 0, tzinfo=UTC)


def asked_after(house):
    """Let the practice be asked about, and return the check-in."""
    house.clock.on(minutes=2)
    house.send()
    (goal,) = goals(house)
    house.clock.on(seconds=(goal.next_due_at - house.clock.now()).total_seconds() + 60)
    work.ask_checkins(house.desk)
    house.clock.on(minutes=30)
    (asked,) = house.sent_to(ANI)
    return asked


def test_practice_is_answered_in_the_words_the_therapist_released(house, ready):
    """Three times practised brings the praise, word for word."""
    assign(house)
    asked = asked_after(house)
    house.write(ANI, "3", reply_to=asked)
    (thanks,) = house.outbox("practice-thanks")
    assert PRAISE in thanks.parcel.text


@pytest.mark.parametrize(("praise", "words"), [("", "3"), (PRAISE, "0")])
def test_without_words_or_practice_the_thanks_are_neutral(house, ready, praise, words):
    """No words were released, or there was nothing to praise: thanks, and nothing else."""
    assign(house, praise=praise)
    asked = asked_after(house)
    house.write(ANI, words, reply_to=asked)
    (thanks,) = house.outbox("checkin-thanks")
    assert "Bagus" not in thanks.parcel.text
    assert house.outbox("practice-thanks") == []


# -- finding texts --------------------------------------------------------------------------------


def test_skills_are_listed_in_the_centres_first_language(house):
    """Where no language is named, it is the centre's own."""
    listed = house.call("wulan", "lesson.list", kind="skills")
    assert listed["language"] == "id"
    assert "breathing" in [one["name"] for one in listed["lessons"]]
    shown = house.call("wulan", "lesson.show", kind="skills", name="breathing", language="en")
    assert shown["title"] == "Slow breathing"


@pytest.mark.parametrize("kind", ["reply", "", "../skills"])
def test_only_the_kinds_there_are_can_be_fetched(house, kind):
    """No other folder is looked into."""
    with pytest.raises(errors.Refused):
        house.call("wulan", "lesson.list", kind=kind)


def test_only_what_a_person_signs_is_begun(house, ready):
    """A ticket is not made for the centre's own letters."""
    with pytest.raises(errors.Refused):
        house.call("wulan", "reply.begin", case="C-0001", template="acknowledgement")
