"""Find what a client quoted and what a program added, so that a reader can fold it away.

Nothing is ever cut. `fold` returns spans over the full text, each with the rule that found it;
whoever shows the letter decides, and words of danger are looked for in the whole text. When in
doubt a line stays open: an extra line is read in a second, a folded cry for help is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Literal, NamedTuple

from mailcounsel.letter import phrases


@dataclass(frozen=True, slots=True)
class Span:
    """Whole lines that are not the client's words of today: characters [start, end)."""

    kind: Literal["quote", "signature"]
    rule: str  # "marks", "known text", "wrote, id", "divider, en", "header, de", "device, en", ...
    start: int
    end: int


class _Line(NamedTuple):
    start: int
    end: int  # after the line break
    text: str  # stripped
    folded: str


@dataclass(slots=True)
class _Marks:
    """For each line the rule that folds it, or ""; spans are runs of one rule."""

    lines: list[_Line]
    kinds: list[Literal["quote", "signature"] | None]
    rules: list[str]

    def mark(self, first: int, stop: int, kind: Literal["quote", "signature"], rule: str) -> None:
        for index in range(first, stop):
            if self.kinds[index] is None:
                self.kinds[index], self.rules[index] = kind, rule


# A letter with more lines is shown unfolded: nobody reads it line by line.
_MOST_LINES = 20_000


class About(NamedTuple):
    """What a letter's head says of it, by which a quotation of ours is told from any other.

    `names` are the addresses and names it is to, and its sender's address where it answers;
    `sender` is the name of who wrote it, `answers` whether it names a letter it answers.
    """

    names: tuple[str, ...]
    sender: str = ""
    answers: bool = False


def about_of(entry: Mapping[str, Any]) -> About | None:
    """Return what was kept of a letter's head with its entry, None where nothing was."""
    kept = entry.get("about")
    return About(tuple(kept[0]), str(kept[1]), bool(kept[2])) if kept else None


def fold(text: str, earlier: Sequence[str] = (), about: About | None = None) -> tuple[Span, ...]:
    """Return the spans of *text* that are quoted or added, in order, never overlapping.

    *earlier* are the texts of the letters already in the case, both ours and the client's;
    a run of lines equal to one of them is a quotation in any language. With *about*, what follows
    a heading without marks is folded only where the heading names one of its names: somebody
    else's letter, and a head of the client's own, are what they write about.
    """
    if text.count("\n") > _MOST_LINES:
        return ()
    lines = _lines(text)
    if not lines:
        return ()
    marks = _Marks(lines, [None] * len(lines), [""] * len(lines))
    known = _Known(earlier)
    _fold_armour(marks)
    _fold_marked(marks)
    _fold_headed(marks, known, about)
    _fold_devices(marks)
    _fold_signature(marks, about)
    _fold_known(marks, known)
    if about and not about.answers and set(marks.kinds) == {"quote"}:
        return ()  # it answers nothing, so all of it is what somebody wants to be read
    return tuple(_spans(marks))


def _lines(text: str) -> list[_Line]:
    lines, start = [], 0
    for whole in text.split("\n"):
        stripped = whole.strip()
        end = start + len(whole) + 1
        folded = stripped.casefold()
        # One string for both where they are equal: there may be twenty thousand lines.
        lines.append(_Line(start, end, stripped, stripped if folded == stripped else folded))
        start = end
    last = lines.pop()
    if last.start < len(text):
        lines.append(last._replace(end=len(text)))
    return lines


def new_words(text: str, spans: Sequence[Span]) -> str:
    """Return what the client wrote now: *text* without the spans."""
    kept, position = [], 0
    for span in spans:
        kept.append(text[position : span.start])
        position = span.end
    kept.append(text[position:])
    return re.sub(r"\n\s*\n\s*\n", "\n\n", "".join(kept)).strip()


