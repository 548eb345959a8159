"""Mail servers that never read RFC 3464, and programs that answer for somebody who is away."""

from __future__ import annotations

import pytest

from mailcounsel.letter import dialects, parse, report
from mailcounsel.letter.mime import Budgets

OURS = "abcd.0123@rumah.test"
QMAIL = f"""\
From: MAILER-DAEMON@mx.klien.test
Subject: failure notice

Hi. This is the qmail-send program at mx.klien.test.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ani@klien.test>:
550 5.1.1 no mailbox here by that name

--- Below this line is a copy of the message.

From: Rumah <halo@rumah.test>
Message-ID: <{OURS}>
"""
EXIM = f"""\
From: Mail Delivery System <Mailer-Daemon@mx.klien.test>
Subject: Mail delivery failed: returning message to sender
X-Failed-Recipients: ani@klien.test
References: <first@klien.test> <{OURS}>

This message was created automatically by mail delivery software.
"""
EXCHANGE = f"""\
From: System Administrator <postmaster@klien.test>
Subject: Undeliverable: Surat untuk Anda
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

Your message did not reach the following recipient(s): Ani
--b
Content-Type: message/rfc822

From: Rumah <halo@rumah.test>
Message-ID: <{OURS}>

isi
--b--
"""
QUOTED = f"""\
From: Postmaster@klien.test
Subject: Mail Delivery Failure

Delivery of email to this address "ani@klien.test" has failed.
> From: Rumah <halo@rumah.test>
> Message-Id: <{OURS}>
"""
INDONESIAN = f"""\
From: postmaster@klien.test
Subject: Pesan gagal terkirim
In-Reply-To: <{OURS}>

Pesan Anda tidak dapat dikirim ke ani@klien.test.
"""


def read(text: str) -> parse.Letter:
    return parse.read(text.encode(), Budgets())


def told(text: str) -> report.Report:
    found = dialects.bounce(read(text), null_sender=False)
    assert found is not None
    return found


@pytest.mark.parametrize("text", [QMAIL, EXIM, EXCHANGE, QUOTED, INDONESIAN])
def test_a_servers_own_words_are_a_bounce_of_the_letter_they_mean(text):
    """The letter is found where it was sent back, quoted, or answered."""
    found = told(text)
    assert (found.kind, found.failed) == ("delivery", True)
    assert found.original_message_id == OURS


def test_status_and_recipients_are_told():
    """What stands in a server's words and fields is kept."""
    assert told(QMAIL).status == "5.1.1"
    assert told(EXIM).recipients == ("ani@klien.test",)


def test_a_mail_that_is_still_tried_has_not_failed():
    """A warning is a report, and no bounce."""
    text = QMAIL.replace("failure notice", "Warning: could not send message for past 4 hours")
    assert not told(text).failed


@pytest.mark.parametrize(
    ("sender", "subject", "words"),
    [
        ("ani@klien.test", "failure notice", "Saya gagal lagi."),
        ("ani@klien.test", "Surat saya tidak terkirim?", "Undeliverable, kata komputer saya."),
        ("postmaster@klien.test", "Halo", "Saya mengurus surel di kantor dan tidak bisa tidur."),
    ],
)
def test_words_without_a_server_and_a_server_without_the_words_are_letters(sender, subject, words):
    """A client may write any sentence, and people do work as postmasters."""
    letter = read(f"From: {sender}\nSubject: {subject}\n\n{words}\n")
    assert dialects.bounce(letter, null_sender=False) is None


def test_the_null_sender_makes_a_server_of_anybody():
    """Whoever names nobody to answer to, and says a mail failed, is a server."""
    letter = read(QMAIL.replace("MAILER-DAEMON", "mail"))
    assert dialects.bounce(letter, null_sender=False) is None
    assert dialects.bounce(letter, null_sender=True) is not None


@pytest.mark.parametrize(
    ("subject", "answers"),
    [
        ("Automatic reply: Surat untuk Anda", True),
        ("Balasan Otomatis: Surat untuk Anda", True),
        ("Abwesenheitsnotiz: Brief", True),
        ("Di luar kantor sampai Senin", True),
        ("Re: Surat untuk Anda", False),
        ("Saya pernah mendapat automatic reply", False),
    ],
)
def test_subjects_of_programs_that_answer(subject, answers):
    """Only how a subject begins counts."""
    assert dialects.answers_for_somebody(subject) is answers
