"""How scores look to staff: a line, a band with its source, reliable change in words."""

from __future__ import annotations

from mailcounsel.cli import case_report, measuring, viewing
from mailcounsel.practice import scores, shelf

FORMS = {(one.name, one.language): one for one in shelf.included()}


def answer(day, score, state="answered", items=(), measure="phq-9", **more):
    """Return an opened answer of a day of December."""
    when = f"2026-12-{day:02d}T05:00:00+00:00"
    plain = {"state": state, "due_at": when, "answered_at": when, "reason": "", "score": score}
    return {**plain, "measure": measure, "language": "en", "items": list(items), **more}


def form(*answers, **more):
    """Return an opened row that asks the PHQ-9."""
    plain = {"number": 3, "asks": "measure", "text": "phq-9", "measure": "phq-9", "state": "active"}
    rhythm = {"every": "2 weeks", "at": "Mon 09:00", "next_due_at": None}
    return {**plain, **rhythm, "checkins": list(answers), **more}


def shown(*answers, **more):
    return "\n".join(measuring.lines([form(*answers, **more)], FORMS))


def test_scores_are_a_line_with_dates():
    """Each score stands with its day, and bars show the way from lowest to highest."""
    text = shown(answer(1, 18), answer(15, 12))
    assert "Q3  PHQ-9: every 2 weeks, Mon 09:00" in text
    assert "▆▄  18 on 01 Dec, 12 on 15 Dec" in text


def test_a_band_has_its_source():
    """The newest score is named by its band, and who drew that band."""
    assert "12: moderate (Kroenke" in shown(answer(1, 12))


def test_a_countrys_cutoff_stands_beside():
    """What was found in Indonesia stands beside the international bands."""
    assert "ID, from 5.5: positive in a study" in shown(answer(1, 6))
    assert "ID" not in shown(answer(1, 5))


def test_reliable_change_in_words():
    """A change is better, worse or not certain, since the first answer."""
    assert "since 01 Dec: better" in shown(answer(1, 18), answer(15, 12))
    assert "since 01 Dec: not certain" in shown(answer(1, 18), answer(15, 13))
    assert "since 01 Dec: WORSE" in shown(answer(1, 12), answer(15, 18))
    assert "since" not in shown(answer(1, 12))


def test_an_unclear_answer_says_what_is_open():
    """Without a score the items that are missing or doubtful are named."""
    gap = answer(2, None, "unsure", [1, None, 2], doubts={}, reason="gap")
    assert "02 Dec: no score, open: 2; read the letter" in shown(gap)
    doubt = answer(2, None, "unsure", [1, None, None], doubts={"3": "vague"}, reason="vague")
    assert "open: 3 (vague), 2" in shown(doubt)
    none = answer(2, None, "unsure", [None, None], doubts={"0": "how many"}, reason="how many")
    assert "the answer is not clear (how many)" in shown(none)


def test_a_completed_form_says_what_was_open():
    """The items the client was asked for once more are named beside the score."""
    text = shown(answer(2, 7, was_open=[3, 7]))
    assert "02 Dec: left open at first, and answered when asked: 3, 7" in text


def test_an_item_that_asks_for_danger_is_named():
    """Above zero, or without a certain answer, it stands beside the score with what was said."""
    raised = answer(2, 7, items=[1, 2, 1, 0, 1, 1, 0, 0, 1])
    assert "02 Dec: !! item 9, which asks for danger, is answered 1 (Several days)" in shown(raised)
    unsure = answer(2, None, "unsure", [1] * 8 + [None], doubts={"9": "vague"}, reason="vague")
    assert "item 9, which asks for danger, has no certain answer" in shown(unsure)
    assert "!!" not in shown(answer(2, 6, items=[1, 2, 1, 0, 1, 1, 0, 0, 0]))
    (fact,) = measuring.facts([form(raised)], FORMS)
    assert fact["answers"][0]["danger"] == [9]


def test_the_letter_that_raised_it_is_named():
    """Each letter has its own items; one that came only when asked for is the later letter's."""
    first = answer(1, 7, items=[0] * 8 + [2], letter="first")
    rest = answer(2, 7, items=[0] * 8 + [3], letter="open", was_open=[9], rest_letter="rest")
    found = measuring.raised_by([form(first, rest)], FORMS)
    assert {name: len(said) for name, said in found.items()} == {"first": 1, "rest": 1}
    assert "answered 3" in found["rest"][0]


def test_a_form_sent_once():
    """One that waits says so, and one that was answered is not asked again."""
    once = {"every": "once", "at": "", "state": "stopped"}
    assert "sent, no answer yet" in shown(answer(1, None, "asked"), **once)
    assert shown(answer(1, 3), **once).startswith("Q3  PHQ-9: once\n")


def test_a_form_whose_file_is_gone_is_still_listed():
    """Without its file there is no line, and the name stands all the same."""
    gone = form(answer(1, 3, measure="gone"), text="gone", measure="gone")
    assert list(measuring.lines([gone], FORMS)) == ["Q3  gone: every 2 weeks, Mon 09:00"]


def test_json_has_bands_and_change():
    """For programs each answer has its band, the band's source and the change since the first."""
    (fact,) = measuring.facts([form(answer(1, 18), answer(15, 12))], FORMS)
    first, second = fact["answers"]
    assert (first["band"], first["change"]) == ("moderately severe", None)
    assert (second["band"], second["change"]) == ("moderate", "better")
    assert second["band_source"].startswith("Kroenke")


def test_goals_and_forms_do_not_mix():
    """A questionnaire is no goal, and a goal no questionnaire."""
    goal = {"id": "g", "number": 1, "asks": "goal", "text": "walk", "target": "", "every": "week"}
    goal |= {"at": "Mon 09:00", "state": "active", "checkins": []}
    assert "PHQ-9" not in "\n".join(viewing.goal_lines([goal, form(answer(1, 3))]))
    assert "walk" not in "\n".join(measuring.lines([goal, form(answer(1, 3))], FORMS))


def test_every_included_questionnaire_has_bands_to_draw_or_none():
    """A page is drawn for each of them; the bands meet, and the last ends where the score does."""
    for form in shelf.included():
        bands = case_report._bands(form)
        assert len(bands) == len(form.bands)
        ends = [band.at for band in form.bands[1:]] + [scores.extremes(form)[1]]
        assert [band.high for band in bands] == (ends if form.bands else [])
