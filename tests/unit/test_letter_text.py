"""Text from HTML, text for a terminal, and the guess of a language."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcounsel.letter import charsets, language, tags, text

# -- HTML ---------------------------------------------------------------------------------------


def test_layout_is_kept():
    """Lists and tables keep their lines."""
    html = "<p>Satu</p><ul><li>a</li><li>b</li></ul><table><tr><td>x</td><td>y</td></tr></table>"
    found, laid_out = text.html_to_text(html)
    assert laid_out
    assert [line.split() for line in found.split("\n") if line.strip()] == [
        ["Satu"],
        ["*", "a"],
        ["*", "b"],
        ["x", "y"],
    ]


QUOTES = [
    '<blockquote type="cite"><p>Sejak kapan?</p></blockquote>',
    '<blockquote class="gmail_quote" style="margin:0"><div>Sejak kapan?</div></blockquote>',
    '<BLOCKQUOTE style="border-left: 2px solid">Sejak kapan?<br></BLOCKQUOTE>',
]


@pytest.mark.parametrize("quote", QUOTES)
def test_what_a_program_quoted_is_marked(quote):
    """Answers below and between quotations can be told from them, as in a plain letter."""
    html = f"<p>Halo.</p>{quote}<div>Sejak Mei.</div>{quote}Tidak tahu."
    found, _ = text.html_to_text(html)
    lines = [line for line in found.split("\n") if line]
    assert lines == ["Halo.", "> Sejak kapan?", "Sejak Mei.", "> Sejak kapan?", "Tidak tahu."]


def test_nested_quotations_are_marked_as_often():
    """Also in a letter too large for layout."""
    quote = "<blockquote type=cite>a<blockquote type=cite>b</blockquote>c</blockquote>d"
    for html in (quote, f"{'<i>x</i>' * 50_000}{quote}"):
        found, _ = text.html_to_text(html)
        lines = [line for line in found.split("\n") if line]
        assert lines[-4:] == ["> a", ">> b", "> c", "d"]


def test_words_that_are_only_indented_stay_unmarked():
    """A block without a sign of quoting is how people indent what they write."""
    for block in (
        "style='margin:0 0 0 40px;border:none'",
        'class="webkit-indent-blockquote"',
        'class="wp-block-quote"',
        'style="border-left-width:0"',
        'cite=""',
    ):
        html = f"<p>Daftar:</p><blockquote {block}>takut</blockquote>"
        assert ">" not in text.html_to_text(html)[0]


@pytest.mark.parametrize(
    "html",
    [
        "<div>A<blockquote type=cite><div>Apa?</div></div><p>Sendirian.</p>",
        "<div class=x>A<div><blockquote type=cite>Apa?</div></div><div>Sendirian.</div>",
        "<div>A</div><blockquote type=cite><div>Apa?</blockquote></div></div>Sendirian.",
    ],
)
def test_a_quotation_that_is_never_closed_ends_with_the_block_around_it(html):
    """So do browsers; else all that the client wrote below would be quoted."""
    found, _ = text.html_to_text(html)
    assert [line for line in found.split("\n") if line] == ["A", "> Apa?", "Sendirian."]


BOXES = [
    '<div id="yahoo_quoted_1" class="yahoo_quoted"><div>Apa?</div></div>',
    '<div name="quote" style="border-left:2px solid"><div name="quoted-content">Apa?</div></div>',
]


@pytest.mark.parametrize("box", BOXES)
def test_a_box_without_marks_is_marked_where_words_stand_below_it(box):
    """Below its heading everything would be folded, and where it ends is seen in the HTML only."""
    found, _ = text.html_to_text(f"<div>A</div>{box}<div>Sendirian.</div>")
    assert [line for line in found.split("\n") if line] == ["A", "> Apa?", "Sendirian."]
    found, _ = text.html_to_text(f"<div>A</div>{box}<div><br></div>")
    assert [line for line in found.split("\n") if line] == ["A", "Apa?"]


def test_many_blocks_cost_no_time():
    """Neither blocks that are never closed nor ends of none."""
    before = time.process_time()
    text.html_to_text("<div><blockquote type=cite>" * 20_000 + "a" + "</div>" * 20_000)
    text.html_to_text("<blockquote>" * 20_000 + "</div>" * 20_000)
    assert time.process_time() - before < 1


def test_of_more_tags_than_any_letter_has_no_quotation_is_marked():
    """A bomb of ten megabytes of them took half a gigabyte; its words are all read."""
    quote = "<blockquote type=cite>Apa?</blockquote>"
    assert "> Apa?" in text.html_to_text(f"{quote}<p>Sendirian.</p>")[0]
    bomb = text.html_to_text(f"{quote}{'<div>' * 300_000}<p>Sendirian.</p>")[0]
    assert ("> Apa?" in bomb, "Apa?" in bomb, "Sendirian." in bomb) == (False, True, True)


@pytest.mark.parametrize("sign", ["\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"])
def test_bounds_of_quotations_cannot_be_forged(sign):
    """A letter that holds the signs for bounds itself is not marked by them."""
    assert text.html_to_text(f"<p>{sign}saya{sign} takut</p>")[0] == "saya takut"
    assert ">" not in text.html_to_text(f"<p>&#{ord(sign)};saya takut</p>")[0]


def test_a_picture_of_a_face_is_read():
    """Programs send faces as pictures; what names a real picture is not the client's word."""
    html = '<p>Sedih <img data-emoji="x" alt="😔" src="cid:1"> <img alt="logo" src="cid:2"></p>'
    assert text.html_to_text(html)[0].split() == ["Sedih", "😔"]


