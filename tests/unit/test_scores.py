"""Scores, checked by hand against what was published."""

from __future__ import annotations

import math

import pytest

from mailcounsel.practice import scores, shelf
from mailcounsel.practice.instruments import Change, Measure, Scoring


def measure(name="phq-9"):
    return shelf.find(name, "en", [])


def made(**scoring):
    rules = {"better": "lower", "missing": 0, "missing_source": "x", **scoring}
    ten = measure("gad-7")
    fields = {name: getattr(ten, name) for name in Measure.__slots__}
    return Measure(**{**fields, "scoring": Scoring(**rules)})


def test_a_score_is_the_sum():
    """PHQ-9 and GAD-7 are sums of items from 0 to 3 (Kroenke 2001, Spitzer 2006)."""
    assert scores.total(measure(), [0] * 9) == 0
    assert scores.total(measure(), [3] * 9) == 27
    assert scores.total(measure(), [1, 0, 2, 1, 0, 0, 1, 2, 0]) == 7
    assert scores.total(measure("gad-7"), [3] * 7) == 21
    assert scores.total(measure("phq-2"), [3, 3]) == 6


@pytest.mark.parametrize(
    ("name", "score", "band"),
    [
        *(("phq-9", at, name) for at, name in [(0, "minimal"), (4, "minimal"), (5, "mild")]),
        *(("phq-9", at, name) for at, name in [(9, "mild"), (10, "moderate"), (14, "moderate")]),
        *(("phq-9", at, "moderately severe") for at in (15, 19)),
        *(("phq-9", at, "severe") for at in (20, 27)),
        *(("gad-7", at, name) for at, name in [(4, "minimal"), (5, "mild"), (9, "mild")]),
        *(("gad-7", at, name) for at, name in [(10, "moderate"), (14, "moderate")]),
        *(("gad-7", at, "severe") for at in (15, 21)),
        *(("phq-2", at, name) for at, name in [(2, "below the cut-off"), (3, "look further")]),
        *(("gad-2", at, name) for at, name in [(2, "below the cut-off"), (3, "look further")]),
    ],
)
def test_bands_begin_where_they_were_published(name, score, band):
    """PHQ-9 at 5, 10, 15, 20 (Kroenke 2001); GAD-7 at 5, 10, 15 (Spitzer 2006); -2 forms at 3."""
    found = scores.band(measure(name), score)
    assert found is not None
    assert found.name == band


def test_a_form_with_a_gap_has_no_score_where_no_rule_allows_it():
    """A missing item is never taken for zero."""
    assert scores.total(measure(), [1, 0, 2, 1, 0, 0, 1, 2, None]) is None
    assert scores.total(measure(), [None] * 9) is None


def test_a_missing_item_is_given_the_mean_where_the_rule_allows_it():
    """Pro-rating as CORE-10 does for one missing item: mean of the others times all items."""
    one = made(missing=1)
    # 1+2+0+3+1+2 = 9 over 6 items: mean 1.5, times 7 items = 10.5
    assert scores.total(one, [1, 2, 0, 3, 1, 2, None]) == 10.5
    assert scores.total(one, [1, 2, 0, 3, 1, None, None]) is None
    assert scores.total(one, [None] * 7) is None


def test_reversed_items_and_factors():
    """A reversed item is mirrored within its options, and a factor multiplies the sum."""
    # items 1 and 2 reversed: (3-0)+(3-1)+2+0+0+0+0 = 7; times 2 = 14
    assert scores.total(made(reverse=frozenset({1, 2}), times=2), [0, 1, 2, 0, 0, 0, 0]) == 14


def test_as_many_values_as_items():
    """A form with too few or too many values is a fault of the caller."""
    with pytest.raises(ValueError):
        scores.total(measure(), [1, 2])


def test_country_cutoffs_are_data():
    """The cut-off found in Indonesia stands beside the international bands, with its source."""
    (found,) = scores.cutoffs(measure(), 6)
    assert (found.country, found.at) == ("ID", 5.5)
    assert "Dian 2022" in found.source
    assert scores.cutoffs(measure(), 5) == ()


def test_reliable_change_as_jacobson_and_truax_worked_it():
    """Jacobson and Truax 1991: SD 7.5, r .80, from 32.5 to 47.5 gives RC = 3.16.

    By hand: S_E = 7.5 √(1 − .80) = 3.35; S_diff = √(2 · 3.35²) = 4.74; 15 / 4.74 = 3.16. The
    example is quoted from memory of the paper; SD and r also stand in the manual of R's MDMA.
    """
    assert round(7.5 * math.sqrt(1 - 0.80), 2) == 3.35
    assert round(scores.difference_error(7.5, 0.80), 2) == 4.74
    assert round(scores.change_index(32.5, 47.5, 7.5, 0.80), 2) == 3.16
    assert round(scores.change_index(47.5, 32.5, 7.5, 0.80), 2) == -3.16


