"""Reading letters: `letter.parse`, `letter.mime`, `letter.headers`, `letter.addresses`."""

from __future__ import annotations

import base64
import email
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailcounsel import errors
from mailcounsel.letter import addresses, attachments, charsets, headers, mime, parse

MAIL = Path(__file__).parent.parent / "mail"
BUDGETS = parse.Budgets()


def letter(name):
    return parse.read((MAIL / f"{name}.eml").read_bytes(), BUDGETS)


def read(*lines, body=b"x"):
    return parse.read(b"\r\n".join([*lines, b"", body]), BUDGETS)


# -- own fixtures -------------------------------------------------------------------------------


def test_gmail_reply():
    """A Gmail reply gives its plain text, its parents and its moment in UTC."""
    found = letter("gmail-reply-id")
    assert found.text.startswith("Terima kasih balasannya. Minggu ini saya sudah jalan kaki")
    assert not found.html_used
    assert found.sender == addresses.Sender("melati@klien.test", "Melati", "")
    assert found.recipients == ("surat@example.org",)
    assert found.message_id == "CAF0001melati@mail.klien.test"
    assert found.references == found.in_reply_to == ("01hx0000@example.org",)
    assert found.date == datetime(2026, 11, 3, 13, 15, 9, tzinfo=UTC)
    assert found.header("delivered-to") == "surat@example.org"
    assert found.problems == ()


def test_outlook_reply():
    """Windows-1252 is read, and a comma in a quoted name does not make two senders."""
    found = letter("outlook-reply-en")
    assert "I did not sleep much – again." in found.text
    assert found.sender == addresses.Sender("amber@client.test", "Amber, R.", "")


def test_phone_letter():
    """Emoji in a name and in the text survive, and an empty subject is no problem."""
    found = letter("phone-id")
    assert found.sender.name == "Bunga 🌸"
    assert "😔" in found.text
    assert found.subject == ""


def test_html_only_letter():
    """HTML becomes text with its list, without script, style and anything remote."""
    found = letter("html-only-id")
    assert found.html_used
    assert "* siapa yang membaca" in found.text
    assert "Terima kasih & salam" in found.text
    for absent in ("alert", "color", "tracker"):
        assert absent not in found.text


def test_delivery_report():
    """A bounce names the letter it reports, the status, the address and our headers."""
    report = letter("bounce").report
    assert report is not None
    assert (report.kind, report.failed, report.status) == ("delivery", True, "5.1.1")
    assert report.original_message_id == "01hx0042@example.org"
    assert report.recipients == ("melati@klien.test",)
    assert ("subject", "[...]") in report.returned_headers
    assert letter("bounce").text.startswith("Your message could not be delivered")
    assert letter("bounce").attachments == ()


def test_vacation_and_list_headers():
    """What classifying needs is found by name, whatever its case."""
    assert letter("vacation-en").header("AUTO-SUBMITTED") == "auto-replied (vacation)"
    assert letter("list-en").header("List-Id") == "Gardeners <gardeners.garden.test>"
    assert letter("list-en").text.startswith("Café at noon.\n\n---------- Forwarded message")
    kinds = [one.content_type for one in letter("list-en").attachments]
    assert kinds == ["message/rfc822", "message/rfc822"]


def test_attachments_and_flowed_text():
    """Attachment names leave no folder and do not clash; flowed lines are joined."""
    found = letter("attachments-en")
    assert [one.name for one in found.attachments] == [
        "passwd.png",
        "Foto über.JPG",
        "foto über (2).jpg",
    ]
    assert found.attachments[0].data == b"\x89PNG\r\n\x1a\n"
    assert found.text == (
        "This is one long sentence that was wrapped by the program.\n"
        "> quoted once and on\n-- \nRowan"
    )
    assert found.recipients == ("letters@example.org", "second@example.org", "third@example.org")


# -- protection ---------------------------------------------------------------------------------


def test_encrypted_letter():
    """An encrypted letter gives its armour, and no text and no files of its own."""
    found = letter("encrypted")
    assert found.protection.kind == "encrypted"
    assert found.protection.ciphertext.strip().startswith(b"-----BEGIN PGP MESSAGE-----")
    assert (found.text, found.attachments) == ("", ())


def test_exchange_mangled_encryption():
    """A root that Exchange changed to multipart/mixed is still an encrypted letter."""
    raw = (MAIL / "encrypted.eml").read_bytes()
    raw = raw.replace(
        b'multipart/encrypted; protocol="application/pgp-encrypted"', b"multipart/mixed"
    )
    raw = raw.replace(b"\n--enc\n", b"\n--enc\nContent-Type: text/plain\n\n\n--enc\n", 1)
    assert parse.read(raw, BUDGETS).protection.kind == "encrypted"


def test_nested_encryption_is_a_file():
    """EFAIL: an encrypted part that is not the root is never taken for the letter."""
    raw = (MAIL / "encrypted.eml").read_bytes()
    head, _, body = raw.partition(b"MIME-Version")
    wrapped = (
        head
        + b"Content-Type: multipart/mixed; boundary=o\n\n--o\n\nhello\n--o\nMIME-Version"
        + body
        + b"\n--o--\n"
    )
    found = parse.read(wrapped, BUDGETS)
    assert found.protection.kind == "none"
    assert "nested-encryption" in found.problems
    assert found.text == "hello"
    assert [one.content_type for one in found.attachments] == [
        "application/pgp-encrypted",
        "application/octet-stream",
    ]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_signed_slice_is_exact(line_end):
    """The signed bytes are the part as it came, headers included, with CRLF lines."""
    raw = (MAIL / "signed-id.eml").read_bytes().replace(b"\n", line_end)
    found = parse.read(raw, BUDGETS)
    assert found.protection.signed == (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"Ini surat saya.=20\r\n\r\nDahlia"
    )
    assert found.protection.signature.startswith(b"-----BEGIN PGP SIGNATURE-----")
    assert found.text.startswith("Ini surat saya.")
    assert found.attachments == ()


