"""Countries by their names in our languages, and the country of a time zone (Unicode CLDR)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from babel import Locale
from babel.core import get_global

LANGUAGES = ("id", "en", "ms")
# What people say and the CLDR does not.
_ALSO = {
    "amerika": "US", "arab": "SA", "belanda": "NL", "china": "CN", "cina": "CN", "dubai": "AE",
    "england": "GB", "hong kong": "HK", "hongkong": "HK", "korea": "KR", "macau": "MO",
    "taipei": "TW", "uk": "GB", "us": "US", "usa": "US",
}  # fmt: skip
_NOWHERE = "ZZ"
_DIGITS = 2  # an ISO 3166-1 code has two letters; the CLDR also names regions by number


@cache
def codes() -> Mapping[str, str]:
    """Return the ISO 3166-1 alpha-2 code of each country, by its names without regard to case."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == _DIGITS and code.isalpha():
                found.setdefault(name.casefold(), code)
    return {**found, **_ALSO}


def of_zone(zone: str) -> str | None:
    """Return the country of a time zone, such as "ID" for Asia/Jakarta; None where it has none."""
    territory = get_global("zone_territories").get(zone)
    return territory if territory != _NOWHERE else None
