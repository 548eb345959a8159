"""`init`, `serve` and `config check`: from an empty folder to a centre that listens."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import click
import pydantic_core
import pytest

import mailcounsel
from e2e.admin import CENTRE, PROGRAM, Admin
from mailcounsel import config
from mailcounsel.cli import init
from mailcounsel.service import answers
from servers import tools

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


@pytest.fixture
def admin(short_tmp):
    return Admin(short_tmp, forks=True)


@pytest.fixture(scope="module")
def model(short_base):
    """A centre that `init` made, to be copied."""
    folder = short_base / "init-model"
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
    admin.config.write_text(
        re.sub(
            r"(\[smtp\][^\[]*port = )\d+", rf"\g<1>{tools.free_port()}", admin.config.read_text()
        )
    )
    return admin


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- one person's machine -------------------------------------------------------------------------
def test_init_makes_a_centre_that_loads_and_runs(admin, sink):
    """One command, and the configuration loads, keys are there, and the service is ready."""
    admin.forks = False  # as it is typed, from the first import on
    made = admin.init(sink.port)
    assert made["invited"]["person"] == "sari"
    assert len(made["fingerprint"]) == 40
    checked = admin.run("config", "check").stdout
    assert checked == "config.toml is fine: 1 inbox, 1 queue, 1 person, 0 rules\n"
    with admin.serving() as line:
        assert line.startswith("Ready: taking letters by SMTP on 127.0.0.1:")
        assert f"commands on {admin.folder}/state/control.sock" in line


def test_init_writes_nothing_others_may_read(admin):
    """Configuration, keys, store and their folders are for their owner alone."""
    admin.init(25)
    assert mode(admin.config) == 0o600
    assert mode(admin.folder / "state") == 0o700
    for name in ("keyring.json", "centre.fingerprint", "mailcounsel.db"):
        assert mode(admin.folder / "state" / name) == 0o600
    assert mode(admin.folder / "state" / "gnupg") == 0o700


def test_init_says_what_to_type_next(admin):
    """The last lines are two commands that can be typed as they stand."""
    said = admin.run("init", *CENTRE, "--smarthost", "localhost", "--person", "sari").stdout
    serve, enrol = (line.strip() for line in said.splitlines()[-2:])
    assert serve == "mailcounsel serve"
    assert enrol.startswith("mailcounsel enrol ")
    assert enrol.split()[-1] in said.split("good for three days: ")[1]


def test_what_init_says_to_type_holds_in_any_folder(admin):
    """A configuration named from here is named in full; the usual one says where to type it."""
    more = (*CENTRE, "--smarthost", "localhost", "--person", "sari")
    usual = admin.run("init", *more).stdout
    assert f"Next, in {admin.folder}, and the second in another terminal:" in usual
    named = admin.run("--config", "sub/other.toml", "init", *more).stdout
    assert f"  mailcounsel --config {admin.folder}/sub/other.toml serve\n" in named


def test_a_code_from_before_works_after_init_ran_again(admin):
    """Two codes for one person are good until one is used, and `init` says so."""
    first = admin.init(25)["invited"]["code"]
    said = admin.run("init").stdout
    assert "one made before is good as well, until either is used" in said
    second = said.split("three days: ")[1].split()[0]
    with admin.serving():
        admin.run("enrol", first, "--no-passphrase")
        own = {"HOME": str(admin.folder / "b"), "MAILCOUNSEL_HOME": str(admin.folder / "b/own")}
        (admin.folder / "b").mkdir()
        refused = admin.run("enrol", second, "--no-passphrase", expect=4, **own)
    assert "enrolled" in refused.stderr


def test_init_again_changes_nothing(centre):
    """What is there is kept to the byte; a new code is made for whoever is not enrolled."""
    first = (centre.folder / "state/centre.fingerprint").read_text().strip()
    state = centre.folder / "state"
    kept = [centre.config, state / "keyring.json", state / "centre.fingerprint"]
    before = [path.read_bytes() for path in kept]
    again = centre.json("init")
    assert [path.read_bytes() for path in kept] == before
    assert again["made"] == []
    assert again["fingerprint"] == first
    assert again["invited"]["person"] == "sari"


def test_init_again_says_which_options_changed_nothing(centre):
    """The configuration is kept, so whoever gave another name is told to edit it."""
    before = centre.config.read_bytes()
    said = centre.run("init", "--name", "Other", "--person", "bayu", "--language", "id").stderr
    assert "so --name, --person, --language changed nothing. Edit that file" in said
    assert centre.config.read_bytes() == before
    assert "changed nothing" not in centre.run("init").stderr


def test_init_completes_what_a_killed_run_left(centre):
    """A key that was made but not yet named is taken, not made again."""
    first = (centre.folder / "state/centre.fingerprint").read_text().strip()
    (centre.folder / "state" / "centre.fingerprint").unlink()
    (centre.folder / "state" / "mailcounsel.db").unlink()
    again = centre.json("init")
    assert again["fingerprint"] == first
    assert "the store" in again["made"]


def test_a_lost_keyring_is_never_replaced(centre):
    """A fresh keyring could open nothing in the store that is there, so none is made."""
    keyring = centre.folder / "state" / "keyring.json"
    keyring.unlink()
    said = centre.run("init", expect=1).stderr
    assert "a store but no keyring" in said
    assert "bring keyring.json back from your copy, as docs/backup.md says" in said
    assert not keyring.exists()


def test_a_lost_centre_key_is_never_replaced(centre):
    """Clients know the old key; a new one would be a stranger's."""
    home = centre.folder / "state" / "gnupg"
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
    shutil.rmtree(home)
    assert "bring that folder back" in centre.run("init", expect=1).stderr
    assert not (home / "private-keys-v1.d").exists()


