"""Folding: what is quoted or added is found, and a client's words are never among it."""

from __future__ import annotations

import pytest

from mailcounsel.letter import fold

OURS = """Halo Melati,

terima kasih sudah menulis. Saya membaca surat Anda pelan-pelan dan ingin bertanya satu hal.
Kapan terakhir kali Anda merasa agak lega?
Tidak perlu dijawab panjang.

Salam,
Sari
"""
QUOTED = "".join(f"> {line}\n" for line in OURS.splitlines())


def words(text, earlier=()):
    return fold.new_words(text, fold.fold(text, earlier))


def rules(text, earlier=()):
    return [span.rule for span in fold.fold(text, earlier)]


# -- quotations are found -----------------------------------------------------------------------

ATTRIBUTIONS = [
    ("id", "Pada Sen, 2 Nov 2026 pukul 09.12 Rumah Surat <surat@example.org> menulis:"),
    ("id", "Pada Sen, 2 Nov 2026 pukul 09.12 Rumah Surat\n<surat@example.org> menulis:"),
    ("id", "Pada tanggal 2 Nov 2026 09:12, Rumah Surat menulis:"),
    ("id", "Pada 2 Nov 2026, pada 09.12, Rumah Surat <surat@example.org> menulis:"),
    ("ms", "Pada 2 Nov 2026, jam 09:12, Rumah Surat menulis berikut:"),
    ("en", "On Mon, 2 Nov 2026 at 09:12, Letters <letters@example.org> wrote:"),
    ("en", "On 2 Nov 2026, at 09:12, Letters\n<letters@example.org>\nwrote:"),
    ("en", "On Monday, November 2, 2026 at 09:12:00 AM GMT+7, Letters wrote:"),
    ("de", "Am Mo., 2. Nov. 2026 um 09:12 Uhr schrieb Briefe <briefe@example.org>:"),
    ("de", "Am 02.11.26 um 09:12 schrieb Briefe:"),
    ("fr", "Le lun. 2 nov. 2026 à 09:12, Lettres <lettres@example.org> a écrit :"),
    ("es", "El lun, 2 nov 2026 a las 9:12, Cartas (<cartas@example.org>) escribió:"),
    ("nl", "Op ma 2 nov 2026 om 09:12 schreef Brieven <brieven@example.org>:"),
    ("pt", "Em seg., 2 de nov. de 2026 às 09:12, Cartas <cartas@example.org> escreveu:"),
]


@pytest.mark.parametrize(("language", "line"), ATTRIBUTIONS)
@pytest.mark.parametrize("quotation", [QUOTED, OURS], ids=["marked", "bare"])
def test_attributions(language, line, quotation):
    """The sentence a mail program puts before a quotation is folded with it, by language."""
    text = f"Kemarin.\n\n{line}\n\n{quotation}"
    assert words(text) == "Kemarin."
    assert rules(text)[0] == f"wrote, {language}"


HEADINGS = [
    (
        "header, en",
        (
            "From: Letters <l@example.org>\nSent: 02 November 2026 09:12\n"
            "To: melati@klien.test\nSubject: A letter for you\n"
        ),
    ),
    (
        "header, en",
        (
            "________________________________\n*From:* Letters\n*Date:* 2 Nov 2026\n"
            "*To:* m@klien.test\n*Subject:* x\n"
        ),
    ),
    (
        "header, id",
        (
            "Dari: Rumah Surat <s@example.org>\nDikirim: Senin, 2 November 2026 09.12\n"
            "Kepada: melati@klien.test\nSubjek: Surat untuk Anda\n"
        ),
    ),
    (
        "header, ms",
        "Daripada: Surat <s@example.org>\nDihantar: 2 November 2026\nKepada: m@k.test\nSubjek: x\n",
    ),
    (
        "header, de",
        (
            "Von: Briefe <b@example.org>\nGesendet: Montag, 2. November 2026 09:12\n"
            "An: m@k.test\nBetreff: x\n"
        ),
    ),
    (
        "header, fr",
        (
            "De : Lettres <l@example.org>\nEnvoyé : lundi 2 novembre 2026 09:12\n"
            "À : m@k.test\nObjet : x\n"
        ),
    ),
    (
        "header, es",
        "De: Cartas\nEnviado: lunes, 2 de noviembre de 2026\nPara: m@k.test\nAsunto: x\n",
    ),
    (
        "header, nl",
        "Van: Brieven\nVerzonden: maandag 2 november 2026\nAan: m@k.test\nOnderwerp: x\n",
    ),
    ("header, pt", "De: Cartas\nEnviada em: 2 de novembro de 2026\nPara: m@k.test\nAssunto: x\n"),
    ("divider, en", "-----Original Message-----\n"),
    ("divider, id", "----- Pesan Asli -----\n"),
    ("divider, de", "-----Ursprüngliche Nachricht-----\n"),
    ("divider, pt", "-------- Mensagem original --------\n"),
]


@pytest.mark.parametrize(("rule", "heading"), HEADINGS)
def test_headings_of_programs_that_do_not_mark(rule, heading):
    """Outlook's copied header and dividers fold what follows, to the end."""
    text = f"Kemarin.\n\n{heading}\n{OURS}"
    assert words(text) in {"Kemarin.", "Kemarin.\n\n________________________________"}
    assert rule in rules(text)


def test_answers_between_marked_lines():
    """Marked lines fold, answers between and below them stay."""
    text = "> satu\n> dua\nya\n\n> tiga\n\ntidak\n"
    assert words(text) == "ya\n\ntidak"
    assert set(rules(text)) == {"marks"}


