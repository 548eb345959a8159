"""Seeded letters: the same bytes for the same numbers, shaped like what clients send."""

from __future__ import annotations

import base64
import email.utils
import quopri
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WORDS = [
    "saya",
    "merasa",
    "hari",
    "ini",
    "susah",
    "tidur",
    "lagi",
    "karena",
    "rumah",
    "ibu",
    "kakak",
    "sekolah",
    "kerja",
    "jalan",
    "pagi",
    "malam",
    "kemarin",
    "sudah",
    "coba",
    "napas",
    "pelan",
    "belum",
    "bisa",
    "cerita",
    "teman",
    "takut",
    "sedih",
    "marah",
    "senang",
    "the",
    "and",
    "I",
    "feel",
    "today",
    "could",
    "not",
    "sleep",
    "again",
    "because",
    "work",
    "mother",
    "walk",
    "morning",
    "tried",
    "breathing",
    "slowly",
    "friend",
    "afraid",
    "tired",
    "better",
    "worse",
    "maybe",
    "nothing",
    "helps",
    "small",
    "steps",
    "week",
    "thank",
    "you",
    "for",
    "writing",
]
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
    head = [
        *_trace(dice, sender, written),
        f"From: Klien {number % 1000} <{sender}>",
        "To: halo@rumah.test",
        f"Subject: {'Re: ' if references else ''}{' '.join(dice.choices(WORDS, k=4))}",
        f"Date: {email.utils.format_datetime(written)}",
        f"Message-ID: <{message_id}>",
        "MIME-Version: 1.0",
        "X-Mailer: K-9 Mail 6.7",
    ]
    if references:
        head.append(f"In-Reply-To: <{references[-1]}>")
        head.append("References: " + "\r\n ".join(f"<{one}>" for one in references[-8:]))
    kind, body = _body(dice, bool(references))
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


def _body(dice: random.Random, is_answer: bool) -> tuple[list[str], bytes]:
    text = "".join(
        " ".join(dice.choices(WORDS, k=dice.randint(6, 18))).capitalize() + ".\r\n"
        for _ in range(dice.randint(8, 60))
    )
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