def test_init_leaves_the_store_of_a_running_service_alone(centre):
    """While the service runs, init says so and makes no code behind its back."""
    with centre.serving():
        again = centre.json("init")
        assert again["invited"] is None
        assert "the store, which the running service uses" in again["kept"]


def test_init_without_a_terminal_asks_nothing(admin):
    """What is missing is named, and nothing is written."""
    said = admin.run("init", "--name", "House of Letters", expect=2).stderr
    assert "--address, --smarthost" in said
    assert list(admin.folder.iterdir()) == []


def test_init_refuses_answers_that_would_not_load(admin):
    """Every bad answer is named at once, by its key, and nothing is written."""
    given = ("--name", "x", "--address", "nonsense", "--smarthost", "localhost")
    said = admin.run("init", *given, "--time-zone", "Mars/North", expect=78).stderr
    assert "your answers: inbox[0].address: must be a plain mail address" in said
    assert "your answers: centre.time_zone: is not a time zone" in said
    assert not admin.config.exists()


def test_init_refuses_a_place_to_listen_without_a_port(admin):
    """Nobody is asked anything before, and nothing is written."""
    given = ("--name", "x", "--address", "a@example.org", "--smarthost", "localhost")
    for wrong in ("foo", "127.0.0.1:0", "127.0.0.1:70000"):
        said = admin.run("init", *given, "--listen", wrong, expect=2).stderr
        assert f"--listen {wrong}: write a host and a port" in said
    assert not admin.config.exists()


@pytest.mark.parametrize("typed", ["id@", "id, xx", " , "])
def test_init_takes_no_language_there_are_no_letters_in(typed):
    """It is said where it was typed, so that it is asked for again."""
    with pytest.raises(click.UsageError, match="there are letters in id and en only"):
        init.languages_of(typed)
    assert init.languages_of("en, id en") == ("en", "id")


def test_the_words_for_danger_do_not_repeat_the_letter():
    """Every letter says what they are for; the text of a new centre begins with what to do."""
    example = config.load(EXAMPLE).emergency
    own = [*answers.EMERGENCY.values(), example.text("id"), example.text("en")]
    for words in own:
        assert not words.startswith(("If", "Kalau"))


def test_no_answer_can_add_a_key_to_the_configuration(admin):
    """Quotes and brackets in a name are text, and come back as they were."""
    name = 'x"\n[store]\nurl = "sqlite:////tmp/elsewhere.db'
    given = ("--address", "letters@example.org", "--smarthost", "localhost")
    assert (
        "one line of ordinary text" in admin.run("init", "--name", name, *given, expect=78).stderr
    )
    quoted = 'Rumah "Teduh" \\ [x]'
    admin.run("init", "--name", quoted, *given)
    assert admin.run("config", "check").returncode == 0