def test_inline_armour():
    """Armour in a plain letter is recognised; text around it is a problem to be told."""
    armour = b"-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----"
    clean = read(b"From: a@b.test", body=armour)
    assert clean.protection == parse.Protection("inline-encrypted", ciphertext=armour)
    assert "text-around-armour" not in clean.problems
    assert "text-around-armour" in read(b"From: a@b.test", body=b"hi\n" + armour).problems
    html = read(b"From: a@b.test", b"Content-Type: text/html", body=armour)
    assert html.protection.kind == "none"


def test_smime_is_named():
    """S/MIME is not opened; the letter says why it cannot be read."""
    found = read(b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data")
    assert {"smime", "smime-encrypted"} <= set(found.problems)


# -- the letter inside --------------------------------------------------------------------------


def opened(parameters, *fields):
    head = b"\r\n".join([b"Content-Type: text/plain; charset=utf-8" + parameters, *fields])
    return parse.inner(head + b"\r\n\r\nisi\r\n", letter("encrypted"), BUDGETS)


def test_protected_headers_ignore_the_outer_ones():
    """With hp="cipher" only the transport's fields come from outside (RFC 9788)."""
    found = opened(
        b'; hp="cipher"',
        b"Subject: Kabar",
        b"From: Cempaka <cempaka@klien.test>",
        b"To: surat@example.org",
        b"Date: Tue, 10 Nov 2026 05:00:00 +0000",
        b"Message-ID: <inner.1@klien.test>",
        b"References: <inner.1@klien.test> <01hx0001@example.org>",
        b"HP-Outer: Subject: [...]",
    )
    assert (found.subject, found.text) == ("Kabar", "isi")
    assert found.message_id == "inner.1@klien.test"
    assert found.references == ("01hx0001@example.org",)
    assert found.date == datetime(2026, 11, 10, 5, tzinfo=UTC)
    assert found.header("received") is not None
    assert found.all("subject") == ("Kabar",)
    assert found.header_protection == "hp"
    assert found.problems == ()


def test_missing_inner_sender_is_not_taken_from_outside():
    """A protected letter without a From is from nobody, whatever the envelope's From says."""
    assert opened(b'; hp="cipher"', b"Subject: x").sender.address is None


def test_other_inner_sender_is_told():
    """An inner sender that differs from the outer one is a problem that vouching must see."""
    found = opened(b'; hp="cipher"', b"From: other@klien.test")
    assert found.sender.address == "other@klien.test"
    assert "inner-sender-differs" in found.problems


def test_older_protected_headers_go_first():
    """With protected-headers="v1" inner fields win and outer ones fill the gaps."""
    found = opened(b'; protected-headers="v1"', b"Subject: Kabar")
    assert found.subject == "Kabar"
    assert found.sender.address == "cempaka@klien.test"
    assert found.message_id == "enc.1@klien.test"
    assert found.header_protection == "v1"


def test_unprotected_headers_stay_outside():
    """Without protection the outer subject stands, and an Autocrypt inside still counts."""
    found = opened(b"", b"Subject: inside", b"Autocrypt: addr=a; keydata=aW5uZXI=")
    assert found.subject == "[...]"
    assert found.autocrypt == ("addr=a; keydata=aW5uZXI=",)
    assert found.text == "isi"


def test_signature_inside_the_encryption():
    """A signed payload keeps its signature, and its headers are those of the signed part."""
    inside = (
        b"Content-Type: multipart/signed; boundary=s; protocol=application/pgp-signature\n\n"
        b'--s\nContent-Type: text/plain; hp="cipher"\nSubject: Dalam\n\nisi\n'
        b"--s\nContent-Type: application/pgp-signature\n\nSIG\n--s--\n"
    )
    found = parse.inner(inside, letter("encrypted"), BUDGETS)
    assert (found.subject, found.text, found.protection.kind) == ("Dalam", "isi", "signed")
    assert found.protection.signed.endswith(b"Subject: Dalam\r\n\r\nisi")


def test_legacy_display_is_not_text():
    """The subject repeated for old programs is not the client's words."""
    inside = (
        b'Content-Type: text/plain; hp="cipher"; hp-legacy-display="1"\nSubject: S\n\n'
        b"Subject: S\n\nisi\n"
    )
    assert parse.inner(inside, letter("encrypted"), BUDGETS).text == "isi"


@pytest.mark.parametrize(
    ("first", "text"),
    [(b"Subject: S\nFrom: a@b.test", "isi"), (b"saya takut", "saya takut\n\nisi")],
)
def test_legacy_display_part(first, text):
    """A first part that only repeats headers is left out; one with any other word is not."""
    mark = b'; protected-headers="v1"'
    inside = (
        b"Content-Type: multipart/mixed; boundary=b" + mark + b"\nSubject: S\n\n"
        b"--b\nContent-Type: text/plain" + mark + b"\n\n" + first + b"\n--b\n\nisi\n--b--"
    )
    assert parse.inner(inside, letter("encrypted"), BUDGETS).text == text


def test_inline_content():
    """The content of inline armour is text under the outer headers."""
    armour = b"-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----"
    outer = read(b"From: a@b.test", b"Subject: S", body=armour)
    found = parse.inner("saya é\r\n".encode(), outer, BUDGETS)
    assert (found.text, found.subject, found.protection.kind) == ("saya é", "S", "none")


# -- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (b"a@Example.ORG", "a@example.org"),
        (b"A.b+c@example.org (Rita)", "A.b+c@example.org"),
        (b'"Doe, R." <r@example.org>', "r@example.org"),
        (b"=?utf-8?q?R=C3=A9?= <r@example.org>", "r@example.org"),
        ("R <r@bücher.test>".encode(), "r@xn--bcher-kva.test"),
        (b"<r@example.org>", "r@example.org"),
        (b"r@localhost", "r@localhost"),
    ],
)
def test_one_plain_sender(value, address):
    """One plain mailbox is an identity, its domain in lower case and punycode."""
    assert addresses.sender([value]).address == address


