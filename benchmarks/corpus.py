"""Seeded letters: the same bytes for the same numbers, shaped like what clients send."""

from __future__ import annotations

import base64
import email.utils
import quopri
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# What clients write about on most days. Sentences, not words drawn at random: a jumble is full of
# neighbours no letter has, and would be read as danger in every third letter.
SENTENCES = {
    "id": [
        "Saya susah tidur sejak pindah ke rumah ibu",
        "Hari ini saya sempat jalan kaki sebelum berangkat kerja",
        "Kakak saya menelepon lagi dan kami bertengkar soal uang",
        "Kemarin saya coba latihan napas dan rasanya sedikit lebih tenang",
        "Saya takut salah bicara kalau rapat, jadi saya lebih banyak diam",
        "Anak-anak sudah mulai sekolah dan pagi kami selalu terburu-buru",
        "Menurut teman saya, saya terlalu keras pada diri sendiri",
        "Minggu lalu saya menulis tiga hal yang berjalan baik",
        "Saya belum berani bercerita kepada suami tentang hal ini",
        "Pekerjaan menumpuk dan kepala saya penuh sepanjang hari",
        "Kalau malam saya memikirkan apa yang akan terjadi besok",
        "Terima kasih sudah membalas surat saya dengan sabar",
        "Target kita minggu ini tercapai dua dari empat kali",
        "Ayah saya sakit dan saya yang menjaganya tiap akhir pekan",
        "Saya marah, lalu menyesal, lalu diam berhari-hari",
        "Di kantor baru saya belum punya teman makan siang",
        "Saya senang karena kemarin berhasil menolak lembur",
        "Apa boleh surat berikutnya saya kirim hari Senin saja",
        "Saya mulai memasak lagi, hal kecil tetapi terasa berarti",
        "Dada saya berdebar setiap kali telepon berbunyi",
        "Tetangga mengajak saya ikut pengajian, saya masih ragu",
        "Catatan pikiran yang Ibu kirim sudah saya isi sebagian",
        "Saya ingin bisa bicara dengan ibu tanpa meninggikan suara",
        "Kadang saya merasa sendirian walaupun rumah ramai",
    ],
    "en": [
        "I have not slept well since we moved in with my mother",
        "Today I walked for half an hour before work, as we agreed",
        "My sister called again and we argued about money",
        "I tried the breathing exercise and felt a little calmer afterwards",
        "I am afraid of saying the wrong thing in meetings, so I say little",
        "The children are back at school and our mornings are a rush",
        "A friend told me that I am too hard on myself",
        "Last week I wrote down three things that went well",
        "I have not found the courage to tell my husband about this yet",
        "Work is piling up and my head is full all day long",
        "In the evenings I keep thinking about what might happen tomorrow",
        "Thank you for answering my letter so patiently",
        "This week I reached our target on two days out of four",
        "My father is ill and I look after him every weekend",
        "I got angry, then I was sorry, and then I was quiet for days",
        "At the new office I have nobody to eat lunch with",
        "I was glad that I managed to say no to the extra shift",
        "Could I send the next letter on Monday instead",
        "I have started to cook again, a small thing that means a lot",
        "My heart races every time the telephone rings",
        "The neighbours asked me to join their choir and I am not sure",
        "I filled in part of the thought record that you sent me",
        "I would like to talk with my mother without raising my voice",
        "Sometimes I feel alone although the house is full of people",
    ],
}
# One letter in twenty-five says one of these, and goes the way of a letter in danger.
IN_DANGER = {
    "id": "Saya ingin mati saja",
    "en": "I want to kill myself",
}
DANGER_SHARE = 0.04
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Mail:
    """One letter: who wrote it, and its bytes as a mail server would hand them over."""

    sender: str
    message_id: str
    raw: bytes


def letters(count: int, seed: int = 1, *, known: float = 0.6) -> Iterator[Mail]:
    """Yield letters; about `known` of them answer an earlier one of the same sender."""
    dice = random.Random(seed)
    threads: list[tuple[str, list[str]]] = []
    for number in range(count):
        if threads and dice.random() < known:
            sender, references = dice.choice(threads[-400:])
        else:
            sender, references = f"klien{number}@klien{number % 97}.test", []
            threads.append((sender, references))
        message_id = f"{number}.{seed}@klien.test"
        yield Mail(sender, message_id, _raw(dice, number, sender, message_id, references))
        references.append(message_id)


