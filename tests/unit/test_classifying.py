"""A letter, or something a machine wrote; and whether it may be answered without a person."""

from __future__ import annotations

import pytest

from mailcounsel.config import Config, Inbox
from mailcounsel.intake import classifying
from mailcounsel.intake.knowledge import NoKnowledge
from mailcounsel.letter import parse
from mailcounsel.letter.mime import Budgets

CONFIG = Config.model_construct(inboxes=(Inbox.model_construct(address="halo@rumah.test"),))


class Known(NoKnowledge):
    """One letter of ours."""

    def outgoing_of_message(self, message_id):
        return "outgoing" if message_id == "ours@rumah.test" else None


def classify(*lines, mail_from="x@y.test", sender="ani@klien.test", words="Halo.", proved=False):
    head = [f"From: {sender}", *lines, "", words]
    found = parse.read("\r\n".join(head).encode(), Budgets())
    return classifying.classify(found, mail_from, Known(), CONFIG, is_proved=proved)


def report(kind, *fields):
    return (
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; boundary="r"',
        *("", "--r", "Content-Type: text/plain", "", "Sorry.", "--r"),
        *(f"Content-Type: message/{kind}", "", *fields, "", "--r--"),
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("Auto-Submitted: AUTO-GENERATED; x=y", "auto-submitted"),
        ("Auto-Submitted: (no) auto-replied", "auto-submitted"),
        ("Auto-Submitted: auto-notified", "auto-submitted"),
        ("List-Id: <a.b>", "list"),
        ("List-Post: <mailto:a@b.test>", "list"),
        ("Return-Path: <>", "null-sender"),
        ("X-Autoreply: yes", "autoreply-mark"),
        ("X-Autorespond: x", "autoreply-mark"),
        ("X-Boxtrapper: yes", "autoreply-mark"),
        ("X-Autoreply-From: b@y.test", "autoreply-mark"),
        ("X-Mail-Autoreply: 1", "autoreply-mark"),
    ],
)
def test_what_a_machine_wrote_is_automatic(line, reason):
    """RFC 3834 section 2, RFC 2919, and what older programs write."""
    found = classify(line)
    assert (found.kind, found.reason, found.may_answer) == ("automatic", reason, False)


@pytest.mark.parametrize(
    ("lines", "mail_from", "reason"),
    [
        (("List-Id: <sekolah.groups.test>",), "x@y.test", "list"),
        (("List-Id: <a.b>", "Subject: Vacation makes me afraid"), "x@y.test", "list"),
        (("List-Id: <a.b>", "Precedence: list"), "x@y.test", "list"),
        ((), "", "null-sender"),
        (("Return-Path: <>",), None, "null-sender"),
        (("Auto-Submitted: auto-generated",), "x@y.test", "auto-submitted"),
    ],
)
def test_soft_marks_hide_nothing_a_client_is_proved_to_have_written(lines, mail_from, reason):
    """They stop our answer; of somebody nobody vouches for they mean a machine."""
    found = classify(*lines, mail_from=mail_from, proved=True)
    assert (found.kind, found.reason, found.may_answer) == ("letter", reason, False)
    assert found.may_be_machine
    assert classify(*lines, mail_from=mail_from).kind == "automatic"


@pytest.mark.parametrize(
    ("lines", "mail_from"),
    [
        (("Auto-Submitted: auto-replied",), "x@y.test"),
        (("Auto-Submitted: auto-replied",), ""),
        (("Auto-Submitted: auto-replied", "List-Id: <a.b>"), ""),
        (("X-Autoreply: yes",), "x@y.test"),
        (("X-Vacation: 1",), ""),
        (("X-Challenge: 1",), ""),
        (("Subject: Sedang cuti: Re: Surat",), ""),
        (("Precedence: bulk",), ""),
        # as Exchange answers for somebody away, in whatever language
        (("Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All"), ""),
        (("Auto-Submitted: auto-generated", "Subject: Automatic reply: Surat"), "x@y.test"),
    ],
)
def test_a_proved_clients_vacation_program_is_a_machine(lines, mail_from):
    """Its own certain marks count, though it brings our token back."""
    found = classify(*lines, mail_from=mail_from, proved=True)
    assert (found.kind, found.may_answer) == ("automatic", False)


def test_a_proved_client_who_tells_of_a_lost_letter_is_no_mail_server():
    """Without an envelope sender the words alone would make a bounce of it."""
    words = "Surat saya kemarin tidak terkirim ke siapa pun, saya takut."
    assert classify(mail_from="", words=words).kind == "bounce"
    assert classify(mail_from="", words=words, proved=True).kind == "letter"
    assert classify("Return-Path: <>", mail_from=None, words=words, proved=True).kind == "letter"


