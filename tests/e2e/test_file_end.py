"""A client's whole file: sent to them, handed over, and ended, with the real commands."""

from __future__ import annotations

import stat
import zipfile
from email import message_from_bytes, policy

import pytest

from e2e.clients import LockedClient, read
from e2e.staffroom import INBOX, Staffroom


@pytest.fixture(scope="module")
def room():
    """A centre with a supervisor and a therapist; replies leave at once."""
    made = Staffroom()
    made.configure(hold=0)
    try:
        yield made.open("sari", "wulan")
    finally:
        made.close()


def inside(client, mail):
    armour = list(read(mail).iter_parts())[1].get_content()
    return message_from_bytes(client.gpg("--decrypt", data=armour), policy=policy.default)


def test_a_copy_reaches_the_client_whole_and_locked(room, short_tmp):
    """Both sides' words and the client's file are inside; a private note is not."""
    dewi = LockedClient(short_tmp / "d", "dewi@mail.test", "Dewi Contoh")
    letter = dewi.letter("Halo, saya Dewi, quokka.", to=INBOX)
    case = room.post(dewi.signed(letter), dewi.address)
    room.run("sari", "reply", case, "-m", "Selamat datang, marigold.")
    room.run("sari", "note", case, "-m", "numbat, for colleagues")
    mails = room.mail_for(dewi.address, 2)
    said = room.run("sari", "case", "copy", case)
    assert "encrypted and signed" in said.stdout
    mails = room.mail_for(dewi.address, 3)
    dewi.learn(mails[-1])
    assert b"quokka" not in mails[-1]
    message = inside(dewi, mails[-1])
    (text,) = [part.get_content() for part in message.iter_attachments()]
    assert "quokka" in text
    assert "marigold" in text
    assert "numbat" not in text


def test_without_a_key_it_stays_here_and_can_be_handed_over(room):
    """Never in plain mail; --save writes it once, for its owner alone, with the client's files."""
    client = "budi@mail.test"
    letter = room.letter(client, "Halo, kuokka.")
    letter.add_attachment(b"wombat bytes", maintype="image", subtype="png", filename="foto.png")
    case = room.post(letter, client)
    refused = room.run("sari", "case", "copy", case, expect=1)
    assert "program that encrypts by itself" in refused.stderr
    home = room.home("sari")
    room.run("sari", "case", "copy", case, "--save", "copy.zip")
    assert stat.S_IMODE((home / "copy.zip").stat().st_mode) == 0o600
    with zipfile.ZipFile(home / "copy.zip") as archive:
        assert archive.read("foto.png") == b"wombat bytes"
        (words,) = [name for name in archive.namelist() if name.endswith(".txt")]
        assert "kuokka" in archive.read(words).decode()
    again = room.run("sari", "case", "copy", case, "--save", "copy.zip", expect=4)
    assert "there already" in again.stderr
    one = room.run("sari", "case", "copy", case, "--save", "copy.txt").stdout
    assert "1 file of the client's is not in it" in one
    assert "kuokka" in (home / "copy.txt").read_text()


def test_erasing_wants_the_number_typed(room):
    """What cannot be undone is said first; another number, or nobody at the keyboard, is a no."""
    client = "citra@mail.test"
    case = room.write(client, "Halo, dugong.")
    room.run("sari", "case", "erase", case, "asked for", expect=4)  # nobody has read it yet
    room.run("sari", "show", case)
    refused = room.run("sari", "case", "erase", case, "asked for", expect=1)
    assert "add --yes" in refused.stderr
    terminal = room.terminal("sari", "case", "erase", case, "asked for")
    terminal.until(f"erases {case} for ever")
    terminal.until("to erase it")
    terminal.type("C-9999\r")
    terminal.until("Nothing was erased")
    assert terminal.wait() == 1
    terminal.close()
    assert room.json("sari", "show", case)["state"] == "open"
    proposed = room.run("sari", "case", "erase", case, "asked for", "--yes").stdout
    assert "it is erased once a colleague" in proposed
    assert f"mailcounsel seen {case} erase-proposed" in room.run("sari", "show", case).stdout
    terminal = room.terminal("wulan", "case", "erase", case, "asked for")
    terminal.until("to erase it")
    terminal.type(f"{case}\r")
    terminal.until("is erased")
    assert terminal.wait() == 0
    terminal.close()
    assert "was erased on" in room.run("sari", "show", case, expect=3).stderr
    assert room.mail_for(client, 2)


def test_erasing_by_script_says_what_it_did(room):
    """--yes asks nothing; JSON tells what became of it."""
    case = room.write("eka@mail.test", "Halo.")
    room.run("sari", "show", case)
    first = room.json("sari", "case", "erase", case, "asked for on paper", "--yes")
    assert first["erased"] is False
    said = room.json("wulan", "case", "erase", case, "asked for on paper", "--yes")
    assert (said["case"], said["letters"], said["receipt"]) == (case, 1, True)
    assert said["journal_empty"]
    assert "lost 0" in room.run("sari", "reconcile").stdout