@pytest.mark.parametrize(
    ("domain", "wire"),
    [
        ("straße.test", "xn--strae-oqa.test"),  # not strasse.test, which is somebody else's
        ("STRAẞE.test", "xn--strae-oqa.test"),
        ("βόλος.test", "xn--nxasmm1c.test"),
        ("نامه\u200cای.test", "xn--mgba3gch31f060k.test"),
        ("ꦱꦸꦫꦠ.test", "xn--bm9avar2a.test"),  # newer than the rules of 2003
        ("BÜCHER.test", "xn--bcher-kva.test"),
        ("bu\u0308cher.test", "xn--bcher-kva.test"),
        # What has to be mapped, or is read in two ways, is nobody's.
        ("ｂuch.test", None),
        ("bu\u00adch.é.test", None),
        ("bu\u200dch.test", None),
        ("é。test", None),
        ("Ⅳ.test", None),
        ("☃.test", None),
        ("xn--strae-oqa.é.test", None),
        ("é..test", None),
        ("é.test\n", None),
        ("é" * 100, None),
    ],
)
def test_a_domain_beyond_ascii_is_never_read_as_another_one(domain, wire):
    """It is what IDNA 2008 makes of it, which is what the owner has registered, or nobody's."""
    assert addresses.normal(f"a@{domain}") == (wire and f"a@{wire}")


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ([], "no-sender"),
        ([b""], "no-sender"),
        ([b"a@x.test", b"b@x.test"], "several-from"),
        ([b"a@x.test, b@x.test"], "several-addresses"),
        ([b"<a@x.test> <b@x.test>"], "several-addresses"),
        ([b"Staff: a@x.test;"], "group"),
        ([b"<@one.test,@two.test:a@x.test>"], "route"),
        ([b"a(b@x.test)@y.test"], "comment"),
        ([b"<a@x.test(c)>"], "comment"),
        ([b"(b@x.test) a@y.test"], "comment"),
        ([b"=?utf-8?b?YUB4LnRlc3Q=?=@y.test"], "encoded"),
        ([b"a@x.test\x00@y.test"], "control"),
        ([b"a@x.test\r@y.test"], "control"),
        ([b'"a@x.test "@y.test'], "not-an-address"),
        ([b"a@x.test@y.test"], "not-an-address"),
        ([b"<a@x.test"], "not-an-address"),
        ([b"a@x.test>"], "not-an-address"),
        ([b"a@x.test <>"], "not-an-address"),
        ([b"a b@x.test"], "not-an-address"),
        ([b"a@[192.0.2.1]"], "not-an-address"),
        ([b"a@x.test."], "not-an-address"),
        ([b"a@x..test"], "not-an-address"),
        (["a＠x.test".encode()], "not-an-address"),
        (["a\u202e@x.test".encode()], "not-an-address"),
        (["ａ@x.test".encode()], "not-an-address"),
        ([b"a@" + b"x" * 64 + b".test"], "not-an-address"),
        ([b"\xff@x.test"], "encoded"),
    ],
)
def test_sender_tricks_are_nobody(values, doubt):
    """CVE-2023-27043, CVE-2019-16056 and their kind: what can be read in two ways is nobody."""
    found = addresses.sender(values)
    assert (found.address, found.doubt) == (None, doubt)


def test_a_name_may_not_pose_as_an_address():
    """A display name that shows another address is said so."""
    found = addresses.sender([b'"friend@x.test" <stranger@y.test>'])
    assert (found.address, found.doubt) == ("stranger@y.test", "name-shows-another-address")


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("Anna@Klien.TEST", "anna@klien.test", True),
        (" anna@straße.test", "anna@xn--strae-oqa.test", True),
        ("weiß@klien.test", "weiss@klien.test", False),
        ("ÉLAN@klien.test", "élan@klien.test", False),
        ("\u212aate@klien.test", "kate@klien.test", False),
    ],
)
def test_addresses_are_compared_as_mail_systems_do(one, other, are_same):
    """A to Z have two cases, a domain two written forms; nothing else equals anything."""
    assert (addresses.compared(one) == addresses.compared(other)) is are_same


def test_a_name_that_shows_a_look_alike_is_told():
    """A name with weiß@ beside the address weiss@ shows another one."""
    found = addresses.sender(['"weiß@x.test" <weiss@x.test>'.encode()])
    assert found.doubt == "name-shows-another-address"


# -- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?q?caf=C3=A9_au?= =?utf-8?q?_lait?=", "café au lait"),
        (b"=?utf-8?b?4pyT?= and =?iso-8859-1?q?=E9?=", "✓ and é"),
        (b"=?utf-8?b?w6k=?=x", "éx"),
        (b"=?utf-8?b?ww==?= =?utf-8?b?qQ==?=", "é"),
        (b"=?utf-8*id?q?a?=", "a"),
        (b"=?nonsense?q?a=E9?=", "aé"),
        (b"=?utf-8?q?x=0ABcc:_evil@x.test?=", "x Bcc: evil@x.test"),
        (b"=?utf-8?q?a=00b?=", "ab"),
        ("roh é".encode(), "roh é"),
        (b"alt \xe9", "alt é"),
        (b"=?utf-7?q?+2AA-?=", "\ufffd"),
    ],
)
def test_encoded_words(value, text):
    """Encoded words become one line of valid text, also cut inside a letter, also lying."""
    assert headers.decoded(value) == text


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (b"<a@b> <c@d>\t<a@b>", ("a@b", "c@d")),
        (b"a@b", ("a@b",)),
        (b"<a@\r\n b>", ("a@b",)),
        (b"<<<<", ()),
        (b"", ()),
    ],
)
def test_message_ids(value, ids):
    """Message-IDs are read in order, without doubles, in whatever form they come."""
    assert headers.message_ids(value) == ids


def test_references_are_bounded():
    """Of too many references the nearest are kept, and never the letter itself."""
    many = b" ".join(b"<%d@x>" % number for number in range(150))
    found = read(b"Message-ID: <149@x>", b"References: " + many)
    assert len(found.references) == 100
    assert found.references[-1] == "148@x"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Thu, 12 Nov 2026 06:00:00 -0000", datetime(2026, 11, 12, 6, tzinfo=UTC)),
        (b"12 Nov 2026 06:00:00 +0700 (WIB)", datetime(2026, 11, 11, 23, tzinfo=UTC)),
        (b"Thu, 99 Nov 2026 06:00:00 +0000", None),
        (b"31 Dec 9999 23:59:59 -2300", None),
        (b"kemarin", None),
        (b"", None),
    ],
)
def test_dates(value, moment):
    """A date is an aware moment in UTC, or there is none."""
    assert headers.date(value) == moment