def render(text: str, spans: Sequence[Span]) -> str:
    """Return *text* with each span shown as one line that says how much is folded, and why."""
    shown, position = [], 0
    for span in spans:
        count = len(text[span.start : span.end].strip("\n").split("\n"))
        lines = "line" if count == 1 else "lines"
        what = "quoted" if span.kind == "quote" else "signature"
        shown += [text[position : span.start], f"▸ {count} {what} {lines} ({span.rule})\n"]
        position = span.end
    shown.append(text[position:])
    return "".join(shown)


def _spans(marks: _Marks) -> Iterator[Span]:
    index = 0
    for (kind, rule), run in groupby(zip(marks.kinds, marks.rules, strict=True)):
        first, index = index, index + sum(1 for _ in run)
        if kind is not None:
            yield Span(kind, rule, marks.lines[first].start, marks.lines[index - 1].end)


# -- the armour around a signed text ------------------------------------------------------------

_ARMOUR = "-----begin pgp signed message-----"
_SIGNATURE = "-----begin pgp signature-----"
_SIGNATURE_END = "-----end pgp signature-----"


def _fold_armour(marks: _Marks) -> None:
    """Fold what OpenPGP writes around a text that is signed in the clear (RFC 9580 §7)."""
    folded = [line.folded for line in marks.lines]
    if _ARMOUR not in folded:
        return
    first = folded.index(_ARMOUR)
    stop = first + 1
    while stop < len(folded) and folded[stop].startswith("hash:"):
        stop += 1
    marks.mark(first, stop, "signature", "OpenPGP")
    if _SIGNATURE in folded and _SIGNATURE_END in folded:
        begun, ended = folded.index(_SIGNATURE), folded.index(_SIGNATURE_END)
        marks.mark(begun, ended + 1, "signature", "OpenPGP")


# -- lines that bear a mark ---------------------------------------------------------------------

_MARKED = re.compile(r">(?![:;=.][-']?[()\[\]<>/|]|[._]<|_>|:)")


def _fold_marked(marks: _Marks) -> None:
    """Fold lines that begin with ">", and blanks between.

    Faces like >:( are not quotations, nor is >> what somebody drew arrows around <<.
    """
    last = None
    for index, line in enumerate(marks.lines):
        if _is_marked(line.text) and not _is_escaped(marks.lines, index):
            if last is not None and all(not one.text for one in marks.lines[last:index]):
                marks.mark(last, index, "quote", "marks")
            marks.mark(index, index + 1, "quote", "marks")
            last = index + 1


def _is_marked(text: str) -> bool:
    return text[:1] == ">" and text[-1] != "<" and _MARKED.match(text) is not None


def _is_escaped(lines: Sequence[_Line], index: int) -> bool:
    """Whether a mailbox's file put the mark before "From", where no line beside bears one."""
    near = [*lines[max(0, index - 1) : index], *lines[index + 1 : index + 2]]
    is_from = lines[index].text.startswith(">From ")
    return is_from and not any(one.text[:1] == ">" for one in near)


# -- a heading, and what follows it -------------------------------------------------------------

_ADDRESS = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}([-./])\d{1,2}\1\d{2}\b")
_WORD = re.compile(r"\w+")
_CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.]\d{2}(?!\d)")
_DRAWN = "-_*=‐"  # with which dividers and rules begin
_DIVIDER = re.compile(r"[-_*=‐]{2,20}\s*([^-_*=‐\s].{1,140}?)\s*[-_*=‐]{2,20}")
_RULE = re.compile(r"[_-]{10,}")
_LABEL = re.compile(r"\*?([^\W\d][\w ’']{0,20}?)\s?[:：]\*?\s?(.*)")
_LONGEST_ATTRIBUTION = 3  # lines
_LONGEST_SENTENCE = 400  # characters
_LONGEST_HEADER = 8  # lines


