"""`doctor`, `reconcile`, `quarantine`, `invite` and `relay` beside a running service."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
from email.message import EmailMessage

import pytest

from e2e.admin import PROGRAM, Admin
from servers import tools


@pytest.fixture(scope="module")
def model(short_base):
    """A centre that `init` made, to be copied."""
    folder = short_base / "doctor-model"
    folder.mkdir()
    admin = Admin(folder, forks=True)
    admin.init(25)
    return folder


@pytest.fixture
def centre(model, short_tmp, sink):
    """A copy of it, with a smarthost that listens and a port of its own."""
    admin = Admin(short_tmp / "c", forks=True)
    shutil.copytree(model, admin.folder)
    admin.change("port = 25\n", f"port = {sink.port}\n")
    listen(admin, tools.free_port())
    return admin


def listen(admin, port):
    text = admin.config.read_text()
    admin.config.write_text(re.sub(r"(\[smtp\][^\[]*port = )\d+", rf"\g<1>{port}", text))


def imap_of(admin, dovecot, user, password):
    """Let the centre read a mailbox."""
    secret = admin.folder / "secrets" / "imap"
    secret.parent.mkdir(mode=0o700)
    secret.write_text(f"{password}\n")
    secret.chmod(0o600)
    admin.change(
        "# The people who work here.",
        f'[inbox.imap]\nhost = "127.0.0.1"\nport = {dovecot.port}\ntls = "none"\n'
        f'user = "{user}"\npassword_file = "secrets/imap"\n\n# The people who work here.',
    )


def parts(found):
    return {one["part"]: one for one in found["findings"]}


# -- doctor ---------------------------------------------------------------------------------------
def test_doctor_without_a_service_looks_from_outside(centre):
    """Every part that can be seen is seen, and the one thing missing is said with its fix."""
    found = parts(centre.json("doctor", expect=1))
    bad = [name for name, one in found.items() if not one["ok"]]
    assert bad == ["service"]
    assert found["service"]["fix"] == "mailcounsel serve"
    assert {
        "config",
        "gpg",
        "templates",
        "keyring",
        "centre key",
        "store",
        "clock",
        "smarthost",
    } <= (found.keys())


def test_doctor_makes_nothing_new_in_place_of_what_was_lost(centre):
    """Keys that a store still needs are brought back; only where there is none does `init` help."""
    (centre.folder / "state" / "keyring.json").unlink()
    (centre.folder / "state" / "centre.fingerprint").unlink()
    found = parts(centre.json("doctor", expect=1))
    for lost in ("keyring", "centre key"):
        assert "docs/backup.md" in found[lost]["fix"]
        assert "mailcounsel init" not in found[lost]["says"] + found[lost]["fix"]
    (centre.folder / "state" / "mailcounsel.db").unlink()
    found = parts(centre.json("doctor", expect=1))
    assert found["keyring"]["fix"] == "mailcounsel init, as the service's account"


def test_doctor_beside_a_service_asks_it(centre):
    """The service's own findings are shown: who is not enrolled, and that letters wait for it."""
    with centre.serving():
        found = parts(centre.json("doctor", expect=1))
        said = centre.run("doctor", expect=1).stdout
    assert found["service"]["says"] == "running"
    assert found["keyring"]["says"] == "in use by the running service"
    assert [name for name, one in found.items() if not one["ok"]] == ["supervisors"]
    assert "\nbad  supervisors: not enrolled yet: sari\n       fix: mailcounsel invite sari" in said
    assert said.endswith("to mend.\n")


def test_doctor_names_a_smarthost_that_is_down(centre):
    """One line for the fault, one for the fix, exit 1."""
    centre.change('host = "127.0.0.1"\ntls', 'host = "localhost"\ntls')
    text = centre.config.read_text()
    dead = re.sub(r"(\[smarthost\][^\[]*port = )\d+", rf"\g<1>{tools.free_port()}", text)
    centre.config.write_text(dead)
    found = parts(centre.json("doctor", expect=1))["smarthost"]
    assert "connect: refused" in found["says"]
    assert "[smarthost]" in found["fix"]