def test_known_lines_are_quotes_in_any_language():
    """Lines of a letter of the case are a quotation, also rewrapped and without any heading."""
    rewrapped = OURS.replace(" dan ingin", "\ndan ingin")
    assert words(f"Lega? Waktu di pantai.\n\n{rewrapped}", [OURS]) == "Lega? Waktu di pantai."
    assert "known text" in rules(f"Ya.\n\n{rewrapped}", [OURS])


def test_text_below_an_unmarked_quotation():
    """Where the quoted letter is known, what stands below it stays open."""
    text = f"-----Original Message-----\n{OURS}\nSaya menulis di bawah.\n"
    assert words(text, [OURS]) == "Saya menulis di bawah."


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Dikirim dari iPhone saya", "device, id"),
        ("Sent from my iPhone", "device, en"),
        ("Sent from Yahoo Mail on Android", "device, en"),
        ("Get Outlook for Android", "device, en"),
        ("Dapatkan Outlook untuk Android", "device, id"),
        ("Von meinem iPhone gesendet", "device, de"),
    ],
)
def test_device_lines(line, rule):
    """What a phone puts below is a signature."""
    assert rules(f"ya\n\n{line}\n") == [rule]


def test_signature():
    """A signature below its dashes is folded."""
    text = "ya\n-- \nRita Contoh\nrita@klien.test\n"
    assert words(text) == "ya"
    assert rules(text) == ["dashes"]


# -- a client's words are never folded ----------------------------------------------------------

OPEN = [
    "Best regards,\nRita\n\nPS: I lied before. I want to die.\n",
    "-- \nRita\nPS: I lied before. I want to die.\n",
    "-- \nRita\n\nPS: saya bohong. Saya tidak kuat.\n",
    "--\nSaya ingin mati\n",
    "-- \nI have not told you everything about what happened.\n",
    "Warning: this is hard to write in an e-mail. I hurt myself again.\n",
    "My worries:\n- the rent\n- my mother\n- that I will not wake up\n- 2 exams\n",
    "From: the moment I wake up I feel dread\nTo: the moment I sleep\nSubject: everything\n",
    "Dari: pagi saya sudah takut\nKepada: siapa saya harus cerita\n",
    "On Monday my mother wrote: you are nothing.\nI believe her.\n",
    "Pada hari Senin ibu menulis: kamu tidak berguna.\nSaya percaya.\n",
    "On 3 May my sister wrote:\nYou ruined everything\nand I agree with her\n",
    "Am I allowed to say this:\nI am afraid of him\n",
    "Le monde est noir :\nje ne dors plus\n",
    ">:( saya marah sekali\n>_< malu\n",
    "Saya ingin mati\nSaya ingin mati\n",
    "--------\nsatu\n--------\n",
    "Sent from my heart, I mean every word of this, please answer me soon\n",
    "1. tidur\n2. makan\n3. mati\n",
    "Re: hidup saya\nDate: tidak ada\n",
    "Confidential: nobody knows that he hits me.\n",
    "Original message\n",
    (
        "Dia menulis ini:\n\n---------- Pesan terusan ---------\nDari: X <x@y.test>\nTanggal: 2\n"
        "Kepada: z@y.test\n\nKamu akan menyesal.\n"
    ),
    "Begin forwarded message:\n\nFrom: X <x@y.test>\nDate: 2 November 2026\nTo: z@y.test\n\nbye\n",
    "Dari kecil saya dipukul: setiap hari, sampai jam 10:30 malam.\n",
]


@pytest.mark.parametrize("text", OPEN)
def test_a_clients_words_stay_open(text):
    """No line of these letters is folded, but for the bare dashes and a name below them."""
    folded = "".join(text[span.start : span.end] for span in fold.fold(text, [OURS]))
    assert folded in {"", "-- \nRita\n"}


def test_repeating_oneself_is_no_quotation():
    """A sentence said in an earlier letter and said again stays open."""
    earlier = "Saya lelah sekali.\nSaya ingin mati saja.\nTidak ada yang tahu.\n"
    again = "Hari ini sama.\nSaya ingin mati saja.\nBesok mungkin lain.\n"
    assert fold.fold(again, [earlier]) == ()


def test_a_letter_sent_again_stays_open():
    """A letter equal to an earlier one is shown, not folded whole."""
    assert fold.fold(OURS, [OURS]) == ()


# -- spans, and how they are shown --------------------------------------------------------------


def test_spans_cover_whole_lines_in_order():
    """Spans are whole lines, in order, and with the rest they are the full text."""
    text = f"a\n\n{ATTRIBUTIONS[0][1]}\n\n{QUOTED}\nb\nSent from my iPhone"
    spans = fold.fold(text)
    position, rebuilt = 0, ""
    for span in spans:
        assert position <= span.start < span.end <= len(text)
        assert span.start == 0 or text[span.start - 1] == "\n"
        rebuilt += text[position : span.end]
        position = span.end
    assert rebuilt + text[position:] == text


def test_shown_folded():
    """Each fold is one line that says how many lines, and why."""
    text = f"Kemarin.\n\n{ATTRIBUTIONS[0][1]}\n{QUOTED}\nSent from my iPhone\n"
    assert fold.render(text, fold.fold(text)) == (
        "Kemarin.\n\n▸ 9 quoted lines (wrote, id)\n\n▸ 1 signature line (device, en)\n"
    )


def test_no_lines_no_spans():
    """Empty text and text without any quotation give no spans."""
    assert fold.fold("") == fold.fold("\n\n") == fold.fold("halo") == ()
    assert fold.render("halo", ()) == fold.new_words("halo", ()) == "halo"
