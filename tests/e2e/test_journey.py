"""A case's journey with the real commands: agreed, summed up, planned, looked back on, ended."""

from __future__ import annotations

import shlex
import stat
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from e2e.forked import PROGRAM
from e2e.staffroom import Staffroom

FILL = """#!/bin/sh
cp "$1" "{seen}"
sed -i 's/^…$/We spoke of sleep./' "$1"
"""


@pytest.fixture(scope="module")
def room():
    """A centre in which a reply leaves at once."""
    made = Staffroom()
    made.configure(hold=0)
    try:
        yield made.open("sari", "wulan")
    finally:
        made.close()


@pytest.fixture
def case(room, client):
    """A client's case, who agreed to ordinary mail."""
    name = room.write(client, "Hello. I sleep badly since July.")
    (first, *_) = room.mail_for(client, 1)
    mail = message_from_bytes(first)
    word = room.letter(client, "AGREE")
    word.replace_header("To", mail["From"])
    word["In-Reply-To"] = mail["Message-ID"]
    room.post(word, client)
    room.run("wulan", "assign", name, "wulan")
    return name


@pytest.fixture
def editor(tmp_path):
    """An editor that fills every gap of an outline, and keeps what it was shown."""
    program = tmp_path / "editor"
    program.write_text(FILL.format(seen=tmp_path / "seen"))
    program.chmod(0o700)
    return program


def seen(editor: Path) -> str:
    return (editor.parent / "seen").read_text()


def got(room, client, words, until):
    """Wait until the client has a letter with these words, and return it."""

    def found():
        letters = [message_from_bytes(one, policy=policy.default).get_content()
                   for one in room.mail_for(client, 1)]  # fmt: skip
        return [text for text in letters if words in text]

    (letter,) = until(found, words)
    return letter


def test_a_therapist_says_where_a_client_lives(room, case):
    """The command shows what is known, and sets what is given."""
    shown = room.run("wulan", "case", "client", case, "--time-zone", "Europe/Berlin").stdout
    assert "clock of Europe/Berlin" in shown
    assert room.json("wulan", "case", "client", case)["time_zone"] == "Europe/Berlin"


def test_a_journey_is_read_at_a_glance(room, case):
    """What was agreed, written and named stands in its activity; nothing of it needs a letter."""
    room.run("wulan", "case", "contract", case, "--rhythm", "every week", "--exchanges", "2")
    room.run("wulan", "reply", case, "-m", "Hello Ani.", "--activity", "introduction",
             "--activity", "support")  # fmt: skip
    room.run("wulan", "case", "strength", case, "asks for help early")
    room.run("wulan", "case", "activity", case, "practice", "counted breaths twice")
    room.run("wulan", "goal", "add", case, "walk 30 minutes", "--target", "4 times a week")
    page = room.run("wulan", "case", "show", case).stdout
    for words in ("every week", "asks for help early", "counted breaths", "G1 walk 30 minutes"):
        assert words in page
    assert len(page.splitlines()) <= 40
    shown = room.json("wulan", "case", "show", case)["journey"]
    told = {one["name"]: [step["words"] for step in one["steps"]] for one in shown["activities"]}
    assert told["support"] == ["", "strength: asks for help early"]
    assert "first letter" in told["introduction"]


def test_an_activity_that_is_none_is_refused_before_anything_is_written(room, case):
    """The seven are a closed list, in `reply` and in `case activity`."""
    for words in (["reply", case, "-m", "x", "--activity", "gossip"],
                  ["case", "activity", case, "gossip", "x"]):  # fmt: skip
        assert "gossip is no activity" in room.run("wulan", *words, expect=2).stderr


def test_a_summary_goes_to_the_client_to_be_corrected(room, client, case, until):
    """The page the therapist wrote reaches the client with the question what fits."""
    done = room.run("wulan", "case", "summary", case, "-m", "Nights are long.", "--send")
    assert "Version 1 of the summary" in done.stderr
    letter = got(room, client, "Nights are long.", until)
    assert "What fits, what does not" in letter
    shown = room.json("wulan", "case", "show", case)["journey"]
    assert shown["summaries"][0]["was_sent"] is True


def test_a_summary_is_one_page(room, case):
    """What nobody would correct is not sent."""
    done = room.run("wulan", "case", "summary", case, "-m", "x" * 3001, "--send", expect=1)
    assert "one page" in done.stderr