def test_doctor_names_a_wrong_imap_password(centre, dovecot):
    """The mailbox's own line says what the server said, and what to do."""
    imap_of(centre, dovecot, "doctor-wrong", "not-the-password")
    found = parts(centre.json("doctor", expect=1))["mailbox letters@example.org"]
    assert found["says"].endswith("login-refused")
    assert "token_command" in found["fix"]


def test_doctor_says_what_remains_at_the_mail_provider(centre, dovecot):
    """Copies in the mailbox are counted, with how long they stay; Junk is counted too."""
    imap_of(centre, dovecot, "doctor-copies", dovecot.password)
    dovecot.append("doctor-copies", letter("one"))
    with centre.serving():
        tools.until(lambda: centre.json("reconcile")["seen"] == 1, "the letter in the ledger")
        found = parts(centre.json("doctor", expect=1))
    inbox = found["copies letters@example.org INBOX"]
    assert inbox["ok"]
    assert inbox["says"].startswith("1 at the mail provider, kept there for good")
    assert found["copies letters@example.org Junk"]["says"].startswith("0 at the mail provider")


def test_doctor_without_gpg_says_how_to_get_it(centre):
    """The fix is a command that can be typed."""
    said = centre.run("doctor", expect=1, PATH=str(centre.folder)).stdout
    assert "bad  gpg: " in said
    assert "fix: sudo apt install gnupg" in said


def test_doctor_names_a_template_that_is_broken(centre):
    """An own wording with an unknown fact is found before a client would."""
    own = centre.folder / "own-words" / "en"
    own.mkdir(parents=True)
    (own / "acknowledgement.txt").write_text("Subject: A letter for you\n\n{{ nonsense }}\n")
    centre.change('languages = ["en"]', 'languages = ["en"]\ntemplates = "own-words"')
    found = parts(centre.json("doctor", expect=1))["templates"]
    assert "en/acknowledgement.txt" in found["says"]
    assert not found["ok"]


def test_doctor_names_people_without_an_account(centre):
    """Who has no account on the machine can type nothing there; everybody's name is a good line."""
    assert parts(centre.json("doctor", expect=1))["people"]["ok"]
    centre.change(
        "[[person]]\n",
        '[[person]]\nname = "bayu"\nos_user = "no-such-user"\nroles = ["admin"]\n\n[[person]]\n',
    )
    found = parts(centre.json("doctor", expect=1))["people"]
    assert not found["ok"]
    assert found["says"] == "no account on this machine: no-such-user (bayu)"
    assert "adduser" in found["fix"]


def test_doctor_sees_a_clock_that_went_back(centre):
    """Entries from the future in the store mean that a clock is wrong."""
    run_sql(centre, "INSERT INTO audit (at, actor, verb, ref) VALUES ('2999-01-01', 'x', 'x', '')")
    assert "from the future" in parts(centre.json("doctor", expect=1))["clock"]["says"]


def run_sql(admin, statement):
    with contextlib.closing(sqlite3.connect(admin.folder / "state" / "mailcounsel.db")) as store:
        store.execute(statement)
        store.commit()