def test_parameters_of_rfc_2231():
    """Pieces are put together in their order, with the charset of the first."""
    text = "attachment; filename*1*=%20b; filename*0*=iso-8859-1'en'%E9; filename=fallback"
    assert headers.parameters(text)["filename"] == "é b"


# -- structure ----------------------------------------------------------------------------------


def test_no_header_holds_a_line_end():
    """Folded and bare line ends in headers become blanks."""
    found = read(b"Subject: one\r\n two\rthree\x0bfour")
    assert not any(set("\r\n\x0b\x00") & set(value) for _, value in found.headers)
    assert found.subject == "one two three four"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0",
        b"no header at all",
        b"From: a@b.test",
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"Content-Type: multipart/mixed; boundary=b\n\nnever",
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\n--b\n--b--",
        b"Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b--",
        b"Content-Type: text\n\nx",
        b"Content-Type: text/plain; charset=zlib\n\nx",
        b"Content-Transfer-Encoding: base64\n\nA",
        b"Content-Type: message/rfc822\n\n" * 50,
        b"\r\rFrom: a@b.test\r\rtext",
        b" \n\t\nFrom: a@b.test\n\ntext",
        b"From x Mon\nFrom: a@b.test\n\ntext",
        bytes(range(256)) * 20,
    ],
)
def test_any_bytes_are_a_letter(raw):
    """Nothing that arrives makes reading fail, and every text is valid."""
    found = parse.read(raw, BUDGETS)
    for value in (found.text, found.subject, *(value for _, value in found.headers)):
        assert "\0" not in value
        value.encode()


def test_text_of_a_letter_with_bare_returns():
    """A letter whose lines end in bare CR is read."""
    found = parse.read(b"From: a@b.test\rSubject: s\r\rone\rtwo", BUDGETS)
    assert (found.subject, found.text) == ("s", "one\ntwo")


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.test\rSubject: s\r\rone\rtwo\r\n",  # the wire adds the last line end
        b"Received: by x\r\nFrom: a@b.test\rSubject: s\r\rone\rtwo\r\n",
        b"From: a@b.test\nSubject: s\r\rone\ntwo\n",
        b"From: a@b.test\rSubject: s\r\rone\r\n\r\ntwo",
        b"\r\n\r\nFrom: a@b.test\rSubject: s\r\rone\rtwo\r\n",
    ],
)
def test_a_header_that_ends_in_bare_returns_hides_no_word(raw):
    """Whichever line ends stand around it."""
    found = parse.read(raw, BUDGETS)
    assert (found.sender.address, found.subject) == ("a@b.test", "s")
    assert found.text.split() == ["one", "two"]


def test_a_bare_return_speaks_for_no_border():
    """Our border saw one Subject line, and took no field out of it."""
    said = b"AUTHENTICATION-RESULTS : mx.rumah.test; dmarc=pass header.from=b.test"
    found = parse.read(b"Subject: s\r" + said + b"\rFrom: a@b.test\r\rone\r\n", BUDGETS)
    assert found.all("authentication-results") == ()
    assert (found.subject, found.text) == ("s", "one")


def test_a_header_behind_bare_returns_is_named_as_such():
    """Also one that has no other line end; a bare return among the words is no doubt."""
    for raw in (b"From: a@b.test\r\rone", b"X-A: b\rFrom: a@b.test\r\rone\r\n\r\ntwo"):
        assert parse.BARE_RETURNS in parse.read(raw, BUDGETS).problems
    assert (
        parse.BARE_RETURNS not in parse.read(b"From: a@b.test\r\n\r\none\r\rtwo", BUDGETS).problems
    )


def test_what_is_locked_inside_keeps_the_doubt_about_the_outer_header():
    """Headers inside that name the same sender take no border's word away from whom it was for."""
    outer = replace(letter("encrypted"), problems=(parse.BARE_RETURNS,))
    for kind in (b'; hp="cipher"', b'; protected-headers="v1"', b""):
        head = b"Content-Type: text/plain%s\r\nFrom: %s" % (kind, outer.sender.address.encode())
        found = parse.inner(head + b"\r\n\r\nisi\r\n", outer, BUDGETS)
        assert parse.BARE_RETURNS in found.problems


def test_a_doubled_return_at_each_line_end_is_none():
    """Some gateways write CR CR LF; a single bare CR in a field stays for the sender's doubt."""
    found = parse.read(b"From: a@b.test\r\r\nSubject: s\r\r\n\r\r\none\r\r\n", BUDGETS)
    assert (found.subject, found.text.strip()) == ("s", "one")
    assert parse.read(b"From: a@b.test\rx: y\n\none", BUDGETS).sender.doubt == "control"


def alternative(plain, html):
    return read(
        b"Content-Type: multipart/alternative; boundary=b",
        body=b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n--b\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n%s\r\n--b--"
        % (plain.encode(), html.encode()),
    ).text


@pytest.mark.parametrize(
    "stub",
    [
        "Your email client does not support HTML.",
        "Diese Nachricht wurde im HTML-Format gesendet.",
        "[cid:image001.png@01DC4C39.12345678]",
        "This is a multi-part message in MIME format.",
    ],
)
def test_a_short_stub_beside_short_html(stub):
    """What only says that there is HTML is left for what the client wrote."""
    assert alternative(stub, "<p>Suami saya minum.</p>") == "Suami saya minum."


def test_a_plain_version_that_ends_early():
    """Where the HTML says all of it and much more, the HTML is read."""
    html = "<p>Halo,</p><p>suami saya minum dan saya sendiri dengan tiga anak.</p>"
    assert "tiga anak" in alternative("Halo,", html)