def test_init_names_the_passwords_it_still_needs(admin):
    """Passwords are named as files, never asked of a pipe and never in the configuration."""
    made = admin.init(25, "--imap", "127.0.0.1:143", "--imap-user", "box")
    assert made["missing_secrets"] == [str(admin.folder / "secrets" / "imap")]
    assert 'password_file = "secrets/imap"' in admin.config.read_text()


QUESTIONS = {
    "called?": "House of Letters",
    "clients write to?": "letters@example.org",
    "(id, en)": "en",
    "(IMAP)?": "n",
    "takes our mail?": "smtp.example.org",
    "every mail": "",
    "Time zone": "UTC",
    "account there": "",
    "cases kept": "",
    "short name": "sari",
    "nobody is told of danger": "sari@staf.test",
    "password for": "rahasia-sekali",
}


def test_init_asks_on_a_terminal(admin):
    """Typed answers make the same centre, and a typed password ends in a private file, unseen."""
    shown = typed(admin, QUESTIONS)
    secret = admin.folder / "secrets" / "smarthost"
    assert secret.read_text() == "rahasia-sekali\n"
    assert mode(secret) == 0o600
    assert "rahasia-sekali" not in shown
    assert admin.run("config", "check").stdout.startswith("config.toml is fine: 1 inbox")
    assert 'user = "letters@example.org"' in admin.config.read_text()
    (person,) = config.load(admin.config).people
    assert person.notify == "sari@staf.test"


def test_a_centre_that_can_tell_nobody_of_danger_is_not_called_well(admin, sink):
    """The address may be left empty; init, config check and doctor say what that means."""
    place = ("--smarthost", f"127.0.0.1:{sink.port}", "--person", "sari")
    silent = "While danger is unread, nobody is told in: general"
    assert f"todo  {silent}" in admin.run("init", *CENTRE, *place).stdout
    assert silent in admin.run("config", "check").stdout
    (found,) = [
        one for one in admin.json("doctor", expect=1)["findings"] if one["part"] == "danger"
    ]
    assert (found["ok"], found["says"]) == (False, silent)
    assert 'notify = "ADDRESS"' in found["fix"]
    admin.change('# notify = "you@example.org"', 'notify = "sari@staf.test"')
    assert silent not in admin.run("config", "check").stdout
    (found,) = [
        one for one in admin.json("doctor", expect=1)["findings"] if one["part"] == "danger"
    ]
    assert found["ok"]


def test_init_asks_again_at_once_for_what_cannot_be(admin):
    """Each answer is looked at when it is typed; what was said before it stays said."""
    wrong = {
        "clients write to?": "nonsense|letters@example.org",
        "takes our mail?": "Surat Tenang|smtp.example.org",
        "Time zone": "dewi|Asia/Jakarta",
        "cases kept": "elsewhere|sqlite",
        "short name": "Dewi Contoh|dewi",
    }
    shown = typed(admin, QUESTIONS | wrong)
    assert "Error: 'dewi' is not a time zone: write its IANA name, such as Asia/Jakarta" in shown
    assert shown.count("Error: ") == len(wrong)
    assert 'time_zone = "Asia/Jakarta"' in admin.config.read_text()
    assert "[store]" not in admin.config.read_text()


def test_init_takes_a_postgresql_database(admin):
    """The store is chosen before anything is made in it; a plain PostgreSQL URL will do."""
    url = "postgresql://nobody@127.0.0.1:9/none"
    where = ("--smarthost", "127.0.0.1:25", "--person", "sari", "--store", url)
    admin.run("init", *CENTRE, *where, expect=75)
    assert 'url = "postgresql+psycopg://nobody@127.0.0.1:9/none"' in admin.config.read_text()
    assert init.store_url("sqlite") is None