def _fold_headed(marks: _Marks, known: _Known, about: About | None) -> None:
    index, first_own = 0, _first_own(marks)
    while index < len(marks.lines):
        if not marks.lines[index].text:
            index += 1
            continue
        if _is_forwarding(marks.lines[index].folded):
            if marks.kinds[index] is None:
                _open_marked(marks, index + 1)
            index += 1 + _LONGEST_HEADER
            continue
        stop, rule, certain = _heading(marks, index)
        if not stop:
            index += 1
            continue
        after = _next_words(marks, stop)
        if after < len(marks.lines) and marks.rules[after] == "marks":
            marks.mark(index, after, "quote", rule)
            _name_marks(marks, after, rule)
        elif certain:
            is_ours = about is None or _names_us(marks, index, stop, about)
            may_fold = is_ours and first_own < index
            _fold_tail(marks, (index, stop), rule, known, may_fold=may_fold)
        index = stop


def _names_us(marks: _Marks, index: int, stop: int, about: About) -> bool:
    """Tell whether a heading names whom the letter is to; of a copied head, as its sender."""
    is_drawn = marks.lines[index].folded[0] in _DRAWN
    end = max(stop, index + _LONGEST_HEADER) if is_drawn else stop
    lines = [line.folded for line in marks.lines[index:end]]
    senders = [line for line in lines if "from" in {kind for _, kind in _field(line)[1]}]
    said = " ".join(senders or lines)
    return any(name in said for name in about.names)


def _first_own(marks: _Marks) -> int:
    """Return the first line that bears no mark: a letter that begins with a heading is its own."""
    own = (n for n, line in enumerate(marks.lines) if line.text and marks.kinds[n] is None)
    return next(own, len(marks.lines))


def _open_marked(marks: _Marks, index: int) -> None:
    """Open the marked lines of a forwarded letter: it is what the client wants to be read."""
    head = [n for n in range(index, len(marks.lines)) if marks.rules[n] == "marks"][:1]
    if not head or sum(bool(one.text) for one in marks.lines[index : head[0]]) > _LONGEST_HEADER:
        return
    for number in range(head[0], len(marks.lines)):
        if marks.lines[number].text and marks.rules[number] != "marks":
            break
        marks.kinds[number], marks.rules[number] = None, ""


def _is_forwarding(line: str) -> bool:
    """Whether a line introduces somebody else's letter: that is why the client writes."""
    return line.strip("-_*=: ") in phrases.load().forwards


def _next_words(marks: _Marks, index: int) -> int:
    while index < len(marks.lines) and not marks.lines[index].text:
        index += 1
    return index


def _name_marks(marks: _Marks, index: int, rule: str) -> None:
    """Give the marked lines below a heading the heading's rule, so that they are one span."""
    while index < len(marks.lines) and marks.rules[index] == "marks":
        marks.rules[index] = rule
        index += 1


def _heading(marks: _Marks, index: int) -> tuple[int, str, bool]:
    """Return where a heading that begins here stops (0: none), its rule, and whether it is sure."""
    line = marks.lines[index]
    if not line.text or marks.kinds[index] is not None:
        return 0, "", False
    known = phrases.load()
    folded = line.folded
    is_drawn = folded[0] in _DRAWN
    divider = _DIVIDER.fullmatch(folded.replace("&nbsp;", " ")) if is_drawn else None
    if divider and divider[1].strip() in known.dividers:
        stop, _ = _copied_fields(marks, _next_words(marks, index + 1))
        return stop or index + 1, f"divider, {known.dividers[divider[1].strip()]}", True
    if divider and divider[1].split(None, 1)[0] in known.first_words:
        return _between_dashes(marks, index, f"{divider[1].strip()}:")
    found = _sentence(marks, index)
    if found[0]:
        return found
    is_rule = is_drawn and _RULE.fullmatch(folded) is not None
    start = _next_words(marks, index + 1) if is_rule else index
    if is_rule or ":" in folded or "：" in folded:
        stop, language = _copied_fields(marks, start)
        if stop:
            return stop, f"header, {language}", True
    return _addressed(marks, index)


