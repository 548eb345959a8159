"""`explain`: the steps over a mail file, in the caller's own process, storing nothing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import conftest
from e2e.admin import Admin
from mailcounsel.crypto import openpgp

MAIL = conftest.ROOT / "tests" / "mail"


@pytest.fixture
def admin(short_tmp):
    return Admin(short_tmp)


def letter(folder: Path, text: str, name: str = "letter.eml", **headers: str) -> Path:
    fields = {
        "From": "Ani <ani@client.test>",
        "To": "letters@example.org",
        "Subject": "halo",
        "Date": "Tue, 03 Nov 2026 10:00:00 +0700",
        "Message-ID": "<one@client.test>",
        "Content-Type": "text/plain; charset=utf-8",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    path = folder / name
    path.write_text(f"{head}\n{text}\n")
    return path


def files_in(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


def test_explain_needs_no_configuration_and_leaves_nothing(admin):
    """A stranger's file is explained by the defaults, and no file is written anywhere."""
    path = letter(
        admin.folder,
        "Saya tidak bisa tidur sudah seminggu ini.\n\n> kata siapa",
        In_Reply_To="<a@rumah.test>",
    )
    before = files_in(admin.folder)
    said = admin.run("explain", str(path)).stdout
    assert files_in(admin.folder) == before
    assert re.search(r"kind +letter", said)
    assert re.search(r"from +Ani <ani@client\.test>", said)
    assert re.search(r"language +id", said)
    assert re.search(r"queue +general, priority normal", said)
    assert "▸ 1 quoted line" in said
    assert "kata siapa" not in said


def test_explain_gives_one_object_for_each_file(admin):
    """--json prints a line a file, each with a version, in the order given."""
    names = ("phone-id", "bounce", "vacation-en", "list-en", "html-only-id")
    done = admin.run("explain", "--json", *(str(MAIL / f"{name}.eml") for name in names))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["version"] for one in found} == {1}
    assert [Path(one["file"]).stem for one in found] == list(names)
    kinds = [one["kind"] for one in found]
    assert kinds == ["letter", "bounce", "automatic", "automatic", "letter"]
    assert all(one["seconds"] >= 0 for one in found)


def test_explain_shows_danger_and_which_rule_sees_it(admin):
    """Signs are listed with their kind and the rule that saw them."""
    path = letter(admin.folder, "aku mau bunuh diri malam ini")
    (sign,) = admin.json("explain", str(path))["risk"][:1]
    assert sign["kind"] == "suicide"
    assert sign["quoted"] is False
    start, end = sign["span"]
    assert sign["in"] == "text"
    assert "aku mau bunuh diri malam ini"[start:end] == "bunuh diri"


def test_explain_reads_the_answer_to_a_check_in(admin):
    """Each question gets its number or `unsure`; danger leaves all of them to a person."""
    path = letter(admin.folder, "G1 6 / G2 antara 3 dan 5 / mood 5 / latihan 3x")
    found = admin.json("explain", "--questions", "G1,G2,mood,practice", str(path))
    assert found["answers"] == {"G1": 6, "G2": "unsure", "mood": 5, "practice": 3}
    assert admin.json("explain", str(path))["answers"] == {}
    path = letter(admin.folder, "Minggu ini saya beri nilai 7.")
    assert admin.json("explain", "--questions", "goal", str(path))["answers"] == {"goal": 7}
    path = letter(admin.folder, "7, tapi aku mau bunuh diri")
    assert admin.json("explain", "--questions", "goal", str(path))["answers"] == {"goal": "unsure"}
    refused = admin.run("explain", "--questions", "G1,sleep", str(path), expect=1)
    assert "G1,G2,mood,practice" in refused.stderr


def test_every_key_of_the_page_is_in_every_object(admin):
    """What docs/explain.md lists is there for a letter and for one in quarantine, and no more."""
    page = (conftest.ROOT / "docs" / "explain.md").read_text()
    rows = [line.split("|")[1:] for line in page.splitlines() if line.startswith("| `")]
    beside = re.findall(r"; `(\w+)` (?:says|why|as)|, `(from_doubt)`", page)
    listed = {key for row in rows for key in re.findall(r"`(\w+)`", row[0])}
    listed |= {key for found in beside for key in found if key} | {"from_name"}
    good = letter(admin.folder, "Saya baik.")
    bad = letter(admin.folder, "x", "many.eml", **{f"X-{number}": "x" for number in range(1100)})
    done = admin.run("explain", "--json", str(good), str(bad))
    for line in done.stdout.splitlines():
        assert set(json.loads(line)) == listed


