"""The admin's rules as commands, and a running centre that reads them again."""

from __future__ import annotations

import signal
import smtplib

import pytest

from e2e.staffroom import Staffroom
from servers import tools

RULE = """
[[rule]]
name = "work"
subject_contains = ["kerja"]
tags = ["work"]
priority = "high"
"""
BY_SENDER = """
[[rule]]
name = "school"
sender = ["*@school.test"]
tags = ["school"]
"""


@pytest.fixture
def room():
    opened = Staffroom()
    try:
        yield opened.open("sari", "wulan")
    finally:
        opened.close()


def reload(room: Staffroom, said: str) -> None:
    """Have the configuration read again, and wait until the log says so."""
    assert room.process
    room.process.send_signal(signal.SIGHUP)
    tools.until(lambda: said in (room.folder / "log").read_text(), f"the log to say {said!r}")


def add(room: Staffroom, text: str) -> None:
    with room.config.open("a") as config:
        config.write(text)


def tags_of(room: Staffroom, case: str) -> list[str]:
    found = room.json("sari", "queue", "--all")["cases"]
    return next(one["tags"] for one in found if one["case"] == case)


def test_new_rules_count_from_the_next_letter_on(room):
    """SIGHUP reads the file again; the service goes on meanwhile."""
    before = room.write("a@mail.test", "Halo.", subject="tentang kerja")
    assert tags_of(room, before) == []
    add(room, RULE)
    reload(room, "The configuration was read again; 1 rule.")
    assert tags_of(room, before) == []
    after = room.write("b@mail.test", "Halo.", subject="tentang kerja")
    assert tags_of(room, after) == ["work"]


def test_a_broken_file_keeps_the_old_rules_and_says_so(room):
    """The fault is named with its place, and letters are sorted as before."""
    add(room, RULE)
    reload(room, "1 rule.")
    add(room, "\n[[rule]]\nname = 'x'\nqueu = 'letters'\n")
    reload(room, "The old configuration stays in force.")
    assert "unknown key (did you mean queue?)" in (room.folder / "log").read_text()
    assert tags_of(room, room.write("c@mail.test", "Halo.", subject="kerja")) == ["work"]


def test_other_doors_need_a_restart(room):
    """What is opened once is not changed beneath a running service."""
    text = room.config.read_text()
    room.config.write_text(text.replace('address = "letters@', 'address = "post@'))
    reload(room, "A restart is needed to change an [[inbox]]. The old one stays.")
    assert room.write("d@mail.test", "Halo.")


NIGHT = """
[[queue]]
name = "night"
supervisor = "ratna"

[[inbox]]
address = "night@example.org"
queue = "night"

[[person]]
name = "ratna"
roles = ["supervisor"]
uid = 4294967294
"""


def test_a_queue_nobody_opens_yet_is_named_and_closes_no_other(room):
    """`config check`, the log and `doctor` name the supervisor; letters to the others are taken."""
    add(room, NIGHT)
    checked = room.run("sari", "config", "check").stdout
    assert "ratna, the supervisor of night, is not enrolled: until then no letters to " in checked
    assert "an [[inbox]] changed. Next: sudo systemctl restart mailcounsel" in checked
    room.stop()
    room.serve()
    log = (room.folder / "log").read_text()
    assert "config: ratna, the supervisor of night, is not enrolled" in log
    told = room.run("sari", "doctor", expect=1).stdout
    assert "mailcounsel invite ratna (until then no letters to night@example.org" in told
    assert room.write("e@mail.test", "Halo.")
    with smtplib.SMTP("127.0.0.1", room.smtp_port, timeout=tools.PATIENCE) as line:
        line.ehlo()
        line.mail("e@mail.test")
        assert line.rcpt("night@example.org")[0] == 451


def test_the_check_says_how_a_changed_file_comes_into_force(room):
    """While the service works by the old file, `config check` names the command that changes it."""
    assert "running service" not in room.run("sari", "config", "check").stdout
    add(room, RULE)
    checked = room.run("sari", "config", "check").stdout
    assert "still works by the file as it was. Next: sudo systemctl reload mailcounsel" in checked
    assert f"kill -HUP {room.process.pid}" in checked
    reload(room, "1 rule.")
    assert "running service" not in room.run("sari", "config", "check").stdout


def test_replay_says_what_other_rules_would_have_done(room):
    """A supervisor sees what would move, by sender as well; a therapist what they can see."""
    case = room.write("ani@school.test", "Halo.", subject="tentang kerja")
    room.write("budi@mail.test", "Halo.", subject="hal lain")
    new = room.folder / "new.toml"
    new.write_text(room.config.read_text() + RULE)
    found = room.json("wulan", "rules", "replay", "--with", str(new))
    assert (found["looked_at"], found["unknown"]) == (2, 0)
    (moved,) = found["moved"]
    assert (moved["case"], moved["number"]) == (case, 1)
    assert (moved["before"], moved["after"]) == ("letters normal", "letters high, work")
    new.write_text(room.config.read_text() + BY_SENDER)
    by_sender = room.json("sari", "rules", "replay", "--with", str(new))
    assert [one["case"] for one in by_sender["moved"]] == [case]
    blind = room.run("wulan", "rules", "replay", "--with", str(new)).stdout
    assert "2 not compared: a rule asks for what supervisors alone see." in blind
    assert tags_of(room, case) == []


def test_lint_and_explain(room):
    """Lint ends with 1 where there is something to mend; explain names each rule."""
    assert "nothing to mend" in room.run("sari", "rules", "lint").stdout
    add(room, RULE + '[[rule]]\nname = "late"\nsubject_contains = ["kerja"]\npriority = "low"\n')
    said = room.run("sari", "rules", "lint", expect=1).stdout
    assert said == "late: its priority has no effect, since work sets it before.\n"
    letter = room.folder / "letter.eml"
    letter.write_bytes(room.letter("a@mail.test", "Halo.", subject="kerja \x07lagi").as_bytes())
    told = room.run("sari", "rules", "explain", str(letter)).stdout
    assert "work: matched" in told
    assert "goes to letters, priority high, tags work" in told
