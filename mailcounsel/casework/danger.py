"""Signs of danger in plain Indonesian and English words.

Signs only ever raise: a case is shown to a person sooner, and nothing is answered, weighed or
lowered by them. So more is found than is meant, in the whole letter, quotes included. A sign
within a quote or behind a negation is marked, never left out; only a few everyday idioms ("mati
lampu", "my phone is going to die") are passed over. The words are data: `lexicon/danger.toml`.

Where no phrase says it, the words of a few sentences are weighed together (`lexicon/weighing`):
that is a *hint*.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Final

from mailcounsel.casework.lexicon import phrases, pieces, weighing
from mailcounsel.casework.lexicon.book import Book, Found, Stretch
from mailcounsel.casework.lexicon.phrases import Phrase, Word
from mailcounsel.casework.lexicon.weighing import Run

_IDIOM: Final = "idiom"
_FILES: Final = ("danger.toml", "situations.toml", "wide.toml", "hints.toml")
# How many words before a sign a negation may stand.
_NEGATION_REACH: Final = 5
# Within how many words before it a second denial, or a doubt, undoes the first.
_DOUBT_REACH: Final = 12
# Within how many words after it the denial may be taken back.
_TAKEN_BACK_REACH: Final = 4
# Within how many words after it a denial may be limited.
_LIMIT_REACH: Final = 2
# Within how many words after its "if" a denial belongs to the condition.
_CONDITION_REACH: Final = 4
# A letter that repeats itself a million times needs no million signs. Counted apart for quoted
# and negated ones, so that none of those can hide a plain one.
_MOST_OF_ONE_SORT: Final = 20
# Nobody writes more by hand than this many characters; the phrases are looked for in all of it.
_MOST_WEIGHED: Final = 64_000
HINT: Final = "hint"


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: its kind, the lexicon entry that saw it, and its place in the text.

    `kind` is one of "suicide", "self-harm", "overdose", "harm-to-others", "violence" and "hint";
    the `rule` of a hint is "weighed".
    """

    kind: str
    rule: str
    start: int
    end: int
    quoted: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class _Lexicon:
    book: Book
    kinds: dict[str, str]
    negations: frozenset[str]
    not_negated: frozenset[str]
    passed_over: frozenset[str]
    lacked: frozenset[str]
    subjects: frozenset[str]
    acts: frozenset[str]
    limits: frozenset[str]
    turns: frozenset[str]
    conditions: frozenset[str]
    takes_back: frozenset[str]
    doubted: frozenset[str]
    denied_within: frozenset[str]
    denied_before_end: frozenset[str]
    wide: frozenset[str]


def signs(text: str, quoted: Iterable[tuple[int, int]] = ()) -> tuple[Sign, ...]:
    """Find the signs of danger in a letter, in the order of the text.

    `quoted` are the (start, end) places of quoted text; a sign that lies wholly within it is
    marked. The time is linear in the text, the number of signs bounded. A kind that was named
    plainly again and again is not looked for in the rest of a letter of more than 64,000
    characters: it could raise nothing more.
    """
    spans = _merged(quoted)
    seen: Counter[tuple[str, bool, bool]] = Counter()
    found: list[Sign] = []
    enough: set[str] = set()
    for stretch in _lexicon().book.stretches(text, without=enough):
        for sign in _signs_of_stretch(text, stretch, spans):
            sort = (sign.rule, sign.quoted, sign.negated)
            seen[sort] += 1
            if seen[sort] <= _MOST_OF_ONE_SORT:
                found.append(sign)
            elif not sign.quoted and not sign.negated:
                enough |= {rule for rule, kind in _lexicon().kinds.items() if kind == sign.kind}
    return tuple(found)


def hints(text: str, apart: Iterable[tuple[int, int]], besides: Iterable[Sign]) -> tuple[Sign, ...]:
    """Find the places whose words weigh as much as danger, in the order of the text.

    They are looked for in what stands between the (start, end) places `apart`, such as quotes, and
    where none of the signs `besides` says it plainly; a denial hides no hint beside it. The time is
    linear in the text.
    """
    weighed: list[Run] = []
    left = _MOST_WEIGHED
    for begin, end in _between(sorted(apart), len(text)):
        weighed += weighing.runs(text, begin, min(end, begin + left))
        left -= min(left, end - begin)
    plain = _merged((one.start, one.end) for one in besides if not (one.quoted or one.negated))
    free = [run for run in weighed if not _is_touched(run, plain)]
    found = weighing.hints(free, of_all=len(weighed))
    return tuple(Sign(HINT, "weighed", run.start, run.end) for run in found)


def _is_touched(run: Run, spans: Sequence[tuple[int, int]]) -> bool:
    at = bisect_right(spans, run.start, key=lambda span: span[1])
    return at < len(spans) and spans[at][0] < run.end


