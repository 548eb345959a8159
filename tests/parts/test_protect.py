"""What leaves, read by programs that are not ours: gpg, notmuch, sqop, Python's own parser."""

from __future__ import annotations

import base64
import email
import json
import os
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from email import policy

import pytest

from mailcounsel import errors
from mailcounsel.casework import parcels
from mailcounsel.casework.parcels import Parcel
from mailcounsel.crypto import autocrypt
from mailcounsel.outgoing import protect
from parts import gpg_homes
from servers import tools

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
SUBJECT = "Surat untuk Anda: quokka"
TEXT = "Halo Ida,\n\nini kata-kata quokka.\n.\nFrom here on — ½ of it.\n-- \nsari\n"
OUTER = {
    *("autocrypt", "from", "to", "subject", "date", "message-id"),
    *("in-reply-to", "references", "mime-version", "content-type"),
}


@pytest.fixture(scope="module")
def people():
    """A centre, Ida with her key, and Max, a stranger with his."""
    with gpg_homes.world() as made:
        yield made


def parcel(people, **more):
    usual = Parcel(
        to_address="ida@example.org",
        from_address="help@example.org",
        from_name="Quokka Letters",
        subject=SUBJECT,
        text=TEXT,
        message_id="mfrggzdfmztwq2lknnwg23tpob.1@example.org",
        channel=parcels.ENCRYPTED,
        fingerprint=people.ida,
        in_reply_to="hers@example.org",
        references=("first@example.org", "hers@example.org"),
        client_id="client",
        author="sari",
    )
    return replace(usual, **more)


def build(people, certificate=None, **more):
    certificate = people.ida_certificate if certificate is None else certificate
    return protect.build(parcel(people, **more), people.centre, certificate, NOW)


def opened(people, raw):
    """The protected part, as Ida's own gpg opens it."""
    return people.client("--decrypt", data=ciphertext(raw))


def ciphertext(raw):
    """The OpenPGP message, which is the second part (RFC 3156 section 4)."""
    _, second = email.message_from_bytes(raw, policy=policy.default).iter_parts()
    return content(second)


def content(part) -> bytes:
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


# -- a letter to a key ---------------------------------------------------------------------------


def test_outside_nothing_is_told(people):
    """The headers on the way are the few that are needed, and none holds name or subject."""
    raw = build(people)
    outer = email.message_from_bytes(raw, policy=policy.default)
    assert {name.lower() for name in outer} == OUTER
    assert len(outer.keys()) == len(OUTER)
    assert outer["Subject"] == "[...]"
    assert outer["From"] == "help@example.org"
    assert outer["To"] == "ida@example.org"
    assert b"uokka" not in raw
    assert b"Surat" not in raw


def test_its_shape_is_that_of_rfc_3156(people):
    """Exactly two parts, of the two types, the second armoured."""
    outer = email.message_from_bytes(build(people), policy=policy.default)
    assert outer.get_content_type() == "multipart/encrypted"
    assert outer.get_param("protocol") == "application/pgp-encrypted"
    first, second = outer.iter_parts()
    assert first.get_content_type() == "application/pgp-encrypted"
    assert content(first).split() == [b"Version:", b"1"]
    assert second.get_content_type() == "application/octet-stream"
    assert content(second).startswith(b"-----BEGIN PGP MESSAGE-----")
    assert outer.defects == first.defects == second.defects == []


def test_the_client_reads_every_word(people):
    """Her gpg opens it; inside are the real headers and the text as written."""
    inner = email.message_from_bytes(opened(people, build(people)), policy=policy.default)
    assert inner["Subject"] == SUBJECT
    assert inner["From"] == "Quokka Letters <help@example.org>"
    assert inner["Message-ID"] == "<mfrggzdfmztwq2lknnwg23tpob.1@example.org>"
    assert inner["References"].split() == ["<first@example.org>", "<hers@example.org>"]
    assert inner.get_content_type() == "multipart/mixed"
    assert inner.get_param("hp") == "cipher"
    assert inner.get_param("protected-headers") == "v1"
    assert "Subject: [...]" in inner.get_all("HP-Outer", [])
    [part] = inner.iter_parts()
    assert part.get_content().replace("\r\n", "\n") == TEXT


def test_it_is_signed_by_the_centre_in_the_same_message(people):
    """Her gpg finds a good signature by the centre's key and by no other."""
    part = ciphertext(build(people))
    path = people.root / "signed.asc"
    path.write_bytes(part)
    status = people.client("--status-fd", "1", "--decrypt", "--output", os.devnull, str(path))
    made = re.findall(rb"VALIDSIG .* ([0-9A-F]{40})", status)
    assert made == [people.fingerprint.encode()]


def test_only_the_client_can_open_it(people):
    """It is encrypted to one key: not to the centre, and not to a stranger."""
    part = ciphertext(build(people))
    packets = people.client("--list-packets", "--list-only", data=part).decode()
    assert len(re.findall(":pubkey enc packet:", packets)) == 1
    assert people.stranger("--decrypt", data=part, check=False) == b""
    with pytest.raises(errors.DecryptionFailed):
        people.centre.decrypt(part, [])


