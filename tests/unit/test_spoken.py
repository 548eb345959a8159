"""Our words as people say them: what counts, and what is a letter that a person reads."""

from __future__ import annotations

import pytest

from mailcounsel.casework import commands, spoken

AGREES = """
setuju kak | Setuju ya | Saya setuju | ok setuju | setuju, terima kasih | SETUJU YA KAK
Setuju. | iya setuju | ya, saya setuju | ya saya setuju kak | oke kak setuju
baik, saya setuju | sip setuju | setujuuu | setujuu kak 🙏 | sy setuju | aku setuju
saya sangat setuju | setuju kok kak | setuju aja | setuju saja | stuju | setuju bu
setuju pak, makasih | setuju mbak 😊 | setuju deh | Setuju, kak!
saya setuju ya kak, terima kasih banyak | siap setuju | setuju 👍🏽 | saya menyetujui
Setuju lah kak | setuju dengan email biasa | saya setuju lewat email biasa
setuju pakai email biasa ya kak | email biasa saja kak | ya, email biasa cukup
lewat email biasa aja | pakai email biasa saja | email biasa cukup bagi saya
iya email biasa cukup kak | ya lewat email biasa | oke email biasa
Setuju kak. Terima kasih | halo kak, setuju | halo, saya setuju ya | setuju🙏 | (setuju)
"setuju" kak | I agree | Agree, thanks | Yes, ordinary email is fine for me. | I agree.
i agree, thank you | Yes, I agree | yes agree | OK, I agree | agreed | Agreed, thanks!
I do agree | I agree 👍 | Agree please | I fully agree | agree ok | okay agree
Yes I agree, thank you so much | Sure, I agree | hi, I agree | I agree to ordinary email
I agree with ordinary email | Ordinary email is fine | Ordinary email is ok
Yes, regular email is fine | plain email is fine for me, thanks | normal email works for me
yep agree | Ordinary email is good enough for me | yes to ordinary email | agree :)
I agree, many thanks | I agree that ordinary email is fine | yes ordinary email is okay
Ordinary e-mail is fine. Thanks!
""".replace(" :)", "")

AGREES_NOT = """
belum setuju | kalau setuju | setuju? | tidak setuju | I don't agree
setuju dengan pendapat suami saya | saya tidak setuju | gak setuju kak | nggak setuju
ga setuju | kurang setuju | bukan setuju | jangan setuju | setuju tapi jangan ke kantor
setuju asal suami saya tidak tahu | setuju kalau aman | setuju jika gratis | setuju nggak ya
setuju atau tidak | mungkin setuju | setuju nanti | nanti setuju | setuju besok
kayaknya setuju | setuju sih | hampir setuju | apa saya harus menulis setuju
kata suami saya setuju | ibu saya setuju saya menulis | dia setuju | suami setuju
mereka setuju kak | kami semua setuju bercerai | setuju soal apa | setuju itu apa
setuju 50% | setuju 2 | saya setuju mati saja | setuju cerai | setuju sama kamu
saya setuju untuk dirawat | tidak tahu setuju atau nggak | ❌ setuju | setuju 👎 | setuju dulu
sudah setuju kemarin | dulu setuju sekarang tidak | saya pura-pura setuju | dipaksa setuju
belum bisa setuju | setuju, tetapi | setuju / tidak | siapa yang setuju | email biasa
email biasa aman kah | email biasa jangan | apakah email biasa cukup
email biasa terbaca suami saya | jangan email biasa | I do not agree | I disagree | disagree
I can't agree | never agree | not agree | agree? | I agree? | if I agree
I agree if it is safe | I agree but not to video | agree or not | I would agree
maybe agree | I think I agree | I might agree | my husband agrees | he agreed
they made me agree | we agree on nothing | I agree with my husband | I agree with you
I agree that I am worthless | do I have to agree | agree 50% | Is ordinary email fine for me
is ordinary email safe | ordinary email is not fine | no ordinary email | ordinary email
I agreed yesterday but | agree later | don't agree | who agrees | agree-ish | ~AGREE~
-AGREE | AGREE STOP | I agree to stop | agree with what | I never said I agree | I agree, no
not sure I agree | yes | ya | ok | oke kak | fine | terima kasih | thanks
"""

OTHER_WORDS = {
    "pause": """
jeda dulu ya kak | jeda ya | jeda kak | saya mau jeda dulu | minta jeda | mohon jeda dulu
jeda sebentar | jeda dulu | tolong jeda dulu | ok jeda | pause please | please pause
pause, thanks | I want to pause | I need a pause | I would like to pause | pause ok
jeda makasih | saya ingin jeda dulu kak | aku jeda dulu ya
""",
    "resume": """
lanjut ya kak | lanjut lagi | lanjut kak | ok lanjut | saya mau lanjut lagi | lanjutkan ya
lanjutkan kak | mau lanjut | ya lanjut | siap lanjut | continue please | please continue
yes continue | resume please | I want to continue | I would like to continue again
ok resume | yes, resume | continue, thanks | lanjut 🙏
""",
    "progress": """
PROGRESS please | progress, thanks | my progress please | show me my progress
I want to see my progress | send my progress please | kemajuan ya kak | kemajuan saya kak
minta kemajuan | saya mau lihat kemajuan saya | mau lihat kemajuan | kemajuan dong kak
tolong kirim kemajuan saya | kemajuan, makasih | see my progress
""",
    "help": """
HELP please | please help | help me | help me please | I need help | i want help
please help me | help pls | bantuan kak | minta bantuan | saya butuh bantuan
butuh bantuan kak | bantuan ya kak | tolong saya | tolong saya kak | tolong bantu saya
mohon bantuan | perlu bantuan | saya perlu bantuan | tolong kak
""",
    "stop": """
stop please | please stop | stop ya kak | stop kak | ok stop | stop, thanks | stop dulu ya
stop aja kak | berhenti ya kak | berhenti dulu ya kak | berhenti kak
berhenti, terima kasih | berhenti saja kak | berhenti dulu | stop, makasih | stop thank you
yes stop | ya berhenti | oke berhenti | stop dulu
""",
}