# -- there and back -------------------------------------------------------------------------------
def letter(name):
    """Return a client's letter."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ani@client.test", "letters@example.org", "halo"
    mail["Message-ID"] = f"<{name}@client.test>"
    mail.set_content("Saya ingin bercerita.")
    return mail.as_bytes()


def raw_of(sink):
    return sink.letters[0].content.replace(b"\r\n", b"\n")


def carry(sink, change, deliver):
    """Do what a mail provider does: wait for one letter, change it, and deliver it."""

    def work():
        (taken,) = sink.wait(1)
        deliver(change(taken.content.replace(b"\r\n", b"\n")))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def delivered_to(raw):
    (to,) = re.findall(rb"^To: <([^>]+)>", raw, re.MULTILINE)
    return b"Delivered-To: " + to + b"\nAuthentication-Results: mx.example.org; dmarc=pass\n" + raw


def test_roundtrip_says_what_survives(centre, dovecot, sink):
    """A letter to ourselves that comes back whole is found by its mark, whichever way it came."""
    imap_of(centre, dovecot, "round-whole", dovecot.password)
    with centre.serving():
        thread = carry(sink, delivered_to, lambda raw: dovecot.append("round-whole", raw))
        found = centre.json("doctor", "--roundtrip", expect=1)["findings"]
        thread.join()
        balance = centre.json("reconcile")
    lines = [one for one in found if one["part"] == "roundtrip letters@example.org"]
    assert all(one["ok"] for one in lines)
    assert lines[0]["says"] == "came back with from, tag, message-id, references, autocrypt"
    assert "mx.example.org" in lines[1]["says"]
    assert (balance["own-loop"], balance["case"], balance["lost"]) == (1, 0, 0)


def test_roundtrip_names_what_a_smarthost_rewrites(centre, dovecot, sink):
    """Each thing lost on the way is a line of its own with what to set."""

    def rewrite(raw):
        raw = re.sub(rb"^From: .*$", b"From: <letters@example.org>", raw, flags=re.MULTILINE)
        return re.sub(
            rb"^Message-ID: .*$", b"Message-ID: <new@smarthost.test>", raw, flags=re.MULTILINE
        )

    imap_of(centre, dovecot, "round-rewritten", dovecot.password)
    with centre.serving():
        thread = carry(sink, rewrite, lambda raw: dovecot.append("round-rewritten", raw))
        found = centre.json("doctor", "--roundtrip", expect=1)["findings"]
        thread.join()
    lost = {
        one["says"].split()[0]
        for one in found
        if one["part"].startswith("roundtrip") and not one["ok"]
    }
    assert {"from", "message-id"} <= lost
    assert all(one["fix"] for one in found if not one["ok"])


def test_roundtrip_that_never_comes_back_says_so(centre, sink):
    """The wait is bounded, and the line says that the smarthost took the letter."""
    with centre.serving():
        found = centre.json("doctor", "--roundtrip", "--wait", "1", expect=1)["findings"]
    (line,) = [one for one in found if one["part"].startswith("roundtrip")]
    assert "taken by the smarthost, and is not back after 1 s" in line["says"]


def test_nobody_can_hide_a_letter_behind_the_mark(centre, dovecot, sink):
    """A client's letter with a forged or a copied mark is a letter, and waits like any other."""
    imap_of(centre, dovecot, "round-forged", dovecot.password)
    token = b"a" * 26
    forged = b"X-Mailcounsel-Roundtrip: " + token + b".1795000000." + b"0" * 32 + b"\n"
    with centre.serving():
        thread = carry(sink, delivered_to, lambda raw: dovecot.append("round-forged", raw))
        centre.json("doctor", "--roundtrip", expect=1)
        thread.join()
        (mark,) = re.findall(rb"^X-Mailcounsel-Roundtrip: .*\n", raw_of(sink), re.MULTILINE)
        dovecot.append("round-forged", mark + letter("copied"))
        dovecot.append("round-forged", forged + letter("forged"))
        tools.until(lambda: centre.json("reconcile")["seen"] == 3, "all three in the ledger")
        balance = centre.json("reconcile")
    assert balance["own-loop"] == 1
    assert balance["case"] + balance["received"] == 2


# -- invite, quarantine, reconcile ----------------------------------------------------------------
def test_invite_makes_a_code_for_somebody_of_the_configuration(centre):
    """The code is shown once with what to type; a stranger's name is not found."""
    with centre.serving():
        said = centre.run("invite", "sari").stdout
        assert re.search(r"mailcounsel enrol ([A-Z0-9]{5}-){2}[A-Z0-9]{5}\n", said)
        assert "nobody is not in config.toml" in centre.run("invite", "nobody", expect=3).stderr


def test_quarantine_is_listed_and_tried_again(centre, dovecot):
    """A letter beyond the limits waits in quarantine with its reason, and can be tried again."""
    imap_of(centre, dovecot, "quarantine", dovecot.password)
    with centre.config.open("a") as config:
        config.write("\n[limits]\nsize_bytes = 5000\n")
    dovecot.append("quarantine", letter("large") + b"x " * 4000)
    with centre.serving():
        assert centre.run("quarantine", "list").stdout.count("\n") >= 1
        listed = tools.until(lambda: centre.json("quarantine", "list")["letters"], "quarantine")
        said = centre.run("quarantine", "list").stdout
        assert listed[0]["id"][-6:] in said
        assert "larger than limits.size_bytes" in said
        assert "quarantine: 1 waiting" in centre.run("doctor", expect=1).stdout
        done = centre.run("quarantine", "retry", listed[0]["id"][-6:]).stdout
        assert done.startswith("1 letter is being tried again")
        assert "no such letter" in centre.run("quarantine", "retry", "zzz", expect=3).stderr


