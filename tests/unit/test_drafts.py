"""Drafts, the editor around them, and the reader key beside them."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mailcounsel import errors
from mailcounsel.cli import client, drafts, editor, undo, unlock
from mailcounsel.crypto import memory
from mailcounsel.crypto.sealing import ReaderKey

WORDS = "Dear Ani, marigold-seven."


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A person's own folder."""
    monkeypatch.setenv("MAILCOUNSEL_HOME", str(tmp_path / "own"))
    with tempfile.TemporaryDirectory(prefix="mc-", dir="/dev/shm") as in_memory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", in_memory)  # others write letters at the same time
        yield tmp_path / "own"


@pytest.fixture
def key():
    """A reader key."""
    return ReaderKey.new()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("statement", "said", "kept"),
    [
        ({"words": WORDS}, "Your words are kept: mailcounsel reply C-0042 opens them.", WORDS),
        ({"words": WORDS, "files": []}, "To send it: mailcounsel case copy C-0042", ""),
        ({"words": ""}, "It held no words of your own.", ""),
    ],
)
def test_what_was_taken_back_says_where_its_words_are(
    home, key, monkeypatch, statement, said, kept
):
    """A reply's words become a draft; those of a copy are ours, and nothing is said of `reply`."""
    entry = {"id": "one", "name": "7", "at": "2026-11-26T11:55:00+00:00"}
    shown = {"case": "C-0042", "person": "wulan", "entries": [entry]}
    shown["now"] = "2026-11-27T11:55:00+00:00"
    case = SimpleNamespace(key=key, shown=shown)
    monkeypatch.setattr(unlock, "open_case", lambda *_: case)
    monkeypatch.setattr(unlock, "content_of", lambda *_: {"statement": json.dumps(statement)})
    nobody: Any = None
    told = undo._keep_draft(nobody, "C-0042", "one")
    assert told.endswith(said)
    assert "26 Nov" in told
    assert "in C-0042, letter 7." in told
    assert drafts.load(key, "wulan", "C-0042") == kept


def test_words_of_two_letters_taken_back_are_both_kept(home, key, monkeypatch):
    """The older stand above the newer, as they were written, and a draft in work stays whole."""
    entry = {"id": "one", "name": "7", "at": "2026-11-26T11:55:00+00:00"}
    shown = {"case": "C-0042", "person": "wulan", "entries": [entry], "now": entry["at"]}
    case = SimpleNamespace(key=key, shown=shown)
    said = {"words": "The first."}
    monkeypatch.setattr(unlock, "open_case", lambda *_: case)
    monkeypatch.setattr(unlock, "content_of", lambda *_: {"statement": json.dumps(said)})
    drafts.keep(key, "wulan", "C-0042", "The second.")
    nobody: Any = None
    for _ in range(2):
        told = undo._keep_draft(nobody, "C-0042", "one")
        assert drafts.load(key, "wulan", "C-0042") == "The first.\n\nThe second."
    assert "Your words are kept: mailcounsel reply C-0042" in told


def test_a_draft_is_kept_sealed_and_comes_back(home, key):
    """A draft opens with its owner's key, and no byte of it can be read on the disk."""
    drafts.keep(key, "wulan", "C-0042", "an older one")
    drafts.keep(key, "wulan", "C-0042", WORDS)
    assert drafts.load(key, "wulan", "C-0042") == WORDS
    (path,) = files(home)
    assert b"marigold" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_draft_is_forgotten_when_it_went(home, key):
    """Dropping a draft leaves nothing, also when there is none."""
    drafts.keep(key, "wulan", "C-0042", WORDS)
    drafts.drop("wulan", "C-0042")
    drafts.drop("wulan", "C-0042")
    assert drafts.load(key, "wulan", "C-0042") == ""
    assert files(home) == []


@pytest.mark.parametrize("harm", ["another key", "another case", "a changed byte"])
def test_a_draft_that_does_not_open_is_put_aside(home, key, harm, capsys):
    """A foreign, moved or damaged draft never keeps a person from writing, and is not destroyed."""
    drafts.keep(key, "wulan", "C-0042", WORDS)
    (path,) = files(home)
    before = path.read_bytes()
    if harm == "another case":
        path.rename(home / "wulan.C-0043.draft")
    if harm == "a changed byte":
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    reader = ReaderKey.new() if harm == "another key" else key
    case = "C-0043" if harm == "another case" else "C-0042"
    assert drafts.load(reader, "wulan", case) == ""
    assert "put aside" in capsys.readouterr().err
    (left,) = files(home)
    assert left.suffix == ".unreadable"


@pytest.mark.parametrize("name", ["../../etc/cron", "a/b", "..", "", "a\x00b", "a b"])
def test_no_name_leads_out_of_the_folder(name):
    """A person or case the service names is never a path."""
    with pytest.raises(errors.Refused):
        client.own_file(name, ".draft")


# -- the editor -----------------------------------------------------------------------------------