def _sentence(marks: _Marks, index: int) -> tuple[int, str, bool]:
    folded = marks.lines[index].folded
    if folded[0].isdigit():
        return _dated(marks, index)
    if _OF_YAHOO.sub("", folded).split(None, 1)[0] in phrases.load().first_words:
        return _attribution(marks, index)
    return 0, "", False


_OF_YAHOO = re.compile(r"^-{2,4} (?=\w)")  # "--- On Mon, 3/11/26, Rita wrote:"
_DATED = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}\b.{0,90}<[^<>\s@]+@[^<>\s]+>(?: \w{2,12})?:?")


def _is_sure(sentence: str, form: phrases.Attribution, after: str) -> bool:
    """Whether a program wrote the sentence: it has an address, or a date with year and time.

    "Pada 3 Nov 2026 pukul 22.30 suami saya menulis:" is a client's own, by its words; so is one
    after which somebody's words stand between quotation marks.
    """
    if _ADDRESS.search(sentence):
        return True
    is_own = _is_told(sentence, form) or after[:1] in _QUOTATION
    return bool(_CLOCK.search(sentence) and _YEAR.search(sentence)) and not is_own


def _is_told(sentence: str, form: phrases.Attribution) -> bool:
    """Tell whether the client says who wrote: "my husband", "dia"; no program does."""
    return _ADDRESS.search(sentence) is None and _is_clients(sentence, form)


def _is_clients(sentence: str, form: phrases.Attribution) -> bool:
    return not form.own.isdisjoint(_WORD.findall(sentence))


_QUOTATION = tuple("\"'“”„«»‘‚")


def _between_dashes(marks: _Marks, index: int, sentence: str) -> tuple[int, str, bool]:
    """Recognise "---- On 3 Nov at 10:00 Rita wrote ----"."""
    for one in phrases.load().attributions:
        if one.fits(sentence) and any(letter.isdigit() for letter in sentence):
            is_sure = _is_sure(sentence, one, _words_after(marks, index + 1))
            return index + 1, f"wrote, {one.language}", is_sure
    return 0, "", False


def _words_after(marks: _Marks, index: int) -> str:
    after = _next_words(marks, index)
    return marks.lines[after].text if after < len(marks.lines) else ""


def _dated(marks: _Marks, index: int) -> tuple[int, str, bool]:
    """Recognise "2026-11-03 10:15 GMT+07:00 Rita <rita@klien.test>:", which is of any language.

    Sure only with a clock time and the colon; else the next line has to bear a mark.
    """
    sentence = ""
    for stop in range(index + 1, min(index + _LONGEST_ATTRIBUTION, len(marks.lines)) + 1):
        line = marks.lines[stop - 1]
        if not line.text or marks.kinds[stop - 1] is not None:
            break
        sentence = f"{sentence} {line.folded}".strip().replace("< ", "<")
        if len(sentence) > _LONGEST_SENTENCE:
            break
        if _DATED.fullmatch(sentence):
            is_sure = sentence.endswith(":") and _CLOCK.search(sentence) is not None
            return stop, "date and address", is_sure
    return 0, "", False


def _attribution(marks: _Marks, index: int) -> tuple[int, str, bool]:
    sentence = ""
    for stop in range(index + 1, min(index + _LONGEST_ATTRIBUTION, len(marks.lines)) + 1):
        line = marks.lines[stop - 1]
        if not line.text or marks.kinds[stop - 1] is not None:
            break
        sentence = f"{sentence} {_OF_YAHOO.sub('', line.folded)}".strip()
        if len(sentence) > _LONGEST_SENTENCE:
            break
        if _DIGIT.search(sentence):
            for one in phrases.load().attributions:
                if one.fits(sentence) or (one.runs_on(sentence) and _ADDRESS.search(sentence)):
                    return _of_form(marks, stop, sentence, one)
    return 0, "", False


