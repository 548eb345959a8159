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
    head = [
        f"From: Klien {number % 1000} <{sender}>",
        "To: halo@rumah.test",
        f"Subject: {'Re: ' if references else ''}{' '.join(dice.choices(WORDS, k=4))}",
        f"Date: {email.utils.format_datetime(START + timedelta(minutes=number))}",
        f"Message-ID: <{message_id}>",
        "MIME-Version: 1.0",
        "X-Mailer: K-9 Mail 6.7",
        "Received: from mx.klien.test by mx.rumah.test; Mon, 05 Jan 2026 08:00:00 +0000",
    ]
    if references:
        head.append(f"In-Reply-To: <{references[-1]}>")
        head.append("References: " + "\r\n ".join(f"<{one}>" for one in references[-8:]))
    kind, body = _body(dice, bool(references))
    return "\r\n".join([*head, *kind]).encode() + b"\r\n\r\n" + body


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
    parts = [
        b'Content-Type: text/plain; charset="utf-8"\r\n\r\n' + plain,
        b'Content-Type: text/html; charset="utf-8"\r\n\r\n' + html.encode(),
    ]
    if draw > 0.93:
        file = base64.encodebytes(dice.randbytes(50_000)).replace(b"\n", b"\r\n")
        head = b'Content-Type: image/jpeg; name="foto.jpg"\r\nContent-Transfer-Encoding: base64'
        parts.append(head + b"\r\n\r\n" + file)
    joined = b"".join(b"--batas\r\n" + part + b"\r\n" for part in parts) + b"--batas--\r\n"
    return ['Content-Type: multipart/mixed; boundary="batas"'], joined
