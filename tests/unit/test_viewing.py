"""How a case looks on a terminal, and that nothing in it can act upon one."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcounsel.cli import output, unlock, viewing
from mailcounsel.crypto import sealing
from mailcounsel.crypto.sealing import ReaderKey

NOW = "2026-11-22T10:00:00+00:00"
HOSTILE = (
    "\x1b]52;c;aGk=\x07",  # writes the clipboard
    "\x1b[2J\x1b[1;1H",  # clears the screen
    "\x9b31m",  # a C1 introducer
    "safe\rover",
    "\u202egnp.exe",  # turns the direction round
    "\u2066hidden\u2069",
    "a\x00b\x08c\x7f",
    "\ue000\U000e0041",
)

hostile_text = st.text() | st.sampled_from(HOSTILE) | st.text(alphabet="\x1b[]m;0\r\u202e\x9b ab\n")


def is_harmless(text: str, *, newline: bool = True) -> bool:
    """Whether nothing in a text can move a cursor, colour, hide or turn anything round."""
    allowed = {"\n", "\t"} if newline else set()
    allowed |= set(
        "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    )  # seen
    return not any(
        one not in allowed and (unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp", "Cs"})
        for one in text
    )


def case_of(**more):
    plain: dict[str, Any] = {
        "case": "C-0042", "queue": "letters", "language": "en", "state": "open", "assignee": None,
        "tags": [], "waiting_since": None, "promised_at": None, "now": NOW, "risk": False,
        "risks": [], "flags": [], "maybe_from": None, "goals": [], "checkins": [],
    }  # fmt: skip
    return plain | more


def entry_of(text="", number=1, **more):
    plain = {
        "id": f"id{number}", "number": number, "epoch": 1, "case": "c", "direction": "in",
        "kind": "letter", "vouching": "nothing", "suspect": False, "author": None, "at": NOW,
        "subject": "", "text": text, "signs": [], "attachments": [], "problems": [],
    }  # fmt: skip
    return plain | more


SHUT = "You have no key to these letters."


def test_what_does_not_open_for_one_reason_says_it_once():
    """The sentence stands at the head, and each letter and goal points to it."""
    entries = [entry_of(number=number, unreadable=SHUT) for number in (1, 2)]
    shown = viewing.case_text(case_of(), entries, [goal_of(unreadable=SHUT)])
    assert shown.count(SHUT) == 1
    assert f"\n!  {SHUT}\n" in shown
    assert shown.count(f"({viewing.SEE_ABOVE})") == 3
    alone = viewing.case_text(case_of(), entries[:1], [])
    assert f"   ({SHUT})" in alone


def test_a_contract_is_shown_in_words():
    """What was agreed is no empty note."""
    note = {"direction": "note", "kind": "contract", "author": "wulan"}
    entry = entry_of("Not at weekends.", **note, rhythm="every week", exchanges=6)
    assert viewing.body(entry, (), full=False) == (
        "Agreed: every week; you look back together after 6 letters.\n\nNot at weekends."
    )


def test_what_our_letters_share_is_not_called_a_quotation():
    """The greeting of a template stands in each of them."""
    greeting = (
        "Hello,\n\nhere is a letter for you, written by the person you write with here. "
        "Please read it in a quiet place that suits you."
    )
    ours = {"direction": "out", "kind": "reply", "author": "wulan"}
    shown = viewing.body(entry_of(f"{greeting}\n\nToday: rain.", **ours), (greeting,), full=False)
    assert shown == "▸ 3 lines as in earlier letters\n\nToday: rain."


def goal_of(**more):
    plain = {
        "id": "g", "number": 1, "text": "walk", "target": "", "every": "week", "at": "Mon 09:00",
        "state": "active", "checkins": [], "asks": "goal",
    }  # fmt: skip
    return plain | more


@given(hostile_text, hostile_text, hostile_text, hostile_text, st.booleans())
def test_nothing_shown_can_act_upon_a_terminal(subject, text, name, tag, full):
    """Whatever a client writes in whatever place, the page shown holds no control character."""
    file = {"name": name, "type": name, "size": 1}
    entry = entry_of(text, subject=subject, attachments=[file])
    levels = {str(level): text for level in range(-2, 3)}
    goal = goal_of(text=text, target=name, scale={"levels": levels, "weight": 1})
    rating = entry_of(text, 3, direction="note", kind="measure", goal="g", level=1)
    form = goal_of(text=text, asks="measure", id="m")
    page = viewing.case_text(
        case_of(tags=[tag]), [entry, entry_of(text, 2), rating], [goal, form], full=full, width=40
    )
    assert is_harmless(page)


@given(
    st.recursive(hostile_text, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_json_carries_no_raw_control_character_and_loses_none(value):
    """What --json prints is safe on a terminal, and reads back as exactly what was meant."""
    line = output.as_line({"value": value})
    assert is_harmless(line, newline=False)
    assert json.loads(line) == {"value": value}


def test_json_leaves_letters_readable():
    """Letters of other scripts are printed as themselves."""
    assert output.as_line({"a": "ibu – Ünïcode 気持ち 🙂"}) == '{"a": "ibu – Ünïcode 気持ち 🙂"}'


@given(st.lists(st.tuples(hostile_text, hostile_text), max_size=4))
def test_a_table_holds_one_harmless_line_a_row(rows):
    """No cell of a table can break out of its line."""
    printed = output.table(rows, ("ONE", "TWO"))
    assert is_harmless(printed)
    assert len(printed.split("\n")) == len(rows) + 1


QUOTED = (
    "Thank you, that helped.\n\nOn Mon, 2 Nov 2026 at 10:00, House wrote:\n> one\n> two\n> three\n"
)


def test_quotes_are_folded_with_their_reason():
    """A quotation becomes one line that says how much it hides and why."""
    shown = viewing.body(entry_of(QUOTED), [], full=False)
    assert "▸ 4 quoted lines (wrote, en)" in shown
    assert "> two" not in shown


def test_full_folds_nothing():
    """With --full every line is there."""
    assert "> two" in viewing.body(entry_of(QUOTED), [], full=True)


def test_danger_is_never_folded():
    """A quotation that holds a sign of danger stays open, wherever in it the sign stands."""
    subject = "Re: a letter"
    start = len(subject) + 2 + QUOTED.index("two")
    entry = entry_of(QUOTED, subject=subject, signs=[["suicide", start, start + 3]])
    shown = viewing.body(entry, [], full=False)
    assert "> two" in shown
    assert "signs of danger: suicide" in "\n".join(viewing.entry_lines(entry, [], full=False))


LETTER_BELOW = "Yes.\n\nOn Mon, 2 Nov 2026 at 10:00, House wrote:\n> call if you think of dying\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LETTER_BELOW, "suicide (only in what is quoted)"),
        (LETTER_BELOW.replace("Yes.", "Yes, dying."), "suicide"),
        ("I think of dying.", "suicide"),
    ],
)
def test_danger_that_stands_in_a_quotation_alone_says_so(text, said):
    """A mark that a letter of ours made is told from one for the client's own words."""
    subject = "Re: a letter"
    start = len(subject) + 2
    places = [start + found.start() for found in re.finditer("dying", text)]
    signs = [["suicide", place, place + 5] for place in places]
    entry = entry_of(text, subject=subject, signs=signs)
    lines = list(viewing.entry_lines(entry, ["I think of dying."], full=True))
    assert f"   !! signs of danger: {said}" in lines
    of_subject = entry_of(text, subject="dying...", signs=[["suicide", 0, 5]])
    assert "   !! signs of danger: suicide" in list(viewing.entry_lines(of_subject, [], full=True))


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "by 03 Dec 03:00 UTC (03 Dec 10:00 Asia/Jakarta)"),
        ("Asia/Bangkok", "by 03 Dec 10:00"),
    ],
)
def test_a_promise_names_the_zone_where_it_is_not_the_centres(zone, said, monkeypatch):
    """Clients are told a day at the centre; a terminal elsewhere says whose clock it goes by."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    moment = "2026-12-03T03:00:00+00:00"
    case = case_of(waiting_since=NOW, promised_at=moment, centre_zone="Asia/Jakarta")
    line = next(line for line in viewing.head(case) if "promised" in line)
    monkeypatch.undo()
    time.tzset()
    assert line.endswith(said)


def risk_of(cause="words", letter="id1", read_by=None):
    return {"id": "r", "letter": letter, "cause": cause, "read_by": read_by, "opened_at": NOW}


@pytest.mark.parametrize(("cause", "said"), viewing.CAUSES.items())
def test_the_cause_of_danger_is_said(cause, said):
    """Danger that stands in no word of a letter is named in the head and at its entry."""
    case = case_of(risk=True, risks=[risk_of(cause, read_by="wulan")])
    (entry,) = viewing.marked(case, [entry_of("1 2 1 0 1 1 0 0 1")], [], {})
    page = viewing.case_text(case, [entry], [])
    assert f"!! SIGNS OF DANGER ({said}; read by wulan)." in page
    assert f"   !! signs of danger: {said}\n" in page


def test_danger_in_words_stands_where_the_words_are():
    """The head names words only where something else raised the case as well."""
    case = case_of(risk=True, risks=[risk_of(), risk_of("silence", "id2")])
    assert f"({viewing.WORDS}; {viewing.CAUSES['silence']}; NOT READ YET)" in viewing.head(case)[-1]
    alone = viewing.head(case_of(risk=True, risks=[risk_of()]))
    assert "SIGNS OF DANGER (NOT READ YET)" in alone[-1]


def test_a_rest_of_checkins_says_why_and_until_when():
    """What the client sent is said always, any other reason where something is asked at all."""
    for goals in ([], [{"state": "active"}]):
        paused = "\n".join(viewing.head(case_of(checkins_rest="paused", goals=goals)))
        assert "check-ins rest: the client sent PAUSE; they go on when" in paused
    risky = case_of(checkins_rest="risk", goals=[{"state": "active"}])
    assert 'after: mailcounsel risk close C-0042 "why"' in "\n".join(viewing.head(risky))
    assert viewing.resting(case_of(checkins_rest="risk")) == []
    assert viewing.resting(case_of(checkins_rest=None, goals=[{"state": "active"}])) == []


def test_a_postscript_is_kept():
    """What stands below the signature under "PS" is the client's, and is shown."""
    text = "Good night.\n\n-- \nAni Contoh\n0812 3456 7890\n\nPS I did not sleep at all.\n"
    shown = viewing.body(entry_of(text), [], full=False)
    assert "PS I did not sleep at all." in shown