def _of_form(
    marks: _Marks, stop: int, sentence: str, form: phrases.Attribution
) -> tuple[int, str, bool]:
    if _is_told(sentence, form):
        return 0, "", False
    is_sure = not form.fits(sentence) or _is_sure(sentence, form, _words_after(marks, stop))
    return stop, f"wrote, {form.language}", is_sure


def _addressed(marks: _Marks, index: int) -> tuple[int, str, bool]:
    """Recognise an address and a digit before a colon and marked lines, in any language.

    Such as "вт, 3 нояб. 2026 г. в 08:01, Rita <rita@klien.test>:"; never without the marks, and
    never with a line more than that takes, which would be a client's own.
    """
    lines: list[str] = []
    for stop in range(index + 1, min(index + _LONGEST_ATTRIBUTION, len(marks.lines)) + 1):
        line = marks.lines[stop - 1]
        if not line.text or len(line.text) > _LONGEST_SENTENCE or marks.kinds[stop - 1] is not None:
            break
        lines.append(line.folded)
        after = _next_words(marks, stop)
        if after < len(marks.lines) and marks.rules[after] == "marks":
            takes_all = _is_addressed(lines) and not _is_addressed(lines[1:])
            return (stop, "address", False) if takes_all else (0, "", False)
    return 0, "", False


def _is_addressed(lines: Sequence[str]) -> bool:
    sentence = " ".join(lines)
    bare = sentence.rstrip("\u202a\u202b\u202c\u200e\u200f ")
    if not bare.endswith((":", "：")) or not _ADDRESS.search(sentence):
        return False
    if any(
        not form.own.isdisjoint(_WORD.findall(sentence)) for form in phrases.load().attributions
    ):
        return False
    says = sentence.startswith(_QUOTING) or bare.endswith(("writes:", "wrote:", "menulis:"))
    return says or _CLOCK.search(sentence) is not None


_QUOTING = ("quoting ", "zitat von ", "citando ", "mengutip ", "citazione ")


def _copied_fields(marks: _Marks, index: int) -> tuple[int, str]:
    """Find "From: ... Sent: ... To: ..." as Outlook copies them above a quotation.

    One names a sender, the first one unless it has an address; one is a date with a digit; and
    all are of one language. "From: the moment I wake up" is a client's own sentence, and so is a
    head in which the sender comes between others.
    """
    kinds: dict[str, set[str]] = {}
    stop, has_address = index, False
    while stop < min(index + _LONGEST_HEADER, len(marks.lines)):
        label, found = _field(marks.lines[stop].text)
        if label is None or not found:
            break
        for language, kind in found:
            if kind != "date" or any(letter.isdigit() for letter in label[2]):
                kinds.setdefault(language, set()).add(kind)
            is_sender = kind == "from" and (stop == index or _ADDRESS.search(label[2]))
            has_address = has_address or bool(is_sender)
        stop += 1
    language = next((one for one, seen in kinds.items() if len(seen) == len(_ALL_KINDS)), "")
    is_within = index > 0 and bool(_field(marks.lines[index - 1].text)[1])
    return (stop, language) if language and has_address and not is_within else (0, "")


def _field(line: str) -> tuple[re.Match[str] | None, tuple[tuple[str, str], ...]]:
    """Return the label of a copied header line with what follows, and what the label may mean."""
    label = _LABEL.fullmatch(line)
    return label, phrases.load().fields.get(label[1].casefold(), ()) if label else ()


_ALL_KINDS = ("from", "date", "other")