def test_notmuch_shows_the_real_subject(people, need, tmp_path):
    """A mail program decrypts it, finds our signature, and restores the subject."""
    mailbox = Notmuch(need("notmuch"), people, tmp_path)
    mailbox.deliver(build(people))
    shown = mailbox.show("*")[0]
    assert shown["headers"]["Subject"] == SUBJECT
    assert shown["crypto"]["decrypted"]["status"] == "full"
    [signature] = shown["crypto"]["signed"]["status"]
    assert (signature["status"], signature["fingerprint"]) == ("good", people.fingerprint)
    [root] = shown["body"]
    assert TEXT.splitlines()[2] in json.dumps(root, ensure_ascii=False)
    assert mailbox.count(f"subject:{SUBJECT.rsplit(maxsplit=1)[1]}") == 1


def test_notmuch_keeps_the_conversation_together(people, need, tmp_path):
    """Two letters of a case are one thread, also for a program that cannot look inside."""
    mailbox = Notmuch(need("notmuch"), people, tmp_path, decrypt="false")
    mailbox.deliver(build(people))
    first = parcel(people).message_id
    again = {"message_id": "second@example.org", "in_reply_to": first, "references": (first,)}
    mailbox.deliver(build(people, **again))
    assert mailbox.count("*") == 2
    assert mailbox.count("*", "threads") == 1


def test_sequoia_opens_it_as_well(people, need, tmp_path):
    """An OpenPGP program with no line in common with gpg decrypts and verifies it."""
    raw = build(people)
    part = ciphertext(raw)
    key, cert, made = tmp_path / "key", tmp_path / "cert", tmp_path / "verified"
    key.write_bytes(people.client.export_secret(people.ida))
    cert.write_bytes(people.certificate)
    command = [need("sqop"), "decrypt", f"--verify-with={cert}", f"--verify-out={made}", str(key)]
    done = subprocess.run(command, input=part, capture_output=True, check=True, timeout=120)
    assert b"quokka" in done.stdout
    assert done.stdout == opened(people, raw)
    assert people.fingerprint in made.read_text().upper()


def test_our_key_is_found_outside_and_inside(people):
    """Both Autocrypt headers are valid for the sender and hold the centre's certificate."""
    raw = build(people)
    for source in (raw, opened(people, raw)):
        message = email.message_from_bytes(source)
        found = autocrypt.choose(message.get_all("Autocrypt", []), "help@example.org")
        assert found is not None
        assert found.keydata == people.certificate


def test_an_automatic_letter_says_so_outside_and_inside(people):
    """Servers look outside, chat programs inside; a person's letter says nothing of the kind."""
    raw = build(people, auto_submitted="auto-generated")
    for source in (raw, opened(people, raw)):
        assert email.message_from_bytes(source)["Auto-Submitted"] == "auto-generated"
    assert b"Auto-Submitted" not in build(people)
    assert b"Auto-Submitted" not in opened(people, build(people))


def test_answers_to_answers_have_nowhere_to_go(people):
    """Only an automatic answer has the null sender; bounces of others come back to us."""
    kinds = ("auto-replied", "auto-generated", None)
    senders = [protect.envelope_sender(parcel(people, auto_submitted=kind)) for kind in kinds]
    assert senders == ["", "help@example.org", "help@example.org"]


# -- failing closed ------------------------------------------------------------------------------


def test_without_the_certificate_nothing_is_built(people):
    """An encrypted letter is never built in clear."""
    with pytest.raises(errors.NoUsableKey):
        protect.build(parcel(people), people.centre, None, NOW)


def test_another_key_than_the_one_approved_is_refused(people):
    """The certificate at hand is another's: nothing is built."""
    with pytest.raises(errors.NoUsableKey):
        build(people, people.max_certificate)


@pytest.mark.parametrize("channel", [parcels.NONE, "", "Encrypted", "clear"])
def test_a_way_nobody_knows_is_no_way(people, channel):
    """Anything but the word for plain mail is not plain mail."""
    with pytest.raises(errors.NoUsableKey):
        build(people, channel=channel)


def test_a_letter_without_a_fingerprint_is_refused(people):
    """Encrypted, but to whom was never approved: nothing is built."""
    with pytest.raises(errors.NoUsableKey):
        build(people, fingerprint=None)


def test_an_expired_key_is_told_as_such(people):
    """KeyExpired, so that the person who looks knows what to ask the client for."""
    past = ("--faked-system-time", gpg_homes.PAST)
    late = gpg_homes.Gpg(people.root / "late")
    key = late.key("Ida Sample <ida@example.org>", expires="1d", options=past)
    with pytest.raises(errors.KeyExpired):
        build(people, late.export(key), fingerprint=key)


# -- a letter in clear ---------------------------------------------------------------------------