def test_an_earlier_letter_is_folded_in_any_language():
    """Lines that equal an earlier letter of the case are a quotation without any mark."""
    earlier = "Kulit manggis kini ada ekstraknya.\nBesok saya akan datang lagi ke pasar.\n"
    text = f"Ya, benar sekali.\n\n{earlier}Sampai jumpa nanti malam di rumah saya.\n"
    shown = viewing.body(
        entry_of(text), [earlier + "Sampai jumpa nanti malam di rumah saya.\n"], full=False
    )
    assert "known text" in shown
    assert "Ya, benar sekali." in shown


def test_the_centres_own_letters_take_one_line():
    """An acknowledgement does not push the client's words off the screen; --full shows it."""
    sent = entry_of("Hello,\n\nthank you.\n", direction="out", kind="acknowledgement")
    assert viewing.body(sent, [], full=False) == "▸ 3 lines (written by the centre itself)"
    assert "thank you." in viewing.body(sent, [], full=True)


def test_a_colleagues_reply_is_shown():
    """What a person wrote is never folded away as the centre's own."""
    sent = entry_of("Dear Ani, rest well.", direction="out", kind="reply", author="wulan")
    assert "rest well" in viewing.body(sent, [], full=False)


@pytest.mark.parametrize(
    ("ratings", "line"), [([0, 5, 10], "▁▄█"), ([], ""), ([-3, 99], "▁█"), ([7], "▅")]
)
def test_ratings_are_drawn_as_bars(ratings, line):
    """A rating from 0 to 10 is one bar; nothing outside breaks the line."""
    assert viewing.sparkline(ratings) == line