def _fold_tail(
    marks: _Marks, heading: tuple[int, int], rule: str, known: _Known, *, may_fold: bool
) -> None:
    """Fold a heading without marks and what follows it: to the end, as such programs write.

    Where the quoted letter is known, lines that are not in it stay open: they were written
    below or between. Whether an unknown one may be folded is for the caller to say (`may_fold`).
    """
    first, index = heading
    tail = [n for n in range(index, len(marks.lines)) if marks.lines[n].text]
    matched = [n for n in tail if known.holds(marks.lines[n].text)]
    if 2 * len(matched) < len(tail):
        if may_fold:
            marks.mark(first, len(marks.lines), "quote", rule)
        return
    marks.mark(first, index, "quote", rule)
    for number in matched:
        marks.mark(number, number + 1, "quote", rule)
    _close_gaps(marks, index, rule)


def _close_gaps(marks: _Marks, index: int, rule: str) -> None:
    """Fold the blank lines between folded ones."""
    last = index
    for number in range(index, len(marks.lines)):
        if marks.rules[number] == rule:
            if all(not one.text for one in marks.lines[last:number]):
                marks.mark(last, number, "quote", rule)
            last = number + 1


# -- what programs and people put below ---------------------------------------------------------

_POSTSCRIPT = re.compile(r"(?i)\(?(p\.? ?s|n\.? ?b|catatan|ps)\b")
_LONGEST_SIGNATURE = 8  # lines
_SENTENCE_WORDS = 6
_PLEADS = frozenset((
    "jangan", "tolong", "telepon", "hubungi", "bantu", "call", "help", "don't", "dont", "not",
    "never", "mati", "die", "suami",
))  # fmt: skip
_TOLD_WORDS = 5  # in small letters: somebody tells something, others give a name and a street


def _fold_devices(marks: _Marks) -> None:
    for index, line in enumerate(marks.lines):
        if marks.kinds[index] is None and 8 <= len(line.text) <= _LONGEST_DEVICE:
            language = _device(_LINK.sub("", line.folded))
            if language:
                marks.mark(index, index + 1, "signature", f"device, {language}")


def _device(line: str) -> str:
    devices = _devices()
    for language, pattern in (*devices.get(line[:_DEVICE_HEAD], ()), *devices.get(_ANY, ())):
        match = pattern.fullmatch(line)
        if match:
            return language if all(map(_is_device, match.groups())) else ""
    return ""


def _is_device(words: str) -> bool:
    """Whether the words name a device or a program, and nobody whose it is.

    "Dikirim dari HP suami saya" and "Sent from the bridge" are what a client has to say.
    """
    known, found = phrases.load(), _WORD.findall(words)
    others = [word for word in found if word not in known.devices_named and not _DIGIT.search(word)]
    return len(others) < len(found) and all(word in known.between for word in others)


_DIGIT = re.compile(r"\d")  # of a model
_LONGEST_DEVICE = 200  # characters, with the address a program links to
_LINK = re.compile(r"<https?://[^<>\s]*>")
_DEVICE_HEAD = 2  # letters, with which nearly every known line begins
_ANY = ""  # the others, such as "iPhoneから送信"


@cache
def _devices() -> Mapping[str, Sequence[tuple[str, re.Pattern[str]]]]:
    """Return the known lines by their first letters: few lines of a letter begin like one."""
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for language, pattern in phrases.load().devices:
        head = pattern.pattern[:_DEVICE_HEAD]
        found.setdefault(_ANY if head[0] == "(" else head, []).append((language, pattern))
    return found


def _fold_signature(marks: _Marks, about: About | None) -> None:
    """Fold what stands below "-- " (RFC 3676 §4.3), to the first blank line or sentence."""
    for index, line in enumerate(marks.lines):
        if line.text != "--" or marks.kinds[index] is not None:
            continue
        stop = index + 1
        if stop < len(marks.lines) and marks.rules[stop].startswith("device"):
            marks.mark(index, stop, "signature", marks.rules[stop])
            continue
        while stop < min(index + 1 + _LONGEST_SIGNATURE, len(marks.lines)):
            if marks.kinds[stop] is not None or not _is_signature_line(marks.lines[stop].text):
                break
            stop += 1
        below = marks.lines[index + 1 : stop]
        is_name = _is_name(below) and (about is None or _is_of_sender(below[0].folded, about))
        if any(_CONTACT.search(one.text) for one in below) or is_name:
            marks.mark(index, stop, "signature", "dashes")