def _between(spans: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """Yield what lies between sorted places of a text."""
    begin = 0
    for start, end in [*spans, (length, length)]:
        if start > begin:
            yield begin, start
        begin = max(begin, end)


def _signs_of_stretch(
    text: str, stretch: Stretch, spans: Sequence[tuple[int, int]]
) -> Iterator[Sign]:
    lexicon, words = _lexicon(), stretch.words
    # An idiom may begin before the part looked at and still cover a sign in it.
    found = list(lexicon.book.find(text, stretch, stretch.first, stretch.end))
    sayings = [one for one in found if lexicon.kinds[one.entry] == _IDIOM]
    idioms = [one for one in sayings if _is_one_clause(text, words, one)]
    wanted = [
        one for one in found if lexicon.kinds[one.entry] != _IDIOM and one.first >= stretch.begin
    ]
    for one in _chosen(wanted, lexicon):
        if not _is_covered(one, idioms):
            start, stop = words[one.first].start, words[one.last - 1].end
            yield Sign(
                kind=lexicon.kinds[one.entry],
                rule=one.entry,
                start=start,
                end=stop,
                quoted=_is_within(start, stop, spans),
                negated=_is_negated(text, words, one),
            )


def _chosen(found: Sequence[Found], lexicon: _Lexicon) -> list[Found]:
    """Leave out what says nothing more, and return the rest in the order of the text.

    That is what lies within a longer or earlier find of the same kind, and what a wide entry
    found where an exact one of the same kind found something.
    """
    exact = [one for one in found if one.entry not in lexicon.wide]
    wide = [one for one in found if one.entry in lexicon.wide]
    seen = {(lexicon.kinds[one.entry], at) for one in exact for at in range(one.first, one.last)}
    besides = [
        one
        for one in wide
        if not any((lexicon.kinds[one.entry], at) in seen for at in range(one.first, one.last))
    ]
    chosen = [*_outermost(exact, lexicon.kinds), *_outermost(besides, lexicon.kinds)]
    return sorted(chosen, key=lambda one: one.first)


def _outermost(found: Sequence[Found], kinds: dict[str, str]) -> Iterator[Found]:
    """Leave out what lies within a longer or earlier find of the same kind."""
    reached: dict[str, int] = {}
    for one in sorted(found, key=lambda f: (f.first, -f.last)):
        kind = kinds[one.entry]
        if one.last > reached.get(kind, -1):
            reached[kind] = one.last
            yield one


def _is_one_clause(text: str, words: Sequence[Word], one: Found) -> bool:
    """Tell whether no comma stands within: "my phone, I want to die" is no word on a phone."""
    pairs = pairwise(words[one.first : one.last])
    return not any("," in text[first.end : second.start] for first, second in pairs)


def _is_covered(one: Found, idioms: Sequence[Found]) -> bool:
    near = bisect_right(idioms, one.first, key=lambda idiom: idiom.first)
    return any(idiom.last >= one.last for idiom in idioms[max(0, near - pieces.AROUND) : near])


def _is_negated(text: str, words: Sequence[Word], one: Found) -> bool:
    """Tell whether the clause of a sign denies it, beyond doubt.

    It does not where there are two denials, where the denial was only said, promised or asked
    about ("I told her I am not suicidal"), where it belongs to a condition ("if I do not pay he
    hits me"), or where something takes it back ("but I am").
    """
    if _is_taken_back(text, words, one.last) or _is_limited(words, one):
        return False
    lexicon = _lexicon()
    first = one.last - 1 if one.entry in lexicon.denied_before_end else one.first
    begin = _clause_begin(text, words, first)
    before = range(begin, first)
    if any(words[at].folded in lexicon.doubted or _lacks(words, at, one) for at in before):
        return False
    is_condition = begin > 0 and words[begin - 1].folded in lexicon.conditions
    denied_from = begin + _CONDITION_REACH if is_condition else begin
    denials = [at for at in range(denied_from, first) if _denies(words, at)]
    near = [at for at in denials if first - at <= _NEGATION_REACH]
    is_within = _denies_within(words, one)
    return (is_within or bool(near)) and len(denials) + is_within == 1


def _clause_begin(text: str, words: Sequence[Word], first: int) -> int:
    """Return where the clause before a word begins: after a comma, a full stop or a turn."""
    lexicon = _lexicon()
    for at in range(first - 1, max(-1, first - 1 - _DOUBT_REACH), -1):
        between = text[words[at].end : words[at + 1].start]
        word = words[at].folded
        is_turn = word in lexicon.turns or word in lexicon.conditions
        if is_turn or "," in between or phrases.ends_sentence(between):
            return at + 1
    return max(0, first - _DOUBT_REACH)


def _denies(words: Sequence[Word], at: int) -> bool:
    """Tell whether a word denies what follows; "never stops" and "no one knows" do not."""
    lexicon = _lexicon()
    if words[at].folded not in lexicon.negations:
        return False
    after = at + 1
    while after < len(words) - 1 and words[after].folded in lexicon.passed_over:
        after += 1
    return words[after].folded not in lexicon.not_negated


def _lacks(words: Sequence[Word], at: int, one: Found) -> bool:
    """Tell whether a word only says what somebody lacks: "I have no friends I want to die"."""
    lexicon = _lexicon()
    is_lack = words[at].folded in lexicon.negations and (
        words[at].folded == "no" or words[at + 1].folded in lexicon.lacked
    )
    between = words[at + 2 : one.first + 1]
    return is_lack and any(word.folded in lexicon.subjects for word in between)


def _is_taken_back(text: str, words: Sequence[Word], last: int) -> bool:
    for at in range(last, min(len(words), last + _TAKEN_BACK_REACH)):
        between = text[words[at - 1].end : words[at].start]
        if phrases.ends_sentence(between):
            return False
        if words[at].folded in _lexicon().takes_back:
            return True
    return False


def _denies_within(words: Sequence[Word], one: Found) -> bool:
    """Tell whether a sign such as "he has never hit me" denies what it is about."""
    if one.entry not in _lexicon().denied_within:
        return False
    inner = range(one.first, one.last - 1)
    return any(_denies(words, at) and _is_act_denied(words, at) for at in inner)


def _is_limited(words: Sequence[Word], one: Found) -> bool:
    """Tell whether a denial would only limit a sign: "he does not hit me every day"."""
    lexicon = _lexicon()
    near = words[one.first + 1 : one.last + _LIMIT_REACH]
    return one.entry in lexicon.denied_within and any(w.folded in lexicon.limits for w in near)


def _is_act_denied(words: Sequence[Word], at: int) -> bool:
    """Tell whether a denial is "never", or stands right before an act or "pernah"."""
    lexicon, denied = _lexicon(), words[at + 1].folded
    is_ever = words[at].folded == "never" or denied == "pernah"
    return is_ever or denied in lexicon.acts


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort the places and join those that touch, since a quote is often told line by line."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _is_within(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    at = bisect_right(spans, start, key=lambda span: span[0]) - 1
    return at >= 0 and end <= spans[at][1]


def book() -> Book:
    """Return the phrases of the lexicon, ready to be found."""
    return _lexicon().book


def read_phrases() -> tuple[list[Phrase], list[Phrase]]:
    """Return the phrases of the signs, and those of the idioms."""
    data = _data()
    return _compiled(data, "sign"), _compiled(data, "idiom")


def _compiled(data: Mapping[str, Any], kind: str) -> list[Phrase]:
    sets = {name: phrases.accepting(*words) for name, words in _sets(data).items()}
    return [
        phrases.compile_phrase(entry["id"], written, sets)
        for entry in data[kind]
        for written in entry["phrases"]
    ]


def _data() -> dict[str, Any]:
    """Read the files of the lexicon as one: they share their sets."""
    folder = resources.files("mailcounsel.casework.lexicon")
    files = [tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8")) for name in _FILES]
    return {
        "sets": {name: words for file in files for name, words in file["sets"].items()},
        "sign": [entry for file in files for entry in file["sign"]],
        "idiom": [entry for file in files for entry in file["idiom"]],
    }


def _sets(data: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: written.split() for name, written in data["sets"].items()}


@cache
def _lexicon() -> _Lexicon:
    data = _data()
    sets = _sets(data)
    lexicon = _Lexicon(
        book=Book(_compiled(data, "sign"), _compiled(data, "idiom")),
        kinds={entry["id"]: entry.get("kind", _IDIOM) for entry in data["sign"] + data["idiom"]},
        negations=_folded(sets["negation"]),
        not_negated=_folded(sets["not_negated"]),
        passed_over=_folded(sets["passed_over"]),
        lacked=_folded(sets["lacked"]),
        subjects=_folded(sets["subject"]),
        acts=_folded(sets["act"]),
        limits=_folded(sets["limit"]),
        turns=_folded(sets["turn"]),
        conditions=_folded(sets["condition"]),
        takes_back=_folded(sets["takes_back"]),
        doubted=_folded(sets["doubted"]),
        denied_within=_marked(data, "denied_within"),
        denied_before_end=_marked(data, "denied_before_end"),
        wide=_marked(data, "wide"),
    )
    phrases.forget_compiled()
    return lexicon


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(phrases.fold, words))


def _marked(data: Mapping[str, Any], mark: str) -> frozenset[str]:
    """Return the names of the entries that carry a mark."""
    return frozenset(entry["id"] for entry in data["sign"] if entry.get(mark))