def _raw(
    dice: random.Random, number: int, sender: str, message_id: str, references: list[str]
) -> bytes:
    written = START + timedelta(minutes=number)
    language = dice.choice(list(SENTENCES))
    head = [
        *_trace(dice, sender, written),
        f"From: Klien {number % 1000} <{sender}>",
        "To: halo@rumah.test",
        f"Subject: {'Re: ' if references else ''}{dice.choice(SENTENCES[language])}",
        f"Date: {email.utils.format_datetime(written)}",
        f"Message-ID: <{message_id}>",
        "MIME-Version: 1.0",
        "X-Mailer: K-9 Mail 6.7",
    ]
    if references:
        head.append(f"In-Reply-To: <{references[-1]}>")
        head.append("References: " + "\r\n ".join(f"<{one}>" for one in references[-8:]))
    kind, body = _body(dice, language, bool(references))
    return "\r\n".join([*head, *kind]).encode() + b"\r\n\r\n" + body


def _trace(dice: random.Random, sender: str, written: datetime) -> list[str]:
    """Return what mail servers put on top: some two kilobytes in twenty fields, as is usual.

    Our own border is among them, and says that the sender's domain stands behind the letter.
    """
    domain = sender.rpartition("@")[2]
    when = email.utils.format_datetime(written)

    def noise(size: int) -> str:
        data = base64.b64encode(dice.randbytes(size)).decode()
        return "\r\n\t".join(data[at : at + 70] for at in range(0, len(data), 70))

    def hop(by: str, come_from: str) -> str:
        serial = noise(6).replace("/", "x")
        return (
            f"Received: from {come_from} ({come_from} [192.0.2.{dice.randrange(1, 255)}])\r\n"
            f"\tby {by} with ESMTPS id {serial}\r\n\tfor <halo@rumah.test>; {when}"
        )

    return [
        f"Return-Path: <{sender}>",
        "Delivered-To: halo@rumah.test",
        hop("mx.rumah.test", f"out.{domain}"),
        (
            f"Authentication-Results: mx.rumah.test;\r\n\tdkim=pass header.d={domain};\r\n"
            f"\tspf=pass smtp.mailfrom={sender};\r\n\tdmarc=pass header.from={domain}"
        ),
        f"Received-SPF: pass (mx.rumah.test: {domain} names this host)",
        hop(f"out.{domain}", f"in.{domain}"),
        (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=2026;\r\n"
            f"\th=from:to:subject:date:message-id; bh={noise(32)};\r\n\tb={noise(256)}"
        ),
        hop(f"in.{domain}", "telepon.klien.test"),
        f"X-Gm-Message-State: {noise(90)}",
        f"X-Google-Smtp-Source: {noise(60)}",
        f"X-Received: by 192.0.2.7 with SMTP id {noise(9)}; {when}",
        "X-Spam-Status: No, score=-0.1",
        "X-Virus-Scanned: clean",
        "Content-Language: id",
        "User-Agent: K-9 Mail for Android",
        "X-Priority: 3",
    ]


def _body(dice: random.Random, language: str, is_answer: bool) -> tuple[list[str], bytes]:
    lines = dice.choices(SENTENCES[language], k=dice.randint(8, 60))
    if dice.random() < DANGER_SHARE:
        lines[dice.randrange(len(lines))] = IN_DANGER[language]
    text = "".join(f"{line}.\r\n" for line in lines)
    if is_answer:
        text += "\r\nPada Sen, 5 Jan 2026 Rumah menulis:\r\n> " + "\r\n> ".join(
            text.split("\r\n")[:12]
        )
    plain = text.encode()
    draw = dice.random()
    if draw < 0.55:
        return [
            'Content-Type: text/plain; charset="utf-8"',
            "Content-Transfer-Encoding: 8bit",
        ], plain
    if draw < 0.75:
        head = [
            'Content-Type: text/plain; charset="utf-8"',
            "Content-Transfer-Encoding: quoted-printable",
        ]
        return head, quopri.encodestring(plain).replace(b"\n", b"\r\n")
    html = "<html><body><p>" + text.replace("\r\n", "</p>\r\n<p>") + "</p></body></html>"
    words = _multipart(
        "alternative",
        b'Content-Type: text/plain; charset="utf-8"\r\n\r\n' + plain,
        b'Content-Type: text/html; charset="utf-8"\r\n\r\n' + html.encode(),
    )
    if draw > 0.93:
        file = base64.encodebytes(dice.randbytes(50_000)).replace(b"\n", b"\r\n")
        kind = b'Content-Type: image/jpeg; name="foto.jpg"\r\nContent-Transfer-Encoding: base64'
        words = _multipart("mixed", words, kind + b"\r\n\r\n" + file)
    head, _, body = words.partition(b"\r\n\r\n")
    return [head.decode()], body


def _multipart(kind: str, *parts: bytes) -> bytes:
    line = b"--" + kind.encode()
    joined = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return f'Content-Type: multipart/{kind}; boundary="{kind}"\r\n\r\n'.encode() + joined