# An address, a page, or a telephone number as people write theirs: no sum of money, no date.
_CONTACT = re.compile(r"@|https?:|www\.|(?<![\d.,/-])(?:\+|\(?0)\d[\d ()-]{6,}(?![.,/]\d)")


def _is_of_sender(line: str, about: About) -> bool:
    return bool(line) and not set(_WORD.findall(line)).isdisjoint(
        _WORD.findall(about.sender.casefold())
    )


def _is_name(below: list[_Line]) -> bool:
    """Whether the lines look like a name and no more: one line, few words, all capitalised."""
    words = below[0].text.split() if len(below) == 1 else []
    return 0 < len(words) <= 3 and all(word[:1].isupper() for word in words)


def _is_signature_line(text: str) -> bool:
    if not text or _POSTSCRIPT.match(text):
        return False
    words = text.split()
    is_sentence = text[-1] in ".!?…" and len(words) >= _SENTENCE_WORDS
    if not _PLEADS.isdisjoint(word.casefold() for word in words):
        return False
    return not is_sentence and sum(word.islower() for word in words) < _TOLD_WORDS


# -- lines we have seen before ------------------------------------------------------------------

_MOST_KNOWN = 300_000  # characters; the nearest letters first
_MOST_LOOKED_UP = 3_000  # lines
_SHORTEST_KNOWN = {2: 120, 3: 80}  # characters of a run of so many lines; of more, 60
_QUOTE_MARKS = re.compile(r"^[>|\s]+")
_SPACE = re.compile(r"\s+")


def _normal(text: str) -> str:
    return _SPACE.sub(" ", _QUOTE_MARKS.sub("", text)).strip().casefold()


class _Known:
    """The earlier letters of the case, in a form in which lines can be found again."""

    def __init__(self, earlier: Sequence[str]) -> None:
        self.texts: list[str] = []
        size = 0
        for text in reversed(earlier):
            size += len(text)
            if size > _MOST_KNOWN:
                break
            self.texts.append(" ".join(filter(None, map(_normal, text.split("\n")))))
        self.looked_up = 0

    def holds(self, line: str) -> bool:
        """Tell whether a line stands in an earlier letter, however that was wrapped."""
        return bool(self.where(_normal(line)))

    def where(self, words: str) -> bool:
        self.looked_up += 1
        if not words or self.looked_up > _MOST_LOOKED_UP:
            return False
        return any(words in text for text in self.texts)


def _fold_known(marks: _Marks, known: _Known) -> None:
    """Fold runs of lines that stand, in this order, in an earlier letter.

    One line alone is no quotation: people say the same thing twice. And a letter that would be
    folded as a whole was sent again, and stays open.
    """
    if not known.texts:
        return
    runs = list(_runs(marks, known))
    folded = {index for first, stop in runs for index in range(first, stop)}
    own = [n for n, line in enumerate(marks.lines) if line.text and marks.kinds[n] is None]
    if set(own) <= folded:
        return
    for first, stop in runs:
        marks.mark(first, stop, "quote", "known text")


def _runs(marks: _Marks, known: _Known) -> Iterator[tuple[int, int]]:
    index = 0
    while index < len(marks.lines):
        stop, words, count = index, "", 0
        for number in range(index, len(marks.lines)):
            line = marks.lines[number]
            if marks.kinds[number] is not None:
                break
            longer = f"{words} {_normal(line.text)}".strip()
            if line.text and not known.where(longer):
                break
            if line.text:
                stop, words, count = number + 1, longer, count + 1
        if count > 1 and len(words) >= _SHORTEST_KNOWN.get(count, 60):
            yield index, stop
        index = max(stop, index + 1)
