"""What is enclosed in a letter: forwarded letters, calendars, winmail.dat, smime.p7m."""

from __future__ import annotations

import base64
import struct
import subprocess

import pytest

from mailcounsel.intake import assessing
from mailcounsel.letter import calendars, cms, parse, tnef

BUDGETS = parse.Budgets()
FORWARDED = b"""\
From: Kakak <kakak@klien.test>
Date: Mon, 2 Nov 2026 10:00:00 +0700
Subject: =?utf-8?q?Untuk_adikku?=
Content-Type: text/plain; charset=utf-8

aku mau bunuh diri
"""


def mixed(*parts: bytes) -> bytes:
    head = b"From: ani@klien.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    return head + b"".join(b"--b\n" + part + b"\n" for part in parts) + b"--b--\n"


def read(*parts: bytes) -> parse.Letter:
    return parse.read(mixed(*parts), BUDGETS)


WORDS = b"Content-Type: text/plain\n\nIni surat kakak saya."
EML = b"Content-Type: message/rfc822\n\n" + FORWARDED


def test_a_forwarded_letter_is_read_and_stays_a_file():
    """Its sender, day and subject stand above its words; the file is kept as it came."""
    found = read(WORDS, EML)
    assert found.text.startswith("Ini surat kakak saya.\n\n---------- Forwarded message")
    assert "From: Kakak <kakak@klien.test>\n" in found.text
    assert "Subject: Untuk adikku\n" in found.text
    assert found.text.endswith("aku mau bunuh diri")
    assert [one.content_type for one in found.attachments] == ["message/rfc822"]


def test_danger_in_a_forwarded_letter_is_seen():
    """It may be why the client writes; it is not folded, and not taken for an old quotation."""
    assessed = assessing.assess(read(WORDS, EML), ("id", "en"))
    assert assessed.is_fresh_danger
    assert "bunuh diri" in assessed.new_words


@pytest.mark.parametrize("words", ["SETUJU", "STOP", "Setuju ya kak, terima kasih"])
def test_an_attached_word_is_no_command(words):
    """It may be anybody's, or an example; the same words written in the letter count."""
    kept = "Content-Disposition: attachment; filename=a.txt\r\n"
    for more, is_command in (("", True), (kept, False)):
        raw = f"From: a@b.test\r\nContent-Type: text/plain\r\n{more}\r\n{words}\r\n"
        letter = parse.read(raw.encode(), BUDGETS)
        assert letter.text.strip() == words
        assert (assessing.assess(letter, ("id", "en")).command is not None) == is_command


@pytest.mark.parametrize("words", ["TOLONG", "Saya ingin mati."])
def test_an_attached_cry_is_heard(words):
    """Help and danger in a file that is shown as the letter count as if they stood in it."""
    kept = "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n"
    raw = f"From: a@b.test\r\n{kept}\r\n{words}\r\n".encode()
    found = assessing.assess(parse.read(raw, BUDGETS), ("id", "en"))
    assert found.command == "help" or found.is_plain_danger


def test_a_file_in_a_forwarded_letter_takes_no_command_from_the_client():
    """What the client wrote above it is theirs."""
    kept = b"Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nhalo"
    letter = read(b"Content-Type: text/plain\n\nSTOP", b"Content-Type: message/rfc822\n\n" + kept)
    assert "halo" in letter.text
    assert "attached-text" not in letter.problems


def test_a_forwarded_letter_alone_is_the_letter():
    """Without words of the client's own nothing is empty."""
    assert "bunuh diri" in read(EML).text


def test_letters_in_letters_are_read_to_a_depth():
    """The third one is read, and deeper ones are left in their file."""
    raw = FORWARDED
    for number in range(5):
        raw = f"From: k{number}@klien.test\nContent-Type: message/rfc822\n\n".encode() + raw
    text = parse.read(raw, BUDGETS).text
    assert text.count("Forwarded message") == 3
    assert "bunuh diri" not in text


def test_an_enclosed_letter_beyond_the_limits_stops_nothing():
    """The letter around it is read, and the problem is told."""
    many = b"".join(b"X-%d: x\n" % number for number in range(1_100))
    found = read(WORDS, b"Content-Type: message/rfc822\n\n" + many + b"\nx")
    assert found.text == "Ini surat kakak saya."
    assert "enclosed-letter-not-read" in found.problems


def test_a_report_says_to_people_what_it_says_to_machines():
    """Where a mail server wrote no text, its fields are the text."""
    raw = (
        b"From: mailer-daemon@y.test\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/report; boundary=b\n\n"
        b"--b\nContent-Type: message/delivery-status\n\nThis mail was undeliverable.\n"
        b"--b\nContent-Type: message/delivery-status\n\nAction: failed\nStatus: 5.3.0\n--b--\n"
    )
    found = parse.read(raw, BUDGETS)
    assert "This mail was undeliverable." in found.text
    assert found.report is not None
    assert (found.report.failed, found.report.status) == (True, "5.3.0")


# -- calendars ----------------------------------------------------------------------------------

