"""What docs/backup.md says, done: a copy is brought back elsewhere, and the centre goes on."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from e2e.running import SOCKETS
from e2e.staffroom import Staffroom

KEYS = ("keyring.json", "centre.fingerprint")


@pytest.fixture
def opened():
    """Make centres, and end them."""
    made = []

    def make():
        made.append(Staffroom())
        return made[-1]

    yield make
    for room in made:
        room.close()


def copy_of(room, folder):
    """Copy keys, and the store beside the running service, as the page says."""
    folder.mkdir()
    state = room.folder / "state"
    for name in KEYS:
        shutil.copy2(state / name, folder)
    shutil.copytree(state / "gnupg", folder / "gnupg", ignore=SOCKETS)
    with (
        closing(sqlite3.connect(state / "mailcounsel.db")) as store,
        closing(sqlite3.connect(folder / "mailcounsel.db")) as copied,
    ):
        store.backup(copied)
    return folder


def test_a_copy_opens_on_another_machine_and_the_centre_goes_on(opened, tmp_path):
    """Letters open with a reader key that was copied too; new ones come, and are answered."""
    room = opened().open("sari", "wulan")
    case = room.write("ani@mail.test", "I cannot sleep.")
    copy = copy_of(room, tmp_path / "copy")
    room.write("budi@mail.test", "After the copy.")
    homes = [room.home(name) for name in ("sari", "wulan")]
    room.stop()

    other = opened()
    shutil.copytree(copy, other.folder / "state")
    (other.folder / "state").chmod(0o700)
    for home in homes:
        shutil.copytree(home, other.folder / home.name, ignore=SOCKETS)
    again = other.json("", "init")
    assert not any("key" in made or "store" in made for made in again["made"])
    other.serve()

    balance = other.run("sari", "reconcile").stdout
    assert balance.startswith("in 1 = 1 case + 0 quarantine + 0 discarded, lost 0")
    assert "I cannot sleep." in other.run("wulan", "show", case).stdout
    after = other.write("budi@mail.test", "Did you get my letter?")
    assert after != case
    other.run("wulan", "reply", case, "-m", "Sleep well, Ani.")
    assert "in 2 = 2 case" in other.run("sari", "reconcile").stdout


def test_an_older_store_beside_the_keys_is_known_as_such(opened, tmp_path):
    """The balance says that it cannot know what came after the copy, and how much that was."""
    room = opened().open("sari", "wulan")
    room.write("ani@mail.test", "Before the copy.")
    copy = copy_of(room, tmp_path / "copy")
    room.write("budi@mail.test", "After the copy.")
    assert "older copy" not in room.run("sari", "reconcile").stdout
    room.stop()
    for left in (room.folder / "state").glob("mailcounsel.db*"):
        left.unlink()
    shutil.copy2(copy / "mailcounsel.db", room.folder / "state")
    room.serve()
    said = room.run("sari", "reconcile").stdout
    assert "UTC this store was an older copy: at least 1 letter kept after it" in said
    room.write("cici@mail.test", "Later.")
    room.stop()
    room.serve()
    assert room.run("sari", "reconcile").stdout.count("older copy") == 1
