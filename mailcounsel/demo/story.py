"""What happens in the demonstration, told from top to bottom.

Clients write and read with mail programs of their own; the people of the centre type the installed
commands, shown as a person would see them. Whatever is told is also checked: a step that does
not come out as it is told ends the demonstration.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from mailcounsel import errors
from mailcounsel.crypto import homes
from mailcounsel.demo import stage as stages
from mailcounsel.demo import staying
from mailcounsel.demo.client import Client, Shown
from mailcounsel.demo.settings import IMAP_INBOX
from mailcounsel.demo.stage import Stage

WIDTH = 88

MELATI, RAFAEL, BINTANG = "C-0001", "C-0002", "C-0003"

MELATI_WRITES = (
    "Menjelang ujian saya sulit tidur, dan di sekolah saya sering ingin menangis. "
    "Saya tidak tahu harus bercerita kepada siapa."
)
RAFAEL_WRITES = (
    "Since I moved here I hardly talk to anybody. Sundays are the hardest. "
    "I would like to feel less alone."
)
BINTANG_WRITES = "Saya lelah sekali. Rasanya saya tidak mau hidup lagi."
TO_BINTANG = "Bintang, kamu aman? Saya di sini."
TO_RAFAEL = "Dear Rafael, what did a good Sunday look like, before?"
RAFAEL_ANSWERS = "My sister and I cooked together. I had forgotten that."
TO_MELATI = "Melati, apa yang menolongmu melewati malam?"
SUMMARY = "Sulit tidur, dan merasa sendiri."
STRENGTH = "menulis, walau berat"
LOOK_BACK = "Dari 5 ke 7. Bagaimana menurutmu?"
GOAL = "jalan kaki 30 menit"
ANSWERS = ("G1 5 / latihan 3x", "G1 7 / latihan 5x")
PROFILE = """\
name = "Wulan"
training = { id = "konselor sekolah", en = "a school counsellor" }
languages = { id = "Indonesia", en = "Indonesian" }
"""


def play(*, keep: bool = False, stay: bool = False) -> int:
    """Tell the whole story and return the exit code: 0, or 1 when a step failed.

    With `keep` the place is left behind and named; with `stay` the centre runs on after the story.
    Raises: Unavailable without gpg; Refused when another demonstration stays already.
    """
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr] # a terminal, file or pipe
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    homes.program("gpg")
    if stay:
        staying.refuse_second()
    try:
        with contextlib.ExitStack() as stack:
            _play(stack, keep=keep, stay=stay)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read along has seen enough
        raise
    except Exception as fault:  # noqa: BLE001 - whatever went wrong, a newcomer gets a sentence
        print(f"The demonstration stopped: {_sentence(fault)}", file=sys.stderr, flush=True)
        return 1
    return 0


def _play(stack: contextlib.ExitStack, *, keep: bool, stay: bool) -> None:
    say("A counselling centre opens on this machine. Its people and letters are invented.")
    stage = stages.open_stage(stack, keep=keep)
    if keep:
        stack.callback(say, f"Everything is in {stage.place}. Delete it when you like.")
    tell(stage)
    if stay:
        staying.stay(stage)


def tell(stage: Stage) -> None:
    """Tell the story. Raises: MailcounselError at the first step that fails."""
    if stage.mailbox is None:
        say("(All letters come by SMTP, for want of pymap: pip install 'mailcounsel[demo]')")
    melati = stage.add_client("Melati")
    rafael = stage.add_client("Rafael", writes_to=IMAP_INBOX, with_key=True)
    bintang = stage.add_client("Bintang")
    letters_arrive(stage, melati, rafael, bintang)
    danger_comes_first(stage, bintang)
    a_locked_conversation(stage, rafael)
    a_reply_waits(stage, melati)
    a_journey(stage, melati)
    nothing_was_lost(stage)


# -- the scenes -----------------------------------------------------------------------------------


def letters_arrive(stage: Stage, melati: Client, rafael: Client, bintang: Client) -> None:
    """Let three clients write, and show the queue."""
    way = "by IMAP" if stage.mailbox else "by SMTP"
    say(
        f"1. {stage.today()}. Melati and Bintang send ordinary mail, Rafael an encrypted letter "
        f"({way}). Danger comes first; a rule tags what is about school."
    )
    stage.write(melati, MELATI_WRITES)
    stage.move(minutes=35)
    stage.write(rafael, RAFAEL_WRITES)
    stage.move(minutes=10)
    stage.write(bintang, BINTANG_WRITES)
    stage.move(minutes=5)
    queue = command(stage, "queue")
    rows = queue.splitlines()[1:]
    _must(len(rows) == 3, "the queue does not hold three cases")
    _must(rows[0].startswith(BINTANG) and "DANGER" in rows[0], "the danger does not come first")
    _must("school" in rows[1], "no rule marked the letter about school")


def danger_comes_first(stage: Stage, bintang: Client) -> None:
    """Take the case in danger, and answer it at once."""
    say("2. Wulan, a therapist, asks for the case that needs somebody most, and answers at once.")
    shown = command(stage, "next", cut=_danger_and_letter)
    _must(BINTANG_WRITES in _one_line(shown), "the letter cannot be read")
    command(stage, "reply", BINTANG, "--plain", "danger", "-m", TO_BINTANG, cut=_all_but_last)
    stage.move(minutes=2)
    stage.wait_for_letter(bintang, TO_BINTANG)


def a_locked_conversation(stage: Stage, rafael: Client) -> None:
    """Answer the client who has a key, and see the answer to that come home."""
    say("3. Every reply rests for a minute, and `undo` takes it back. Rafael's goes out locked:")
    command(stage, "reply", RAFAEL, "-m", TO_RAFAEL, cut=_first)
    stage.move(minutes=2)
    letter = stage.wait_for_letter(rafael, TO_RAFAEL)
    _must(letter.was_locked and letter.is_signed, "the reply was not encrypted and signed")
    show(letter, TO_RAFAEL)
    stage.move(minutes=40)
    stage.write(rafael, RAFAEL_ANSWERS)
    say("He writes back. His signature leads the letter home, into the same case:")
    shown = command(stage, "show", RAFAEL, cut=_last_client_letter)
    _must(RAFAEL_ANSWERS in _one_line(shown), "the answer did not come into the same case")


def a_reply_waits(stage: Stage, melati: Client) -> None:
    """Answer the client who has no key and has not agreed to ordinary mail, and let her agree."""
    say("4. Melati has no key, and has not said yet whether ordinary email is safe for her.")
    profile = stage.place / "profile.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    words = ("introduce", MELATI, "-m", TO_MELATI)
    command(stage, *words, cut=_first, unsaid=("--profile", str(profile)))
    unsent = all(TO_MELATI not in letter.text for letter in stage.inbox(melati))
    _must(unsent, "the reply left before the client had agreed")
    say("She sends back the one word SETUJU (I agree). Now her mail program shows:")
    stage.move(minutes=20)
    stage.write(melati, "SETUJU")
    stage.move(minutes=2)
    show(stage.wait_for_letter(melati, TO_MELATI), TO_MELATI)


def a_journey(stage: Stage, melati: Client) -> None:
    """Go the seven steps with one client, weeks of them, and look at what came of it."""
    say("5. What they do together takes a command each, and the client gets a letter.")
    command(stage, "case", "summary", MELATI, "--send", "-m", SUMMARY, cut=_none)
    command(stage, "goal", "add", MELATI, GOAL, "--target", "4 kali seminggu", cut=_none)
    command(stage, "skill", "assign", MELATI, "breathing", "--at", "Mon 09:00", cut=_none)
    command(stage, "case", "strength", MELATI, STRENGTH, cut=_none)
    for week, answer in enumerate(ANSWERS):
        seen = len(stage.inbox(melati))
        stage.move(days=7)
        question = stage.wait_for_letter(melati, GOAL, after=seen)
        if week == 0:
            say(f"A week goes by. On {stage.today()}, Melati's mail program shows:")
            show(question, "Berapa kali")
        stage.write(melati, answer)
    say(f'She answers "{ANSWERS[0]}" (practised 3 times), a week later "{ANSWERS[1]}".')
    command(stage, "case", "evaluate", MELATI, "-m", LOOK_BACK, cut=_none)
    stage.move(minutes=2)
    stage.wait_for_letter(melati, LOOK_BACK)
    shown = command(stage, "case", "show", MELATI, cut=_journey)
    _must(all(f"\n{place} " in shown for place in range(1, 8)), "an activity is missing")
    _must("5 7" in shown, "the answers to the check-ins are not drawn")
    report = Path(tempfile.mkdtemp(prefix="mailcounsel-report-")) / f"{MELATI}.html"
    command(stage, "case", "report", MELATI, str(report), cut=_none)


def nothing_was_lost(stage: Stage) -> None:
    """Count every letter."""
    say("At the end Sari, the supervisor, has every letter counted that ever came in.")
    balance = command(stage, "--as", "sari", "reconcile", cut=_first)
    _must("lost 0" in balance, "a letter was lost")


# -- how it is told -------------------------------------------------------------------------------

Cut = Callable[[list[str]], list[str]]


def say(text: str) -> None:
    """Tell something in plain words. Each scene but the first begins below a blank line."""
    is_scene = text[:1].isdecimal()
    told = textwrap.fill(text, WIDTH, subsequent_indent="   " if is_scene else "")
    print(f"\n{told}" if is_scene and text[0] != "1" else told, flush=True)


def command(stage: Stage, *words: str, cut: Cut | None = None, unsaid: tuple[str, ...] = ()) -> str:
    """Run an installed command and show it with its output, or the part `cut` leaves of it.

    `unsaid` are words that only the demonstration needs.
    """
    typed = " ".join(_quoted(word) for word in words)
    print(_wrapped(f"$ mailcounsel {typed}", "    "))
    text = stage.must_run(*words, *unsaid)
    lines = [line for line in text.splitlines() if line.strip()]
    for line in cut(lines) if cut else lines:
        print(_wrapped(line, "    "))
    sys.stdout.flush()
    return text


def show(letter: Shown, *about: str) -> None:
    """Show a letter as a mail program does: the paragraphs with these words, a line each."""
    how = "encrypted, signed" if letter.was_locked and letter.is_signed else "not encrypted"
    print(f"  | From: {letter.sender}   Subject: {letter.subject}   ({how})")
    for paragraph in letter.text.split("\n\n"):
        if any(words in paragraph for words in about):
            print("  | " + textwrap.shorten(paragraph, WIDTH - 4, placeholder=" …"))
    sys.stdout.flush()


def _quoted(word: str) -> str:
    return word if shlex.quote(word) == word else f'"{word}"'


def _wrapped(line: str, indent: str) -> str:
    if len(line) <= WIDTH:
        return line
    return textwrap.fill(
        line, WIDTH, subsequent_indent=indent, replace_whitespace=False, break_on_hyphens=False
    )


def _all_but_last(lines: list[str]) -> list[str]:
    """Leave out how to take a reply back, which is told beside it."""
    return lines[:-1]


def _first(lines: list[str]) -> list[str]:
    """Keep the first line, which says what came of it."""
    return lines[:1]


def _none(_lines: list[str]) -> list[str]:
    """Keep nothing: what comes of it is shown later."""
    return []


def _danger_and_letter(lines: list[str]) -> list[str]:
    """Keep the line of danger and the client's words, which stand before the second entry."""
    second = next((n for n, line in enumerate(lines) if line.startswith("── 2.")), len(lines))
    return [line for line in lines if line.startswith("!!")] + lines[second - 1 : second]


def _journey(lines: list[str]) -> list[str]:
    """Keep the seven activities, a line each, and the goal with its line."""
    steps = [line for line in lines if line[:2] in {f"{place} " for place in range(1, 8)}]
    return steps + [line.strip() for line in lines if line.startswith("   G1 ")]


def _last_client_letter(lines: list[str]) -> list[str]:
    """Keep the latest letter of the client, but for its subject, which answers ours."""
    starts = [n for n, line in enumerate(lines) if line.startswith("── ")]
    theirs = [n for n in starts if "  client " in lines[n]]
    if not theirs:
        return lines
    end = next((n for n in starts if n > theirs[-1]), len(lines))
    return [line for line in lines[theirs[-1] : end] if "subject:" not in line]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _must(is_so: bool, complaint: str) -> None:
    if not is_so:
        raise errors.Refused(f"{complaint}.")


def _sentence(fault: Exception) -> str:
    return str(fault) if isinstance(fault, errors.MailcounselError) else f"{type(fault).__name__}."


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
