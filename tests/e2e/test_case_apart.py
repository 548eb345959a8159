"""Taking a case apart with the installed program: two people, gpg, a file larger than a request."""

from __future__ import annotations

import os
from email import message_from_bytes

import pytest

from e2e.staffroom import Staffroom

CLIENT = "ani@example.org"
FILE = os.urandom(1_500_000)


@pytest.fixture(scope="module")
def room():
    """A running centre with a therapist and a supervisor."""
    made = Staffroom()
    try:
        yield made.open("sari", "wulan")
    finally:
        made.close()


def texts(shown):
    return [one["text"].strip() for one in shown["entries"] if one["direction"] == "in"]


def test_letters_of_two_people_are_taken_apart_and_put_together_again(room):
    """Proposed by one, carried out by the other, all of it readable there, and undone."""
    case = room.write(CLIENT, "Hello, I am Ani.")
    thanks = message_from_bytes(room.mail_for(CLIENT, 1)[0])
    answer = room.letter(CLIENT, "This is her sister, from the same address.")
    answer["In-Reply-To"] = answer["References"] = thanks["Message-ID"]
    answer.add_attachment(FILE, maintype="application", subtype="octet-stream", filename="a.bin")
    room.post(answer, CLIENT)
    shown = room.json("sari", "show", case)
    assert len(texts(shown)) == 2
    number = str(max(one["number"] for one in shown["entries"] if one["direction"] == "in"))

    words = ("case", "split", case, "--letter", number, "--other-client")
    said = room.run("wulan", *words).stdout
    assert said.startswith("Proposed.")
    assert "mailcounsel case split" in room.run("sari", "show", case).stdout
    assert f"wulan proposes: mailcounsel {' '.join(words)}" in room.run(
        "sari", "case", "split", case
    ).stdout  # fmt: skip
    done = room.json("sari", *words)
    new = done["case"]
    assert (done["letters"], done["address_known"]) == ([int(number)], True)
    assert texts(room.json("sari", "show", case)) == ["Hello, I am Ani."]
    assert texts(room.json("wulan", "show", new)) == ["This is her sister, from the same address."]
    saved = room.folder / "saved.bin"
    room.run("wulan", "show", new, "--save", "1/1", str(saved))
    assert saved.read_bytes() == FILE
    assert CLIENT in room.run("sari", "show", new, "--raw", "1").stdout

    proposed = room.run("wulan", "undo", new).stdout
    assert proposed.startswith("Proposed.")
    assert f"They type: mailcounsel undo {new}" in proposed
    assert f"mailcounsel undo {new}" in room.run("sari", "show", new).stdout
    assert f"shown in {case} again" in room.run("sari", "undo", new).stdout
    assert len(texts(room.json("sari", "show", case))) == 2

    page = room.run("sari", "show", case).stdout
    assert f"── {new}/1. " in page
    assert f"file {new}/1/1: a.bin" in page
    assert "Hello, I am Ani." in room.run("sari", "show", case, "--raw", "1").stdout
    assert "her sister" in room.run("sari", "show", case, "--raw", f"{new}/1").stdout
    room.run("wulan", "show", case, "--save", f"{new.lower()}/1/1", "again.bin")
    assert (room.home("wulan") / "again.bin").read_bytes() == FILE
    missing = room.run("wulan", "show", case, "--save", "1/1", "none.bin", expect=3)
    assert "Letter 1 has no file 1" in missing.stderr
    whole = room.run("sari", "case", "split", case, "--letter", f"{new}/1", expect=1)
    assert f"mailcounsel undo {new}" in whole.stderr


def test_a_new_address_that_names_the_case_is_proposed_and_merged(room):
    """The words of the acknowledgement, in a letter from elsewhere, are shown to a person."""
    case = room.write("budi@example.org", "Hello, I am Budi.")
    word = room.json("sari", "show", case)["word"]
    assert word in room.mail_for("budi@example.org", 1)[0].decode()
    new = room.write("budi.new@example.org", f"I lost my mailbox. My words are: {word}.")
    assert "around which day did you first write" in (
        room.mail_for("budi.new@example.org", 1)[0].decode().replace("=\n", "").replace("\n", " ")
    )
    assert f"maybe {case}, named its word" in room.run("sari", "queue").stdout
    shown = room.run("sari", "show", new).stdout
    assert f"may be from {case}, named its word, which proves nothing" in shown
    merged = room.run("sari", "case", "merge", new, case).stdout
    assert merged.startswith("Merged.")
    assert "Letters go on to address 1 of the client:" in merged
    turned = room.run("sari", "way", "address", case, "2", "lost the old mailbox, and called")
    assert turned.stdout == f"Letters in {case} go to address 2 from now on.\n"
    shown = room.run("sari", "way", "show", case).stdout
    assert "letters go here" in next(one for one in shown.splitlines() if f"with {new}" in one)
    assert "example.org" not in shown
    assert len(texts(room.json("sari", "show", case))) == 2
    assert "own again" in room.run("sari", "undo", new).stdout