@pytest.fixture
def use_editor(tmp_path, monkeypatch):
    """`use_editor("print(...)")`: make a Python script the person's editor; it gets the path."""

    def use(script: str, name: str = "my-editor", *, switches: str = "") -> Path:
        path: Path = tmp_path / name
        path.write_text(f"#!{sys.executable}\nimport os, sys\nfile = sys.argv[-1]\n{script}\n")
        path.chmod(0o700)
        monkeypatch.setenv("EDITOR", f"{path} {switches}".strip())
        return path

    return use


def unwanted(words: str) -> None:
    pytest.fail(f"kept {words!r} as a draft")


def left_in_memory() -> list[Path]:
    return list(editor._memory().glob(f"{editor._PREFIX}*"))


def test_what_stands_above_the_line_is_the_letter(use_editor):
    """The client's letters below the scissors line are shown and never sent."""
    use_editor(f"text = open(file).read(); open(file, 'w').write({WORDS!r} + text)")
    assert editor.edit("", keep=unwanted, below="client's words") == WORDS


BELOW = "A greeting is added.\n\n  1. note by wulan\nPelican doubts her.\n"
GONE = {
    "the line alone": "text.replace(line + '\\n', '')",
    "a part of the line": "text.replace('>8 ----', '')",
    "the line and the notes": "text.split(line)[0]",
    "the line, which went below the notes": "text.replace(line + '\\n', '') + line",
    "a note that was changed": "text.replace(line + '\\n', '').replace('Pelican', 'Heron')",
}


@pytest.mark.parametrize("what", GONE.values(), ids=GONE)
def test_without_the_line_nothing_goes(use_editor, what):
    """Where nobody can tell what is for the client, the letter stays, and what she wrote is kept.

    The notes below are not in the draft, and what cannot be told from her words goes nowhere
    before she has looked: the draft saved as it is stays once more.
    """
    use_editor(
        f"text = open(file).read(); line = {editor.SCISSORS!r}\n"
        f"open(file, 'w').write({WORDS!r} + {what})"
    )
    kept: list[str] = []
    with pytest.raises(errors.Refused, match="kept as a draft"):
        editor.edit("", keep=kept.append, below=BELOW)
    assert WORDS in kept[0]
    assert "Pelican" not in kept[0]
    use_editor("os.utime(file)")
    with pytest.raises(errors.Refused, match="an earlier draft was not put in order"):
        editor.edit(kept[0], keep=kept.append, below=BELOW)
    use_editor(
        f"text = open(file).read(); open(file, 'w').write(text.replace({editor.UNSURE!r}, ''))"
    )
    assert editor.edit(kept[1], keep=unwanted, below=BELOW).startswith(WORDS)


def test_an_editor_that_fails_without_the_line_marks_the_draft(use_editor):
    """Also the draft of a letter that was broken off cannot take private notes along."""
    use_editor(
        f"text = open(file).read(); open(file, 'w').write(text.replace({editor.SCISSORS!r}, ''))\n"
        "sys.exit(3)"
    )
    kept: list[str] = []
    with pytest.raises(errors.Refused, match="ended with an error"):
        editor.edit(WORDS, keep=kept.append, below=BELOW)
    assert kept == [f"{editor.UNSURE}\n\n{WORDS}"]


def test_a_letter_emptied_whole_is_an_empty_letter(use_editor):
    """Whoever deletes everything wants to send nothing, and is told nothing of a line."""
    use_editor("open(file, 'w').write('\\n')")
    assert editor.edit(WORDS, keep=unwanted, below=BELOW) == ""


def test_the_file_lies_in_memory_and_is_private(use_editor, tmp_path):
    """The scratch file is on tmpfs, for its owner alone, and gone afterwards."""
    use_editor(
        f"out = open({str(tmp_path / 'saw')!r}, 'w')\n"
        "print(file, oct(os.stat(file).st_mode), os.getcwd(), os.environ['TMPDIR'], file=out)\n"
        "open(file, 'w').write('x')"
    )
    editor.edit("", keep=unwanted)
    path, mode, cwd, temporary = (tmp_path / "saw").read_text().split()
    assert memory.is_memory(Path(path).parent.parent)
    assert (mode, cwd, temporary) == ("0o100600", str(Path(path).parent), str(Path(path).parent))
    assert not Path(path).parent.exists()


def test_a_failed_editor_keeps_what_was_saved(use_editor):
    """An editor that ends with an error sends nothing, and the words saved so far are kept."""
    use_editor(f"text = open(file).read(); open(file, 'w').write({WORDS!r} + text); sys.exit(3)")
    kept: list[str] = []
    with pytest.raises(errors.Refused, match="kept as a draft"):
        editor.edit("", keep=kept.append, below="below")
    assert kept == [WORDS]


def test_a_failed_editor_that_saved_nothing_keeps_nothing(use_editor):
    """A draft that was only looked at is not written again."""
    use_editor("sys.exit(1)")
    with pytest.raises(errors.Refused, match="ended with an error"):
        editor.edit("older draft", keep=unwanted)


@pytest.mark.parametrize("draft", ["", WORDS])
def test_nothing_saved_is_nothing_sent(use_editor, draft):
    """An editor that came back at once, or was left without saving, sends no draft by mistake."""
    use_editor("pass")
    with pytest.raises(errors.Refused, match="code --wait"):
        editor.edit(draft, keep=unwanted, below="below")


