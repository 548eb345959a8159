"""The acceptance of the centre: the example configuration, real servers, the installed program."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from e2e.clients import arrived, read, wait_for_mail
from e2e.example_centre import ADDRESS

NEUTRAL = 120  # characters a locked telephone shows


def test_a_letter_is_in_the_queue_within_seconds(
    make_centre, dovecot, mailbox, budi, record_property
):
    """A letter appended to the mailbox is in `mailcounsel queue` within seconds, all typed."""
    centre = make_centre()
    centre.forks = False
    centre.open()
    assert centre.cases() == []
    measured = []
    for number in (1, 2):
        letter = budi.letter("Halo, saya sulit tidur.", to=ADDRESS)
        letter.replace_header("From", f"budi{number}@mail.test")
        start = time.monotonic()
        dovecot.append(mailbox, letter.as_bytes())
        centre.wait_for_cases(number)
        measured.append(time.monotonic() - start)
    record_property("seconds from mailbox to queue", measured)
    print("seconds from mailbox to queue:", [round(seconds, 2) for seconds in measured])
    assert {case["language"] for case in centre.cases()} == {"id"}
    balance = centre.balance()
    assert (balance["in"], balance["case"], balance["lost"]) == (2, 2, 0)


def begin_locked(centre, dovecot, mailbox, world, dewi):
    """Let a client with a key write first; return their case and our acknowledgement."""
    first = dewi.letter("Halo, nama saya Dewi. Saya sulit tidur.", to=ADDRESS)
    dovecot.append(mailbox, dewi.signed(first))
    [case] = centre.wait_for_cases(1)
    [thanks] = wait_for_mail(world, dewi.address, 1)
    return case["case"], thanks


def test_an_encrypted_conversation(make_centre, furnished, dovecot, mailbox, world, dewi):
    """A reply from $EDITOR reaches a client locked; a mail program opens it; the answer returns."""
    centre = make_centre().move_in(furnished)
    case, thanks = begin_locked(centre, dovecot, mailbox, world, dewi)
    ours = dewi.learn(thanks)
    words = "Terima kasih, Dewi. Apa yang terjadi sebelum Anda berbaring?"
    said = centre.reply("sari", case, words)
    assert "encrypted and signed" in said
    [_, raw] = wait_for_mail(world, dewi.address, 2)

    outer = read(raw)
    assert outer.get_content_type() == "multipart/encrypted"
    assert outer["Subject"] == "[...]"
    assert outer["From"] == ADDRESS
    assert f"addr={ADDRESS};" in outer["Autocrypt"]
    assert b"Terima kasih, Dewi" not in raw

    dewi.fetch(dovecot, world)
    shown = dewi.show(f"id:{outer['Message-ID'][1:-1]}")
    assert words in _text_of(shown["body"])
    assert shown["crypto"]["signed"]["status"][0]["fingerprint"] == ours
    assert shown["crypto"]["signed"]["status"][0]["status"] == "good"
    assert shown["crypto"]["decrypted"]["header-mask"] == {"Subject": "[...]"}
    subject = shown["headers"]["Subject"]
    assert subject == "Surat untuk Anda"
    assert dewi.notmuch("count", f'subject:"{subject}"').strip() == "2"

    inside, signers = dewi.unlock_with_sqop(raw)
    assert words in _all_text(read(inside))
    assert read(inside)["Subject"] == subject
    assert signers == [ours]

    answer = dewi.answer(raw, "Biasanya saya bekerja sampai larut.")
    assert answer["In-Reply-To"] == outer["Message-ID"]
    dovecot.append(mailbox, dewi.locked(answer, ours))
    letter = centre.wait_for_letter(case, "sampai larut")
    assert (letter["vouching"], letter["encrypted"]) == ("signed", True)
    assert [one["case"] for one in centre.cases("sari", "--all")] == [case]


def test_a_chat_program_writes_first(make_centre, furnished, dovecot, mailbox, world, dewi):
    """A chat program that has our key writes locked from the start, and everything stays so."""
    centre = make_centre().move_in(furnished)
    ours = dewi.take(centre.certificate())
    provider = f"Delivered-To: {ADDRESS}\r\n".encode()
    first = dewi.letter("Halo, saya sulit tidur.", to=ADDRESS, subject="Pesan")
    dovecot.append(mailbox, provider + dewi.chatted(first, ours))
    [case] = centre.wait_for_cases(1)
    [letter] = centre.letters(case["case"])
    assert (letter["subject"], letter["encrypted"], letter["problems"]) == ("Pesan", True, [])
    [thanks] = wait_for_mail(world, dewi.address, 1)
    assert read(thanks).get_content_type() == "multipart/encrypted"
    centre.reply("sari", case["case"], "Terima kasih, Dewi.")
    [_, raw] = wait_for_mail(world, dewi.address, 2)
    inside = read(dewi.gpg("--decrypt", data=list(read(raw).iter_parts())[1].get_content()))
    assert "Terima kasih, Dewi." in _all_text(inside)

    answer = dewi.letter("Sejak hari Selasa.", to=ADDRESS, subject="Re: Pesan")
    answer["In-Reply-To"] = answer["References"] = str(inside["Message-ID"])
    dovecot.append(mailbox, provider + dewi.chatted(answer, ours))
    letter = centre.wait_for_letter(case["case"], "Selasa")
    assert letter["vouching"] == "signed"
    assert [one["case"] for one in centre.cases("sari", "--all")] == [case["case"]]


def _text_of(body):
    """Return the text of a message as notmuch shows it."""
    found = []
    for part in body:
        content = part.get("content", "")
        found.append(content if isinstance(content, str) else _text_of(content))
    return "\n".join(found)


def _all_text(letter):
    parts = [part for part in letter.walk() if part.get_content_type() == "text/plain"]
    return "\n".join(part.get_content() for part in parts)


@pytest.mark.parametrize("proof", ["in-reply-to", "plus-address"])
def test_a_plain_client_agrees_and_the_waiting_reply_leaves(
    make_centre, furnished, dovecot, mailbox, world, budi, proof
):
    """One word from an ordinary mail program is a yes, by either thing it brings back."""
    centre = make_centre().move_in(furnished)
    dovecot.append(mailbox, budi.letter("Halo, saya sulit tidur.", to=ADDRESS).as_bytes())
    [case] = centre.wait_for_cases(1)
    [thanks] = wait_for_mail(world, budi.address, 1)
    assert "SETUJU" in read(thanks).get_content()
    assert read(thanks)["Auto-Submitted"] == "auto-replied"
    words = "Terima kasih, Budi. Apa yang membuat malam sulit?"
    said = centre.reply("sari", case["case"], words)
    assert "waits" in said
    [_, notice] = wait_for_mail(world, budi.address, 2)
    assert words not in read(notice).get_content()

    budi.fetch(dovecot, world)
    answer = budi.answer(notice, "SETUJU")
    if proof == "in-reply-to":
        del answer["References"]
        answer.replace_header("To", ADDRESS)
    else:
        del answer["References"]
        del answer["In-Reply-To"]
        assert "+" in answer["To"]
    dovecot.append(mailbox, answer.as_bytes())
    *_, reply = wait_for_mail(world, budi.address, 4)
    assert words in "".join(read(raw).get_content() for raw in arrived(world, budi.address)[2:])
    assert read(reply)["From"].addresses[0].display_name == "Surat Teduh"
    assert all(words not in str(read(raw)["Subject"]) for raw in arrived(world, budi.address))
    assert [one["case"] for one in centre.cases("sari", "--all")] == [case["case"]]


REWRITING = {"rewrite_from": ADDRESS, "rewrite_message_id": True}


def without_tags(centre):
    """Configure that the provider delivers no tagged addresses."""
    centre.change("[[inbox]]", '#case_address = "plus"', 'case_address = "none"')
    return centre


def test_a_rewriting_smarthost_does_not_lose_a_locked_client(
    make_centre, furnished, dovecot, mailbox, world, dewi
):
    """Where From and Message-ID are rewritten and tags are off, a signature finds the case."""
    centre = without_tags(make_centre(**REWRITING)).move_in(furnished)
    case, thanks = begin_locked(centre, dovecot, mailbox, world, dewi)
    ours = dewi.learn(thanks)
    centre.reply("sari", case, "Terima kasih, Dewi. Ceritakan lebih banyak.")
    [_, raw] = wait_for_mail(world, dewi.address, 2)
    assert read(raw)["Message-ID"].endswith("@smarthost.test>")
    dewi.fetch(dovecot, world)
    answer = dewi.answer(raw, "Baik, saya ceritakan.")
    dovecot.append(mailbox, dewi.locked(answer, ours))
    letter = centre.wait_for_letter(case, "saya ceritakan")
    assert letter["vouching"] == "signed"
    assert [one["case"] for one in centre.cases("sari", "--all")] == [case]


def test_a_rewriting_smarthost_leaves_a_plain_client_to_a_person(
    make_centre, furnished, dovecot, mailbox, world, budi
):
    """Without any proof the answer stands before a person, who links it; then it is one case."""
    centre = without_tags(make_centre(**REWRITING)).move_in(furnished)
    dovecot.append(mailbox, budi.letter("Halo, saya sulit tidur.", to=ADDRESS).as_bytes())
    [first] = centre.wait_for_cases(1)
    [thanks] = wait_for_mail(world, budi.address, 1)
    assert read(thanks)["From"].addresses[0].addr_spec == ADDRESS
    budi.fetch(dovecot, world)
    answer = budi.answer(thanks, "Ini saya lagi, masih sulit.")
    dovecot.append(mailbox, answer.as_bytes())
    second = next(one for one in centre.wait_for_cases(2) if one["case"] != first["case"])
    assert second["maybe_from"] == first["case"]
    assert f"maybe {first['case']}" in centre.run("sari", "queue").stdout
    shown = centre.run("sari", "show", second["case"]).stdout
    assert f"may be from {first['case']}" in shown

    centre.run("sari", "case", "merge", second["case"], first["case"])
    assert [one["case"] for one in centre.cases()] == [first["case"]]
    texts = [one["text"] for one in centre.letters(first["case"])]
    assert any("sulit tidur" in text for text in texts)
    assert any("masih sulit" in text for text in texts)


def test_two_inboxes(make_centre, furnished, dovecot, mailbox, world):
    """Each address has its mailbox, language, queue and people; nobody else reads its letters."""
    centre = make_centre()
    centre.text += SECOND_INBOX.format(port=dovecot.tls_port, user=f"x{mailbox}")
    centre.move_in(furnished)
    code = centre.json("operator", "invite", "bima")["code"]
    centre.run("bima", "enrol", code, "--no-passphrase")
    for user, to, text in (
        (mailbox, ADDRESS, "7.30?"),
        (f"x{mailbox}", "quiet@example.org", "8.30?"),
    ):
        client = f"{to.partition('@')[0]}@mail.test"
        raw = f"From: {client}\nTo: {to}\nSubject: ?\nMessage-ID: <{uuid4()}@mail.test>\n\n{text}\n"
        dovecot.append(user, raw.encode())
    found = {case["queue"]: case for case in centre.wait_for_cases(2)}
    assert {queue: case["language"] for queue, case in found.items()} == {
        "general": "id",
        "evening": "en",
    }
    [thanks] = wait_for_mail(world, "quiet@mail.test", 1)
    assert "thank you for writing" in read(thanks).get_content()
    [terima_kasih] = wait_for_mail(world, "letters@mail.test", 1)
    assert "terima kasih" in read(terima_kasih).get_content()
    sender = read(thanks)["From"].addresses[0]
    assert sender.display_name == "Quiet Letters"
    assert sender.username.startswith("quiet+")


SECOND_INBOX = """
[[inbox]]
address = "quiet@example.org"
queue = "evening"
language = "en"
sender_name = "Quiet Letters"

[inbox.imap]
host = "localhost"
port = {port}
user = "{user}"
password_env = "MAILCOUNSEL_IMAP_PASSWORD"
"""


def test_nothing_a_client_sees_first_tells_what_this_is(
    make_centre, furnished, dovecot, mailbox, world, budi
):
    """Sender, subject and first words of every automatic mail are neutral on a locked screen."""
    centre = make_centre().move_in(furnished)
    dovecot.append(mailbox, budi.letter("Halo, saya cemas dan takut.", to=ADDRESS).as_bytes())
    [case] = centre.wait_for_cases(1)
    centre.reply("sari", case["case"], "Tentang cemas Anda: bernapaslah.")
    wait_for_mail(world, budi.address, 2)
    for raw in arrived(world, budi.address):
        letter = read(raw)
        first = f"{letter['From']} {letter['Subject']} {letter.get_content()[:NEUTRAL]}".lower()
        assert not [word for word in TELLING if word in first]
        assert len(raw) < 20_000


TELLING = ("konseling", "counsel", "terapi", "therap", "cemas", "sedih", "depres", "rumah teduh")
