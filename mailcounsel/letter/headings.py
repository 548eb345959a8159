"""Find what stands above a quotation, and fold that and what follows.

An attribution ("On Monday at 9:00 Rita wrote:"), a divider, or the head of a letter as some
programs copy it; the sentences are data, in `phrases.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mailcounsel.letter import phrases, signatures
from mailcounsel.letter.known_text import Known
from mailcounsel.letter.lines import About, Marks

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


def fold(marks: Marks, known: Known, about: About | None) -> None:
    """Fold each heading with what follows it: marked lines, or a tail that is surely quoted."""
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
            may_fold = is_ours and first_own < index and not _is_answered_within(marks, index)
            _fold_tail(marks, (index, stop), rule, known, may_fold=may_fold)
        index = stop


def _names_us(marks: Marks, index: int, stop: int, about: About) -> bool:
    """Tell whether a heading names whom the letter is to; of a copied head, as its sender.

    A head that names who wrote the letter, and the day alone, is how people head a formal one.
    """
    is_drawn = marks.lines[index].folded[0] in _DRAWN
    end = max(stop, index + _LONGEST_HEADER) if is_drawn else stop
    lines = [line.folded for line in marks.lines[index:end]]
    senders = [line for line in lines if "from" in {kind for _, kind in _field(line)[1]}]
    said = " ".join(senders or lines)
    writer = set(_WORD.findall(about.sender.casefold()))
    is_own = bool(senders) and not writer.isdisjoint(_WORD.findall(said))
    if is_own and not any(_CLOCK.search(line) for line in lines):
        return False
    return any(name in said for name in about.names)


def _is_answered_within(marks: Marks, index: int) -> bool:
    """Tell whether the client says above a quotation that they write in it: "answers in red"."""
    said = " ".join(line.folded for line in marks.lines[:index])
    return phrases.load().within.search(said) is not None


def _first_own(marks: Marks) -> int:
    """Return the first line that bears no mark: a letter that begins with a heading is its own."""
    own = (n for n, line in enumerate(marks.lines) if line.text and marks.kinds[n] is None)
    return next(own, len(marks.lines))


def _open_marked(marks: Marks, index: int) -> None:
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


def _next_words(marks: Marks, index: int) -> int:
    while index < len(marks.lines) and not marks.lines[index].text:
        index += 1
    return index


def _name_marks(marks: Marks, index: int, rule: str) -> None:
    """Give the marked lines below a heading the heading's rule, so that they are one span."""
    while index < len(marks.lines) and marks.rules[index] == "marks":
        marks.rules[index] = rule
        index += 1


def _heading(marks: Marks, index: int) -> tuple[int, str, bool]:
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


def _sentence(marks: Marks, index: int) -> tuple[int, str, bool]:
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


def _between_dashes(marks: Marks, index: int, sentence: str) -> tuple[int, str, bool]:
    """Recognise "---- On 3 Nov at 10:00 Rita wrote ----"."""
    for one in phrases.load().attributions:
        if one.fits(sentence) and any(letter.isdigit() for letter in sentence):
            is_sure = _is_sure(sentence, one, _words_after(marks, index + 1))
            return index + 1, f"wrote, {one.language}", is_sure
    return 0, "", False


def _words_after(marks: Marks, index: int) -> str:
    after = _next_words(marks, index)
    return marks.lines[after].text if after < len(marks.lines) else ""


def _beginnings(marks: Marks, index: int) -> Iterator[tuple[int, list[str]]]:
    """Yield where a sentence of up to three lines that begins here may stop, with its lines."""
    lines: list[str] = []
    for stop in range(index + 1, min(index + _LONGEST_ATTRIBUTION, len(marks.lines)) + 1):
        line = marks.lines[stop - 1]
        lines.append(line.folded)
        is_long = sum(map(len, lines)) > _LONGEST_SENTENCE
        if not line.text or is_long or marks.kinds[stop - 1] is not None:
            return
        yield stop, lines


def _dated(marks: Marks, index: int) -> tuple[int, str, bool]:
    """Recognise "2026-11-03 10:15 GMT+07:00 Rita <rita@klien.test>:", which is of any language.

    Sure only with a clock time and the colon; else the next line has to bear a mark.
    """
    for stop, lines in _beginnings(marks, index):
        sentence = " ".join(lines).replace("< ", "<")
        if _DATED.fullmatch(sentence):
            is_sure = sentence.endswith(":") and _CLOCK.search(sentence) is not None
            return stop, "date and address", is_sure
    return 0, "", False


def _attribution(marks: Marks, index: int) -> tuple[int, str, bool]:
    for stop, lines in _beginnings(marks, index):
        sentence = " ".join(_OF_YAHOO.sub("", line) for line in lines)
        if any(letter.isdigit() for letter in sentence):
            for one in phrases.load().attributions:
                if one.fits(sentence) or (one.runs_on(sentence) and _ADDRESS.search(sentence)):
                    return _of_form(marks, stop, sentence, one)
    return 0, "", False


def _of_form(
    marks: Marks, stop: int, sentence: str, form: phrases.Attribution
) -> tuple[int, str, bool]:
    if _is_told(sentence, form):
        return 0, "", False
    is_sure = not form.fits(sentence) or _is_sure(sentence, form, _words_after(marks, stop))
    return stop, f"wrote, {form.language}", is_sure


def _addressed(marks: Marks, index: int) -> tuple[int, str, bool]:
    """Recognise an address and a digit before a colon and marked lines, in any language.

    Such as "вт, 3 нояб. 2026 г. в 08:01, Rita <rita@klien.test>:"; never without the marks, and
    never with a line more than that takes, which would be a client's own.
    """
    for stop, lines in _beginnings(marks, index):
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


def _copied_fields(marks: Marks, index: int) -> tuple[int, str]:
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
    marks: Marks, heading: tuple[int, int], rule: str, known: Known, *, may_fold: bool
) -> None:
    """Fold a heading without marks and what follows it: to the end, as such programs write.

    Where the quoted letter is known, lines that are not in it stay open: they were written
    below or between. Whether an unknown one may be folded is for the caller to say (`may_fold`);
    from a postscript on it stays open, since nothing tells whose that is.
    """
    first, index = heading
    tail = [n for n in range(index, len(marks.lines)) if marks.lines[n].text]
    matched = [n for n in tail if known.holds(marks.lines[n].text)]
    if 2 * len(matched) < len(tail):
        if may_fold:
            below = (n for n in tail if signatures.POSTSCRIPT.match(marks.lines[n].text))
            marks.mark(first, next(below, len(marks.lines)), "quote", rule)
        return
    marks.mark(first, index, "quote", rule)
    for number in matched:
        marks.mark(number, number + 1, "quote", rule)
    _close_gaps(marks, index, rule)


def _close_gaps(marks: Marks, index: int, rule: str) -> None:
    """Fold the blank lines between folded ones."""
    last = index
    for number in range(index, len(marks.lines)):
        if marks.rules[number] == rule:
            if all(not one.text for one in marks.lines[last:number]):
                marks.mark(last, number, "quote", rule)
            last = number + 1