def test_deep_nesting_loses_no_words():
    """Where the converter with layout gives up silently, the words still come."""
    html = "<div>" * 3000 + "tolong saya" + "</div>" * 3000
    assert text.html_to_text(html)[0] == "tolong saya"


@pytest.mark.parametrize(
    "end", ["</body></html>\n", "</BODY>\n</HTML >\n", "</html>", "</body>", ""]
)
def test_words_behind_the_end_of_a_document_are_kept(end):
    """A line below </html>, where a server or a careless program puts it, is read."""
    html = f"<html><body><p>{'Terima kasih. ' * 20}</p>{end}PS: saya takut pulang.\n"
    found, laid_out = text.html_to_text(html)
    assert "saya takut pulang" in found
    assert laid_out


def test_a_few_lost_words_are_too_many(monkeypatch):
    """Where the converter drops a tenth of what can be seen, the plain words are shown."""
    html = f"<p>{'kata ' * 27}saya takut pulang</p>"
    monkeypatch.setattr(text, "_with_layout", lambda html: "kata " * 27)
    found, laid_out = text.html_to_text(html)
    assert "saya takut pulang" in found
    assert not laid_out


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("a<br>b", "a\nb"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<script>x</script>b", "ab"),
        ("a<!-- x -->b", "ab"),
        ("a<style>x", "a"),
        ("<title>t</title>a", "a"),
        ("<title>a", "a"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("&eacute;&#233;&#xe9;", "ééé"),
        ("&#99999999999999999999;", "\ufffd;"),
        ('<a title="x > y">z</a>', "z"),
        ("I <3 you", "I <3 you"),
        ("<b>a</b>b", "ab"),
        ("", ""),
    ],
)
def test_words_without_a_tree(html, words):
    """The plain extractor gives the words, whatever the tags."""
    assert tags.words(html) == words


BITS = ["<p>", "</p>", "<b", '<a t="', "</", '"', "'", ">", "<", "=", " ", "\n", "kata", "&amp;"]
BITS += ["&nbsp", "<!--", "-->", "<script>", "</script>", "<style", "<br/>", "<!x", "<i c='a'>"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(BITS), max_size=14))
def test_whether_words_are_missing_is_decided_alike(bits):
    """The quick look, which leaves out plain tags only, never sees fewer words than there are."""
    html = "".join(bits)
    for cut in range(0, len(html), 4):
        exact = 20 * len("".join(html[:cut].split())) >= 19 * len("".join(tags.words(html).split()))
        assert text._is_whole(html[:cut], html) == exact


def test_nothing_remote_is_kept():
    """Addresses of images are not text, and nothing is fetched (sockets are blocked here)."""
    found, _ = text.html_to_text('<p>a</p><img src="http://tracker.test/x.gif" alt="">')
    assert "tracker" not in found