def test_an_unsure_answer_is_named():
    """An answer without a clear number is said to be there, and is not drawn."""
    checkins = [{"state": "answered", "rating": 4}, {"state": "unsure"}]
    shown = "\n".join(viewing.goal_lines([goal_of(checkins=checkins)]))
    assert "1 answer without a clear number" in shown
    assert "▃  4" in shown


def test_a_long_subject_is_cut_and_a_wide_one_counts_double():
    """One line stays one line, also where a letter takes two columns."""
    for subject in ("x" * 5000, "気" * 5000, "line\nbreak\r\n" * 30):
        (line,) = [
            one for one in viewing.entry_lines(entry_of(subject=subject), [], full=False)
            if "subject:" in one
        ]  # fmt: skip
        cells = sum(2 if unicodedata.east_asian_width(one) == "W" else 1 for one in line)
        assert cells <= viewing.WIDTH + len("   subject: ")
        assert "\n" not in line


def test_long_lines_are_broken_between_words():
    """A paragraph on one line is readable on 40 columns, an address in it stays whole."""
    link = "https://example.org/" + "x" * 60
    shown = viewing.wrapped(f"> {'word ' * 30}{link}\nshort", 40)
    lines = shown.split("\n")
    assert f"> {link}" in lines
    assert all(len(line) <= 40 for line in lines if link not in line)
    assert all(line.startswith(">") for line in lines[:-1])


