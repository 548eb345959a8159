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
    ("id", "--- Pada Sen, 2/11/26, Rumah Surat <surat@example.org> menulis:"),
    ("id", "Pada Senin, 2 November 2026 09.12.22 WIB, Rumah Surat <surat@example.org> menulis:"),
    ("id", "Pada Isn, 2 Nov 2026 pada 9:12 PG Rumah Surat <surat@example.org> menulis:"),
    ("id", "---- Pada 2 Nov 2026 pukul 09.12 Rumah Surat menulis ----"),
    ("en", "On 2 Nov 2026, at 09:12, Letters <letters@example.org> sent:"),
    ("nl", "Op 2-nov.-2026, om 09:12 heeft Brieven het volgende geschreven:"),
    ("da", "Den 2. november 2026 09:12:18, Breve (breve@example.org) skrev:"),
    ("no", "På 2 november 2026 på 09:12:18, Brev (brev@example.org) skrev:"),
    ("pl", "W dniu 2 listopada 2026 09:12 użytkownik Listy <listy@example.org>\nnapisał:"),
    ("it", "Il giorno lun 2 nov 2026 alle 09:12 Lettere <lettere@example.org> ha scritto:"),
    ("vi", "Vào 09:12 2 tháng 11, 2026, Thư <thu@example.org> đã viết:"),
    ("pt", "Em seg., 2 de nov. de 2026 às 09:12, Cartas <cartas@example.org> escreveu:"),
]


@pytest.mark.parametrize(("language", "line"), ATTRIBUTIONS)
@pytest.mark.parametrize("quotation", [QUOTED, OURS], ids=["marked", "bare"])
def test_attributions(language, line, quotation):
    """The sentence a mail program puts before a quotation is folded with it, by language."""
    text = f"Kemarin.\n\n{line}\n\n{quotation}"
    assert words(text) == "Kemarin."
    assert rules(text)[0] == f"wrote, {language}"


DATED = [
    "2026-11-02 9:12 GMT+07:00 Rumah Surat <surat@example.org>:",
    "2026-11-02 09.12 GMT+07:00 Rumah Surat <\nsurat@example.org>:",
    '02.11.2026 09:12 пользователь "Rumah" <\nsurat@example.org> написал:',
]


@pytest.mark.parametrize("line", DATED)
@pytest.mark.parametrize("quotation", [QUOTED, OURS], ids=["marked", "bare"])
def test_a_date_and_an_address_before_a_quotation(line, quotation):
    """Gmail in some languages writes no verb: the date, the clock time and the address tell."""
    text = f"Kemarin.\n\n{line}\n\n{quotation}"
    assert words(text) == "Kemarin."
    assert rules(text)[0] == "date and address"


def test_a_date_without_a_time_needs_marks():
    """The old form without a colon folds what bears marks, and nothing else."""
    line = "2026/11/2 Rumah Surat <surat@example.org>"
    assert words(f"Kemarin.\n\n{line}\n\n{QUOTED}") == "Kemarin."
    assert rules(f"Kemarin.\n\n{line}\n\n{OURS}") == []


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


def test_answers_below_marked_lines_with_a_head():
    """Below a divider and a copied header the marked lines fold, and what stands below does not."""
    head = "From: Letters <l@example.org>\nSent: 2 November 2026\nTo: m@k.test\nSubject: x\n"
    text = f"-----Original Message-----\n{head}\n> How are you?\n\nNothing helps.\n"
    assert words(text) == "Nothing helps."


FOREIGN = [
    "вт, 3 нояб. 2026 г. в 08:01, Surat <surat@example.org>:",
    "2026年11月3日(火) 8:01 Surat <surat@example.org>:",
    "Surat <surat@example.org> 于2026年11月3日周二 08:01写道：",
    "Noong Mar, Nob 3, 2026 nang 8:01 AM, sinulat ni Surat\n<surat@example.org> ang:",
    "Zitat von Surat <surat@example.org>:",
    "Surat <surat@example.org> writes:",
]