# -- terminal -----------------------------------------------------------------------------------

DANGEROUS = [
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;title\x07",
    "\x1b[31m",
    "\x9b31m",
    "\x08\x08\x08",
    "\x00",
    "\x7f",
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    *"\u200b\u200c\u200d\u2060\ufeff\u00ad",
    "\U000e0041",
    "\ud800",
]


@pytest.mark.parametrize("dangerous", DANGEROUS)
def test_nothing_acts_on_a_terminal(dangerous):
    """No control, escape, bidi or zero-width character reaches a terminal, and words stay."""
    shown = text.terminal_safe(f"baik {dangerous} sekali\n\tya")
    assert shown.startswith("baik ")
    assert shown.endswith(" sekali\n\tya")
    allowed = {"\n", "\t"}
    assert all(one in allowed or one.isprintable() for one in shown)


def test_a_control_leaves_a_mark():
    """A dropped escape is seen to have been there."""
    assert text.terminal_safe("a\x1b[2Jb") == "a\ufffd[2Jb"


def test_every_line_end_becomes_a_newline():
    """A lone carriage return cannot write over a line."""
    assert text.terminal_safe("a\rb\r\nc\u2028d\x85e") == "a\nb\nc\nd\ne"


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [
        ("short", 10, "short"),
        ("a b\nc\t d", 10, "a b c d"),
        ("abcdefghij", 5, "abcd…"),
        ("你好你好", 5, "你好…"),
        ("\x1b[0m" * 3, 20, "\ufffd[0m\ufffd[0m\ufffd[0m"),
        ("", 5, ""),
    ],
)
def test_one_line(value, width, shown):
    """One line of a width that counts wide characters as two."""
    assert text.one_line(value, width) == shown


# -- flowed -------------------------------------------------------------------------------------


def test_flowed_keeps_quote_depth_and_signature():
    """Soft breaks join lines of one depth only, and never the signature's dashes."""
    flowed = "one \ntwo\n> q1 \n> q2\n>> deep \nback\n-- \nname"
    assert charsets.unflowed(flowed, delete_space=False) == (
        "one two\n> q1 q2\n>> deep \nback\n-- \nname"
    )
    assert charsets.unflowed("ab \ncd", delete_space=True) == "abcd"


# -- language -----------------------------------------------------------------------------------

BOTH = ("id", "en")


@pytest.mark.parametrize(
    ("words", "guessed"),
    [
        ("aku gak bisa tidur lagi kak", "id"),
        ("Selamat pagi, saya ingin bertanya.", "id"),
        ("7, dua kali jalan kaki hari ini", "id"),
        ("tolong", "id"),
        ("SETUJU", "id"),
        ("Semua terasa berat sekali akhir-akhir ini", "id"),
        ("I can't sleep and I don't know why", "en"),
        ("It was a long day.", "en"),
        ("7 - went for a walk", "en"),
        ("help", "en"),
        ("I’m fine", "en"),
        ("7", None),
        ("", None),
        ("ok", None),
        ("👍", None),
        ("Ich kann seit Wochen kaum noch schlafen und esse wenig", None),
    ],
)
def test_language_guess(words, guessed):
    """The commonest words decide between the languages asked for, or nobody does."""
    assert language.guess(words, BOTH) == guessed


@pytest.mark.parametrize(
    "words",
    [
        "Ich bin so müde am Abend.",
        "No me siento bien hoy.",
        "Obrigada. Hoje foi um dia difícil.",
        "Je me sens mal, on me laisse.",
        "Ik was zo moe, dank je.",
        "Nie mam do kogo pisać.",
    ],
)
def test_another_language_is_none_of_ours(words):
    """A short word that two languages share makes no letter English or Indonesian."""
    assert language.guess(words, BOTH) is None


def test_language_hint_decides_only_the_undecided():
    """A header's language counts where the words say nothing."""
    assert language.guess("7", BOTH, "en-GB, id;q=0.5") == "en"
    assert language.guess("7", BOTH, "in") == "id"
    assert language.guess("saya sedih sekali", BOTH, "en") == "id"
    assert language.guess("7", BOTH, "de") is None
    assert language.guess("saya", ()) is None
