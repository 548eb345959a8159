"""Sekar: ordinary mail, in Indonesian, a letter a week, and a good ending."""

from __future__ import annotations

from course.scenes import Scene, fills, types, writes

CASE = "C-0001"

# fmt: off
STORY = (
    # -- introduction ----------------------------------------------------------------------------
    Scene("1 Mon 09:10", writes(
        "Halo. Sudah dua bulan saya sulit tidur dan mudah tegang. Di kantor saya lebih banyak "
        "diam, dan di rumah saya memikirkan pekerjaan sampai jauh malam. Saya tidak tahu harus "
        "mulai dari mana.",
    )),
    Scene("1 Mon 12:30", writes("SETUJU")),
    Scene("1 Mon 14:00", types("assign", CASE, "wulan")),
    Scene("1 Mon 14:01", types(
        "introduce", CASE, "-m",
        "Terima kasih sudah menceritakan malam-malam Anda. Tidak perlu tahu harus mulai dari mana; "
        "kita mulai dari surat Anda ini saja.",
    )),
    Scene("1 Tue 10:00", types(
        "reply", CASE, "--template", "questions", "-m",
        "Supaya saya lebih memahami Anda, di bawah ini ada beberapa pertanyaan.",
    )),
    Scene("1 Thu 20:15", writes(
        "1. Sekar saja.",
        "2. Saya ingin tidur tanpa memikirkan kantor. Sejak bulan September.",
        "3. Kakak saya tahu. Orang kantor sebaiknya tidak.",
        "4. Ya, 31.",
        "5. Indonesia, Jawa Tengah.",
        "6. Belum pernah. Tidak ada obat.",
        "7. Tidak.",
        "8. Sesudah jam tujuh malam. Surat pengingat boleh datang.",
        "9. Bangun pagi tanpa perut yang tegang.",
    )),
    # -- understanding ---------------------------------------------------------------------------
    Scene("2 Mon 10:00", types(
        "case", "summary", CASE, "--send", "-m",
        "Sejak September pekerjaan ikut pulang bersama Anda. Malam hari pikiran tentang kantor "
        "datang bergantian, dan tidur menjauh. Di kantor Anda lebih banyak diam, karena takut "
        "salah bicara. Kakak Anda tahu, dan itu menolong.",
    )),
    Scene("2 Tue 19:40", writes(
        "Hampir semuanya cocok. Satu hal saja: saya diam bukan karena takut salah bicara, "
        "tetapi karena lelah.",
    )),
    Scene("2 Wed 10:00", types(
        "case", "summary", CASE, "-m",
        "Sejak September pekerjaan ikut pulang. Malam hari pikiran tentang kantor datang, dan "
        "tidur menjauh. Di kantor ia banyak diam, karena lelah. Kakaknya tahu.",
    )),
    Scene("2 Wed 10:05", types(
        "case", "strength", CASE, "meluruskan dengan tenang yang kurang cocok",
    )),
    Scene("2 Wed 10:10", types(
        "reply", CASE, "--activity", "understanding", "--activity", "support", "-m",
        "Terima kasih, sudah saya perbaiki: Anda diam karena lelah. Anda melihat diri sendiri "
        "dengan jernih, juga sesudah malam yang pendek. Itu kekuatan yang akan kita pakai.\n\n"
        "Usul saya: kita bersurat sekali seminggu, dan setelah enam surat kita melihat kembali "
        "bersama-sama apakah ini menolong.",
    )),
    Scene("2 Wed 20:00", writes("Ya, sekali seminggu cocok untuk saya.")),
    Scene("2 Thu 10:00", types(
        "case", "contract", CASE, "--rhythm", "setiap minggu", "--exchanges", "6",
    )),
    # -- goals -----------------------------------------------------------------------------------
    Scene("3 Mon 10:00", types(
        "reply", CASE, "--activity", "goals", "-m",
        "Sekarang kita pilih satu hal yang bisa dilihat dan dihitung. Anda pernah menulis bahwa "
        "berjalan sore dengan kakak membuat malam lebih ringan. Bagaimana kalau itu tujuannya: "
        "jalan kaki 20 menit, empat kali seminggu? Setiap Senin kami tanyakan jalannya, dan satu "
        "angka sudah cukup.",
    )),
    Scene("3 Tue 19:30", writes("Boleh. Sekarang paling sekali seminggu. Empat kali itu bagus.")),
    Scene("3 Wed 10:00", types(
        "goal", "add", CASE, "jalan kaki 20 menit", "--target", "4 kali seminggu", "--baseline",
        "2", "--review", "2027-02-01", "--at", "Mon 09:00",
    )),
    Scene("3 Wed 10:01", types(
        "goal", "scale", CASE, "G1", "--level", "-2", "tidak berjalan", "--level", "-1",
        "1 kali seminggu", "--level", "0", "2 sampai 3 kali", "--level", "1", "4 kali",
        "--level", "2", "5 kali atau lebih",
    )),
    Scene("3 Wed 10:02", types(
        "case", "plan", CASE, "-m", "Dulu jalan sore dan napas pelan; sesudah itu pikiran malam.",
    )),
    # -- skills and practice ---------------------------------------------------------------------
    Scene("4 Mon 19:20", writes("5")),
    Scene("4 Mon 20:00", writes("MALAM")),
    Scene("4 Wed 10:00", types(
        "skill", "assign", CASE, "breathing", "--at", "Sun 17:00", "--words",
        "Lima untuk minggu pertama: itu sudah berjalan. Sekarang ada satu latihan kecil untuk "
        "perut yang tegang di malam hari.",
        "--praise", "Setiap kali yang Anda sempatkan itu berarti. Senang membacanya.",
    )),
    Scene("4 Sun 20:30", writes("latihan 3x")),
    Scene("5 Mon 20:30", writes("enam, minggu ini rasanya lebih ringan")),
    Scene("5 Wed 10:00", types(
        "reply", CASE, "--activity", "support", "--activity", "practice", "-m",
        "Tiga kali napas pelan, dan angka enam. Yang saya perhatikan: Anda tetap berjalan pada "
        "hari yang penuh rapat. Apa yang membuatnya bisa?",
    )),
    Scene("5 Thu 20:30", writes("Saya pulang lewat taman, jadi tidak perlu berangkat lagi.")),
    Scene("5 Sun 20:30", writes("belum sempat")),
    Scene("6 Wed 10:00", types(
        "reply", CASE, "--activity", "support", "-m",
        "Lewat taman: jalan pulang dan jalan sore jadi satu. Itu pikiran yang cerdik. Apa yang "
        "Anda lihat di sana minggu ini?",
    )),
    # -- silence, and back -----------------------------------------------------------------------
    Scene("7 Tue 19:50", writes(
        "Maaf, minggu lalu saya tidak menjawab.",
        "Anak kakak saya sakit dan saya menjaganya.",
        "Angkanya 4, tetapi saya tetap jalan dua kali.",
    )),
    Scene("7 Wed 10:00", types(
        "reply", CASE, "--activity", "support", "-m",
        "Tidak ada yang perlu dimaafkan. Menjaga anak yang sakit itu berat, dan di tengahnya Anda "
        "masih berjalan dua kali. Bagaimana keadaannya sekarang?\n\n"
        "Kalau Anda mau, kita bisa berbicara sekali lewat telepon. Usul waktunya saya kirim "
        "menyusul.",
    )),
    Scene("7 Wed 10:30", types(
        "appointment", "propose", CASE, "--start", "2027-01-21 15:00", "--minutes", "40",
        "--telephone", "--words", "Seperti yang saya sebut tadi, ini usul waktunya.",
    )),
    Scene("7 Wed 19:00", writes("YA")),
    Scene("7 Sun 20:30", writes("latihan 2x")),
    Scene("8 Mon 20:30", writes("7")),
    Scene("8 Thu 16:00", types(
        "case", "activity", CASE, "support", "Berbicara 40 menit lewat telepon; suaranya tenang.",
    )),
    Scene("8 Sun 20:30", writes("latihan 4 kali")),
    Scene("9 Mon 20:30", writes("7, sudah jadi kebiasaan")),
    # -- evaluation ------------------------------------------------------------------------------
    Scene("9 Wed 10:00", fills("case", "evaluate", CASE, gaps=[
        "Anda berjalan sore hampir setiap hari kerja, dan malamnya lebih pendek memikirkan kantor.",
        "Hari Minggu malam, sebelum minggu kerja mulai.",
        "Pulang lewat taman, dan napas pelan sebelum tidur.",
        "Anda menjaga orang lain dan tetap menyisakan sedikit untuk diri sendiri.",
        "Jalan sore tetap, dan kita tambah satu latihan untuk pikiran di malam hari.",
    ])),
    Scene("9 Thu 20:00", writes(
        "Gambarannya cocok. Suratnya enak dibaca, tidak terburu-buru. Latihan "
        "untuk malam saya mau.",
    )),
    Scene("9 Fri 10:00", types(
        "case", "plan", CASE, "-m", "Jalan sore tetap. Sekarang pikiran malam: waktu khawatir.",
        "--reason", "Berjalan sudah menjadi kebiasaan; yang tersisa malam Senin.",
    )),
    Scene("9 Fri 10:05", types("goal", "rate", CASE, "G1", "1")),
    Scene("9 Fri 10:06", types("goal", "stop", CASE, "P1")),
    Scene("9 Fri 10:10", types(
        "skill", "assign", CASE, "worry-time", "--at", "Sun 17:00", "--words",
        "Senang gambarannya cocok. Ini latihan yang saya maksud.",
        "--praise", "Memberi jam sendiri untuk rasa khawatir itu tidak mudah, dan Anda mencobanya.",
    )),
    Scene("9 Sun 20:30", writes("latihan 1x")),
    Scene("10 Mon 20:30", writes("8")),
    Scene("10 Tue 19:00", writes("KEMAJUAN")),
    Scene("10 Wed 10:00", types(
        "case", "progress", CASE, "--send", "-m", "Ini garis Anda sampai hari ini.",
    )),
    Scene("10 Sun 20:30", writes("latihan 5x, malam Senin kemarin saya tidur")),
    Scene("11 Mon 20:30", writes("8")),
    # -- a good ending ---------------------------------------------------------------------------
    Scene("11 Wed 10:00", types(
        "reply", CASE, "--activity", "evaluation", "-m",
        "Malam Senin kemarin Anda tidur. Menurut saya kita sudah dekat dengan akhir yang baik. "
        "Minggu depan saya kirim surat terakhir untuk disimpan. Adakah yang ingin Anda bahas dulu?",
    )),
    Scene("11 Thu 20:00", writes("Tidak ada lagi. Saya siap, dan terima kasih.")),
    Scene("12 Mon 20:30", writes("9")),
    Scene("12 Wed 10:00", fills("case", "end", CASE, gaps=[
        "Jalan sore, napas pelan, dan waktu untuk khawatir.",
        "Menutup hari kerja di taman, dan tidur sebelum tengah malam.",
        "Tiga malam berturut-turut memikirkan kantor, dan sore tanpa berjalan.",
        "Pulang lewat taman. Lalu napas pelan lima menit. Lalu bercerita kepada kakak.",
        "Kakak Anda, dan kami.",
    ])),
    Scene("26 Thu 19:00", writes("Saya baik. Masih lewat taman.")),
)
