"""Our words as people say them: "Setuju ya kak", "I agree, thanks", "PROGRESS please".

Every word of a short letter has to belong: the one that was asked for, and besides it only what
adds no meaning, such as a particle, a courtesy or "saya". One word more, a question mark or a
doubt, and it is a letter, which a person reads. The grave words (ERASE, COPY, KEY, CHANGE) are not
here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from mailcounsel.practice import yes_no

_LONGEST: Final = 100  # characters of the line that says it
_MOST_WORDS: Final = 9
_MOST_LINES: Final = 4  # besides: thanks, a name
_GREETING_WORDS: Final = 5
_NEAR_WORDS: Final = 40  # of a letter that may have meant the word
_WORD: Final = re.compile(r"[\w'-]+")


def _bare(word: str) -> str:
    """Return a word without the repeats of a thumb: "setujuuu" is "setuju", "okee" is "oke"."""
    return re.sub(r"(.)\1+", r"\1", word)


def _set(words: str) -> frozenset[str]:
    return frozenset(map(_bare, words.split()))


AGREE, HELP, STOP = "agree", "help", "stop"
_SAID: Final = {
    AGREE: _set("setuju stuju menyetujui agree agreed"),
    STOP: _set("stop berhenti berenti brenti"),
    "pause": _set("jeda pause"),
    "resume": _set("lanjut lanjutkan resume continue"),
    "progress": _set("kemajuan progress"),
    HELP: _set("bantuan help"),
}
_PLEASE: Final = _set("tolong bantu")  # and alone, a call for help

_KIND: Final = _set(
    "ya iya yaa yes yep yup yeah ok oke okay okey baik baiklah sip siap sure "
    "kak kakak bu ibu pak bapak mbak mba mas admin min "
    "thanks makasih makasi terimakasih trimakasih trims mksh thx tks tq please pls plz "
    "halo hai hi hello aja saja deh dong kok nih lah"
)
_I: Final = _set("saya sy aku i")
_WANT: Final = _set("mau ingin minta mohon want need would like to the a dulu sebentar lagi again")
_FREELY: Final = _set("sangat sepenuhnya fully totally completely gladly")
_ORDINARY: Final = "ordinarymail"  # stands for "by ordinary email" in all its forms
_SUITS: Final = _set("fine ok okay oke cukup good enough works saja aja yes ya iya")
_ABOUT: Final = _set("is are for me bagi buat untuk it's its that itu with")
_BESIDES: Final = {
    AGREE: _KIND | _I | _FREELY | {_ORDINARY},
    STOP: _KIND | _set("dulu"),  # "I stop" and "saya mau berhenti" may be about a life
    "pause": _KIND | _I | _WANT | _PLEASE,
    "resume": _KIND | _I | _WANT | _PLEASE,
    "progress": _KIND | _I | _WANT | _PLEASE | _set("my me lihat see show send kirim"),
    HELP: _KIND | _I | _WANT | _PLEASE | _set("my me butuh perlu"),
}

_AS_ONE: Final = (
    (re.compile(r"\bterima\s+kasih(?:\s+banyak)?\b"), "thanks"),
    (re.compile(r"\b(?:many )?thank(?:\s+you|s)(?:\s+(?:so|very)\s+much|\s+a\s+lot)?\b"), "thanks"),
    (re.compile(r"\bi\s+do\s+agree\b"), "i agree"),
    (
        re.compile(
            r"(?:\b(?:lewat|via|pakai|pake|dengan|dgn|melalui|by|with|to|using|in|untuk|the)\s+)?"
            r"\b(?:(?:e-?mail|surel)\s+biasa|(?:ordinary|regular|normal|plain)\s+(?:e-?mails?|mail))\b"
        ),
        _ORDINARY,
    ),
)  # fmt: skip
_GREETING: Final = re.compile(
    r"(?:halo|hai|hi|hello|dear|kepada|yth|selamat|assalamu\W?alaikum)\b[^.?!\d]{0,40}[.,!]?"
)
_CLOSING: Final = _KIND | _set("salam hangat warm kind best regards wishes")
# What may stand around words and between them, and adds nothing to them.
_MARKS: Final = re.compile(
    r"[\s.,;:!*_\"'()\[\]“”‘’«»…–\u00a0\u200b\ufeff"
    r"🙏👍👌✅✔🙂😊☺🥰😇🤗💪❤\ufe0f\U0001f3fb-\U0001f3ff]*"
)
_NAME: Final = re.compile(r"[^\W\d_]{2,20}(?: [^\W\d_]{2,20})?")
_TAKES_BACK: Final = re.compile(
    r"\b(?:tidak|tak|tdk|nggak|ngga|enggak|gak|ga|bukan|belum|blm|jangan|jgn|tapi|tetapi|namun|atau|"
    r"kalau|kalo|jika|asal|cuma|kurang|hampir|hanya|nanti|besok|lusa|dulu|depan|mungkin|batal|bohong|bercanda|"
    r"canda|tunggu|kapan|siapa|apa|not|no|don't|dont|never|but|or|if|unless|except|only|later|"
    r"tomorrow|maybe|perhaps|wait|joking|kidding|when|who|what|why|stop)\b"
)
_REFUSES: Final = re.compile(
    r"\b(?:tidak|tak|tdk|nggak|ngga|enggak|engga|gak|ga|bukan|belum|blm|jangan|jgn|not|no|don't|dont|"
    r"doesn't|didn't|never|can't|cannot|won't|disagree)\b"
)
_HINTS: Final = re.compile(rf"\b(?:setuju\w*|stuju|menyetujui|agree\w*|{_ORDINARY})\b|\b\w*tuju+\b")


def command(new_words: str) -> str | None:
    """Return which of our words a short letter plainly says (quotes left out), or None."""
    if "?" in new_words:
        return None
    lines = [line.strip() for line in new_words.split("\n", 50)[:50] if line.strip()]
    if not lines or lines[0].startswith(">"):
        return None
    is_greeted = len(lines) > 1 and _greets(lines[0])
    said = _said_in(lines[1] if is_greeted else lines[0])
    if is_greeted and said != AGREE:
        return None
    rest = lines[2:] if is_greeted else lines[1:]
    return said if len(rest) <= _MOST_LINES and all(map(_adds_nothing, rest)) else None


def may_mean_agree(new_words: str) -> bool:
    """Tell whether a short letter may have meant to agree, so that asking back is worth it.

    A plain refusal is none, and so is "agree" in a story.
    """
    text = _folded(new_words)
    if len(text) > _NEAR_WORDS * 10 or len(_WORD.findall(text)) > _NEAR_WORDS:
        return False
    if _REFUSES.search(text):
        return False
    return _HINTS.search(text) is not None or yes_no.read(new_words) is True


def _greets(line: str) -> bool:
    """Tell whether a line is a greeting and no more: "Dear Rumah Surat,"."""
    folded = _folded(line)
    words = set(_WORD.findall(folded))
    is_short = len(words) <= _GREETING_WORDS and words.isdisjoint(_I)
    is_greeting = is_short and _GREETING.fullmatch(folded) is not None
    return is_greeting and _TAKES_BACK.search(folded) is None


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text[:2000]).casefold().replace("’", "'").strip()
    for form, one in _AS_ONE:
        folded = form.sub(one, folded)
    return folded


def _said_in(line: str) -> str | None:
    """Return what a line says, if each of its words belongs to that."""
    folded = _folded(line)
    words = [_bare(word) for word in _WORD.findall(folded)]
    if len(folded) > _LONGEST or len(words) > _MOST_WORDS or not _only_marks(folded):
        return None
    said = {name for name, ours in _SAID.items() if not ours.isdisjoint(words)}
    if not said:
        return _without_the_word(words)
    (name, *others) = said
    belongs = _SAID[name] | _BESIDES[name] | (_ABOUT | _SUITS if _ORDINARY in words else set())
    return name if not others and belongs.issuperset(words) else None


def _without_the_word(words: list[str]) -> str | None:
    """Read "tolong saya kak" and "Yes, ordinary email is fine for me", which lack our word."""
    if words and not _PLEASE.isdisjoint(words):
        return HELP if set(words) <= _PLEASE | _KIND | _I | _set("me") else None
    if _ORDINARY not in words or words[0] in _ABOUT or _SUITS.isdisjoint(words):
        return None
    return AGREE if set(words) <= _KIND | _I | _SUITS | _ABOUT | {_ORDINARY} else None


def _only_marks(line: str) -> bool:
    return _MARKS.fullmatch(_WORD.sub("", line)) is not None


def _adds_nothing(line: str) -> bool:
    """Tell whether a line below is thanks, an ending or a name."""
    folded = _folded(line)
    words = [_bare(word) for word in _WORD.findall(folded)]
    if not _only_marks(folded) or _TAKES_BACK.search(folded):
        return False
    return set(words) <= _CLOSING or _is_name(line.strip(" .,-–~"))


def _is_name(line: str) -> bool:
    """Tell whether a line is a name: one word, or two with capitals."""
    return _NAME.fullmatch(line) is not None and (" " not in line or line.istitle())