@pytest.mark.parametrize("line", FOREIGN)
def test_a_line_with_an_address_before_marked_lines(line):
    """In any language; the line above it stays the client's, however short."""
    assert words(f"Musik.\n{line}\n{QUOTED}") == "Musik."
    assert fold.fold(f"Musik.\n{line}\n\n{OURS}") == ()


def test_a_clients_sentence_before_marked_lines_stays_open():
    """What they say of what they paste is theirs; the pasted lines fold."""
    told = "Saya hampir lompat jam 22.30 malam itu karena andi@y.test mengirim ini:"
    assert words(f"Kak.\n{told}\n> kita putus\n") == f"Kak.\n{told}"
    told = "Pada malam 3 November saya berdiri di jembatan, lalu dia menulis:"
    assert words(f"{told}\n> kita putus\n") == told


def test_a_quotation_that_begins_in_the_line_of_its_heading():
    """Yahoo's program for phones leaves three blanks where others leave a line."""
    line = "On Tue, 3 Nov 2026 at 8:01, Surat<surat@example.org> wrote:   Dear Rina,"
    assert words(f"Thank you.\n\n  {line}\n\nWhat helps?\n") == "Thank you."


@pytest.mark.parametrize(
    "head",
    [
        "Gesendet: 3. November 2026\nVon: S <s@example.org>\nAn: a@k.test\nBetreff: x\n",
        "-----Original-Nachricht-----\nBetreff: x\nDatum: 2026-11-03\nVon: S <s@example.org>\n",
        "Von: S <s@example.org>\nAn: a@k.test\nKopie:\nDatum: 03.11.2026 08:01\nBetreff: x\n",
        "---- On Tue, 03 Nov 2026 08:01:12 +0530 S <s@example.org> wrote ---\n",
        "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\n",
        "发件人: S <s@example.org>\n发送时间: 2026年11月3日\n收件人: a@k.test\n主题: x\n",
        "От: S <s@example.org>\nОтправлено: 3 ноября 2026 г.\nКому: a@k.test\nТема: x\n",
    ],
)
def test_heads_of_more_programs(head):
    """GMX puts the date first, Notes leaves a field empty, Zoho draws a long line."""
    assert words(f"Ya.\n\n{head}\nWas hilft?\n") == "Ya."


@pytest.mark.parametrize(
    "line",
    [
        "Sent from AOL on Android",
        "Sent with Proton Mail secure email.",
        "Sent from my Android device with K-9 Mail. Please excuse my brevity.",
        "Gesendet mit der GMX iPhone App",
        "Envoyé à partir de Outlook pour Android",
        "Inviato da iPhone",
        "Отправлено с iPhone",
        "iPhoneから送信",
        "发自我的 iPhone",
        "Galaxy cihazımdan gönderildi",
        "Wysłane z iPhone'a",
    ],
)
def test_device_lines_of_more_languages(line):
    """They hold the name of a device or a program; dashes above them go with them."""
    assert words(f"Ya.\n\n-- \n{line}\n") == "Ya."


def test_the_armour_of_a_signed_text():
    """What OpenPGP puts around words is folded, and the words are not."""
    text = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSaya takut.\n"
        "-----BEGIN PGP SIGNATURE-----\n\niHUEARYIAB0=\n=kHJh\n-----END PGP SIGNATURE-----\n"
    )
    assert words(text) == "Saya takut."


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


MORE_DEVICES = [
    "Powered by Telkomsel BlackBerry®",
    "Sent from my BlackBerry® smartphone from Telkomsel",
    "Sent from my BlackBerry® smartphone from Sinyal Bagus XL, Nyambung Teruuusss...!",
    "Sent with Aqua Mail for Android",
    "Sent with Tuta; enjoy secure & ad-free emails:",
    "Dikirim dengan Delta Chat: https://delta.chat",
    "Dikirim dari Outlook untuk iOS",
    "Dikirim dari Mail untuk Windows",
    "Dikirim dari ponsel Xiaomi saya",
    "Dikirim dari smartphone Samsung Galaxy saya.",
    "Dikirim dari Yahoo Mail di Android",
    "Dikirim dengan Proton Mail seluler",
    "Dapatkan Outlook untuk Android",
    "Dihantar daripada iPhone saya",
    "Dihantar dari Yahoo Mail untuk iPhone",
]


