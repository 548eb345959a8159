"""Scores: sums, bands, reliable change, and how far goals were reached. Pure arithmetic.

Nothing here is for a client: a number and its band are for staff, who choose the words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from mailcounsel.practice.instruments import Band, Change, Cutoff, Measure

Direction = Literal["better", "worse", "not certain"]

RHO = 0.3  # the expected correlation between goals (Kiresuk and Sherman 1968)
LEVELS = range(-2, 3)  # of a goal's scale
RELIABLE = 1.96  # standard errors, for 95 in 100 (Jacobson and Truax 1991)
BARS = "▁▂▃▄▅▆▇█"


def total(measure: Measure, items: Sequence[int | None]) -> float | None:
    """Return the score of a form, or None when too many items are missing.

    `items` has one value for each item, in order, None where there is no certain answer. Missing
    items within the measure's rule are given the mean of the others (its `missing_source`).
    """
    if len(items) != len(measure.items):
        raise ValueError("as many values as items")
    given = len(items) - list(items).count(None)
    if not given or len(items) - given > measure.scoring.missing:
        return None
    return whole_form(subtotal(measure, items), given, len(items), measure.scoring.times)


def subtotal(measure: Measure, items: Sequence[int | None]) -> int:
    """Return the sum of the items that have a value, each counted as the measure counts it."""
    return sum(_value(measure, at, one) for at, one in enumerate(items, 1) if one is not None)


def whole_form(subtotal: float, given: int, items: int, times: float) -> float:
    """Return the score of a form of which `given` of its `items` add up to `subtotal`.

    Missing items are given the mean of the others.
    """
    return _whole(subtotal / given * items * times)


def _value(measure: Measure, number: int, value: int) -> int:
    """Return what an item counts; a reversed one is mirrored within the options."""
    if number not in measure.scoring.reverse:
        return value
    return min(measure.values) + max(measure.values) - value


def _whole(number: float) -> float:
    """Return a score without the dust of division: to two places, whole where it is whole."""
    rounded = round(number, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def band(measure: Measure, score: float) -> Band | None:
    """Return the band a score falls into, for staff; None where the measure has no bands."""
    reached = [one for one in measure.bands if score >= one.at]
    return reached[-1] if reached else None


def cutoffs(measure: Measure, score: float) -> tuple[Cutoff, ...]:
    """Return the cut-offs of countries that a score reaches."""
    return tuple(one for one in measure.cutoffs if score >= one.at)


def difference_error(sd: float, reliability: float) -> float:
    """Return the standard error of the difference of two scores.

    S_diff = √(2 S_E²) with S_E = SD √(1 − r), after Jacobson and Truax, J Consult Clin Psychol
    1991;59:12-19. Units: points of the measure.
    """
    return math.sqrt(2 * (sd * math.sqrt(1 - reliability)) ** 2)


def change_index(before: float, after: float, sd: float, reliability: float) -> float:
    """Return the reliable change index: the difference in standard errors of a difference.

    RC = (x₂ − x₁) / S_diff, after Jacobson and Truax 1991. Beyond ±1.96 a difference is unlikely
    to be error of measurement alone.
    """
    return (after - before) / difference_error(sd, reliability)


def reliable_points(change: Change) -> float:
    """Return by how many points a score must differ to have changed reliably."""
    if change.reliable is not None:
        return change.reliable
    if change.sd is None or change.reliability is None:
        raise ValueError("neither points nor SD and reliability")
    return RELIABLE * difference_error(change.sd, change.reliability)


def direction(measure: Measure, before: float, after: float) -> Direction | None:
    """Tell whether a score changed reliably and which way; None where nothing is known of that."""
    if measure.change is None:
        return None
    if abs(after - before) < reliable_points(measure.change):
        return "not certain"
    fell = after < before
    return "better" if fell == (measure.scoring.better == "lower") else "worse"


def goal_score(levels: Sequence[int], weights: Sequence[float], rho: float = RHO) -> float:
    """Return the T-score of goals by goal attainment scaling, 50 when all were just reached.

    T = 50 + 10 Σ(w x) / √((1 − ρ) Σ w² + ρ (Σ w)²), after Kiresuk and Sherman, Community Ment
    Health J 1968;4:443-453. The root covers the whole sum below the line, and the first sum is of
    squared weights: so says the erratum to Turner-Stokes, Clin Rehabil 2009;23:362-370, whose
    pages 364 and 367 had been printed wrongly.

    `levels` are −2 to +2, `weights` above 0, one for each goal. Raises: ValueError otherwise.
    """
    if not levels or len(levels) != len(weights):
        raise ValueError("one weight for each goal, and at least one goal")
    if any(level not in LEVELS for level in levels) or any(weight <= 0 for weight in weights):
        raise ValueError("levels are -2 to 2, weights above 0")
    reached = sum(weight * level for weight, level in zip(weights, levels, strict=True))
    squares = sum(weight**2 for weight in weights)
    spread = math.sqrt((1 - rho) * squares + rho * sum(weights) ** 2)
    return 50 + 10 * reached / spread


def line(values: Sequence[float], low: float, high: float) -> str:
    """Return values as a line of bars between the lowest and highest there can be."""
    top = len(BARS) - 1
    span = (high - low) or 1
    places = (round((value - low) / span * top) for value in values)
    return "".join(BARS[min(top, max(0, place))] for place in places)


def extremes(measure: Measure) -> tuple[float, float]:
    """Return the lowest and the highest score a whole form can have."""
    factor = len(measure.items) * measure.scoring.times
    return min(measure.values) * factor, max(measure.values) * factor