@pytest.mark.parametrize(
    ("sd", "reliability", "error", "points"),
    [(6.396073, 0.931, 2.376036, 4.65703), (10.5, 0.961, 2.93249, 5.747681)],
)
def test_reliable_change_as_others_published_it(sd, reliability, error, points):
    """S_diff and 1.96 S_diff by Jacobson and Truax, as the R package suddengains (CRAN) has them.

    They are what its own tests expect (define_crit1_cutoff, Wiedemann and others).
    """
    assert scores.difference_error(sd, reliability) == pytest.approx(error, abs=1e-5)
    found = scores.reliable_points(Change("x", sd=sd, reliability=reliability))
    assert found == pytest.approx(points, abs=1e-5)


def test_points_of_reliable_change_follow_from_sd_and_reliability():
    """Where a source gives SD and reliability, 1.96 standard errors of a difference are needed."""
    # 1.96 · 4.743 = 9.30 points
    change = Change("x", sd=7.5, reliability=0.80)
    assert round(scores.reliable_points(change), 2) == 9.30


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("phq-9", 15, 9, "better"),  # 6 points (IAPT)
        ("phq-9", 15, 10, "not certain"),
        ("phq-9", 9, 15, "worse"),
        ("gad-7", 12, 8, "better"),  # 4 points (IAPT)
        ("gad-7", 12, 9, "not certain"),
        ("gad-7", 8, 12, "worse"),
        ("phq-2", 6, 0, None),
    ],
)
def test_reliable_change_in_words(name, before, after, said):
    """PHQ-9 needs 6 points and GAD-7 needs 4 (IAPT); a short form claims nothing."""
    assert scores.direction(measure(name), before, after) == said


def test_more_is_better_where_the_measure_says_so():
    """Where a higher score is better, rising is better."""
    fields = {name: getattr(measure("gad-7"), name) for name in Measure.__slots__}
    higher = Measure(**{**fields, "scoring": Scoring("higher", 0, "x")})
    assert scores.direction(higher, 8, 12) == "better"


@pytest.mark.parametrize(("level", "score"), [(-2, 30), (-1, 40), (0, 50), (1, 60), (2, 70)])
def test_one_goal_moves_by_ten_a_level(level, score):
    """Kiresuk and Sherman 1968: one goal gives 30, 40, 50, 60 or 70, whatever its weight.

    By hand, weight 3: 10·3x / √(.7·9 + .3·9) = 10·3x / 3 = 10x.
    """
    assert scores.goal_score([level], [1]) == pytest.approx(score)
    assert scores.goal_score([level], [3]) == pytest.approx(score)


def test_weighted_goals():
    """Six goals −2, 0, −1, 2, 0, 1 with weights 3, 5, 1, 4, 2, 6 (example of the R package gasr).

    By hand: Σwx = −6+0−1+8+0+6 = 7; Σw² = 91; (Σw)² = 21² = 441;
    √(.7·91 + .3·441) = √(63.7+132.3) = √196 = 14; T = 50 + 70/14 = 55.
    """
    assert scores.goal_score([-2, 0, -1, 2, 0, 1], [3, 5, 1, 4, 2, 6]) == pytest.approx(55)


def test_the_formula_is_the_one_of_the_erratum():
    """Erratum to Turner-Stokes 2009: the root covers both sums, and the first is of squares.

    Goals +1, +1 with weights 1 and 3, by hand: Σwx = 4; Σw² = 10; (Σw)² = 16;
    right: 50 + 40/√(7+4.8) = 50 + 40/3.435 = 61.64. Without the root it would be 53.39, with
    plain weights in the first sum 50 + 40/√(2.8+4.8) = 64.51.
    """
    found = scores.goal_score([1, 1], [1, 3])
    assert found == pytest.approx(61.64, abs=0.01)
    assert found != pytest.approx(53.39, abs=0.1)
    assert found != pytest.approx(64.51, abs=0.1)


def test_three_equal_goals():
    """Three goals of equal weight, all +1: 50 + 30/√(2.1+2.7) = 63.69."""
    assert scores.goal_score([1, 1, 1], [1, 1, 1]) == pytest.approx(63.69, abs=0.01)


@pytest.mark.parametrize(
    ("levels", "weights"), [([], []), ([3], [1]), ([1], [0]), ([1], [-1]), ([1, 1], [1])]
)
def test_no_score_of_nonsense(levels, weights):
    """A level off the scale, a weight of nothing or a goal without one is refused."""
    with pytest.raises(ValueError):
        scores.goal_score(levels, weights)


def test_a_line_of_scores():
    """Scores become bars between the lowest and the highest a form can have."""
    low, high = scores.extremes(measure())
    assert (low, high) == (0, 27)
    assert scores.line([0, 27, 14], low, high) == "▁█▅"
    assert scores.line([], 0, 1) == ""