LETTERS = """
jangan jeda | jeda? | tidak mau jeda | jeda seminggu | jeda sampai senin
pernikahan kami jeda | saya jeda dari dia | pause for a week | don't pause | pause?
no pause | my life is on pause | if I pause | we paused the wedding | jangan lanjut
tidak lanjut | lanjut? | apa saya lanjut hidup | lanjut kuliah | saya tidak bisa lanjut lagi
lanjut atau berhenti | I can't continue | continue? | I cannot continue like this
don't continue | continue or stop | no progress | tidak ada kemajuan | kemajuan?
kemajuan anak saya | my progress is bad | I make no progress | progress? | is there progress
kemajuannya kecil | no help | don't help | tidak butuh bantuan | jangan tolong | bantuan apa
help my husband | bantuan untuk anak saya | can you help | nobody can help
tolong jangan hubungi saya | I want to stop | saya mau berhenti | saya berhenti | I stop
aku mau berhenti | ingin berhenti | stop? | stop him | tolong stop | tolong berhenti
stop it | jangan berhenti | don't stop | stop hurting me | berhenti kerja
berhenti minum obat | saya berhenti minum | he never stops | stop the letters to my wife
stop pause | berhenti? | hapus kak | HAPUS ya | erase please | please erase | copy please
salinan kak | kunci saya kak | key please | ganti kak | change please | pagi kak
morning please | malam kak | saya mau hapus
"""


def sentences(table: str) -> list[str]:
    return [one.strip() for line in table.strip().splitlines() for one in line.split("|")]


@pytest.mark.parametrize("text", sentences(AGREES))
def test_a_natural_yes_agrees(text: str) -> None:
    """The word among particles, a courtesy or "saya" is the word."""
    assert spoken.command(text) == "agree"


@pytest.mark.parametrize("text", sentences(AGREES_NOT))
def test_a_doubt_agrees_to_nothing(text: str) -> None:
    """Denied, conditional, asked, about something else, or another's: a person reads it."""
    assert spoken.command(text) is None
    assert commands.command(text) is None


@pytest.mark.parametrize(
    ("said", "text"),
    [(said, one) for said, table in OTHER_WORDS.items() for one in sentences(table)],
)
def test_a_natural_word_is_read(said: str, text: str) -> None:
    """Words that do no harm are read as people say them."""
    assert spoken.command(text) == said


@pytest.mark.parametrize("text", sentences(LETTERS))
def test_a_sentence_is_a_letter(text: str) -> None:
    """What says anything more commands nothing, nor is a grave word read among others."""
    assert spoken.command(text) is None


def test_there_are_many_sentences_of_each_kind() -> None:
    """Sixty of each at least, in both languages."""
    others = [one for table in OTHER_WORDS.values() for one in sentences(table)]
    for table in (sentences(AGREES), sentences(AGREES_NOT), others, sentences(LETTERS)):
        assert len(set(table)) >= 60


@pytest.mark.parametrize(
    "text",
    [
        "Halo kak,\nSaya setuju.",
        "Dear Rumah Surat,\n\nI agree.\n\nKind regards\nAni Lestari",
        "Setuju kak\n\nTerima kasih 🙏\nani",
        "Selamat pagi,\nya, email biasa cukup.\nSalam hangat,\nBudi",
        "I agree.\nThank you very much!",
    ],
)
def test_a_greeting_thanks_and_a_name_add_nothing(text: str) -> None:
    """Letters begin and end as letters do."""
    assert spoken.command(text) == "agree"


@pytest.mark.parametrize(
    "text",
    [
        "Setuju kak\ntapi jangan ke kantor",
        "Setuju ya\nbesok saja",
        "Setuju kak\nminggu depan",
        "Setuju kak\nbercanda",
        "I agree\nonly if my husband cannot read it",
        "I agree\nKidding",
        "Setuju ya?\nTerima kasih",
        "Halo kak,\nbelum.\nSetuju",
        "Semalam saya bermimpi buruk lagi.\nSetuju kak",
        "> Setuju kak",
        "Halo,\nstop ya",
        "Hi, I do not\nagree",
        "Halo kak, kurang\nsetuju",
        "Halo kak saya masih\nsetuju",
    ],
)
def test_what_stands_beside_it_makes_it_a_letter(text: str) -> None:
    """Nothing is agreed where the letter goes on."""
    assert spoken.command(text) is None


@pytest.mark.parametrize(
    ("text", "is_near"),
    [
        ("setuju?", True),
        ("setuju dengan pendapat suami saya", True),
        ("kalau setuju", True),
        ("I think I agree", True),
        ("Ya kak", True),
        ("yes please", True),
        ("email biasa", True),
        ("Setuju kak.\n\nSemalam saya bermimpi buruk lagi.", True),
        ("persetujuan saya gimana", False),
        ("belum setuju", False),
        ("I don't agree", False),
        ("Saya susah tidur.", False),
        ("Setuju. " + "Dan begitulah ceritanya. " * 20, False),
        ("no", False),
    ],
)
def test_what_may_have_meant_it_is_asked_back(text: str, is_near: bool) -> None:
    """A short letter that may have meant the word, and refuses nothing."""
    assert spoken.may_mean_agree(text) is is_near


def test_a_huge_letter_is_read_at_once() -> None:
    """Only the beginning counts."""
    assert spoken.command("setuju kak " * 500_000) is None
    assert spoken.may_mean_agree("a" * 5_000_000) is False
