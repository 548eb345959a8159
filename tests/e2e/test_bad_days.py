"""Bad days: one clear sentence each, nothing lost, and the service goes on or refuses to start."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from e2e import running
from e2e.running import INBOX, Centre
from parts.gpg_homes import Gpg
from servers import tools

ANI, BUDI = "ani@client.test", "budi@client.test"
SOON = "UPDATE {} SET due_at = datetime('now', '-1 day') WHERE state IN ('received', 'ready')"


@pytest.fixture
def make_centre(short_tmp, mailserver, enrolled):
    """`make_centre(**settings)`: a copy of a centre with people, not started; ended afterwards."""
    made: list[Centre] = []

    def make(original=enrolled, **settings):
        folder = short_tmp / f"c{len(made)}"
        made.append(Centre(folder, mailserver.port, **settings).copied_from(original))
        return made[-1]

    yield make
    for centre in made:
        centre.close()


def is_one_sentence(words: str) -> bool:
    """Tell whether this is something a tired person can read: a line or two, and no traceback."""
    lines = words.splitlines()
    return 1 <= len(lines) <= 2 and "Traceback" not in words and words.endswith((".", "gnupg"))


def answer_to(centre: Centre, raw: bytes, sender: str) -> int:
    """Return the code with which the service answers a letter."""
    try:
        centre.send(raw, sender)
    except smtplib.SMTPResponseException as refusal:
        return refusal.smtp_code
    except smtplib.SMTPRecipientsRefused as refusal:
        return refusal.recipients[INBOX][0]
    return 250


def nothing_lost(centre: Centre, *words: str) -> None:
    """Check that the cases hold these letters and no other, and that the balance says so."""
    assert sorted(centre.received()) == sorted(words)
    balance = centre.call("sari", "reconcile")
    assert (balance["lost"], balance["received"]) == (0, 0)
    assert running.integrity(centre.store) == []


# -- it refuses to start --------------------------------------------------------------------------


def without_gpg(centre, folder):
    return {"PATH": str(folder)}


def broken_config(centre, folder):
    centre.config.write_text(centre.config.read_text().replace("[smarthost]", "[smarthoist]"))
    return {}


def readable_keyring(centre, folder):
    (centre.state / "keyring.json").chmod(0o644)
    return {}


def lost_keyring(centre, folder):
    (centre.state / "keyring.json").unlink()
    return {}


def lost_centre_key(centre, folder):
    shutil.rmtree(centre.state / "gnupg")
    return {}


def newer_store(centre, folder):
    centre.sql("UPDATE alembic_version SET version_num = 'from-tomorrow'")
    return {}


def damaged_store(centre, folder):
    centre.store.write_bytes(b"not a database" * 1000)
    return {}


REFUSALS = [
    (without_gpg, 69, "gpg is not installed"),
    (broken_config, 78, "smarthoist"),
    (readable_keyring, 1, "Others may read the service keyring"),
    (lost_keyring, 69, "docs/backup.md"),
    (lost_centre_key, 1, "OpenPGP key"),
    (newer_store, 1, "newer mailcounsel"),
    (damaged_store, 69, "damaged"),
]


@pytest.mark.parametrize(
    ("spoil", "code", "words"), REFUSALS, ids=[spoil.__name__ for spoil, _, _ in REFUSALS]
)
def test_a_centre_that_cannot_work_says_why_and_does_not_start(
    spoil, code, words, make_centre, short_tmp
):
    """What is missing or wrong is said in a sentence, with an exit code, and nothing is changed."""
    centre = make_centre()
    env = spoil(centre, short_tmp)
    before = {path: path.read_bytes() for path in centre.state.glob("*") if path.is_file()}
    found, said = centre.run("serve", env=env)
    assert words in said
    assert found == code
    assert is_one_sentence(said) or code == 78
    kept = {path: path.read_bytes() for path in before if path.exists()}
    assert kept[centre.store] == before[centre.store]
    assert kept.keys() >= {path for path in before if path.suffix in {".json", ".db"}}


NO_MEMORY = 'mount -t tmpfs -o ro none /dev/shm && exec "$@"'


def test_without_memory_the_service_does_not_start(make_centre, short_tmp, need):
    """Where gpg could only work on a disk nothing starts, and `doctor` says what is to be done."""
    if os.geteuid() != 0 or subprocess.run([need("unshare"), "-m", "true"], check=False).returncode:
        pytest.skip("only root may mount here")
    centre = make_centre()
    env = os.environ | {"XDG_RUNTIME_DIR": str(short_tmp), "TMPDIR": str(short_tmp)}

    def run(word: str) -> subprocess.CompletedProcess[str]:
        hidden = ("unshare", "-m", "sh", "-c", NO_MEMORY, "sh")
        words = [*hidden, *running.PROGRAM, "--config", str(centre.config), word]
        return subprocess.run(
            words, env=env, capture_output=True, text=True, check=False, timeout=60
        )

    refused = run("serve")
    assert refused.returncode == 69
    assert "mount a writable tmpfs on /dev/shm" in refused.stderr
    assert is_one_sentence(refused.stderr.strip())
    looked = run("doctor")
    assert "bad  memory: " in looked.stdout
    assert not list(short_tmp.glob("mailcounsel-gpg-*"))


def test_a_crash_of_the_service_leaves_no_core_file(make_centre):
    """Letters and addresses in its memory stay out of every file, whatever the account allows."""
    centre = make_centre()
    centre.start("sh", "-c", 'ulimit -c "$(ulimit -H -c)" && exec "$@"', "sh")
    assert centre.running is not None
    limits = Path(f"/proc/{centre.running.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    os.kill(centre.running.pid, signal.SIGABRT)
    assert centre.process.wait(60) == -signal.SIGABRT
    assert not list(centre.folder.glob("core*"))


def test_a_port_that_is_taken_is_said(make_centre):
    """With the SMTP port taken the service says so and does not start."""
    centre = make_centre()
    with socket.create_server(("127.0.0.1", centre.smtp_port)):
        code, said = centre.run("serve")
    assert code == 69
    assert "port" in said
    assert is_one_sentence(said)


def test_a_second_service_leaves_the_first_alone(make_centre):
    """A second service on the same store refuses to start, and the first never notices."""
    centre = make_centre()
    centre.start()
    code, said = centre.run("serve")
    assert code == 69
    assert "nother mailcounsel service" in said
    assert is_one_sentence(said)
    centre.send(running.mail(ANI, "Still here?", name="1"), ANI)
    centre.settle()
    nothing_lost(centre, "Still here?")


@contextmanager
def locked(centre):
    """Hold the store's write lock from another process's connection."""
    with_lock = sqlite3.connect(centre.store, isolation_level=None)
    with_lock.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        with_lock.execute("ROLLBACK")
        with_lock.close()


def test_a_locked_store_is_said_at_the_start(make_centre):
    """While another program holds the store the service does not start, and says to try later."""
    centre = make_centre()
    with locked(centre):
        code, said = centre.run("serve")
    assert code == 75
    assert is_one_sentence(said)
    centre.start()


# -- it goes on -----------------------------------------------------------------------------------


def looked(centre: Centre, part: str, env: dict[str, str] | None = None) -> str:
    """Return what `doctor` says of a part, with its fix."""
    _, said = centre.run("doctor", env={"MAILCOUNSEL_AS": "sari"} | (env or {}))
    found = re.search(rf"^\w+ +{part}: .*(?:\n +fix: .*)?", said, re.MULTILINE)
    assert found, said
    return found[0]


def test_gpg_that_goes_missing_is_named_by_a_running_service(make_centre, short_tmp, need):
    """`doctor` says what the service lacks, not that it does not run, and looks at the rest."""
    programs = short_tmp / "programs"
    programs.mkdir()
    for name in ("gpg", "gpgconf", "gpg-agent"):
        (programs / name).symlink_to(need(name))
    centre = make_centre()
    centre.start(env={"PATH": str(programs)})
    shutil.rmtree(programs)
    assert "gpg is not installed" in looked(centre, "centre key")
    assert looked(centre, "service") == "ok   service: running"
    assert looked(centre, "store").startswith("ok ")
    centre.stop()
    alone = looked(centre, "centre key", {"PATH": str(programs)})
    assert "fix: sudo apt install gnupg" in alone
    assert "docs/backup.md" not in alone  # nothing is lost


def test_a_locked_store_makes_letters_wait_outside(make_centre):
    """While the store is locked a letter gets a 4xx, and it is taken when it comes again."""
    centre = make_centre()
    centre.start()
    letter = running.mail(ANI, "Knock.", name="1")
    with locked(centre):
        assert answer_to(centre, letter, ANI) == 451
        assert "a letter could not be kept: The store does not answer." in centre.words()
        assert looked(centre, "store").startswith("bad  store: The store does not answer.")
        assert looked(centre, "service") == "ok   service: running"
    assert answer_to(centre, letter, ANI) == 250
    centre.settle()
    nothing_lost(centre, "Knock.")


@contextmanager
def small_disk(folder):
    """Put a small file system of its own under a folder."""
    if os.geteuid() != 0:
        tools.absent("a small disk can be mounted by root alone")
    folder.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "mailcounsel-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        tools.absent("a small disk cannot be mounted here")
    try:
        yield
    finally:
        # Its agent would not see its home go, and live on.
        agent = ["gpgconf", "--homedir", str(folder / "gnupg"), "--kill", "gpg-agent"]
        subprocess.run(agent, check=False)
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_makes_letters_wait_outside(short_tmp, mailserver, enrolled, need):
    """On a full disk letters get a 452; with room again they are taken, and nothing is damaged."""
    need("mount")
    centre = Centre(short_tmp / "full", mailserver.port)
    with small_disk(centre.state):
        shutil.copytree(enrolled.state, centre.state, dirs_exist_ok=True, ignore=running.SOCKETS)
        centre.keys = enrolled.keys
        try:
            centre.start()
            full_disk(centre)
        finally:
            centre.close()


def fill(ballast: Path) -> None:
    """Write until there is no room for another byte."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def full_disk(centre: Centre) -> None:
    first = running.mail(ANI, "Before.", name="1")
    assert answer_to(centre, first, ANI) == 250
    centre.settle()
    ballast = centre.state / "ballast"
    fill(ballast)
    large = running.mail(BUDI, "During. " + "x" * 200_000, name="2")
    assert answer_to(centre, large, BUDI) == 452
    assert "a letter could not be kept: The disk is full." in centre.words()
    assert looked(centre, "disk").startswith("bad  disk: 0 MB are free")
    centre.stop()
    fill(ballast)
    code, said = centre.run("serve")
    assert (code, said) == (75, "The disk is full. Free some space; nothing was lost.")
    assert "docs/backup.md" not in looked(centre, "centre key")  # it is not lost
    ballast.unlink()
    centre.start()
    assert answer_to(centre, large, BUDI) == 250
    centre.settle()
    assert len(centre.received()) == 2
    balance = centre.call("sari", "reconcile")
    assert (balance["lost"], balance["case"]) == (0, 2)
    assert running.integrity(centre.store) == []