def test_every_flag_says_what_to_do(monkeypatch):
    """A flag on a case is shown as a sentence with the case's own name in it."""
    flags = list(viewing.FLAGS)
    lines = viewing.head(case_of(flags=flags, maybe_from="C-0007", merge_into="C-0005"))
    assert "!  may be from C-0007; if sure: mailcounsel case merge C-0042 C-0007" in lines
    assert len(lines) == 1 + len(flags)
    assert [line for line in lines[1:] if "mailcounsel " not in line or "{" in line] == []


def test_a_proposed_merge_names_the_case_only_to_whoever_may_open_it():
    """With its number there is something to type; without, it is said who decides."""
    (_, named) = viewing.head(case_of(flags=["link-proposed"], merge_into="C-0005"))
    assert named.endswith("mailcounsel case merge C-0042 C-0005")
    (_, hidden) = viewing.head(case_of(flags=["link-proposed"], merge_into=None))
    assert "a case you cannot open" in hidden


# -- what does not open -------------------------------------------------------------------------


class Sealed:
    """A case with one entry and one goal, sealed as the service seals them."""

    def __init__(self) -> None:
        self.pair = sealing.new_pair()
        self.key = ReaderKey.new()

    def open_case(self, *, sealed_for="letter/id1/content", epoch=1):
        content = json.dumps({"text": "words", "subject": ""}).encode()
        entry = entry_of() | {
            "content": b64encode(sealing.seal_to(self.pair.public, content, sealed_for)).decode(),
            "epoch": epoch,
        }
        del entry["text"], entry["subject"]
        detail = json.dumps({"text": "walk", "target": ""}).encode()
        sealed = sealing.seal_to(self.pair.public, detail, "goal/g/detail")
        goal = {
            **{name: value for name, value in goal_of().items() if name not in {"text", "target"}},
            "case": "c", "epoch": epoch,
            "detail": b64encode(sealed).decode(),
        }  # fmt: skip
        shown = case_of(id="c", epoch=1, entries=[entry], goals=[goal])
        return unlock.OpenCase(shown, self.key, {("c", 1, "content"): self.pair.private})


def test_an_entry_opens():
    """An entry in its own place opens."""
    (entry,) = viewing.opened_entries(None, Sealed().open_case())  # type: ignore[arg-type]
    assert entry["text"] == "words"
    assert "content" not in entry


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"sealed_for": "letter/other/content"}, "does not open"), ({"epoch": 2}, "You have no key")],
)
def test_an_entry_that_does_not_open_says_so_in_its_place(wrong, said):
    """A moved or foreign entry never hides the others, and is never shown as empty."""
    case = Sealed().open_case(**wrong)
    (entry,) = viewing.opened_entries(None, case)  # type: ignore[arg-type]
    assert said in entry["unreadable"]
    page = viewing.case_text(case.shown, [entry], [])
    assert said in page


def test_a_goal_that_does_not_open_says_so_in_its_place():
    """A goal sealed to keys the reader lacks does not keep the case from being shown."""
    goals = viewing.opened_goals(Sealed().open_case(epoch=2))
    assert "You have no key" in "\n".join(viewing.goal_lines(goals))


def test_check_ins_that_rest_all_the_same_are_not_said_to_go_on():
    """A case is open again, or its danger closed: a client who sent STOP is asked nothing."""
    asked = case_of(checkins_rest=None, goals=[{"state": "active"}])
    assert viewing.going_on(asked) == "its check-ins go on"
    assert viewing.going_on(case_of(checkins_rest=None)) == "no check-ins are agreed in it"
    said = viewing.going_on(case_of(checkins_rest="stopped"))
    assert said.startswith("its check-ins rest: the client sent STOP")


def test_the_editor_shows_the_newest_entries_and_where_the_rest_is():
    """Below a reply stand the newest entries only, with a line that names the others."""
    entries = [entry_of(f"letter number {n}", n) for n in range(1, 10)]
    page = viewing.case_text(case_of(), entries, [], newest=2)
    assert "letter number 9" in page
    assert "letter number 7" not in page
    assert "(7 earlier entries: mailcounsel show C-0042)" in page