@pytest.mark.parametrize("line", MORE_DEVICES)
def test_device_lines_in_indonesian_and_malay(line):
    """What phones and their programs add in the languages of the centre's clients."""
    assert words(f"Saya takut.\n\n{line}\n") == "Saya takut."


def test_signature():
    """A signature below its dashes is folded."""
    text = "ya\n-- \nRita Contoh\nrita@klien.test\n"
    assert words(text) == "ya"
    assert rules(text) == ["dashes"]


@pytest.mark.parametrize(
    "below",
    [
        "Nomor ibu: 081234567890, dia tidak tahu",
        "Ini nomor saya yang baru 081234567890",
        "He posted my photos: https://photos.test/rina",
        "Look what he posted\nhttps://photos.test/rina\nI am so ashamed",
        "Ancaman dari budi@klien.test setiap malam",
    ],
)
def test_words_about_an_address_below_dashes_stay_open(below):
    """An address or a number makes a signature only below a name, or alone."""
    assert fold.fold(f"ya\n-- \n{below}\n", (), US) == ()


@pytest.mark.parametrize(
    "below",
    [
        "Rita Contoh\nhttp://www.klien.test/rita for my other address",
        "0812-3456-7890",
        "rina w, kelas tiga\nrina@klien.test",
        "PT Contoh\nJl. Mawar 5\nTelp. 0812 3456 7890",
    ],
)
def test_a_name_with_an_address_below_dashes_is_a_signature(below):
    """The sender's own name may be written small."""
    text = f"ya\n-- \n{below}\n"
    assert fold.new_words(text, fold.fold(text, (), US)) == "ya"


# -- what the letter's head says ----------------------------------------------------------------

US = fold.About(("surat@example.org", "rumah surat", "rina@klien.test"), "Rina W", answers=True)
TOLD = [
    "Kak,\n\nPada Sen, 2 Nov 2026 pukul 22.10 Andi menulis:\n\nJangan.\n\nSaya di atap.\n",
    "Pada Sen, 2 Nov 2026 pukul 22.10 Andi <andi@y.test> menulis:\n\nAku pergi.\n\nSaya di atap.\n",
    "Halo kak,\nDari: Rina\nTanggal: 3 November 2026\nUntuk: Rumah Surat\n\nSaya ingin mati.\n",
    "Ini dia.\n\nDari: Andi <andi@y.test>\nTanggal: 2 November 2026\nKepada: Rina\n\nPergi.\n",
    "Kak,\n\n--- pesan awal ---\nsaya tulis ini tadi malam\n",
    "Salam,\n\nDari: Rina <rina@klien.test>\nTanggal: 3 November 2026\nKepada: Tim\nHal: x\n\nT.\n",
    "Hi,\n\nFrom: Rina W <rina@klien.test>\nDate: 3 Nov 2026\nTo: Tim\nSubject: x\n\nI fell.\n",
]


@pytest.mark.parametrize("text", TOLD)
def test_what_others_wrote_and_heads_of_ones_own_stay_open(text):
    """A heading without marks folds what follows only where it names us as who wrote."""
    assert fold.fold(text, (), US) == ()


QUOTING_US = """
Dari: Rumah Surat <surat@example.org>
Dikirim: Senin, 2 November 2026 09:12
Kepada: Rina W <rina@klien.test>
Subjek: surat

Bagaimana tidurnya?
"""
POSTSCRIPTS = [
    "PS: jangan telepon.\nMaaf.",
    "P.S. Saya bohong.",
    "NB: dia di sini.",
    "(N.B. Maaf.)",
]