def test_a_letter_made_to_be_slow_delays_nobody(make_centre):
    """Eight megabytes of random letters are still being read when the next client has a case."""
    centre = make_centre()
    centre.start()
    noise = bytes(random.Random(1).choices(range(33, 127), k=8_000_000))
    lines = b"\r\n".join(noise[at : at + 60] for at in range(0, len(noise), 60))
    centre.send(running.mail(BUDI, "Noise.", name="1") + b"\r\n" + lines, BUDI)
    centre.send(running.mail(ANI, "Is anybody there?", name="2"), ANI)
    tools.until(lambda: "Is anybody there?" in centre.received(), "the small letter")
    assert centre.call("sari", "reconcile")["received"] == 1


def test_a_smarthost_that_is_down_only_delays(make_centre, mailserver):
    """With the smarthost down letters are taken, and the answers leave once when it is back."""
    centre = make_centre()
    nobody = tools.free_port()
    centre.configure(nobody)
    centre.start()
    centre.send(running.mail(ANI, "Anyone?", name="1"), ANI)

    def waits():
        return [(row["state"], row["reason"]) for row in centre.outbox()] == [
            ("ready", "connect: refused")
        ]

    tools.until(waits, "the first try")
    centre.stop()
    centre.configure(mailserver.port)
    centre.start()
    centre.sql(SOON.format("outgoing"))
    centre.settle()
    nothing_lost(centre, "Anyone?")
    assert [taken.recipients for taken in mailserver.letters] == [(ANI,)]


