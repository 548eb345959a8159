"""Find what a client quoted and what a program added, so that a reader can fold it away.

Nothing is ever cut. `fold` returns spans over the full text, each with the rule that found it;
whoever shows the letter decides, and words of danger are looked for in the whole text. When in
doubt a line stays open: an extra line is read in a second, a folded cry for help is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from mailcounsel.letter import headings, known_text, signatures
from mailcounsel.letter.lines import About as About
from mailcounsel.letter.lines import Kind, Line, Marks
from mailcounsel.letter.lines import about_of as about_of


@dataclass(frozen=True, slots=True)
class Span:
    """Whole lines that are not the client's words of today: characters [start, end)."""

    kind: Kind
    rule: str  # "marks", "known text", "wrote, id", "divider, en", "header, de", "device, en", ...
    start: int
    end: int


# A letter with more lines is shown unfolded: nobody reads it line by line.
_MOST_LINES = 20_000


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
    marks = Marks(lines, [None] * len(lines), [""] * len(lines))
    known = known_text.Known(earlier)
    _fold_armour(marks)
    _fold_marked(marks)
    headings.fold(marks, known, about)
    _open_own_marks(marks, known, about)
    signatures.fold_devices(marks)
    signatures.fold_dashes(marks, about)
    known_text.fold(marks, known)
    if about and not about.answers and set(marks.kinds) == {"quote"}:
        return ()  # it answers nothing, so all of it is what somebody wants to be read
    return tuple(_spans(marks))


def _lines(text: str) -> list[Line]:
    lines, start = [], 0
    for whole in text.split("\n"):
        stripped = whole.strip()
        end = start + len(whole) + 1
        folded = stripped.casefold()
        # One string for both where they are equal: there may be twenty thousand lines.
        lines.append(Line(start, end, stripped, stripped if folded == stripped else folded))
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


def render(text: str, spans: Sequence[Span], *, is_ours: bool = False) -> str:
    """Return *text* with each span shown as one line that says how much is folded, and why.

    A letter of ours quotes nobody: what it shares with earlier ones is its greeting and its end.
    """
    shown, position = [], 0
    for span in spans:
        count = len(text[span.start : span.end].strip("\n").split("\n"))
        lines = "line" if count == 1 else "lines"
        what = "quoted" if span.kind == "quote" else "signature"
        said = f"{what} {lines} ({span.rule})"
        if is_ours and span.rule == "known text":
            said = f"{lines} as in earlier letters"
        shown += [text[position : span.start], f"▸ {count} {said}\n"]
        position = span.end
    shown.append(text[position:])
    return "".join(shown)


def _spans(marks: Marks) -> Iterator[Span]:
    index = 0
    for (kind, rule), run in groupby(marks.folds()):
        first, index = index, index + sum(1 for _ in run)
        if kind is not None:
            yield Span(kind, rule, marks.lines[first].start, marks.lines[index - 1].end)


# -- the armour around a signed text ------------------------------------------------------------

_ARMOUR = "-----begin pgp signed message-----"
_SIGNATURE = "-----begin pgp signature-----"
_SIGNATURE_END = "-----end pgp signature-----"


def _fold_armour(marks: Marks) -> None:
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


def _fold_marked(marks: Marks) -> None:
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


def _open_own_marks(marks: Marks, known: known_text.Known, about: About | None) -> None:
    """Open marked lines that are the client's own: lines of a song, a list of worries.

    No heading stands above them, and the letter is no answer; or most of them stand in no letter
    of the case.
    """
    is_headed = any(kind == "quote" and rule != "marks" for kind, rule in marks.folds())
    is_alone = about is not None and about.is_new and not is_headed
    index = 0
    for rule, run in groupby(marks.rules):
        first, index = index, index + sum(1 for _ in run)
        said = [line.text for line in marks.lines[first:index] if line.text]
        if rule == "marks" and (is_alone or known.lacks(said)):
            marks.open(first, index)


def _is_marked(text: str) -> bool:
    return text[:1] == ">" and text[-1] != "<" and _MARKED.match(text) is not None


def _is_escaped(lines: Sequence[Line], index: int) -> bool:
    """Whether a mailbox's file put the mark before "From", where no line beside bears one."""
    near = [*lines[max(0, index - 1) : index], *lines[index + 1 : index + 2]]
    is_from = lines[index].text.startswith(">From ")
    return is_from and not any(one.text[:1] == ">" for one in near)