def test_a_draft_saved_unchanged_goes(use_editor):
    """Saving is what says yes, also without a change."""
    use_editor("os.utime(file)")
    assert editor.edit(WORDS, keep=unwanted, below="below") == WORDS


def test_an_editor_that_replaces_the_file_is_understood(use_editor):
    """Editors that write a new file and rename it over the old one work."""
    use_editor(f"open(file + '~', 'w').write({WORDS!r}); os.rename(file + '~', file)")
    assert editor.edit("", keep=unwanted) == WORDS


def test_words_of_the_editor_setting_are_passed_on(use_editor, tmp_path):
    """EDITOR="code --wait" runs code with --wait, also from a path with a relative folder."""
    use_editor(
        "assert sys.argv[1] == '--wait'; open(file, 'w').write('x')", "code", switches="--wait"
    )
    assert editor.edit("", keep=unwanted) == "x"


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        ({"MAILCOUNSEL_EDITOR": "vim", "VISUAL": "nano", "EDITOR": "nano"}, "vim"),
        ({"VISUAL": "vim", "EDITOR": "nano"}, "vim"),
        ({"VISUAL": "", "EDITOR": "nano -w"}, "nano"),
    ],
)
def test_the_first_setting_wins(settings, chosen, monkeypatch, need):
    """MAILCOUNSEL_EDITOR comes before VISUAL, and VISUAL before EDITOR; empty is unset."""
    need("vim")
    need("nano")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert Path(editor.command()[0]).name == chosen


def test_a_link_to_a_known_editor_is_kept_quiet_too(tmp_path, monkeypatch, need):
    """`editor` or `vi` that is really vim gets vim's switches."""
    (tmp_path / "editor").symlink_to(need("vim"))
    monkeypatch.setenv("EDITOR", str(tmp_path / "editor"))
    assert "NONE" in editor.command()


def test_a_missing_editor_is_named(monkeypatch):
    """One sentence says which setting is wrong."""
    monkeypatch.setenv("VISUAL", "no-such-editor --wait")
    with pytest.raises(errors.Unavailable, match="named in VISUAL is not installed"):
        editor.command()


def test_without_memory_nothing_is_written(use_editor, monkeypatch, tmp_path):
    """Where no file system without a disk is at hand, the editor is refused."""
    use_editor("open(file, 'w').write('x')")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(memory, "is_memory", lambda folder: False)
    with pytest.raises(errors.Unavailable, match="--file -"):
        editor.edit("", keep=unwanted)


def test_a_disk_is_no_memory(tmp_path):
    """The longest mount point decides, blanks and all."""
    mounts = tmp_path / "mounts"
    lines = (f"tmpfs {tmp_path} tmpfs rw 0 0", f"/dev/vda {tmp_path}/a\\040disk ext4 rw 0 0")
    mounts.write_text("\n".join(("/dev/vda / ext4 rw 0 0", *lines)) + "\n")
    (tmp_path / "a disk").mkdir()
    assert memory.is_memory(tmp_path, mounts)
    assert not memory.is_memory(tmp_path / "a disk", mounts)
    assert not memory.is_memory(Path("/var"), mounts)


def test_ctrl_c_belongs_to_the_editor(use_editor):
    """SIGINT while the editor is open neither ends us nor loses the letter."""
    use_editor(
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"os.kill(os.getppid(), signal.SIGINT); open(file, 'w').write({WORDS!r})"
    )
    assert editor.edit("", keep=unwanted) == WORDS


def test_being_told_to_end_closes_the_editor_and_keeps_the_words(use_editor):
    """SIGTERM or a closed window ends the editor first; what was saved is kept, memory is clean."""
    use_editor(
        "import signal, time\n"
        f"text = open(file).read(); open(file, 'w').write({WORDS!r} + text)\n"
        "os.kill(os.getppid(), signal.SIGHUP)\n"
        "while True: time.sleep(1)"
    )
    before = left_in_memory()
    kept: list[str] = []
    with pytest.raises(errors.Refused, match="kept as a draft"):
        editor.edit("", keep=kept.append, below="below")
    assert kept == [WORDS]
    assert left_in_memory() == before
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_what_a_killed_process_left_is_swept_away(use_editor):
    """A folder whose owner died is removed by the next edit; one in use is left alone."""
    use_editor("open(file, 'w').write('x')")
    dead = editor._memory() / f"{editor._PREFIX}dead-{os.getpid()}"
    dead.mkdir(mode=0o700)
    (dead / editor._LOCK).touch()
    (dead / "letter.txt").write_text(WORDS)
    with editor._scratch() as alive:
        editor.edit("", keep=unwanted)
        assert not dead.exists()
        assert alive.exists()
    assert not alive.exists()


def test_signals_are_as_before_afterwards(use_editor):
    """The handlers of this process are put back."""
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    use_editor("open(file, 'w').write('x')")
    editor.edit("", keep=unwanted)
    after = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert before == after
