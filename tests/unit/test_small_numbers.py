"""Small numbers: none below five is told, and none can be worked out from what is told."""

from __future__ import annotations

import itertools
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from mailcounsel.practice import small_numbers

counts = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 40))


@given(counts)
def test_no_number_below_five_is_told_and_all_add_up(given_counts):
    """Whatever the counts, each told number is five or more, and the parts make the total."""
    found = small_numbers.table(given_counts)
    if sum(given_counts.values()) < 5:
        assert (found.total, found.parts) == (None, ())
        return
    assert found.total == sum(part.number for part in found.parts) == sum(given_counts.values())
    assert all(part.number >= 5 for part in found.parts)
    named = [name for part in found.parts for name in part.names]
    assert named == list(given_counts)
    for part in found.parts:
        assert part.number == sum(given_counts[name] for name in part.names)


def test_what_is_not_told_cannot_be_worked_out():
    """Whoever knows the rule and all that is told is left with four values or more for each.

    All tables of three and four parts with numbers from 0 to 10 are tried.
    """
    for size in (2, 3, 4):
        _check_every_table(size, highest=13 if size < 4 else 10)


def _check_every_table(size, highest):
    told = defaultdict(list)
    for numbers in itertools.product(range(highest + 1), repeat=size):
        told[small_numbers.table(dict(zip("abcd", numbers, strict=False)))].append(numbers)
    for found, possible in told.items():
        if found.total is not None and found.total > highest:
            continue  # not every table with this total was tried
        for place in range(size):
            values = {numbers[place] for numbers in possible}
            assert min(values) >= 5 or len(values) >= 4, (found, place, values)


@given(st.dictionaries(st.sampled_from("abcd"), counts))
def test_what_is_within_groups_adds_up_to_what_is_told_of_them(groups):
    """Groups told together are divided together, so no group shows by subtraction."""
    outer, inner = small_numbers.nested(groups)
    assert [part.number for part in outer.parts] == [one.total for one in inner]
    assert all(part.number >= 5 for one in inner for part in one.parts)


def test_neighbours_are_told_together():
    """Two that got worse go with those nothing is certain of; the total stays."""
    found = small_numbers.table({"better": 6, "not certain": 10, "worse": 2})
    assert [(part.names, part.number) for part in found.parts] == [
        (("better",), 6),
        (("not certain", "worse"), 12),
    ]


def test_a_number_of_its_own_is_told_from_five():
    """Four is not told, five is; the middle of four values is not told either."""
    assert (small_numbers.lone(4), small_numbers.lone(5)) == (None, 5)
    assert (small_numbers.middle([1, 2, 3, 4]), small_numbers.middle([1, 2, 3, 4, 9])) == (None, 3)