LETTER = "Sudah lama saya ingin menulis surat ini kepada kakak di sana. " * 6


@pytest.mark.parametrize("plain", ["Halo.", LETTER])
@pytest.mark.parametrize("more", ["Saya mau mati.", "Tolong!", "Ayah memukul saya lagi."])
def test_what_only_the_html_says_is_read(plain, more):
    """Two words more are more than a program adds, in a letter of any length."""
    assert more in alternative(plain, f"<p>{plain}</p><p>{more}</p>")


def test_what_only_the_html_says_is_read_beside_what_only_the_plain_one_says():
    """Neither is lost, and what both say is read once."""
    plain = f"{LETTER}\n[gambar: bunga]\nSalam, *Rina*"
    html = (
        f"<style>{'x' * 30_000}</style><p>{LETTER}</p><p>Malam ini, obat itu.</p><p>Salam, Rina</p>"
    )
    assert alternative(plain, html) == f"Malam ini, obat itu.\n\n{plain}"


@pytest.mark.parametrize(
    "html",
    [
        f"<p>{LETTER}</p><ol><li>tidur<li>makan</ol><table><tr><td>Senin</td><td>3</td></tr></table>",
        f"<p>{LETTER}</p><p>1. tidur</p><p>2. makan</p><p>Senin <i>3</i></p><p>4</p>",
        f"<p>{LETTER}</p><p>tidur makan <a href=x>surat</a> Senin 3</p>",
    ],
)
def test_what_two_versions_say_alike_is_read_once(html):
    """Numbers, cells and one other word are how programs write the same thing twice."""
    plain = f"{LETTER}\n1. tidur\n2. _makan_ [surat]\nSenin 3 jam"
    assert alternative(plain, html) == plain


def test_a_letter_of_many_versions_is_compared_in_no_time():
    """Versions within versions are not compared at each level."""
    html = b"<p>Saya takut <b>sekali</b>.</p>" * 3000
    head = b"Content-Type: multipart/alternative; boundary=b%d\r\n\r\n--b%d\r\n\r\n%s\r\n--b%d\r\n"
    opened = b"".join(head % (n, n, LETTER.encode(), n) for n in range(90))
    raw = b"From: a@b.test\r\n" + opened + b"Content-Type: text/html\r\n\r\n" + html
    before = time.process_time()
    assert "Sudah lama" in parse.read(raw, BUDGETS).text
    assert time.process_time() - before < 1


def test_a_link_is_no_difference():
    """The plain version shows where it leads, the HTML one only its words."""
    html = '<p>Lihat <a href="https://y.test/abc/def">video ini</a></p>'
    plain = "Lihat video ini <https://y.test/abc/def?x=1&y=2&z=3>"
    assert alternative(plain, html) == plain


def test_a_plain_version_in_one_line():
    """Samsung's program joins the lines of the plain version; the HTML has them."""
    plain = "Sudah.Dikirim dari Galaxy saya-------- Pesan asli --------Dari: Surat <s@y.test> Halo"
    found = alternative(plain, "<p>Sudah.</p><p>Dikirim dari Galaxy saya</p>")
    assert found.split("\n") == ["Sudah.", "", "Dikirim dari Galaxy saya"]


def test_whom_a_letter_is_to_and_whether_it_answers():
    """What a quotation of ours would name; the sender's own address only where it answers."""
    found = read(b"From: Rina <r@k.test>", b"To: Rumah Surat <s@y.test>, Al <c@y.test>")
    assert found.about == (("s@y.test", "c@y.test", "rumah surat"), "Rina", False, True)
    found = read(b"From: r@k.test", b"To: s@y.test", b"In-Reply-To: <a@b>")
    assert found.about == (("s@y.test", "r@k.test"), "", True, False)


@pytest.mark.parametrize(
    ("subject", "is_new"),
    [
        *(("Re: surat", False), ("RE[2]: surat", False), ("[kampus] Bls: surat", False)),
        *(("AW: Brief", False), ("回复：信", False), ("=?utf-8?q?Balas=3A_surat?=", False)),
        *(("Fwd: surat", True), ("Resah: tolong", True), ("surat", True), ("", True)),
    ],
)
def test_a_subject_that_says_re_is_an_answers(subject, is_new):
    """Old programs name no letter that they answer."""
    assert read(f"Subject: {subject}".encode()).about.is_new == is_new


def test_two_versions_that_differ_are_both_read():
    """No word of a short plain version is lost to an HTML version that does not hold it."""
    found = alternative("Saya ingin mati.", "<p>Kirim dari toko kami</p>")
    assert "Saya ingin mati." in found
    assert "toko" in found


@pytest.mark.parametrize("html", ["<p>Halo, saya <b>sedih</b>.</p>", "<p></p>"])
def test_two_versions_of_the_same_words_are_read_once(html):
    """So is a plain version beside an empty one."""
    assert alternative("Halo, saya sedih.", html) == "Halo, saya sedih."
    assert alternative("我很累。真的。", "<p>我很累。<br>真的。</p>") == "我很累。真的。"


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("iso-8859-8-i", "iso8859_8"),
        ("koi8-u", "koi8_u"),
        ("windows-874", "cp874"),
        ("windows-31j", "cp932"),
        ("x-windows-949", "cp949"),
        ("cp-1252", "cp1252"),
    ],
)
def test_labels_of_charsets(label, codec):
    """Names that mail uses and Python does not know."""
    assert charsets.codec(label) == codec


def test_letters_of_makers_in_japanese():
    """ISO-2022-JP with a letter that stands in no JIS table is read with all others."""
    data = b"\x1b$B-!$3$s\x1b(B ok \x1b$B$O\x1b(B"
    assert charsets.decode(data, "iso-2022-jp") == ("①こん ok は", True)


def test_a_page_that_names_its_charset_itself():
    """Where the header does not, the page's own word counts."""
    page = '<meta http-equiv="x" content="text/html; charset=windows-1251"><p>Мне плохо</p>'
    assert read(b"Content-Type: text/html", body=page.encode("cp1251")).text == "Мне плохо"


