"""Risk only ever raises; a named person reads, and a person closes it with a sentence."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from mailcounsel import errors
from mailcounsel.casework.office import Office
from mailcounsel.cli import viewing
from mailcounsel.store import models

ANI = "ani@klien.test"
DANGER = "Saya ingin mengakhiri hidup saya malam ini."


def close(house, person="wulan", **sentences):
    standing = house.call(person, "case.show", case="C-0001")["risks"]
    given = {risk["id"]: b64encode(b"sealed").decode() for risk in standing} | sentences
    return house.call(person, "risk.close", case="C-0001", sentences=given)


def test_danger_raises_the_case_at_once(house):
    """Urgent, waiting, shown as risk, and the therapists hear of it."""
    house.write(ANI, DANGER)
    (case,) = house.call("wulan", "queue.list")["cases"]
    assert (case["priority"], case["risk"]) == ("urgent", True)
    assert case["waiting_since"]
    assert any(row.once and ":risk:" in row.once for row in house.outbox("staff-notice"))


def test_danger_in_a_letter_without_proof_counts(house):
    """Nobody has to prove who they are to be taken seriously; Junk does not silence either."""
    house.write(ANI, DANGER, suspect=True)
    assert len(house.rows(models.Risk)) == 1


def test_danger_from_a_form_that_says_it_is_a_machine_counts(house):
    """A contact form marks its mail Auto-Submitted; the words in it are a person's."""
    house.write(ANI, DANGER, headers={"Auto-Submitted": "auto-generated"})
    assert len(house.rows(models.Risk)) == 1
    assert house.case(1).waiting_since is not None
    assert house.outbox("acknowledgement") == []


