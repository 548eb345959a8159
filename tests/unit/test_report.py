"""The page of a case: complete, well formed, and it asks nothing of anywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from mailcounsel.practice import journey as telling
from mailcounsel.practice import report
from mailcounsel.practice.milestones import Point
from mailcounsel.practice.pictures import Band, Frame, line
from unit.test_journey_view import full, note
from unit.test_viewing import case_of, goal_of, hostile_text

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BANDS = {"m1": [Band("mild", 5, 9), Band("severe", 10, 27)]}
MARKUP = st.sampled_from(
    [
        "<script>fetch('http://leak.test')</script>",
        '"><img src=http://leak.test onerror=alert(1)>',
        "</style><link rel=stylesheet href=//leak.test>",
        "</p></main><iframe src=//leak.test>",
        "&lt;b&gt; <!-- ]]> '",
    ]
)
VOID = {"meta"}
KNOWN = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "section"),
    *("table", "tr", "th", "td", "svg", "rect", "path", "circle", "text"),
}


class Page(HTMLParser):
    """What a page holds: elements, attributes, words; and whether each element is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def page_of(words="words", often=10):
    entries, goals = full(words, often)
    journey = telling.of(case_of(exchanges=3), entries, goals, NOW)
    rating = {"at": "2026-11-20T09:00:00+00:00", "level": 1}
    scale = {"levels": {str(level): words for level in range(-2, 3)}, "weight": 1}
    rated = {"number": 1, "text": words, "scale": scale, "levels": [rating]}
    return report.page("C-0042", journey, BANDS, [rated])


@given(hostile_text | MARKUP)
def test_whatever_is_written_stays_words(words):
    """No word becomes an element, an attribute or an address; every element is closed."""
    page = Page(page_of(words, 2))
    assert page.open == []
    assert set(page.elements) <= KNOWN
    names = {name for name, _ in page.attributes}
    assert not [name for name in names if name.startswith("on") or name in {"src", "href", "style"}]


def test_the_policy_forbids_everything_but_the_pages_own_style():
    """The page itself tells a browser to ask for nothing and run nothing."""
    head = page_of().split("<title>", 1)[0]
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"" in head
    assert "@import" not in report.STYLE
    assert "url(" not in report.STYLE


def test_the_page_shows_the_journey():
    """Lines of goals and scores with bands and events, the plan's versions, the activities."""
    page = Page(page_of())
    assert page.elements.count("svg") == 10 + 9
    for words in ("C-0042", "mild", "severe", "Version 10", "Support", "letter 3 of 6", "Practised",
                  "Skill taught"):  # fmt: skip
        assert words in page.words
    assert "@media print" in report.STYLE


def test_an_ending_is_told_from_a_look_back():
    """Each is an event that stands by its own name."""
    looked = [note("evaluation", 9), note("evaluation", 2, ending=True)]
    page = Page(report.page("C-0042", telling.of(case_of(), looked, [], NOW), {}))
    assert "Looked back together" in page.words
    assert "Ended" in page.words


def test_the_mood_is_drawn_as_well():
    """It has a picture of its own, and none where nobody asked."""
    answers = [{"answered_at": NOW.isoformat(), "due_at": NOW.isoformat(), "rating": 4}]
    mood = goal_of(asks="mood", text="mood", target="", checkins=answers)
    page = Page(report.page("C-0042", telling.of(case_of(), [], [mood], NOW), {}))
    assert (page.elements.count("svg"), "Mood" in page.words) == (1, True)
    assert "Mood" not in page_of()


def test_an_empty_case_is_a_page_too():
    """A case in which nothing happened yet is shown, without a picture."""
    journey = telling.of(case_of(), [], [], NOW)
    page = Page(report.page("C-0042", journey, {}))
    assert "svg" not in page.elements
    assert "Introduction" not in page.words


def test_a_line_rises_with_its_values_and_runs_from_left_to_right():
    """A higher value lies higher, a later one further right, and none leaves the frame."""
    frame = Frame(NOW - timedelta(days=10), NOW, 10)
    points = [Point(NOW - timedelta(days=day), value) for day, value in ((10, 0), (5, 5), (0, 99))]
    drawn = line("G1", points, frame)
    places = [
        tuple(map(float, found)) for found in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)
    ]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    assert all(0 <= x <= 680 and 0 <= y <= 190 for x, y in places)


def test_a_line_of_one_moment_or_of_nothing_can_be_drawn():
    """A first answer on the first day is one point, in the frame."""
    frame = Frame(NOW, NOW, 0)
    assert line("G1", [Point(NOW, 0)], frame).count("<circle") == 1
    assert "<circle" not in line("G1", [], frame)