def test_a_report_is_one_whoever_is_proved():
    """Its structure says so."""
    failed = ("Final-Recipient: rfc822; a@b.test", "Action: failed", "Status: 5.1.1")
    assert classify(*report("delivery-status", *failed), proved=True).kind == "bounce"
    assert classify(*report("disposition-notification"), proved=True).kind == "automatic"


def passed_on(kind, *fields):
    return (
        'Content-Type: multipart/mixed; boundary="m"',
        "",
        *("--m", "", "Saya dapat ini waktu menulis ke kakak."),
        *("--m", f"Content-Type: message/{kind}", "", *fields, "--m--"),
    )


@pytest.mark.parametrize("proved", [True, False])
def test_a_person_who_passes_on_a_report_writes_a_letter(proved):
    """Programs that forward a report keep its parts; beside them stand a client's own words."""
    failed = ("Final-Recipient: rfc822; a@b.test", "Action: failed", "Status: 5.1.1")
    for mail in (passed_on("delivery-status", *failed), passed_on("disposition-notification")):
        assert classify(*mail, proved=proved).kind == "letter"
    enclosed = passed_on("delivery-status", *failed)
    assert classify(*enclosed, mail_from="").kind == "bounce"
    assert classify(*enclosed, mail_from="", proved=True).kind == "letter"
    assert classify(*enclosed, sender="mailer-daemon@y.test").kind == "bounce"


def test_a_challenge_is_no_bounce():
    """A system that asks whether we are people writes as a mail server does, and lost nothing."""
    lines = ("Subject: Undelivered mail", "X-TMDA-Fingerprint: abc", "Return-Path: <>")
    assert classify(*lines, sender="mailer-daemon@y.test").kind == "automatic"
    without = classify(lines[0], lines[2], sender="mailer-daemon@y.test")
    assert without.kind == "bounce"


@pytest.mark.parametrize(
    "subject",
    [
        "AUTO: Tom is out of the office (returning 09/11)",
        "Odpowiedź automatyczna: Surat",
        "自动回复: 来信",
        "Автоматический ответ: Письмо",
    ],
)
def test_subjects_of_answers_in_more_languages(subject):
    """They get no answer of ours; "Auto: kaputt" of a client gets one."""
    assert not classify(f"Subject: {subject}").may_answer
    assert classify("Subject: Auto: kaputt").may_answer


@pytest.mark.parametrize(
    ("lines", "sender", "may_answer"),
    [
        ((), "no-reply@y.test", False),
        ((), "donotreply@y.test", False),
        (("Reply-To: ani@klien.test",), "no-reply@y.test", True),
        ((), "noreplying@y.test", True),
        (("Subject: [Balasan Otomatis] Re: Surat",), "a@y.test", False),
        (("Subject: Re: [OOO] Surat",), "a@y.test", False),
    ],
)
def test_who_reads_no_answers_gets_none(lines, sender, may_answer):
    """An address that says so, unless the letter names another one to answer."""
    found = classify(*lines, sender=sender)
    assert (found.kind, found.may_answer) == ("letter", may_answer)


def test_an_answer_that_says_it_is_automatic_gets_none():
    """In its first words; a client who writes of such an answer gets one."""
    form = "From: a@y.test\r\n\r\n{}"
    for words, may_answer in (
        ("Ini adalah balasan otomatis. Saya kembali Senin.", False),
        ("Saya takut. Dari kantor cuma datang balasan otomatis.", True),
    ):
        found = parse.read(form.format(words).encode(), Budgets())
        assert classifying.classify(found, "x@y.test", Known(), CONFIG).may_answer == may_answer


def test_a_name_that_begins_like_a_servers_is_a_persons():
    """bounceking@ is nobody's mail server."""
    line = "Subject: Undelivered mail"
    assert classify(line, sender="bounceking@y.test").kind == "letter"
    assert classify(line, sender="bounce-17@y.test").kind == "bounce"


def test_a_subject_alone_stops_our_answer_and_hides_nothing():
    """A client may write "Out of office" too; with another sign of a machine it is one."""
    alone = classify("Subject: Out of office: halo")
    assert (alone.kind, alone.reason, alone.may_answer) == ("letter", "autoreply-subject", False)
    both = classify("Subject: Out of office: halo", "X-Auto-Response-Suppress: All")
    assert (both.kind, both.may_answer) == ("automatic", False)


def test_a_bounce_in_a_servers_own_words_names_our_letter():
    """What the dialect tells is treated like a report that follows RFC 3464."""
    found = classify(
        "Subject: failure notice", "References: <ours@rumah.test>", sender="mailer-daemon@y.test"
    )
    assert (found.kind, found.about) == ("bounce", "ours@rumah.test")


def test_the_null_sender_is_a_machine():
    """Nobody may answer <> (RFC 5321 section 4.5.5)."""
    assert classify(mail_from="").reason == "null-sender"


