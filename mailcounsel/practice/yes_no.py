"""A plain yes or no to a question of ours, in Indonesian or English. Read, or left to a person.

Every word must belong to a yes, or every word to a no; one word besides, a question mark or both at
once, and nothing is read. "Tidak apa-apa" and "no problem" are no refusals, so they are not read.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LONGEST: Final = 120  # characters; more is a letter
_WORD: Final = re.compile(r"[\w'-]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_YES: Final = _set(
    "ya iya yaa iyaa yes yep yup yeah ok oke okay okey okee baik baiklah sip siap cocok sure fine "
    "boleh tentu setuju agreed gladly"
)
_NO: Final = _set("tidak tdk gak ga nggak ngga enggak engga tak no nope cannot can't cant couldn't")
# Words that go with either, and decide nothing.
_ABLE: Final = _set("bisa bs can could")
_COURTESY: Final = _set(
    "saya i it that this me for works suits work suit hadir datang ikut come make be there then "
    "is will terima kasih makasih thanks thank you maaf sorry please kak bu pak ibu bapak mbak mas "
    "hai halo hello hi dear untuk waktu jam hari itu ini dengan senang hati juga kok deh dong "
    "aku waktunya jamnya harinya unfortunately sayangnya the time"
)


def read(words: str) -> bool | None:
    """Return True for a yes, False for a no, None where a person has to read it."""
    folded = unicodedata.normalize("NFKC", words).casefold().replace("’", "'").strip()
    if not folded or len(folded) > _LONGEST or "?" in folded or any(map(str.isdigit, folded)):
        return None
    said = _WORD.findall(folded)
    if not set(said) <= _YES | _NO | _ABLE | _COURTESY:
        return None
    no = [place for place, word in enumerate(said) if word in _NO]
    able = [place for place, word in enumerate(said) if word in _ABLE]
    if not no:
        return True if able or not _YES.isdisjoint(said) else None
    is_asking = bool(able) and able[0] < no[0]  # "bisa tidak" asks whether it can be
    return None if len(no) > 1 or is_asking or not _YES.isdisjoint(said) else False
