"""Writing letters: exact bytes, no header but ours, and what other readers make of them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mailcounsel import errors
from mailcounsel.letter import attachments, parse, templates, write

BUDGETS = parse.Budgets()
LETTER = write.Outgoing(
    from_name="Rumah Surat",
    from_address="surat@example.org",
    to_address="melati@klien.test",
    subject="Surat untuk Anda – é",
    date=datetime(2026, 11, 3, 6, 0, tzinfo=UTC),
    message_id="01hx0002@example.org",
    in_reply_to="CAF0001@klien.test",
    references=("first@klien.test", "CAF0001@klien.test"),
    auto_submitted="auto-replied",
)
TEXT = "Halo,\n\nhari ini – é 你好 😔\n.\nFrom here\n-- \nspasi di akhir \n" + "panjang " * 300
FILES = (
    attachments.Attachment("catatan é.pdf", "application/pdf", bytes(range(256)) * 10),
    attachments.Attachment("../a.eml", "message/rfc822", b"From: x@y.test\n\n\r.\r"),
)
ARMOUR = b"-----BEGIN PGP MESSAGE-----\n\nabcd\n-----END PGP MESSAGE-----\n"
AUTOCRYPT = b"Autocrypt: addr=surat@example.org; keydata=\r\n " + b"QUJD" * 19 + b"\r\n"


def built(letter=LETTER, text=TEXT, files=FILES):
    return {
        "payload": write.payload(letter, text, files),
        "plain": write.plain_mail(letter, text, files, AUTOCRYPT),
        "short": write.plain_mail(letter, text),
        "encrypted": write.encrypted_mail(letter, ARMOUR, AUTOCRYPT),
    }


@pytest.mark.parametrize("kind", ["payload", "plain", "short", "encrypted"])
def test_wire_form(kind):
    """Every line ends in CRLF, none is longer than mail allows, and all is ASCII."""
    raw = built()[kind]
    assert raw.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()
    assert b"\r\nFrom " not in raw


@pytest.mark.parametrize("kind", ["payload", "plain", "short"])
def test_round_trip(kind):
    """What was written is read again: headers, text, attachments."""
    found = parse.read(built()[kind], BUDGETS)
    assert found.subject == LETTER.subject
    assert found.sender.address == LETTER.from_address
    assert found.sender.name == LETTER.from_name
    assert found.recipients == (LETTER.to_address,)
    assert found.message_id == LETTER.message_id
    assert found.in_reply_to == (LETTER.in_reply_to,)
    assert found.references == LETTER.references
    assert found.date == LETTER.date
    assert found.header("auto-submitted") == "auto-replied"
    assert found.text == TEXT
    if kind != "short":
        assert [one.data for one in found.attachments] == [one.data for one in FILES]
        assert found.attachments[0].name == "catatan é.pdf"
        assert {one.content_type for one in found.attachments} == {
            "application/pdf",
            "application/octet-stream",
        }


@pytest.mark.parametrize("kind", ["payload", "plain", "short"])
def test_the_standard_library_reads_the_same(kind):
    """Another reader finds the same text and no defect."""
    found = email.message_from_bytes(built()[kind], policy=email.policy.default)
    body = found.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == TEXT
    assert found["Subject"] == LETTER.subject
    assert [part.defects for part in found.walk()] == [[]] * len(list(found.walk()))


def test_protected_headers():
    """The payload's root is multipart/mixed with both marks and a copy of each outer header."""
    found = email.message_from_bytes(built()["payload"])
    assert found.get_content_type() == "multipart/mixed"
    assert (found.get_param("hp"), found.get_param("protected-headers")) == ("cipher", "v1")
    outer = email.message_from_bytes(built()["encrypted"])
    copies = {
        line.partition(": ")[0]: line.partition(": ")[2]
        for line in (" ".join(one.split()) for one in found.get_all("HP-Outer", []))
    }
    names = {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
    }
    assert set(copies) == names
    assert copies == {name: " ".join(outer[name].split()) for name in names}


def test_encrypted_mail_is_two_parts_and_neutral():
    """RFC 3156: a version and the armour; outside neither subject nor name can be read."""
    raw = built()["encrypted"]
    outer = parse.read(raw, BUDGETS)
    assert outer.protection.kind == "encrypted"
    assert outer.protection.ciphertext.replace(b"\r\n", b"\n").strip() == ARMOUR.strip()
    assert (outer.subject, outer.sender.name) == ("[...]", "")
    kinds = [part.get_content_type() for part in email.message_from_bytes(raw).walk()]
    assert kinds == [
        "multipart/encrypted",
        "application/pgp-encrypted",
        "application/octet-stream",
    ]
    inner = parse.inner(built()["payload"], outer, BUDGETS)
    assert (inner.subject, inner.header_protection) == (LETTER.subject, "hp")
    assert inner.problems == ()