@pytest.mark.parametrize("below", POSTSCRIPTS)
def test_a_postscript_below_an_unmarked_quotation_stays_open(below):
    """Nothing tells whose it is, where the quoted letter is not known."""
    text = f"Terima kasih.\n{QUOTING_US}Tim\n\n{below}\n"
    assert fold.new_words(text, fold.fold(text, (), US)) == f"Terima kasih.\n\n{below}"


@pytest.mark.parametrize(
    "said",
    [
        "Jawaban saya di bawah ya kak.",
        "Saya jawab pakai warna merah.",
        "Saya balas langsung di email kakak.",
        "Please see my answers below.",
        "My answers are in RED.",
        "I replied inline",
    ],
)
def test_an_unmarked_quotation_that_is_answered_within_stays_open(said):
    """Programs without marks leave no trace of what was written between; the client says it."""
    text = f"{said}\n{QUOTING_US}Tidak ada, saya sendirian.\n"
    assert fold.fold(text, (), US) == ()
    again = text.replace(said, "Saya tidur di rumah.")
    assert fold.new_words(again, fold.fold(again, (), US)) == "Saya tidur di rumah."


@pytest.mark.parametrize(("rule", "heading"), [HEADINGS[0], *HEADINGS[-6:]])
def test_a_heading_that_names_us_folds(rule, heading):
    """By name or address; below a divider in the lines of its head."""
    head = heading if "@" in heading else f"{heading}Rumah Surat <surat@example.org>\n"
    about = US._replace(names=(*US.names, "letters", "cartas", "brieven", "s@example.org"))
    text = f"Kemarin.\n\n{head}\n{OURS}"
    spans = fold.fold(text, (), about)
    assert rule in [span.rule for span in spans]
    left = fold.new_words(text, spans)
    assert left.startswith("Kemarin.")
    assert OURS.split("\n")[2] not in left


def test_a_letter_that_is_marked_whole_and_answers_nothing_stays_open():
    """Somebody wrote it elsewhere and pasted it."""
    text = "> Saya menulis ini di catatan.\n> Saya tidak sanggup lagi.\n"
    assert fold.fold(text, (), US._replace(answers=False)) == ()
    assert fold.fold(text, (), US) != ()


SONG = "Lagu ini:\n\n> Aku ingin pulang\n> tapi rumah sudah tiada\n\nBegitu rasanya.\n"


def test_marks_in_a_letter_that_is_no_answer_are_the_clients():
    """A song, a list of worries: nothing was quoted, but below a heading."""
    new = US._replace(answers=False, is_new=True)
    assert fold.fold(SONG, (), new) == ()
    assert fold.fold(SONG, (), US) != ()
    assert fold.fold(SONG, (), US._replace(answers=False)) != ()
    headed = "Ya.\n\nPada 2 Nov 2026 09.12, Surat <s@example.org> menulis:\n> A?\nBe.\n> B?\n"
    assert fold.new_words(headed, fold.fold(headed, (), new)) == "Ya.\n\nBe."


def test_marked_lines_that_stand_in_no_letter_of_the_case_are_the_clients():
    """In an answer too: whoever reads has the letters before."""
    assert words(f"{SONG}\n{QUOTED}", [OURS]) == SONG.strip()
    assert fold.fold(f"Ya.\n{QUOTED}", ["Lain sama sekali."], US) == ()
    rewrapped = QUOTED.replace(" dan ingin", "\n> dan ingin").replace("> ", "> > ")
    assert words(f"Ya.\n{rewrapped}", ["Lain.", OURS]) == "Ya."
    many = "".join(f"> baris {number}\n" for number in range(4000))
    assert words(f"Ya.\n{many}", [OURS]) == "Ya."  # more than is looked up


def test_a_name_below_dashes_is_the_senders():
    """A capitalised word that is no part of their name is a word."""
    for word, is_folded in (("Rina", True), ("Tolong", False), ("Saya Hamil", False)):
        assert bool(fold.fold(f"ya\n-- \n{word}\n", (), US)) == is_folded


