"""Somebody without a name, who falls silent and returns in danger."""

from __future__ import annotations

import json
from datetime import timedelta

from course.correspondents import Correspondent
from course.scenes import Scene, types, writes
from course.world import World

CASE = "C-0003"


def _thinks_better_of_it(world: World, client: Correspondent) -> None:
    """The therapist takes back the letter that still waits: by now it would come too late."""
    letters = json.loads(world.type("wulan", "outbox", "--json"))["letters"]
    (waiting,) = [one for one in letters if one["case"] == CASE and one["state"] == "waiting"]
    world.wulan("undo", waiting["id"])
    del client.told[0]


def _nobody_reads(world: World, _client: Correspondent) -> None:
    """The letter lies there: the therapist is told again, then the supervisor beside them."""
    before = len(world.staff)
    for _ in range(13):
        world.move(timedelta(minutes=5))
    told = [address for _, address in world.staff[before:]]
    assert told[0] == "wulan@staf.test", told
    assert sorted(told[1:]) == ["sari@staf.test", "wulan@staf.test"], told


# fmt: off
STORY = (
    Scene("1 Wed 20:15", writes(
        "Saya tidak mau menyebut nama. Sudah lama saya merasa lelah dan tidak berguna bagi "
        "siapa-siapa. Saya hanya ingin menuliskannya sekali saja.",
    )),
    Scene("1 Thu 10:00", types("assign", CASE, "wulan")),
    Scene("1 Thu 10:01", types(
        "reply", CASE, "-m",
        "Terima kasih sudah menuliskannya. Nama tidak diperlukan di sini. Kalau Anda mau, "
        "ceritakan kapan rasa lelah itu mulai.",
    )),
    # -- silence, and danger ---------------------------------------------------------------------
    Scene("7 Fri 22:40", writes(
        "Saya yang dulu menulis tanpa nama. Saya sudah tidak sanggup. Malam ini saya ingin mati, "
        "obatnya sudah saya kumpulkan.",
    )),
    Scene("7 Fri 22:41", _nobody_reads),
    Scene("7 Fri 23:50", types("show", CASE)),
    Scene("7 Fri 23:51", types(
        "reply", CASE, "--plain", "bahaya malam ini", "-m",
        "Saya membaca surat Anda sekarang, dan saya senang Anda menulis. Tolong lakukan satu hal "
        "malam ini juga: berikan obat itu kepada seseorang, atau taruh di luar rumah, dan jangan "
        "sendirian. Kalau tidak ada orang, telepon nomor di bawah ini. Tulislah satu kata kepada "
        "saya kalau sudah.",
    )),
    Scene("7 Fri 23:55", _thinks_better_of_it),
    Scene("8 Mon 07:10", writes(
        "Saya masih di sini. Tetangga menemani saya. Obatnya dia yang simpan.",
    )),
    Scene("8 Mon 07:30", types("show", CASE)),
    Scene("8 Mon 07:31", types(
        "reply", CASE, "--plain", "masih dalam bahaya", "--activity", "support", "-m",
        "Anda masih di sini, dan Anda membuka pintu untuk tetangga. Itu langkah yang besar. Hari "
        "ini cukup hal-hal kecil: minum, makan sedikit, dan tidak sendirian. Apakah ada dokter "
        "atau puskesmas yang bisa Anda datangi bersama tetangga itu?",
    )),
    # Nothing is asked at night, whatever the therapist types: it comes in the morning.
    Scene("8 Mon 07:40", types(
        "goal", "add", CASE, "--asks", "mood", "--every", "week", "--at", "Wed 22:30",
    )),
    Scene("8 Tue 17:00", writes("SETUJU")),
    Scene("8 Fri 17:00", writes(
        "Kami sudah ke puskesmas. Saya dapat waktu lagi hari Selasa. Semalam saya tidur.",
    )),
    Scene("9 Mon 09:00", types("show", CASE)),
    Scene("9 Mon 09:00", types("seen", CASE, "silent-after-danger")),
    Scene("9 Mon 09:01", types(
        "risk", "close", CASE,
        "Tetangga menemani, obat disimpan orang lain, puskesmas sudah didatangi, janji kedua ada.",
    )),
    Scene("9 Mon 09:05", types(
        "reply", CASE, "--activity", "support", "-m",
        "Anda sudah ke puskesmas, dan semalam Anda tidur. Saya lega membacanya. Setiap Kamis pagi "
        "akan ada satu pertanyaan pendek tentang suasana hati Anda; satu angka cukup.",
    )),
    Scene("9 Thu 18:00", writes("suasana hati 3, G1 2")),
    Scene("10 Thu 09:00", writes(
        "G1 4, suasana hati 4.", "Tetangga masih datang tiap sore.",
    )),
    Scene("9 Tue 10:00", types(
        "case", "contract", CASE, "--rhythm", "setiap minggu", "--exchanges", "4",
    )),
    Scene("9 Tue 10:01", types(
        "goal", "add", CASE, "tidur sebelum jam dua belas", "--target", "5 malam", "--baseline",
        "1", "--at", "Wed 22:30",
    )),
    Scene("10 Thu 10:00", types(
        "case", "strength", CASE, "membuka pintu ketika ada yang mengetuk",
    )),
    Scene("10 Thu 10:05", types(
        "reply", CASE, "--activity", "support", "-m",
        "Dari tiga ke empat, dan tetangga masih datang. Apa yang kalian bicarakan sore-sore itu?",
    )),
    Scene("10 Fri 18:00", writes("Tanaman. Dia punya banyak cabai.")),
    Scene("11 Mon 10:00", types(
        "reply", CASE, "--activity", "support", "-m",
        "Cabai tumbuh pelan, dan itu tidak apa-apa baginya. Bolehkah saya tahu kabar dari "
        "puskesmas?",
    )),
    Scene("11 Thu 09:00", writes("5 / 6")),
    Scene("11 Thu 18:00", writes("Puskesmas baik. Obat baru, satu sehari, tetangga yang pegang.")),
    Scene("12 Mon 10:00", types(
        "case", "evaluate", CASE, "-m",
        "Kita melihat kembali bersama-sama. Tujuh minggu lalu malam itu sangat berat. Sekarang "
        "ada tetangga, puskesmas, dan tidur yang sedikit lebih awal. Yang saya usulkan: tetap "
        "begini, pelan-pelan. Apakah gambaran ini cocok bagi Anda?",
    )),
    Scene("12 Tue 18:00", writes("Cocok. Untuk sementara saya tidak mau ditanya angka lagi.")),
    Scene("12 Tue 18:05", writes("BERHENTI")),
    Scene("12 Wed 11:00", types(
        "reply", CASE, "--activity", "support", "-m",
        "Baik, tidak ada angka lagi. Tulislah kapan saja Anda mau, juga kalau hanya satu baris "
        "tentang cabai.",
    )),
)