def test_json_is_whole_and_its_spans_fit(admin):
    """The text is not cut, and each folded span names characters of it."""
    words = "Kata saya. " * 500
    path = letter(
        admin.folder,
        f"{words}\n\n> kata siapa\n> lagi",
        Subject="s" * 300,
        In_Reply_To="<a@rumah.test>",
    )
    found = admin.json("explain", str(path))
    assert found["text"].startswith(words.strip())
    assert found["subject"] == "s" * 300
    (span,) = found["folded"]
    assert found["text"][span["start"] : span["end"]].strip("\n") == "> kata siapa\n> lagi"


def test_certificates_beside_the_key_judge_signatures(admin):
    """A public key in the home given proves a signature over the whole letter."""
    home, elsewhere = admin.folder / "keys", admin.folder / "elsewhere"
    openpgp.make_centre(home, "Letters", "letters@example.org")
    writer = openpgp.make_centre(elsewhere, "Ani", "ani@client.test")
    body = "Content-Type: text/plain\r\n\r\nSaya sendiri.\r\n"
    with contextlib.closing(openpgp.Centre(elsewhere, writer)) as client:
        signature = client.sign_detached(body.encode())
        certificate = client.public_certificate()
    kind = 'multipart/signed; protocol="application/pgp-signature"; boundary="b"'
    parts = f"--b\n{body.replace(chr(13), '')}\n--b\n"
    parts += f"Content-Type: application/pgp-signature\n\n{signature.decode()}\n--b--"
    path = letter(admin.folder, parts, Content_Type=kind, MIME_Version="1.0")
    unknown = admin.json("explain", "--keys", str(home), str(path))["protection"]
    assert (unknown["signed"], unknown["by"]) == (True, [])
    take_in = ["gpg", "--homedir", str(home), "--batch", "-q", "--import"]
    subprocess.run(take_in, input=certificate, check=True)
    known = admin.json("explain", "--keys", str(home), str(path))["protection"]
    assert (known["by"], known["over"]) == ([writer], "whole")
    wrapped = (
        f"--o\nContent-Type: text/plain\n\nAdded.\n--o\nContent-Type: {kind}\n\n{parts}\n--o--"
    )
    part = 'multipart/mixed; boundary="o"'
    path = letter(admin.folder, wrapped, "part.eml", Content_Type=part, MIME_Version="1.0")
    partly = admin.json("explain", "--keys", str(home), str(path))["protection"]
    assert (partly["signed"], partly["by"], partly["over"]) == (True, [], "part")


def test_explain_tells_of_smime_what_can_be_seen(admin):
    """A signature is one though nobody here can judge it; what is closed is said to be."""
    signed = 'multipart/signed; protocol="application/pkcs7-signature"; boundary="b"'
    parts = "--b\n\nSaya.\n--b\nContent-Type: application/pkcs7-signature\n\nx\n--b--"
    path = letter(admin.folder, parts, Content_Type=signed, MIME_Version="1.0")
    found = admin.json("explain", str(path))["protection"]
    assert (found["signed"], found["by"], found["encrypted"]) == (True, [], False)
    closed = "application/pkcs7-mime; smime-type=enveloped-data"
    path = letter(admin.folder, "x", "closed.eml", Content_Type=closed, MIME_Version="1.0")
    found = admin.json("explain", str(path))["protection"]
    assert (found["signed"], found["encrypted"], found["opened"]) == (False, True, False)


def test_explain_applies_the_rules_of_the_configuration(admin):
    """Each rule says that it matched, or which condition did not hold."""
    admin.run("init", "--name", "x", "--address", "letters@example.org", "--smarthost", "localhost")
    with admin.config.open("a") as config:
        config.write('\n[[rule]]\nname = "hello"\nsubject_contains = "halo"\ntags = ["greeting"]\n')
        config.write('\n[[rule]]\nname = "english"\nlanguage = "en"\npriority = "low"\n')
    found = admin.json("explain", str(letter(admin.folder, "Saya tidak bisa tidur.")))
    assert found["rules"][0] == "hello: matched"
    assert found["rules"][1].startswith("english: ")
    assert found["tags"] == ["greeting"]
    assert found["priority"] == "normal"