@pytest.mark.parametrize("mail_from", [None, "ani@klien.test"])
def test_no_envelope_is_not_the_null_sender(mail_from):
    """A mailbox does not say who the envelope was from."""
    assert classify(mail_from=mail_from) == classifying.Class("letter")


def test_two_fields_one_of_which_says_automatic_are_automatic():
    """The stricter reading counts."""
    assert classify("Auto-Submitted: no", "Auto-Submitted: auto-replied").kind == "automatic"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Precedence: bulk", "precedence"),
        ("Precedence: Auto_Reply", "precedence"),
        ("X-Auto-Response-Suppress: OOF, DR", "suppressed"),
        ("X-Auto-Response-Suppress: all", "suppressed"),
        ("List-Unsubscribe: <mailto:a@b.test>", "list-field"),
    ],
)
def test_who_asks_for_no_answer_is_a_person_all_the_same(line, reason):
    """A letter, kept for a therapist, with no automatic answer."""
    found = classify(line)
    assert (found.kind, found.reason, found.may_answer) == ("letter", reason, False)


@pytest.mark.parametrize(
    "line",
    [
        "Auto-Submitted: no",
        "Auto-Submitted: No (a person)",
        "Precedence: first-class",
        "X-Auto-Response-Suppress: DR, NDR, RN, NRN",
        "Return-Path: <ani@klien.test>",
    ],
)
def test_people_are_answered(line):
    """What people's programs write stops nothing."""
    assert classify(line) == classifying.Class("letter")


def test_a_failed_delivery_is_a_bounce_about_its_letter():
    """RFC 3464, with the id of the letter it reports."""
    fields = ("Original-Message-ID: <ours@rumah.test>", "Action: failed", "Status: 5.1.1")
    found = classify(*report("delivery-status", *fields))
    assert (found.kind, found.about, found.may_answer) == ("bounce", "ours@rumah.test", False)


def test_a_delayed_delivery_is_no_bounce():
    """It may still arrive."""
    found = classify(*report("delivery-status", "Action: delayed", "Status: 4.4.1"))
    assert (found.kind, found.reason) == ("automatic", "delivery-report")


@pytest.mark.parametrize("kind", ["disposition-notification", "feedback-report"])
def test_receipts_and_complaints_are_automatic(kind):
    """A read receipt is no letter and no bounce."""
    assert classify(*report(kind, "Original-Message-ID: <ours@rumah.test>")).kind == "automatic"


AGGREGATE = [
    "MIME-Version: 1.0",
    "Subject: Report Domain: rumah.test Submitter: y.test Report-ID: 1",
    'Content-Type: application/gzip; name="y.test!rumah.test!1762819200!1762905599.xml.gz"',
    "Content-Transfer-Encoding: base64",
]
TLS = [
    "MIME-Version: 1.0",
    "TLS-Report-Domain: rumah.test",
    'Content-Type: multipart/report; report-type="tlsrpt"; boundary=r',
]


@pytest.mark.parametrize("lines", [AGGREGATE, TLS])
def test_what_receivers_count_of_our_domain_is_no_letter(lines):
    """DMARC and TLS reports seldom say that a program wrote them; neither is answered."""
    found = classify(*lines, words="H4sIAAAA")
    assert (found.kind, found.reason, found.may_answer) == ("automatic", "domain-report", False)
    assert classify("Subject: What is a Report Domain: in my mail?").kind == "letter"


@pytest.mark.parametrize(
    "lines",
    [
        ("List-Id: Rumah <halo.rumah.test>", "Precedence: list"),
        (
            "List-ID: <x.rumah.test>",
            "List-Post: <https://l.test/post>, <mailto:Halo@rumah.test?subject=x>",
            "List-Help: <mailto:halo+help@rumah.test>",
        ),
    ],
)
def test_a_group_that_is_an_inbox_of_ours_hides_nobody(lines):
    """Where the centre's address is a group's, each client's letter bears the marks of a list."""
    assert classify(*lines) == classifying.Class("letter")
    assert classify("List-Id: <halo.rumah.test.evil.test>").kind == "automatic"
    assert classify(*lines, "Auto-Submitted: auto-replied").kind == "automatic"


def test_our_own_letter_is_our_own_loop():
    """From one of our inboxes, with an id of ours."""
    found = classify("Message-ID: <ours@rumah.test>", sender="halo+x@rumah.test")
    assert (found.kind, found.may_answer) == ("own-loop", False)


def test_our_id_from_elsewhere_is_no_loop():
    """A client's program that keeps the Message-ID when it redirects loses nothing."""
    assert classify("Message-ID: <ours@rumah.test>").kind == "letter"


def test_our_own_address_is_never_answered_automatically():
    """With an id we do not know it is a letter somebody reads, and no loop begins."""
    found = classify("Message-ID: <x@y.test>", sender="halo@rumah.test")
    assert (found.kind, found.reason, found.may_answer) == ("letter", "own-address", False)