def test_quarantine_that_is_empty_says_so(centre):
    """An empty list is a sentence for people, [] for programs, and no fault."""
    with centre.serving():
        assert centre.run("quarantine", "list").stdout == "Nothing is in quarantine.\n"
        assert centre.json("quarantine", "list")["letters"] == []


def test_reconcile_counts_mailboxes_too(centre, dovecot):
    """The balance names every end, and each folder beside the ledger."""
    imap_of(centre, dovecot, "reconcile", dovecot.password)
    dovecot.append("reconcile", letter("one"))
    with centre.serving():
        tools.until(lambda: centre.json("reconcile")["seen"] == 1, "the letter in the ledger")
        said = centre.run("reconcile").stdout.splitlines()
    assert said[0] == "in 1 = 0 case + 0 quarantine + 0 discarded + 1 still waiting, lost 0"
    assert "letters@example.org INBOX: 1 letters, all in the ledger" in said
    assert "letters@example.org Junk: 0 letters, all in the ledger" in said


def test_reconcile_fails_loudly_when_a_letter_is_gone(centre, dovecot):
    """A row without its letter is counted as lost, and the exit code says so."""
    imap_of(centre, dovecot, "lost", dovecot.password)
    dovecot.append("lost", letter("one"))
    with centre.serving():
        tools.until(lambda: centre.json("reconcile")["seen"] == 1, "the letter in the ledger")
    run_sql(centre, "UPDATE inbox SET raw = NULL")
    with centre.serving():
        done = centre.run("reconcile", expect=1)
    assert "lost 1" in done.stdout


def test_commands_without_a_service_say_how_to_start_it(centre):
    """69, one sentence, as JSON where that is asked for."""
    for words in (["reconcile"], ["invite", "sari"], ["quarantine", "list"]):
        said = centre.run(*words, expect=69).stderr
        assert "mailcounsel serve" in said
        assert len(said.splitlines()) == 1
    error = json.loads(centre.run("reconcile", "--json", expect=69).stderr)
    assert error["exit_code"] == 69


# -- relay ----------------------------------------------------------------------------------------
def test_relay_carries_both_ways_and_ends_with_its_input(centre):
    """A request goes in, its answer comes out byte for byte, and nothing else is printed."""
    request = b'{"jsonrpc": "2.0", "id": 7, "method": "hello"}\n'
    with centre.serving():
        done = centre.run("relay", given=request * 3)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["result"]["people"] for one in answers] == [["sari"]] * 3
    assert done.stderr == ""


def test_relay_carries_a_large_request_while_answers_come(centre):
    """Many requests at once fill every buffer on the way, and all are answered."""
    padding = "x" * 50_000
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"pad": padding}})
    with centre.serving():
        done = centre.run("relay", given=f"{line}\n".encode() * 60)
    assert len(done.stdout.splitlines()) == 60


def test_relay_ends_when_the_service_does(centre):
    """A waiting relay does not outlive the service, although its input stays open."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with centre.serving():
            process = subprocess.Popen(
                [*PROGRAM, "relay"],
                cwd=centre.folder,
                env=centre.environment(),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
            )
            ours.settimeout(tools.PATIENCE)
            ours.sendall(b'{"jsonrpc": "2.0", "id": 7, "method": "hello"}\n')
            assert b"result" in ours.recv(4096)
        assert process.wait(tools.PATIENCE) == 0


def test_relay_without_a_service_says_so(centre):
    """69, on standard error alone."""
    done = centre.run("relay", expect=69)
    assert done.stdout == ""
    assert "not running" in done.stderr


def test_a_left_over_socket_is_no_service(centre):
    """A file left by a killed process is answered like no service at all."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(centre.folder / "state" / "control.sock"))
    assert "not running" in centre.run("reconcile", expect=69).stderr