def test_a_wrong_imap_password_is_shown_and_loses_nothing(
    make_centre, dovecot, short_tmp, mailserver
):
    """With a wrong password the rest works, status says why, and the letters come in later."""
    secret = short_tmp / "secret"
    secret.write_text("not the password")
    secret.chmod(0o600)
    user = f"wrong-{short_tmp.name}"
    dovecot.append(user, running.mail(ANI, "By IMAP.", name="1"))
    centre = make_centre(inbox=running.mailbox(dovecot, user, secret))
    centre.start()

    def problems():
        return [box["problem"] for box in centre.call("sari", "status")["mailboxes"]]

    tools.until(lambda: problems() == ["login-refused"], "the problem to be shown")
    centre.send(running.mail(BUDI, "By SMTP.", name="2"), BUDI)
    centre.settle()
    nothing_lost(centre, "By SMTP.")
    assert "login-refused" in centre.words()
    centre.stop()
    secret.write_text(dovecot.password)
    centre.start()
    tools.until(lambda: len(centre.received()) == 2, "the letter from the mailbox")
    nothing_lost(centre, "By SMTP.", "By IMAP.")
    assert problems() == [""]


# -- keys that end --------------------------------------------------------------------------------


def acquaint_with_key(centre: Centre, client: Gpg, expires: str) -> str:
    """Let a client with a key write, encrypted and signed; return the key's fingerprint."""
    client("--import", data=Gpg(centre.state / "gnupg")("--export"))
    key = client.key(f"Ani <{ANI}>", expires=expires)
    centre.send(running.locked(client, key, ANI, "Locked words."), ANI)
    centre.settle()
    assert centre.call("wulan", "case.next")["case"] == "C-0001"
    return key