def test_headers_in_the_charset_of_the_words():
    """A subject and a name that are not encoded are in the charset the words are in."""
    lines = ("From: Анна <a@y.test>", "Subject: Письмо", "Content-Type: text/plain; charset=koi8-r")
    found = read(*(line.encode("koi8_r") for line in lines))
    assert (found.subject, found.sender.name) == ("Письмо", "Анна")
    assert found.sender.address == "a@y.test"


def test_escapes_in_a_name():
    """A quoted name is shown without the signs that quote it (RFC 5322 section 3.2.4)."""
    assert addresses.sender([b'"Jo \\"the lion\\" F" <jo@y.test>']).name == 'Jo "the lion" F'


def test_a_leap_second():
    """A second that no clock here has is the one before it."""
    moment = headers.date(b"Thu, 31 Dec 2026 23:59:60 +0000")
    assert moment == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


def mixed(*parts):
    body = b"".join(b"--m\n%s\n" % part for part in parts) + b"--m--\n"
    return read(b"Content-Type: multipart/mixed; boundary=m", body=body)


KEPT = b"Content-Disposition: attachment; filename=%s\n"
EMPTY = b"Content-Type: text/plain\n\n\n"


@pytest.mark.parametrize("before", [(), (EMPTY,)])
@pytest.mark.parametrize(
    "part",
    [
        b"Content-Type: text/plain; charset=utf-8\n" + KEPT % b"surat.txt" + b"\nsaya \xc3\xa9",
        b"Content-Type: text/html; charset=latin-1\n" + KEPT % b"s.html" + b"\n<p>saya <b>\xe9</b>",
        b"Content-Transfer-Encoding: base64\n" + KEPT % b"s" + b"\nc2F5YSDDqQ==",
    ],
)
def test_a_letter_whose_only_text_is_attached_is_that_text(part, before):
    """Some phones send what was written as a file; it stays one as well."""
    found = mixed(*before, part)
    assert found.text == "saya é"
    assert len(found.attachments) == 1


def test_the_one_part_of_a_letter_may_be_attached():
    """The whole letter is marked as a file."""
    kept = b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=surat.txt"
    found = read(kept, body=b"saya takut")
    assert (found.text, found.attachments[0].name) == ("saya takut", "surat.txt")


def test_what_is_attached_beside_words_is_a_file_with_words():
    """The letter is what was written in it; pictures and keys have no words."""
    text = b"Content-Type: text/plain\n" + KEPT % b"a.txt" + b"\nrahasia"
    key = KEPT % b"k.asc" + b"\n-----BEGIN PGP PUBLIC KEY BLOCK-----"
    picture = b"Content-Type: text/plain; name=g.txt\n" + KEPT % b"g.txt" + b"\n\x89PNG\0\0"
    found = mixed(b"Content-Type: text/plain\n\nlihat", text, key, picture)
    assert found.text == "lihat"
    assert [one.words for one in found.attachments] == ["rahasia", "", ""]


def test_words_in_marked_up_text():
    """Markdown is words as people type them; with a name it is a file."""
    assert read(b"Content-Type: text/x-markdown; charset=utf-8", body=b"*sedih*").text == "*sedih*"
    named = read(b'Content-Type: text/markdown; name="a.md"', body=b"x")
    assert (named.text, [one.name for one in named.attachments]) == ("x", ["a.md"])
    file = b'Content-Type: text/markdown; name="a.md"\n\nx'
    both = mixed(b"Content-Type: text/plain\n\nhalo", file)
    assert (both.text, len(both.attachments)) == ("halo", 1)


def test_a_text_behind_a_picture():
    """Exchange calls it a file; it is the rest of the letter."""
    found = read(
        b"Content-Type: multipart/mixed; boundary=b",
        body=b"--b\r\n\r\nsatu\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\n"
        b'Content-Type: text/plain; name="ATT00001.txt"\r\n\r\ndua\r\n--b--',
    )
    assert found.text.split() == ["satu", "dua"]


def test_armour_in_both_versions():
    """What a browser's extension encrypted is encrypted, though HTML stands beside it."""
    armour = b"-----BEGIN PGP MESSAGE-----\r\n\r\nabcd\r\n-----END PGP MESSAGE-----"
    found = read(
        b"Content-Type: multipart/alternative; boundary=b",
        body=b"--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\n"
        b"Content-Type: text/html\r\n\r\n<pre>%s</pre>\r\n--b--" % (armour, armour),
    )
    assert found.protection.kind == "inline-encrypted"
    assert found.protection.ciphertext == armour


def test_stub_beside_html():
    """A plain part that only says to read the HTML gives way to it; a short real one does not."""
    html = b"<p>" + b"Saya menulis panjang sekali. " * 60 + b"</p>"
    form = (
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n%s\n--b\n"
        b"Content-Type: text/html\n\n%s\n--b--"
    )
    assert parse.read(form % (b"See HTML.", html), BUDGETS).html_used
    assert not parse.read(form % (b"Tolong saya.", b"<p>Tolong saya.</p>"), BUDGETS).html_used


@pytest.mark.parametrize("name", sorted(path.stem for path in MAIL.glob("*.eml")))
def test_structure_agrees_with_the_standard_library(name):
    """On well-formed letters the parts are those the standard library finds."""
    raw = (MAIL / f"{name}.eml").read_bytes()
    _, root = mime.split(raw, BUDGETS)

    def ours(part):
        return [part.content_type, *(kind for child in part.children for kind in ours(child))]

    def theirs(part):
        inside = part.get_payload() if part.get_content_maintype() == "multipart" else []
        return [part.get_content_type(), *(kind for child in inside for kind in theirs(child))]

    assert ours(root) == theirs(email.message_from_bytes(raw))


