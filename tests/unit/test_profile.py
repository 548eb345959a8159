"""A therapist's profile: read for a language, and refused in a sentence where it is not good."""

from __future__ import annotations

from datetime import date

import pytest

from mailcounsel import errors
from mailcounsel.practice import profile

WHOLE = """
name = "Wulan"
licence = "0000-00-0000"
licence_expires = 2027-05-31
training = { id = "konselor", en = "a counsellor" }
languages = { id = "Indonesia", en = "Indonesian" }
about = { en = "I like  gardening." }
"""
TODAY = date(2026, 11, 25)


def test_a_profile_is_read_for_the_clients_language():
    """What stands in one language only is left out in the other."""
    found = profile.parse(WHOLE, "en", TODAY)
    assert (found.name, found.training, found.about) == (
        "Wulan",
        "a counsellor",
        "I like gardening.",
    )
    assert profile.parse(WHOLE, "id", TODAY).about == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2027-05-31", "2026-11-24", "expired on 2026-11-24"),
        ("licence_expires = 2027-05-31", "", "no licence_expires"),
        ('name = "Wulan"', "", "has no name"),
        ('name = "Wulan"', "name = 7", "name of the profile must be text"),
        ('id = "konselor", ', "", "no training.id"),
        ("about", "abuot", "unknown key: abuot"),
        ('{ en = "I like  gardening." }', '"x"', "[about] of the profile must be a table"),
        ('name = "Wulan"', "name = Wulan", "is not TOML"),
    ],
)
def test_a_profile_that_is_not_good_says_what_is_wrong(old, new, said):
    """One clear sentence each, and no letter."""
    with pytest.raises(errors.Refused) as caught:
        profile.parse(WHOLE.replace(old, new), "id", TODAY)
    assert said in str(caught.value)


def test_a_licence_is_good_on_its_last_day():
    """It ends when the day ends."""
    assert profile.parse(WHOLE, "en", date(2027, 5, 31)).licence == "0000-00-0000"