def attaching(house, words, *files, **more):
    """Return a letter with texts attached to it, each as (name, words)."""
    mail = message_from_bytes(house.mail(ANI, words, **more), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    for name, inside in files:
        mail.add_attachment(inside, filename=name)
    return mail.as_bytes()


def test_danger_in_an_attached_text_raises_and_is_named(house):
    """It may be another's words, so no note with help answers it; a person looks soon."""
    house.receive(attaching(house, "Halo, lihat ini.", ("surat.txt", DANGER), ("b.txt", "Halo.")))
    assert house.case(1).priority == 3
    assert len(house.rows(models.Risk)) == 1
    assert house.outbox("crisis") == []
    (letter,) = [one for one in house.read("wulan", "C-0001") if one["direction"] == "in"]
    assert (letter["text"].strip(), letter["signs"]) == ("Halo, lihat ini.", [])
    assert letter["signs_in_files"] == [["surat.txt", ["suicide"]]]
    told = "\n".join(viewing.entry_lines(letter, (), full=False))
    assert "!! signs of danger in the attachment surat.txt: suicide" in told


@pytest.mark.parametrize("kind", ["delivery-status", "disposition-notification"])
def test_danger_beside_a_report_that_a_client_passes_on_counts(house, kind):
    """What a mail server told her stands in her letter, and the letter is hers all the same."""
    lines = (
        *(f"From: {ANI}", 'Content-Type: multipart/mixed; boundary="m"', ""),
        *("--m", "", DANGER, "--m", f"Content-Type: message/{kind}", "", "Reporting-MTA: dns; x"),
        *("", "Final-Recipient: rfc822; a@b.test", "Action: failed", "--m--"),
    )
    house.receive("\r\n".join(lines).encode())
    assert [row.kind for row in house.rows(models.Letter) if row.direction == "in"] == ["letter"]
    assert len(house.rows(models.Risk)) == 1
    assert house.case(1).waiting_since is not None


def test_danger_beside_words_of_a_lost_letter_counts(house):
    """A form sends without an envelope sender, and what she tells of sounds like a mail server."""
    house.write(ANI, f"Surat saya kemarin tidak terkirim ke siapa pun. {DANGER}", mail_from="")
    assert len(house.rows(models.Risk)) == 1
    assert house.case(1).waiting_since is not None


def test_danger_in_the_only_text_of_a_letter_counts_as_its_words(house):
    """What was sent as a file is the letter where there is no other; it is looked at once."""
    house.receive(attaching(house, "", ("surat.txt", DANGER)))
    (letter,) = [one for one in house.read("wulan", "C-0001") if one["direction"] == "in"]
    assert letter["text"].strip() == DANGER
    assert letter["signs"]
    assert letter["signs_in_files"] == []
    assert len(house.outbox("crisis")) == 1


def test_old_words_quoted_in_an_attached_text_raise_nothing_new(house):
    """A server cuts a known client's letter into files, and their quotation with it."""
    house.write(ANI, "Halo.")
    (offer,) = house.sent_to(ANI)
    quoted = f"Terima kasih.\n\n> {DANGER}\n"
    house.receive(attaching(house, "Ini.", ("ATT1.txt", quoted), reply_to=offer))
    assert house.rows(models.Risk) == []
    house.receive(attaching(house, "Ini.", ("ATT1.txt", DANGER), reply_to=offer))
    assert len(house.rows(models.Risk)) == 1


def test_danger_in_a_letter_with_bare_returns_counts(house):
    """Its words are read, whatever its lines end in on the way."""
    raw = house.mail(ANI, DANGER).replace(b"\r\n", b"\n").replace(b"\n", b"\r")
    house.receive(raw + b"\r\n")
    assert len(house.rows(models.Risk)) == 1


def test_no_answer_looks_like_an_assessment(house):
    """The acknowledgement is the same as for any letter, and says where help is."""
    house.write(ANI, DANGER)
    house.write("budi@klien.test", "Halo.")
    dangers, usual = house.outbox("acknowledgement")
    own_words = re.compile("(?<=dalam surat Anda: )[^.]+")  # the only part that is each case's own
    assert own_words.sub("", dangers.parcel.text) == own_words.sub("", usual.parcel.text)
    assert "112" in usual.parcel.text


def test_a_known_client_in_danger_is_promised_no_later_day(house):
    """They get the note with help alone: a day for an answer would sound as if it could wait."""
    house.write(ANI, "Halo.")
    offer, *_ = house.sent_to(ANI)
    house.write(ANI, DANGER, reply_to=offer)
    assert house.outbox("crisis")
    assert house.outbox("acknowledgement-again") == []
    house.write("budi@klien.test", DANGER)
    assert len(house.outbox("acknowledgement")) == 2


def test_old_words_quoted_by_a_proved_client_raise_nothing_new(house):
    """The same sentence, quoted back, was read before."""
    house.write(ANI, DANGER)
    offer, *_ = house.sent_to(ANI)
    quote = f"Terima kasih, sudah lebih baik.\n\nOn Sunday Ani wrote:\n> {DANGER}\n"
    house.write(ANI, quote, reply_to=offer)
    assert len(house.rows(models.Risk)) == 1


def test_quoted_words_of_a_stranger_are_read_as_new(house):
    """Who is not known may quote anything: a person looks."""
    house.write(ANI, f"Ini yang ia tulis:\n> {DANGER}\n")
    assert len(house.rows(models.Risk)) == 1


def test_each_letter_with_danger_wants_its_own_receipt(house):
    """Reading the first is not reading the second."""
    house.write(ANI, DANGER)
    offer, *_ = house.sent_to(ANI)
    house.write(ANI, DANGER, reply_to=offer)
    first, _ = [e for e in house.read("wulan", "C-0001") if e["direction"] == "in"]
    house.call("wulan", "case.read", case="C-0001", letters=[first["id"]])
    read = {risk.letter_id: risk.read_by for risk in house.rows(models.Risk)}
    assert read.pop(first["id"]) == "wulan"
    assert list(read.values()) == [None]


def test_the_receipt_names_who_read_first_and_when(house):
    """Later readers are noted, the receipt stays."""
    house.write(ANI, DANGER)
    (entry, *_) = house.read("wulan", "C-0001")
    when = house.clock.on(minutes=5)
    house.call("wulan", "case.read", case="C-0001", letters=[entry["id"]])
    house.clock.on(minutes=5)
    house.call("sari", "case.read", case="C-0001", letters=[entry["id"]])
    (risk,) = house.rows(models.Risk)
    assert (risk.read_by, risk.read_at) == ("wulan", when)
    assert {row.person for row in house.rows(models.Reading)} == {"wulan", "sari"}
    assert house.audited().count("risk-read") == 1


def test_no_receipt_for_a_letter_of_another_case(house):
    """A caller can only have read what they can open."""
    house.write(ANI, DANGER)
    house.write("budi@klien.test", "Halo.")
    (entry, *_) = house.read("wulan", "C-0001")
    house.call("wulan", "case.read", case="C-0002", letters=[entry["id"]])
    assert house.rows(models.Risk)[0].read_by is None


def test_a_case_with_an_open_risk_cannot_be_closed(house):
    """First the sentence, then the case."""
    house.write(ANI, DANGER)
    house.look("wulan", "C-0001")
    with pytest.raises(errors.Conflict, match="risk close C-0001"):
        house.close("wulan", "C-0001")
    close(house)
    house.close("wulan", "C-0001")
    assert house.case(1).state == "closed"


def test_a_danger_nobody_has_read_is_not_closed(house):
    """A slip of the hand ends no ladder: somebody opens the letter before they write a sentence."""
    house.write(ANI, DANGER)
    for attempt in (close, lambda one: one.close("wulan", "C-0001")):
        with pytest.raises(errors.Conflict, match="Read it first: mailcounsel show C-0001"):
            attempt(house)
    assert house.rows(models.Risk)[0].closed_at is None
    (errand,) = [row for row in house.rows(models.Errand) if row.kind == "risk-step"]
    assert errand.state == "waiting"
    house.look("sari", "C-0001")
    assert close(house) == {"closed": 1}


def test_a_second_danger_is_read_before_both_are_closed(house):
    """What was read of the first letter says nothing about the second."""
    house.write(ANI, DANGER)
    offer, *_ = house.sent_to(ANI)
    house.look("wulan", "C-0001")
    house.write(ANI, "Saya mau mati sekarang juga.", reply_to=offer)
    with pytest.raises(errors.Conflict, match="nobody has read"):
        close(house)


def test_a_case_with_a_risk_in_a_linked_case_cannot_be_closed(house):
    """Linking does not hide a sign of danger."""
    house.write(ANI, "Halo.")
    house.write(ANI, DANGER)
    house.call("sari", "case.link", case="C-0002", into="C-0001")
    assert house.case(1).priority == 3
    with pytest.raises(errors.Conflict):
        house.close("sari", "C-0001")


def test_an_answer_lowers_no_open_risk(house):
    """Replying is not closing: the case stays urgent."""
    house.write(ANI, DANGER)
    house.reply("wulan", "C-0001", "Saya di sini.", plain="darurat")
    assert house.case(1).priority == 3


def test_closing_needs_a_sentence_for_every_open_risk(house):
    """A risk raised while the sentence was written is not closed unseen."""
    house.write(ANI, DANGER)
    offer, *_ = house.sent_to(ANI)
    standing = house.call("wulan", "case.show", case="C-0001")["risks"]
    house.write(ANI, DANGER, reply_to=offer)
    given = {risk["id"]: b64encode(b"sealed").decode() for risk in standing}
    with pytest.raises(errors.Conflict):
        house.call("wulan", "risk.close", case="C-0001", sentences=given)
    assert all(risk.closed_at is None for risk in house.rows(models.Risk))


def test_closing_what_is_not_open_is_refused(house):
    """There is nothing to say a sentence about."""
    house.write(ANI, "Halo.")
    with pytest.raises(errors.NotFound):
        close(house)


def test_a_bounce_that_returns_danger_raises_nothing(house):
    """A report quotes our own letter and the client's old words."""
    house.write(ANI, "Halo.")
    bounce = house.bounce("x@rumah.test", DANGER)
    house.receive(bounce, mail_from="")
    assert house.rows(models.Risk) == []


def test_danger_is_promised_by_the_urgent_hours(house):
    """A case in danger is due by its queue's urgent promise, not by the ordinary one."""
    config = house.office.config
    urgent = config.queues[0].priority_promise.model_copy(update={"urgent": 1.0})
    queue = config.queues[0].model_copy(update={"priority_promise": urgent})
    house.office = Office(config.model_copy(update={"queues": (queue,)}), house.office.keyring)
    house.write("ani@klien.test", "Halo, saya mau bercerita tentang sekolah.")
    house.write("budi@klien.test", "Saya ingin mati saja.")
    assert house.case(2).promised_at < house.case(1).promised_at


def test_danger_is_not_promised_by_ordinary_hours_where_nothing_is_written(house):
    """Two working hours are the rule: nobody reads "by Thursday" beside DANGER."""
    house.clock.on(days=1, hours=-6)  # Monday 10:00 in Jakarta
    house.write(ANI, DANGER)
    assert house.case(1).promised_at - house.clock.now() == timedelta(hours=2)
    house.write(ANI, "BANTUAN", reply_to=house.sent_to(ANI)[0])
    assert "Senin, 23 November 2026" in house.sent_to(ANI)[-1].text


def test_a_closed_risk_presses_no_longer(house):
    """What still waits is seen to first, as an ordinary case that presses; else nothing does."""
    house.write(ANI, DANGER)
    house.reply("wulan", "C-0001", "Halo Ani.")
    assert house.case(1).priority == 3
    house.look("wulan", "C-0001")
    close(house)
    assert house.case(1).priority == 1
    house.write(ANI, DANGER, reply_to=house.sent_to(ANI)[0])
    house.look("wulan", "C-0001")
    close(house)
    assert house.case(1).priority == 2