@pytest.mark.parametrize(
    ("change", "raw"),
    [
        ({"size": 10}, b"From: a@b.test\n\nlong"),
        ({"header_bytes": 20}, b"A: " + b"b" * 30 + b"\n\n"),
        ({"header_bytes": 20}, b"A: b\n" + b" c\n" * 20),
        ({"headers": 2}, b"A: b\n" * 3),
        ({"parts": 2}, b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b\n\n"),
        ({"boundary": 5}, b"Content-Type: multipart/mixed; boundary=toolong\n\n"),
        (
            {"depth": 1},
            (
                b"Content-Type: multipart/mixed; boundary=b\n\n--b\n"
                b"Content-Type: multipart/mixed; boundary=c\n\n--c\n\n"
            ),
        ),
    ],
)
def test_budgets(change, raw):
    """Each limit alone stops a letter that is over it, and lets one within it through."""
    with pytest.raises(errors.OverBudget):
        parse.read(raw, parse.Budgets(**change))
    parse.read(raw, BUDGETS)


# -- charsets and names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("é".encode(), "utf-8", "é"),
        ("é".encode(), "us-ascii", "é"),
        ("é".encode(), "iso-8859-1", "é"),
        (b"\x93a\x94", "iso-8859-1", "“a”"),
        (b"\xe9", "utf-8", "é"),
        (b"\xe9", "DEFAULT_CHARSET", "é"),
        (b"\x1b$B$3$s\x1b(B", "ISO-2022-JP", "こん"),
        ("你好".encode("gb18030"), "gb2312", "你好"),
        ("hi".encode("utf-16"), "utf-16", "hi"),
        (b"a\0b", "utf-8", "ab"),
        (b"+2AA-", "utf-7", "\ufffd"),
        (b"abc-", "punycode", "abc-"),
        (b"\\x41", "unicode_escape", "\\x41"),
        (b"x", "../../etc", "x"),
        (b"\xef\xbb\xbfx", "", "x"),
        ("saya … takut".encode() + b"\xe2\x80", "utf-8", "saya … takutâ€"),
        ("é, ä, ".encode() + b"\xfc", "iso-8859-1", "é, ä, ü"),
        ("Вася".encode()[:-1], "koi8-r", "Вася"[:-1] + "я"),
        (b"\xc3\xa9 \xe9 \xe8 \xe0", "iso-8859-1", "Ã© é è à"),
    ],
)
def test_charsets(data, charset, text):
    """Unknown, lying and dangerous charset names all end in valid text."""
    assert charsets.decode(data, charset)[0] == text


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "..\\..\\x",
        "/etc/x",
        "C:\\x",
        ".",
        "..",
        "",
        "a\0b",
        "x" * 300,
        "CON",
        "nul.txt",
        "\u202egpj.exe",
        "a\nb",
        "é" * 200 + ".pdf",
        "  .hidden",
        "a/b\\c",
        "....",
        "<>|",
    ],
)
def test_names_are_safe(name):
    """No name leaves its folder, hides, names a device, or is too long for a file system."""
    safe = attachments.safe_name(name, "application/pdf")
    assert 0 < len(safe.encode()) <= 255
    assert not set('/\\:\0\n<>|"?*\u202e') & set(safe)
    assert not safe.startswith(".")
    assert safe.split(".")[0].upper() not in {"CON", "NUL", ""}


def test_equal_names_become_distinct():
    """Names that a file system may take for one are told apart."""
    found = attachments.distinct(
        [attachments.Attachment(name, "a/b", b"") for name in ("a.txt", "A.TXT", "a (2).txt", "a")]
        * 2
    )
    assert len({one.name.casefold() for one in found}) == 8


def test_a_folded_header_without_its_blanks_goes_on():
    """A gateway took them off: sender, subject and parts behind it are the letter's."""
    found = read(
        b"Received: from a.test",
        b"by b.test with SMTP; 5 Apr 2017 07:45:30 -0000",
        b"Subject: satu",
        b"dua",
        b"From: Melati <melati@klien.test>",
        b"Content-Type: multipart/alternative;",
        b'boundary="_b_"',
        body=b"--_b_\r\nContent-Type: text/plain\r\n\r\nHalo.\r\n--_b_--\r\n",
    )
    assert found.sender.address == "melati@klien.test"
    assert found.subject == "satu dua"
    assert found.text == "Halo."


def test_a_sender_finishes_no_sentence_of_our_border():
    """What stands below the border's word, blanks or not, is never read as a part of it."""
    found = read(
        b"Authentication-Results: mx.test; dmarc=fail",
        b"header.from=x; dmarc=pass",
        b"From: melati@klien.test",
    )
    assert found.header("authentication-results") == "mx.test; dmarc=fail"
    assert found.sender.address == "melati@klien.test"


@pytest.mark.parametrize("line", ["Halo, apa kabar", "Halo\r\nFrom: x@y.test"])
def test_a_letter_that_lacks_the_blank_line_begins_where_it_does(line):
    """Where the header is whole, the first line that is no field is the client's."""
    raw = f"From: a@klien.test\r\nContent-Type: text/plain\r\n{line}\r\n\r\nlagi"
    assert parse.read(raw.encode(), BUDGETS).text.startswith("Halo")


CHINESE = (
    "夫九州之人，言語不同，生民已來，固常然矣。自春秋標齊言之傳，離騷目楚詞之經，此蓋其較明之初也。"
)
RUSSIAN = "Здравствуйте, мне трудно спать после переезда, и я не знаю, с кем об этом поговорить."


@pytest.mark.parametrize(
    ("words", "charset"), [(CHINESE * 4, "big5"), (CHINESE * 4, "gb18030"), (RUSSIAN * 4, "koi8-r")]
)
def test_other_letters_without_a_charset_are_guessed(words, charset):
    """A text nobody named rightly is read in the charset it most likely has."""
    for named in (b"us-ascii", b"utf-8", b"unknown-8bit"):
        found = read(b"Content-Type: text/plain; charset=" + named, body=words.encode(charset))
        assert found.text == words
        assert "charset" in found.problems


def test_latin_letters_are_never_guessed():
    """A few accents in a text of Latin letters are windows-1252, whatever else they could be."""
    words = "Aku kemarin ke café, lalu naïf sekali – señor itu baik."
    assert read(b"Content-Type: text/plain", body=words.encode("cp1252")).text == words


LONG = "Saya menulis karena akhir-akhir ini sulit tidur dan sering merasa cemas se="