def test_what_is_kept_of_a_head_comes_back():
    """An entry without it is folded as before."""
    assert fold.about_of({"about": [list(US.names), US.sender, True]}) == US
    new = US._replace(answers=False, is_new=True)
    assert fold.about_of({"about": list(new)}) == new
    assert fold.about_of({}) is None


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
    "Pada 3 Nov 2026 pukul 22.30 suami saya menulis:\nkamu tidak akan lihat anakmu lagi\n",
    "Pada jam 22.30 tadi malam orang itu menulis:\naku tahu rumahmu\n",
    "On 3 Nov 2026 at 22:30 my husband wrote:\nyou will not see the children again\n",
    "Pada 3 Nov 2026 jam 22:30 mantan saya berkata:\naku tunggu di depan rumah\n",
    "3.11.2026 22:30 dia menunggu di depan rumah:\nsaya tidak berani keluar\n",
    "3/11/2026 saya kirim ke budi <budi@y.test>\nlalu dia marah\n",
    ">>> tolong saya <<<\n",
    "Dikirim dari kamar saya\n",
    "Dihantar dari rumah saya\n",
    "Sent from my bed\n",
    "---- saya menulis ini 3 kali ----\nlalu saya hapus lagi\n",
    "Kepada: siapa pun\nDari: saya\nTanggal: hari ini, yang ke-10 tanpa tidur\n",
    "Pesan asli dari saya:\ntolong\n",
    "2026-11-03 10:15 dipukul\n2026-11-04 23:40 dipukul lagi\n2026-11-05 diam\n",
]


OPEN += [
    "Kepada: Rumah\nDari: Rina\nTanggal: 3 November 2026\nPerihal: bantuan\n\nSaya ingin mati.\n",
    "Dari: Rina\nUntuk: Rumah\nTanggal: 3 November 2026\n\nSuami saya memukul saya.\n",
    "From: Jo <jo@y.test>\nDate: November 3, 2026\nSubject: Help\n\nMy father hits me.\n",
    "Halo,\n\nUntuk: Rumah\nDari: Rina\nTanggal: 3 November 2026\n\nSaya takut.\n",
    'Hello,\n\nOn 3 November 2026 at 22:30 Peter wrote:\n"I am done."\n\nI think of the bridge.\n',
    "Halo,\n\nPada 3 November 2026 pukul 22.30 Andi menulis:\n“Putus.”\n\nSaya di jembatan.\n",
    "Dikirim dari HP suami saya\n",
    "Dikirim dari desa saya\n",
    "Sent via a friend because I have no internet\n",
    "Sent from my workplace at night\n",
    "Von meinem Mann gesendet\n",
    "Gesendet von der Brücke\n",
    "Verzonden vanaf het dak\n",
    "Aman.\n--\ntolong telepon 081234567890 jangan lewat email\n",
    "Fine.\n\n-- \nNo I am not, I want to die, call me +62 812 3456 7890\n",
    "Halo,\n>From that day he has hit me.\nTolong.\n",
    "Begin forwarded message:\n\n> From: X <x@y.test>\n> Date: 2 November 2026\n>\n> bye\n",
]


OPEN += [
    f"Saya aman.\n\n{line}\n"
    for line in (
        "Dikirim dari HP suamiku",
        "Dikirim dari telepon umum",
        "Dikirim dari komputer warnet",
        "dikirim lewat angin dan email yang tak pernah dibaca",
        "Sent from Anna's phone",
        "Sent from a library computer",
        "Sent with my last phone credit",
        "Dikirim dari HP majikan",
    )
]
OPEN += [
    "Halo.\n--\nUtang 12.000.000\nGaji 3.000.000\nMau mati\n",
    "Halo.\n--\nJangan telepon 0812 3456 7890\n",
    "Saya lompat jam 22.30 karena andi@y.test mengirim ini:\n\nkita putus\n",
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