def typed(admin, answers):
    """Answer each question as it comes, after "|" once more, and return all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "init"],
        cwd=admin.folder,
        env=admin.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, asked, left = "", "", dict(answers)
    with process, contextlib.suppress(OSError):  # reading fails once the program is gone
        while piece := os.read(ours, 4096).decode():
            shown, asked = shown + piece, asked + piece
            found = next((one for one in left if one in asked), None)
            if found and asked.rstrip().endswith((":", "?")):
                answer, *more = left.pop(found).split("|")
                os.write(ours, f"{answer}\n".encode())
                asked = ""
                left |= {found: "|".join(more)} if more else {}
    os.close(ours)
    assert process.returncode == 0, shown
    assert not left, shown
    return shown


def test_a_crisis_directory_that_is_not_there_is_a_fault(centre):
    """Clients would get no place of help, so nothing is called fine."""
    centre.change("[centre]\n", '[centre]\ncrisis_directory = "crisis.toml"\n')
    said = centre.run("config", "check", expect=78).stderr
    assert "crisis.toml: centre.crisis_directory: there is no such file" in said
    shutil.copy(EXAMPLE.with_name("crisis.example.toml"), centre.folder / "crisis.toml")
    assert "take `example = true` out of what" in centre.run("config", "check").stdout


# -- a server -------------------------------------------------------------------------------------
@pytest.fixture
def server(admin):
    """A root of a server's file system, with a person on it, and a program everybody can run."""
    if os.geteuid() != 0:
        tools.absent("only root may set up a server")
    tools.need("useradd")
    admin.folder.chmod(0o755)
    root = admin.folder / "root"
    (root / "etc").mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        (root / "etc" / name).touch()
    (root / "etc" / "passwd").write_text("sari:x:1000:1000::/home/sari:/bin/sh\n")
    (root / "etc" / "group").write_text("sari:x:1000:\n")
    return root


def program_for_everybody():
    """Return a way to run the program that an ordinary account can take, or skip."""
    # Ours and the libraries alone: another Python brings a standard library of its own.
    homes = {str(Path(str(found.__file__)).parent.parent) for found in (mailcounsel, pydantic_core)}
    paths = os.pathsep.join(sorted(homes))
    for python in (sys.executable, shutil.which("python3", path="/usr/bin:/bin")):
        if python is None:
            continue
        if nobody_can_run(python, paths):
            return [python, "-m", "mailcounsel"], paths
    return tools.absent("no Python here can be run by an ordinary account with our libraries")


def nobody_can_run(python, paths):
    try:
        tried = subprocess.run(
            [python, "-c", "import mailcounsel.service.setup, nacl.bindings, pydantic_core"],
            cwd="/",
            env={"PYTHONPATH": paths, "PATH": os.environ["PATH"]},
            user="nobody",
            group=65534,
            extra_groups=[],
            check=False,
            capture_output=True,
        )
    except OSError:
        return False
    return tried.returncode == 0


def set_up(admin, root, *more, expect=0):
    program, paths = program_for_everybody()
    words = ("init", "--system", "--root", str(root), "--json", *more)
    environment = {"PYTHONPATH": paths, "SUDO_USER": "sari"}
    return admin.run(*words, program=program, expect=expect, **environment)


def owner(path):
    found = path.lstat()
    return found.st_uid, found.st_gid


def test_init_system_gives_each_what_is_theirs(admin, server):
    """Keys and cases belong to the service, the configuration to root, both to nobody else."""
    set_up(admin, server, *CENTRE, "--smarthost", "smtp.example.org")
    fields = [line.split(":") for line in (server / "etc/passwd").read_text().splitlines()]
    uid, gid = next((int(f[2]), int(f[3])) for f in fields if f[0] == "mailcounsel")
    settings, state = server / "etc/mailcounsel", server / "var/lib/mailcounsel"
    assert (owner(settings / "config.toml"), mode(settings / "config.toml")) == ((0, gid), 0o640)
    assert (owner(settings), mode(settings)) == ((0, gid), 0o750)
    assert (owner(settings / "secrets"), mode(settings / "secrets")) == ((uid, gid), 0o700)
    assert mode(state) == 0o700
    assert {owner(path) for path in [state, *state.rglob("*")]} == {(uid, gid)}
    assert "mailcounsel:x:" in (server / "etc/group").read_text()
    assert (server / "etc/group").read_text().rstrip().endswith(":sari")


def test_init_system_again_changes_nothing(admin, server):
    """A second run keeps accounts, keys and configuration, and mends a mode."""
    set_up(admin, server, *CENTRE, "--smarthost", "localhost")
    state = server / "var/lib/mailcounsel"
    keyring = (state / "keyring.json").read_bytes()
    accounts = (server / "etc/passwd").read_bytes()
    state.chmod(0o755)
    again = json.loads(set_up(admin, server).stdout)
    assert again["made"] == []
    assert (state / "keyring.json").read_bytes() == keyring
    assert (server / "etc/passwd").read_bytes() == accounts
    assert mode(state) == 0o700