def test_autocrypt_is_kept_as_it_is():
    """The Autocrypt field arrives byte for byte, at the top."""
    for kind in ("plain", "encrypted"):
        assert built()[kind].startswith(AUTOCRYPT)


INJECTIONS = [
    "a\nBcc: evil@x.test",
    "a\r\nBcc: evil@x.test",
    "a\rBcc: evil@x.test",
    "a\0b",
    "a\x0bb",
    "a\x85b",
    "a\u2028b",
    "a\x1b[2J",
    "a\ud800",
]


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize(
    "place",
    ["from_name", "from_address", "to_address", "subject", "message_id", "in_reply_to", "extra"],
)
def test_cve_2024_6923_header_injection(place, value):
    """A control character in any header value refuses the letter."""
    change: dict[str, Any] = {place: (("X-Note", value),) if place == "extra" else value}
    letter = replace(LETTER, **change)
    with pytest.raises(errors.Refused):
        write.plain_mail(letter, "x")


@pytest.mark.parametrize("place", ["subject", "from_name", "extra"])
def test_encoded_words_in_a_value_stay_text(place):
    """A value that looks like an encoded newline is written so that it reads as it is."""
    trick = "=?utf-8?q?x=0ABcc:_evil@x.test?="
    change: dict[str, Any] = {place: (("X-Note", trick),) if place == "extra" else trick}
    letter = replace(LETTER, **change)
    raw = write.plain_mail(letter, "x")
    found = email.message_from_bytes(raw)
    assert found["Bcc"] is None
    assert b"=?utf-8?q?x=0A" not in raw
    shown = parse.read(raw, BUDGETS)
    assert trick in {shown.subject, shown.sender.name, shown.header("x-note")}


def test_references_that_cannot_be_sent_are_left_out():
    """A client's odd reference is not repeated, and of many only the nearest are."""
    odd = replace(LETTER, references=("a b", "c<d", "é", *(f"{n}@x" for n in range(30))))
    found = parse.read(write.plain_mail(odd, "x"), BUDGETS)
    assert found.references == tuple(f"{n}@x" for n in range(10, 30))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b.test",
        "a b@c.test",
        "a@b.test,c@d.test",
        "<a@b.test>",
        "a@b..test",
        "a@[192.0.2.1]",
        "-a@b.test\n",
        "a@b.test>",
        '"a"@b.test',
        "a@b_.test-",
    ],
)
def test_addresses_are_checked(address):
    """Nothing but one plain address is written to."""
    with pytest.raises(errors.Refused):
        write.plain_mail(replace(LETTER, to_address=address), "x")


@pytest.mark.parametrize("name", ["Bcc", "subject", "Content-Type", "Reply-To", "X Y", "X:Y", ""])
def test_further_headers_cannot_replace_ours(name):
    """An extra field is neither one of the letter's own nor a malformed one."""
    with pytest.raises(errors.Refused):
        write.plain_mail(replace(LETTER, extra=((name, "x"),)), "x")


@pytest.mark.parametrize(
    "field", [b"Autocrypt: x", b"A: b\r\nBcc: c@d.test\r\n", b"A: b\n", b"\r\n", b"A: \x00\r\n"]
)
def test_a_raw_field_is_one_field(field):
    """Only one complete folded field can be put in front."""
    with pytest.raises(errors.Refused):
        write.plain_mail(LETTER, "x", autocrypt=field)


def test_a_date_needs_a_zone():
    """A naive date is refused."""
    with pytest.raises(errors.Refused):
        write.plain_mail(replace(LETTER, date=datetime(2026, 1, 1)), "x")


def test_long_headers_are_folded_or_refused():
    """A long subject is folded and read again; a word longer than a line is refused."""
    long = replace(LETTER, subject="kata " * 300 + "akhir")
    raw = write.plain_mail(long, "x")
    head = raw.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 80
    assert parse.read(raw, BUDGETS).subject == long.subject
    with pytest.raises(errors.Refused):
        write.plain_mail(replace(LETTER, subject="x" * 1200), "x")


def test_size():
    """A mail within the limit passes, one byte more does not."""
    write.check_size(b"x" * 20_000)
    with pytest.raises(errors.OverBudget):
        write.check_size(b"x" * 20_001)


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_own_letter_is_small(language):
    """Every letter the centre writes by itself stays within 20 kB, encrypted or not."""
    for name in templates.names():
        facts = dict.fromkeys(templates.FACTS[name], "é " * 200) | {"subject": "x"}
        mail = templates.render(language, name, facts)
        raw = write.payload(replace(LETTER, subject=mail.subject), mail.body)
        write.check_size(raw, 12_000)  # armour adds about a half


def test_text_without_any_line():
    """An empty text is a letter, too."""
    assert parse.read(write.plain_mail(LETTER, ""), BUDGETS).text == ""