def test_explain_decrypts_only_with_the_keys_it_is_given(admin):
    """Without --keys an encrypted letter stays closed; with a home that holds the key it opens."""
    home, elsewhere = admin.folder / "keys", admin.folder / "elsewhere"
    reader = openpgp.make_centre(home, "Letters", "letters@example.org")
    with contextlib.closing(openpgp.Centre(home, reader)) as opened:
        certificate = opened.public_certificate()
    writer = openpgp.make_centre(elsewhere, "Ani", "ani@client.test")
    with contextlib.closing(openpgp.Centre(elsewhere, writer)) as client:
        inside = b"Content-Type: text/plain\r\n\r\nrahasia di dalam\r\n"
        sealed = client.encrypt_and_sign(inside, certificate, reader)
    parts = "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--b\n"
    parts += f"Content-Type: application/octet-stream\n\n{sealed.decode()}\n--b--"
    kind = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b"'
    path = letter(admin.folder, parts, Content_Type=kind, MIME_Version="1.0")
    closed = admin.json("explain", str(path))
    assert closed["protection"]["encrypted"]
    assert not closed["protection"]["opened"]
    assert closed["text"] == ""
    assert closed["problems"] == ["not-opened (give --keys GNUPGHOME to look inside)"]
    opened = admin.json("explain", "--keys", str(home), str(path))
    assert opened["text"] == "rahasia di dalam"
    assert opened["protection"]["opened"]
    assert opened["problems"] == []


def test_a_letter_that_swells_when_it_is_opened_stays_closed(admin):
    """What becomes larger than any letter may be is not opened, however small it came."""
    home = admin.folder / "keys"
    reader = openpgp.make_centre(home, "Letters", "letters@example.org")
    encrypt = ["gpg", "--homedir", str(home), "--batch", "-q", "--trust-model", "always"]
    encrypt += ["--armor", "-r", reader, "--encrypt"]
    bomb = subprocess.run(encrypt, input=bytes(30_000_000), capture_output=True, check=True).stdout
    assert len(bomb) < 100_000
    path = letter(admin.folder, bomb.decode())
    found = admin.json("explain", "--keys", str(home), str(path))
    assert (found["protection"]["encrypted"], found["protection"]["opened"]) == (True, False)
    assert "cannot-decrypt" in found["problems"]


def test_explain_says_so_when_the_key_is_another(admin):
    """A home without the right key opens nothing, and the letter is still explained."""
    home = admin.folder / "keys"
    openpgp.make_centre(home, "Letters", "letters@example.org")
    found = admin.json("explain", "--keys", str(home), str(MAIL / "encrypted.eml"))
    assert "cannot-decrypt" in found["problems"]
    assert found["kind"] == "letter"


def test_a_letter_beyond_the_limits_would_be_quarantined(admin):
    """Too much is a fact about that file: it ends as quarantine, the next one goes on, exit 0."""
    many = {f"X-{number}": "x" for number in range(1100)}
    bad = letter(admin.folder, "x", "many.eml", **many)
    good = letter(admin.folder, "Saya baik.")
    done = admin.run("explain", "--json", str(bad), str(good))
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["kind"], first["why"]) == ("quarantine", "OverBudget")
    assert first["problems"]
    assert second["kind"] == "letter"


def test_nothing_a_terminal_acts_upon_comes_through(admin):
    """Escapes, controls and bidi marks in subject, name, text and file name are taken out."""
    evil = "\x1b[2J\u202eabc\x07"
    path = letter(admin.folder, f"teks {evil}", "a\x1b[31m.eml", Subject=f"hal {evil}")
    said = admin.run("explain", str(path)).stdout
    assert "teks" in said
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said)


def test_explain_reads_standard_input(admin):
    """ "-" is standard input."""
    done = admin.run("explain", "--json", "-", given=(MAIL / "phone-id.eml").read_bytes())
    assert json.loads(done.stdout)["kind"] == "letter"


def test_a_file_that_is_not_there_is_a_wrong_use(admin):
    """Exit 2, one sentence, and nothing on standard output."""
    done = admin.run("explain", "nowhere.eml", expect=2)
    assert done.stdout == ""
    assert "nowhere.eml" in done.stderr


@pytest.mark.skipif("MAILCOUNSEL_CORPORA" not in os.environ, reason="MAILCOUNSEL_CORPORA is unset")
def test_every_letter_of_the_corpora_is_explained(admin):
    """No real letter makes the steps fail with anything but a limit."""
    found = sorted(str(path) for path in Path(os.environ["MAILCOUNSEL_CORPORA"]).rglob("*.eml"))
    done = admin.run("explain", "--json", *found)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(found)
    odd = [
        one["file"] for one in lines if one["kind"] == "quarantine" and one["why"] != "OverBudget"
    ]
    assert odd == []