def test_what_is_left_of_quoted_printable_is_undone():
    """A gateway says 8bit, and left the soft line breaks: the words are whole again."""
    body = f"{LONG}\n{LONG}\n{LONG}\nkali, terima kasih.".encode()
    text = read(b"Content-Transfer-Encoding: 8bit", body=body).text
    assert text == LONG[:-1] * 3 + "kali, terima kasih."


@pytest.mark.parametrize(
    "body",
    [
        f"{LONG}\n{LONG}\nhabis",
        "\n".join(["=" * 76] * 4),
        "a = b =\nc =\nd =\n",
        "x=\n" * 9,
    ],
)
def test_other_lines_that_end_in_an_equals_sign_stand(body):
    """Two long ones, rules across the page and short ones are what was written."""
    found = read(b"Content-Transfer-Encoding: 8bit", body=body.encode())
    assert found.text == body.strip("\n")


def test_a_picture_that_is_called_text_is_a_file():
    """Its bytes are nothing to read; a text with a stray NUL and no name stays one."""
    picture = b"GIF89a\x64\x00\x04\x00\x80\xff;"
    found = read(b'Content-Type: text/plain; name="gambar.txt"', body=picture)
    assert found.text == ""
    assert [(one.name, one.data) for one in found.attachments] == [("gambar.txt", picture)]
    assert read(b"Content-Type: text/plain", body=b"Halo\0 Bu").text == "Halo Bu"
    wide = b'text/plain; name="surat.txt"; charset=utf-16'
    assert read(b"Content-Type: " + wide, body="Halo Bu".encode("utf-16")).text == "Halo Bu"


def test_a_text_that_is_only_called_base64_is_read_as_it_stands():
    """A program that names an encoding and forgets to use it costs nobody a word."""
    words = b"Saya susah tidur. Ibu sakit, dan saya takut pulang ke rumah."
    head = b"Content-Transfer-Encoding: base64\r\n\r\n"
    found = parse.read(head + words, BUDGETS)
    assert found.text == words.decode()
    assert "transfer-encoding" in found.problems
    blanks = base64.encodebytes(words * 5).replace(b"\n", b" ")
    assert parse.read(head + blanks, BUDGETS).text == (words * 5).decode()


FOOTER = b"\r\n-- \r\nThis mail has been checked for viruses by a server.\r\n"


@pytest.mark.parametrize("words", ["Saya takut sekali.", "Saya takut. " * 100, "é" * 40])
def test_plain_lines_below_base64_hide_nothing(words):
    """Servers and lists put a few lines below a letter without looking at how it is encoded."""
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    encoded = base64.encodebytes(words.encode()).strip().replace(b"\n", b"\r\n")
    found = parse.read(head + encoded + FOOTER, BUDGETS).text
    assert found.startswith(words.strip())
    assert found.endswith("checked for viruses by a server.")
    plain = b"Assalamualaikumwarahmatullah\r\nSaya mau cerita panjang."
    assert parse.read(head + plain, BUDGETS).text == plain.decode().replace("\r", "")


@pytest.mark.parametrize(
    ("kind", "name", "is_read"),
    [
        *(("application/octet-stream", "surat.txt", True), ("text/x-unknown", "", True)),
        *(("text/rtf", "surat.rtf", True), ("text/csv", "hari.csv", True)),
        *(("application/octet-stream", "surat.doc", False), ("text/vcard", "a.vcf", False)),
        *(("text/css", "a.css", False), ("application/pdf", "surat.txt", False)),
    ],
)
def test_words_of_a_file_are_known_by_its_name_where_its_type_tells_nothing(kind, name, is_read):
    """Many programs call every file a stream of bytes; danger is looked for in its words."""
    part = f'Content-Type: {kind}; name="{name}"\r\nContent-Disposition: attachment'
    for words, expected in ((b"Saya mau mati.", "Saya mau mati."), (b"\0\1Saya", "")):
        head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHalo.\r\n--b\r\n"
        raw = b"%s%s\r\n\r\n%s\r\n--b--" % (head, part.encode(), words)
        (file,) = parse.read(raw, BUDGETS).attachments
        assert file.words == (expected if is_read else "")


def test_pieces_of_base64_that_were_encoded_apart_are_all_read():
    """Servers encode what they add by itself; a decoder stops where the first piece ends."""
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    pieces = [b"Halo kak, ini surat saya. ", b"Saya takut malam ini. ", b"- kampus"]
    body = b"\r\n".join(map(base64.b64encode, pieces))
    assert parse.read(head + body, BUDGETS).text == b"".join(pieces).decode()
    before = time.process_time()
    for hostile in (b"=" * 3_000_000, b"A=" * 1_500_000, b"= " * 1_500_000):
        charsets.from_base64(hostile)
    assert time.process_time() - before < 2


@pytest.mark.parametrize("charset", ["gb2312", "big5", "shift_jis", "euc-kr"])
def test_utf_8_under_the_name_of_a_charset_of_pairs(charset):
    """Its bytes may be valid there as well, as other signs; in GB2312 these are."""
    words = "我很难过"  # an even number of letters: as many pairs
    head = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert parse.read(head + words.encode(), BUDGETS).text == words
    gb = b"Content-Type: text/plain; charset=gb2312\r\n\r\n" + words.encode("gb18030")
    assert parse.read(gb, BUDGETS).text == words


def test_a_torn_line_of_base64_costs_that_line_alone():
    """A letter lost on the way garbles what stands beside it, and nothing behind it."""
    words = "".join(f"Baris ke-{number:04}: saya susah tidur dan takut.\n" for number in range(40))
    lines = base64.encodebytes(words.encode()).splitlines()
    torn = b"\r\n".join([*lines[:2], lines[2][:11] + lines[2][12:], *lines[3:]])
    found = parse.read(b"Content-Transfer-Encoding: base64\r\n\r\n" + torn, BUDGETS)
    assert words.strip().splitlines()[-36:] == found.text.splitlines()[-36:]
    assert found.text.startswith("Baris ke-0000: saya susah tidur dan takut.\nBaris ke-0001")
    assert "transfer-encoding" in found.problems