def test_the_plan_keeps_its_versions_and_why_they_changed(room, case):
    """The first needs no reason; every later one does, and changes something."""
    room.run("wulan", "case", "plan", case, "-m", "Sleep first.")
    assert "Say why" in room.run("wulan", "case", "plan", case, "-m", "x", expect=1).stderr
    same = ["case", "plan", case, "-m", "Sleep first.", "--reason", "none"]
    assert "same as before" in room.run("wulan", *same, expect=1).stderr
    room.run("wulan", "case", "plan", case, "-m", "Mornings.", "--reason", "she sleeps again")
    plans = room.json("wulan", "case", "show", case)["journey"]["plans"]
    assert [(one["version"], one["text"], one["reason"]) for one in plans] == [
        (1, "Sleep first.", ""),
        (2, "Mornings.", "she sleeps again"),
    ]


def test_a_full_round_asks_for_an_evaluation(room, client, case, editor, until):
    """After as many letters as were agreed the case is in the queue until it is evaluated.

    The editor shows goals and plan beside the outline; a gap stops the letter, and what was written
    stays; the finished letter asks the client whether the picture fits.
    """
    room.run("wulan", "case", "contract", case, "--rhythm", "every week", "--exchanges", "2")
    room.run("wulan", "case", "plan", case, "-m", "Sleep first.")
    room.run("wulan", "reply", case, "-m", "Hello Ani.")
    room.run("wulan", "reply", case, "-m", "Hello again.")
    until(lambda: "evaluation-due" in room.run("wulan", "queue").stdout, "the case to be shown")
    gap = room.run("wulan", "case", "evaluate", case, EDITOR="touch", expect=1)
    assert "still has a gap under “What has changed since you first wrote”" in gap.stderr
    assert "kept as a draft" in gap.stderr
    bare = room.run("wulan", "case", "evaluate", case, "-m", "…", expect=1)
    assert "still has a gap. Nothing was sent." in bare.stderr
    done = room.run("wulan", "case", "evaluate", case, EDITOR=str(editor))
    assert "case end" in done.stderr
    assert "PLAN, version 1" in seen(editor).split("---- >8 ----")[1]
    letter = got(room, client, "look back together with you", until)
    assert "We spoke of sleep." in letter
    assert "PLAN" not in letter
    assert case not in room.run("wulan", "queue").stdout


@pytest.mark.parametrize("words", [("evaluate",), ("end",), ("summary", "--send")])
def test_a_colleagues_answer_is_noticed_while_a_longer_letter_is_written(room, case, editor, words):
    """The ticket is taken before the editor opens; what was written stays a draft."""
    meanwhile = room.environment("sari")
    names = ("HOME", "GNUPGHOME", "MAILCOUNSEL_CONFIG", "MAILCOUNSEL_HOME", "MAILCOUNSEL_AS")
    own = [f"{name}={meanwhile[name]}" for name in names]
    typed = shlex.join(["env", *own, *PROGRAM, "reply", case, "-m", "Hello from Sari."])
    busy = editor.with_name("busy")
    put = 'f=$(cat "$1"); printf "Sleep first.\\n%s\\n" "$f" >"$1"'
    busy.write_text(f'#!/bin/sh\n{shlex.quote(str(editor))} "$1"\n{put}\n{typed} >&2\n')
    busy.chmod(0o700)
    done = room.run("wulan", "case", words[0], case, *words[1:], EDITOR=str(busy), expect=4)
    assert f"sari answered {case} while you wrote" in done.stderr
    here = [one for one in room.json("wulan", "outbox")["letters"] if one["case"] == case]
    assert {one["author"] for one in here} - {None} == {"sari"}


def test_lint_looks_at_every_open_case(room, case):
    """One command names what each case lacks, with what to type."""
    everywhere = room.json("wulan", "case", "lint")["cases"]
    assert {"case": case, "lacks": []} in everywhere
    assert room.json("wulan", "case", "lint", case)["cases"] == [{"case": case, "lacks": []}]
    assert room.run("wulan", "case", "lint", case).stdout == "Nothing is missing.\n"


def test_the_report_is_the_readers_own_and_never_over_a_file(room, client, case, tmp_path):
    """Only its owner can read it, and nothing that was there is lost."""
    file = tmp_path / "page.html"
    room.run("wulan", "goal", "add", case, "walk 30 minutes")
    room.run("wulan", "case", "report", case, str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    page = file.read_text()
    assert "walk 30 minutes" in page
    assert client not in page
    room.run("wulan", "case", "report", case, str(file), expect=4)
    assert file.read_text() == page


def test_an_ending_is_a_letter_to_keep_and_closes_the_case(room, client, case, editor, until):
    """Early signs and what to do then stand in the last letter; a closed case ends once."""
    done = room.run("wulan", "case", "end", case, EDITOR=str(editor))
    assert "asked how it is going on" in done.stderr
    letter = got(room, client, "How you will notice early", until)
    assert "You can write to us again at any time" in letter
    assert room.json("wulan", "show", case)["state"] == "closed"
    assert "closed already" in room.run("wulan", "case", "end", case, "-m", "x", expect=4).stderr