def test_a_client_key_that_expired_stops_the_reply_not_the_lock(
    need, make_centre, short_tmp, mailserver
):
    """A reply to a key that has expired waits for a person; it never leaves in clear."""
    faketime = need("faketime")
    centre = make_centre()
    centre.start()
    acquaint_with_key(centre, Gpg(short_tmp / "ani"), "6m")
    centre.stop()
    gpgconf(centre, "--launch", "gpg-agent")  # which does not start in another time
    env = {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    for _ in range(5):  # gpgconf now and then fails in another time; systemd would try again, too
        if running.attempt(lambda: centre.start(faketime, "-f", "+400d", env=env)):
            break
        centre.stop()
    before = len(mailserver.letters)
    centre.reply("wulan", "C-0001", "These words are for ani alone.")
    centre.settle()
    (reply,) = [row for row in centre.outbox() if row["kind"] == "reply"]
    assert (reply["state"], reply["reason"]) == ("waiting", "key-expired")
    assert "waiting" in centre.call("wulan", "queue.list", all=True)["cases"][0]["flags"]
    later = mailserver.letters[before:]
    assert not any(b"for ani alone" in taken.content for taken in later)


def test_a_centre_key_that_expired_sends_nothing_until_it_is_extended(
    make_centre, short_tmp, mailserver
):
    """With the centre's key expired a reply waits, never in clear; extended, it leaves once."""
    centre = make_centre()
    centre.start()
    acquaint_with_key(centre, Gpg(short_tmp / "ani"), "0")
    expire(centre)
    before = len(mailserver.letters)
    centre.reply("wulan", "C-0001", "Yes, here.")
    tools.until(lambda: reason_of_reply(centre), "the reply to be tried")
    centre.stop()
    assert len(mailserver.letters) == before
    extend(centre, "0")
    centre.start()
    centre.sql(SOON.format("outgoing"))
    centre.settle()
    (reply,) = mailserver.letters[before:]
    assert b"BEGIN PGP MESSAGE" in reply.content
    assert reason_of_reply(centre) == ""
    nothing_lost(centre, "Locked words.")


def test_a_centre_key_that_expired_still_opens_letters(make_centre, short_tmp):
    """Letters to a key of the centre's that has expired meanwhile are opened all the same."""
    centre = make_centre()
    centre.start()
    client = Gpg(short_tmp / "ani")
    key = acquaint_with_key(centre, client, "0")
    expire(centre)
    centre.send(running.locked(client, key, ANI, "Are you there?"), ANI)
    tools.until(lambda: len(centre.received()) == 2, "the letter to be placed")
    assert sorted(centre.received()) == ["Are you there?", "Locked words."]


def test_doctor_says_how_an_expired_centre_key_is_extended(make_centre):
    """What stands after `fix:` can be typed as it is, and mends the whole key."""
    centre = make_centre()
    expire(centre)
    said = looked(centre, "centre key")
    assert "has expired" in said
    typed, _, then = said.partition("fix: ")[2].partition("; then ")
    assert "restart" in then
    subprocess.run(["bash", "-c", typed], check=True, stdin=subprocess.DEVNULL)
    end_agent(centre)
    centre.stop()
    centre.start()
    assert looked(centre, "centre key").endswith("does not expire")


def expire(centre: Centre) -> None:
    """Start the centre again with a key that has expired."""
    centre.stop()
    extend(centre, "seconds=1")
    listed = Gpg(centre.state / "gnupg")
    tools.until(lambda: listed("--with-colons", "-k").count(b":e:2") == 2, "the key to expire")
    centre.start()


def reason_of_reply(centre: Centre) -> str:
    return str(next(row["reason"] for row in centre.outbox() if row["kind"] == "reply"))


def extend(centre: Centre, until: str) -> None:
    """Change when the centre's key ends."""
    gpg = Gpg(centre.state / "gnupg")
    fingerprint = (centre.state / "centre.fingerprint").read_text().strip()
    gpg("--passphrase", "", "--quick-set-expire", fingerprint, until)
    gpg("--passphrase", "", "--quick-set-expire", fingerprint, until, "*")
    end_agent(centre)


def gpgconf(centre: Centre, *arguments: str) -> None:
    home = str(centre.state / "gnupg")
    subprocess.run(["gpgconf", "--homedir", home, *arguments], check=True)


def end_agent(centre: Centre) -> None:
    gpgconf(centre, "--kill", "all")