REPLY = b"""\
BEGIN:VCALENDAR\r
METHOD:REPLY\r
BEGIN:VTIMEZONE\r
TZID:Asia/Jakarta\r
DTSTART:19700101T000000\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
ATTENDEE;CN="Ani; K";PARTSTAT=ACCEPTED:mailto:ani@klien.test\r
SUMMARY:Bicara\\, hari Sel\r
 asa\r
DTSTART;TZID=Asia/Jakarta:20261201T090000\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_a_calendar_answer_is_read():
    """Whether somebody comes, to what, and when, in the zone it names."""
    assert calendars.described(REPLY) == (
        "[Calendar: answer, accepted]\nBicara, hari Selasa\nStart: 2026-12-01 09:00 (Asia/Jakarta)"
    )


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"DTSTART:20261201T020000Z", "Start: 2026-12-01 02:00 UTC"),
        (b"DTSTART;VALUE=DATE:20261201", "Start: 2026-12-01"),
        (b"DTSTART:soon", "Start: soon"),
    ],
)
def test_moments_of_a_calendar(line, shown):
    """UTC, whole days, and what is no moment at all."""
    assert shown in calendars.described(b"BEGIN:VEVENT\n" + line + b"\nEND:VEVENT\n")


def test_a_calendar_in_a_letter_is_text_and_a_file():
    """It is shown below the words, and can be saved."""
    found = read(WORDS, b"Content-Type: text/calendar; method=REPLY\n\n" + REPLY)
    assert "[Calendar: answer, accepted]" in found.text
    assert [one.content_type for one in found.attachments] == ["text/calendar"]


# -- winmail.dat --------------------------------------------------------------------------------


def attribute(level: int, name: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, name, len(value)) + value + b"\0\0"


WINMAIL = b"\x78\x9f\x3e\x22\x01\x00" + b"".join(
    (
        attribute(1, 0x0002800C, b"Saya menulis dari kantor.\0"),
        attribute(2, 0x00069002, b"\0" * 14),
        attribute(2, 0x00018010, b"../catatan.txt\0"),
        attribute(2, 0x0006800F, b"isi catatan"),
    )
)


def test_winmail_is_opened():
    """Its words count where there are no others; its files stand beside it with safe names."""
    body = base64.encodebytes(WINMAIL)
    part = (
        b'Content-Type: application/ms-tnef; name="winmail.dat"\n'
        b"Content-Transfer-Encoding: base64\n\n" + body
    )
    found = read(part)
    assert found.text == "Saya menulis dari kantor."
    assert [(one.name, one.data) for one in found.attachments][1:] == [
        ("catatan.txt", b"isi catatan")
    ]
    assert read(WORDS, part).text == "Ini surat kakak saya."


@pytest.mark.parametrize("cut", range(0, len(WINMAIL), 7))
def test_a_broken_winmail_is_no_error(cut):
    """Whatever is cut off, what could be read is given."""
    found = tnef.read(WINMAIL[:cut])
    assert found is None or len(found.files) <= 1


def test_a_file_that_only_says_it_is_winmail_is_told():
    """It stays a file, with a problem."""
    found = read(WORDS, b"Content-Type: application/ms-tnef\n\nnothing of the kind")
    assert "winmail-not-read" in found.problems
    assert len(found.attachments) == 1


# -- smime.p7m ----------------------------------------------------------------------------------

INSIDE = """Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
\r
Saya takut malam ini, é.\r
--b\r
Content-Type: image/png; name=foto.png\r
\r
x\r
--b--\r
""".encode()


@pytest.fixture(scope="module")
def openssl(tmp_path_factory):
    """Run OpenSSL's S/MIME with a new certificate, on the letter inside."""
    home = tmp_path_factory.mktemp("smime")
    (home / "inside").write_bytes(INSIDE)

    def run(command, *words, to):
        whole = ["openssl", command, "-out", to, *words]
        subprocess.run(whole, cwd=home, check=True, capture_output=True)
        return (home / to).read_bytes()

    made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Rina", "-keyout", "key")
    run(*made, to="certificate")
    return run


SIGN = ("cms", "-sign", "-nodetach", "-in", "inside", "-signer", "certificate", "-inkey", "key")


@pytest.mark.parametrize("form", ["-nosmimecap", "-stream"])
def test_a_letter_wrapped_in_its_signature_is_read(openssl, form):
    """Written whole or in pieces (DER and BER); the signature proves nothing by it."""
    found = parse.read(openssl(*SIGN, form, to="signed"), BUDGETS)
    assert found.text == "Saya takut malam ini, é."
    assert [one.name for one in found.attachments] == ["smime.p7m", "foto.png"]
    assert "smime" in found.problems


def test_an_encrypted_letter_stays_a_file(openssl):
    """No word of it is shown, whoever could open it."""
    closed = openssl("cms", "-encrypt", "-in", "inside", "-aes256", "certificate", to="closed")
    found = parse.read(closed, BUDGETS)
    assert (found.text, [one.name for one in found.attachments]) == ("", ["smime.p7m"])


def test_a_broken_wrapping_is_no_error(openssl):
    """Whatever is cut, changed, or nothing of the kind, nothing is read and nothing fails."""
    whole = openssl(*SIGN, "-outform", "DER", to="der")
    assert INSIDE in (cms.signed_content(whole) or b"")
    for cut in range(120):
        assert cms.signed_content(whole[:cut]) is None
        cms.signed_content(whole[:cut] + b"\x80" + whole[cut:])
    for bytes_of_no_use in (
        b"",
        b"\x30\x80" * 200_000,
        b"\x30\xff" + b"\xff" * 300,
        b"\x24\x80" * 9,
    ):
        assert cms.signed_content(bytes_of_no_use) is None
