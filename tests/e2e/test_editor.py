"""Real editors and pagers on a real terminal: what is written there lies nowhere in clear."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.staffroom import Staffroom
from servers import tools

# Words of this run alone: another may be searching the same memory.
MARKER = f"marigold-{os.getpid()}"
CLIENTS = f"pelican-{os.getpid()}"

# Settings under which an editor leaves the most behind.
VIMRC = """
set swapfile directory=~/swap// backup writebackup backupdir=~/backup undofile undodir=~/undo
set backupskip= updatecount=1 updatetime=50
set viminfo='1000,<1000,/1000,:1000,n~/.viminfo
"""
NANORC = 'set backup\nset backupdir "~/backup"\nset historylog\nset positionlog\nset locking\n'


@pytest.fixture(scope="module")
def room():
    """A centre, and a supervisor whose editors are set up to keep everything."""
    made = Staffroom()
    try:
        home = made.home("sari")
        (home / ".vimrc").write_text(VIMRC)
        (home / ".nanorc").write_text(NANORC)
        for name in ("swap", "backup", "undo", "tmp", "cache", "config", "data", "state"):
            (home / name).mkdir()
        yield made.open("sari")
    finally:
        made.close()


@pytest.fixture
def case(room, client):
    """A case whose client's words must not be left anywhere either."""
    return room.write(client, f"Hello, {CLIENTS} is my word.")


@pytest.fixture
def at_terminal(room):
    """`at_terminal("reply", case, EDITOR=...)`: a terminal whose surroundings are searched."""
    opened = []

    def start(*words: str, **more: str):
        home = room.home("sari")
        places = {f"XDG_{name.upper()}_HOME": str(home / name) for name in XDG}
        terminal = room.terminal("sari", *words, TMPDIR=str(home / "tmp"), **places, **more)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


XDG = ("cache", "config", "data", "state")


def everywhere(room) -> Iterator[Path]:
    """Yield every file a therapist's command could have written."""
    for place in (room.home("sari"), room.folder / "state", "/dev/shm", "/var/tmp"):
        for folder, _, names in os.walk(place):
            yield from (Path(folder) / name for name in names)


def found(room, *words: str) -> list[str]:
    """Return the files that hold one of the words, in any of the forms editors write."""
    wanted = [form for word in words for form in (word.encode(), word.encode("utf-16-le"))]
    hits = []
    for path in everywhere(room):
        try:
            data = path.read_bytes() if path.is_file() else b""
        except OSError:
            continue  # gone meanwhile
        if any(one in data for one in wanted):
            hits.append(str(path))
    return hits


def test_the_search_finds_what_an_editor_leaves(room, need):
    """The search can fail: a plain vim under these settings leaves the words in several places."""
    home = room.home("sari")
    terminal = _plain_vim(room, need("vim"))
    terminal.type(f"i{MARKER}\x1b:w\r")
    tools.until((home / "plain.txt").exists, "vim to save")
    terminal.type(f"o{MARKER}\x1byydd:wq\r")
    assert terminal.wait() == 0
    hits = found(room, MARKER)
    assert {Path(hit).parent.name for hit in hits} >= {"sari", "backup", "undo"}
    assert len(hits) >= 4, hits
    for path in hits:
        Path(path).unlink()


def _plain_vim(room, vim):
    from e2e.staffroom import Terminal

    return Terminal([vim, "plain.txt"], room.environment("sari", TERM="xterm"), room.home("sari"))


def test_vim_leaves_nothing(room, case, at_terminal, need):
    """A reply written in vim, yanked and searched, is in the case and in no file."""
    terminal = at_terminal("reply", case, "--plain", "agreed", EDITOR=need("vim"))
    terminal.until("everything from this line on is not sent")
    terminal.type(f"i{MARKER} from vim\x1byy/{MARKER}\r:w\r")
    time.sleep(0.3)  # longer than 'updatetime', so that a swap file would be written
    assert found_on_disk(room) == []
    terminal.type(":wq\r")
    terminal.until("as ordinary mail, by your decision")
    assert terminal.wait() == 0
    assert found(room, MARKER, CLIENTS) == []
    assert f"{MARKER} from vim" in room.run("sari", "show", case).stdout


def found_on_disk(room) -> list[str]:
    return [path for path in found(room, MARKER, CLIENTS) if not path.startswith("/dev/shm/")]


def test_nano_leaves_nothing(room, case, at_terminal, need):
    """A reply written in nano, cut and searched, is in the case and in no file."""
    terminal = at_terminal("reply", case, "--plain", "agreed", EDITOR=need("nano"))
    terminal.until("everything from this line on is not sent")
    terminal.type(f"{MARKER} from nano\r")
    terminal.until(f"{MARKER} from nano")
    terminal.type("\x17" + MARKER + "\r")  # search, which nano would write to its history
    terminal.type("\x0f\r")  # save
    terminal.until("Wrote")
    assert found_on_disk(room) == []
    terminal.type("\x18")
    terminal.until("as ordinary mail, by your decision")
    assert terminal.wait() == 0
    assert found(room, MARKER, CLIENTS) == []
    assert f"{MARKER} from nano" in room.run("sari", "show", case).stdout


