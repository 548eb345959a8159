"""Letters by IMAP, from the provider's mailbox to the queue, with the installed program."""

from __future__ import annotations

import smtplib
from uuid import uuid4

import pytest

from e2e.clients import arrived, read, wait_for_mail
from e2e.example_centre import ADDRESS


def plain(sender, words, *, to=ADDRESS):
    """Return a client's letter, as it left."""
    head = f"From: {sender}\nTo: {to}\nSubject: surat\nMessage-ID: <{uuid4()}@mail.test>\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{words}\n".encode()


def test_junk_is_shown_and_never_answered(make_centre, furnished, dovecot, mailbox, world):
    """A letter in Junk is shown as suspect, even with our words in it, and gets no answer."""
    centre = make_centre()
    # Before the first look: nothing announces a letter in Junk, and the next look is a minute off.
    dovecot.append(mailbox, plain("ragu@mail.test", "SETUJU\n\nHalo, saya sedih."), folder="Junk")
    centre.move_in(furnished)
    [case] = centre.wait_for_cases(1)
    assert "suspect" in case["flags"]
    assert "suspect" in centre.run("sari", "queue").stdout
    assert "Junk" in centre.run("sari", "show", case["case"]).stdout
    # What comes later is answered, so the answer to the first would have left before.
    dovecot.append(mailbox, plain("budi@mail.test", "Halo, saya sulit tidur."))
    wait_for_mail(world, "budi@mail.test", 1)
    assert arrived(world, "ragu@mail.test") == []
    assert centre.letters(case["case"])[0]["suspect"]


def test_one_letter_by_both_ways_is_one_letter(make_centre, furnished, dovecot, mailbox, world):
    """A letter handed over by SMTP and found in the mailbox as well is placed and answered once."""
    centre = make_centre().move_in(furnished)
    raw = plain("budi@mail.test", "Halo, saya sulit tidur.")
    with smtplib.SMTP("127.0.0.1", centre.smtp_port, timeout=60) as line:
        line.sendmail("budi@mail.test", [ADDRESS], raw)
    trace = f"Return-Path: <budi@mail.test>\nDelivered-To: {ADDRESS}\nReceived: from a by b; x\n"
    dovecot.append(mailbox, trace.encode() + raw)
    dovecot.append(mailbox, plain("tini@mail.test", "Halo."))
    centre.wait_for_cases(2)
    balance = centre.wait_for_balance(case=2, received=0)
    assert (balance["in"], balance["seen"], balance["lost"]) == (2, 3, 0)
    wait_for_mail(world, "tini@mail.test", 1)
    assert len(arrived(world, "budi@mail.test")) == 1


@pytest.mark.parametrize("after", ["move", "delete"])
def test_the_mailbox_is_touched_last(make_centre, dovecot, mailbox, until, after):
    """Letters that cannot be placed yet stay where they are; placed ones are moved or deleted."""
    centre = make_centre()
    centre.change("[[inbox]]", '#after = "keep"', f'after = "{after}"')
    centre.change("[[inbox]]", "#after_days = 7", "after_days = 0")
    centre.change("[inbox.imap]", "#poll_seconds = 60", "poll_seconds = 1")
    code = centre.set_up()
    centre.serve()
    # Nobody is enrolled: no letter can be sealed to anybody.
    for number in (1, 2, 3):
        dovecot.append(mailbox, plain(f"client{number}@mail.test", "Halo."))
        centre.wait_for_balance(received=number)
    assert len(dovecot.list_uids(mailbox)) == 3
    assert dovecot.list_uids(mailbox, "Archive") == []

    centre.run("sari", "enrol", code, "--no-passphrase")
    centre.wait_for_cases(3)
    until(lambda: not dovecot.list_uids(mailbox), "an empty mailbox")
    kept = dovecot.list_uids(mailbox, "Archive")
    assert len(kept) == (3 if after == "move" else 0)
    balance = centre.balance()
    assert (balance["in"], balance["case"], balance["lost"]) == (3, 3, 0)


def test_a_renumbered_mailbox_doubles_nothing(make_centre, furnished, dovecot, mailbox, world):
    """A mailbox made anew under another UIDVALIDITY gives the same letters once, and new ones."""
    centre = make_centre()
    centre.change("[inbox.imap]", '#folder = "INBOX"', 'folder = "Work"')
    centre.change("[inbox.imap]", "#poll_seconds = 60", "poll_seconds = 1")
    old = [plain(f"client{number}@mail.test", "Halo, apa kabar?") for number in (1, 2)]
    with dovecot.session(mailbox) as client:
        client.create_folder("Work")
    centre.move_in(furnished)
    for raw in old:
        dovecot.append(mailbox, raw, "Work")
    centre.wait_for_cases(2)
    with dovecot.session(mailbox) as client:
        # The server's UIDVALIDITY may go by seconds: make sure that it is another.
        before = client.folder_status("Work", ["UIDVALIDITY"])
        while client.folder_status("Work", ["UIDVALIDITY"]) == before:
            client.delete_folder("Work")
            client.create_folder("Work")
    for raw in [*old, plain("client3@mail.test", "Halo, ini baru.")]:
        dovecot.append(mailbox, raw, "Work")
    centre.wait_for_cases(3)
    balance = centre.wait_for_balance(seen=5)
    assert (balance["in"], balance["case"], balance["lost"]) == (3, 3, 0)
    for number in (1, 2, 3):
        assert len(wait_for_mail(world, f"client{number}@mail.test", 1)) == 1


def test_a_restart_in_the_middle(make_centre, furnished, dovecot, mailbox, world, until):
    """A service killed while it works goes on where it was: each letter once, answered once."""
    centre = make_centre().move_in(furnished)
    for number in range(12):
        dovecot.append(mailbox, plain(f"client{number}@mail.test", f"Halo, surat {number}."))
    until(lambda: centre.balance()["case"], "the first letter in a case")
    centre.kill()
    dovecot.append(mailbox, plain("client12@mail.test", "Halo, surat 12."))
    centre.serve()
    centre.wait_for_cases(13)
    balance = centre.wait_for_balance(case=13, received=0)
    assert (balance["in"], balance["seen"], balance["lost"]) == (13, 13, 0)
    until(lambda: _is_answered(centre, world, 13), "an answer to each client, or a person told")


def _is_answered(centre, world, number):
    """Each client got exactly one acknowledgement; where one may be missing, a person sees it."""
    uncertain = 0
    for letter in centre.json("operator", "outbox")["letters"]:
        uncertain += letter["state"] == "uncertain" and letter["kind"] == "acknowledgement"
    got = [len(arrived(world, f"client{one}@mail.test")) for one in range(number)]
    assert max(got) <= 1
    return sum(got) >= number - uncertain


def test_the_recipient_decides_the_inbox(make_centre, furnished, dovecot, mailbox, world):
    """A letter to a tagged address in Delivered-To, with others in To, is answered from ours."""
    centre = make_centre().move_in(furnished)
    raw = plain("budi@mail.test", "Halo.", to="undisclosed-recipients:;")
    dovecot.append(mailbox, b"Delivered-To: letters+evening@example.org\n" + raw)
    centre.wait_for_cases(1)
    [thanks] = wait_for_mail(world, "budi@mail.test", 1)
    assert read(thanks)["From"].addresses[0].username.startswith("letters+")
