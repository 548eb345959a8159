"""How often letters come, as client and therapist agreed it in words: read as a number of days."""

from __future__ import annotations

import re

LONGEST = 62  # days; beyond that nobody would call it a rhythm

_UNITS = {
    **dict.fromkeys(("day", "days", "hari"), 1),
    **dict.fromkeys(("week", "weeks", "minggu", "pekan"), 7),
    **dict.fromkeys(("fortnight", "fortnights"), 14),
    **dict.fromkeys(("month", "months", "bulan"), 30),
}
_ALONE = {"daily": 1, "weekly": 7, "fortnightly": 14, "monthly": 30}
_NUMBERS = {
    **dict.fromkeys(("a", "an", "one", "once", "satu"), 1),
    **dict.fromkeys(("two", "twice", "other", "dua"), 2),
    **dict.fromkeys(("three", "tiga"), 3),
    **dict.fromkeys(("four", "empat"), 4),
}
_NUMBER, _UNIT = rf"(?P<number>\d{{1,2}}|{'|'.join(_NUMBERS)})", rf"(?P<unit>{'|'.join(_UNITS)})"
_EVERY = re.compile(rf"(?:every|each|setiap|tiap)(?: {_NUMBER})? {_UNIT}")
_ONCE_IN = re.compile(rf"{_NUMBER} {_UNIT} sekali")  # "dua minggu sekali"
_TIMES = re.compile(rf"{_NUMBER}(?: times| kali)? (?:a |per |in a |se){_UNIT}")
_SE = re.compile(rf"se{_UNIT} (?:sekali|{_NUMBER} kali)")


def days(words: str) -> int:
    """Return within how many days a letter is answered in a rhythm; 0 where the words do not say.

    "every week" is 7, "every 10 days" 10, "twice a week" 4, "dua minggu sekali" 14.
    """
    said = " ".join(words.casefold().replace("-", " ").strip(" .").split())
    found = _ALONE.get(said, 0)
    for pattern, often in ((_EVERY, False), (_ONCE_IN, False), (_TIMES, True), (_SE, True)):
        match = None if found else pattern.fullmatch(said)
        if match:
            found = _days(match, often=often)
    return found if found <= LONGEST else 0


def _days(match: re.Match[str], *, often: bool) -> int:
    """Return the days of "every 2 weeks", or, for so many times in a unit, their share of it."""
    unit, number = _UNITS[match["unit"]], match["number"] or "1"
    count = int(number) if number.isdecimal() else _NUMBERS[number]
    if not count:
        return 0
    return -(-unit // count) if often else unit * count