@pytest.mark.parametrize(
    ("editor", "keys"),
    [("vim", f"i{MARKER}\x1b:w\r:cq\r"), ("vim", f"i{MARKER}\x1b:q!\r"), ("nano", "\x18")],
    ids=["vim-cq", "vim-q", "nano"],
)
def test_an_editor_left_without_saying_yes_sends_nothing(
    room, case, at_terminal, need, editor, keys
):
    """:cq sends nothing and keeps the draft sealed; leaving without saving sends nothing."""
    terminal = at_terminal("reply", case, "--plain", "agreed", EDITOR=need(editor))
    terminal.until("everything from this line on is not sent")
    terminal.type(keys)
    terminal.until("so nothing was done")
    assert terminal.wait() == 1
    assert found(room, MARKER, CLIENTS) == []
    kept = list((room.home("sari") / "own").glob(f"sari.{case}.draft"))
    assert bool(kept) == ("cq" in keys)
    assert [entry["kind"] for entry in room.json("sari", "show", case)["entries"]].count(
        "reply"
    ) == 0


def test_a_killed_editor_sends_nothing(room, case, at_terminal, need):
    """An editor that is killed leaves what was saved as a sealed draft, and no file in memory."""
    terminal = at_terminal("reply", case, EDITOR=need("vim"))
    terminal.until("everything from this line on is not sent")
    terminal.type(f"i{MARKER} half\x1b:w\r")
    tools.until(lambda: found(room, f"{MARKER} half"), "vim to save in memory")
    os.kill(child_of(terminal.pid), signal.SIGKILL)
    terminal.until("What you saved is kept as a draft")
    assert terminal.wait() == 1
    assert found(room, MARKER, CLIENTS) == []
    shown = room.folder / "shown"
    editor = room.folder / "look"
    editor.write_text(f'#!/bin/sh\ncp "$1" {shown}\n')
    editor.chmod(0o700)
    room.run("sari", "reply", case, EDITOR=str(editor), expect=1)
    assert shown.read_text().startswith(f"{MARKER} half\n")
    shown.unlink()


def child_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return int(tools.until(children.read_text, "a child").split()[0])


@pytest.mark.parametrize("editor", ["vim", "nano"])
def test_a_closed_window_leaves_nothing(room, case, at_terminal, need, editor):
    """When the terminal goes away in the middle, nothing is sent and no word is left in clear."""
    terminal = at_terminal("reply", case, EDITOR=need(editor))
    terminal.until("everything from this line on is not sent")
    terminal.type(f"i{MARKER} lost\x1b" if editor == "vim" else f"{MARKER} lost")
    terminal.until(f"{MARKER} lost")
    terminal.hang_up()
    state = Path(f"/proc/{terminal.pid}/stat")
    tools.until(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z", "the end")
    assert found(room, MARKER, CLIENTS) == []
    assert "reply" not in [entry["kind"] for entry in room.json("sari", "show", case)["entries"]]


def test_a_note_is_written_in_the_editor_too(room, case, at_terminal, need):
    """`note` without text opens the editor; the note is in the case and in no file."""
    terminal = at_terminal("note", case, EDITOR=need("vim"))
    terminal.until("letter.txt")
    terminal.type(f"i{MARKER} as a note\x1b:wq\r")
    terminal.until("Noted in")
    assert terminal.wait() == 0
    assert found(room, MARKER) == []
    assert f"{MARKER} as a note" in room.run("sari", "show", case).stdout


# -- the pager ------------------------------------------------------------------------------------


def test_less_shows_a_case_and_leaves_nothing(room, case, at_terminal, need):
    """less gets the case through a pipe, keeps no history of what was searched, saves nothing."""
    need("less")
    room.run("sari", "note", case, "-m", "\n".join(f"{MARKER} line {n}" for n in range(80)))
    terminal = at_terminal("show", case, PAGER="less", LESS="-o leaked.log")
    terminal.until(f"{MARKER} line 3")
    terminal.type(f"/{MARKER} line 70\r")
    terminal.until("line 70")
    terminal.type("sstolen.txt\r")  # save to a file, and run a command: both refused
    terminal.until("not available")
    terminal.type("\r!echo escaped > escaped.txt\r")
    assert terminal.wait(pressing="q") == 0
    home = room.home("sari")
    assert found(room, MARKER, CLIENTS) == []
    assert not [name for name in LEFT if (home / name).exists()]


LEFT = ("leaked.log", "stolen.txt", "escaped.txt", ".lesshst")


def test_ctrl_c_in_the_pager_does_not_end_the_command(room, case, at_terminal, need):
    """Ctrl-C belongs to the pager: the case is still marked as read when it is left."""
    need("less")
    raised = room.write("danger.editor@mail.test", "I want to kill myself.")
    room.run("sari", "note", raised, "-m", "\n".join(f"line {n}" for n in range(80)))
    terminal = at_terminal("show", raised, PAGER="less")
    terminal.until("NOT READ YET")
    terminal.type("\x03")
    assert terminal.wait(pressing="q") == 0
    assert "read by sari" in room.run("sari", "show", raised).stdout


@pytest.mark.parametrize("pager", ["", "cat", "no-such-pager"])
def test_other_pagers_are_taken_as_they_are(room, case, at_terminal, pager):
    """An empty PAGER means none, a missing one is left out, any other gets the text."""
    terminal = at_terminal("show", case, PAGER=pager)
    terminal.until(CLIENTS)
    assert terminal.wait() == 0


def test_a_table_on_a_terminal_keeps_within_its_width(room, case, at_terminal):
    """The queue on a terminal is laid out within 80 columns, without colour or control."""
    terminal = at_terminal("queue", "--all", COLUMNS="80")
    screen = terminal.until(case)
    assert terminal.wait() == 0
    assert "\x1b" not in terminal.screen
    assert max(len(line) for line in screen.replace("\r", "").split("\n")) <= 80