def test_init_system_touches_nothing_outside_its_root(admin, server):
    """The machine's own accounts stay as they are when another root is named."""
    before = Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes()
    set_up(admin, server, *CENTRE, "--smarthost", "localhost")
    assert (Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes()) == before


def test_the_unit_is_closed_to_what_the_service_never_needs(admin, server):
    """systemd's own judge calls the written unit well protected, and finds no fault in it."""
    judge = tools.need("systemd-analyze")
    set_up(admin, server, *CENTRE, "--smarthost", "localhost")
    unit = server / "etc/systemd/system/mailcounsel.service"
    assert f"--config {server}/etc/mailcounsel/config.toml serve" in unit.read_text()
    assert "\nLimitCORE=0\n" in unit.read_text()
    words = [judge, "security", "--offline=true", "--threshold=20", str(unit)]
    judged = subprocess.run(words, check=False, capture_output=True, text=True)
    assert judged.returncode == 0, judged.stdout


def test_init_system_needs_root(admin):
    """An ordinary account is told what to type, and nothing is made."""
    if os.geteuid() == 0:
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        tools.need("setpriv")
        program, paths = program_for_everybody()
        admin.folder.chmod(0o777)
        done = admin.run("init", "--system", program=[*words, *program], PYTHONPATH=paths, expect=1)
    else:
        done = admin.run("init", "--system", expect=1)
    assert "sudo mailcounsel init --system" in done.stderr


# -- serve ----------------------------------------------------------------------------------------
def test_serve_tells_systemd_when_it_is_ready(centre):
    """READY=1 reaches the socket systemd names, once the doors are open."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(centre.folder / "notify"))
        manager.settimeout(tools.PATIENCE)
        with centre.serving(NOTIFY_SOCKET=str(centre.folder / "notify")):
            assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"STOPPING=1"


def test_serve_refuses_a_broken_configuration_with_every_problem(centre):
    """78, and one line for each problem."""
    centre.change("[smarthost]", "[smarthost]\nprot = 1")
    centre.change("[[queue]]", "[[queue]]\ncolour = 1")
    said = centre.run("serve", expect=78).stderr.splitlines()
    assert len(said) == 2
    assert "smarthost.prot: unknown key (did you mean port?)" in said[0]
    assert "queue[0].colour: unknown key" in said[1]


def test_serve_refuses_without_gpg(centre):
    """69, one sentence, and how to install it."""
    said = centre.run("serve", expect=69, PATH=str(centre.folder)).stderr
    assert said == "gpg is not installed. Install it with: sudo apt install gnupg\n"


def test_serve_refuses_without_keys(centre):
    """69, and the command that makes them; beside a store they can only be brought back."""
    (centre.folder / "state" / "keyring.json").unlink()
    said = centre.run("serve", expect=69).stderr
    assert "bring keyring.json back from your copy, as docs/backup.md says" in said
    assert "mailcounsel init" not in said
    (centre.folder / "state" / "mailcounsel.db").unlink()
    said = centre.run("serve", expect=69).stderr
    assert "mailcounsel init" in said
    assert len(said.splitlines()) == 1


def test_serve_refuses_a_newer_store(centre):
    """A store of a later release is not touched, and the sentence says what to do."""
    with contextlib.closing(sqlite3.connect(centre.folder / "state/mailcounsel.db")) as store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
        store.commit()
    said = centre.run("serve", expect=1).stderr
    assert "written by a newer mailcounsel" in said


def test_serve_refuses_a_taken_port(centre):
    """69, one sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = centre.config.read_text()
        centre.config.write_text(re.sub(r"(\[smtp\][^\[]*port = )\d+", rf"\g<1>{port}", text))
        said = centre.run("serve", expect=69).stderr
    assert "cannot listen on its port" in said


def test_a_second_service_is_refused(centre):
    """69: two services never share one SQLite store, and the first one goes on."""
    with centre.serving():
        assert "Another mailcounsel service" in centre.run("serve", expect=69).stderr
        assert centre.json("reconcile")["lost"] == 0