def test_a_plain_letter_is_an_ordinary_mail(people):
    """Name, neutral subject and text as written, and our key for whoever can use it."""
    raw = build(people, channel=parcels.PLAIN, fingerprint=None)
    message = email.message_from_bytes(raw, policy=policy.default)
    assert message["Subject"] == SUBJECT
    assert message["From"] == "Quokka Letters <help@example.org>"
    assert message.get_content().replace("\r\n", "\n") == TEXT
    values = email.message_from_bytes(raw).get_all("Autocrypt", [])
    found = autocrypt.choose(values, "help@example.org")
    assert found is not None


def test_a_plain_letter_from_a_case_address_carries_its_key(people):
    """Autocrypt's addr is what stands in From, tag and all, else no program would take it."""
    tagged = "help+mfrggzdfmztwq2lknnwg23tpob@example.org"
    raw = build(people, channel=parcels.PLAIN, from_address=tagged)
    values = email.message_from_bytes(raw).get_all("Autocrypt", [])
    assert autocrypt.choose(values, tagged) is not None


# -- on the wire ---------------------------------------------------------------------------------

TEXTS = [
    TEXT,
    "",
    "one line",
    "\r\n.\r\nMAIL FROM:<spy@evil.test>\r\n",
    "a\n.\nb\r.\rc\r\n.\nd\n.\r\ne\n.\rf\r.\r\ng\0.\r\n",
    "x" * 5000,
    "ü" * 3000,
    "日本語のことば。" * 200,
    " trailing blanks   \n\t\n",
    "\u2028\u0085\x0b\x0c\x1b[31m",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("channel", [parcels.PLAIN, parcels.ENCRYPTED])
def test_no_text_gets_out_of_its_lines(people, channel, text):
    """No bare CR, LF or NUL, no line over 998 bytes, nothing beyond ASCII, whatever was written."""
    raw = build(people, channel=channel, text=text)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.endswith(b"\r\n")
    assert raw.isascii()
    assert b"\r\n.\r\n" not in raw


INJECTIONS = [
    "x\r\nBcc: spy@evil.test",
    "x\nBcc: spy@evil.test",
    "x\rBcc: spy@evil.test",
    "x\0y",
    "x\u2028Bcc: spy@evil.test",
    "=?utf-8?q?x=0ABcc:_spy=40evil.test?=",
    "=?utf-8?b?" + base64.b64encode(b"x\r\nBcc: spy@evil.test").decode() + "?=",
]


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("field", ["subject", "from_name"])
@pytest.mark.parametrize("channel", [parcels.PLAIN, parcels.ENCRYPTED])
def test_no_header_gets_out_of_its_line(people, channel, field, value):
    """A line end in a value, plain or hidden in an encoded word, adds no header anywhere."""
    try:
        raw = build(people, channel=channel, **{field: value})
    except errors.Refused:
        return
    inner = opened(people, raw) if channel == parcels.ENCRYPTED else raw
    for source in (raw, inner):
        names = [name.lower() for name in email.message_from_bytes(source)]
        assert "bcc" not in names
        assert names.count("subject") == names.count("from") == 1


@pytest.mark.parametrize("field", ["to_address", "from_address", "message_id", "in_reply_to"])
@pytest.mark.parametrize("value", ["a@b.test\r\nBcc: x@evil.test", "a@b.test>", "a b@c.test", "\0"])
def test_an_address_or_id_that_is_more_than_one_is_refused(people, field, value):
    """Nothing is built from a value that could end its field."""
    with pytest.raises((errors.Refused, ValueError)):
        build(people, channel=parcels.PLAIN, **{field: value})


def test_a_letter_fits_into_twenty_kilobytes(people):
    """An ordinary letter does, encrypted too; a longer one is refused, not cut."""
    assert len(build(people, text="Seribu kata yang baik. \n" * 200)) <= 20_000
    with pytest.raises(errors.OverBudget):
        build(people, text="".join(f"{number} " for number in range(9000)))


class Notmuch:
    """Ida's mail program: a maildir indexed by notmuch, with her own gpg."""

    def __init__(self, program, people, folder, decrypt="true"):
        self.program = program
        self.new = folder / "mail" / "new"
        self.new.mkdir(parents=True)
        for name in ("cur", "tmp"):
            (folder / "mail" / name).mkdir()
        self.environment = {
            **os.environ,
            "GNUPGHOME": str(people.client.home),
            "NOTMUCH_CONFIG": str(folder / "config"),
        }
        (folder / "config").write_text(
            f"[database]\npath={folder}/mail\n[user]\nname=Ida\nprimary_email=ida@example.org\n"
            f"[index]\ndecrypt={decrypt}\n"
        )

    def __call__(self, *arguments):
        command = [self.program, *arguments]
        done = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            check=False,
            timeout=tools.PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def deliver(self, raw):
        number = len(list(self.new.iterdir()))
        (self.new / f"{number}.mail").write_bytes(raw.replace(b"\r\n", b"\n"))
        self("new", "--quiet")

    def show(self, query):
        options = ("--format=json", "--decrypt=true", "--verify", "--entire-thread=false")
        shown = json.loads(self("show", *options, query))
        return [thread[0][0] for thread in shown]

    def count(self, query, what="messages"):
        return int(self("count", f"--output={what}", query))
